"""Somebody else has locked the table: who waits for whom is told, and nothing is waited for without end."""

import contextlib
import re
import signal
import time

import pytest
from migration import PATIENCE, Migration, end, one_error
from postgres import wait_until

WAITING = r"waiting for a lock on items, held by pid {pid} \(psql\)"


@contextlib.contextmanager
def locked(database, mode="ACCESS EXCLUSIVE"):
    """A forgotten session that holds the table; its pid."""
    with contextlib.closing(database.connect()) as other:
        other.autocommit = False
        cursor = other.cursor()
        cursor.execute("SET application_name = 'psql'")
        cursor.execute(f"LOCK TABLE items IN {mode} MODE")
        cursor.execute("SELECT pg_backend_pid()")
        yield cursor.fetchone()[0]
        other.rollback()


class Heard:
    """What a started program said on stderr so far."""

    def __init__(self, process):
        self.process = process
        self.text = ""

    def until(self, pattern, seconds=20):
        end_s = time.monotonic() + seconds * PATIENCE
        while not re.search(pattern, self.text):
            assert time.monotonic() < end_s, self.text
            line = self.process.stderr.readline()
            assert line, self.text
            self.text += line


@pytest.fixture
def loaded(vecferry, database, knowledge):
    migration = Migration(vecferry, database, knowledge)
    migration.apply()
    return migration


READERS = {
    "plan": ["plan"],
    "verify": ["verify"],
    "ask": ["ask", "--bot", "{bot}", "When does the ferry leave?"],
}


@pytest.mark.parametrize("command", READERS)
def test_a_reader_says_whom_it_waits_for(loaded, command):
    (bot, *_), *_ = loaded.rows()
    arguments = [word.format(bot=bot) for word in READERS[command]]
    with locked(loaded.database) as pid:
        process = loaded.program.start(*arguments, "--config", loaded.conf)
        Heard(process).until(WAITING.format(pid=pid))
    status, stdout, stderr = end(process)
    assert status == 0, stderr
    assert stdout
    assert "waiting" not in stderr


@pytest.mark.parametrize("command", READERS)
def test_a_reader_does_not_wait_without_end(loaded, command):
    (bot, *_), *_ = loaded.rows()
    arguments = [word.format(bot=bot) for word in READERS[command]]
    with locked(loaded.database) as pid:
        result = loaded.program(*arguments, "--config", loaded.conf, "--lock-timeout", "4", timeout=30 * PATIENCE)
    assert result.status == 1, result
    assert one_error(result).endswith(f"waited in vain for a lock on items, held by pid {pid} (psql)")
    assert "hint: end the session that has the lock, or wait for its end (--lock-timeout)" in result.stderr


def test_a_reader_that_waits_can_be_interrupted(loaded):
    with locked(loaded.database) as pid:
        process = loaded.program.start("plan", "--config", loaded.conf)
        Heard(process).until(WAITING.format(pid=pid))
        process.send_signal(signal.SIGINT)
        assert end(process, 5)[0] == 130


@pytest.mark.threads
def test_whoever_applies_sees_why_nothing_moves(migration, undisturbed):
    with locked(migration.database, "ROW EXCLUSIVE") as pid:
        process = migration.start("--workers", "1")
        heard = Heard(process)
        heard.until(r"note: \w+: " + WAITING.format(pid=pid))
        # It waits for less than it has to, again and again, but tells once.
        time.sleep(6)
    status, stdout, stderr = end(process)
    assert status == 0, stdout + stderr
    assert "waiting for a lock" not in stderr
    migration.assert_complete(undisturbed)


def test_an_index_that_must_wait_is_left_to_the_next_apply(migration, undisturbed):
    """The rows are all there by then."""
    index = "SELECT count(*) FROM pg_indexes WHERE indexname = 'idx_items_embedding'"
    migration.apply(env={"VECFERRY_FAULT": "inside-index"}, expect=-signal.SIGKILL)
    waits = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    assert wait_until(lambda: migration.database.execute(waits) == [(0,)], 10)
    with locked(migration.database, "ROW EXCLUSIVE") as pid:
        result = migration.apply("--lock-timeout", "4")
    assert f"held by pid {pid} (psql)" in result.stderr
    assert "the next apply tries again" in result.stderr
    migration.apply()
    assert migration.database.execute(index) == [(1,)]
    migration.assert_complete(undisturbed)
