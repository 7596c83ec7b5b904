"""
cloud.py - a Knowledge as the application keeps it: its items in a table, its files in a bucket.

    cloud = Cloud(aws, knowledge)
    migration = Migration(vecferry, database, knowledge, **cloud.sections)
    migration.plan(env=aws.environment())
"""

from knowledge import BUCKET

TABLE = "BedrockChatStack-DatabaseConversationTable03F3FD7A-1ABCDEFGHIJKL"
INDEX = "LastBotUsedIndex"


class Cloud:
    """The table and the bucket of one knowledge in a fake AWS."""

    def __init__(self, aws, knowledge, *, index=True, bucket_region=None):
        self.aws = aws
        self.knowledge = knowledge
        self.table = aws.dynamodb.create_table(TABLE, "PK", "SK")
        self.table.add_index("SKIndex", "SK")
        if index:
            self.table.add_index(INDEX, "PK", "LastBotUsed", "N", is_global=False)
        self.bucket = aws.s3.create_bucket(BUCKET, bucket_region)
        self.fill()

    def fill(self):
        """Takes over what the knowledge has by now."""
        for item in self.knowledge.items:
            self.table.store(item)
        for path in self.knowledge.documents.rglob("*"):
            if path.is_file():
                key = str(path.relative_to(self.knowledge.documents))
                self.bucket.put(key, path.read_bytes()).modified = path.stat().st_mtime

    @property
    def catalogue(self):
        return {"catalogue": {"file": f"dynamodb:{TABLE}"}}

    @property
    def documents(self):
        return {"documents": {"folder": f"s3://{BUCKET}"}}

    @property
    def sections(self):
        return self.catalogue | self.documents

    def scans(self, index):
        """The calls that scanned the index (a name), or the table (None)."""
        return [call for call in self.aws.calls("dynamodb", "Scan") if call.parameters.get("IndexName") == index]
