"""Where a run stands, as people and programs are told: on a terminal, as lines, as JSON."""

import json
import pathlib
import re
import signal
import sys
import time

import pytest
from terminal import Screen, TerminalProgram, UnknownSequence

sys.path.insert(0, str(pathlib.Path(__file__).parent / "servers"))

from provider import Provider  # noqa: E402

SENTENCE = "The ferry leaves at seven and carries forty cars over the water to the island. "
HOSTILE = "Lighthouse \x1b]0;owned\x07\x1b[2J\r\nred"
HEADING = re.compile(r"^Run [0-9a-f]{10} \(ap", re.MULTILINE)


@pytest.fixture
def provider():
    """So slow that a run of the bots below takes a few seconds."""
    with Provider(key=None, latency_ms=250) as provider:
        yield provider


@pytest.fixture
def conf(knowledge, database, provider, vecferry):
    for number in range(5):
        name = ["Harbour", "データベース 港湾案内", HOSTILE][number % 3]
        text = "".join(f"{line} {SENTENCE}" for line in range(250 + 50 * number))
        knowledge.bot(f"{name} {number}", files={"a.txt": text})
    conf = knowledge.conf(
        database.url,
        embedder={"kind": "openai", "endpoint": provider.base_url, "model": "test-embedding", "max-texts": 5, "price": 0.02},
    )  # fmt: skip
    assert vecferry("store", "create", "-c", conf).status == 0
    return conf


def status_json(vecferry, *arguments):
    status, stdout, stderr = vecferry("status", "--json", *arguments)
    assert (status, stderr) == (0, "")
    return json.loads(stdout)


def wait_until(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def wait_for_chunks(vecferry, number):
    """Until a run is seen that has so many."""

    def are_there():
        status, stdout, _ = vecferry("status", "--json")
        return status == 0 and json.loads(stdout)["total"]["chunks"] >= number

    wait_until(are_there)


def headings(text):
    return len(HEADING.findall(text))


# --- the screen of the tests itself ---------------------------------------------------------


def test_the_tests_terminal_sees_what_nobody_may_send():
    for hostile in ("\x1b]0;title\x07 and more", "\x1b[2J", "\x07", "\x9b2J"):
        with pytest.raises(UnknownSequence):
            Screen(80, 24).feed(hostile)


def test_the_tests_terminal_wraps_again():
    screen = Screen(10, 5)
    screen.feed("abcdefgh\r\n1234\r\n")
    screen.resize(4, 5)
    assert screen.shown() == ["abcd", "efgh", "1234", ""]
    screen.feed("\x1b[3A!")
    screen.resize(10, 5)
    assert screen.shown() == ["!bcdefgh", "1234", ""]


# --- a terminal -----------------------------------------------------------------------------


def test_apply_draws_one_picture_in_its_place(vecferry, conf):
    with TerminalProgram(vecferry, "apply", "--yes", "-c", conf) as program:
        program.screen.feed("$ what stood there before\r\n")
        program.wait_for("running ")
        program.wait_for("chunks/s")
        assert headings(program.screen.everything()) == 1
        assert program.end() == 0
    text = program.screen.everything()
    assert text.startswith("$ what stood there before\nnote: building the ivfflat index\nRun ")
    assert headings(text) == 1
    assert re.search(r"^7 of 7 bots done, [\d,]+ chunks, [\d.]+ chunks/s on average, ", text, re.MULTILINE)
    assert "1;" not in program.raw and program.screen.styles <= {"", "0", "1", "2", "31"}
    assert program.screen.is_as_usual()
    assert program.raw.count("\x1b[?2026h") == program.raw.count("\x1b[?2026l") > 5


@pytest.mark.parametrize("wraps_again", [True, False], ids=["wraps lines again", "cuts lines"])
def test_the_picture_survives_a_resize(vecferry, conf, provider, wraps_again):
    provider.change(latency_ms=800)
    with TerminalProgram(vecferry, "apply", "--yes", "-c", conf, columns=100, wraps_again=wraps_again) as program:
        program.screen.feed("$ before\r\n")
        program.wait_for("running ")
        for columns, rows in ((44, 24), (20, 24), (120, 24), (60, 24), (60, 40)):
            pictures = program.raw.count("\x1b[?2026l")
            program.resize(columns, rows)
            program.wait_for(lambda _, drawn=pictures: program.raw.count("\x1b[?2026l") >= drawn + 2)
            assert headings(program.screen.text()) == 1
            assert program.screen.everything().count("$ before") == 1
            assert program.screen.text().count("bots done") == 1
            assert max(map(len, program.screen.shown())) < columns
        assert program.end() == 0
    assert headings(program.screen.everything()) == 1


def test_a_low_terminal_shows_what_fits(vecferry, conf):
    with TerminalProgram(vecferry, "apply", "--yes", "-c", conf, rows=5) as program:
        program.wait_for("chunks/s")
        assert len([line for line in program.screen.shown() if line]) <= 4
        assert headings(program.screen.everything()) == 1
        program.resize(80, 3)
        program.look(0.5)
        assert "bots done" in program.screen.text()
        assert program.end() == 0


def test_ctrl_c_leaves_the_terminal_as_it_was(vecferry, conf, provider):
    provider.change(latency_ms=800)
    with TerminalProgram(vecferry, "apply", "--yes", "-c", conf) as program:
        program.wait_for("chunks/s")
        program.type("\x03")
        assert program.end() == 130
    assert program.screen.is_as_usual()
    assert headings(program.screen.everything()) == 1
    assert re.search(r"^Run .*: interrupted$", program.screen.text(), re.MULTILINE)
    assert program.screen.text().endswith("the same command goes on from here\n")
    assert status_json(vecferry)["state"] == "interrupted"


def test_a_killed_run_leaves_the_terminal_usable(vecferry, conf, provider):
    provider.change(latency_ms=800)
    with TerminalProgram(vecferry, "apply", "--yes", "-c", conf) as program:
        program.wait_for("chunks/s")
        program.process.kill()
        program.end()
    assert program.screen.is_as_usual()


def test_a_halted_terminal_does_not_halt_the_run(vecferry, conf):
    with TerminalProgram(vecferry, "apply", "--yes", "-c", conf) as program:
        program.wait_for("chunks/s")
        program.type("\x13")  # Ctrl-S
        wait_until(lambda: status_json(vecferry)["state"] == "done")
        program.type("\x11")  # Ctrl-Q
        assert program.end() == 0


def test_a_run_that_was_stopped_begins_a_new_picture(vecferry, conf, provider):
    """Others may have written to the terminal meanwhile, as the shell does after Ctrl-Z."""
    provider.change(latency_ms=800)
    with TerminalProgram(vecferry, "apply", "--yes", "-c", conf) as program:
        program.wait_for("chunks/s")
        program.process.send_signal(signal.SIGSTOP)
        program.look(0.5)
        program.screen.feed("[1]+  Stopped\r\n$ fg\r\n")
        program.process.send_signal(signal.SIGCONT)
        program.wait_for(lambda screen: headings(screen.everything()) == 2)
        assert "[1]+  Stopped\n$ fg\nRun " in program.screen.everything()
        assert program.end() == 0
    assert headings(program.screen.everything()) == 2


@pytest.mark.parametrize("terminal", ["dumb", ""])
def test_a_terminal_that_cannot_move_its_cursor_gets_lines(vecferry, conf, terminal):
    with TerminalProgram(vecferry, "apply", "--yes", "-c", conf, env={"TERM": terminal}) as program:
        assert program.end() == 0
    assert "\x1b" not in program.raw


def test_no_color_is_obeyed(vecferry, conf, knowledge):
    knowledge.bot("Gone", missing=["gone.pdf"])
    with TerminalProgram(vecferry, "apply", "--yes", "-c", conf, env={"NO_COLOR": "1"}) as program:
        assert program.end() == 4
    assert headings(program.screen.everything()) == 1
    assert program.screen.styles == set()


# --- lines ----------------------------------------------------------------------------------


def test_what_is_no_terminal_gets_plain_lines(vecferry, conf, knowledge):
    knowledge.bot("Gone", missing=["gone.pdf"])
    status, stdout, stderr = vecferry("apply", "--yes", "-c", conf, env={"TERM": "xterm-256color"})
    assert status == 4
    assert "\x1b" not in stdout + stderr
    lines = stderr.splitlines()
    assert re.match(r"0 of 8 bots done, 1 skipped, 0 of about [\d,]+ chunks, \d tokens, \$\S+ of about \$\S+, ", lines[0])
    assert len([line for line in lines if line.startswith("succeeded: ")]) == 7
    assert re.match(r"7 of 8 bots done, 1 skipped, [\d,]+ chunks, [\d.]+ chunks/s on average, [\d,]+ tokens, \$", lines[-1])
    assert stdout.startswith("Run ")


# --- status ---------------------------------------------------------------------------------


def test_no_run_is_told_and_nothing_is_made(vecferry):
    status, stdout, stderr = vecferry("status")
    assert (status, stdout) == (1, "")
    assert re.match(r"vecferry: there is no run in \S+\nhint: .*apply", stderr)
    assert list(vecferry.state.iterdir()) == []


@pytest.mark.parametrize("name", ["0123456789", "../0123456789", ""])
def test_an_unknown_run_is_wrong_usage(vecferry, name):
    status, stdout, stderr = vecferry("status", name)
    assert (status, stdout) == (2, "")
    assert stderr.startswith(f'vecferry: there is no run "{name}" in ')
    assert "\nhint: " in stderr


def test_a_run_nobody_agreed_to_is_no_run(vecferry, conf):
    with TerminalProgram(vecferry, "apply", "-c", conf) as program:
        program.wait_for("[y/N]")
        program.type("n\n")
        assert program.end() == 1
    assert vecferry("status").status == 1


def test_a_finished_run_is_done(vecferry, conf):
    assert vecferry("apply", "--yes", "-c", conf).status == 0
    run = status_json(vecferry)
    assert run["state"] == "done" and run["kind"] == "apply"
    assert {(bot["state"], bot["evidence"], bot["reason"]) for bot in run["bots"] if bot["attempts"]} == {
        ("succeeded", "proven", None)
    }
    total = run["total"]
    assert total["chunks"] == sum(bot["chunks"] for bot in run["bots"]) > 100
    # Planning asked the model, too: how long its vectors are.
    assert 0 <= total["tokens"] - sum(bot["tokens"] for bot in run["bots"]) < 10 < total["tokens"]
    assert total["usd"] == pytest.approx(total["tokens"] * 0.02 / 1e6)
    assert total["usd"] == pytest.approx(sum(bot["usd"] for bot in run["bots"]), rel=1e-3)
    assert total["expected_usd"] > 0 and total["chunks_per_second"] > 0 and total["seconds_left"] is None

    status, stdout, stderr = vecferry("status", run["run"])
    assert (status, stderr) == (0, "")
    assert stdout.startswith(f"Run {run['run']} (apply) into database ")
    assert stdout.splitlines()[0].endswith(": done")
    assert "\x1b" not in stdout and "Lighthouse" in stdout


def test_a_run_with_failures_has_failed(vecferry, conf, knowledge):
    gone = knowledge.bot("Gone", missing=["gone.pdf"])
    assert vecferry("apply", "--yes", "-c", conf).status == 4
    run = status_json(vecferry)
    assert run["state"] == "failed"
    assert [(bot["state"], bot["reason"]) for bot in run["bots"] if bot["bot"] == gone] == [
        ("skipped", "gone.pdf: the file is missing")
    ]
    status, stdout, _ = vecferry("status", "--watch")
    assert status == 4
    assert "gone.pdf: the file is missing" in stdout


@pytest.mark.parametrize("answered", [1, 32])
def test_watching_a_stopped_run_ends_as_apply_did(vecferry, conf, provider, answered):
    """A refused key: failed when no bot was done by then, otherwise some are missing.  Planning asks once."""
    provider.change(latency_ms=0, script=f"ok*{answered},unauthorized*")
    applied = vecferry("apply", "--yes", "-c", conf)
    assert applied.status == (4 if answered > 1 else 1), applied.stderr
    assert (status_json(vecferry)["total"]["states"]["succeeded"] > 0) == (answered > 1)
    assert vecferry("status", "--watch").status == applied.status


def test_watching_a_run_whose_store_changed_ends_as_apply_did(vecferry, conf, database):
    process = vecferry.start("apply", "--yes", "-c", conf, "--workers", "1")
    wait_for_chunks(vecferry, 5)
    database.execute("ALTER TABLE items ALTER COLUMN embedding TYPE vector(32)")
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 3, stderr
    assert vecferry("status", "--watch").status == 3


def test_a_killed_run_is_interrupted_and_its_resume_adds_up(vecferry, conf, provider):
    provider.change(latency_ms=800)
    process = vecferry.start("apply", "--yes", "-c", conf)
    wait_for_chunks(vecferry, 20)
    process.kill()
    process.wait()
    provider.change(latency_ms=100)

    killed = status_json(vecferry)
    assert killed["state"] == "interrupted"
    assert {bot["state"] for bot in killed["bots"]} <= {"pending", "succeeded"}
    assert vecferry("status", "--watch").status == 1
    assert "the same command goes on" in vecferry("status").stdout

    assert vecferry("apply", "--yes", "-c", conf).status == 0
    resumed = status_json(vecferry)
    assert resumed["state"] == "done"
    assert resumed["run"] == killed["run"] and resumed["created"] == killed["created"]
    for before, after in zip(killed["bots"], resumed["bots"]):
        assert before["bot"] == after["bot"]
        assert after["attempts"] >= before["attempts"]
        # Every chunk of this text has about as many tokens.
        fresh = after["chunks"] - after["reused"] if after["attempts"] == 2 else 0
        assert after["tokens"] >= before["tokens"] + 150 * fresh
    assert max(bot["attempts"] for bot in resumed["bots"]) == 2
    assert any(bot["reused"] > 0 for bot in resumed["bots"])


def test_apply_prints_the_same_object_as_status(vecferry, conf):
    status, stdout, stderr = vecferry("apply", "--yes", "--json", "-c", conf)
    assert status == 0
    assert "bots done" in stderr
    assert json.loads(stdout) == status_json(vecferry)


def test_apply_keeps_stdout_for_the_object(vecferry, conf):
    status, stdout, stderr = vecferry("apply", "--json", "-c", conf)
    assert (status, stdout) == (2, "")
    assert "ACTION" in stderr and "--yes agrees" in stderr
    assert vecferry("apply", "--json", "--dry-run", "-c", conf).status == 2


# --- watching -------------------------------------------------------------------------------


def test_watching_follows_a_run_to_its_end(vecferry, conf):
    process = vecferry.start("apply", "--yes", "-c", conf)
    wait_for_chunks(vecferry, 1)
    with TerminalProgram(vecferry, "status", "--watch") as program:
        program.wait_for("running ")
        program.wait_for("chunks/s")
        assert program.end() == 0
    process.communicate(timeout=30)
    assert process.returncode == 0
    text = program.screen.everything()
    assert headings(text) == 2  # the last picture, and the result
    assert "7 of 7 bots done" in text
    assert program.screen.is_as_usual()


def test_ctrl_c_ends_the_watching_and_not_the_run(vecferry, conf):
    process = vecferry.start("apply", "--yes", "-c", conf)
    wait_for_chunks(vecferry, 1)
    with TerminalProgram(vecferry, "status", "--watch") as program:
        program.wait_for("running ")
        program.type("\x03")
        assert program.end() == 130
    assert program.screen.is_as_usual()
    assert "the run goes on" in program.screen.text()
    process.communicate(timeout=60)
    assert process.returncode == 0


def test_watching_prints_one_object_at_the_end(vecferry, conf):
    process = vecferry.start("apply", "--yes", "-c", conf)
    wait_for_chunks(vecferry, 1)
    status, stdout, stderr = vecferry("status", "--watch", "--json")
    assert status == 0
    assert json.loads(stdout)["state"] == "done"
    assert "bots done" in stderr and "\x1b" not in stderr
    process.communicate(timeout=30)


def test_looking_at_an_old_run_does_not_make_it_the_latest(vecferry, conf, knowledge):
    bot = knowledge.bot("Left out", files={"a.txt": SENTENCE})
    assert vecferry("apply", "--yes", "-c", conf, "--exclude", bot).status == 0
    old = status_json(vecferry)["run"]
    assert vecferry("apply", "--yes", "-c", conf).status == 0
    new = status_json(vecferry)["run"]
    assert new != old
    assert status_json(vecferry, old)["run"] == old
    assert status_json(vecferry)["run"] == new
