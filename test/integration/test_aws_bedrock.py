"""Vectors from Bedrock: every row with its true vector, every token on the bill, every refusal with its remedy."""

import json
import re
import signal
import struct
import time
from collections import Counter

import pytest
from aws_fixture import aws  # noqa: F401
from migration import (
    CALLS,
    TEXTS_OF_A_CALL,
    WORKERS,
    Migration,
    end,
    fault_points,
    one_error,
    rows_of,
    spent_by_the_meter,
)

from aws.bedrock import expected  # isort: skip
from aws.mishaps import CutBody, HangUp, LostAnswer, Page, Refusal  # isort: skip

COHERE = "cohere.embed-multilingual-v3"
TITAN = "amazon.titan-embed-text-v2:0"
DOLLAR_A_TOKEN = 1_000_000


class OnBedrock:
    """The library on its way into a store by a model of Bedrock; a token costs a dollar."""

    def __init__(self, vecferry, database, library, aws, column=1024, **embedder):
        self.aws = aws
        self.dimensions = column
        self.model = embedder.get("model", COHERE)
        self.environment = aws.environment()
        settings = {"kind": "bedrock", "model": COHERE, "price": DOLLAR_A_TOKEN, "max_texts": TEXTS_OF_A_CALL, **embedder}
        self.migration = Migration(vecferry, database, library, make_store=False, embedder=settings)
        made = vecferry(
            "store", "create", "--new-store", database.url, "--vector-dimensions", column, env=self.environment
        )
        assert made.status == 0, made.stderr

    def apply(self, *options, expect=0, env=None):
        return self.migration.apply(*options, expect=expect, env=self.environment | (env or {}))

    def assert_complete(self, undisturbed):
        """The rows of any undisturbed run, each with the model's own vector."""
        rows = rows_of(self.migration.database)
        assert Counter(row[:3] for row in rows) == Counter(row[:3] for row in undisturbed)
        assert self.migration.staged() == 0
        assert {bot for bot, *_ in rows} == set(self.migration.marks())
        for _, _, content, vector in rows:
            numbers = expected(content, self.model, self.dimensions)
            assert bytes.fromhex(vector)[4:] == struct.pack(f">{self.dimensions}f", *numbers), content

    def calls(self):
        return self.aws.calls("bedrock")

    def paid_again(self):
        return sum(times - 1 for times in self.aws.bedrock.billed.values())

    def spent(self):
        return spent_by_the_meter(self.migration)


@pytest.fixture
def on_bedrock(vecferry, database, library, aws):
    return lambda **embedder: OnBedrock(vecferry, database, library, aws, **embedder)


def assert_in_order(aws):
    """The fake found nothing wrong with any request."""
    assert [call for call in aws.refusals()] == []


def test_every_row_arrives_and_every_token_is_on_the_bill(on_bedrock, aws, undisturbed):
    run = on_bedrock(max_texts=0)
    run.apply("--max-usd", "100000")
    run.assert_complete(undisturbed)
    assert run.paid_again() == 0
    assert run.spent() == aws.bedrock.billed_tokens > 1000
    assert max(len(texts_of(call)) for call in run.calls()) > 4
    assert_in_order(aws)


def texts_of(call):
    return json.loads(call.parameters[1])["texts"]


@pytest.mark.parametrize(
    "embedder",
    [
        {"model": "cohere.embed-english-v3"},
        {"model": "eu.cohere.embed-v4:0", "dimensions": 512},
        {"model": "eu.cohere.embed-v4:0", "dimensions": 1536},
        {"model": "amazon.titan-embed-text-v1", "dimensions": 1536},
        {"model": TITAN, "dimensions": 256},
    ],
    ids=lambda embedder: f"{embedder['model']} {embedder.get('dimensions', '')}",
)
def test_each_model_makes_its_vectors(vecferry, database, library, aws, undisturbed, embedder):
    dimensions = embedder.get("dimensions", 1024)
    run = OnBedrock(vecferry, database, library, aws, column=dimensions, **embedder)
    run.apply()
    run.assert_complete(undisturbed)
    assert run.spent() == aws.bedrock.billed_tokens
    assert_in_order(aws)


def test_a_throttle_storm_is_waited_out(on_bedrock, aws, undisturbed):
    """Four of ten calls are throttled for a while; what is throttled is not billed."""
    run = on_bedrock()
    aws.mishap("bedrock", "*", Refusal("ThrottlingException", 429, "Too many tokens", {"Retry-After": "0"}), times=20, fraction=0.4)
    run.apply()
    run.assert_complete(undisturbed)
    assert run.paid_again() == 0
    assert run.spent() == aws.bedrock.billed_tokens
    assert_in_order(aws)


def test_a_model_that_is_not_ready_is_waited_for(on_bedrock, aws, undisturbed):
    run = on_bedrock()
    aws.mishap("bedrock", "*", Refusal("ModelNotReadyException", 429, "The model is loading"), times=3)
    run.apply()
    run.assert_complete(undisturbed)
    assert run.spent() == aws.bedrock.billed_tokens


def test_without_access_to_the_model_nothing_is_tried_twice(on_bedrock, aws):
    run = on_bedrock()
    aws.bedrock.granted.clear()
    result = run.apply(expect=1)
    assert "AccessDeniedException: You don't have access to the model" in one_error(result)
    assert "Bedrock console of region eu-west-1" in result.stderr
    assert "bedrock:InvokeModel" in result.stderr
    assert len(run.calls()) <= 4
    assert run.spent() == 0
    assert rows_of(run.migration.database) == []


def test_an_id_that_needs_a_profile_says_so(vecferry, database, library, aws):
    run = OnBedrock(vecferry, database, library, aws, column=1536, model="cohere.embed-v4:0")
    result = run.apply(expect=1)
    assert "on-demand throughput" in one_error(result)
    assert "name an inference profile" in result.stderr
    assert run.spent() == 0


def test_the_models_may_be_in_another_region(on_bedrock, aws, undisturbed):
    aws.region_of["bedrock"] = "us-west-2"
    run = on_bedrock(region="us-west-2")
    run.apply()
    run.assert_complete(undisturbed)
    assert_in_order(aws)


def test_lost_answers_are_billed_at_their_worst_within_the_cap(on_bedrock, aws, undisturbed):
    """What AWS computed never exceeds what the meter counts, whatever was lost on the way."""
    run = on_bedrock()
    for mishap in (LostAnswer(), CutBody(), LostAnswer(reset=True)):
        aws.mishap("bedrock", "*", mishap, times=3, fraction=0.2)
    aws.mishap("bedrock", "*", HangUp(), times=2, fraction=0.2)
    aws.mishap("bedrock", "*", Page(), times=2, fraction=0.2)
    run.apply("--max-usd", "1000000")
    run.assert_complete(undisturbed)
    assert run.paid_again() > 0
    assert run.spent() >= aws.bedrock.billed_tokens


def test_the_cap_holds_when_every_answer_is_lost(on_bedrock, aws):
    run = on_bedrock()
    aws.mishap("bedrock", "*", LostAnswer())
    result = run.apply("--max-usd", "2000", "--workers", "1", expect=1)
    assert "spend cap" in result.stdout + result.stderr
    assert 0 < aws.bedrock.billed_tokens <= run.spent() <= 2000


def test_a_text_that_the_model_refuses_fails_its_source_only(on_bedrock, aws, library):
    """Titan has a limit of tokens that no count of characters tells; the chunk is named."""
    run = on_bedrock()
    long = library.bot("Scroll", files={"scroll.txt": "\N{CUNEIFORM SIGN A} " * 1010}, size=(2040, 0))
    result = run.apply(expect=4)
    assert re.search(r"^failed +\S+ +Scroll .*chunk 1: .*ValidationException", result.stdout, re.MULTILINE), result.stdout
    assert "InvokeModel" in result.stdout
    assert long not in run.migration.marks() and len(run.migration.marks()) == 4


@pytest.mark.parametrize("point", ["after-reserve", "after-embed"])
def test_killed_with_a_call_under_way_it_goes_on(on_bedrock, aws, undisturbed, vecferry, point):
    assert point in fault_points(vecferry)
    run = on_bedrock()
    result = run.apply("--attempts", "1", env={"VECFERRY_FAULT": f"{point}:3"}, expect=(1, 4))
    assert "killed" in result.stdout + result.stderr
    run.apply()
    run.assert_complete(undisturbed)
    assert run.spent() >= aws.bedrock.billed_tokens
    assert_in_order(aws)


def test_killed_in_the_middle_it_resumes_without_paying_for_what_is_staged(on_bedrock, aws, undisturbed):
    run = on_bedrock()
    process = run.migration.start(env=run.environment)
    while len(run.calls()) < 8:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    end(process)
    run.apply()
    run.assert_complete(undisturbed)
    # A worker's calls were under way, as many waited to be staged, and one was.
    assert run.paid_again() <= WORKERS * (2 * CALLS + 1) * TEXTS_OF_A_CALL
    assert run.spent() >= aws.bedrock.billed_tokens


def test_a_question_finds_its_chunk(on_bedrock, aws, vecferry):
    run = on_bedrock()
    run.apply()
    bot, _, content, _ = rows_of(run.migration.database)[0]
    answer = vecferry("ask", "--config", run.migration.conf, "--bot", bot, content, env=run.environment)
    assert answer.status == 0, answer.stderr
    assert " ".join(content.split())[:40] in " ".join(answer.stdout.split())
    assert b'"search_query"' in run.calls()[-1].parameters[1]


def test_a_wrong_secret_key_is_one_clear_error(on_bedrock, aws):
    run = on_bedrock()
    result = run.apply(env={"AWS_SECRET_ACCESS_KEY": "wrong/secret"}, expect=1)
    assert "InvalidSignatureException" in one_error(result)
    assert "wrong/secret" not in result.stdout + result.stderr
    assert run.spent() == 0


def test_no_region_is_usage(on_bedrock):
    run = on_bedrock()
    result = run.apply(env={"AWS_REGION": ""}, expect=2)
    assert "region" in one_error(result)


def test_the_secret_key_is_kept_nowhere(on_bedrock, aws):
    run = on_bedrock()
    said = run.apply()
    kept = b"".join(path.read_bytes() for path in run.migration.program.state.rglob("*") if path.is_file())
    assert len(kept) > 1000
    assert aws.operator.secret.encode() not in kept
    assert aws.operator.secret not in said.stdout + said.stderr
