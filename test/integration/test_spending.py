"""
What a run spends and how fast: never more than the cap by the provider's own accounts, never
faster than the limit by the provider's own clock.

A token costs a dollar here, so that caps and tokens are the same numbers.
"""

import json
import random
import signal
import time

import documents
import pytest
from migration import (
    CALLS, PATIENCE, TEXTS_OF_A_CALL, Migration, end, kill, one_error, spent_by_the_meter, workers_of,
)  # fmt: skip
from postgres import wait_until
from provider import token_count

# Exit statuses of a run that was stopped: before any bot arrived, or after.
STOPPED = (1, 4)

CAP = 2000


def all_tokens(undisturbed):
    return sum(token_count(content) for _, _, content, _ in undisturbed)


def worst_case(undisturbed):
    """What may have to be reserved for one call: a token has at least a byte, and a few mark its ends."""
    return TEXTS_OF_A_CALL * max(len(content.encode()) + 8 for _, _, content, _ in undisturbed)


# --- the cap --------------------------------------------------------------------------------


@pytest.mark.threads
def test_the_cap_stops_the_run_and_a_higher_one_resumes(migration, undisturbed, provider):
    assert all_tokens(undisturbed) > 2 * CAP
    result = migration.apply("--max-usd", CAP, expect=STOPPED)
    assert "the spend cap of $2000 is reached" in result.stdout
    # The remedy is told once.
    assert (result.stdout + result.stderr).count("raise --max-usd") == 1
    spent = migration.tokens_billed()
    assert CAP - worst_case(undisturbed) <= spent <= CAP

    for _ in range(3):
        migration.apply("--max-usd", CAP, expect=STOPPED)
        assert migration.tokens_billed() <= CAP

    migration.apply("--max-usd", 2 * all_tokens(undisturbed))
    migration.assert_complete(undisturbed)
    assert migration.paid_again() == 0
    assert migration.tokens_billed() == all_tokens(undisturbed)


def test_batches_that_wait_are_not_paid_for_when_a_source_fails(vecferry, database, knowledge, provider):
    """Thirteen chunks are under way when the second file turns out to be empty; four of them are being called."""
    bot = knowledge.bot(
        "Doomed", files={"good.txt": "A line that fills a chunk of its own.\n\n" * 13, "empty.txt": " "}, size=(40, 0)
    )
    doomed = Migration(vecferry, database, knowledge, provider, run={"calls": 4}, embedder={"max_texts": 1})
    provider.change(latency_ms=1500)
    doomed.apply("--bot", bot, expect=4)
    assert provider.stats()["calls"] <= 8  # those that wait for a free call have begun, too
    doomed.assert_nothing_written()


def test_calls_in_flight_share_the_cap(migration, undisturbed, provider):
    """Many workers with many slow calls reserve before they send."""
    provider.change(latency_ms=150)
    migration.apply("--max-usd", CAP, "--workers", "4", "--calls", "8", expect=STOPPED)
    assert migration.tokens_billed() <= CAP
    assert provider.stats()["max_in_flight"] > 1


def test_answers_that_are_lost_count_too(migration, undisturbed, provider, seed):
    """Billed and cut off, or without a word on what was billed: the worst is assumed."""
    provider.change(faults="lost=0.2,cut-body=0.1,reset-body=0.1,no-usage=0.2,throttle-ms=0.1", seed=seed, retry_after_s=0.05)
    for _ in range(2):
        migration.apply("--max-usd", CAP, expect=STOPPED)
        assert migration.tokens_billed() <= CAP


@pytest.mark.parametrize("status", [500, 502, 503, 504, 408])
def test_failures_that_may_have_been_billed_count_too(migration, undisturbed, provider, status):
    """A gateway that gives up does not stop the model behind it, nor the bill."""
    provider.change(faults=f"paid-{status}=0.7", seed=status)
    for _ in range(2):
        migration.apply("--max-usd", CAP, expect=STOPPED)
        assert 0 < migration.tokens_billed() <= CAP
    assert any(call["status"] == status and call["billed"] for call in provider.log())
    assert migration.tokens_billed() <= spent_by_the_meter(migration) <= CAP


@pytest.mark.parametrize("fault", ["huge-bill", "tiny-bill"])
def test_a_bill_that_cannot_be_is_not_believed(migration, undisturbed, provider, fault):
    """More tokens than bytes, or fewer than texts: the worst case counts."""
    provider.change(faults=f"{fault}=0.5", seed=3)
    for _ in range(2):
        migration.apply("--max-usd", CAP, expect=STOPPED)
        assert 0 < migration.tokens_billed() <= spent_by_the_meter(migration) <= CAP
    run = json.loads(migration.program("status", "--json", "--config", migration.conf).stdout)
    assert run["total"]["tokens"] == run["total"]["usd"] == spent_by_the_meter(migration)


def test_refusals_are_free(migration, undisturbed, provider):
    provider.change(faults="throttle-ms=0.5", seed=1, retry_after_s=0.02)
    migration.apply("--max-usd", 10 * CAP)
    assert "throttle-ms" in provider.stats()["outcomes"]
    assert spent_by_the_meter(migration) == migration.tokens_billed() == all_tokens(undisturbed)


def test_prefixes_count_too(migration, undisturbed, provider):
    """The provider bills what the embedder puts before every text, here more than the texts."""
    migration.configure(embedder={"document_prefix": "w x y z " * 200})
    cap = 9000
    for _ in range(2):
        migration.apply("--max-usd", cap, expect=STOPPED)
        assert 0 < migration.tokens_billed() <= cap


@pytest.mark.parametrize("point", ["after-reserve:2", "after-embed:2", "after-stage:2", "after-launch", "before-ledger-done"])
def test_the_cap_holds_through_deaths(migration, undisturbed, provider, point):
    """Of what a dead worker had reserved nobody knows whether it was spent; so it was."""
    for _ in range(3):
        migration.apply("--max-usd", CAP, env={"VECFERRY_FAULT": point}, expect=(*STOPPED, -signal.SIGKILL))
        assert migration.tokens_billed() <= CAP
    migration.apply("--max-usd", CAP, expect=STOPPED)
    assert migration.tokens_billed() <= CAP
    migration.apply()
    migration.assert_complete(undisturbed)


def run_with_kills(migration, undisturbed, seed, rounds):
    chance = random.Random(seed)
    migration.provider.change(latency_ms=30)
    killed = 0
    for _ in range(rounds):
        process = migration.start("--max-usd", CAP)
        time.sleep(chance.uniform(0.05, 0.8) * PATIENCE)
        workers = workers_of(process)
        if workers and chance.random() < 0.5:
            killed += kill(chance.choice(workers))
        else:
            killed += len(workers)
            process.kill()
        end(process)
        assert migration.tokens_billed() <= CAP
    migration.apply("--max-usd", CAP, expect=STOPPED)
    assert migration.tokens_billed() <= CAP
    migration.apply("--max-usd", 100 * CAP)
    migration.assert_complete(undisturbed)
    assert migration.paid_again() <= killed * (2 * CALLS + 1) * TEXTS_OF_A_CALL


@pytest.mark.parametrize("number", range(2))
def test_the_cap_holds_through_random_kills(migration, undisturbed, seed, number):
    run_with_kills(migration, undisturbed, f"cap {seed} {number}", rounds=4)


@pytest.mark.soak
@pytest.mark.parametrize("number", range(60))
def test_the_cap_holds_through_random_kills_at_length(migration, undisturbed, seed, number):
    run_with_kills(migration, undisturbed, f"soak cap {seed} {number}", rounds=8)


def add_bot(migration, name):
    text = documents.text(list(documents.sentences(name, 60)))
    migration.knowledge.bot(name, files={f"{name}.txt": text}, size=(200, 20))


def test_new_work_after_a_finished_run_has_the_whole_cap(migration, undisturbed, provider):
    """The same command; a kill before the end of the new work does not begin another cap."""
    migration.apply("--max-usd", 2 * all_tokens(undisturbed))
    first = migration.tokens_billed()
    add_bot(migration, "Later")
    for point in ("after-plan", "after-launch", "after-embed:2", "after-stage:2"):
        migration.apply("--max-usd", CAP // 2, env={"VECFERRY_FAULT": point}, expect=(*STOPPED, -signal.SIGKILL))
    for _ in range(3):
        result = migration.apply("--max-usd", CAP // 2, expect=STOPPED)
        assert f"the spend cap of ${CAP // 2} is reached" in result.stdout
    assert 0 < migration.tokens_billed() - first <= CAP // 2

    migration.apply("--max-usd", 4 * CAP)
    second = migration.tokens_billed()
    add_bot(migration, "Latest")
    migration.apply("--max-usd", CAP // 2, expect=STOPPED)
    assert 0 < migration.tokens_billed() - second <= CAP // 2


def test_a_run_that_failed_in_part_goes_on_with_what_was_left(migration, undisturbed, provider):
    path = next(migration.knowledge.documents.glob("*/*/documents/log.txt"))
    path.rename(path.with_name("away"))
    migration.apply("--max-usd", 2 * all_tokens(undisturbed), expect=4)
    spent = migration.tokens_billed()
    path.with_name("away").rename(path)
    migration.apply("--max-usd", spent, expect=STOPPED)
    assert migration.tokens_billed() == spent


@pytest.mark.parametrize("cap", [0, 1, 150])
def test_a_cap_too_small_for_one_call_spends_nothing(migration, cap):
    result = migration.apply("--max-usd", cap, expect=1)
    assert "the spend cap" in result.stdout
    assert migration.tokens_billed() == 0
    migration.assert_nothing_written()


def test_a_cap_of_ten_million_is_not_reached(migration, undisturbed):
    migration.apply("--max-usd", 10_000_000)
    migration.assert_complete(undisturbed)


def use_unknown_model(migration):
    migration.configure(embedder={"model": "test-embedding", "dimensions": 0})


# What may have to be reserved for the question: a byte is at most a token, and a few mark its ends.
QUESTION = len("hello") + 8


def test_a_model_is_asked_for_its_dimensions_once_in_a_run(migration, undisturbed, provider):
    """Neither by plan nor by a dry run: the store's column tells them what to expect."""
    use_unknown_model(migration)
    plan = migration.plan().stdout
    assert "apply asks it first: a few tokens, once for the run" in plan
    migration.apply("--dry-run")
    assert migration.calls() == 0
    for _ in range(3):
        migration.apply("--max-usd", 100, expect=STOPPED)
    assert spent_by_the_meter(migration) == migration.tokens_billed() == token_count("hello")
    migration.apply()
    migration.assert_complete(undisturbed)
    assert provider.log()[0]["texts"] == 1
    assert migration.paid_again() == 0
    migration.apply()
    assert migration.tokens_billed() == token_count("hello") + all_tokens(undisturbed)


@pytest.mark.parametrize("cap", [0, 1, QUESTION - 1])
def test_the_cap_holds_for_the_question_of_dimensions(migration, provider, cap):
    use_unknown_model(migration)
    for _ in range(3):
        result = migration.apply("--max-usd", cap, expect=1)
        assert "the spend cap" in one_error(result)
    assert migration.tokens_billed() == 0


@pytest.mark.parametrize("fault", ["paid-504", "lost", "no-usage+cut-body"])
def test_a_question_that_is_lost_counts_too(migration, provider, fault):
    use_unknown_model(migration)
    cap = 3 * QUESTION + token_count("hello")
    provider.change(script=f"{fault}*")
    for _ in range(3):
        migration.apply("--max-usd", cap, expect=1)
        assert migration.tokens_billed() <= 3 * token_count("hello")
    assert spent_by_the_meter(migration) == 3 * QUESTION


def test_a_question_of_a_killed_apply_counts(migration, provider):
    use_unknown_model(migration)
    provider.change(latency_ms=500)
    for _ in range(3):
        process = migration.start("--max-usd", 2 * QUESTION)
        wait_until(lambda: provider.stats()["max_in_flight"] > 0 or process.poll() is not None, 30 * PATIENCE)
        time.sleep(0.2)
        kill(process.pid)
        process.communicate()
    time.sleep(0.6)
    assert migration.tokens_billed() == 2 * token_count("hello")
    result = migration.apply("--max-usd", 2 * QUESTION, expect=1)
    assert f"${2 * QUESTION} are spent" in one_error(result)


def test_a_model_that_does_not_fit_the_store_costs_a_question(migration, provider):
    use_unknown_model(migration)
    provider.change(dims=32)
    result = migration.apply(expect=3)
    assert one_error(result) == "the vector column takes vectors of 64 dimensions, the model makes 32"
    assert migration.tokens_billed() == token_count("hello")
    migration.assert_nothing_written()


def test_a_column_for_any_vectors_has_the_model_asked_by_plan(migration, undisturbed, provider):
    """Reserved in the meter of the run to come, which need not ask again."""
    use_unknown_model(migration)
    migration.database.execute("ALTER TABLE items ALTER embedding TYPE vector")
    assert "the spend cap" in one_error(migration.plan("--max-usd", QUESTION - 1, expect=1))
    for _ in range(2):
        migration.plan()
        assert spent_by_the_meter(migration) == migration.tokens_billed() == token_count("hello")
    migration.apply("--index", "none")
    assert migration.tokens_billed() == token_count("hello") + all_tokens(undisturbed)


def test_a_cap_needs_a_price(migration):
    text = "\n".join(line for line in migration.conf.read_text().splitlines() if not line.startswith("price="))
    migration.conf.write_text(text.replace("text-embedding-3-small", "test-embedding") + "\n")
    result = migration.apply("--max-usd", "5", expect=2)
    assert one_error(result) == '--max-usd needs a price, and none is known for model "test-embedding"'
    assert "hint: give --price" in result.stderr
    migration.assert_nothing_written()


# --- the rate ---------------------------------------------------------------------------------

# A minute of the provider lasts this long, so that a test sees several.
MINUTE_S = 6.0

# What a busy machine may hold up a call on its way: a real minute's share of this is a tenth.
DELAY_S = 0.3


def rate(log, amount):
    """What went through per second between the first and the last call."""
    amounts = [amount(call) for call in log]
    return (sum(amounts) - amounts[-1]) / (log[-1]["time"] - log[0]["time"])


def test_the_limit_of_requests_is_kept_and_used(migration, undisturbed, provider):
    per_second = 15
    migration.configure(embedder={"max_texts": 1})
    provider.change(rpm=per_second * (MINUTE_S + DELAY_S), window_s=MINUTE_S, sliding=True, latency_ms=50)
    migration.apply("--requests-per-minute", 60 * per_second)
    assert provider.stats()["rate_limited"] == 0
    assert provider.stats()["peak_requests"] <= per_second * (MINUTE_S + DELAY_S)
    used = rate(provider.log(), lambda call: 1)
    assert 0.95 * per_second <= used <= 1.001 * per_second
    migration.assert_complete(undisturbed)


def test_the_limit_of_tokens_is_kept_and_used(migration, undisturbed, provider):
    per_second = 600
    migration.configure(embedder={"max_texts": 1})
    provider.change(tpm=per_second * (MINUTE_S + DELAY_S), window_s=MINUTE_S, sliding=True, latency_ms=50)
    migration.apply("--tokens-per-minute", 60 * per_second)
    assert provider.stats()["rate_limited"] == 0
    assert provider.stats()["peak_tokens"] <= per_second * (MINUTE_S + DELAY_S)
    used = rate(provider.log(), lambda call: call["tokens"])
    assert 0.95 * per_second <= used
    migration.assert_complete(undisturbed)


@pytest.mark.soak
def test_no_minute_has_too_many_tokens(migration, undisturbed, provider):
    """Each call is a good part of a minute's tokens, so that one too many would show."""
    per_minute = 2000
    provider.change(tpm=per_minute, sliding=True)
    process = migration.start("--tokens-per-minute", per_minute)
    status, stdout, stderr = end(process, 300)
    assert status == 0, stdout + stderr
    assert provider.stats()["rate_limited"] == 0
    # Eleven of these calls fit into a minute, and something is left.
    assert rate(provider.log(), lambda call: call["tokens"]) >= 0.85 * per_minute / 60
    migration.assert_complete(undisturbed)


@pytest.mark.parametrize("style", ["seconds", "none"])
def test_a_limit_that_only_the_provider_knows_is_learnt(migration, undisturbed, provider, style):
    """From its headers, or from its refusals; a token bucket, as OpenAI's."""
    provider.change(rpm=1200, burst_s=0.2, retry_style=style)
    migration.apply("--workers", "4")
    migration.assert_complete(undisturbed)
    assert migration.paid_again() == 0
