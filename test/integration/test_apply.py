"""`vecferry apply` when nothing goes wrong, and what it makes of a changed world."""

import json
import os
import re
import shutil
import signal
import struct
import subprocess
import time

import pytest
from knowledge import user_id
from migration import CALLS, DIMENSIONS, WORKERS, Migration, expected_vector, one_error, rows_of


def test_rows_of_all_formats_arrive_once(migration, undisturbed):
    result = migration.apply()
    migration.assert_complete(undisturbed)
    assert "4 of 4 bots" in result.stdout
    sources = {source.rpartition("/")[2] for _, source, *_ in undisturbed}
    assert sources == {
        "year0.txt", "year1.txt", "year2.txt", "pilots.html", "signals.md", "charts.docx", "soundings.pdf", "log.txt",
    }  # fmt: skip
    assert max(migration.times_billed().values()) == 1
    assert migration.calls() > 25


@pytest.mark.threads
def test_several_calls_are_in_flight(migration, undisturbed, provider):
    provider.change(latency_ms=50)
    migration.apply()
    assert 2 <= provider.stats()["max_in_flight"] <= WORKERS * CALLS
    migration.assert_complete(undisturbed)


@pytest.mark.parametrize("fault", ["shuffle", "no-usage", "wrong-format", "shuffle+slow", "drip"])
def test_odd_but_right_answers_are_taken(migration, undisturbed, provider, fault):
    """Shuffled, without usage, base64 where floats were asked for, slow or in small pieces."""
    provider.change(script=f"{fault}*", slow_ms=20, drip_ms=50)
    migration.apply()
    migration.assert_complete(undisturbed)
    assert provider.stats()["outcomes"] == {fault: migration.calls()}
    assert migration.paid_again() == 0


def test_hashing_needs_no_provider(vecferry, database, library):
    first = Migration(vecferry, database, library)
    first.apply()
    rows = first.rows()
    first.assert_whole(rows)
    assert len({bot for bot, *_ in rows}) == 4

    first.apply("--splitter", "latest")
    first.apply("--splitter", "guide")
    assert first.rows() == rows


def test_a_second_run_has_nothing_to_do(migration, undisturbed):
    migration.apply()
    calls = migration.calls()
    result = migration.apply()
    assert migration.calls() == calls
    migration.assert_complete(undisturbed)
    assert "4 of 4 bots" in result.stdout


def test_a_changed_file_is_planned_again(migration, undisturbed, library):
    migration.apply()
    path = next(library.documents.glob("*/*/documents/log.txt"))
    text = path.read_text().replace("Entry 7 of", "Entry seven of")
    path.write_text(text)
    later = time.time() + 1.5
    os.utime(path, (later, later))

    plan = json.loads(migration.plan("--json").stdout)
    assert {bot["title"]: bot["action"] for bot in plan["bots"]} == {
        "Almanac": "keep", "Pilots": "keep", "Charts": "keep", "Logbook": "embed", "Small talk": "none",
    }  # fmt: skip
    assert [bot["reason"] for bot in plan["bots"] if bot["action"] == "embed"] == [
        "the file changed after its rows were made"
    ]
    migration.apply()
    contents = [content for _, _, content, _ in migration.rows()]
    assert any("Entry seven of" in content for content in contents)
    assert not any("Entry 7 of the log" in content for content in contents)
    migration.assert_whole()


def test_a_lost_row_is_planned_again(migration, undisturbed):
    migration.apply()
    migration.database.execute("DELETE FROM items WHERE id = (SELECT min(id) FROM items)")
    migration.apply()
    migration.assert_complete(undisturbed)


def test_a_text_that_a_bot_names_twice_arrives_once(vecferry, database, provider, knowledge):
    bot = knowledge.bot("Twice", files={"same.txt": "The same file is named twice.\n"})
    for item in knowledge.items:
        if bot in item["SK"]["S"]:
            item["Knowledge"]["M"]["filenames"]["L"] *= 2
    knowledge.save()
    migration = Migration(vecferry, database, knowledge, provider)
    migration.apply()
    migration.assert_whole()
    assert [content for owner, _, content, _ in migration.rows() if owner == bot] == ["The same file is named twice."]


# --- agreement --------------------------------------------------------------------------


def test_without_agreement_nothing_happens(migration):
    dry = migration.program("apply", "--dry-run", "--config", migration.conf)
    assert dry.status == 0 and "dry run" in dry.stderr
    asked = migration.program("apply", "--config", migration.conf)
    assert asked.status == 2
    assert one_error(asked) == "there is no terminal to ask for agreement at"
    assert migration.calls() == 0
    migration.assert_nothing_written()


def test_a_plan_is_carried_out_as_agreed(migration, undisturbed, tmp_path):
    migration.plan("-o", tmp_path / "plan")
    migration.apply(tmp_path / "plan")
    migration.assert_complete(undisturbed)


def test_a_bot_edited_after_the_plan_is_skipped(migration, undisturbed, library, tmp_path):
    migration.plan("-o", tmp_path / "plan")
    for item in library.items:
        if item["Title"] == {"S": "Pilots"}:
            item["EmbeddingParams"]["M"]["chunk_size"] = {"N": "300"}
            edited = item["SK"]["S"].rpartition("#")[2]
    library.save()

    result = migration.apply(tmp_path / "plan", expect=4)
    assert re.search(rf"skipped +{edited} +Pilots .*edited after the plan", result.stdout)
    rows = migration.rows()
    assert rows == [row for row in undisturbed if row[0] != edited]
    migration.assert_whole(rows)

    migration.apply(expect=0)
    assert edited in migration.marks()


def test_a_bot_edited_while_the_run_works_is_skipped(migration, library, provider):
    """Each bot is read again at its turn; the oldest has the last one."""
    provider.change(latency_ms=100)
    process = migration.start("--workers", "1")
    while not provider.stats()["calls"]:
        time.sleep(0.02)
    for item in library.items:
        if item["Title"] == {"S": "Almanac"}:
            item["EmbeddingParams"]["M"]["chunk_size"] = {"N": "300"}
    # As a whole: a reader must not find half of a file.
    whole = library.folder / "whole.json"
    catalogue, library.catalogue = library.catalogue, whole
    library.save()
    whole.rename(catalogue)
    stdout, stderr = process.communicate(timeout=120)
    assert process.returncode == 4, stderr
    assert re.search(r"skipped +\w+ +Almanac .*edited after the plan", stdout)
    migration.assert_whole()
    assert len(migration.marks()) == 3


@pytest.mark.parametrize("mended", [True, False], ids=["for a moment", "for good"])
def test_a_catalogue_written_in_place_does_not_end_the_run(migration, undisturbed, library, provider, mended):
    """A worker that is busy goes on; what cannot be read again is skipped with the reason."""
    provider.change(latency_ms=100)
    process = migration.start("--workers", "1")
    while not provider.stats()["calls"]:
        time.sleep(0.02)
    whole = library.catalogue.read_bytes()
    library.catalogue.write_bytes(whole[: len(whole) // 2])
    if mended:
        time.sleep(4)
        library.catalogue.write_bytes(whole)
    stdout, stderr = process.communicate(timeout=120)
    if mended:
        assert process.returncode == 0, stderr
        migration.assert_complete(undisturbed)
        return
    assert process.returncode == 4, stderr
    assert len(migration.marks()) == 1
    assert len(re.findall(r"^skipped .*bots.json", stdout, re.MULTILINE)) == 3, stdout
    library.catalogue.write_bytes(whole)
    provider.change(latency_ms=0)
    migration.apply()
    migration.assert_complete(undisturbed)
    assert migration.paid_again() == 0


@pytest.mark.parametrize("command", ["apply", "apply --dry-run"])
def test_a_plan_for_another_store_changes_nothing(migration, server, tmp_path, command):
    migration.plan("-o", tmp_path / "plan")
    other = server.new_database(template="with_vector")
    url = server.url(other)
    made = migration.program("store", "create", "--new-store", url, "--vector-dimensions", str(DIMENSIONS))
    assert made.status == 0
    before = migration.calls()
    result = migration.run(
        *command.split(), "--yes", "--config", migration.conf, "--new-store", url, tmp_path / "plan", expect=3
    )
    assert "was made for another store" in one_error(result)
    assert migration.calls() == before
    assert server.execute("SELECT count(*) FROM items", database=other) == [(0,)]
    assert server.execute("SELECT count(*) FROM pg_tables WHERE tablename = 'mark'", database=other) == [(1,)]
    server.drop_database(other)


# --- tables that are not the guide's ------------------------------------------------------


MAPPED = {
    "uuid key, text bot": (
        """CREATE SCHEMA app;
           CREATE TABLE app."Chunk Store" (
               key uuid PRIMARY KEY DEFAULT gen_random_uuid(), "Bot" text NOT NULL, origin text, body text NOT NULL,
               made timestamptz NOT NULL DEFAULT now(), vec vector({dims}) NOT NULL)""",
        'app.Chunk Store',
        {"bot": '"Bot"', "source": "origin", "text": "body", "vector": "vec", "table": 'app."Chunk Store"'},
        {"id_column": "", "bot_column": "Bot", "source_column": "origin", "text_column": "body", "vector_column": "vec"},
    ),
    "ULID key, halfvec": (
        "CREATE TABLE halves (ulid text PRIMARY KEY, bot varchar(40), src varchar, txt text, half halfvec({dims}))",
        "halves",
        {"bot": "bot", "source": "src", "text": "txt", "vector": "half", "table": "halves"},
        {"id_column": "ulid", "bot_column": "bot", "source_column": "src", "text_column": "txt", "vector_column": "half"},
    ),
    "identity key, no length": (
        """CREATE TABLE loose (n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, botid char(26), source text,
                               content text, embedding vector)""",
        "loose",
        {"table": "loose", "bot": "botid", "source": "source", "text": "content", "vector": "embedding"},
        {"id_column": ""},
    ),
}  # fmt: skip


def assert_near_vectors(rows):
    """As near as 16 bits can be."""
    for _, _, content, vector in rows:
        there = struct.unpack(f">{DIMENSIONS}f", bytes.fromhex(vector)[4:])
        for number, expected in zip(there, expected_vector(content, DIMENSIONS), strict=True):
            assert abs(number - expected) < 1e-3


@pytest.mark.parametrize("kind", MAPPED)
def test_any_table_can_be_mapped(vecferry, database, library, provider, undisturbed, kind):
    schema, table, names, mapping = MAPPED[kind]
    database.execute(schema.format(dims=DIMENSIONS))
    migration = Migration(
        vecferry, database, library, provider, make_store=False, new_store={"table": table, **mapping}
    )
    migration.apply()
    calls = migration.calls()
    rows = rows_of(database, names)
    if "halfvec" in kind:
        assert [row[:3] for row in rows] == [row[:3] for row in undisturbed]
        assert_near_vectors(rows)
    else:
        assert rows == undisturbed
    migration.apply()
    assert migration.calls() == calls, "it knows its rows again"


def test_a_uuid_bot_column_refuses_other_ids(vecferry, database, library, provider):
    """ULIDs are no UUIDs: said before anything is spent."""
    database.execute(
        f"CREATE TABLE items (id text PRIMARY KEY, botid uuid, content text, source text, embedding vector({DIMENSIONS}))"
    )
    migration = Migration(vecferry, database, library, provider, make_store=False)
    result = migration.apply(expect=4)
    assert result.stdout.count('takes no rows of bot') == 4
    assert provider.stats()["texts_billed"] == 0
    assert database.execute("SELECT count(*) FROM items") == [(0,)]


def test_bots_with_uuids_fit_a_uuid_column(vecferry, database, knowledge):
    database.execute("CREATE TABLE items (id text, botid uuid, content text, source text, embedding vector(1024))")
    knowledge.items.clear()
    user, bot = user_id("ana"), user_id("a bot with a UUID")
    knowledge.file(user, bot, "note.txt", "Bots of other programs have UUIDs.\n")
    knowledge.add(
        PK=user, SK=f"{user}#BOT#{bot}", Title="UUID", Description="", Instruction="", CreateTime=1, LastBotUsed=1,
        IsPinned=False, SyncStatus="SUCCEEDED", SyncStatusReason="", LastExecId="",
        Knowledge={"source_urls": [], "sitemap_urls": [], "filenames": ["note.txt"]},
    )  # fmt: skip
    migration = Migration(vecferry, database, knowledge, make_store=False)
    migration.apply()
    migration.assert_whole()
    assert [row[0] for row in migration.rows()] == [bot]
    assert "1 keep" in migration.plan().stdout


# --- signals ------------------------------------------------------------------------------


@pytest.mark.threads
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_loses_nothing(migration, undisturbed, provider, number):
    provider.change(script="ok*12,stall*", slow_ms=60_000)
    process = migration.start()
    while provider.stats()["calls"] < 14:
        time.sleep(0.02)
    begin = time.monotonic()
    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=30)
    seconds = time.monotonic() - begin
    assert process.returncode == 130, stdout + stderr
    assert seconds < 2
    assert "the same command goes on from here" in stderr

    staged = migration.staged()
    assert 0 < staged + len(migration.rows())
    provider.change(script="")
    migration.apply()
    migration.assert_complete(undisturbed)


# --- a machine at its limits ------------------------------------------------------------------

# Stands before the C library's own function and refuses after so many.
FEW_THREADS = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*body)(void *), void *data)
{
    static int made;
    int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *) = dlsym(RTLD_NEXT, "pthread_create");
    return made++ < atoi(getenv("MOST_THREADS")) ? real(thread, attributes, body, data) : EAGAIN;
}
"""


@pytest.fixture
def few_threads(tmp_path):
    """Number → the environment in which a process gets no more threads than so many."""
    if shutil.which("cc") is None:
        pytest.skip("needs a C compiler")
    if "VECFERRY_SANITIZER_LOGS" in os.environ:
        pytest.skip("sanitizers stand there themselves")
    library = tmp_path / "few_threads.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-xc", "-", "-o", library], input=FEW_THREADS, text=True, check=True)
    return lambda most: {"LD_PRELOAD": str(library), "MOST_THREADS": str(most)}


@pytest.mark.parametrize("most", [0, 1])
def test_plan_looks_at_pages_without_threads(migration, library, few_threads, most):
    for number in range(3):
        library.bot(f"Page {number}", urls=[f"http://127.0.0.1:1/{number}"])
    plan = json.loads(migration.plan("--json", env=few_threads(most)).stdout)
    actions = [bot["action"] for bot in plan["bots"] if bot["title"].startswith("Page")]
    assert actions == ["blocked"] * 3


@pytest.mark.parametrize("most", [0, 1, 2, 3])
def test_too_few_threads_are_an_error_and_not_a_hang(migration, undisturbed, few_threads, most):
    """A worker needs three: one watches, one calls, one reads."""
    process = migration.start("--attempts", "1", env=few_threads(most))
    stdout, stderr = process.communicate(timeout=60)
    if most == 3:
        assert process.returncode == 0, stdout + stderr
        migration.assert_complete(undisturbed)
    else:
        assert process.returncode == 4, stdout + stderr
        assert "could not start a thread: " in stdout
        assert migration.tokens_billed() == 0
