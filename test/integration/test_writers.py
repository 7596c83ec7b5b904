"""
Several writers at one bot: never a row twice, and in the end one complete set of rows.

The other writer is Bedrock Chat's container (servers/guide_container.py), which deletes
a bot's rows and inserts new ones in one transaction, without any lock of ours; or a
second run of our own, whose state folder knows nothing of the first.
"""

import contextlib
import os
import signal
import threading
import time
from collections import Counter

import guide_container
import psycopg2
import pytest
from migration import DIMENSIONS, PATIENCE, end, workers_of
from postgres import wait_until
from program import Program

ROWS_OF_THE_CONTAINER = 12


class Container(threading.Thread):
    """The guide's container at one bot, which stops at named steps until it is told to go on."""

    def __init__(self, database, bot, stop_at=()):
        super().__init__(daemon=True)
        self.url = database.url
        self.bot = bot
        self.stop_at = set(stop_at)
        self.reached = {step: threading.Event() for step in self.stop_at}
        self.go_on = {step: threading.Event() for step in self.stop_at}
        self.error = None

    def tell(self, step):
        name = step.split()[0] if step.startswith("deleted") else step
        if name in self.stop_at:
            self.reached[name].set()
            assert self.go_on[name].wait(60 * PATIENCE)

    def run(self):
        rows = list(
            guide_container.made_rows(self.bot, ROWS_OF_THE_CONTAINER, "s3://container", DIMENSIONS, "container")
        )
        try:
            guide_container.replace_rows(self.url, self.bot, rows, tell=self.tell)
        except psycopg2.Error as error:
            self.error = error

    def wait(self):
        self.join(60 * PATIENCE)
        assert not self.is_alive()
        assert self.error is None, self.error


@pytest.fixture
def logbook(migration):
    for item in migration.knowledge.items:
        if item["Title"] == {"S": "Logbook"}:
            return item["SK"]["S"].rpartition("#")[2]
    raise AssertionError


def whose_rows(migration, undisturbed, bot):
    """The one writer whose complete set the bot's rows are."""
    rows = [row for row in migration.rows() if row[0] == bot]
    assert not [row for row, times in Counter(rows).items() if times > 1]
    if rows == [row for row in undisturbed if row[0] == bot]:
        return "ours"
    assert {source for _, source, *_ in rows} == {"s3://container"}
    assert len(rows) == ROWS_OF_THE_CONTAINER
    return "container's"


def waits_for_the_table(migration):
    """Our worker stands before the table's lock."""
    waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'items'::regclass"
    return wait_until(lambda: migration.database.execute(waits)[0][0] > 0, 30 * PATIENCE)


@pytest.mark.parametrize("step", ["deleted", "inserted 1", "inserted 12"])
@pytest.mark.parametrize("old_rows", [False, True], ids=["empty store", "old rows"])
def test_the_container_is_at_it_when_our_worker_comes(migration, undisturbed, logbook, step, old_rows):
    """It deleted, and perhaps inserted; our worker waits for it, and what it committed goes."""
    if old_rows:
        migration.apply("--bot", logbook, "--splitter", "latest")
    container = Container(migration.database, logbook, [step])
    container.start()
    assert container.reached[step].wait(30 * PATIENCE)
    process = migration.start("--bot", logbook)
    assert waits_for_the_table(migration)
    time.sleep(0.2)
    container.go_on[step].set()
    container.wait()
    status, stdout, stderr = end(process)
    assert status == 0, stdout + stderr
    assert whose_rows(migration, undisturbed, logbook) == "ours"


def test_a_container_that_takes_long_is_waited_for(migration, undisturbed, logbook):
    """Longer than one wait for the lock; other bots of the application are not held up for all that time."""
    container = Container(migration.database, logbook, ["deleted"])
    container.start()
    assert container.reached["deleted"].wait(30 * PATIENCE)
    process = migration.start("--bot", logbook)
    assert waits_for_the_table(migration)
    time.sleep(6)
    container.go_on["deleted"].set()
    container.wait()
    status, stdout, stderr = end(process)
    assert status == 0, stdout + stderr
    assert whose_rows(migration, undisturbed, logbook) == "ours"
    assert migration.paid_again() == 0


# Workers stop at their inserted rows while somebody holds the lock 42; those of others pass.
STOP_AT_INSERTS = """
    CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF current_setting('application_name') LIKE 'vecferry-%' AND {rows} THEN
            PERFORM pg_advisory_xact_lock(42);
        END IF;
        RETURN NULL;
    END $$;
    CREATE TRIGGER stop AFTER INSERT ON items FOR EACH ROW EXECUTE FUNCTION stop()"""
STOPPED = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"


@pytest.fixture
def slow_replacement(migration):
    """Makes the transaction that replaces rows stop after its first row, until it is told to go on."""
    # Not for the made-up row with which a worker tries the table.
    migration.database.execute(STOP_AT_INSERTS.format(rows="NEW.content <> NEW.source"))
    with contextlib.closing(migration.database.connect()) as holder:
        holder.cursor().execute("SELECT pg_advisory_lock(42)")
        yield holder


def test_the_container_comes_in_the_middle_of_our_replacement(migration, undisturbed, logbook, slow_replacement):
    """Its DELETE waits for our commit, then removes our rows and leaves its own set."""
    process = migration.start("--bot", logbook)
    assert wait_until(lambda: migration.database.execute(STOPPED)[0][0] > 0, 30 * PATIENCE)
    container = Container(migration.database, logbook)
    container.start()
    assert waits_for_the_table(migration)
    slow_replacement.cursor().execute("SELECT pg_advisory_unlock(42)")
    container.wait()
    status, stdout, stderr = end(process)
    assert status == 0, stdout + stderr
    assert whose_rows(migration, undisturbed, logbook) == "container's"
    # The next plan sees rows that its mark does not vouch for.
    assert "1 embed" in migration.plan("--bot", logbook).stdout
    migration.apply("--bot", logbook)
    assert whose_rows(migration, undisturbed, logbook) == "ours"


def test_the_container_comes_after_us(migration, undisturbed, logbook):
    migration.apply("--bot", logbook)
    container = Container(migration.database, logbook)
    container.start()
    container.wait()
    assert whose_rows(migration, undisturbed, logbook) == "container's"


def test_readers_never_see_half_a_bot(migration, undisturbed, logbook):
    """While rows are replaced again and again a reader sees one complete set or the other."""
    migration.apply("--bot", logbook)
    counts = Counter()
    stopping = threading.Event()

    def read():
        with contextlib.closing(migration.database.connect()) as reader:
            while not stopping.is_set():
                cursor = reader.cursor()
                cursor.execute("SELECT count(*), count(DISTINCT content) FROM items WHERE botid = %s", (logbook,))
                counts[cursor.fetchone()] += 1

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    sizes = set()
    for splitter in ("latest", "guide", "newlines", "guide"):
        migration.apply("--bot", logbook, "--splitter", splitter)
        sizes.add(len(migration.rows()))
    stopping.set()
    thread.join()
    assert {count for count, _ in counts} <= sizes
    assert all(count == distinct for count, distinct in counts)
    assert sum(counts.values()) > 50


@pytest.mark.parametrize("number", range(3))
def test_both_at_once_leave_one_complete_set(migration, undisturbed, logbook, number):
    """Without any order: containers come one after the other while our run works."""
    stopping = threading.Event()
    failures = []

    def come_again():
        while not stopping.is_set():
            container = Container(migration.database, logbook)
            container.start()
            container.join(60)
            if container.error is not None:
                failures.append(container.error)

    others = [threading.Thread(target=come_again, daemon=True) for _ in range(2)]
    for other in others:
        other.start()
    result = migration.apply(expect=(0, 4))
    stopping.set()
    for other in others:
        other.join()
    assert not failures
    rest = [row for row in migration.rows() if row[0] != logbook]
    assert rest == [row for row in undisturbed if row[0] != logbook], result.stdout
    # Two containers at once may leave both their sets: that is theirs, and we cannot help it.
    ours = [row for row in migration.rows() if row[0] == logbook and row[1] != "s3://container"]
    assert ours in ([], [row for row in undisturbed if row[0] == logbook])
    migration.apply()
    migration.assert_complete(undisturbed)


# --- two runs of ours -------------------------------------------------------------------------


class Rival:
    """Another machine's vecferry with the same configuration, but with a state folder of its own."""

    def __init__(self, migration, folder):
        self.program = Program(folder)
        self.conf = migration.conf

    def start(self, *options):
        return self.program.start("apply", "--yes", "--config", self.conf, *options)


@pytest.fixture
def rival(migration, tmp_path):
    rival = Rival(migration, tmp_path / "rival")
    yield rival
    rival.program.end()


@pytest.mark.threads
def test_two_runs_share_the_bots(migration, undisturbed, provider, rival):
    """What one has, the other leaves alone; a bot that the other finished is not embedded again."""
    provider.change(latency_ms=30)
    both = [rival.start("--attempts", "9"), migration.start("--attempts", "9")]
    ends = [end(process) for process in both]
    assert [status for status, *_ in ends] == [0, 0], ends
    migration.assert_complete(undisturbed)
    assert migration.paid_again() == 0


def test_a_bot_that_the_other_run_has_fails_with_the_reason(migration, undisturbed, provider, rival, logbook):
    provider.change(script="ok*2,stall*2", slow_ms=600_000)
    process = rival.start("--bot", logbook)
    assert wait_until(lambda: provider.stats()["calls"] >= 3, 30 * PATIENCE)
    result = migration.apply("--bot", logbook, expect=4)
    assert f'another worker is at bot "{logbook}"' in result.stdout
    assert workers_of(process)
    process.kill()
    process.communicate()
    migration.apply()
    migration.assert_complete(undisturbed)


def test_stale_plans_do_not_pay_again(migration, undisturbed, provider, rival):
    """The second run made its plan before the first one had finished; its own bots come later."""
    provider.change(latency_ms=60)
    first = migration.start()
    assert wait_until(lambda: provider.stats()["calls"] >= 2, 30 * PATIENCE)
    second = rival.start("--workers", "1", "--attempts", "9")
    assert end(first)[0] == 0
    status, stdout, stderr = end(second)
    assert status == 0, stdout + stderr
    migration.assert_complete(undisturbed)
    assert migration.paid_again() == 0


def test_a_bot_whose_rows_went_after_the_other_run_loaded_it(migration, undisturbed, provider, rival, logbook):
    """Before its turn: the other run's mark is newer than the plan, but somebody has deleted the rows."""
    other = next(bot for bot, *_ in undisturbed if bot != logbook)
    provider.change(latency_ms=60)
    process = migration.start("--workers", "1", "--bot", logbook, "--bot", other)
    assert wait_until(lambda: provider.stats()["calls"] >= 2, 30 * PATIENCE)
    (worker,) = workers_of(process)
    os.kill(worker, signal.SIGSTOP)
    status, stdout, stderr = end(rival.start("--bot", other))
    assert status == 0, stdout + stderr
    migration.database.execute("DELETE FROM items WHERE botid = %s", (other,))
    os.kill(worker, signal.SIGCONT)
    status, stdout, stderr = end(process)
    assert status == 0, stdout + stderr
    assert migration.rows() == [row for row in undisturbed if row[0] in (logbook, other)]


def test_a_bot_whose_rows_went_before_our_worker_looked(migration, undisturbed, logbook):
    """Between its turn and its worker, which is held up by the made-up row with which it tries the table."""
    migration.apply("--bot", logbook)
    migration.database.execute("DELETE FROM items")
    with contextlib.closing(migration.database.connect()) as holder:
        holder.cursor().execute("SELECT pg_advisory_lock(42)")
        migration.database.execute(STOP_AT_INSERTS.format(rows="NEW.content = NEW.source"))
        process = migration.start("--bot", logbook)
        assert wait_until(lambda: migration.database.execute(STOPPED)[0][0] > 0, 30 * PATIENCE)
        migration.database.execute("UPDATE vecferry.mark SET worker = 'of another run', marked = clock_timestamp()")
    status, stdout, stderr = end(process)
    assert status == 0, stdout + stderr
    assert migration.rows() == [row for row in undisturbed if row[0] == logbook]
