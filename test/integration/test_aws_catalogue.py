"""The catalogue read from the application's own table in DynamoDB."""

import json
import os
import resource

import pytest
from aws_fixture import aws  # noqa: F401
from cloud import TABLE, Cloud
from knowledge import ulid, user_id
from migration import Migration, one_error

from aws.gate import Identity  # noqa: E402
from aws.mishaps import HangUp, Page, Refusal, WrongCrc  # noqa: E402

ALIASES = 30


@pytest.fixture
def crowd(knowledge):
    """Every kind of item that the application's table holds."""
    harbour = knowledge.items[0]["SK"]["S"].rpartition("#")[2]
    for n in range(ALIASES):
        knowledge.alias(f"user {n}", harbour, "Harbour, by another")
        knowledge.conversation(f"user {n}", harbour, f"about ferries {n}")
    for n in range(5):
        knowledge.ghost(f"user {n}", ulid(f"ghost {n}"))
    knowledge.bot("Of version 0.3", Knowledge=None, size=None)
    del knowledge.items[-1]["Knowledge"]
    knowledge.bot("In Bedrock", BedrockKnowledgeBase={"knowledge_base_id": "KB1"})
    knowledge.bot("Damaged", EmbeddingParams="large")
    knowledge.save()
    return knowledge


@pytest.fixture
def cloud(aws, crowd):  # noqa: F811
    return Cloud(aws, crowd)


@pytest.fixture
def moved(vecferry, database, cloud):
    """The crowd on its way, its catalogue in the table."""
    return Migration(vecferry, database, cloud.knowledge, **cloud.catalogue)


def planned(migration, *options, env=None):
    plan = json.loads(migration.plan("--json", *options, env=env).stdout)
    plan["plan"] = {name: plan["plan"][name] for name in ("new_store",)}
    return plan


def refused(migration, *options, env=None, expect=1):
    """The error of a plan that cannot be made, hint included."""
    result = migration.plan(*options, env=env, expect=expect)
    assert result.stdout == ""
    one_error(result)
    return result.stderr


# --- the same bots -------------------------------------------------------------------------


@pytest.mark.parametrize("page_bytes", [1_000_000, 2_000, 1])
def test_the_table_is_planned_as_its_scan_in_a_file_is(aws, moved, cloud, page_bytes):  # noqa: F811
    cloud.table.page_bytes = page_bytes
    from_table = planned(moved, env=aws.environment())
    moved.configure()
    assert from_table == planned(moved)
    assert aws.refusals() == []
    kinds = {bot["reason"] for bot in from_table["bots"]}
    assert "a ghost: the item of a deleted bot" in kinds and len(from_table["bots"]) == 11
    if page_bytes == 1:
        assert len(cloud.scans(None)) > 2 * ALIASES  # an item each, and most of them are filtered out


def test_ghosts_are_found_though_the_index_has_none(aws, moved, cloud):  # noqa: F811
    assert len(cloud.table.view(cloud.table.indexes["LastBotUsedIndex"])) < len(cloud.table.items)
    result = moved.plan(env=aws.environment())
    assert result.stdout.count("a ghost: the item of a deleted bot") == 5
    (index,) = cloud.scans("LastBotUsedIndex")
    (table,) = cloud.scans(None)
    assert index.parameters["ConsistentRead"] and table.parameters["ConsistentRead"]
    assert not aws.calls("dynamodb", "GetItem")


@pytest.mark.threads
def test_a_large_table_is_scanned_in_segments(aws, moved, cloud):  # noqa: F811
    text = "x" * 300_000
    for n in range(120):
        cloud.table.put({"PK": f"user {n}", "SK": f"user {n}#CONV#{n}", "Title": "long", "MessageMap": text})
    plan = planned(moved, env=aws.environment())
    assert len(plan["bots"]) == 11
    pages = cloud.scans(None)
    segments = {(call.parameters["Segment"], call.parameters["TotalSegments"]) for call in pages}
    assert segments == {(0, 2), (1, 2)}
    assert len(pages) > 30  # 1 MB each
    # No page is asked for without need: every one but a segment's last says where the next one starts.
    assert sum("ExclusiveStartKey" in call.parameters for call in pages) == len(pages) - len(segments)
    assert aws.refusals() == []


@pytest.mark.parametrize("kept", ["index missing", "index of keys only", "may not be described"])
def test_without_a_useful_index_the_whole_table_is_read(aws, vecferry, database, crowd, kept):  # noqa: F811
    cloud = Cloud(aws, crowd, index=kept != "index missing")
    migration = Migration(vecferry, database, crowd, **cloud.catalogue)
    if kept == "index of keys only":
        index = cloud.table.indexes["LastBotUsedIndex"]
        cloud.table.indexes["LastBotUsedIndex"] = type(index)(index.name, index.keys, False, ("Title",))
    if kept == "may not be described":
        aws.deny("dynamodb", "DescribeTable")
    from_table = planned(migration, env=aws.environment())
    assert not cloud.scans("LastBotUsedIndex")
    migration.configure()
    assert from_table == planned(migration)


def test_only_the_chosen_bots_are_planned(aws, moved):  # noqa: F811
    env = aws.environment()
    harbour = moved.knowledge.items[0]["SK"]["S"].rpartition("#")[2]
    assert [bot["title"] for bot in planned(moved, "--bot", harbour, env=env)["bots"]] == ["Harbour"]
    bens = [bot["title"] for bot in planned(moved, "--user", user_id("ben"), env=env)["bots"]]
    assert bens == ["Small talk", "Lighthouse"]
    assert "Harbour" not in moved.plan("--exclude", harbour, env=env).stdout
    assert "there is no bot" in refused(moved, "--bot", "nobody", env=env, expect=2)


def test_an_arn_names_the_region(aws, moved):  # noqa: F811
    env = aws.environment()
    del env["AWS_REGION"]
    arn = aws.dynamodb.tables[TABLE].arn
    plan = moved.plan("--catalogue", f"dynamodb:{arn}", env=env)
    assert "Harbour" in plan.stdout
    assert {call.region for call in aws.calls()} == {"eu-west-1"}


def test_a_bot_that_is_used_meanwhile_is_listed_once(aws, moved, cloud):  # noqa: F811
    """It moves to the end of its user's part of the index, where it is met again."""
    cloud.table.page_bytes = 1
    item = cloud.knowledge.items[1]  # Lighthouse, the older of ben's two
    first = True

    def move(table):
        nonlocal first
        if first and table.get("LastEvaluatedKey", {}).get("SK") == item["SK"]:
            first = False
            cloud.table.change(item["PK"]["S"], item["SK"]["S"], LastBotUsed=1999999999999)
        return table

    plain = aws.dynamodb.page
    aws.dynamodb.page = lambda *arguments: move(plain(*arguments))
    titles = [bot["title"] for bot in planned(moved, env=aws.environment())["bots"]]
    assert not first
    assert titles.count("Lighthouse") == 1 and titles[0] == "Lighthouse"


def test_ten_thousand_bots_take_their_pages_and_no_more(aws, vecferry, database, knowledge):  # noqa: F811
    for n in range(10_000):
        user, bot = f"user-{n % 500}", ulid(f"many {n}")
        knowledge.items.append(
            {
                "PK": {"S": user}, "SK": {"S": f"{user}#BOT#{bot}"}, "Title": {"S": f"Bot {n}"},
                "Instruction": {"S": "Be kind. " * 100}, "CreateTime": {"N": "1"}, "LastBotUsed": {"N": str(n)},
                "IsPinned": {"BOOL": False}, "SyncStatus": {"S": "SUCCEEDED"},
                "Knowledge": {"M": {"source_urls": {"L": []}, "sitemap_urls": {"L": []}, "filenames": {"L": []}}},
            }
        )  # fmt: skip
    cloud = Cloud(aws, knowledge)
    migration = Migration(vecferry, database, knowledge, **cloud.catalogue)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    result = migration.plan("--check-urls", "no", env=aws.environment())
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert "Bot 9999" in result.stdout
    assert aws.refusals() == []
    view = cloud.table.view(None)
    pages = -(-sum(entry.size for entry in view) // 1_000_000)
    index, table = cloud.scans("LastBotUsedIndex"), cloud.scans(None)
    assert len(index) <= pages + 1 and len(table) <= pages + 1, (pages, len(index), len(table))
    assert len(aws.calls()) == len(index) + len(table) + 1  # DescribeTable
    print(f"{len(index)} + {len(table)} pages, {seconds:.2f} s CPU")
    if not os.environ.get("VECFERRY_SANITIZER_LOGS"):
        assert seconds < 1, f"{seconds:.2f} s"


# --- what is no table of bots ----------------------------------------------------------------


def test_a_missing_table_is_named_with_its_region(aws, moved):  # noqa: F811
    error = refused(moved, "--catalogue", "dynamodb:Nothing", env=aws.environment(), expect=2)
    assert 'could not read the table "Nothing" in eu-west-1' in error
    assert "ConversationTableName" in error
    assert "names no table" in refused(moved, "--catalogue", "dynamodb:", env=aws.environment(), expect=2)


def test_another_table_is_refused(aws, moved, cloud):  # noqa: F811
    aws.dynamodb.create_table("WebsocketSessionTable", "ConnectionId", "MessagePartId", "N")
    error = refused(moved, "--catalogue", "dynamodb:WebsocketSessionTable", env=aws.environment())
    assert "its keys are not PK and SK" in error and "ConversationTableName" in error
    aws.dynamodb.create_table("Empty", "PK", "SK")
    assert "there is not a single item" in refused(moved, "--catalogue", "dynamodb:Empty", env=aws.environment())
    three = aws.dynamodb.create_table("BotTableV3", "PK", "SK")
    three.put({"PK": "user", "SK": f"BOT#{ulid('three')}", "Title": "New"})
    assert "version 3" in refused(moved, "--catalogue", "dynamodb:BotTableV3", env=aws.environment())


def test_two_items_of_one_name_are_told(aws, moved, cloud):  # noqa: F811
    item = cloud.knowledge.items[0]
    odd = "somebody" + item["SK"]["S"][len("somebody") :]
    cloud.table.store(item | {"SK": {"S": odd}})
    assert "two items name the same bot" in refused(moved, env=aws.environment())


# --- what goes wrong on the way --------------------------------------------------------------


@pytest.mark.parametrize(
    "mishap", [Refusal(), Refusal("InternalServerError", 500, "x"), WrongCrc(), HangUp(reset=True), Page(503)],
    ids=lambda mishap: type(mishap).__name__,
)  # fmt: skip
def test_what_passes_is_waited_for(aws, moved, cloud, mishap):  # noqa: F811
    cloud.table.page_bytes = 3_000
    aws.mishap("dynamodb", "Scan", mishap, times=3, skip=2)
    from_table = planned(moved, env=aws.environment())
    moved.configure()
    assert from_table == planned(moved)


def test_an_endless_throttle_is_told(aws, moved):  # noqa: F811
    aws.mishap("dynamodb", "Scan", Refusal("ProvisionedThroughputExceededException"))
    error = refused(moved, env=aws.environment() | {"AWS_MAX_ATTEMPTS": "2"})
    assert "2 attempts: ProvisionedThroughputExceededException" in error and "try again later" in error


def test_a_denied_scan_is_told_with_the_rights_it_needs(aws, moved):  # noqa: F811
    aws.deny("dynamodb", "Scan")
    error = refused(moved, env=aws.environment())
    assert "AccessDeniedException" in error and "dynamodb:DescribeTable, dynamodb:Scan" in error


def test_no_credentials_are_told(aws, moved):  # noqa: F811
    env = aws.environment()
    del env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"]
    error = refused(moved, env=env)
    assert "no AWS credentials" in error or "credentials" in error
    assert len(error.splitlines()) >= 2, error
    assert aws.calls() == []


def test_no_region_is_told(aws, moved):  # noqa: F811
    env = aws.environment()
    del env["AWS_REGION"]
    assert "set AWS_REGION" in refused(moved, env=env, expect=2)


def test_a_wrong_region_is_told(aws, moved):  # noqa: F811
    error = refused(moved, env=aws.environment() | {"AWS_REGION": "us-east-1"})
    assert "us-east-1" in error and "region" in error


def test_wrong_keys_are_told_and_never_shown(aws, moved):  # noqa: F811
    stranger = Identity("AKIASTRANGER00000001", "a/secret+that=nobody+knows/0123456789abc")
    error = refused(moved, env=aws.environment(stranger))
    assert "UnrecognizedClientException" in error and "log in again" in error
    wrong = aws.environment() | {"AWS_SECRET_ACCESS_KEY": stranger.secret}
    error = refused(moved, env=wrong)
    assert "does not fit" in error and stranger.secret not in error


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_that_is_an_hour_off_is_mended(aws, moved, hours):  # noqa: F811
    aws.clock_offset = hours * 3600
    assert "Harbour" in moved.plan(env=aws.environment()).stdout


@pytest.mark.parametrize("status", [200, 403])
def test_a_proxys_page_is_told(aws, moved, status):  # noqa: F811
    aws.mishap("dynamodb", "*", Page(status))
    error = refused(moved, env=aws.environment())
    assert "is not one of AWS" in error and "proxy" in error


# --- applying it -----------------------------------------------------------------------------


def test_each_bot_is_read_again_at_its_turn(aws, moved, cloud):  # noqa: F811
    """Edited and deleted after the plan: skipped, told, and nothing of them is loaded."""
    plan = moved.knowledge.folder / "plan.json"
    moved.plan("-o", plan, env=aws.environment())
    harbour, lighthouse = cloud.knowledge.items[:2]
    cloud.table.delete(lighthouse["PK"]["S"], lighthouse["SK"]["S"])
    knowledge = {"source_urls": [], "sitemap_urls": [], "filenames": ["tides.md"]}
    cloud.table.change(harbour["PK"]["S"], harbour["SK"]["S"], Knowledge=knowledge)
    result = moved.apply(plan, env=aws.environment(), expect=4)
    assert "edited" in result.stdout + result.stderr
    assert "no longer in the catalogue" in result.stdout + result.stderr
    assert moved.rows() == []


def test_killed_and_run_again_it_is_the_same_run(aws, moved, cloud):  # noqa: F811
    env = aws.environment()
    moved.apply("--workers", "1", env=env | {"VECFERRY_FAULT": "before-ledger-done"}, expect=-9)
    assert len(moved.marks()) == 1
    moved.program.home = moved.program.home / "elsewhere"  # the folder it is called from means nothing
    moved.program.home.mkdir()
    result = moved.apply("--workers", "1", env=env, expect=4)  # a damaged bot is skipped
    moved.assert_whole()
    assert len(moved.marks()) == 2
    assert len(list(moved.program.state.rglob("*.db"))) == 1, result.stderr
    read_again = [call.parameters["Key"]["SK"]["S"] for call in aws.calls("dynamodb", "GetItem")]
    assert set(read_again) == {item["SK"]["S"] for item in cloud.knowledge.items[:2]}
    assert aws.refusals() == []


def test_a_table_that_cannot_be_read_for_a_while_stops_nothing(aws, moved):  # noqa: F811
    aws.mishap("dynamodb", "GetItem", Refusal("InternalServerError", 500, "x"), times=3)
    moved.apply(env=aws.environment(), expect=4)
    moved.assert_whole()
    assert len(moved.marks()) == 2
