"""What plan expects of chunks and tokens, by what the user tells it."""

import json
import time

import pytest
from migration import Migration

WORDS = "".join(f"Entry {n} of the log tells what was seen that day. " for n in range(400))


@pytest.fixture
def log(vecferry, database, provider, knowledge):
    """One bot of one text of some 20,000 characters."""
    knowledge.items.clear()
    knowledge.bot("Log", files={"log.txt": WORDS})
    return Migration(vecferry, database, knowledge, provider)


def planned(migration, *options):
    """What the plan says of its only bot."""
    (bot,) = json.loads(migration.plan("--json", *options).stdout)["bots"]
    return bot


def grows(migration, amount, option, times):
    """What is expected with the option is so many times what is expected without it."""
    plain, told = planned(migration)[amount]["expected"], planned(migration, *option)[amount]["expected"]
    return told == pytest.approx(times * plain, rel=0.03)


def test_what_the_user_tells_is_reckoned_with(log):
    assert grows(log, "tokens", ["--overlap-growth", "2.3"], 2)
    assert grows(log, "tokens", ["--characters-per-token", "7"], 0.5)
    assert grows(log, "tokens", ["--text-characters", "1.9"], 2)
    assert grows(log, "chunks", ["--text-characters", "1.9"], 2)
    assert grows(log, "tokens", ["--pdf-characters", "1.9"], 1)


def test_small_documents_are_reckoned_with_and_the_run_stays_within_its_time(vecferry, database, knowledge):
    """Eighty files of a line each, on this machine alone; low and high are what was estimated."""
    knowledge.items.clear()
    knowledge.bot("Many", files={f"{n}.txt": f"Line {n} of the log.\n" for n in range(80)})
    migration = Migration(vecferry, database, knowledge)
    told = planned(migration, "--document-seconds", "2")["seconds"]
    assert told["expected"] == pytest.approx(160, rel=0.05)
    seconds = planned(migration)["seconds"]
    began = time.monotonic()
    migration.apply()
    assert seconds["low"] < time.monotonic() - began
    assert seconds["expected"] > 80 * 0.004


def test_a_price_says_where_it_comes_from(log):
    assert "given by --price" in log.plan("--price", 2).stdout
    conf = log.conf.read_text()
    log.conf.write_text("\n".join(line for line in conf.splitlines() if not line.startswith("price=")))
    assert "price    OpenAI's list price of 20" in log.plan().stdout


def test_prefixes_are_reckoned_with(log, provider):
    """The provider bills them with each chunk, here more than the texts."""
    prefix = "passage, " * 400
    plain = planned(log)
    log.configure(embedder={"document_prefix": prefix})
    told = planned(log)
    assert told["chunks"] == plain["chunks"]
    more = told["tokens"]["expected"] - plain["tokens"]["expected"]
    assert more == pytest.approx(plain["chunks"]["expected"] * len(prefix) / 3.5)
    log.apply()
    assert plain["tokens"]["high"] < log.tokens_billed() < told["tokens"]["high"]
    assert log.tokens_billed() > told["tokens"]["low"]


def test_an_overlap_like_the_size_is_warned_of_and_works(log):
    """What the container does too: a text without spaces comes again with each character."""
    log.knowledge.items.clear()
    log.knowledge.bot("Echo", files={"echo.txt": "abcdefghij" * 40}, size=(100, 100))
    told = planned(log)
    assert told["action"] == "embed"
    assert "chunks of 100 characters overlap by 100: a text without spaces is embedded up to 100 times" in told["reason"]
    log.apply()
    ((rows, complete),) = log.marks().values()
    assert complete and rows > 250
    assert told["chunks"]["expected"] < rows < told["chunks"]["high"]
    assert told["tokens"]["high"] > sum(len(content) for _, _, content, _ in log.rows()) / 4


@pytest.mark.parametrize("kind", ["html", "pdf", "docx"])
def test_each_form_of_document_has_its_own_ratio(log, kind):
    log.knowledge.items.clear()
    log.knowledge.bot("Other", files={f"other.{kind}": WORDS})
    told = planned(log, f"--{kind}-characters", "0.5")["tokens"]
    assert told["expected"] == pytest.approx(len(WORDS) * 0.5 * 1.15 / 3.5)
