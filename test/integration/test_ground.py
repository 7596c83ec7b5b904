"""The ground on which the other tests stand."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

import postgres
import psycopg2
import pytest
from children import dying_with_us
from knowledge import ulid, user_id


def test_a_database_knows_vectors(database):
    assert database.execute("SELECT '[1,2]'::vector <-> '[1,4]'") == [(2.0,)]
    assert database.execute("SHOW wal_level") == [("logical",)]


def test_each_test_has_a_database_of_its_own(server):
    names = {server.new_database(template="with_vector") for _ in range(2)}
    assert len(names) == 2
    for name in names:
        server.drop_database(name)


def test_what_was_committed_survives_a_killed_server():
    with postgres.Postgres(fsync=True) as server:
        server.execute("CREATE TABLE t AS SELECT 7 AS x")
        session = server.connect()
        port = server.port
        server.restart("kill9")
        assert server.port == port
        assert server.execute("SELECT x FROM t") == [(7,)]
        with pytest.raises(psycopg2.OperationalError):
            session.cursor().execute("SELECT 1")


def test_a_password_is_asked_for():
    with postgres.Postgres(password="se cret/%") as server:
        assert server.execute("SELECT 1") == [(1,)]
        with pytest.raises(psycopg2.OperationalError):
            psycopg2.connect(server.url(password=False), connect_timeout=5)


def test_a_server_dies_with_the_one_who_started_it():
    here = pathlib.Path(postgres.__file__).parent
    code = "import postgres, time; s = postgres.Postgres().start(); print(s.pid(), flush=True); time.sleep(60)"
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        child = subprocess.Popen(
            [sys.executable, "-c", code], cwd=here, env={**os.environ, "TMPDIR": folder},
            stdout=subprocess.PIPE, text=True, preexec_fn=dying_with_us(),
        )  # fmt: skip
        pid = int(child.stdout.readline())
        assert postgres.is_running(pid)

        os.kill(child.pid, signal.SIGKILL)
        child.communicate()
        assert postgres.wait_until(lambda: not postgres.is_running(pid), 20)


def test_the_program_runs_in_a_clean_environment(vecferry, monkeypatch):
    monkeypatch.setenv("PGPASSWORD", "somebody's")
    assert "PGPASSWORD" not in vecferry.environment()
    status, stdout, stderr = vecferry("--version")
    assert (status, stderr) == (0, "")
    assert stdout.startswith("vecferry ")


def test_a_program_that_hangs_is_ended(vecferry, monkeypatch):
    monkeypatch.setenv("VECFERRY", "/usr/bin/sleep")
    begin = time.monotonic()
    with pytest.raises(AssertionError, match="longer than 0.2 s"):
        vecferry("60", timeout=0.2)
    assert time.monotonic() - begin < 10


def test_a_sanitizer_report_fails_the_test(vecferry, monkeypatch, tmp_path):
    monkeypatch.setenv("VECFERRY", "/bin/sh")
    monkeypatch.setenv("VECFERRY_SANITIZER_LOGS", str(tmp_path / "logs"))
    (tmp_path / "logs").mkdir()
    with pytest.raises(AssertionError, match="heap-use-after-free"):
        vecferry("-c", f"echo heap-use-after-free > {tmp_path}/logs/asan.1; exit 99")
    assert list((tmp_path / "logs").iterdir()) == []


def test_the_knowledge_looks_like_a_scan(knowledge):
    scan = json.loads(knowledge.catalogue.read_text())
    assert scan["Count"] == len(scan["Items"]) == 3
    harbour = scan["Items"][0]
    assert harbour["PK"] == {"S": user_id("ana")}
    bot = harbour["SK"]["S"].rpartition("#")[2]
    assert len(bot) == 26
    folder = knowledge.documents / user_id("ana") / bot / "documents"
    assert sorted(path.name for path in folder.iterdir()) == ["ferries.txt", "tides.md"]


def test_a_ulid_carries_its_time():
    assert ulid("a", 0).startswith("0000000000")
    assert ulid("a", 1469918176385)[:10] == "01ARYZ6S41"
