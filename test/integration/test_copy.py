"""vecferry copy: what arrives, what is refused, what is said."""

import json
import random
import threading
import time

import pytest
from copying import EVERY_KIND, ROWS_OF_EVERY_KIND, contents, sequences

SMALL = "CREATE TABLE small (id int PRIMARY KEY, name text)"
SMALL_ROWS = "INSERT INTO small SELECT i, 'n' || i FROM generate_series(1, 1000) AS i"


def refused(result, status, *words):
    assert result.status == status, result.stderr
    said = [line for line in result.stderr.splitlines() if line.startswith("vecferry: ")]
    assert len(said) == 1, result.stderr
    for word in words:
        assert word in result.stderr, result.stderr


# --- what arrives -----------------------------------------------------------------------------


def test_tables_of_every_kind_arrive_as_they_were(copying):
    copying.prepare(EVERY_KIND, ROWS_OF_EVERY_KIND)
    copying.copy()
    copying.assert_equal()
    assert sequences(copying.target) == sequences(copying.source)


def test_one_row_is_as_good_as_many_and_one_connection_as_good_as_eight(copying):
    copying.prepare(SMALL, "INSERT INTO small VALUES (1, NULL)")
    copying.copy(connections=8, part_bytes=1)
    copying.assert_equal()


def test_small_rows_behind_a_large_one_do_not_wait_for_more(copying):
    copying.prepare(
        "CREATE TABLE uneven (id int, pad text)",
        "ALTER TABLE uneven ALTER pad SET STORAGE external; INSERT INTO uneven VALUES (0, repeat('x', 16000000));"
        "INSERT INTO uneven SELECT i, repeat('y', 1000) FROM generate_series(1, 12000) AS i",
    )
    copying.copy(part_bytes=10**12)
    copying.assert_equal()


def test_a_table_is_cut_by_what_its_vectors_weigh(copying):
    copying.prepare(
        "CREATE TABLE vectors (id int, v vector(1500))",
        "INSERT INTO vectors SELECT i, array_fill(i, array[1500])::vector FROM generate_series(1, 1000) AS i",
    )
    table = copying.copy(part_bytes=2_000_000)["tables"][0]
    assert 3 <= table["parts"] <= 6
    assert copying.marks() == table["parts"]
    copying.assert_equal()


def test_all_rows_are_of_one_instant_though_others_write(copying):
    copying.prepare(
        "CREATE TABLE a (id int PRIMARY KEY, n bigint, pad text); CREATE TABLE b (id int PRIMARY KEY, n bigint, pad text)",
        "INSERT INTO a SELECT i, 100, repeat('x', 500) FROM generate_series(1, 4000) AS i; INSERT INTO b SELECT * FROM a",
    )
    stop = threading.Event()

    def transfer():
        connection = copying.source.connect()
        cursor = connection.cursor()
        while not stop.is_set():
            giver, taker = (random.randint(1, 4000) for _ in range(2))
            cursor.execute(
                "WITH taken AS (UPDATE a SET n = n - 1 WHERE id = %s) UPDATE b SET n = n + 1 WHERE id = %s",
                (giver, taker),
            )
        connection.close()

    writer = threading.Thread(target=transfer)
    writer.start()
    try:
        copying.copy(part_bytes=100_000)
    finally:
        stop.set()
        writer.join()
    rows = "SELECT (SELECT count(*) FROM a) + (SELECT count(*) FROM b)"
    whole = "SELECT (SELECT sum(n) FROM a) + (SELECT sum(n) FROM b)"
    assert copying.source.execute(whole)[0][0] == 800_000
    assert copying.target.execute(rows)[0][0] == 8000
    assert contents(copying.target) != contents(copying.source)
    assert copying.target.execute(whole)[0][0] == 800_000


def test_triggers_and_foreign_keys_of_the_target_stay_silent(copying):
    copying.prepare(SMALL, SMALL_ROWS)
    copying.target.execute(
        "CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.name = 0; RETURN NEW; END';"
        "CREATE TRIGGER spoil BEFORE INSERT ON small FOR EACH ROW EXECUTE FUNCTION spoil()"
    )
    copying.copy()
    copying.assert_equal()


def test_a_trigger_that_cannot_be_silenced_is_refused(copying):
    copying.prepare(SMALL, SMALL_ROWS)
    copying.target.execute(
        "CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.name = 0; RETURN NEW; END';"
        "CREATE TRIGGER spoil BEFORE INSERT ON small FOR EACH ROW EXECUTE FUNCTION spoil();"
        "ALTER TABLE small ENABLE ALWAYS TRIGGER spoil"
    )
    refused(copying.run(), 1, "the trigger spoil")
    assert copying.target.execute("SELECT count(*) FROM small") == [(0,)]


def test_loaded_tables_are_vacuumed_and_analysed(copying):
    copying.prepare(SMALL, SMALL_ROWS)
    copying.copy()
    assert copying.target.execute("SELECT reltuples, relallvisible > 0 FROM pg_class WHERE relname = 'small'") == [(1000, True)]


def test_the_source_is_only_read(copying):
    copying.prepare(SMALL, SMALL_ROWS)
    copying.source.execute(f"ALTER DATABASE {copying.source.name} SET default_transaction_read_only = on")
    copying.copy()
    copying.assert_equal()
    assert copying.source.execute("SELECT to_regnamespace('vecferry')") == [(None,)]


def test_roles_without_special_rights_are_enough(copying):
    copying.prepare(SMALL, SMALL_ROWS)
    for database in (copying.source, copying.target):
        role = f"plain_{database.name}"
        database.execute(f"CREATE ROLE {role} LOGIN; GRANT CREATE ON DATABASE {database.name} TO {role}")
    source, target = f"plain_{copying.source.name}", f"plain_{copying.target.name}"
    copying.source.execute(f"GRANT SELECT ON small TO {source}")
    copying.target.execute(f"ALTER TABLE small OWNER TO {target}")
    result = copying.program(
        "copy", "--source", copying.source.url.replace("postgres@", f"{source}@"),
        "--target", copying.target.url.replace("postgres@", f"{target}@"),
    )  # fmt: skip
    assert result.status == 0, result.stderr
    copying.assert_equal()
    copying.source.execute(f"DROP OWNED BY {source}; DROP ROLE {source}")
    copying.target.execute(f"DROP OWNED BY {target}; DROP ROLE {target}")


# --- which tables -----------------------------------------------------------------------------


def names(answer):
    return [table["table"] for table in answer["tables"]]


@pytest.fixture
def selection(copying):
    copying.prepare(
        "CREATE SCHEMA a; CREATE SCHEMA b; CREATE TABLE a.one (x serial); CREATE TABLE a.two (x int);"
        'CREATE TABLE b.one (x serial); CREATE TABLE b."Two.Three" (x int);'
        "CREATE TABLE a.whole (x int) PARTITION BY LIST (x); CREATE TABLE b.leaf PARTITION OF a.whole DEFAULT"
    )
    return copying


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], ["a.one", "a.two", 'b."Two.Three"', "b.leaf", "b.one"]),
        (["--table", "one"], ["a.one", "b.one"]),
        (["--table", "A.ONE"], ["a.one"]),
        (["--table", "?.o*"], ["a.one", "b.one"]),
        (["--table", 'b."Two.Three"'], ['b."Two.Three"']),
        (["--table", "a.(one|two)"], ["a.one", "a.two"]),
        (["--schema", "a"], ["a.one", "a.two"]),
        (["--schema", "a", "--table", "b.one"], ["a.one", "a.two", "b.one"]),
        (["--exclude", "one"], ["a.two", 'b."Two.Three"', "b.leaf"]),
        (["--table", "whole"], ["b.leaf"]),
        (["--exclude", "a.*"], ['b."Two.Three"', "b.one"]),
    ],
)
def test_patterns_choose(selection, options, expected):
    assert names(selection.copy(*options)) == expected


def test_only_sequences_of_chosen_tables_are_set(selection):
    selection.source.execute("INSERT INTO a.one DEFAULT VALUES; INSERT INTO b.one DEFAULT VALUES")
    selection.copy("--table", "a.one")
    assert sequences(selection.target) == {"a.one_x_seq": (1, True), "b.one_x_seq": (1, False)}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--table", "tow"], 'no table matches "tow"'),
        (["--schema", "c"], 'no schema matches "c"'),
        (["--exclude", "onee"], 'no table matches "onee"'),
        (["--table", "x.a.one"], "more than one dot"),
        (["--table", '"one'], "a quote that is not closed"),
        (["--table", "a("], "parenthes"),
        (["--replace", "--append"], "contradict"),
    ],
)
def test_a_slip_of_the_pen_copies_nothing(selection, options, words):
    result = selection.run(*options)
    refused(result, 1 if words == "parenthes" else 2, words)


# --- rows that are there ----------------------------------------------------------------------


def test_foreign_rows_stop_the_copy(copying):
    copying.prepare(SMALL, SMALL_ROWS)
    copying.target.execute("INSERT INTO small VALUES (5000, 'foreign')")
    refused(copying.run(), 3, 'public.small holds 1 row that this copy did not write', "--replace", "--append")
    assert copying.target.execute("SELECT * FROM small") == [(5000, "foreign")]


def test_append_leaves_foreign_rows_and_moves_no_sequence_back(copying):
    copying.prepare("CREATE TABLE small (id serial, name text)")
    copying.source.execute("INSERT INTO small (name) SELECT 'n' FROM generate_series(1, 10)")
    copying.target.execute("INSERT INTO small VALUES (5000, 'foreign'); SELECT setval('small_id_seq', 7000)")
    copying.copy("--append")
    assert copying.target.execute("SELECT count(*), max(id), nextval('small_id_seq') FROM small") == [(11, 5000, 7001)]


def test_replace_empties_only_tables_with_foreign_rows(copying):
    copying.prepare(
        f"{SMALL}; CREATE TABLE child (small int REFERENCES small); CREATE TABLE other (a int)",
        f"{SMALL_ROWS}; INSERT INTO child VALUES (7); INSERT INTO other VALUES (1)",
    )
    copying.copy()
    copying.target.execute("INSERT INTO small VALUES (5000, 'foreign')")
    answer = copying.copy("--replace")
    assert {table["table"]: table["reused_rows"] for table in answer["tables"]} == {
        "public.child": 1, "public.other": 1, "public.small": 0,
    }  # fmt: skip
    copying.assert_equal()


@pytest.mark.parametrize(
    "change", ["DELETE FROM small WHERE id = 7", "UPDATE small SET name = 'changed' WHERE id = 7", "TRUNCATE small"]
)
def test_rows_of_ours_that_somebody_changed_are_told_not_touched(copying, change):
    copying.prepare(SMALL, SMALL_ROWS)
    copying.run(env={"VECFERRY_FAULT": "after-parts"})
    copying.target.execute(change)
    before = contents(copying.target)
    refused(copying.run(), 3, "changed or deleted in the target", "--replace")
    refused(copying.run("--append"), 3, "changed or deleted in the target")
    assert contents(copying.target) == before
    copying.copy("--replace")
    copying.assert_equal()


def test_a_finished_copy_says_so_and_does_nothing(copying):
    copying.prepare(SMALL, SMALL_ROWS)
    copying.copy()
    copying.source.execute("DELETE FROM small")
    result = copying.run()
    assert result.status == 0
    assert "was finished at" in result.stdout
    assert copying.target.execute("SELECT count(*) FROM small") == [(1000,)]
    copying.copy("--replace")
    copying.assert_equal()


def test_two_copies_at_once_exclude_each_other(copying):
    copying.prepare(SMALL, SMALL_ROWS)
    holder = copying.target.connect()
    holder.cursor().execute("SELECT pg_advisory_lock(hashtext('vecferry copy'))")
    refused(copying.run(), 1, "another vecferry is copying into the target database")
    holder.close()
    copying.copy()


# --- bad input --------------------------------------------------------------------------------


def test_no_addresses(vecferry):
    refused(vecferry("copy"), 2, "--source is missing")
    refused(vecferry("copy", "--source", "postgresql://localhost/x"), 2, "--target is missing")


@pytest.mark.parametrize("end", ["source", "target"])
def test_a_settings_file_with_a_password_is_private(vecferry, end):
    conf = vecferry.home / "vecferry.conf"
    conf.write_text(f"[copy]\n{end}=postgresql://me:secret@127.0.0.1:1/x\n")
    conf.chmod(0o644)
    result = vecferry("copy")
    refused(result, 2, "holds a password, and others may read it")
    assert "secret" not in result.stderr


def test_the_same_database_at_both_ends(copying):
    copying.prepare(SMALL)
    refused(copying.program("copy", "--source", copying.target.url, "--target", copying.target.url), 2, "the same database")


@pytest.mark.parametrize("end", ["--source", "--target"])
def test_nobody_there(copying, end):
    copying.prepare(SMALL, SMALL_ROWS)
    began = time.monotonic()
    result = copying.run(end, "postgresql://postgres@127.0.0.1:1/nowhere")
    refused(result, 1, "could not connect", "127.0.0.1")
    assert time.monotonic() - began < 20


@pytest.mark.parametrize("end", ["source", "target"])
def test_wrong_password(vecferry, database, end):
    from postgres import Postgres

    with Postgres(password="right") as server:
        url = server.url().replace("right", "wrong")
        ends = {"source": database.url, "target": database.url, end: url}
        result = vecferry("copy", "--source", ends["source"], "--target", ends["target"])
    refused(result, 1, "password authentication failed")
    assert "wrong" not in result.stderr


def test_a_table_that_the_target_lacks(copying):
    copying.source.execute(SMALL)
    refused(copying.run(), 3, "the target has no table public.small")


@pytest.mark.parametrize(
    ("definition", "words"),
    [
        ("CREATE TABLE small (id int PRIMARY KEY)", "has no column name"),
        ("CREATE TABLE small (id int PRIMARY KEY, name bytea)", "of type text in the source, and of type bytea"),
        ("CREATE TABLE small (id int PRIMARY KEY, name text GENERATED ALWAYS AS ('x') STORED)", "is generated in the target"),
    ],
)
def test_columns_that_do_not_fit(copying, definition, words):
    copying.source.execute(SMALL)
    copying.target.execute(definition)
    refused(copying.run(), 3, words)


def test_a_column_that_only_the_source_generates(copying):
    copying.source.execute("CREATE TABLE n (a int, b int GENERATED ALWAYS AS (a * 2) STORED); INSERT INTO n VALUES (1)")
    copying.target.execute("CREATE TABLE n (a int, b int)")
    refused(copying.run(), 3, "column b of public.n is generated in the source")


def test_narrower_limits_would_change_values(copying):
    copying.source.execute("CREATE TABLE n (a numeric(10,4), v vector(3)); INSERT INTO n VALUES (1.2345, '[1,2,3]')")
    copying.target.execute("CREATE TABLE n (a numeric(10,2), v vector(3))")
    refused(copying.run(), 3, "numeric(10,4)", "numeric(10,2)")
    copying.target.execute("DROP TABLE n; CREATE TABLE n (a numeric, v vector)")
    copying.copy()
    copying.assert_equal()


def test_a_read_only_target(copying):
    copying.prepare(SMALL, SMALL_ROWS)
    copying.target.execute(f"ALTER DATABASE {copying.target.name} SET default_transaction_read_only = on")
    refused(copying.run(), 1, "read-only")


@pytest.mark.parametrize(
    ("end", "grant", "words"),
    [
        ("source", None, "could not lock public.small"),
        ("target", "CREATE ON DATABASE {database}", "may not read and insert into public.small"),
        ("target", "SELECT, INSERT ON small", "could not make the schema"),
    ],
)
def test_a_privilege_that_is_missing(copying, end, grant, words):
    copying.prepare(SMALL, SMALL_ROWS)
    database = {"source": copying.source, "target": copying.target}[end]
    role = f"poor_{database.name}"
    database.execute(f"CREATE ROLE {role} LOGIN")
    if grant:
        database.execute(f"GRANT {grant.format(database=database.name)} TO {role}")
    result = copying.run(f"--{end}", database.url.replace("postgres@", f"{role}@"))
    refused(result, 1, words)
    assert copying.target.execute("SELECT count(*) FROM small") == [(0,)]
    database.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


def test_row_security_does_not_hide_rows(copying):
    copying.prepare(SMALL, SMALL_ROWS)
    role = f"blind_{copying.source.name}"
    copying.source.execute(
        f"CREATE ROLE {role} LOGIN; GRANT SELECT ON small TO {role}; ALTER TABLE small ENABLE ROW LEVEL SECURITY;"
        f"CREATE POLICY few ON small USING (id < 10)"
    )
    result = copying.run("--source", copying.source.url.replace("postgres@", f"{role}@"))
    refused(result, 1, "row-level security")
    assert copying.target.execute("SELECT count(*) FROM small") == [(0,)]
    copying.source.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


def test_a_row_that_the_target_refuses_ends_the_copy_with_its_reason(copying):
    copying.prepare(SMALL, SMALL_ROWS)
    copying.target.execute("ALTER TABLE small ADD CHECK (id <> 777)")
    refused(copying.run(), 1, "could not copy public.small", "violates check constraint")
    assert copying.target.execute("SELECT count(*) FROM small") == [(0,)]


def test_a_refusal_is_heard_at_once_not_at_the_end_of_a_large_part(copying):
    copying.prepare(
        "CREATE TABLE wide (id int PRIMARY KEY, pad text)",
        "ALTER TABLE wide ALTER pad SET STORAGE external;"
        "INSERT INTO wide SELECT i, repeat('x', 20000) FROM generate_series(1, 8000) AS i",
    )
    copying.target.execute("ALTER TABLE wide ADD CHECK (id <> 1)")
    read = "SELECT toast_blks_read + toast_blks_hit FROM pg_statio_user_tables"
    before = copying.source.execute(read)[0][0]
    refused(copying.run(part_bytes=10**12), 1, "violates check constraint")
    blocks = copying.source.execute("SELECT pg_table_size('wide') / 8192")[0][0]
    time.sleep(1)
    assert copying.source.execute(read)[0][0] - before < blocks / 2


# --- what is said -----------------------------------------------------------------------------


def test_json_tells_rows_bytes_seconds_parts(copying):
    copying.prepare(SMALL, SMALL_ROWS)
    result = copying.run("--json")
    answer = json.loads(result.stdout)
    table = answer["tables"][0]
    assert (table["table"], table["rows"]) == ("public.small", 1000)
    assert table["bytes"] > 10_000
    assert table["parts"] >= 1
    assert table["seconds"] >= 0
    assert answer["indexes"] == []
    assert answer["seconds"] > 0


def test_people_get_a_table(copying):
    copying.prepare(SMALL, SMALL_ROWS)
    result = copying.run()
    assert "public.small  1,000" in result.stdout
    assert "1,000 rows of 1 table" in result.stdout
