"""
migration.py - a whole migration in a test: bots, a provider, a store, and the proof.

    with Provider(dims=DIMENSIONS) as provider:
        migration = Migration(vecferry, database, library, provider)
        migration.apply(expect=0)
        migration.assert_complete(undisturbed)

The proof compares with an undisturbed run: the same rows, bit for bit, but for their
ids; each vector the one that the provider has for the text; nothing staged, and a mark
for every bot.
"""

import contextlib
import hashlib
import os
import pathlib
import re
import signal
import sqlite3
import struct
import sys
import time
from collections import Counter

import documents
from postgres import children_of, is_running, wait_until

sys.path.insert(0, str(pathlib.Path(__file__).parent / "servers"))

import provider as provider_server  # noqa: E402
from provider import expected_vector  # noqa: E402

DIMENSIONS = 64
MODEL = "text-embedding-3-small"
KEY = "sk-kept-to-ourselves-0123456789"

# Little enough that a bot takes many calls.
TEXTS_OF_A_CALL = 4
CALLS = 2
WORKERS = 2
PATIENCE = float(os.environ.get("VECFERRY_PATIENCE") or 1)

ROWS = """SELECT btrim({bot}::text), {source}, {text}, encode(vector_send({vector}::vector), 'hex')
          FROM {table} ORDER BY 1, 2, 3, 4"""
GUIDE = {"table": "items", "bot": "botid", "source": "source", "text": "content", "vector": "embedding"}


def fill_library(knowledge):
    """Four bots of three people, a hundred chunks in five formats; no text appears twice."""

    def lines(name, count):
        return list(documents.sentences(name, count))

    small = {"size": (200, 20)}
    knowledge.bot("Almanac", files={f"year{n}.txt": documents.text(lines(f"year{n}", 18)) for n in range(3)}, **small)
    knowledge.bot(
        "Pilots", user="ben",
        files={
            "pilots.html": documents.html_page("Pilots", lines("the pilots", 20)),
            "signals.md": documents.markdown("Signals", lines("the signals", 20)),
        },
        **small,
    )  # fmt: skip
    knowledge.bot(
        "Charts", user="cleo",
        files={"charts.docx": documents.docx(lines("the charts", 20)), "soundings.pdf": documents.pdf(lines("depth", 24))},
        **small,
    )  # fmt: skip
    knowledge.bot("Logbook", user="ben", files={"log.txt": documents.text(lines("the log", 60))}, **small)
    knowledge.bot("Small talk")
    return knowledge


def rows_of(database, columns=None):
    return database.execute(ROWS.format(**(columns or GUIDE)))


class Migration:
    """One knowledge on its way into one store."""

    def __init__(self, program, database, knowledge, provider=None, *, make_store=True, **sections):
        self.program = program
        self.database = database
        self.knowledge = knowledge
        self.providers = [provider] if provider is not None else []
        self.configure(**sections)
        if make_store:
            self.create_store()

    @property
    def provider(self):
        return self.providers[-1]

    def configure(self, **sections):
        """Writes the configuration anew; sections as of Knowledge.conf()."""
        settings = {"run": {"workers": WORKERS, "calls": CALLS}, "documents": {"bucket": "documents"}}
        if self.providers:
            key = self.knowledge.folder / "key"
            key.touch(0o600)
            key.write_text(f"{self.provider.settings.key}\n")
            settings["embedder"] = {
                "kind": "openai", "endpoint": self.provider.base_url, "model": MODEL,
                "dimensions": DIMENSIONS, "price": 1_000_000, "max_texts": TEXTS_OF_A_CALL, "api_key_file": key,
            }  # fmt: skip
        for name, keys in sections.items():
            settings[name] = settings.get(name, {}) | keys
        self.conf = self.knowledge.conf(self.database.url, **settings)

    def create_store(self):
        dimensions = DIMENSIONS if self.providers else 1024
        made = self.program(
            "store", "create", "--new-store", self.database.url, "--vector-dimensions", str(dimensions)
        )
        assert made.status == 0, made.stderr

    # -- running -----------------------------------------------------------------------

    def plan(self, *options, expect=0, env=None):
        return self.run("plan", "--config", self.conf, *options, expect=expect, env=env)

    def apply(self, *options, expect=0, env=None):
        """Runs `vecferry apply --yes` to its end.  expect: exit statuses that are right."""
        return self.run("apply", "--yes", "--config", self.conf, *options, expect=expect, env=env)

    def run(self, *arguments, expect, env=None):
        expected = expect if isinstance(expect, tuple) else (expect,)
        result = self.program(*arguments, env=env, timeout=120 * PATIENCE)
        assert result.status in expected, f"exit status {result.status}\n{result.stdout}\n{result.stderr}"
        return result

    def start(self, *options, env=None):
        """Starts `vecferry apply --yes`; a Popen."""
        return self.program.start("apply", "--yes", "--config", self.conf, *options, env=env)

    def restart_provider(self, pause=0.0):
        """Ends the provider as a crash would, and brings one up at the same address."""
        old = self.provider
        old.stop()
        time.sleep(pause)
        settings = {name: value for name, value in vars(old.settings).items()}
        self.providers.append(provider_server.Provider(old.port, **settings).start())

    # -- looking -----------------------------------------------------------------------

    def rows(self):
        return rows_of(self.database)

    def staged(self):
        return self.database.execute("SELECT count(*) FROM vecferry.staged")[0][0]

    def marks(self):
        """Bot → (rows, complete)."""
        found = self.database.execute("SELECT bot, rows, complete FROM vecferry.mark")
        return {bot: (rows, complete) for bot, rows, complete in found}

    def times_billed(self):
        total = Counter()
        for provider in self.providers:
            total.update(provider.times_billed())
        return total

    def paid_again(self):
        """How many texts were paid for more than once; one paid three times counts twice."""
        return sum(times - 1 for times in self.times_billed().values())

    def held(self):
        """The texts that the store has with their vectors, by SHA-256: staged or loaded.  Waits for dead sessions."""
        ours = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'vecferry%' AND datname = current_database()"
        assert wait_until(lambda: self.database.execute(ours) == [(0,)], 10 * PATIENCE)
        there = self.database.execute("SELECT to_regclass('vecferry.staged') IS NOT NULL")[0][0]
        staged = self.database.execute("SELECT content FROM vecferry.staged") if there else []
        texts = [content for (content,) in staged] + [content for _, _, content, _ in self.rows()]
        return {hashlib.sha256(text.encode()).hexdigest() for text in texts}

    def resume(self, undisturbed, *options):
        """Runs apply again; it pays once for each text that the store has not got, and for no other."""
        missing = {hashlib.sha256(content.encode()).hexdigest() for _, _, content, _ in undisturbed} - self.held()
        # Calls of the dead are answered, too, and billed.
        assert wait_until(lambda: self.provider.account.in_flight() == 0, 10 * PATIENCE)
        time.sleep(0.1)
        before = self.times_billed()
        self.apply(*options)
        assert self.times_billed() - before == Counter(missing)
        self.assert_complete(undisturbed)

    def tokens_billed(self):
        return sum(provider.stats()["tokens_billed"] for provider in self.providers)

    def calls(self):
        return sum(provider.stats()["calls"] for provider in self.providers)

    # -- the proof ---------------------------------------------------------------------

    def assert_complete(self, undisturbed):
        """The store is what an undisturbed run leaves behind."""
        rows = self.rows()
        assert Counter(rows) == Counter(undisturbed)
        self.assert_whole(rows)
        assert {bot for bot, *_ in rows} == set(self.marks())

    def assert_whole(self, rows=None):
        """No row twice, no vector wrong, nothing staged, and every bot as its mark says."""
        rows = self.rows() if rows is None else rows
        assert not [row for row, times in Counter(rows).items() if times > 1]
        if self.providers:
            assert_true_vectors(rows)
        assert self.staged() == 0
        counts = Counter(bot for bot, *_ in rows)
        assert {bot: (count, True) for bot, count in counts.items()} == self.marks()

    def assert_nothing_written(self):
        """Neither rows nor marks: as if the command had never run."""
        assert self.rows() == []
        there = self.database.execute("SELECT to_regclass('vecferry.mark') IS NOT NULL")[0][0]
        assert not there or self.marks() == {}


def assert_true_vectors(rows):
    """Every vector is bit for bit the one that the provider has for the text."""
    for _, _, content, vector in rows:
        dimensions = struct.pack(">HH", DIMENSIONS, 0)
        assert bytes.fromhex(vector) == dimensions + struct.pack(
            f">{DIMENSIONS}f", *expected_vector(content, DIMENSIONS)
        ), content


def spent_by_the_meter(migration):
    """What the run's file says."""
    (meter,) = migration.program.state.rglob("*.meter")
    with contextlib.closing(sqlite3.connect(meter)) as database:
        return database.execute("SELECT spent / 1000000000000 FROM meter").fetchone()[0]


def fault_points(program):
    return program("fault-points").stdout.split()


def workers_of(process):
    """The processes of the workers of a running apply."""
    return [pid for pid in children_of(process.pid) if "embed" in command_line(pid)]


def command_line(pid):
    try:
        return pathlib.Path("/proc", str(pid), "cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return []


def kill(pid):
    """SIGKILL, and waits until it is dead.  False when it had gone before."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return wait_until(lambda: not is_running(pid), 10)


def end(process, seconds=60):
    """Waits for the end of a started program: status, stdout, stderr."""
    stdout, stderr = process.communicate(timeout=seconds * PATIENCE)
    return process.returncode, stdout, stderr


def one_error(result):
    """The one error line of a failed command; a hint may follow it."""
    lines = [line for line in result.stderr.splitlines() if line.startswith("vecferry: ")]
    assert len(lines) == 1, result.stderr
    assert not re.search(r"Traceback|core dumped|Assertion|GLib-", result.stderr), result.stderr
    return lines[0].removeprefix("vecferry: ")
