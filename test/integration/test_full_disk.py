"""The new store's own disk is full: told with the remedy, and nothing is lost once there is room."""

import contextlib
import pathlib
import re
import shutil
import signal
import subprocess
import time
from collections import Counter

import pytest
from conftest import Database
from migration import CALLS, PATIENCE, TEXTS_OF_A_CALL, WORKERS, Migration, end, one_error
from postgres import Postgres, wait_until
from program import Result

FULL_DISK = pathlib.Path(__file__).parent / "servers/full_disk.c"


class SmallServer(Postgres):
    """A server whose disk is full whenever a test says so."""

    def make(self):
        super().make()
        library = self.folder / "full_disk.so"
        subprocess.run(["cc", "-shared", "-fPIC", "-o", library, FULL_DISK], check=True)
        self.variables = {"LD_PRELOAD": str(library), "FULL_DISK": str(self.folder / "full")}

    @contextlib.contextmanager
    def full(self, what):
        """No room for "tables" or "wal"."""
        flag = self.folder / f"full.{what}"
        flag.touch()
        try:
            yield
        finally:
            flag.unlink()


@pytest.fixture(scope="module")
def small_server():
    if shutil.which("cc") is None:
        pytest.skip("needs a C compiler")
    with SmallServer() as server:
        yield server


@pytest.fixture
def small(vecferry, small_server, library, provider):
    """The library on its way into that server."""
    database = Database(small_server, small_server.new_database())
    yield Migration(vecferry, database, library, provider)
    small_server.drop_database(database.name)


def wait_for_calls(migration, process, count):
    assert wait_until(lambda: migration.calls() >= count or process.poll() is not None, 60 * PATIENCE)
    assert process.poll() is None, process.communicate()


def full_disk_error(result):
    """The one error, with its remedy."""
    assert result.status in (1, 4), result
    error = one_error(result)
    assert error.endswith(": No space left on device"), error
    assert "\nhint: the server's disk is full: make room there, then run the same command again\n" in result.stderr
    return error


def test_full_tables_stop_the_run(small, small_server, provider, undisturbed):
    provider.change(latency_ms=40)
    process = small.start()
    wait_for_calls(small, process, 6)
    begin = time.monotonic()
    with small_server.full("tables"):
        result = Result(*end(process))
        assert time.monotonic() - begin < 20 * PATIENCE
        assert "could not extend file" in full_disk_error(result)
        assert "trying again" not in result.stderr
        assert re.search(r"^failed .*No space left on device", result.stdout, re.MULTILINE), result.stdout
        assert re.search(r"^skipped .*the run was stopped: ", result.stdout, re.MULTILINE), result.stdout
        assert set(small.rows()) <= set(undisturbed)

        # Whoever tries again before there is room hears the same.
        full_disk_error(small.apply(expect=(1, 4)))
    small.apply()
    small.assert_complete(undisturbed)
    assert small.paid_again() <= 2 * WORKERS * (2 * CALLS + 1) * TEXTS_OF_A_CALL


def test_a_full_disk_under_the_index(small, small_server, undisturbed):
    """The rows are there by then, and the next apply makes what is left."""
    small.apply(env={"VECFERRY_FAULT": "inside-index"}, expect=-signal.SIGKILL)
    with small_server.full("tables"):
        full_disk_error(small.apply(expect=1))
    assert Counter(small.rows()) == Counter(undisturbed)
    small.apply()
    small.assert_complete(undisturbed)
    valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'idx_items_embedding'::regclass"
    assert small.database.execute(valid) == [(True,)]


def test_a_server_that_falls_down_for_want_of_room_is_waited_for(small, small_server, provider, undisturbed):
    """It cannot write its log, nor recover without, until somebody makes room and starts it again."""
    provider.change(latency_ms=40)
    process = small.start()
    wait_for_calls(small, process, 6)
    with small_server.full("wal"):
        assert wait_until(lambda: "PANIC:  could not write" in small_server.log.read_text(), 30 * PATIENCE)
        time.sleep(1)
    small_server.restart("kill9")
    result = Result(*end(process))
    if result.status != 0:
        full_disk_error(result)
        small.apply()
    small.assert_complete(undisturbed)
    assert small.paid_again() <= WORKERS * (2 * CALLS + 1) * TEXTS_OF_A_CALL


def test_a_server_that_fell_down_for_want_of_room_is_told_as_such(small, small_server, provider, undisturbed):
    """Not as one that nobody reaches, and not after minutes: nobody but a person starts it again."""
    provider.change(latency_ms=40)
    process = small.start()
    wait_for_calls(small, process, 6)
    begin = time.monotonic()
    with small_server.full("wal"):
        result = Result(*end(process, 200))
        assert time.monotonic() - begin < 60 * PATIENCE
    small_server.restart("kill9")
    full_disk_error(result)
    small.apply()
    small.assert_complete(undisturbed)


def test_a_server_that_is_away_is_waited_for_aloud(migration, server, provider, undisturbed):
    provider.change(latency_ms=40)
    process = migration.start()
    wait_for_calls(migration, process, 6)
    server.stop("immediate")
    time.sleep(8)
    server.start()
    status, _, stderr = end(process, 120)
    assert status == 0, stderr
    assert re.search(r"note: \w+: could not connect to database .*; waiting for it", stderr), stderr
    migration.assert_complete(undisturbed)
