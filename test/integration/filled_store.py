"""
filled_store.py - a store that apply filled, for tests of what is done with it afterwards.
"""

import json

# Long enough for several chunks of 200 characters; no sentence twice.
TALES = "".join(f"Tale number {n} tells of the sailor who counted to {n * 7} before the storm came. " for n in range(16))


class FilledStore:
    """A store that was filled by apply, and its knowledge."""

    def __init__(self, vecferry, database, knowledge, **sections):
        self.vecferry = vecferry
        self.database = database
        self.knowledge = knowledge
        self.tales = knowledge.bot("Tales", files={"tales.txt": TALES, "short.txt": "A short one.\n"}, size=(200, 0))
        self.conf = knowledge.conf(database.url, **sections)
        self.harbour, self.lighthouse = self.bot("Harbour"), self.bot("Lighthouse")

    def fill(self, dimensions=1024):
        made = self.vecferry("store", "create", "--vector-dimensions", str(dimensions), "--new-store", self.database.url)
        assert made.status == 0, made.stderr
        return self.apply()

    def apply(self):
        status, stdout, stderr = self.vecferry("apply", "--yes", "--config", self.conf)
        assert status == 0, stdout + stderr
        return self

    def bot(self, title):
        """The id of the bot with that title."""
        for item in self.knowledge.items:
            if item["Title"] == {"S": title}:
                return item["SK"]["S"].rpartition("#")[2]
        raise KeyError(title)

    def label(self, title, name):
        """What the rows of a file say."""
        for item in self.knowledge.items:
            if item["Title"] == {"S": title}:
                return f"{item['PK']['S']}/{self.bot(title)}/documents/{name}"
        raise KeyError(title)

    def execute(self, sql, *parameters):
        return self.database.execute(sql, parameters)

    def rows(self, bot=None):
        where, parameters = ("WHERE botid = %s", [bot]) if bot else ("", [])
        return self.execute(f"SELECT count(*) FROM items {where}", *parameters)[0][0]

    def forget_marks(self):
        """Makes it the store of somebody else."""
        self.execute("DROP SCHEMA vecferry CASCADE")

    def verify(self, *arguments):
        return self.vecferry("verify", "--config", self.conf, *arguments)

    def found(self, *arguments):
        """What verify finds: (kind, bot, source, rows); that its exit status fits, too."""
        status, stdout, stderr = self.verify("--json", *arguments)
        assert stderr == ""
        said = json.loads(stdout)
        differences = [finding for finding in said["findings"] if finding["difference"]]
        assert said["equal"] == (not differences)
        assert status == (3 if differences else 0)
        return [(f["kind"], f["bot"], f["source"], f["rows"]) for f in said["findings"]]
