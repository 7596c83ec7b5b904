"""
Killed at any instant, the same command ends in the same store as an undisturbed run.

What may be paid for a second time is what was under way when a worker died: each of its
callers has one call in flight or in hand, as many answers wait for the writer, and the
writer has some in its own.  The store keeps up with the provider of these tests, which
takes its time; then the writer's share is one call's, too.  With one text in a call that is
little of what there is to be paid for.

What was under way and what not, provider and store tell together when all are dead: the
resume pays for exactly those texts that the store has not got (Migration.resume).
"""

import contextlib
import hashlib
import os
import random
import re
import signal
import time

import points
import psycopg2
import pytest
from migration import CALLS, PATIENCE, TEXTS_OF_A_CALL, WORKERS, end, fault_points, kill, one_error, workers_of
from postgres import is_running, wait_until

MOST_PAID_AGAIN_BY_A_WORKER = 2 * CALLS + 1

# What a worker's death at its first pass of the point may cost: nothing was sent yet; the first
# call was answered, others are in flight; the first one's vector is staged, others wait for that.
PAID_AGAIN_AT = {"after-reserve": 0, "after-embed": CALLS, "after-stage": 2 * CALLS}


@pytest.fixture
def single_texts(migration):
    """One text in a call, so that a call lost is little of what could be."""
    migration.configure(embedder={"max_texts": 1})


def wait_for_calls(migration, count, process):
    """Until the provider has answered so many calls; what it did meanwhile is the test's affair."""
    assert wait_until(lambda: migration.calls() >= count or process.poll() is not None, 60 * PATIENCE)
    assert process.poll() is None, process.communicate()


def wait_for_workers(process):
    assert wait_until(lambda: len(workers_of(process)) == WORKERS or process.poll() is not None, 60 * PATIENCE)


def test_the_fault_points_are_those(vecferry):
    everybodys = points.APPLY + points.WORKER + points.COPY + points.DEFINITIONS
    assert sorted(fault_points(vecferry)) == sorted(everybodys)


# --- at every fault point -------------------------------------------------------------------


@pytest.mark.parametrize("point", [*points.APPLY, "after-intent:2", "after-launch:3", "before-ledger-done:4"])
def test_apply_dies_and_the_same_command_resumes(migration, undisturbed, provider, single_texts, point):
    provider.change(latency_ms=20)
    migration.apply(env={"VECFERRY_FAULT": point}, expect=-signal.SIGKILL)
    migration.resume(undisturbed)
    index = migration.database.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = 'idx_items_embedding'::regclass")
    assert index == [(True,)]
    # Two work at a time; when the first one's end is heard, the other is in the middle of its bot.
    alone = point in ("after-plan", "inside-index", "after-intent", "before-ledger-done:4")
    assert migration.paid_again() <= (0 if alone else WORKERS * MOST_PAID_AGAIN_BY_A_WORKER)


@pytest.mark.parametrize("point", points.WORKER)
def test_workers_die_and_the_same_command_resumes(migration, undisturbed, provider, single_texts, point):
    """Every worker dies at its first pass, so bots may run out of attempts: told, and nothing is lost."""
    provider.change(latency_ms=20)
    result = migration.apply(env={"VECFERRY_FAULT": point}, expect=0 if point == "after-replace" else 4)
    if point != "after-replace":
        assert "4 failed" in result.stdout
        assert "the worker ended without a word: killed by signal 9" in result.stdout
    migration.resume(undisturbed)
    assert migration.paid_again() <= 3 * 4 * PAID_AGAIN_AT.get(point, 0)


@pytest.mark.parametrize("point", ["after-reserve:5", "after-embed:5", "after-stage:4"])
def test_apply_finishes_the_work_of_workers_that_die(migration, undisturbed, provider, point):
    """A worker that finds its predecessor's vectors has less to do and gets farther, in the same run."""
    provider.change(latency_ms=20)
    result = migration.apply("--calls", "1", "--attempts", "9", env={"VECFERRY_FAULT": point})
    assert "trying again" in result.stderr
    migration.assert_complete(undisturbed)
    deaths = result.stderr.count("trying again")
    assert migration.paid_again() <= deaths * 3 * TEXTS_OF_A_CALL


# --- the store's server dies at every fault point ------------------------------------------


class Hook:
    """Lets the first process that passes the point stand there while the test does its worst."""

    def __init__(self, folder, point):
        self.standing, self.over = folder / "standing", folder / "over"
        self.env = {
            "VECFERRY_FAULT": point,
            "VECFERRY_FAULT_HOOK": f"mkdir {self.standing} 2>/dev/null || exit 0; "
            f"while ! test -e {self.over}; do sleep 0.02; done",
        }

    def wait(self, process):
        there = wait_until(lambda: self.standing.exists() or process.poll() is not None, 60 * PATIENCE)
        assert there and process.poll() is None, process.communicate()

    def go_on(self):
        self.over.touch()


def kill_a_backend(migration, server):
    """A worker's, if there is one; the server then ends all other sessions, too, and recovers."""
    ours = """SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
              ORDER BY application_name LIKE 'vecferry apply%'"""
    victims = migration.database.execute(ours)[:1]
    for (pid,) in victims:
        kill(pid)
    assert wait_until(lambda: answers(migration.database), 60 * PATIENCE)
    assert server.log_end(200).count("was terminated by signal 9") or not victims


def answers(database):
    try:
        return database.execute("SELECT NOT pg_is_in_recovery()") == [(True,)]
    except psycopg2.OperationalError:
        return False


def kill_the_server(_, server):
    server.restart("kill9")


def with_threads(point):
    """Points at which a worker's threads are busy run under ThreadSanitizer, too."""
    busy = ("after-embed", "after-stage")
    return pytest.param(point, marks=pytest.mark.threads) if point in busy else point


@pytest.mark.parametrize("worst", [kill_a_backend, kill_the_server])
@pytest.mark.parametrize("point", map(with_threads, points.APPLY + points.WORKER))
def test_the_server_dies_and_nothing_is_lost(migration, undisturbed, server, tmp_path, point, worst):
    hook = Hook(tmp_path, point)
    process = migration.start(env=hook.env)
    hook.wait(process)
    worst(migration, server)
    hook.go_on()
    status, _, stderr = end(process, 120)
    assert status == 0, stderr
    migration.assert_complete(undisturbed)
    assert migration.paid_again() == 0


# --- in other ways ---------------------------------------------------------------------------


def test_finished_bots_are_not_repeated(migration, undisturbed, provider):
    provider.change(latency_ms=20)
    migration.apply("--workers", "1", env={"VECFERRY_FAULT": "before-ledger-done:2"}, expect=-signal.SIGKILL)
    finished = set(migration.marks())
    assert len(finished) == 2
    calls = len(provider.log())
    migration.apply()
    migration.assert_complete(undisturbed)
    names = {entry for call in provider.log(calls) for entry in call["sha256"]}
    theirs = {sha256(content) for bot, _, content, _ in undisturbed if bot in finished}
    assert not names & theirs
    assert names == {sha256(content) for bot, _, content, _ in undisturbed if bot not in finished}


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


def test_staged_vectors_are_not_paid_for_again(migration, undisturbed, provider):
    """All vectors of a bot are staged, its worker dies before the rows are replaced."""
    migration.apply(env={"VECFERRY_FAULT": "before-replace"}, expect=4)
    assert migration.rows() == []
    assert migration.staged() == len(undisturbed)
    calls = migration.calls()
    migration.apply()
    assert migration.calls() == calls
    migration.assert_complete(undisturbed)


def test_the_old_rows_stand_until_the_new_ones_are_complete(migration, undisturbed, provider):
    """The documents are cut anew; every worker dies in the open transaction, and readers see the old rows."""
    migration.apply()
    migration.apply("--splitter", "latest", "--attempts", "1", env={"VECFERRY_FAULT": "inside-replace"}, expect=4)
    assert migration.rows() == undisturbed


# --- killed from outside ----------------------------------------------------------------------


def test_a_killed_worker_is_replaced_in_the_same_run(migration, undisturbed, provider, single_texts):
    provider.change(latency_ms=40)
    process = migration.start()
    wait_for_calls(migration, 6, process)
    killed = sum(kill(worker) for worker in workers_of(process))
    assert killed == WORKERS
    status, stdout, stderr = end(process)
    assert status == 0, stdout + stderr
    migration.assert_complete(undisturbed)
    assert migration.paid_again() <= killed * MOST_PAID_AGAIN_BY_A_WORKER


def test_a_worker_killed_while_it_waits_for_the_table(migration, undisturbed):
    """Its session outlives it and holds the bot's lock until the server notices."""
    with contextlib.closing(migration.database.connect()) as other:
        other.autocommit = False
        other.cursor().execute("LOCK TABLE items IN ROW EXCLUSIVE MODE")
        process = migration.start("--workers", "1")
        waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'items'::regclass"
        assert wait_until(lambda: migration.database.execute(waits) == [(1,)], 30 * PATIENCE)
        (worker,) = workers_of(process)
        assert kill(worker)
        time.sleep(3)
        other.rollback()
    status, stdout, stderr = end(process)
    assert status == 0, stdout + stderr
    migration.assert_complete(undisturbed)
    assert migration.paid_again() == 0


def test_no_worker_outlives_a_killed_apply(migration, undisturbed, provider, single_texts):
    provider.change(latency_ms=40)
    process = migration.start()
    wait_for_calls(migration, 4, process)
    workers = workers_of(process)
    assert workers
    kill(process.pid)
    process.communicate()
    assert wait_until(lambda: not any(map(is_running, workers)), 5)
    migration.resume(undisturbed)
    assert migration.paid_again() <= WORKERS * MOST_PAID_AGAIN_BY_A_WORKER


@pytest.mark.threads
def test_lost_sessions_are_survived(migration, undisturbed, provider):
    """pg_terminate_backend of all sessions of the program, again and again."""
    provider.change(latency_ms=40)
    process = migration.start("--attempts", "9")
    terminated = 0
    for calls in (3, 8, 14):
        wait_for_calls(migration, calls, process)
        terminated += len(terminate_sessions(migration.database))
    status, stdout, stderr = end(process)
    assert status == 0, stdout + stderr
    assert terminated >= 4
    migration.assert_complete(undisturbed)
    # The rows at hand are staged in another session.
    assert migration.paid_again() == 0


def terminate_sessions(database, application="vecferry%"):
    with contextlib.suppress(psycopg2.Error):
        return database.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name LIKE %s AND datname = current_database()",
            (application,),
        )
    return []


def test_a_session_lost_over_the_index_is_survived(migration, undisturbed):
    migration.database.execute(
        """CREATE SEQUENCE builds;
           CREATE FUNCTION die_once() RETURNS event_trigger LANGUAGE plpgsql AS $$
           BEGIN
               IF current_setting('application_name') = 'vecferry apply' AND nextval('builds') = 1 THEN
                   PERFORM pg_terminate_backend(pg_backend_pid());
               END IF;
           END $$;
           CREATE EVENT TRIGGER die_once ON ddl_command_start WHEN TAG IN ('CREATE INDEX') EXECUTE FUNCTION die_once()"""
    )
    migration.apply()
    assert migration.database.execute("SELECT last_value FROM builds") == [(2,)]
    migration.assert_complete(undisturbed)


@pytest.mark.threads
def test_a_killed_server_is_survived(migration, undisturbed, provider, server):
    provider.change(latency_ms=40)
    process = migration.start()
    wait_for_calls(migration, 8, process)
    server.kill9()
    time.sleep(2)
    server.start()
    status, stdout, stderr = end(process)
    assert status == 0, stdout + stderr
    migration.assert_complete(undisturbed)


def test_a_session_lost_inside_the_replacement(migration, undisturbed, provider):
    """The worker that waits for the table goes on in another session."""
    with contextlib.closing(migration.database.connect()) as other:
        other.autocommit = False
        other.cursor().execute("LOCK TABLE items IN ROW EXCLUSIVE MODE")
        process = migration.start("--workers", "1", "--attempts", "1")
        waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'items'::regclass"
        assert wait_until(lambda: migration.database.execute(waits) == [(1,)], 30 * PATIENCE)
        assert terminate_sessions(migration.database, "vecferry-%")
        other.rollback()
    status, stdout, stderr = end(process)
    assert status == 0, stdout + stderr
    migration.assert_complete(undisturbed)
    assert migration.paid_again() == 0


@pytest.mark.threads
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_keeps_what_was_paid_for(migration, undisturbed, provider, number):
    """The calls under way are answered within a moment, so that their vectors are staged."""
    provider.change(latency_ms=400)
    process = migration.start("--calls", "8")
    wait_for_calls(migration, 12, process)
    begin = time.monotonic()
    process.send_signal(number)
    status, stdout, stderr = end(process)
    assert time.monotonic() - begin < 2
    assert status == 130, stdout + stderr
    migration.apply()
    migration.assert_complete(undisturbed)
    assert migration.paid_again() == 0


@pytest.mark.threads
def test_a_reboots_farewell_to_everybody_keeps_what_was_paid_for(migration, undisturbed, provider):
    """All processes get SIGTERM at once, and the workers another one from apply."""
    provider.change(latency_ms=500)
    process = migration.start()
    wait_for_calls(migration, 4, process)
    time.sleep(0.2)
    for pid in [*workers_of(process), process.pid]:
        os.kill(pid, signal.SIGTERM)
    time.sleep(0.1)
    for pid in workers_of(process):
        os.kill(pid, signal.SIGTERM)
    assert end(process)[0] == 130
    provider.change(latency_ms=0)
    migration.apply()
    migration.assert_complete(undisturbed)
    assert migration.paid_again() == 0


def test_a_second_interrupt_means_it(migration, provider):
    provider.change(latency_ms=3000)
    process = migration.start()
    wait_for_workers(process)
    time.sleep(0.5)
    workers = workers_of(process)
    assert len(workers) == WORKERS
    process.send_signal(signal.SIGINT)
    time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    time.sleep(0.1)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    assert end(process)[0] == -signal.SIGINT
    assert wait_until(lambda: not any(is_running(worker) for worker in workers), 10)


@pytest.mark.threads
def test_a_worker_that_somebody_else_stopped_is_tried_again(migration, undisturbed, provider):
    provider.change(latency_ms=200)
    process = migration.start()
    wait_for_calls(migration, 3, process)
    for worker in workers_of(process):
        os.kill(worker, signal.SIGTERM)
    status, _, stderr = end(process)
    assert status == 0, stderr
    assert "somebody else asked the worker to stop (SIGTERM); trying again" in stderr
    migration.assert_complete(undisturbed)
    assert migration.paid_again() == 0


@pytest.mark.threads
def test_a_dead_provider_is_waited_for(migration, undisturbed, provider):
    provider.change(latency_ms=40)
    process = migration.start()
    wait_for_calls(migration, 6, process)
    migration.restart_provider(pause=1.5)
    status, stdout, stderr = end(process)
    assert status == 0, stdout + stderr
    migration.assert_complete(undisturbed)
    # What it had in flight when it died was billed, for all it knows.
    assert migration.paid_again() <= WORKERS * CALLS * TEXTS_OF_A_CALL


def test_two_runs_in_one_state_folder(migration, undisturbed, provider):
    provider.change(latency_ms=300)
    process = migration.start()
    wait_for_calls(migration, 4, process)
    second = migration.apply(expect=1)
    assert re.fullmatch(r"another vecferry works at run \w+", one_error(second))
    status, stdout, stderr = end(process)
    assert status == 0, stdout + stderr
    migration.assert_complete(undisturbed)
    assert migration.paid_again() == 0


# --- at random ----------------------------------------------------------------------------------


class Disturber:
    """Kills something at a random moment; counts what that may cost a second time."""

    def __init__(self, migration, server, seed):
        self.migration = migration
        self.server = server
        self.random = random.Random(seed)
        self.workers_hit = 0
        self.story = []

    def disturb(self, process):
        what = self.random.choice([self.kill_apply, self.kill_worker, self.lose_session, self.kill_server, self.kill_provider])
        self.story.append(what.__name__)
        what(process)

    def kill_apply(self, process):
        self.workers_hit += len(workers_of(process))
        process.kill()

    def kill_worker(self, process):
        workers = workers_of(process)
        if workers:
            self.workers_hit += kill(self.random.choice(workers))

    def lose_session(self, _process):
        sessions = terminate_sessions(self.migration.database, self.random.choice(["vecferry%", "vecferry-%", "vecferry apply"]))
        self.workers_hit += len(sessions)

    def kill_server(self, process):
        self.workers_hit += len(workers_of(process))
        self.server.kill9()
        time.sleep(self.random.uniform(0, 1))
        self.server.start()

    def kill_provider(self, process):
        self.workers_hit += len(workers_of(process))
        self.migration.restart_provider(self.random.uniform(0, 0.5))


def run_disturbed(migration, undisturbed, server, seed, rounds):
    """A run with kills at random moments, then the same command until it is through."""
    disturber = Disturber(migration, server, seed)
    migration.provider.change(latency_ms=30)
    for _ in range(rounds):
        process = migration.start("--attempts", "20")
        time.sleep(disturber.random.uniform(0.05, 1.2) * PATIENCE)
        for _ in range(disturber.random.choice([1, 1, 2])):
            disturber.disturb(process)
            time.sleep(disturber.random.uniform(0, 0.3))
        status, stdout, stderr = end(process, 120)
        # Whoever loses the store while planning has done nothing yet, and says so.
        planless = status == 1 and re.search(r"^vecferry: .*(connect|server closed)", stderr, re.MULTILINE)
        assert planless or status in (0, -signal.SIGKILL), f"{disturber.story}\n{stdout}\n{stderr}"
        if planless:
            assert "bots done" not in stderr
    migration.resume(undisturbed, "--attempts", "20")
    assert migration.paid_again() <= disturber.workers_hit * MOST_PAID_AGAIN_BY_A_WORKER, disturber.story


@pytest.mark.parametrize("number", range(4))
def test_random_kills_leave_the_same_store(migration, undisturbed, server, single_texts, seed, number):
    run_disturbed(migration, undisturbed, server, f"{seed} {number}", rounds=2)


@pytest.mark.soak
@pytest.mark.parametrize("number", range(150))
def test_random_kills_at_length(migration, undisturbed, server, single_texts, seed, number):
    run_disturbed(migration, undisturbed, server, f"soak {seed} {number}", rounds=4)
