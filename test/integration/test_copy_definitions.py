"""vecferry copy with definitions: an empty database becomes what the other one is."""

import contextlib
import json
import re
import resource
import signal
import subprocess

import pytest
from copying import EVERY_KIND, ROWS_OF_EVERY_KIND, Copying, sequences
from postgres import Postgres, find_installation
from test_copy import refused

MORE_KINDS = """
CREATE EXTENSION pgcrypto;
CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN NEW.name := NEW.name || ' noted; --'; RETURN NEW; END $f$;
CREATE TABLE harbours (id serial PRIMARY KEY, name text NOT NULL DEFAULT 'nowhere', CHECK (name <> ''));
CREATE TABLE ships (id int PRIMARY KEY, harbour int REFERENCES harbours ON DELETE SET NULL, name text, course vector(8));
CREATE INDEX ships_name ON ships (lower(name)) WHERE name IS NOT NULL;
CREATE INDEX ships_course ON ships USING hnsw (course vector_cosine_ops) WITH (m = 8, ef_construction = 32);
CREATE INDEX ships_flat ON ships USING ivfflat (course vector_l2_ops) WITH (lists = 5);
COMMENT ON INDEX ships_course IS 'how near two courses are';
CREATE TRIGGER ships_noted BEFORE INSERT ON ships FOR EACH ROW EXECUTE FUNCTION noted();
CREATE TABLE logs (day date NOT NULL, at vector(4), note text) PARTITION BY RANGE (day);
CREATE TABLE logs_a PARTITION OF logs FOR VALUES FROM ('2020-01-01') TO ('2022-01-01');
CREATE TABLE logs_b PARTITION OF logs FOR VALUES FROM ('2022-01-01') TO ('2030-01-01');
CREATE INDEX logs_day ON logs (day);
CREATE INDEX logs_at ON logs USING hnsw (at vector_l2_ops);
CREATE VIEW sailing AS SELECT s.name, h.name AS harbour FROM ships s JOIN harbours h ON h.id = s.harbour;
CREATE VIEW per_ship AS SELECT id, name, count(*) FROM ships GROUP BY id;
CREATE MATERIALIZED VIEW "busy Häfen" AS SELECT harbour, count(*) AS n FROM ships GROUP BY harbour;
CREATE MATERIALIZED VIEW busiest AS SELECT max(n) FROM "busy Häfen";
CREATE UNIQUE INDEX busy_key ON "busy Häfen" (harbour);
CREATE MATERIALIZED VIEW unfilled AS SELECT 1 AS a WITH NO DATA;
CREATE STATISTICS of_ships ON harbour, name FROM ships;
ALTER TABLE harbours ENABLE ROW LEVEL SECURITY;
CREATE POLICY all_of_them ON harbours USING (true);
COMMENT ON TABLE ships IS 'it''s "quoted"; and -- more';
COMMENT ON COLUMN ships.course IS 'naïve 日本';
CREATE RULE nothing AS ON DELETE TO harbours DO ALSO NOTHING;
"""

ROWS_OF_MORE_KINDS = """
INSERT INTO harbours (name) SELECT 'harbour ' || i FROM generate_series(1, 5) AS i;
INSERT INTO ships SELECT i, i % 5 + 1, 'ship ' || i, (SELECT array_agg(random()) FROM generate_series(1, 8) WHERE i > 0)::vector
FROM generate_series(1, 600) AS i;
INSERT INTO logs SELECT date '2021-06-01' + i, array_fill(i, array[4])::vector, 'n' FROM generate_series(1, 400) AS i;
REFRESH MATERIALIZED VIEW "busy Häfen";
REFRESH MATERIALIZED VIEW busiest;
"""

NOT_OF_THE_OBJECTS = re.compile(r"^(--.*|SET .*|SELECT pg_catalog\.set_config.*|\\(un)?restrict .*|)$")


def definitions(database, *more):
    """What pg_dump says of the database, without what changes from one call to the next."""
    said = subprocess.run(
        [find_installation() / "pg_dump", "--schema-only", "--exclude-schema=vecferry", *more, database.url],
        check=True, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    return [line for line in said.stdout.splitlines() if not NOT_OF_THE_OBJECTS.match(line)]


class Moving(Copying):
    """The same copy, with definitions: the target begins empty."""

    def arguments(self, *more, **sizes):
        return [argument for argument in super().arguments(*more, **sizes) if argument != "--data-only"]

    def begin(self, definitions, rows=None):
        self.source.execute(definitions)
        if rows:
            self.source.execute(rows)

    def assert_all_equal(self, *more):
        assert definitions(self.target, *more) == definitions(self.source, *more)
        self.assert_equal()
        assert sequences(self.target) == sequences(self.source)
        assert self.target.execute("SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid") == []


@pytest.fixture
def moving(vecferry, database, other_database):
    return Moving(vecferry, database, other_database)


@pytest.fixture
def filled(moving):
    moving.begin(MORE_KINDS, ROWS_OF_MORE_KINDS)
    return moving


# --- what arrives -----------------------------------------------------------------------------


def test_tables_of_every_kind_arrive_with_their_definitions(moving):
    # The name of an index that is not there yet is no value: pg_restore cannot load it either.
    moving.begin(EVERY_KIND, ROWS_OF_EVERY_KIND.replace("('only_row'), ('composite_pkey')", "('only_row')"))
    moving.copy()
    moving.assert_all_equal()


def test_what_hangs_on_tables_arrives(filled):
    answer = filled.copy()
    filled.assert_all_equal()
    assert answer["problems"] == []
    names = [index["index"] for index in answer["indexes"]]
    assert "public.ships_course" in names and "public.ships_name" in names
    assert filled.target.execute('SELECT count(*) FROM "busy Häfen"') == [(5,)]
    assert filled.target.execute("SELECT * FROM busiest") == [(120,)]
    assert filled.target.execute("SELECT relispopulated FROM pg_class WHERE relname = 'unfilled'") == [(False,)]
    assert filled.target.execute("SELECT name FROM ships WHERE id = 7") == filled.source.execute("SELECT name FROM ships WHERE id = 7")


def test_a_finished_copy_makes_nothing_again(filled):
    filled.copy()
    filled.target.execute("DROP INDEX ships_name")
    result = filled.run()
    assert result.status == 0 and "was finished at" in result.stdout
    assert filled.target.execute("SELECT to_regclass('ships_name')") == [(None,)]
    filled.copy("--replace")
    filled.assert_all_equal()


def test_definitions_may_follow_rows_that_were_copied_alone(moving):
    moving.begin("CREATE TABLE a (id int); INSERT INTO a VALUES (1); CREATE INDEX of_a ON a (id)")
    moving.target.execute("CREATE TABLE a (id int)")
    moving.copy("--data-only")
    moving.copy()
    moving.assert_all_equal()


def test_privileges_arrive_for_roles_that_are_there_and_others_are_told(moving):
    known = f"known_{moving.source.name}"
    missing = f"missing_{moving.source.name}"
    moving.source.execute(f"CREATE ROLE {known}; CREATE ROLE {missing}; CREATE TABLE a (id int)")
    moving.source.execute(f"GRANT SELECT ON a TO {known}; GRANT INSERT ON a TO {missing}")
    moving.target.execute(f"CREATE ROLE {known}")
    result = moving.run()
    assert result.status == 0, result.stderr
    assert missing in result.stderr
    assert moving.target.execute(f"SELECT has_table_privilege('{known}', 'a', 'SELECT')") == [(True,)]
    for database, roles in ((moving.source, [known, missing]), (moving.target, [known])):
        for role in roles:
            database.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


def test_publications_and_event_triggers_are_told_not_made(moving):
    moving.begin(
        "CREATE TABLE a (id int PRIMARY KEY); CREATE PUBLICATION p FOR TABLE a;"
        "CREATE FUNCTION e() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';"
        "CREATE EVENT TRIGGER t ON ddl_command_end EXECUTE FUNCTION e()"
    )
    result = moving.run()
    assert result.status == 0, result.stderr
    assert "publication p is left out" in result.stderr and "event trigger t is left out" in result.stderr
    assert moving.target.execute("SELECT (SELECT count(*) FROM pg_publication), (SELECT count(*) FROM pg_event_trigger)") == [(0, 0)]


# --- patterns ---------------------------------------------------------------------------------


@pytest.fixture
def selection(moving):
    moving.begin(
        "CREATE SCHEMA a; CREATE SCHEMA b; CREATE TYPE b.mood AS ENUM ('calm');"
        "CREATE TABLE a.one (x serial PRIMARY KEY, mood b.mood); CREATE TABLE a.two (x int REFERENCES a.one);"
        "CREATE TABLE b.three (x int); CREATE INDEX ON b.three (x); CREATE VIEW b.seen AS SELECT * FROM b.three;"
        "CREATE TABLE a.whole (k int) PARTITION BY LIST (k); CREATE TABLE a.leaf PARTITION OF a.whole FOR VALUES IN (1)"
    )
    return moving


def relations(database):
    return {
        name for (name,) in database.execute(
            "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE nspname IN ('a', 'b') AND relkind IN ('r', 'p', 'v', 'S')"
        )
    }  # fmt: skip


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--table", "a.one"], {"a.one", "a.one_x_seq"}),
        (["--table", "a.two"], {"a.two"}),
        (["--schema", "b"], {"b.three"}),
        (["--table", "whole"], {"a.whole", "a.leaf"}),
        (["--exclude", "b.three"], {"a.one", "a.one_x_seq", "a.two", "a.whole", "a.leaf"}),
        (["--exclude", "a.one"], {"a.two", "b.three", "b.seen", "a.whole", "a.leaf"}),
        (["--exclude", "whole"], {"a.one", "a.one_x_seq", "a.two", "b.three", "b.seen"}),
    ],
)
def test_only_what_the_chosen_tables_need_is_made(selection, options, expected):
    selection.copy(*options)
    assert relations(selection.target) == expected


# --- what is there already --------------------------------------------------------------------


def test_what_is_there_and_the_same_is_kept(moving):
    table = "CREATE TABLE items (id char(26) PRIMARY KEY, embedding vector(8)); CREATE INDEX of_items ON items USING ivfflat (embedding vector_l2_ops) WITH (lists = 3)"
    moving.begin(table, "INSERT INTO items SELECT i, array_fill(i, array[8])::vector FROM generate_series(1, 100) AS i")
    moving.target.execute(table)
    before = moving.target.execute("SELECT 'items'::regclass::oid, pg_relation_filenode('of_items')")
    moving.copy()
    moving.assert_all_equal()
    after = moving.target.execute("SELECT 'items'::regclass::oid, pg_relation_filenode('of_items')")
    assert after[0][0] == before[0][0]
    assert after[0][1] != before[0][1]  # lists of an empty table would give wrong answers


@pytest.mark.parametrize(
    ("there", "words"),
    [
        ("CREATE TABLE a (id int, name varchar(5))", "table public.a is in the target already"),
        ("CREATE TABLE a (id int, name text); CREATE INDEX of_a ON a (id)", "index public.of_a is in the target already"),
        ("CREATE VIEW a AS SELECT 1", "could not make table public.a"),
    ],
)
def test_what_is_there_and_different_stops_the_copy_before_anything_is_made(moving, there, words):
    moving.begin("CREATE TABLE a (id int, name text); CREATE INDEX of_a ON a (name); CREATE TABLE aa (id int)")
    moving.target.execute(there)
    status = 3 if "already" in words else 1
    refused(moving.run(), status, words)
    assert moving.target.execute("SELECT to_regclass('aa')") == [(None,)]


def test_the_extension_is_made_where_it_is_missing(moving):
    moving.begin("CREATE TABLE a (v vector(3)); INSERT INTO a VALUES ('[1,2,3]')")
    moving.target.execute("DROP EXTENSION vector")
    moving.copy()
    moving.assert_all_equal()


def test_an_older_extension_is_told(moving):
    moving.begin("CREATE TABLE a (v vector(3))")
    moving.target.execute("UPDATE pg_extension SET extversion = '0.4.4' WHERE extname = 'vector'")
    result = moving.run()
    assert result.status == 0, result.stderr
    assert "the extension vector is of version 0.4.4 in the target" in result.stderr


# --- roles without superuser's rights ---------------------------------------------------------


@pytest.fixture
def ordinary(moving):
    """Both ends belong to roles that are nobody."""
    roles = {}
    for name, database in (("source", moving.source), ("target", moving.target)):
        role = roles[name] = f"nobody_{database.name}"
        database.execute(f"CREATE ROLE {role} LOGIN; GRANT CREATE ON DATABASE {database.name} TO {role}; GRANT CREATE ON SCHEMA public TO {role}")
    moving.roles = roles
    moving.options = []
    for name, database in (("source", moving.source), ("target", moving.target)):
        moving.options += [f"--{name}", database.url.replace("postgres@", f"{roles[name]}@")]
    yield moving
    for name, database in (("source", moving.source), ("target", moving.target)):
        database.execute(f"DROP OWNED BY {roles[name]} CASCADE; DROP ROLE {roles[name]}")


def owned(sql, role):
    return f"SET ROLE {role}; {sql}; RESET ROLE"


def test_ordinary_roles_suffice(ordinary):
    kinds = MORE_KINDS.replace("CREATE EXTENSION pgcrypto;", "").replace("ALTER TABLE harbours ENABLE ROW LEVEL SECURITY;", "")
    ordinary.source.execute("CREATE EXTENSION pgcrypto")
    ordinary.source.execute(owned(kinds + ROWS_OF_MORE_KINDS, ordinary.roles["source"]))
    ordinary.copy(*ordinary.options)
    ordinary.assert_equal()
    assert definitions(ordinary.target, "--no-owner", "-x") == definitions(ordinary.source, "--no-owner", "-x")


@pytest.mark.parametrize("fault", ["inside-definition:9", "inside-index:4"])
def test_ordinary_roles_go_on_after_a_kill_though_foreign_keys_stand(ordinary, fault):
    ordinary.source.execute(
        owned("CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a);"
              "CREATE TABLE c (id int PRIMARY KEY, a int REFERENCES a); CREATE TABLE d (id int PRIMARY KEY, a int REFERENCES a);"
              "CREATE TABLE v (a vector(2)); CREATE INDEX ON v USING hnsw (a vector_l2_ops); CREATE INDEX ON v USING ivfflat (a vector_l2_ops);"
              "CREATE INDEX v2 ON v USING hnsw (a vector_ip_ops); CREATE INDEX v3 ON v USING hnsw (a vector_cosine_ops);"
              "INSERT INTO a VALUES (1); INSERT INTO b VALUES (1, 1); INSERT INTO v VALUES ('[1,2]');"
              "CREATE FUNCTION n() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; CREATE TRIGGER t BEFORE INSERT ON a EXECUTE FUNCTION n();"
              "CREATE TRIGGER u BEFORE INSERT ON b EXECUTE FUNCTION n(); CREATE TRIGGER w BEFORE INSERT ON c EXECUTE FUNCTION n()", ordinary.roles["source"])
    )  # fmt: skip
    killed = ordinary.run(*ordinary.options, env={"VECFERRY_FAULT": fault})
    assert killed.status == -signal.SIGKILL, killed.stderr
    ordinary.source.execute("INSERT INTO a VALUES (2); INSERT INTO b VALUES (2, 2)")
    ordinary.copy(*ordinary.options)
    ordinary.assert_equal()
    assert definitions(ordinary.target, "--no-owner", "-x") == definitions(ordinary.source, "--no-owner", "-x")


def test_what_the_role_may_not_read_can_be_left_out(ordinary):
    ordinary.source.execute('CREATE SCHEMA closed; CREATE TABLE secret (id int); CREATE TABLE closed."Gehe\'im" (id int)')
    ordinary.source.execute(owned("CREATE TABLE open (id int); INSERT INTO open VALUES (1)", ordinary.roles["source"]))
    refused(ordinary.run(*ordinary.options), 1, "permission denied")
    ordinary.copy(*ordinary.options, "--exclude", "secret", "--exclude", "closed.*")
    assert ordinary.target.execute("SELECT id, to_regclass('secret') FROM open") == [(1, None)]


def test_no_password_stands_in_any_argument(moving, tmp_path):
    spy = tmp_path / "bin"
    spy.mkdir()
    seen = tmp_path / "seen"
    for name in ("pg_dump", "pg_restore"):
        (spy / name).write_text(f'#!/bin/sh\nprintf "%s\\n" "$*" >> {seen}\nexec {find_installation()}/{name} "$@"\n')
        (spy / name).chmod(0o755)
    with Postgres(password="Geheim 1%") as server:
        source = server.new_database()
        server.execute("CREATE TABLE a (id int); INSERT INTO a VALUES (1)", database=source)
        result = moving.program("copy", "--source", server.url(source), "--target", moving.target.url, env={"PATH": f"{spy}:/usr/bin:/bin"})
    assert result.status == 0, result.stderr
    assert moving.target.execute("SELECT * FROM a") == [(1,)]
    assert "--schema-only" in seen.read_text()
    assert "Geheim" not in seen.read_text()


# --- killed and begun again -------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    ["inside-definitions:1", "inside-definitions:15", "after-definitions", "inside-part:3", "after-parts",
     "inside-definition:1", "inside-definition:5", "inside-definition:12", "inside-index:1", "inside-index:5", "inside-index:7"],
)  # fmt: skip
def test_killed_anywhere_the_same_command_ends_with_equal_databases(filled, fault):
    killed = filled.run(env={"VECFERRY_FAULT": fault})
    assert killed.status == -signal.SIGKILL, killed.stderr
    filled.copy()
    filled.assert_all_equal()


def test_a_table_made_in_the_source_meanwhile_comes_along(filled):
    assert filled.run(env={"VECFERRY_FAULT": "after-parts"}).status == -signal.SIGKILL
    filled.source.execute("CREATE TABLE late (id int PRIMARY KEY); INSERT INTO late VALUES (1)")
    filled.copy()
    filled.assert_all_equal()


# --- indexes ----------------------------------------------------------------------------------


def test_a_failing_index_is_told_and_fails_nothing_else(filled):
    filled.source.execute("CREATE TABLE wide (v vector(3)); INSERT INTO wide VALUES ('[1,2,3]')")
    filled.source.execute("CREATE INDEX twins ON wide ((v::vector(3))); DROP INDEX twins")
    filled.source.execute("CREATE FUNCTION fragile(vector) RETURNS vector(3) IMMUTABLE LANGUAGE plpgsql AS "
                          "$$ BEGIN IF current_setting('port') = '" + str(filled.target.server.port) + "' THEN RAISE 'no courses here'; END IF; RETURN $1; END $$")
    filled.source.execute("CREATE INDEX fails ON wide USING hnsw ((fragile(v)::vector(3)) vector_l2_ops)")
    filled.source.execute("COMMENT ON INDEX fails IS 'it does'")
    result = filled.run("--json")
    assert result.status == 4, result.stderr
    answer = json.loads(result.stdout)
    assert len(answer["problems"]) == 1
    assert "index public.fails" in answer["problems"][0] and "no courses here" in answer["problems"][0]
    assert "run the same command again" in answer["problems"][0]
    assert "comment" not in result.stderr  # what builds on it is not even tried
    assert filled.target.execute("SELECT to_regclass('ships_course') IS NOT NULL, to_regclass('fails')") == [(True, None)]
    people = filled.run()
    assert people.status == 4 and "missing: " in people.stdout
    filled.source.execute("DROP INDEX fails; CREATE INDEX fails ON wide USING hnsw (v vector_l2_ops); COMMENT ON INDEX fails IS 'it did'")
    filled.source.execute("DROP FUNCTION fragile")
    filled.target.execute("DROP FUNCTION fragile")
    answer = filled.copy()
    assert [index["index"] for index in answer["indexes"]] == ["public.fails"]
    filled.assert_all_equal()


def test_an_index_left_unfinished_is_built_anew(moving):
    table = "CREATE TABLE a (id int, v vector(2)); INSERT INTO a VALUES (1, '[1,2]'), (1, '[1,3]')"
    moving.begin(table + "; CREATE INDEX of_v ON a USING hnsw (v vector_l2_ops); CREATE INDEX of_id ON a (id)")
    moving.target.execute("CREATE TABLE a (id int, v vector(2)); CREATE INDEX of_v ON a USING hnsw (v vector_l2_ops); CREATE INDEX of_id ON a (id)")
    moving.target.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid IN ('of_v'::regclass, 'of_id'::regclass)")
    moving.copy()
    moving.assert_all_equal()


def kinds(database):
    return database.execute(
        "SELECT relname::text, amname::text, coalesce(reloptions::text, '') FROM pg_class c JOIN pg_am a ON a.oid = c.relam "
        "WHERE amname IN ('hnsw', 'ivfflat') AND relkind = 'i' AND relname ~ '^ships' ORDER BY relname"
    )


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["none"], []),
        (["ivfflat", "--lists", 7], [("ships_course", "ivfflat", "{lists=7}"), ("ships_flat", "ivfflat", "{lists=7}")]),
        (["hnsw", "--hnsw-m", 6, "--hnsw-ef-construction", 20],
         [("ships_course", "hnsw", "{m=6,ef_construction=20}"), ("ships_flat", "hnsw", "{m=6,ef_construction=20}")]),
        (["keep"], [("ships_course", "hnsw", "{m=8,ef_construction=32}"), ("ships_flat", "ivfflat", "{lists=5}")]),
    ],
)  # fmt: skip
def test_vector_indexes_may_become_others(filled, options, expected):
    filled.copy("--index", *options)
    assert kinds(filled.target) == expected


def test_memory_is_lent_for_a_build_and_its_limit_is_heard(moving):
    moving.begin(
        "CREATE TABLE a (v vector(256)); CREATE INDEX of_v ON a USING hnsw (v vector_l2_ops) WITH (m = 4, ef_construction = 8)",
        "INSERT INTO a SELECT (SELECT array_agg(random()) FROM generate_series(1, 256) WHERE i > 0)::vector FROM generate_series(1, 3000) AS i",
    )
    moving.target.execute(f"ALTER DATABASE {moving.target.name} SET maintenance_work_mem = '1MB'")
    hasty = ["--target", moving.target.url + "?options=-c%20statement_timeout%3D100"]
    poor = moving.run(*hasty, "--index-memory", 2_000_000)
    assert poor.status == 0 and "no longer fits into maintenance_work_mem" in poor.stderr
    moving.target.execute("DROP INDEX of_v")
    rich = moving.run(*hasty, "--replace")
    assert rich.status == 0 and "no longer fits" not in rich.stderr
    moving.assert_all_equal()


@contextlib.contextmanager
def small_files():
    """Servers that are started within cannot make large files, nor segments of shared memory."""
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (40 << 20, usual[1]))
    try:
        with Postgres() as server:
            yield server
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)


def test_with_too_little_shared_memory_a_build_is_serial(moving):
    moving.begin(
        "CREATE TABLE a (v vector(3)); CREATE INDEX of_v ON a USING hnsw (v vector_l2_ops)",
        "INSERT INTO a SELECT array_fill(i, array[3])::vector FROM generate_series(1, 500) AS i",
    )
    with small_files() as server:
        name = server.new_database()
        server.execute(f"ALTER DATABASE {name} SET min_parallel_table_scan_size = 0")
        result = moving.run("--target", server.url(name))
        assert result.status == 0, result.stderr
        assert "building serially" in result.stderr
        assert server.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = 'of_v'::regclass", database=name) == [(True,)]
