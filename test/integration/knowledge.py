"""
knowledge.py - makes bots with their documents, as Bedrock Chat keeps them.

The catalogue is a file in the form of `aws dynamodb scan`, the documents stand below a
folder as they do in the bucket: <user>/<bot>/documents/<file>.
"""

import hashlib
import json
import pathlib
import uuid

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
BUCKET = "bedrockchatstack-documentbucketae41e5a9-example"


def ulid(name, time_ms=1719900000000):
    """A ULID (26 characters) that is always the same for a name and a time."""
    random = int.from_bytes(hashlib.sha256(name.encode()).digest()[:10], "big")
    number = (time_ms << 80) | random
    return "".join(CROCKFORD[(number >> shift) & 31] for shift in range(125, -1, -5))


def user_id(name):
    """A Cognito user's id (a UUID) that is always the same for a name."""
    return str(uuid.UUID(bytes=hashlib.sha256(b"user " + name.encode()).digest()[:16], version=4))


def attribute(value):
    """A Python value as DynamoDB's JSON spells it."""
    if value is None:
        return {"NULL": True}
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, (int, float)):
        return {"N": str(value)}
    if isinstance(value, str):
        return {"S": value}
    if isinstance(value, (list, tuple)):
        return {"L": [attribute(element) for element in value]}
    return {"M": {name: attribute(element) for name, element in value.items()}}


def item(**attributes):
    return {name: attribute(value) for name, value in attributes.items()}


class Knowledge:
    """
    A folder with catalogue and documents that grows by bot() and file().

    Every change is written at once; the order of the bots is the order of their making,
    the newest was used last.
    """

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.catalogue = self.folder / "bots.json"
        self.documents = self.folder / "knowledge"
        self.items = []
        self.documents.mkdir(parents=True, exist_ok=True)
        self.save()

    def save(self):
        scan = {"Items": self.items, "Count": len(self.items), "ScannedCount": len(self.items), "ConsumedCapacity": None}
        self.catalogue.write_text(json.dumps(scan, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")

    def add(self, **attributes):
        """Adds any item to the catalogue."""
        self.items.append(item(**attributes))
        self.save()

    def bot(self, title, *, user="ana", files=None, urls=(), sitemaps=(), missing=(), size=(1000, 200), public=False, **more):
        """
        Adds a bot that was embedded some time ago; its id.

        files    name → text or bytes, written to the bot's folder
        missing  names that the bot claims to have, but which are not in its folder
        size     chunk size and overlap; None leaves EmbeddingParams out, as before v0.4.6
        public   shared with all users
        more     further attributes, or other values of these; None as value: DynamoDB's NULL
        """
        time_ms = 1719900000000 + 60000 * len(self.items)
        user = user if len(user) == 36 else user_id(user)
        bot = ulid(f"{user} {title} {len(self.items)}", time_ms)
        attributes = {
            "PK": user,
            "SK": f"{user}#BOT#{bot}",
            "Title": title,
            "Description": "",
            "Instruction": "",
            "CreateTime": time_ms,
            "LastBotUsed": time_ms,
            "IsPinned": False,
            "Knowledge": {
                "source_urls": list(urls),
                "sitemap_urls": list(sitemaps),
                "filenames": [*(files or {}), *missing],
            },
            "SyncStatus": "SUCCEEDED",
            "SyncStatusReason": "Successfully inserted to vector store.",
            "LastExecId": hashlib.md5(bot.encode()).hexdigest(),
        }
        if size is not None:
            attributes["EmbeddingParams"] = {
                "chunk_size": size[0],
                "chunk_overlap": size[1],
                "enable_partition_pdf": False,
            }
        if public:
            attributes["PublicBotId"] = bot
        attributes |= more
        for name, content in (files or {}).items():
            self.file(user, bot, name, content)
        self.add(**attributes)
        return bot

    def alias(self, user, bot, title):
        """Adds what a user gets who opens another's public bot."""
        user = user_id(user)
        self.add(
            PK=user, SK=f"{user}#BOT_ALIAS#{bot}", Title=title, Description="", OriginalBotId=bot,
            CreateTime=1719990000000, LastBotUsed=1719990000000, IsPinned=True, SyncStatus="SUCCEEDED",
            HasKnowledge=True, HasAgent=False, ConversationQuickStarters=[],
        )  # fmt: skip

    def conversation(self, user, bot, title):
        user = user_id(user)
        messages = {"system": {"role": "system", "content": [{"content_type": "text", "body": ""}], "children": []}}
        self.add(
            PK=user, SK=f"{user}#CONV#{ulid(title)}", Title=title, CreateTime=1719990000000, BotId=bot,
            TotalPrice=0.0125, LastMessageId="system", MessageMap=json.dumps(messages), IsLargeMessage=False,
            ShouldContinue=False,
        )  # fmt: skip

    def ghost(self, user, bot):
        """Adds what remains when a bot is deleted while its task runs."""
        user = user_id(user)
        self.add(
            PK=user, SK=f"{user}#BOT#{bot}", SyncStatus="SUCCEEDED", LastExecId=hashlib.md5(bot.encode()).hexdigest(),
            SyncStatusReason="Successfully inserted to vector store.",
        )  # fmt: skip

    def file(self, user, bot, name, content):
        """Writes an uploaded file; its path."""
        path = self.documents / user / bot / "documents" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def conf(self, new_store, /, **sections):
        """Writes a vecferry.conf for this knowledge and that new store; its path.

        sections  section → {key: value}, with _ for - in names; they win
        """
        settings = {
            "catalogue": {"file": self.catalogue},
            "documents": {"folder": self.documents, "allow-private-addresses": "true"},
            "new-store": {"url": new_store},
            "embedder": {"kind": "hashing"},
            "splitter": {"variant": "guide"},
            "run": {"workers": 2},
        }
        for section, keys in sections.items():
            known = settings.setdefault(section.replace("_", "-"), {})
            known.update({key.replace("_", "-"): value for key, value in keys.items()})
        path = self.folder / "vecferry.conf"
        path.touch(mode=0o600)
        path.chmod(0o600)  # it may hold a password
        with open(path, "w", encoding="utf-8") as conf:
            for section, keys in settings.items():
                conf.write(f"[{section}]\n")
                conf.writelines(f"{key}={value}\n" for key, value in keys.items())
                conf.write("\n")
        return path
