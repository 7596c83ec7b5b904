"""Whatever is wrong: one clear error that names the thing and the remedy, the right status, and nothing changed."""

import contextlib
import gzip
import json
import os
import re
import resource
import shutil
import subprocess
import time
import urllib.parse

import documents
import pytest
from children import dying_with_us
from migration import PATIENCE, Migration, one_error
from program import Result, program_path
from website import Website

USAGE, FAILED, OTHER_WORLD, SOME_FAILED = 2, 1, 3, 4


@pytest.fixture
def ready(vecferry, database, knowledge):
    """A small knowledge and an empty store: what could work, until a test spoils it."""
    return Migration(vecferry, database, knowledge)


def refused(result, status, *words):
    assert result.status == status, f"{result.status}\n{result.stdout}\n{result.stderr}"
    error = one_error(result)
    for word in words:
        assert word in result.stderr, result.stderr
    assert not error.endswith(".") or "the embedding server answered" in error
    return error


# --- options ------------------------------------------------------------------------------------

OPTIONS = {
    "no command": ([], "Usage: vecferry COMMAND"),
    "unknown command": (["aply"], 'unknown command "aply"', "hint: did you mean `vecferry apply`?"),
    "unknown option": (["apply", "--speed", "9"], 'unknown option "--speed"', "`vecferry apply --help` lists the options"),
    "a misspelt option": (["plan", "--bto=x"], 'unknown option "--bto=x"', "hint: did you mean --bot?"),
    "an unknown letter": (["plan", "-q"], 'unknown option "-q"'),
    "another command's option": (["plan", "--yes"], 'unknown option "--yes"'),
    "no value": (["apply", "--max-usd"], "missing argument for --max-usd"),
    "a word that no switch knows": (["apply", "--yes=maybe"], '--yes: "maybe" should be yes or no'),
    "a setting's switch, too": (["plan", "--allow-partial="], '--allow-partial: "" should be yes or no'),
    "a word for a number": (["apply", "--workers", "many"], '--workers: "many" should be a whole number'),
    "a negative number": (["apply", "--calls", "-1"], '"-1" should be a whole number'),
    "a number too large": (["apply", "--calls", "9" * 30], "should be at most 1000"),
    "no workers": (["apply", "--workers", "0"], '--workers: "0" should be at least 1'),
    "no calls": (["apply", "--calls", "00"], '--calls: "00" should be at least 1'),
    "no attempts": (["apply", "--attempts", "0"], '--attempts: "0" should be at least 1'),
    "help for nobody": (["help", "aply"], 'unknown command "aply"'),
    "not a price": (["plan", "--price", "cheap"], 'should be a number such as 0.02'),
    "not finite": (["plan", "--max-usd", "nan"], "--max-usd"),
    "unknown embedder": (["plan", "--embedder", "magic"], '--embedder: "magic" should be bedrock|openai|hashing'),
    "unknown splitter": (["plan", "--splitter", "fast"], "guide|newlines|latest|corrected"),
    "two plans": (["apply", "a", "b"], '"b" is not expected here'),
    "a word too many": (["plan", "now"], '"now" is not expected here'),
    "no such configuration": (["plan", "--config", "/nowhere/x.conf"], "/nowhere/x.conf"),
    "no catalogue": (["plan"], "catalogue"),
    "store what": (["store"], "store"),
    "store destroy": (["store", "destroy"], '"destroy" is not expected here'),
    "store create twice": (["store", "create", "again"], '"again" is not expected here'),
    "worker without order": (["embed"], "--order-fd is missing", "vecferry apply --bot ID"),
    "worker with a bad order": (["embed", "--order-fd", "77"], "descriptor 77"),
}  # fmt: skip


@pytest.mark.parametrize("kind", OPTIONS)
def test_wrong_options(vecferry, kind):
    arguments, *words = OPTIONS[kind]
    result = vecferry(*arguments)
    if arguments:
        refused(result, USAGE, *words)
    else:
        assert result.status == USAGE and words[0] in result.stderr
    assert result.stdout == ""
    assert not list(vecferry.state.rglob("*"))


def test_help_of_a_command(vecferry):
    help = vecferry("help", "apply")
    assert (help.status, help.stderr) == (0, "")
    assert help.stdout == vecferry("apply", "--help").stdout
    assert "--dry-run" in help.stdout
    assert "Commands:" in vecferry("help").stdout


def short_files():
    resource.setrlimit(resource.RLIMIT_FSIZE, (512, 512))


def test_a_file_that_may_not_grow_is_an_error(ready, tmp_path):
    """The system's signal for it would end the program without a word."""
    command = [program_path(), "plan", "--config", ready.conf, "-o", tmp_path / "plan"]
    done = subprocess.run(
        command, env=ready.program.environment(None), capture_output=True, text=True, timeout=60,
        preexec_fn=dying_with_us(before=short_files),
    )  # fmt: skip
    refused(Result(done.returncode, done.stdout, done.stderr), FAILED, "could not keep the plan", "File too large")


def test_no_is_no(ready, library):
    """A switch that is told "no" is off, by option as in the file, and the last word counts."""
    library.bot("Web", urls=["http://127.0.0.1:9/"])
    migration = Migration(ready.program, ready.database, library, make_store=False)
    permitted = "allow-private-addresses=true\n"
    plain = migration.conf.read_text()
    assert permitted in plain
    for option in ("--allow-private-addresses=no", "--allow-private-addresses=off"):
        assert "is not public" in migration.plan(option).stdout
        assert "is not public" in migration.plan("--allow-private-addresses", option).stdout
        assert "is not public" not in migration.plan(option, "--allow-private-addresses=yes").stdout
    migration.conf.write_text(plain.replace(permitted, ""))
    assert "is not public" in migration.plan().stdout
    assert "is not public" not in migration.plan("--allow-private-addresses=true").stdout


def test_no_is_no_for_a_commands_own_switches(ready):
    def run(*arguments):
        return ready.program(*arguments, "--config", ready.conf)

    refused(run("apply", "--yes=no"), USAGE, "there is no terminal to ask for agreement at")
    refused(run("apply", "--yes", "--yes=false"), USAGE, "there is no terminal to ask for agreement at")
    ready.assert_nothing_written()
    assert run("plan", "--json=no").stdout.startswith(run("plan").stdout[:20])
    assert run("plan", "--json=no", "--json=yes").stdout.startswith("{")
    assert run("apply", "--yes=yes", "--dry-run=0").status == 0
    assert ready.rows()


PASSWORD_PLACES = {
    "no command": ["{}"],
    "plan": ["plan", "{}"],
    "apply": ["apply", "one", "{}"],
    "status": ["status", "one", "{}"],
    "store": ["store", "{}"],
    "a misspelt option": ["plan", "--newstore={}"],
    "another option": ["plan", "--workers={}"],
}


@pytest.mark.parametrize("kind", PASSWORD_PLACES)
@pytest.mark.parametrize("address", ["postgresql://me:very-secret@h/d", "postgresql://me:a very-secret@h/d",
                                     "host=h password=very-secret user=me"])  # fmt: skip
def test_a_misplaced_password_is_not_shown(vecferry, kind, address):
    result = vecferry(*(word.format(address) for word in PASSWORD_PLACES[kind]))
    refused(result, USAGE, "xxx")
    assert "very-secret" not in result.stdout + result.stderr


def test_the_password_of_a_page_is_not_shown(migration, library):
    """Such a page is refused; what is told of it names it without the password."""
    library.bot("Web", urls=["http://me:very-secret@127.0.0.1:9/page"])
    for options in ([], ["--check-urls", "no", "--attempts", "1"]):
        for command in (["plan"], ["apply", "--yes"], ["status"], ["status", "--json"], ["verify"]):
            conf = [] if command[0] == "status" else ["--config", migration.conf]
            mine = [] if command[0] in ("status", "verify") else options
            result = migration.program(*command, *conf, *mine)
            told = result.stdout + result.stderr
            assert "very-secret" not in told, told
            assert "http://me:xxx" in told or (command[0] == "plan" and options), told


def test_a_remedy_is_told_apart_from_its_error(migration, library):
    """On one line, in tables and notes, it stands behind a semicolon."""
    conf = migration.conf.read_text().replace("allow-private-addresses=true\n", "")
    migration.conf.write_text(conf)
    library.bot("Web", urls=["http://127.0.0.1:9/page"])
    paper = library.bot("Paper", files={"paper.pdf": b"%PDF-1.7 and no more", "good.txt": "Good.\n"})
    book = library.bot("Book", files={"book.html": "<p>" + documents.text(list(documents.sentences("book", 30)))})
    assert "is not public; --allow-private-addresses permits it" in migration.plan().stdout
    options = ("--max-text-bytes", "1000", "--attempts", "1", "--bot")
    for title, bot, words in (
        ("Book", book, "too large: it has more than 1000 bytes of text; --max-text-bytes is the limit"),
        ("Paper", paper, "; save it .*, or take it out of the knowledge"),
    ):
        result = migration.apply(*options, bot, expect=SOME_FAILED)
        assert re.search(rf"^failed .*{words}$", result.stdout, re.MULTILINE), result.stdout
        assert re.search(rf"note: {title}: .*{words}$", result.stderr, re.MULTILINE), result.stderr


@pytest.mark.parametrize("content", [
    "[new-store]\npostgresql://me:very-secret@h/d\n",
    "[new-store]\nurl: postgresql://me:very-secret@h/d\n",
    "[new-store]\nurl: postgresql://me:very-secret@h/d?sslmode=require\n",
    "[new-store]\nurl: very-secret\n",
    "[new-store]\nurl = very-secret\\q\n",
    b"[new-store]\nurl = very-secret\xff\n",
    "url = very-secret\n",
])  # fmt: skip
def test_a_line_of_the_settings_is_not_quoted(vecferry, tmp_path, content):
    path = tmp_path / "bad.conf"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    path.chmod(0o600)
    result = vecferry("plan", "--config", path)
    refused(result, USAGE, "bad.conf")
    assert "very-secret" not in result.stdout + result.stderr


def test_an_error_does_not_move_the_cursor(vecferry):
    for arguments in (["\033[2Jplan"], ["plan", "\033[2Jred\rnow\u202e"], ["plan", "--\033[2J"]):
        result = vecferry(*arguments)
        refused(result, USAGE, "[2J")
        assert not re.search("[\033\r\u202e]", result.stderr)


def test_nothing_that_a_catalogue_says_moves_the_cursor(ready):
    """Titles, names of files and pages: in the plan, while the run works, in its table and afterwards."""
    nasty = "red\033[31m\r\033]0;title\a\u202e\u009b2J"
    ready.knowledge.bot(f"Missing {nasty}", missing=[f"gone{nasty}.txt"])
    ready.knowledge.bot(f"Broken {nasty}", files={"broken.pdf": b"%PDF-1.4\nnothing more\n"}, urls=[f"http://127.0.0.1:1/{nasty}"])
    ready.knowledge.add(PK="ana", SK=f"ana#BOT#{nasty}", Title=nasty, Knowledge={"filenames": 1})
    for command in (ready.plan, ready.apply):
        for options in ([], ["--check-urls", "no", "--attempts", "1"]):
            result = command(*options, expect=(0, SOME_FAILED))
            assert "red [31m" in result.stdout
            assert not re.search("[\033\r\a\u202e\u009b]", result.stdout + result.stderr)
    for command in (["status", "--state", ready.program.state / "vecferry"], ["verify", "--config", ready.conf]):
        result = ready.program(*command)
        assert "red [31m" in result.stdout
        assert not re.search("[\033\r\a\u202e\u009b]", result.stdout + result.stderr)


@pytest.mark.parametrize("command", ["plan", "plan --json", "settings", "--version", "help"])
def test_output_that_cannot_be_written_is_a_failure(ready, command):
    options = ["--config", ready.conf] if command.startswith("plan") else []
    with open("/dev/full", "w") as full:
        process = subprocess.Popen(
            [program_path(), *command.split(), *options], env=ready.program.environment(),
            preexec_fn=dying_with_us(), stdout=full, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == FAILED
    assert "vecferry: could not write the output: No space left on device" in stderr


# --- configuration --------------------------------------------------------------------------------

CONFIGURATIONS = {
    "unknown key": ("[run]\nworker=2\n", "unknown setting [run] worker", "did you mean [run] workers?"),
    "unknown group": ("[runs]\nworkers=2\n", "unknown setting [runs] workers"),
    "no group": ("workers=2\n", "bad.conf"),
    "not a key file": ("{\"run\": 2}\n", "bad.conf"),
    "bad value": ("[run]\nworkers=two\n", '"two" should be a whole number'),
    "not UTF-8": (b"[catalogue]\nfile=\xff\xfe\n", "bad.conf"),
    "binary": (bytes(range(256)), "bad.conf"),
}


@pytest.mark.parametrize("kind", CONFIGURATIONS)
def test_wrong_configurations(vecferry, tmp_path, kind):
    content, *words = CONFIGURATIONS[kind]
    path = tmp_path / "bad.conf"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    for command in ("plan", "apply"):
        refused(vecferry(command, "--config", path), USAGE, *words)


# --- catalogue --------------------------------------------------------------------------------------

CATALOGUES = {
    "missing": (None, "bots.json"),
    "empty": (b"", "bots.json"),
    "no JSON": (b"hello", "bots.json"),
    "cut off": (b'{"Items": [{"PK": {"S": "a"', "bots.json"),
    "another JSON": (b'{"Bots": []}', "bots.json"),
    "broken gzip": (gzip.compress(b'{"Items": []}')[:-9], "bots.json"),
    "not UTF-8": (b'{"Items": [{"PK": {"S": "\xff"}}]}', "bots.json"),
    "deeply nested": (b"[" * 100_000, "bots.json"),
}


@pytest.mark.parametrize("kind", CATALOGUES)
def test_wrong_catalogues(ready, kind):
    content, *words = CATALOGUES[kind]
    path = ready.knowledge.catalogue
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    for command in (ready.plan, ready.apply):
        result = command(expect=(USAGE, FAILED))
        refused(result, result.status, *words)
    ready.assert_nothing_written()


@pytest.mark.parametrize("option", ["--bot", "--user", "--exclude"])
def test_a_selection_of_nobody(ready, option):
    result = ready.apply(option, "nobody", expect=(USAGE, FAILED))
    assert "nobody" in one_error(result)
    ready.assert_nothing_written()


def test_a_malformed_bot_is_refused_alone(ready):
    ready.knowledge.bot("Broken", EmbeddingParams={"chunk_size": "large"})
    result = ready.apply(expect=SOME_FAILED)
    assert re.search(r"skipped +\w+ +Broken +0 +its item is malformed: .*chunk_size", result.stdout)
    assert len(ready.marks()) == 2


# --- plan files ---------------------------------------------------------------------------------------

PLANS = {
    "missing": None,
    "empty": "",
    "no JSON": "Plan 1",
    "another object": '{"Items": []}',
    "no bots": '{"plan": {"id": "x"}}',
    "a list": "[]",
    "twice": '{"plan": {}, "plan": {}}',
}


@pytest.mark.parametrize("kind", PLANS)
def test_wrong_plans(ready, tmp_path, kind):
    path = tmp_path / "the.plan"
    if PLANS[kind] is not None:
        path.write_text(PLANS[kind])
    refused(ready.apply(path, expect=USAGE), USAGE, "the.plan", "hint: a plan is what `vecferry plan -o FILE` wrote")
    ready.assert_nothing_written()


def little_memory():
    """More than this is not to be had; a sanitizer needs its own."""
    if "VECFERRY_SANITIZER_LOGS" not in os.environ:
        resource.setrlimit(resource.RLIMIT_DATA, (100_000_000, 100_000_000))


def sparse(path, size):
    with open(path, "wb") as file:
        file.truncate(size)


NO_PLANS = {
    "a pipe": (os.mkfifo, "it should be a file of at most 256 MiB"),
    "a folder": (os.mkdir, "it should be a file of at most 256 MiB"),
    "a device": (lambda path: os.symlink("/dev/zero", path), "it should be a file of at most 256 MiB"),
    "a file of a GB": (lambda path: sparse(path, 10**9), "it should be a file of at most 256 MiB"),
    "no file": (lambda path: path.unlink(missing_ok=True), '": No such file or directory\n'),
    "a large file of nothing": (lambda path: sparse(path, 256 * 1024**2), "could not read the plan"),
    "deeply nested": (lambda path: path.write_text("[" * 10_000_000), "could not read the plan"),
    "not UTF-8": (lambda path: path.write_bytes(b'{"plan": {"id": "\xff\xfe"}}'), "unable to decode byte 0xff"),
    "UTF-16": (lambda path: path.write_text('{"plan": {}}', encoding="utf-16"), "could not read the plan"),
}


@pytest.mark.parametrize("kind", NO_PLANS)
def test_what_is_no_plan_is_refused_at_once_in_little_memory(ready, tmp_path, kind):
    make, *words = NO_PLANS[kind]
    make(tmp_path / "the.plan")
    begin = time.monotonic()
    process = subprocess.Popen(
        [program_path(), "apply", "--yes", "--config", ready.conf, tmp_path / "the.plan"],
        env=ready.program.environment(), preexec_fn=dying_with_us(before=little_memory),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    stdout, stderr = process.communicate(timeout=30)
    result = Result(process.returncode, stdout, stderr)
    assert time.monotonic() - begin < 5 * PATIENCE
    refused(result, USAGE, "the.plan", *words, "hint: a plan is what `vecferry plan -o FILE` wrote")
    ready.assert_nothing_written()


def test_every_member_of_a_plan_is_checked(ready, tmp_path):
    """A plan with any member missing or of another type is refused, or does no harm; it never crashes."""
    path = tmp_path / "the.plan"
    ready.plan("-o", path)
    whole = json.loads(path.read_text())
    spoiled = [(("plan", name), value) for name in whole["plan"] for value in (None, [], 1e300)]
    spoiled += [(("bots", 0, name), value) for name in whole["bots"][0] for value in (None, {}, -1)]
    for place, value in spoiled:
        plan = json.loads(path.read_text())
        at = plan
        for step in place[:-1]:
            at = at[step]
        at[place[-1]] = value
        bad = tmp_path / "bad.plan"
        bad.write_text(json.dumps(plan))
        result = ready.program("apply", "--dry-run", "--config", ready.conf, bad)
        assert result.status in (0, USAGE, OTHER_WORLD), (place, value, result)
    ready.assert_nothing_written()


# --- stores ---------------------------------------------------------------------------------------------


def with_store(migration, url):
    migration.configure(new_store={"url": url})
    return migration


@pytest.mark.parametrize(
    "url, status, words",
    [
        ("postgresql://postgres@127.0.0.1:1/x", FAILED, ["could not connect", "127.0.0.1:1", "check host and port"]),
        ("postgresql://postgres@no-such-host.invalid/x", FAILED, ["could not connect", "no-such-host.invalid"]),
        ("nonsense", USAGE, ["the connection address is not understood", "postgresql://user@host:5432/database"]),
        ("mysql://u:very-secret@h/x", USAGE, ["the connection address is not understood"]),
        ("", USAGE, ["new-store"]),
    ],
)
def test_unreachable_stores(ready, url, status, words):
    with_store(ready, url)
    for command in (ready.plan, ready.apply):
        result = command(expect=status)
        refused(result, status, *words)
        assert "very-secret" not in result.stdout + result.stderr
    ready.assert_nothing_written()


def test_a_database_that_does_not_exist(ready, server):
    with_store(ready, server.url("nowhere"))
    refused(ready.apply(expect=FAILED), FAILED, "nowhere", "does not exist")


def test_a_store_without_the_extension(vecferry, server, knowledge):
    name = server.new_database(template="template1")
    server.execute("DROP EXTENSION IF EXISTS vector", database=name)
    from conftest import Database

    migration = Migration(vecferry, Database(server, name), knowledge, make_store=False)
    for command in (migration.plan, migration.apply):
        refused(command(expect=OTHER_WORLD), OTHER_WORLD, 'has no extension "vector"', "vecferry store create")
    assert server.execute("SELECT count(*) FROM pg_namespace WHERE nspname = 'vecferry'", database=name) == [(0,)]
    migration.create_store()
    migration.apply()
    migration.assert_whole()
    server.drop_database(name)


SHAPES = {
    "no table": ("SELECT 1", 'has no table "items"', "vecferry store create"),
    "a view": ("CREATE VIEW items AS SELECT 1 AS id", "is not a table"),
    "no vector column": (
        "CREATE TABLE items (id text, botid text, content text, source text)", 'no column "embedding"', "--vector-column",
    ),
    "no bot column": (
        "CREATE TABLE items (id text, bot text, content text, source text, embedding vector(1024))",
        'no column "botid"', "--bot-column", 'the nearest is "bot"',
    ),
    "another type": (
        "CREATE TABLE items (id text, botid text, content text, source text, embedding float4[])",
        "not vector or halfvec",
    ),
    "wrong dimensions": (
        "CREATE TABLE items (id text, botid text, content text, source text, embedding vector(768))",
        "takes vectors of 768 dimensions, the model makes 1024", "choose a model of 768 dimensions",
    ),
    "another column must be filled": (
        """CREATE TABLE items (id text, botid text, content text, source text, embedding vector(1024),
                               tenant int NOT NULL)""",
        'column "tenant" of public.items must not be null and has no default',
    ),
    "a key that is no text": (
        "CREATE TABLE items (id uuid PRIMARY KEY, botid text, content text, source text, embedding vector(1024))",
        "takes no ULID", "--id-column= leaves it to the column's default",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", SHAPES)
def test_stores_of_the_wrong_shape(vecferry, database, knowledge, kind):
    sql, *words = SHAPES[kind]
    database.execute(sql)
    migration = Migration(vecferry, database, knowledge, make_store=False)
    for command in (migration.plan, migration.apply):
        refused(command(expect=OTHER_WORLD), OTHER_WORLD, *words)
    assert database.execute("SELECT count(*) FROM pg_namespace WHERE nspname = 'vecferry'") == [(0,)]


@pytest.fixture
def nobody(database):
    """A role that may connect and nothing else; its URL."""
    role = f"nobody_{database.name}"
    database.execute(f"CREATE ROLE {role} LOGIN")
    yield role
    database.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


def test_a_role_without_privileges(vecferry, database, knowledge, nobody):
    """Told one by one, each with the GRANT that it takes; the last one suffices."""
    database.execute("CREATE TABLE items (id char(26), botid char(26), content text, source text, embedding vector(1024))")
    migration = Migration(vecferry, database, knowledge, make_store=False)
    with_store(migration, database.url.replace("postgres@", f"{nobody}@"))
    told = []
    for missing in ("may not read and change", 'may not make the schema "vecferry"'):
        refused(migration.plan(expect=FAILED), FAILED)
        result = migration.apply(expect=FAILED)
        refused(result, FAILED, f'role "{nobody}" {missing}')
        told.append(re.search(r"^hint: (GRANT .*)$", result.stderr, re.MULTILINE)[1])
        assert migration.rows() == []
        database.execute(told[-1])
    assert len(set(told)) == 2
    migration.apply()
    migration.assert_whole()


def test_a_role_that_may_not_enter_our_schema(ready, nobody):
    """Somebody else made it."""
    ready.database.execute(f"GRANT SELECT, INSERT, DELETE ON items TO {nobody}")
    with_store(ready, ready.database.url.replace("postgres@", f"{nobody}@"))
    refused(ready.apply(expect=FAILED), FAILED, "permission denied for schema vecferry", "grant the privilege to the role")
    ready.assert_nothing_written()


def test_creating_a_store_without_privileges(ready, nobody, server):
    name = server.new_database(template="template1")
    url = server.url(name).replace("postgres@", f"{nobody}@")
    refused(ready.run("store", "create", "--new-store", url, expect=FAILED), FAILED, "permission denied")
    assert server.execute("SELECT to_regclass('items')", database=name) == [(None,)]
    server.drop_database(name)


def test_creating_a_store_twice(ready):
    result = ready.run("store", "create", "--new-store", ready.database.url, expect=OTHER_WORLD)
    refused(result, OTHER_WORLD, "already has the table", "nothing to do")


def test_a_read_only_store(ready):
    url = ready.database.url + "?options=" + urllib.parse.quote("-c default_transaction_read_only=on")
    with_store(ready, url)
    refused(ready.apply(expect=FAILED), FAILED, "read-only", "connect to the writer")
    ready.assert_nothing_written()


# --- providers ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "embedder, status, words",
    [
        ({"endpoint": "ftp://x/v1"}, USAGE, ["address"]),
        ({"endpoint": "http://127.0.0.1:1/v1?key=x"}, USAGE, ["address"]),
        ({"model": ""}, USAGE, ["model"]),
        ({"dimensions": "99999"}, USAGE, ["99999"]),
        ({"api_key_file": "/nowhere/key"}, USAGE, ["/nowhere/key"]),
    ],
)
def test_wrong_settings_of_a_provider(migration, embedder, status, words):
    migration.configure(embedder=embedder)
    refused(migration.apply(expect=status), status, *words)
    assert migration.calls() == 0
    migration.assert_nothing_written()


UNKNOWN_MODEL = {"model": "test-embedding", "dimensions": 0, "price": 1}


@pytest.mark.parametrize(
    "embedder, words",
    [
        ({"endpoint": "http://127.0.0.1:1/v1"}, ["could not reach 127.0.0.1:1"]),
        ({"model": "no-such"}, ["The model `no-such` does not exist", "check the model's name"]),
        ({"api_key_file": "wrong-key"}, ["the embedding server answered 401", "check the API key"]),
    ],
)
def test_a_provider_that_will_not_do_is_found_at_the_beginning(migration, embedder, words):
    """A model of unknown dimensions is asked for them: by apply, and by plan if nobody else tells."""
    wrong = migration.knowledge.folder / "wrong-key"
    wrong.write_text("sk-wrong-but-secret\n")
    if "api_key_file" in embedder:
        embedder = embedder | {"api_key_file": wrong}
    migration.configure(embedder=UNKNOWN_MODEL | embedder)
    for command in (migration.apply, migration.plan):
        if command == migration.plan:
            migration.database.execute("ALTER TABLE items ALTER embedding TYPE vector")
        result = command(expect=FAILED)
        refused(result, FAILED, "could not learn the length of the model's vectors", *words)
        assert "sk-wrong" not in result.stdout + result.stderr
    assert migration.tokens_billed() == 0
    migration.assert_nothing_written()


# --- documents ------------------------------------------------------------------------------------------

DOCUMENTS = {
    "empty.txt": (b"", r".*empty\.txt: empty: it has no bytes"),
    "blank.txt": (b" \n\t\n", r".*blank\.txt: .*"),
    "empty.pdf": (b"", r".*empty\.pdf: empty: it has no bytes"),
    "broken.pdf": (b"%PDF-1.4\nnothing more\n", r".*broken\.pdf: .*"),
    "encrypted.pdf": (documents.pdf(["nobody shall read this"], encrypted=True), r".*encrypted\.pdf: .*(encrypted|password).*"),
    "scan.pdf": (documents.pdf([" "]), r".*scan\.pdf: .*"),
    "broken.docx": (documents.docx(["cut off"])[:300], r".*broken\.docx: .*"),
    "bomb.docx": (documents.docx(["a" * 300_000_000]), r".*bomb\.docx: .*"),
    "no.docx": (b"PK\x03\x04 and nothing", r".*no\.docx: .*"),
    "binary.txt": (bytes(range(256)) * 300, r".*binary\.txt: .*"),
    "program.html": (b"\x7fELF" + bytes(5000), r".*program\.html: .*"),
    "huge.txt": (b"word " * 400_000, r".*huge\.txt: .*"),
}  # fmt: skip


def test_documents_that_cannot_be_read_fail_their_bots_only(vecferry, database, knowledge):
    """Each bot with a bad document fails or is refused with that document's name and the reason; the good ones arrive."""
    for name, (content, _) in DOCUMENTS.items():
        knowledge.bot(name, files={"good.txt": f"A good text beside {name}.\n", name: content})
    migration = Migration(vecferry, database, knowledge, documents={"max_bytes": 1_000_000})
    result = migration.apply("--attempts", "2", expect=SOME_FAILED)
    for name, (_, reason) in DOCUMENTS.items():
        assert re.search(rf"^(failed|skipped) +\w+ +{re.escape(name)} +\d +{reason}(; .*)?$", result.stdout, re.MULTILINE), (
            name, result.stdout,
        )  # fmt: skip
    assert len(migration.marks()) == 2
    assert {bot for bot, *_ in migration.rows()} == set(migration.marks())


def test_good_sources_of_a_bad_bot_arrive_where_that_is_allowed(vecferry, database, knowledge):
    bot = knowledge.bot("Half", files={"good.txt": "This one is good.\n", "bad.pdf": b"%PDF-1.4\nnothing more\n"})
    migration = Migration(vecferry, database, knowledge)
    result = migration.apply("--allow-partial", expect=SOME_FAILED)
    assert re.search(r"failed +\w+ +Half +1 +loaded in part; .*bad\.pdf: ", result.stdout)
    assert migration.marks()[bot] == (1, False)
    assert [content for owner, _, content, _ in migration.rows() if owner == bot] == ["This one is good."]


def test_text_that_is_not_utf8_is_read_all_the_same(vecferry, database, knowledge):
    """What a person can read arrives as UTF-8; a byte that is nothing does not stop the rest."""
    knowledge.bot(
        "Old",
        files={
            "latin.txt": ("Die Fähre fährt über die Förde, so früh wie möglich.\n" * 5).encode("latin-1"),
            "sjis.txt": ("フェリーは七時に出発します。潮の満ち引きに注意してください。\n" * 5).encode("shift_jis"),
            "mixed.txt": b"The first line is fine.\nThe second has \xff\xfe bytes.\nThe third is fine.\n",
        },
    )
    migration = Migration(vecferry, database, knowledge)
    migration.apply()
    text = " ".join(content for _, _, content, _ in migration.rows())
    assert "Fähre fährt über" in text
    assert "フェリーは七時に" in text
    assert "The third is fine." in text


def test_a_refused_page_does_not_stop_the_other_bots(vecferry, database, knowledge):
    """A page behind a login concerns its bot, not the run."""
    with Website() as site:
        for path in ("status/401", "status/403", "status/404"):
            knowledge.bot(path, urls=[f"{site.url}/{path}"])
        knowledge.bot("Oldest", user="zoe", files={"a.txt": "Its turn comes last.\n"}, LastBotUsed=1)
        migration = Migration(vecferry, database, knowledge, documents={"check_urls": "no"})
        result = migration.apply("--workers", "1", "--attempts", "1", expect=SOME_FAILED)
    assert "3 of 6 bots" in result.stdout, result.stdout
    for path in ("status/401", "status/403", "status/404"):
        assert re.search(rf"failed +\w+ +{path} +1 +.*{path[-3:]}", result.stdout)


def test_private_addresses_are_not_reached(vecferry, database, knowledge):
    with Website() as site:
        knowledge.bot("Inside", urls=[f"{site.url}/slow?ms=1"])
        migration = Migration(vecferry, database, knowledge, documents={"allow_private_addresses": "no"})
        checked = migration.apply(expect=SOME_FAILED)
        migration.apply("--check-urls", "no", "--attempts", "1", expect=SOME_FAILED)
        assert site.log() == []
    assert re.search(r"skipped +\w+ +Inside +0 +.*127\.0\.0\.1", checked.stdout)
    assert len(migration.marks()) == 2


# --- full disks -----------------------------------------------------------------------------------------


@contextlib.contextmanager
def small_disk(folder, size):
    """A tmpfs of that size; only root can make one."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root can mount a small disk")
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", folder], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("mounting is not permitted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def test_a_full_disk_under_the_state(ready, tmp_path):
    with small_disk(tmp_path / "disk", "64k") as disk:
        (disk / "filler").write_bytes(bytes(60 * 1024))
        result = ready.apply("--state", disk, expect=(FAILED, SOME_FAILED))
        assert re.search(r"disk|space", result.stderr + result.stdout)
        one_error(result)
    ready.assert_nothing_written()
    ready.apply()
    ready.assert_whole()


def test_a_disk_that_fills_up_under_the_state(migration, undisturbed, tmp_path, provider):
    """In the middle of the run: it stops with the reason, and goes on when there is room."""
    provider.change(latency_ms=20)
    with small_disk(tmp_path / "disk", "8m") as disk:
        process = migration.start("--state", disk)
        while provider.stats()["calls"] < 6 and process.poll() is None:
            pass
        with contextlib.suppress(OSError), open(disk / "filler", "wb", buffering=0) as filler:
            while True:
                filler.write(bytes(512))
        stdout, stderr = process.communicate(timeout=120)
        assert process.returncode in (FAILED, SOME_FAILED), stdout + stderr
        assert re.search(r"disk|space", stdout + stderr)
        assert set(migration.rows()) <= set(undisturbed)
        (disk / "filler").unlink()
        migration.apply("--state", disk)
    migration.assert_complete(undisturbed)


def test_a_state_folder_that_cannot_be(ready, tmp_path):
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", "/proc/nowhere"):
        refused(ready.apply("--state", folder, expect=FAILED), FAILED, str(folder), "choose another folder with --state")
    ready.assert_nothing_written()


@pytest.mark.parametrize("content", [b"", b"no database at all" * 500], ids=["empty", "garbage"])
def test_a_ledger_that_is_none(ready, content):
    ready.apply()
    rows = ready.rows()
    (ledger,) = ready.program.state.rglob("*.db")
    for old in ready.program.state.rglob("*.db-*"):
        old.unlink()
    ledger.write_bytes(content)
    result = ready.apply(expect=(0, FAILED))
    if result.status == FAILED:
        assert str(ledger) in one_error(result)
    assert ready.rows() == rows


def test_a_plan_file_that_cannot_be_written(ready):
    refused(ready.plan("-o", "/proc/nowhere/plan", expect=FAILED), FAILED, "/proc/nowhere/plan")
