"""verify --level counts: every kind of difference is planted, and found under its name."""

import contextlib
import json
import pathlib
import re
import sys
import threading

import pytest
from filled_store import FilledStore
from knowledge import user_id
from postgres import wait_until

sys.path.insert(0, str(pathlib.Path(__file__).parent / "servers"))

import guide_container  # noqa: E402


@pytest.fixture
def store(vecferry, database, knowledge):
    return FilledStore(vecferry, database, knowledge).fill()


# --- all is as it should be ---------------------------------------------------------------


def test_a_store_that_apply_filled_is_as_it_should_be(store):
    rows = store.rows()
    assert rows > 8
    status, stdout, stderr = store.verify()
    assert (status, stderr) == (0, "")
    assert re.fullmatch(
        rf'Counted 4 bots, 5 sources and {rows} rows of public\.items in database ".*" at 127\.0\.0\.1:\d+ '
        rf"against .*bots\.json: all is as it should be\.\n",
        stdout,
    )


def test_json_says_what_was_compared(store):
    status, stdout, _ = store.verify("--json")
    said = json.loads(stdout)
    rows = store.rows()
    assert status == 0
    assert said["equal"] is True
    assert said["level"] == "counts"
    assert said["whole"] is True
    assert said["findings"] == said["recall"] == []
    assert said["tables"] == [
        {"table": "public.items", "rows_old": None, "rows_new": rows, "equal": True, "differences": []}
    ]
    assert [(bot["title"], bot["rows_old"], bot["rows_new"], bot["sources"], bot["equal"]) for bot in said["bots"]] == [
        ("Tales", None, store.rows(store.tales), 2, True),
        ("Small talk", None, 0, 0, True),
        ("Lighthouse", None, 1, 1, True),
        ("Harbour", None, 2, 2, True),
    ]
    assert said["bots"][0]["bot"] == store.tales
    assert said["bots"][0]["user"] == user_id("ana")


def test_all_lists_every_bot(store):
    _, stdout, _ = store.verify("--all")
    assert re.findall(r"^ok +(\w{26}) ", stdout, re.MULTILINE) == [
        store.tales, store.bot("Small talk"), store.lighthouse, store.harbour,
    ]  # fmt: skip


def test_verify_changes_nothing(store):
    before = store.execute("SELECT xmin, * FROM items ORDER BY id"), store.execute("SELECT xmin, * FROM vecferry.mark")
    store.verify()
    assert before == (
        store.execute("SELECT xmin, * FROM items ORDER BY id"), store.execute("SELECT xmin, * FROM vecferry.mark"),
    )  # fmt: skip


# --- each difference under its name -------------------------------------------------------


def test_knowledge_without_rows_is_missing(store):
    store.execute("DELETE FROM items WHERE source LIKE '%%tides.md'")
    assert store.found() == [("missing", store.harbour, store.label("Harbour", "tides.md"), 0)]


def test_a_bot_without_rows_is_missing(store):
    store.execute("DELETE FROM items WHERE botid = %s", store.harbour)
    assert store.found() == [
        ("missing", store.harbour, store.label("Harbour", name), 0) for name in ("ferries.txt", "tides.md")
    ]
    status, stdout, _ = store.verify()
    assert status == 3
    assert re.search(rf"^missing  {store.harbour}  Harbour  0 .*ferries\.txt: no rows.* \(and one more source\)$", stdout, re.M)
    assert stdout.endswith(": 2 differences in 1 bot.\n")


def test_a_bot_that_was_blocked_is_missing(vecferry, database, knowledge):
    loaded = FilledStore(vecferry, database, knowledge)
    lost = knowledge.bot("Lost", missing=["gone.txt"])
    assert vecferry("store", "create", "--config", loaded.conf).status == 0
    assert vecferry("apply", "--yes", "--config", loaded.conf).status == 4
    assert loaded.found() == [("missing", lost, loaded.label("Lost", "gone.txt"), 0)]


def test_rows_of_no_bot_are_orphans(store):
    store.execute("UPDATE items SET botid = 'SOMEBODYELSE' WHERE source LIKE '%%keeper.txt'")
    assert store.found() == [
        ("missing", store.lighthouse, store.label("Lighthouse", "keeper.txt"), 0),
        ("orphan", "SOMEBODYELSE", None, 1),
    ]


def test_rows_of_a_ghost_are_orphans(store):
    ghost = "01J1S0GH0ST00000000000000X"
    store.knowledge.ghost("ana", ghost)
    assert store.found() == []
    store.execute("INSERT INTO items SELECT 'x', %s, content, 'a', embedding FROM items LIMIT 1", ghost)
    assert store.found() == [("orphan", ghost, None, 1)]


def test_rows_of_a_source_that_the_bot_does_not_name_are_found(store):
    store.forget_marks()
    store.execute("INSERT INTO items SELECT 'x', botid, content, 'https://old.example/', embedding FROM items WHERE botid = %s LIMIT 1", store.harbour)
    assert store.found() == [("unnamed", store.harbour, "https://old.example/", 1)]


def test_nothing_is_expected_of_a_knowledge_base(store):
    bot = store.knowledge.bot("Base", files={"a.txt": "In a knowledge base.\n"}, BedrockKnowledgeBase={
        "embeddings_model": "titan_v2", "open_search": {"analyzer": None}, "chunking_strategy": "default",
        "search_params": {"max_results": 20, "search_type": "hybrid"}, "knowledge_base_id": "KB", "data_source_ids": ["D"],
    })  # fmt: skip
    assert store.found() == []
    store.execute("INSERT INTO items SELECT 'x', %s, content, 'a', embedding FROM items LIMIT 1", bot)
    assert store.found() == [("unused", bot, None, 1)]


def test_a_malformed_bot_is_a_difference(store):
    bot = store.knowledge.bot("Odd", Knowledge="none")
    assert store.found() == [("malformed", bot, None, 0)]


def test_bots_of_one_id_cannot_be_told_apart(store):
    twin = store.knowledge.items[0]
    store.knowledge.items.append(
        {**twin, "PK": {"S": user_id("eve")}, "SK": {"S": f"{user_id('eve')}#BOT#{store.harbour}"}}
    )
    store.knowledge.save()
    assert store.found() == [("twin", store.harbour, None, 2)] * 2
    _, stdout, _ = store.verify()
    assert f" and {store.rows()} rows of " in stdout


def test_a_file_in_another_bucket_is_told_as_such(store):
    store.forget_marks()
    store.execute("UPDATE items SET source = 's3://old-bucket/' || source WHERE botid = %s", store.lighthouse)
    assert store.found() == [("bucket", store.lighthouse, store.label("Lighthouse", "keeper.txt"), 1)]
    assert store.found("--bot", store.lighthouse, "--bucket", "old-bucket") == []


# --- loaded twice -------------------------------------------------------------------------

AGAIN = "INSERT INTO items SELECT left(md5(id || random()::text), 26), botid, content, source, embedding FROM items"


def test_a_bot_that_was_loaded_twice_is_found(store):
    rows = store.rows(store.tales)
    store.forget_marks()
    store.execute(f"{AGAIN} WHERE botid = %s", store.tales)
    assert store.found() == [("duplicate", store.tales, None, 2 * rows)]
    _, stdout, _ = store.verify()
    assert "every chunk of its 2 sources is there at least 2 times" in stdout


def test_a_source_that_was_loaded_twice_is_found(store):
    store.forget_marks()
    store.execute(f"{AGAIN} WHERE source LIKE '%%tales.txt'")
    rows = 2 * (store.rows(store.tales) // 2)
    assert store.found() == [("duplicate", store.tales, store.label("Tales", "tales.txt"), rows)]


def test_a_mark_tells_how_many_rows_there_should_be(store):
    store.execute(f"{AGAIN} WHERE source LIKE '%%short.txt'")
    short = store.label("Tales", "short.txt")
    assert store.found() == [("count", store.tales, short, 2), ("duplicate", store.tales, short, 2)]
    _, stdout, _ = store.verify()
    assert re.search(r"short\.txt: 2 rows, run \w+ loaded 1$", stdout, re.MULTILINE)


def test_rows_that_were_lost_are_found_by_the_mark(store):
    store.execute("DELETE FROM items WHERE id = (SELECT min(id) FROM items WHERE source LIKE '%%tales.txt')")
    rows = store.rows(store.tales) - 1
    assert store.found() == [("count", store.tales, store.label("Tales", "tales.txt"), rows)]


def test_a_text_that_its_source_repeats_is_a_remark(store):
    """The splitter cuts a page with the same notice twice into equal chunks."""
    store.execute(f"{AGAIN} WHERE id = (SELECT min(id) FROM items WHERE source LIKE '%%tales.txt')")
    store.forget_marks()
    assert store.found() == [("repeated", store.tales, store.label("Tales", "tales.txt"), 1)]
    status, stdout, _ = store.verify()
    assert status == 0
    assert stdout.endswith(": all is as it should be, 1 remark (see --all).\n")
    assert re.search(r"^repeated .* 1 row with a text that the source has already$", store.verify("--all").stdout, re.M)

    # Among differences it would only distract.
    store.execute("DELETE FROM items WHERE botid = %s", store.lighthouse)
    _, stdout, _ = store.verify()
    assert re.search(r"^missing ", stdout, re.MULTILINE)
    assert not re.search(r"^repeated ", stdout, re.MULTILINE)
    assert stdout.endswith(": 1 difference in 1 bot, 1 remark (see --all).\n")


def test_a_page_of_one_repeated_text_is_right_when_it_is_marked(vecferry, database, knowledge):
    loaded = FilledStore(vecferry, database, knowledge)
    bot = knowledge.bot("Bell", files={"bell.txt": "dong dong " * 100}, size=(10, 0))
    loaded.fill()
    rows = loaded.rows(bot)
    label = loaded.label("Bell", "bell.txt")
    assert rows > 10
    assert loaded.execute("SELECT count(DISTINCT content) FROM items WHERE botid = %s", bot) == [(1,)]
    assert loaded.found() == [("repeated", bot, label, rows - 1)]
    loaded.forget_marks()
    assert loaded.found() == [("duplicate", bot, label, rows)]


def test_two_containers_at_one_bot_leave_duplicates(store):
    """Both delete before either has inserted, and neither takes a lock."""
    store.forget_marks()
    store.execute("DELETE FROM items WHERE botid = %s", store.lighthouse)
    label = store.label("Lighthouse", "keeper.txt")
    made = list(guide_container.made_rows(store.lighthouse, 3, label, 1024, "chunk"))
    deleted = threading.Barrier(2)

    def tell(step):
        if step.startswith("deleted"):
            deleted.wait(30)

    containers = [
        threading.Thread(
            target=guide_container.replace_rows_once,
            args=(store.database.url, store.lighthouse, made, guide_container.Pauses(), tell),
        )
        for _ in range(2)
    ]
    for container in containers:
        container.start()
    for container in containers:
        container.join()
    assert ("duplicate", store.lighthouse, label, 6) in store.found("--bot", store.lighthouse)


# --- bad rows -----------------------------------------------------------------------------

ZEROS = "array_fill(0::real, ARRAY[1024])::vector"


@pytest.mark.parametrize(
    ("kind", "change"),
    {
        "null-text": "content = NULL",
        "null-vector": "embedding = NULL",
        "zero-vector": f"embedding = {ZEROS}",
        "length": "embedding = embedding + embedding",
    }.items(),
)
def test_bad_rows_are_found(store, kind, change):
    # The rest shows of which length vectors should be.
    assert store.rows() >= 11
    store.execute(f"UPDATE items SET {change} WHERE source LIKE '%%keeper.txt'")
    assert store.found() == [(kind, store.lighthouse, store.label("Lighthouse", "keeper.txt"), 1)]


def test_rows_without_a_bot_are_found(store):
    store.execute("UPDATE items SET botid = NULL WHERE source LIKE '%%keeper.txt'")
    assert store.found() == [
        ("missing", store.lighthouse, store.label("Lighthouse", "keeper.txt"), 0), ("null-bot", None, None, 1),
    ]  # fmt: skip
    _, stdout, _ = store.verify()
    assert re.search(r"^null-bot +1 +1 row without a bot$", stdout, re.MULTILINE)


def test_rows_without_a_source_are_found(store):
    store.forget_marks()
    store.execute("INSERT INTO items SELECT 'x', botid, 'other', NULL, embedding FROM items WHERE botid = %s", store.lighthouse)
    assert store.found() == [("null-source", store.lighthouse, None, 1)]


def test_any_length_is_right_where_the_model_makes_any(store):
    store.execute("UPDATE items SET embedding = embedding + embedding WHERE botid <> %s", store.tales)
    assert store.found() == []


def test_vectors_of_other_dimensions_are_found(vecferry, database, knowledge):
    database.execute("CREATE TABLE items (id text, botid text, content text, source text, embedding vector)")
    loaded = FilledStore(vecferry, database, knowledge).apply()
    assert loaded.found() == []
    database.execute("UPDATE items SET embedding = '[1,0,0]' WHERE source LIKE '%%keeper.txt'")
    label = loaded.label("Lighthouse", "keeper.txt")
    assert loaded.found() == [("dimensions", loaded.lighthouse, label, 1)]
    assert "1 vector not of 1024 dimensions" in loaded.verify().stdout


# --- marks --------------------------------------------------------------------------------


def test_a_bot_that_was_loaded_in_part_is_told(vecferry, database, knowledge):
    loaded = FilledStore(vecferry, database, knowledge, run={"allow-partial": "yes"})
    bot = knowledge.bot("Half", files={"here.txt": "Here.\n"}, missing=["gone.txt"])
    assert vecferry("store", "create", "--config", loaded.conf).status == 0
    assert vecferry("apply", "--yes", "--config", loaded.conf).status == 4
    assert loaded.found() == [
        ("incomplete", bot, None, 1), ("missing", bot, loaded.label("Half", "gone.txt"), 0),
    ]  # fmt: skip
    assert "gone.txt: no rows: the file is missing" in loaded.verify().stdout


def test_rows_that_a_missing_file_keeps_are_told_as_partial(vecferry, database, knowledge):
    loaded = FilledStore(vecferry, database, knowledge, run={"allow-partial": "yes"})
    bot = knowledge.bot("Half", files={"here.txt": "Here.\n", "gone.txt": "Soon gone.\n"})
    loaded.fill()
    next(knowledge.documents.glob("*/*/documents/gone.txt")).unlink()
    here = next(knowledge.documents.glob("*/*/documents/here.txt"))
    here.write_text("Here, and changed.\n")
    assert vecferry("apply", "--yes", "--config", loaded.conf).status == 4
    assert loaded.found() == [("incomplete", bot, None, 2), ("incomplete", bot, loaded.label("Half", "gone.txt"), 1)]
    assert "gone.txt: 1 row of an earlier load: the file is missing" in loaded.verify().stdout


def test_knowledge_that_was_edited_since_is_told(store):
    store.knowledge.items[1]["EmbeddingParams"]["M"]["chunk_size"] = {"N": "512"}
    store.knowledge.save()
    assert store.found() == [("edited", store.lighthouse, None, 1)]


def test_a_bot_of_another_space_is_told(store):
    store.execute("UPDATE vecferry.mark SET space = 'openai/other/1024' WHERE bot = %s", store.lighthouse)
    assert store.found() == [("space", store.lighthouse, None, 1)]


# --- what is looked at --------------------------------------------------------------------


def test_only_the_chosen_bots_are_looked_at(store):
    store.execute("DELETE FROM items WHERE botid = %s", store.harbour)
    store.execute("INSERT INTO items SELECT 'x', 'NOBODY', content, 'a', embedding FROM items LIMIT 1")
    assert store.found("--bot", store.tales) == []
    assert store.found("--user", user_id("ben")) == []
    assert store.found("--exclude", store.harbour) == [("orphan", "NOBODY", None, 1)]
    status, stdout, _ = store.verify("--bot", store.tales)
    assert status == 0
    assert stdout.startswith("Counted 1 bot, 2 sources and ")
    assert stdout.endswith("Only some of the bots were looked at.\n")


def test_without_a_catalogue_a_store_can_only_contradict_itself(store):
    url = store.database.url

    def found(*arguments):
        _, stdout, _ = store.vecferry("verify", "--new-store", url, "--json", *arguments)
        return [(f["kind"], f["bot"], f["rows"]) for f in json.loads(stdout)["findings"]]

    store.execute("UPDATE items SET content = NULL WHERE botid = %s", store.lighthouse)
    assert found() == [("null-text", store.lighthouse, 1)]
    assert found("--bot", store.harbour) == found("--exclude", store.lighthouse) == []
    assert found("--bot", "NOBODY") == [("missing", "NOBODY", 0)]
    status, stdout, _ = store.vecferry("verify", "--new-store", url)
    assert status == 3
    assert "missing knowledge and rows without a bot were not looked for" in stdout


def test_an_empty_store_lacks_everything(vecferry, database, knowledge):
    loaded = FilledStore(vecferry, database, knowledge)
    assert vecferry("store", "create", "--config", loaded.conf).status == 0
    assert {(kind, rows) for kind, _, _, rows in loaded.found()} == {("missing", 0)}
    status, stdout, _ = vecferry("verify", "--new-store", database.url)
    assert status == 0
    assert stdout.startswith("Counted 0 bots, 0 sources and 0 rows ")


MAPPING = {
    "table": "kb.Chunks", "id-column": "", "bot-column": "owner", "source-column": "where from",
    "text-column": "body", "vector-column": "v",
}  # fmt: skip


@pytest.mark.parametrize("type", ["vector(1024)", "halfvec(1024)", "halfvec"])
def test_any_table_can_be_verified(vecferry, database, knowledge, type):
    database.execute("CREATE SCHEMA kb")
    database.execute(
        f'CREATE TABLE kb."Chunks" (number serial PRIMARY KEY, owner text, "where from" text, body varchar, v {type})'
    )
    loaded = FilledStore(vecferry, database, knowledge, new_store=MAPPING).apply()
    assert loaded.found() == []
    database.execute("""UPDATE kb."Chunks" SET v = NULL WHERE body LIKE 'The keeper%'""")
    database.execute("""UPDATE kb."Chunks" SET v = array_fill(0::real, ARRAY[1024])::vector WHERE body LIKE 'The ferry%'""")
    found = [
        ("null-vector", loaded.lighthouse, loaded.label("Lighthouse", "keeper.txt"), 1),
        ("zero-vector", loaded.harbour, loaded.label("Harbour", "ferries.txt"), 1),
    ]
    assert loaded.found() == found
    options = [f"--{key}={value}" for key, value in MAPPING.items() if key != "id-column"]
    status, stdout, _ = vecferry("verify", "--new-store", database.url, "--json", *options)
    assert status == 3
    assert sorted(f["kind"] for f in json.loads(stdout)["findings"]) == ["null-vector", "zero-vector"]


def test_columns_that_only_a_writer_must_fill_do_not_matter(store):
    store.execute("ALTER TABLE items ADD tenant text NOT NULL DEFAULT 'x'")
    store.execute("ALTER TABLE items ALTER tenant DROP DEFAULT")
    assert store.found() == []


def test_hostile_names_cannot_command_the_terminal(store):
    store.execute("UPDATE items SET source = E'\\x1b]0;owned\\x07' WHERE source LIKE '%%keeper.txt'")
    _, stdout, _ = store.verify()
    assert "owned" in stdout
    assert "\x1b" not in stdout
    assert "\x07" not in stdout


def test_a_bot_that_is_loaded_meanwhile_is_not_half_seen(store):
    """Rows and marks are read in one snapshot."""
    waits = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'vecferry verify' AND wait_event_type = 'Lock'"
    with contextlib.closing(store.database.connect()) as loader:
        loader.autocommit = False
        cursor = loader.cursor()
        cursor.execute("LOCK vecferry.mark IN ACCESS EXCLUSIVE MODE")
        verify = store.vecferry.start("verify", "--config", store.conf)
        # It has counted the rows, and cannot read the marks yet.
        assert wait_until(lambda: store.execute(waits) == [(1,)], 20)
        cursor.execute(f"{AGAIN} WHERE botid = %s", [store.lighthouse])
        cursor.execute("UPDATE vecferry.mark SET rows = 2, outcome = '[]' WHERE bot = %s", [store.lighthouse])
        loader.commit()
    stdout, stderr = verify.communicate(timeout=60)
    assert (verify.returncode, stderr) == (0, ""), stdout


# --- what cannot be verified --------------------------------------------------------------


@pytest.fixture
def reader(store):
    """The URL of a role that may do nothing yet."""
    name = f"reader_{store.database.name}"
    store.execute(f"CREATE ROLE {name} LOGIN")
    yield name
    store.execute(f"DROP OWNED BY {name}")
    store.execute(f"DROP ROLE {name}")


def url_of(store, role):
    return store.database.url.replace("//postgres@", f"//{role}@")


def test_a_role_that_may_not_read_is_told_what_it_needs(store, reader):
    status, stdout, stderr = store.verify("--new-store", url_of(store, reader))
    assert (status, stdout) == (1, "")
    assert stderr == (
        f'vecferry: role "{reader}" may not read public.items in database "{store.database.name}" '
        f'at 127.0.0.1:{store.database.server.port}\nhint: GRANT SELECT ON public.items TO "{reader}"\n'
    )


def test_a_role_that_may_only_read_can_verify(store, reader):
    store.execute(f"GRANT SELECT ON items TO {reader}")
    status, stdout, stderr = store.verify("--new-store", url_of(store, reader))
    assert (status, stdout) == (1, "")
    assert "permission denied for schema vecferry" in stderr

    store.execute(f"GRANT USAGE ON SCHEMA vecferry TO {reader}")
    store.execute(f"GRANT SELECT ON vecferry.mark TO {reader}")
    assert store.found("--new-store", url_of(store, reader)) == []


@pytest.mark.parametrize(
    ("arguments", "status", "message", "hint"),
    [
        (["--level", "all"], 2, 'there is no level "all"', 'the level is "counts"'),
        (["--level", "rows"], 2, "--source is missing", "[copy] source in vecferry.conf"),
        (["extra"], 2, '"extra" is not expected here', None),
        (["--table", "nothing"], 3, 'has no table "nothing"', "--table"),
        (["--bot-column", "bot"], 3, 'has no column "bot"', '--bot-column; the nearest is "botid"'),
        (["--vector-column", "content"], 3, 'column "content" of public.items is of type text', None),
        (["--vector-column", "vec"], 3, 'has no column "vec"', "--vector-column"),
        (["--bot", "nobody"], 2, '"nobody"', None),
    ],
)
def test_what_cannot_be_verified_is_told(store, arguments, status, message, hint):
    result = store.verify(*arguments)
    assert (result.status, result.stdout) == (status, "")
    assert message in result.stderr.splitlines()[0]
    assert hint is None or hint in result.stderr.splitlines()[1]


def test_users_need_a_catalogue(store):
    status, _, stderr = store.vecferry("verify", "--new-store", store.database.url, "--user", "ana")
    assert status == 2
    assert stderr.startswith("vecferry: --user needs a catalogue: a store knows no users\n")


def test_a_database_without_pgvector_cannot_be_verified(vecferry, server):
    name = server.new_database(template="template1")
    status, _, stderr = vecferry("verify", "--new-store", server.url(name))
    assert status == 3
    assert 'has no extension "vector"' in stderr
    server.drop_database(name)
