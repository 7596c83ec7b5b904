"""Knowledge that its user took away does not stay in the store."""

import json

import pytest
from migration import end, one_error
from postgres import wait_until

USAGE = 2
DIFFERENT = 3
SOME_FAILED = 4


def item_of(library, title):
    return next(item for item in library.items if item.get("Title") == {"S": title})


def id_of(item):
    return item["SK"]["S"].rpartition("#")[2]


def take_files_away(item):
    item["Knowledge"]["M"]["filenames"]["L"].clear()


def take_all_away(item):
    del item["Knowledge"]


def make_ghost(item):
    for name in set(item) - {"PK", "SK", "SyncStatus", "SyncStatusReason", "LastExecId"}:
        del item[name]


def move_to_knowledge_base(item):
    item["BedrockKnowledgeBase"] = {"M": {"type": {"S": "dedicated"}, "knowledge_base_id": {"S": "KB1"}}}


@pytest.fixture
def loaded(migration, undisturbed):
    migration.apply()
    return migration


def take(loaded, way):
    """Almanac loses its knowledge; its id."""
    item = item_of(loaded.knowledge, "Almanac")
    bot = id_of(item)
    way(item)
    loaded.knowledge.save()
    return bot


def rows_with(migration, bot):
    return [row for row in migration.rows() if row[0] == bot]


@pytest.mark.parametrize("way", [take_files_away, take_all_away, make_ghost, move_to_knowledge_base])
def test_plan_tells_the_rows_and_apply_removes_them(loaded, way):
    bot = take(loaded, way)
    count, others = len(rows_with(loaded, bot)), [row for row in loaded.rows() if row[0] != bot]
    calls = loaded.calls()
    assert f"{count} rows that run" in loaded.plan().stdout
    assert json.loads(loaded.plan("--json").stdout)["total"]["actions"]["remove"] == 1
    assert f"{count} rows removed" in loaded.apply().stderr
    assert loaded.rows() == others
    assert bot not in loaded.marks()
    assert loaded.calls() == calls
    loaded.run("verify", "--config", loaded.conf, expect=0)
    assert "remove" not in loaded.plan().stdout.split("In all:")[1].splitlines()[0]


def test_verify_says_what_removes_them(loaded):
    take(loaded, take_files_away)
    result = loaded.run("verify", "--config", loaded.conf, expect=DIFFERENT)
    assert "of a bot that has no knowledge; `vecferry apply` removes them" in result.stdout


def test_rows_that_others_wrote_stay(loaded):
    bot = take(loaded, take_files_away)
    loaded.database.execute(
        "INSERT INTO items SELECT %s, botid, content, source, embedding FROM items WHERE botid = %s LIMIT 1", ("x" * 26, bot)
    )
    rows = loaded.rows()
    assert f"{len(rows_with(loaded, bot))} rows are there that vecferry did not load: they stay" in loaded.plan().stdout
    loaded.apply()
    assert loaded.rows() == rows


def test_rows_that_changed_after_the_plan_stay(loaded, tmp_path):
    bot = take(loaded, take_files_away)
    loaded.plan("-o", tmp_path / "plan")
    loaded.database.execute("DELETE FROM items WHERE id = (SELECT min(id) FROM items WHERE botid = %s)", (bot,))
    rows = loaded.rows()
    loaded.apply(tmp_path / "plan")
    assert loaded.rows() == rows


def test_rows_that_somebody_writes_meanwhile_are_seen(loaded):
    """A session holds the table while apply waits to remove, and adds a row."""
    bot = take(loaded, take_files_away)
    other = loaded.database.connect()
    other.autocommit = False
    cursor = other.cursor()
    cursor.execute("LOCK TABLE items IN ROW EXCLUSIVE MODE")
    process = loaded.start()
    assert wait_until(lambda: loaded.database.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")[0][0] > 0, 30)
    cursor.execute(
        "INSERT INTO items SELECT %s, botid, content, source, embedding FROM items WHERE botid = %s LIMIT 1", ("x" * 26, bot)
    )
    other.commit()
    rows = loaded.rows()
    status, stdout, _ = end(process)
    assert status == SOME_FAILED
    assert "its rows are not those that were planned with; plan again" in stdout
    assert loaded.rows() == rows


def test_what_a_plan_file_does_not_remove_stays(loaded, tmp_path):
    loaded.plan("-o", tmp_path / "plan")
    take(loaded, take_files_away)
    rows = loaded.rows()
    result = loaded.apply(tmp_path / "plan", expect=SOME_FAILED)
    assert "the plan did not remove it" in result.stdout
    assert loaded.rows() == rows


def test_nothing_is_removed_without_agreement(loaded):
    take(loaded, take_files_away)
    rows = loaded.rows()
    asked = loaded.program("apply", "--config", loaded.conf)
    assert asked.status == USAGE
    assert one_error(asked) == "there is no terminal to ask for agreement at"
    assert loaded.rows() == rows
