"""verify --level rows: two databases are equal, or every row that differs is named."""

import contextlib
import json
import signal
import subprocess

import pytest
from copying import EVERY_KIND, ROWS_OF_EVERY_KIND
from postgres import wait_until
from program import program_path

SMALL = "CREATE TABLE small (id int PRIMARY KEY, name text, v vector(3))"
SMALL_ROWS = "INSERT INTO small SELECT i, 'n' || i, array[i, 0.5, -i]::vector FROM generate_series(1, 1000) AS i"


class Verifying:
    """`vecferry verify` between two databases."""

    def __init__(self, program, source, target):
        self.program = program
        self.source = source
        self.target = target

    def prepare(self, definitions, rows=None):
        """The same tables and rows at both ends."""
        for database in (self.source, self.target):
            database.execute(definitions)
            if rows:
                database.execute(rows)

    def run(self, *more, source=None, target=None, env=None):
        return self.program(
            "verify", "--source", source or self.source.url, "--target", target or self.target.url,
            "--connections", "2", "--part-bytes", "200000", *more, env=env,
        )  # fmt: skip

    def tables(self, status, *more, **options):
        """What --json says of each table, by name."""
        result = self.run("--json", *more, **options)
        assert result.status == status, result.stdout + result.stderr
        said = json.loads(result.stdout)
        assert said["equal"] is (status == 0)
        return {table["table"]: table for table in said["tables"]}

    def only_table(self, status, *more, **options):
        tables = self.tables(status, *more, **options)
        assert len(tables) == 1
        return next(iter(tables.values()))

    def assert_equal(self, *more, **options):
        tables = self.tables(0, *more, **options)
        assert all(table["equal"] is True and table["rows_old"] == table["rows_new"] for table in tables.values())
        return tables


@pytest.fixture
def verifying(vecferry, database, other_database):
    return Verifying(vecferry, database, other_database)


def differences(table):
    """Sorted (key's values, kind, columns) of a table's named rows."""
    return sorted(
        (tuple((difference["key"] or {}).values()), difference["kind"], difference["columns"])
        for difference in table["differences"]
    )


# --- equal --------------------------------------------------------------------------------------


def test_tables_of_every_kind_are_equal_to_themselves(verifying):
    verifying.prepare(EVERY_KIND)
    verifying.source.execute(ROWS_OF_EVERY_KIND)
    # The rows are random: they go by COPY, as psql would take them.
    verifying.program("copy", "--data-only", "--source", verifying.source.url, "--target", verifying.target.url)
    tables = verifying.assert_equal()
    assert len(tables) > 20
    assert tables["public.items"]["rows_old"] == 700
    assert tables["public.no_columns"]["rows_old"] == 5
    assert tables["public.empty"]["rows_old"] == 0


def test_people_read_one_line(verifying):
    verifying.prepare(SMALL, SMALL_ROWS)
    result = verifying.run()
    assert (result.status, result.stderr) == (0, "")
    assert result.stdout.startswith("Compared the rows of 1 table (1,000 rows) in database")
    assert result.stdout.endswith(": all are equal.\n")


def test_counts_alone_do_not_see_what_is_in_a_row(verifying):
    verifying.prepare(SMALL, SMALL_ROWS)
    verifying.target.execute("UPDATE small SET name = 'x' WHERE id = 7")
    verifying.assert_equal("--level", "counts")
    verifying.target.execute("DELETE FROM small WHERE id = 7")
    table = verifying.only_table(3, "--level", "counts")
    assert (table["rows_old"], table["rows_new"], table["differences"]) == (1000, 999, [])


SETTINGS = """
ALTER DATABASE {name} SET extra_float_digits = -15;
ALTER DATABASE {name} SET TimeZone = 'Asia/Kathmandu';
ALTER DATABASE {name} SET DateStyle = 'SQL, DMY';
ALTER DATABASE {name} SET IntervalStyle = 'sql_standard';
ALTER DATABASE {name} SET bytea_output = 'escape';
ALTER DATABASE {name} SET client_encoding = 'LATIN1';
ALTER DATABASE {name} SET search_path = public, pg_catalog;
"""

OF_SETTINGS = """
CREATE TYPE berth AS (depth float8, since timestamptz, bytes bytea, pause interval);
CREATE TABLE settings (id float8 PRIMARY KEY, at timestamptz, day date, pause interval, bytes bytea, berth berth,
    berths berth[], real float4, list float8[], class regclass)
"""

ROWS_OF_SETTINGS = """
INSERT INTO settings SELECT i / 7.0, timestamptz '2024-03-01 12:00+00' + i * interval '1 day 0.000001 s', date '2024-01-01' + i,
    i * interval '1 mon 2 days 00:00:01', decode(md5(i::text), 'hex'), ROW(i / 3.0, timestamptz '2024-01-01+00', '\\x00ff', '1 day')::berth,
    ARRAY[ROW(i / 3.0, NULL, NULL, NULL), NULL]::berth[], i / 3.0, ARRAY[i / 3.0, 'NaN', '-0'], 'settings'
FROM generate_series(1, 200) AS i
"""


def test_settings_of_the_databases_do_not_matter(verifying):
    verifying.prepare(OF_SETTINGS, ROWS_OF_SETTINGS)
    verifying.target.execute(SETTINGS.format(name=verifying.target.name))
    verifying.assert_equal()


def test_encodings_of_the_databases_do_not_matter(verifying, server, other_server):
    names = [server.new_database(), f"latin_{verifying.target.name}"]
    other_server.execute(f"CREATE DATABASE {names[1]} TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'")
    other_server.execute("CREATE EXTENSION vector", database=names[1])
    try:
        for server_of, name in zip((server, other_server), names):
            server_of.execute(
                "CREATE TYPE mood AS ENUM ('ruhig', 'stürmisch');"
                'CREATE TABLE "größe" ("schlüssel" text PRIMARY KEY, "maß" text, mood mood, data jsonb, moods mood[]);'
                "INSERT INTO \"größe\" SELECT 'é' || i, 'ß', 'stürmisch', '{\"ü\": \"ö\"}', '{stürmisch}' "
                "FROM generate_series(1, 100) AS i",
                database=name,
            )
        urls = {"source": server.url(names[0]), "target": other_server.url(names[1])}
        table = next(iter(verifying.assert_equal(**urls).values()))
        assert (table["table"], table["rows_new"]) == ('public."größe"', 100)
        other_server.execute("UPDATE \"größe\" SET \"maß\" = 'ss' WHERE \"schlüssel\" = 'é7'", database=names[1])
        table = verifying.only_table(3, **urls)
        assert differences(table) == [(("é7",), "changed", ["maß"])]
    finally:
        server.drop_database(names[0])
        other_server.drop_database(names[1])


def test_columns_may_stand_in_another_order(verifying):
    verifying.prepare(SMALL, SMALL_ROWS)
    verifying.target.execute(
        "CREATE TABLE turned (v vector(3), gone int, name text, id int PRIMARY KEY); ALTER TABLE turned DROP gone;"
        "INSERT INTO turned SELECT v, name, id FROM small; DROP TABLE small; ALTER TABLE turned RENAME TO small"
    )
    verifying.assert_equal()


def test_an_extension_may_live_in_another_schema(verifying):
    verifying.prepare(SMALL, SMALL_ROWS)
    verifying.target.execute("CREATE SCHEMA extensions; ALTER EXTENSION vector SET SCHEMA extensions")
    verifying.assert_equal()


PARTITIONED = """
CREATE TABLE days (day date, n int, v vector(2), PRIMARY KEY (day, n)) PARTITION BY RANGE (day);
CREATE TABLE days_old PARTITION OF days FOR VALUES FROM ('2020-01-01') TO ('2024-01-01');
CREATE TABLE days_new PARTITION OF days FOR VALUES FROM ('2024-01-01') TO ('2030-01-01')
"""
DAYS = "INSERT INTO days SELECT date '2023-01-01' + i, i, array[i, 1]::vector FROM generate_series(1, 800) AS i"


def test_a_partitioned_table_equals_a_plain_one(verifying):
    verifying.source.execute(PARTITIONED)
    verifying.target.execute("CREATE TABLE days (day date, n int, v vector(2), PRIMARY KEY (day, n))")
    for database in (verifying.source, verifying.target):
        database.execute(DAYS)
    tables = verifying.assert_equal()
    assert {name: table["rows_new"] for name, table in tables.items()} == {"public.days": 800}
    verifying.source.execute("DELETE FROM days WHERE n = 700")
    assert differences(verifying.only_table(3)) == [(("2024-12-01", "700"), "extra", [])]


def test_equal_partitions_are_compared_one_by_one(verifying):
    verifying.prepare(PARTITIONED, DAYS)
    verifying.target.execute("UPDATE days SET v = '[0,0]' WHERE n = 700")
    tables = verifying.tables(3)
    assert {name: table["equal"] for name, table in tables.items()} == {"public.days_new": False, "public.days_old": True}
    assert differences(tables["public.days_new"]) == [(("2024-12-01", "700"), "changed", ["v"])]


def test_an_heir_is_not_its_ancestor(verifying):
    verifying.prepare("CREATE TABLE ancestor (a int); CREATE TABLE heir (b int) INHERITS (ancestor)")
    verifying.source.execute("INSERT INTO ancestor VALUES (1)")
    verifying.target.execute("INSERT INTO heir VALUES (1)")
    for level in ("rows", "counts"):
        tables = verifying.tables(3, "--level", level)
        assert [tables["public." + name]["rows_new"] for name in ("ancestor", "heir")] == [0, 1]


# --- rows that differ -----------------------------------------------------------------------------

ONE_VALUE = [
    ("real", "1.0", "1.0000001", "one bit of a float"),
    ("float8", "0", "'-0'", "the sign of zero"),
    ("vector(3)", "'[1,2,3]'", "'[1,2,3.0000002]'", "one bit of a vector"),
    ("vector(2)", "'[0,1]'", "'[-0,1]'", "the sign of a vector's zero"),
    ("halfvec(2)", "'[1,1]'", "'[1,1.001]'", "one bit of a half vector"),
    ("sparsevec(5)", "'{1:1}/5'", "'{1:1.0000001}/5'", "one bit of a sparse vector"),
    ("sparsevec(5)", "'{1:1}/5'", "'{2:1}/5'", "where a value stands"),
    ("bit(4)", "'1010'", "'1011'", "one bit"),
    ("bpchar", "'a'", "'a  '", "trailing blanks"),
    ("text", "''", "NULL", "an empty text and none"),
    ("text", "'é'", "U&'e\\0301'", "the form of a letter"),
    ("bytea", "'\\x'", "NULL", "empty bytes and none"),
    ("numeric", "1.0", "1.00", "how exactly a number is meant"),
    ("text[]", "'{}'", "'{NULL}'", "an empty list and one of NULL"),
    ("jsonb", "'null'", "NULL", "null and NULL"),
    ("json", "'{}'", "'{ }'", "how json is written"),
    ("timestamptz", "'2024-01-01 00:00:00.000001+00'", "'2024-01-01+00'", "a microsecond"),
    ("vector(2)[]", "'{\"[1,0]\"}'", "'{\"[1,-0]\"}'", "a vector within a list"),
    ("interval", "'1 day'", "'24 hours'", "what is equal in time only"),
]


@pytest.mark.parametrize(("of_type", "left", "right", "what"), ONE_VALUE, ids=[case[3] for case in ONE_VALUE])
def test_one_value_that_differs_is_found(verifying, of_type, left, right, what):
    verifying.prepare(
        f"CREATE TABLE one (id int PRIMARY KEY, before text, value {of_type}, after text)",
        f"INSERT INTO one SELECT i, 'b', {left}, NULL FROM generate_series(1, 50) AS i",
    )
    verifying.assert_equal()
    verifying.target.execute(f"UPDATE one SET value = {right} WHERE id = 33")
    table = verifying.only_table(3)
    assert differences(table) == [(("33",), "changed", ["value"])]
    assert (table["rows_old"], table["rows_new"], table["more"]) == (50, 50, False)


def test_a_value_does_not_run_into_the_next(verifying):
    verifying.prepare("CREATE TABLE texts (a text, b text)")
    verifying.source.execute("INSERT INTO texts VALUES ('ab', 'c')")
    verifying.target.execute("INSERT INTO texts VALUES ('a', 'bc')")
    assert sorted(difference["kind"] for difference in verifying.only_table(3)["differences"]) == ["extra", "missing"]


def test_missing_extra_and_changed_rows_are_named(verifying):
    verifying.prepare(SMALL, SMALL_ROWS)
    verifying.target.execute(
        "DELETE FROM small WHERE id IN (3, 500); INSERT INTO small VALUES (2000, 'new', NULL);"
        "UPDATE small SET name = 'x', v = NULL WHERE id = 17; UPDATE small SET v = NULL WHERE id = 18"
    )
    table = verifying.only_table(3)
    assert differences(table) == [
        (("17",), "changed", ["name", "v"]),
        (("18",), "changed", ["v"]),
        (("2000",), "extra", []),
        (("3",), "missing", []),
        (("500",), "missing", []),
    ]
    result = verifying.run()
    assert "changed: id = 17: name, v" in result.stdout
    assert "missing: id = 500" in result.stdout
    assert "1 differs." in result.stdout


def test_a_swapped_pair_of_vectors_is_found(verifying):
    verifying.prepare(SMALL, SMALL_ROWS)
    verifying.target.execute("UPDATE small SET v = array[507 - id, 0.5, id - 507]::vector WHERE id IN (7, 500)")
    assert differences(verifying.only_table(3)) == [(("500",), "changed", ["v"]), (("7",), "changed", ["v"])]


def test_rows_without_a_key_are_counted(verifying):
    verifying.prepare("CREATE TABLE keyless (a int, b text)", "INSERT INTO keyless SELECT i % 10, NULL FROM generate_series(1, 100) AS i")
    verifying.assert_equal()
    verifying.target.execute("INSERT INTO keyless VALUES (3, NULL), (3, NULL)")
    table = verifying.only_table(3)
    assert table["differences"] == [
        {"key": None, "kind": "extra", "columns": [], "rows": 2, "row": {"a": "3", "b": None}}
    ]
    assert "extra: a row like a = 3, b = NULL (2 rows)" in verifying.run().stdout


def test_a_row_twice_in_place_of_another_is_found(verifying):
    verifying.prepare("CREATE TABLE keyless (a int, b text)", "INSERT INTO keyless VALUES (1, 'x'), (2, 'y'), (3, 'z')")
    verifying.target.execute("UPDATE keyless SET a = 1, b = 'x' WHERE a = 2")
    found = verifying.only_table(3)["differences"]
    assert sorted((d["kind"], d["rows"], d["row"]["a"]) for d in found) == [("extra", 1, "1"), ("missing", 1, "2")]


def test_a_key_of_several_columns_and_odd_names(verifying):
    verifying.prepare(
        'CREATE SCHEMA "Straße ""1"" {}"; CREATE TABLE "Straße ""1"" {}"."Öl.{key}" '
        '("select" int, "a ""b"" {c}" text, t timestamptz, "$1" vector(2), PRIMARY KEY ("select", "a ""b"" {c}", t))',
        'INSERT INTO "Straße ""1"" {}"."Öl.{key}" SELECT i % 3, \'日\' || i, timestamptz \'2024-01-01+00\' + i * interval \'1 h\', \'[1,2]\' '
        "FROM generate_series(1, 300) AS i",
    )
    verifying.assert_equal()
    verifying.target.execute('UPDATE "Straße ""1"" {}"."Öl.{key}" SET "$1" = NULL WHERE "a ""b"" {c}" = \'日8\'')
    table = verifying.only_table(3)
    assert table["table"] == '"Straße ""1"" {}"."Öl.{key}"'
    assert table["differences"][0]["key"] == {"select": "2", 'a "b" {c}': "日8", "t": "2024-01-01 08:00:00+00"}
    assert table["differences"][0]["columns"] == ["$1"]


def test_a_key_that_only_one_side_has_is_enough(verifying):
    verifying.prepare(SMALL, SMALL_ROWS)
    verifying.target.execute("ALTER TABLE small DROP CONSTRAINT small_pkey; INSERT INTO small SELECT * FROM small WHERE id = 9")
    assert differences(verifying.only_table(3)) == [(("9",), "extra", [])]
    turned = {"source": verifying.target.url, "target": verifying.source.url}
    assert differences(verifying.only_table(3, **turned)) == [(("9",), "missing", [])]


def test_no_more_are_named_than_asked_for(verifying):
    verifying.prepare(SMALL, SMALL_ROWS)
    verifying.target.execute("UPDATE small SET name = 'x'")
    table = verifying.only_table(3)
    assert (len(table["differences"]), table["more"]) == (20, True)
    table = verifying.only_table(3, "--max-differences", "3")
    assert (len(table["differences"]), table["more"]) == (3, True)
    table = verifying.only_table(3, "--max-differences", "1000")
    assert (len(table["differences"]), table["more"]) == (1000, False)
    assert verifying.only_table(3, "--max-differences", "0")["differences"] == []


def test_generated_columns_are_compared(verifying):
    for database, formula in ((verifying.source, "a + 1"), (verifying.target, "a + (a / 3)")):
        database.execute(
            f"CREATE TABLE made (a int PRIMARY KEY, b int GENERATED ALWAYS AS ({formula}) STORED); INSERT INTO made VALUES (3), (4), (9)"
        )
    assert differences(verifying.only_table(3)) == [(("9",), "changed", ["b"])]


def test_one_row_of_a_hundred_thousand(verifying):
    verifying.prepare(
        "CREATE TABLE many (id int PRIMARY KEY, name text)", "INSERT INTO many SELECT i, md5(i::text) FROM generate_series(1, 100000) AS i"
    )
    verifying.assert_equal("--part-bytes", "1000000")
    verifying.target.execute("DELETE FROM many WHERE id = 77777")
    table = verifying.only_table(3, "--part-bytes", "1000000")
    assert differences(table) == [(("77777",), "missing", [])]
    assert (table["rows_old"], table["rows_new"]) == (100000, 99999)


# --- tables that differ -----------------------------------------------------------------------------


def test_tables_of_one_side_are_named(verifying):
    verifying.prepare(SMALL, SMALL_ROWS)
    verifying.source.execute("CREATE TABLE old (a int)")
    verifying.target.execute("CREATE TABLE new (a int)")
    tables = verifying.tables(3)
    assert {name: [shape["kind"] for shape in table["shape"]] for name, table in tables.items()} == {
        "public.old": ["table-missing"], "public.new": ["table-extra"], "public.small": [],
    }  # fmt: skip
    verifying.assert_equal("--table", "small")
    verifying.assert_equal("--exclude", "old", "--exclude", "new")
    assert list(verifying.tables(3, "--table", "old")) == ["public.old"]
    result = verifying.run("--table", "neither")
    assert result.status == 2
    assert 'no table matches "neither"' in result.stderr


def test_columns_and_types_that_differ_are_named_and_the_others_compared(verifying):
    verifying.source.execute("CREATE TABLE shape (id int PRIMARY KEY, a text, b int, c vector(3), d varchar(5), e text)")
    verifying.target.execute("CREATE TABLE shape (id int PRIMARY KEY, a text, b bigint, c vector, d varchar(9), f text)")
    for database in (verifying.source, verifying.target):
        database.execute("INSERT INTO shape (id, a, b, c, d) SELECT i, 'a', i, '[1,2,3]', 'd' FROM generate_series(1, 9) AS i")
    table = verifying.only_table(3)
    assert sorted((shape["kind"], shape["column"]) for shape in table["shape"]) == [
        ("column-extra", "f"), ("column-missing", "e"), ("column-type", "b"), ("column-type", "c"), ("column-type", "d"),
    ]  # fmt: skip
    assert table["differences"] == []
    verifying.target.execute("UPDATE shape SET c = '[1,2]' WHERE id = 4")
    assert differences(verifying.only_table(3)) == [(("4",), "changed", ["c"])]


# --- what cannot be proven --------------------------------------------------------------------------


@pytest.fixture
def plain_role(verifying):
    """A role without rights at the target; its address."""
    role = f"plain_{verifying.target.name}"
    verifying.target.execute(f"CREATE ROLE {role} LOGIN")
    yield role
    verifying.target.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


def url_of(verifying, role):
    return verifying.target.url.replace("postgres@", f"{role}@")


def test_a_table_that_may_not_be_read_is_not_equal(verifying, plain_role):
    verifying.prepare(SMALL, SMALL_ROWS)
    verifying.prepare("CREATE TABLE other (a int)")
    verifying.target.execute(f"GRANT SELECT ON other TO {plain_role}")
    tables = verifying.tables(1, target=url_of(verifying, plain_role))
    assert (tables["public.small"]["equal"], tables["public.other"]["equal"]) == (None, True)
    assert f'role "{plain_role}" may not read public.small, in the target' in tables["public.small"]["problem"]
    result = verifying.run(target=url_of(verifying, plain_role))
    assert "1 of 2 tables could not be compared" in result.stderr
    assert f"GRANT SELECT ON public.small TO \"{plain_role}\"" in result.stdout


def test_row_security_hides_nothing_unnoticed(verifying, plain_role):
    verifying.prepare(SMALL, SMALL_ROWS)
    verifying.target.execute(
        f"GRANT SELECT ON small TO {plain_role}; ALTER TABLE small ENABLE ROW LEVEL SECURITY;"
        f"CREATE POLICY of_some ON small USING (id <= 1000)"
    )
    table = verifying.only_table(1, target=url_of(verifying, plain_role))
    assert "row security may hide rows" in table["problem"]
    verifying.assert_equal()


def test_a_table_that_fails_midway_does_not_spoil_the_others(verifying):
    verifying.prepare(SMALL, SMALL_ROWS)
    verifying.target.execute(
        "CREATE FUNCTION fail(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN 1 / ($1 - 7); END';"
        "CREATE TABLE broken (a int)"
    )
    verifying.source.execute("CREATE TABLE broken (a int); INSERT INTO broken VALUES (1)")
    # A page that is not what it should be.
    with contextlib.closing(verifying.target.connect()) as connection:
        cursor = connection.cursor()
        cursor.execute("INSERT INTO broken VALUES (1); CHECKPOINT")
        cursor.execute("SELECT pg_relation_filepath('broken')")
        path = verifying.target.server.data / cursor.fetchone()[0]
    verifying.target.server.restart()
    with open(path, "r+b") as file:
        file.write(b"\xff" * 8192)
    tables = verifying.tables(1)
    assert tables["public.small"]["equal"] is True
    assert "could not read it in the target" in tables["public.broken"]["problem"]


def test_sides_that_cannot_be_reached_are_an_error(verifying):
    result = verifying.run(target="postgresql://postgres@127.0.0.1:1/none")
    assert (result.status, result.stdout) == (1, "")
    assert "could not connect" in result.stderr
    result = verifying.program("verify", "--source", verifying.source.url)
    assert result.status == 2
    assert "--target" in result.stderr


# --- how it works -----------------------------------------------------------------------------------


def everything_there(database):
    """What could be written to: tables, their rows, and what else a database holds."""
    return [
        database.execute("SELECT oid, relname, relfilenode FROM pg_class WHERE relkind <> 'i' ORDER BY oid"),
        database.execute("SELECT oid, nspname FROM pg_namespace ORDER BY oid"),
        database.execute("SELECT xmin, ctid, id FROM small ORDER BY id"),
    ]


def test_neither_side_is_written_to(verifying):
    verifying.prepare(SMALL, SMALL_ROWS)
    verifying.target.execute("DELETE FROM small WHERE id = 5")
    before = everything_there(verifying.source), everything_there(verifying.target)
    verifying.tables(3)
    assert (everything_there(verifying.source), everything_there(verifying.target)) == before


def test_a_throttle_slows_it_down(verifying):
    verifying.prepare("CREATE TABLE wide (a int, b text)", "INSERT INTO wide SELECT i, repeat('x', 1000) FROM generate_series(1, 6000) AS i")
    fast = json.loads(verifying.run("--json").stdout)["seconds"]
    slow = json.loads(verifying.run("--json", "--throttle", "2").stdout)["seconds"]
    assert slow > fast + 1


WIDE = "CREATE TABLE wide (a int PRIMARY KEY, b text)"
WIDE_ROWS = "INSERT INTO wide SELECT i, repeat('x', 1000) FROM generate_series(1, 6000) AS i"
SESSIONS = "FROM pg_stat_activity WHERE application_name = 'vecferry verify ({})' AND datname = current_database()"


@pytest.fixture
def slow(verifying):
    """A comparison that takes some seconds, begun: at both sides a keeper and two readers are at work."""
    verifying.prepare(WIDE, WIDE_ROWS)
    process = verifying.program.start(
        "verify", "--json", "--source", verifying.source.url, "--target", verifying.target.url,
        "--connections", "2", "--throttle", "1.5",
    )  # fmt: skip
    assert wait_until(lambda: sessions(verifying.source, "source") == sessions(verifying.target, "target") == 3, 20)
    return process


def sessions(database, side):
    return database.execute("SELECT count(*) " + SESSIONS.format(side))[0][0]


def end_session(database, side, which):
    database.execute(
        f"SELECT pg_terminate_backend(pid) {SESSIONS.format(side)} ORDER BY backend_start {which} LIMIT 1"
    )


def test_a_lost_session_is_opened_again(verifying, slow):
    end_session(verifying.target, "target", "DESC")
    stdout, stderr = slow.communicate(timeout=60)
    assert slow.returncode == 0, stderr
    assert "trying again" in stderr
    assert json.loads(stdout)["tables"][0]["rows_new"] == 6000


def test_a_lost_snapshot_proves_nothing(verifying, slow):
    end_session(verifying.target, "target", "ASC")
    stdout, stderr = slow.communicate(timeout=60)
    assert (slow.returncode, stdout) == (1, "")
    assert "the target's snapshot is lost: " in stderr


def test_it_ends_when_it_is_told_to(verifying, slow):
    slow.send_signal(signal.SIGINT)
    stdout, stderr = slow.communicate(timeout=10)
    assert (slow.returncode, stdout) == (130, "")
    assert wait_until(lambda: sessions(verifying.source, "source") == 0, 10)


def test_a_side_is_of_one_instant_though_others_write(verifying, slow):
    verifying.target.execute("DELETE FROM wide WHERE a % 2 = 0; UPDATE wide SET b = ''")
    stdout, stderr = slow.communicate(timeout=60)
    assert slow.returncode == 0, stderr
    assert json.loads(stdout)["tables"][0]["rows_new"] == 6000


def test_memory_does_not_grow_with_rows_that_differ(verifying):
    verifying.prepare("CREATE TABLE many (id int, name text)", "INSERT INTO many SELECT i, md5(i::text) FROM generate_series(1, 300000) AS i")
    verifying.target.execute("UPDATE many SET name = 'x' || id")
    timed = subprocess.run(
        ["/usr/bin/time", "-f", "%M", program_path(), "verify", "--max-differences", "20", "--source", verifying.source.url,
         "--target", verifying.target.url],
        capture_output=True, text=True, env=verifying.program.environment(),
    )  # fmt: skip
    assert timed.returncode == 3
    assert int(timed.stderr.splitlines()[-1]) < 50_000
