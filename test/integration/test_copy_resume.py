"""vecferry copy, killed anywhere and begun again: every row is there exactly once."""

import contextlib
import random
import signal
import time

import pytest
from copying import sequences
from postgres import wait_until

TABLES = """
CREATE TABLE items (id int PRIMARY KEY, twin int UNIQUE, text text, embedding vector(200));
CREATE TABLE child (id serial PRIMARY KEY, item int REFERENCES items ON DELETE CASCADE, note text);
CREATE TABLE keyless (a int, b text);
CREATE TABLE empty (a int)
"""

ROWS = """
INSERT INTO items SELECT i, -i, repeat('text ', i % 50),
       (SELECT array_agg(random()) FROM generate_series(1, 200) WHERE i > 0)::vector FROM generate_series(1, 3000) AS i;
INSERT INTO child (item, note) SELECT i, repeat('note ', 20) FROM generate_series(1, 3000) AS i;
INSERT INTO keyless SELECT i % 100, repeat('b', 300) FROM generate_series(1, 2000) AS i
"""

PARTS = 60_000  # bytes; about seventy parts


@pytest.fixture
def prepared(copying):
    copying.prepare(TABLES, ROWS)
    return copying


def kill_at(copying, fault, *more):
    result = copying.run(*more, env={"VECFERRY_FAULT": fault}, part_bytes=PARTS)
    assert result.status == -signal.SIGKILL, result.stderr


def finish(copying, *more):
    answer = copying.copy(*more, part_bytes=PARTS)
    copying.assert_equal()
    assert sequences(copying.target) == sequences(copying.source)
    return answer


def reused(answer):
    return sum(table["reused_rows"] for table in answer["tables"])


# --- killed at a point ------------------------------------------------------------------------

@pytest.mark.parametrize(
    "fault", ["before-part", "before-part:20", "inside-part", "inside-part:20", "after-part:20", "after-parts"]
)
def test_killed_at_a_point(prepared, fault):
    kill_at(prepared, fault)
    landed = prepared.marks()
    answer = finish(prepared)
    if ":" in fault:
        assert landed >= 15
        assert reused(answer) > 500
    if fault == "after-parts":
        assert reused(answer) == 8000


def test_killed_again_and_again(prepared):
    for _ in range(6):
        kill_at(prepared, "inside-part:8")
    finish(prepared)


def test_killed_while_it_takes_out_what_no_longer_holds(prepared):
    kill_at(prepared, "after-parts")
    prepared.source.execute("UPDATE items SET text = 'changed' WHERE id % 500 = 0; DELETE FROM keyless WHERE a = 3")
    kill_at(prepared, "inside-forget")
    kill_at(prepared, "inside-forget:2")
    kill_at(prepared, "inside-part:3")
    finish(prepared)


# --- what happens to the source in between ----------------------------------------------------

CHANGES = {
    "nothing": [],
    "insert": ["INSERT INTO items SELECT i, -i FROM generate_series(5000, 5100) AS i"],
    "update": ["UPDATE items SET text = 'changed' WHERE id IN (5, 1500, 2999)"],
    "swap-keys": ["UPDATE items SET twin = twin - 5000", "UPDATE items SET twin = -3001 - (twin + 5000) WHERE id % 100 = 0 OR id % 100 = 1"],
    "exchange": [
        "ALTER TABLE items DROP CONSTRAINT items_twin_key",
        "UPDATE items SET twin = -3001 - twin WHERE id % 10 = 0 OR id % 10 = 1",
        "ALTER TABLE items ADD UNIQUE (twin)",
    ],
    "delete": ["DELETE FROM items WHERE id BETWEEN 1000 AND 1100"],
    "delete-vacuum": ["DELETE FROM items WHERE id % 3 = 0", "VACUUM items"],
    "delete-vacuum-insert": [
        "DELETE FROM items WHERE id % 3 = 0", "VACUUM items", "INSERT INTO items SELECT i, -i, 'new' FROM generate_series(6000, 7000) AS i",
    ],
    "vacuum-freeze": ["VACUUM FREEZE"],
    "vacuum-full": ["VACUUM FULL"],
    "update-vacuum-full": ["UPDATE items SET text = 'changed' WHERE id % 2 = 0", "VACUUM FULL items"],
    "truncate": ["TRUNCATE keyless, items CASCADE"],
    "truncate-refill": ["TRUNCATE keyless", "INSERT INTO keyless SELECT i, 'other' FROM generate_series(1, 500) AS i"],
    "cluster": ["CLUSTER items USING items_twin_key"],
    "new-column": ["ALTER TABLE keyless ADD COLUMN c int DEFAULT 5"],
}  # fmt: skip

STAY_WHOLE = ("nothing", "vacuum-freeze")
REWRITES_ALL = ("vacuum-full",)


def change(database, statements):
    for statement in statements:
        database.execute(statement)


@pytest.mark.parametrize("fault", ["after-part:25", "after-parts"])
@pytest.mark.parametrize("what", CHANGES)
def test_the_source_changes_between_kill_and_resume(prepared, what, fault):
    kill_at(prepared, fault)
    landed = prepared.target.execute("SELECT coalesce(sum(rows), 0)::int FROM vecferry.copied_part")[0][0]
    change(prepared.source, CHANGES[what])
    if what == "new-column":
        prepared.target.execute("ALTER TABLE keyless ADD COLUMN c int")
    answer = finish(prepared)
    if what in STAY_WHOLE:
        assert reused(answer) == landed
    elif what in REWRITES_ALL:
        assert reused(answer) == 0
    elif fault == "after-parts" and what in ("insert", "update", "delete"):
        assert reused(answer) > 7000


def test_a_finished_copy_is_brought_up_to_date(prepared):
    finish(prepared)
    change(prepared.source, CHANGES["update"])
    change(prepared.source, CHANGES["delete"])
    answer = finish(prepared, "--replace")
    assert 7000 < reused(answer) < 8000


def test_foreign_rows_are_never_deleted(prepared):
    prepared.target.execute("INSERT INTO keyless VALUES (-1, 'foreign')")
    kill_at(prepared, "after-parts", "--append")
    prepared.source.execute("TRUNCATE keyless")
    prepared.copy("--append", part_bytes=PARTS)
    assert prepared.target.execute("SELECT * FROM keyless") == [(-1, "foreign")]


def test_another_timeline_of_the_source_is_another_source(prepared):
    kill_at(prepared, "after-parts")
    prepared.target.execute("UPDATE vecferry.copied_part SET origin = origin || '0'")
    assert reused(finish(prepared)) == 0


# --- killed from outside ----------------------------------------------------------------------


def backends(database, application):
    found = database.execute(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE %s", (application,)
    )
    return [pid for (pid,) in found]


def wait_for_marks(copying, process, count):
    """Until so many parts have landed, or the program has ended."""

    def landed():
        with contextlib.suppress(Exception):
            return copying.marks() >= count
        return False

    assert wait_until(lambda: process.poll() is not None or landed(), 60)


def end(process):
    stdout, stderr = process.communicate(timeout=120)
    return process.returncode, stdout, stderr


def terminate(database, pids):
    for pid in pids:
        database.execute("SELECT pg_terminate_backend(%s)", (pid,))


@pytest.mark.threads
def test_lost_sessions_of_workers_are_replaced_in_the_same_run(prepared):
    process = prepared.start(part_bytes=PARTS)
    for count in (5, 15, 25):
        wait_for_marks(prepared, process, count)
        # The oldest session of the target's holds the lock and that of the source the snapshot.
        terminate(prepared.source, sorted(backends(prepared.source, "vecferry copy%"))[1:])
        terminate(prepared.target, sorted(backends(prepared.target, "vecferry copy%"))[1:])
    status, _, stderr = end(process)
    assert status == 0, stderr
    prepared.assert_equal()


def test_a_lost_snapshot_begins_again_with_what_has_landed(prepared):
    process = prepared.start(part_bytes=PARTS)
    wait_for_marks(prepared, process, 10)
    terminate(prepared.source, backends(prepared.source, "vecferry copy%"))
    prepared.source.execute("UPDATE items SET text = 'changed' WHERE id % 700 = 0")
    status, _, stderr = end(process)
    assert status == 0, stderr
    prepared.assert_equal()


def oldest(pids):
    """The session that was opened first: at the source the keeper of the snapshot, at the target the lock's."""
    return min(pids)


def test_what_readers_saw_after_the_keeper_was_lost_does_not_count(prepared):
    with contextlib.closing(prepared.target.connect()) as blocker:
        # Nothing of the heaviest table goes through, so the readers come no further.
        blocker.autocommit = False
        blocker.cursor().execute("LOCK TABLE items IN SHARE MODE")
        process = prepared.start(part_bytes=PARTS)
        assert wait_until(lambda: len(backends(prepared.target, "vecferry copy%")) == 3, 30)
        time.sleep(0.3)
        terminate(prepared.source, [oldest(backends(prepared.source, "vecferry copy%"))])
        # To the old snapshot an emptied table is empty.
        change(prepared.source, CHANGES["truncate-refill"])
        blocker.rollback()
    status, _, stderr = end(process)
    assert status == 0, stderr
    assert "the source's snapshot is lost" in stderr
    prepared.assert_equal()


def test_who_is_taken_over_writes_no_more(prepared):
    former = prepared.start(part_bytes=PARTS)
    wait_for_marks(prepared, former, 10)
    former.send_signal(signal.SIGSTOP)
    assert former.poll() is None
    terminate(prepared.target, [oldest(backends(prepared.target, "vecferry copy%"))])
    prepared.source.execute("UPDATE items SET text = 'changed' WHERE id % 2 = 0")

    # The former's parts under way are waited for: they may still be committed.
    latter = prepared.start(part_bytes=PARTS)
    time.sleep(1)
    former.send_signal(signal.SIGCONT)
    status, _, stderr = end(latter)
    assert status == 0, stderr
    status, _, stderr = end(former)
    assert status in (1, 3), stderr
    prepared.assert_equal()


@pytest.mark.parametrize("end_of_copy", ["source", "target"])
@pytest.mark.parametrize("how", ["immediate", "kill9"])
def test_a_server_that_crashes_and_comes_back(prepared, server, other_server, end_of_copy, how):
    process = prepared.start(part_bytes=PARTS)
    wait_for_marks(prepared, process, 10)
    {"source": server, "target": other_server}[end_of_copy].restart(how)
    status, _, stderr = end(process)
    if status != 0:
        assert status == 1, stderr
        finish(prepared)
    prepared.assert_equal()


def test_ctrl_c_ends_it_soon_and_the_same_command_goes_on(prepared):
    process = prepared.start(part_bytes=PARTS)
    wait_for_marks(prepared, process, 5)
    process.send_signal(signal.SIGINT)
    began = time.monotonic()
    status, _, stderr = end(process)
    assert time.monotonic() - began < 5
    assert status == 130, stderr
    assert "the same command goes on" in stderr
    finish(prepared)


# --- at random --------------------------------------------------------------------------------


class Chaos:
    def __init__(self, copying, servers, seed):
        self.copying = copying
        self.servers = servers
        self.random = random.Random(seed)
        self.next_id = 10_000

    def strike(self, process):
        what = self.random.choice(["vecferry", "vecferry", "sessions", "server"])
        if what == "vecferry":
            process.kill()
        elif what == "sessions":
            database = self.random.choice([self.copying.source, self.copying.target])
            pids = backends(database, "vecferry copy%")
            terminate(database, self.random.sample(pids, self.random.randint(0, len(pids))))
        else:
            self.random.choice(self.servers).restart(self.random.choice(["immediate", "kill9"]))

    def change_source(self):
        changes = [
            [f"INSERT INTO items SELECT i, -i FROM generate_series({self.next_id}, {self.next_id + 50}) AS i"],
            [f"UPDATE items SET text = 'v{self.random.random()}' WHERE id % 97 = {self.random.randrange(97)}"],
            ["DELETE FROM keyless WHERE ctid = ANY(ARRAY(SELECT ctid FROM keyless ORDER BY random() LIMIT 30))"],
            ["VACUUM items"],
            ["VACUUM FULL keyless"],
            ["TRUNCATE child", "INSERT INTO child (item) SELECT id FROM items LIMIT 100"],
        ]  # fmt: skip
        self.next_id += 100
        for statements in self.random.sample(changes, self.random.randint(0, 2)):
            change(self.copying.source, statements)

    def round(self):
        process = self.copying.start("--replace", part_bytes=PARTS)
        time.sleep(self.random.uniform(0.05, 1.2))
        self.strike(process)
        if self.random.random() < 0.5:
            time.sleep(self.random.uniform(0, 0.5))
            process.kill()
        end(process)
        self.change_source()

    def run(self, rounds):
        for _ in range(rounds):
            self.round()
            if self.random.random() < 0.3:
                finish(self.copying, "--replace")
        finish(self.copying, "--replace")


@pytest.mark.threads
def test_ten_blows_at_random(prepared, server, other_server, seed):
    Chaos(prepared, [server, other_server], seed).run(10)


@pytest.mark.soak
def test_a_hundred_blows_at_random(prepared, server, other_server, seed):
    Chaos(prepared, [server, other_server], seed).run(100)
