"""Bedrock Chat as its stack deploys it, from v1.0 on: outputs, table, bucket, cluster, secret.

    chat = deploy(aws)
    bot = chat.add_bot("ada", "Harbour", files={"ferries.txt": b"…"})
    chat.table.get("ada", bot.sort_key)["SyncStatus"]

Names and item members are those of the application.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aws.cloudformation import Stack
from aws.ecs import Cluster
from aws.s3 import Bucket
from aws.secretsmanager import Secret
from aws.sts import Role
from aws.tables import Table

if TYPE_CHECKING:
    from aws.server import Aws

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LOG_GROUP = "BedrockChatStack-EmbeddingTaskLogGroup1A2B3C4D"
FAMILY = "BedrockChatStackEmbeddingTaskDefinition5E6F7A8B"


@dataclass(frozen=True)
class Bot:
    user: str
    id: str

    @property
    def sort_key(self) -> str:
        return f"{self.user}#BOT#{self.id}"


@dataclass
class Deployment:
    """The parts of a stack, with what is in them."""

    aws: Aws
    stack: Stack
    table: Table
    bucket: Bucket
    cluster: Cluster
    definition: dict[str, Any]
    secret: Secret
    table_role: Role
    made: int = 0

    def new_id(self) -> str:
        """Twenty-six characters that look like a ULID and are the same in every run."""
        self.made += 1
        number, tail = self.made, ""
        for _ in range(16):
            number, digit = divmod(number, 32)
            tail = CROCKFORD[digit] + tail
        return "01HXXXXXXX" + tail

    def add_bot(
        self, user: str, title: str, files: dict[str, bytes] | None = None, urls: tuple[str, ...] = (), **members: Any
    ) -> Bot:
        """A bot with its documents; a member that is None is left out of the item."""
        bot, files = Bot(user, self.new_id()), files or {}
        for name, body in files.items():
            self.bucket.put(f"{user}/{bot.id}/documents/{name}", body)
        item = {
            "PK": user, "SK": bot.sort_key, "Title": title, "Description": "", "Instruction": "", "IsPinned": False,
            "CreateTime": 1717000000000 + self.made, "LastBotUsed": 1717000000000 + self.made,
            "Knowledge": {"source_urls": list(urls), "sitemap_urls": [], "filenames": list(files)},
            "EmbeddingParams": {"chunk_size": 1000, "chunk_overlap": 200, "enable_partition_pdf": False},
            "SyncStatus": "SUCCEEDED", "SyncStatusReason": "", "LastExecId": "", **members,
        }  # fmt: skip
        self.table.put({name: value for name, value in item.items() if value is not None})
        return bot

    def add_alias(self, user: str, original: Bot) -> None:
        """What another user has of a public bot; it owns no knowledge."""
        self.table.put(
            {
                "PK": user, "SK": f"{user}#BOT_ALIAS#{original.id}", "Title": "alias", "Description": "",
                "OriginalBotId": original.id, "CreateTime": 1717000000000, "LastBotUsed": 1717000000000,
                "IsPinned": False, "SyncStatus": "SUCCEEDED", "HasKnowledge": True,
            }
        )  # fmt: skip

    def add_ghost(self, user: str) -> Bot:
        """What an unconditional update leaves of a deleted bot: no Title, in no sparse index."""
        bot = Bot(user, self.new_id())
        self.table.put({"PK": user, "SK": bot.sort_key, "SyncStatus": "SUCCEEDED", "LastExecId": "gone"})
        return bot

    def add_conversation(self, user: str, characters: int = 1000) -> None:
        self.table.put(
            {
                "PK": user, "SK": f"{user}#CONV#{self.new_id()}", "Title": "talk", "CreateTime": 1717000000000,
                "LastMessageId": "system", "MessageMap": "m" * characters,
            }
        )  # fmt: skip


def deploy(aws: Aws, database: dict[str, Any] | None = None, stack_name: str = "BedrockChatStack") -> Deployment:
    """A whole deployment; `database` is the content of the secret."""
    table = aws.dynamodb.create_table(f"{stack_name}-DatabaseConversationTable03F3FD7A-1ABCDEFGHIJKL", "PK", "SK")
    table.add_index("SKIndex", "SK")
    table.add_index("PublicBotIdIndex", "PublicBotId")
    table.add_index("LastBotUsedIndex", "PK", "LastBotUsed", range_type="N", is_global=False)
    bucket = aws.s3.create_bucket(f"{stack_name.lower()}-documentbucketae41e5a9-abcdefghijkl")
    cluster = aws.ecs.create_cluster(f"{stack_name}-EmbeddingCluster0A1B2C3D-abcdefghijkl")
    role = aws.sts.create_role(f"{stack_name}-DatabaseTableAccessRole59DDE6B8-abcdefghijkl")
    login = {"username": "postgres", "password": "secret", "engine": "postgres", "port": 5432, "dbname": "postgres"}
    secret = aws.secretsmanager.create_secret("VectorStoreSecret0A1B2C3D", {**login, **(database or {})})
    environment = {
        "BEDROCK_REGION": aws.bedrock.region, "DB_SECRETS_ARN": secret.arn, "ACCOUNT": aws.account,
        "REGION": aws.region, "TABLE_NAME": table.name, "TABLE_ACCESS_ROLE_ARN": role.arn,
        "DOCUMENT_BUCKET": bucket.name,
    }  # fmt: skip
    options = {"awslogs-group": LOG_GROUP, "awslogs-region": aws.region, "awslogs-stream-prefix": "embed-task"}
    definition = aws.ecs.register(
        FAMILY,
        container_command=["-u", "embedding/main.py"],
        container_environment=[{"name": name, "value": value} for name, value in environment.items()],
        container_logConfiguration={"logDriver": "awslogs", "options": options},
    )
    aws.logs.create_group(LOG_GROUP)
    outputs = {
        "ConversationTableName": table.name,
        "DatabaseConversationTableNameDDF11821": table.name,
        "EmbeddingClusterNameA6A626C4": cluster.name,
        "EmbeddingTaskDefinitionName9C442847": FAMILY,
        "EmbeddingTaskSecurityGroupId223DB337": "sg-0123456789abcdef0",
        "DbConfigSecretArn": secret.arn,
        "DbConfigHostname": (database or {}).get("host", "cluster.example"),
        "DbConfigPort": str((database or {}).get("port", 5432)),
        "PrivateSubnetId0": "subnet-0123456789abcdef0",
        "PrivateSubnetId1": "subnet-0123456789abcdef1",
        "PublicSubnetId0": "subnet-0123456789abcdef2",
        "PublicSubnetId1": "subnet-0123456789abcdef3",
        "VpcId": "vpc-0123456789abcdef0",
        "TableAccessRoleArn": role.arn,
        "DocumentBucketName": bucket.name,
        "FrontendURL": "https://d111111abcdef8.cloudfront.net",
    }
    aws.ecs.subnets = {outputs["PrivateSubnetId0"], outputs["PrivateSubnetId1"], outputs["PublicSubnetId0"]}
    aws.ecs.security_groups = {outputs["EmbeddingTaskSecurityGroupId223DB337"]}
    resources = {
        "DatabaseConversationTable03F3FD7A": ("AWS::DynamoDB::Table", table.name),
        "DocumentBucketAE41E5A9": ("AWS::S3::Bucket", bucket.name),
        "VPCB9E5F0B4": ("AWS::EC2::VPC", outputs["VpcId"]),
    }
    stack = aws.cloudformation.create_stack(stack_name, outputs, resources)
    return Deployment(aws, stack, table, bucket, cluster, definition, secret, role)
