"""The test servers keep their promises: shown with a raw client, one by one.

Run with: /usr/bin/python3 -m pytest test/integration/test_servers.py
"""

from __future__ import annotations

import base64
import glob
import gzip
import hashlib
import http.client
import json
import math
import os
import pwd
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest

SERVERS = Path(__file__).parent / "servers"
sys.path.insert(0, str(SERVERS))

import faults  # noqa: E402
import guide_container  # noqa: E402
import ratelimit  # noqa: E402
from provider import Provider, expected_vector, token_count  # noqa: E402
from vectors import vector_bytes, vector_json  # noqa: E402
from website import Website  # noqa: E402

KEY = "sk-test"
BOT = "01HXXXXXXXXXXXXXXXXXXXXBOT"


# --- helpers -----------------------------------------------------------------


class Reply:
    """A whole answer."""

    def __init__(self, response: http.client.HTTPResponse):
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.body = response.read()

    def json(self):
        return json.loads(self.body)


class Client:
    """One connection, kept alive."""

    def __init__(self, server):
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)

    def fetch(self, method: str, path: str, body=None, headers=None) -> Reply:
        self.connection.request(method, path, body, headers or {})
        return Reply(self.connection.getresponse())

    def embed(self, texts, key: str = KEY, **members) -> Reply:
        request = {"model": "test-embedding", "input": texts, **members}
        return self.post(json.dumps(request), key=key)

    def post(self, body, key: str = KEY, content_type: str = "application/json") -> Reply:
        headers = {"Authorization": f"Bearer {key}", "Content-Type": content_type}
        return self.fetch("POST", "/v1/embeddings", body, headers)


def asked(texts, key: str = KEY, members: dict | None = None, **settings) -> Reply:
    """The answer of a new provider to its first call."""
    with Provider(**settings) as provider:
        return Client(provider).embed(texts, key, **(members or {}))


def said(server, text: bytes) -> bytes:
    """What the server answers to these bytes before it closes or falls silent."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as wire:
        wire.sendall(text)
        wire.shutdown(socket.SHUT_WR)
        pieces = []
        while piece := wire.recv(65536):
            pieces.append(piece)
    return b"".join(pieces)


def vectors_of(reply: Reply) -> dict[int, tuple[float, ...]]:
    """Index to vector, from either format."""
    found = {}
    for item in reply.json()["data"]:
        value = item["embedding"]
        if isinstance(value, str):
            data = base64.b64decode(value, validate=True)
        else:
            data = struct.pack(f"<{len(value)}f", *value)
        found[item["index"]] = struct.unpack(f"<{len(data) // 4}f", data)
    return found


@pytest.fixture
def provider():
    with Provider() as running:
        yield running
    assert running.errors == []


# --- vectors and tokens ------------------------------------------------------


@pytest.mark.parametrize("dims", [1, 3, 8, 256, 1024, 1025, 3072])
def test_every_vector_has_length_one(dims):
    vector = expected_vector("some text", dims)
    assert len(vector) == dims
    assert math.isclose(math.hypot(*vector), 1, abs_tol=1e-6)


def test_different_texts_have_different_vectors():
    assert len({expected_vector(f"text {number}", 64) for number in range(1000)}) == 1000


def test_another_space_gives_another_vector():
    assert expected_vector("text", 64, "new model") != expected_vector("text", 64)


def test_a_shorter_vector_is_the_beginning_of_the_longer_one():
    long, short = expected_vector("text", 1024), expected_vector("text", 256)
    norm = math.hypot(*long[:256])
    assert all(math.isclose(a / norm, b, abs_tol=1e-7) for a, b in zip(long, short))


def test_the_decimals_give_back_every_float_exactly():
    numbers = json.loads(vector_json("text", 1025))
    assert struct.pack("<1025f", *numbers) == vector_bytes("text", 1025)


def test_the_vectors_never_change_from_one_version_to_the_next():
    digest = hashlib.sha256(vector_bytes("Grüße", 1024)).hexdigest()
    assert digest == "a7e3f8b09d4c1440a22e7e34ea4f3199d4877deb0fa080a866d137f7d2f31f7c"


def test_tokens_are_counted_in_bytes_of_utf8():
    texts = ("", "a", "abcd", "abcde", "éé", "日本語")
    assert [token_count(text) for text in texts] == [1, 1, 1, 2, 1, 3]


# --- good answers ------------------------------------------------------------


def test_floats_come_by_default_with_index_and_usage(provider):
    reply = Client(provider).embed(["one", "two words"])
    assert reply.status == 200
    body = reply.json()
    assert body["object"] == "list" and body["model"] == "test-embedding"
    assert [item["index"] for item in body["data"]] == [0, 1]
    assert {item["object"] for item in body["data"]} == {"embedding"}
    assert body["usage"] == {"prompt_tokens": 4, "total_tokens": 4}
    assert vectors_of(reply) == {0: expected_vector("one"), 1: expected_vector("two words")}


def test_base64_holds_the_same_floats_as_little_endian_bytes(provider):
    reply = Client(provider).embed(["one"], encoding_format="base64")
    data = base64.b64decode(reply.json()["data"][0]["embedding"], validate=True)
    assert data == vector_bytes("one", 1024)


def test_a_single_string_is_an_input_too(provider):
    assert vectors_of(Client(provider).embed("one")) == {0: expected_vector("one")}


def test_dimensions_shorten_the_vectors_of_text_embedding_3(provider):
    reply = Client(provider).embed(["one"], model="text-embedding-3-small", dimensions=256)
    assert vectors_of(reply) == {0: expected_vector("one", 256)}


def test_the_cheap_mode_gives_one_vector_for_all_texts():
    vectors = vectors_of(asked(["one", "two"], cheap=True))
    assert vectors[0] == vectors[1] and len(vectors[0]) == 1024


def test_a_connection_serves_many_calls(provider):
    client = Client(provider)
    assert [client.embed([f"text {number}"]).status for number in range(20)] == [200] * 20
    assert provider.stats()["connections"] == 1


def test_the_models_are_listed_for_those_who_have_the_key(provider):
    client = Client(provider)
    reply = client.fetch("GET", "/v1/models", headers={"Authorization": f"Bearer {KEY}"})
    assert [model["id"] for model in reply.json()["data"]][0] == "test-embedding"
    assert client.fetch("GET", "/v1/models").status == 401


def test_without_a_key_of_its_own_it_asks_for_none():
    with Provider(key=None) as provider:
        body = json.dumps({"model": "test-embedding", "input": "one"})
        reply = Client(provider).fetch(
            "POST", "/v1/embeddings", body, {"Content-Type": "application/json"}
        )
    assert reply.status == 200


def test_two_hundred_clients_are_answered_at_once():
    with Provider(latency_ms=300) as provider:
        started = time.monotonic()
        with ThreadPoolExecutor(200) as pool:
            replies = list(pool.map(lambda n: Client(provider).embed([f"t {n}"]), range(200)))
        took_s = time.monotonic() - started
        stats = provider.stats()
    assert {reply.status for reply in replies} == {200}
    assert stats["max_in_flight"] > 50 and stats["errors"] == []
    assert took_s < 5


# --- strictness --------------------------------------------------------------


@pytest.mark.parametrize(
    "request_body, message",
    [
        ({"model": "test-embedding", "input": ""}, "'$.input' is invalid"),
        ({"model": "test-embedding", "input": []}, "'$.input' is invalid"),
        ({"model": "test-embedding", "input": ["a", ""]}, "'$.input' is invalid"),
        ({"model": "test-embedding", "input": ["a"] * 2049}, "'$.input' is invalid"),
        ({"model": "test-embedding", "input": [1, 2]}, "'$.input' is invalid"),
        ({"model": "test-embedding", "input": [None]}, "'$.input' is invalid"),
        ({"model": "test-embedding", "input": ["\ud800"]}, "'$.input' is invalid"),
        ({"model": "test-embedding"}, "'$.input' is invalid"),
        ({"input": "a"}, "model parameter"),
        ({"model": "test-embedding", "input": "a", "inputs": 1}, "Unrecognized request argument"),
        ({"model": "test-embedding", "input": "a", "user": 5}, "user"),
        ({"model": "test-embedding", "input": "a", "encoding_format": "hex"}, "encoding_format"),
        ({"model": "test-embedding", "input": "a", "encoding_format": None}, "encoding_format"),
        ({"model": "test-embedding", "input": "a", "dimensions": 8}, "does not support specifying"),
        ({"model": "text-embedding-3-small", "input": "a", "dimensions": 0}, "dimensions"),
        ({"model": "text-embedding-3-small", "input": "a", "dimensions": 2000}, "dimensions"),
        ({"model": "text-embedding-3-small", "input": "a", "dimensions": True}, "dimensions"),
        ({"model": "test-embedding", "input": "a" * 32_769}, "maximum context length is 8192"),
        ({"model": "test-embedding", "input": ["a" * 32_000] * 38}, "max 300000 tokens per"),
        (["a"], "JSON object"),
    ],
)
def test_a_request_against_the_rules_is_400(provider, request_body, message):
    reply = Client(provider).post(json.dumps(request_body))
    assert reply.status == 400
    assert message in reply.json()["error"]["message"]
    assert set(reply.json()["error"]) == {"message", "type", "param", "code"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"model": "test-embedding", "input": "a", "input": "b"}',
        b'{"model": "test-embedding", "input": "\xff"}',
        b'{"model": "test-embedding", "input": "a", "dimensions": NaN}',
        b"[" * 100_000,
    ],
)
def test_a_body_that_is_no_json_is_400(provider, body):
    reply = Client(provider).post(body)
    assert reply.status == 400
    assert "could not parse the JSON" in reply.json()["error"]["message"]


def test_the_longest_text_and_the_largest_call_are_taken(provider):
    client = Client(provider)
    assert client.embed("a" * 32_768).status == 200
    assert client.embed(["a"] * 2048).status == 200
    assert client.embed(["a" * 32_000] * 37 + ["a" * 16_000]).status == 200


def test_characters_can_be_limited_too():
    assert asked("é" * 10, max_chars=10).status == 200
    assert asked("é" * 11, max_chars=10).status == 400


def test_an_unknown_model_is_404(provider):
    reply = Client(provider).embed("a", model="gpt-nothing")
    assert (reply.status, reply.json()["error"]["code"]) == (404, "model_not_found")


def test_a_wrong_key_is_401_and_is_not_repeated(provider):
    reply = Client(provider).embed("a", key="sk-a-secret-of-mine")
    assert (reply.status, reply.json()["error"]["code"]) == (401, "invalid_api_key")
    assert "secret" not in reply.json()["error"]["message"]


def test_a_missing_key_is_401(provider):
    body = json.dumps({"model": "test-embedding", "input": "a"})
    headers = {"Content-Type": "application/json"}
    assert Client(provider).fetch("POST", "/v1/embeddings", body, headers).status == 401


def test_other_paths_and_methods_are_refused(provider):
    client = Client(provider)
    assert client.fetch("POST", "/v1/embedding", b"{}").status == 404
    assert client.fetch("GET", "/v1/embeddings").status == 405
    assert client.fetch("PUT", "/v1/embeddings", b"{}").status == 405


def test_only_json_in_utf8_is_a_content_type(provider):
    client = Client(provider)
    body = json.dumps({"model": "test-embedding", "input": "a"})
    assert client.post(body, content_type="application/json; charset=utf-8").status == 200
    assert client.post(body, content_type="text/plain").status == 415
    assert client.post(body, content_type="application/json; charset=latin-1").status == 415


HEAD = b"POST /v1/embeddings HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer sk-test\r\n"


def test_a_body_needs_one_content_length(provider):
    assert said(provider, HEAD + b"\r\n").startswith(b"HTTP/1.1 411 ")
    chunked = HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    assert said(provider, chunked).startswith(b"HTTP/1.1 411 ")
    for lengths in (b"Content-Length: 2\r\nContent-Length: 3\r\n", b"Content-Length: -1\r\n"):
        assert said(provider, HEAD + lengths + b"\r\n{}").startswith(b"HTTP/1.1 400 ")


def test_a_body_may_be_too_large(provider):
    head = HEAD + b"Content-Length: 99999999999\r\n\r\n"
    assert said(provider, head).startswith(b"HTTP/1.1 413 ")


def test_a_host_header_is_needed(provider):
    head = HEAD.replace(b"Host: x\r\n", b"") + b"Content-Length: 2\r\n\r\n{}"
    assert said(provider, head).startswith(b"HTTP/1.1 400 ")


def test_a_client_that_leaves_in_the_middle_costs_nothing(provider):
    said(provider, HEAD + b"Content-Length: 500\r\n\r\n{")
    assert provider.stats()["calls"] == 0


def test_expect_100_continue_is_obeyed(provider):
    body = b'{"model": "test-embedding", "input": "a"}'
    head = HEAD + b"Content-Type: application/json\r\nExpect: 100-continue\r\n"
    answer = said(provider, head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize(
    "flavour, status, message_of",
    [
        ("openai", 404, lambda body: body["error"]["message"]),
        ("ollama", 404, lambda body: body["error"]["message"]),
        ("vllm", 404, lambda body: body["message"]),
        ("llamacpp", 404, lambda body: body["error"]["message"]),
        ("tei", 404, lambda body: body["message"]),
    ],
)
def test_each_flavour_of_server_words_its_errors_in_its_own_shape(flavour, status, message_of):
    reply = asked("a", members={"model": "nothing"}, flavour=flavour)
    assert reply.status == status
    assert "nothing" in message_of(reply.json())


# --- faults that refuse ------------------------------------------------------

REFUSALS = {
    "throttle": (429, {"retry-after": "2", "retry-after-ms": "1500"}, "rate_limit_exceeded"),
    "throttle-s": (429, {"retry-after": "2", "retry-after-ms": None}, "rate_limit_exceeded"),
    "throttle-ms": (429, {"retry-after": None, "retry-after-ms": "1500"}, "rate_limit_exceeded"),
    "throttle-date": (429, {"retry-after-ms": None}, "rate_limit_exceeded"),
    "throttle-bare": (429, {"retry-after": None, "retry-after-ms": None}, "rate_limit_exceeded"),
    "quota": (429, {"retry-after": None}, "insufficient_quota"),
    "overloaded": (429, {}, "Model is overloaded"),
    "http-500": (500, {"content-type": "text/html"}, "<html>"),
    "http-502": (502, {"content-type": "text/html"}, "<html>"),
    "http-503": (503, {"content-type": "text/html"}, "<html>"),
    "loading": (503, {}, "Loading model"),
    "nan-error": (500, {}, "unsupported value: NaN"),
    "unauthorized": (401, {}, "invalid_api_key"),
    "unauthorized-echo": (401, {}, KEY),
    "redirect": (307, {}, ""),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_has_its_status_its_headers_and_costs_nothing(name):
    status, headers, text = REFUSALS[name]
    with Provider(script=name, retry_after_s=1.5) as provider:
        client = Client(provider)
        reply, next_reply = client.embed("one"), client.embed("one")
        stats = provider.stats()
    assert reply.status == status and text in reply.body.decode()
    for header, value in headers.items():
        assert reply.headers.get(header) == value
    assert next_reply.status == 200
    assert stats["outcomes"] == {name: 1, "ok": 1}
    assert (stats["texts_billed"], stats["tokens_billed"], stats["tokens_spoiled"]) == (1, 1, 0)


PAID_FAILURES = [408, 500, 502, 503, 504]


@pytest.mark.parametrize("status", PAID_FAILURES)
def test_a_failure_behind_a_gateway_may_be_paid(status):
    with Provider(script=f"paid-{status}") as provider:
        reply = Client(provider).embed("one")
        stats = provider.stats()
    assert reply.status == status and "<html>" in reply.body.decode()
    assert (stats["texts_billed"], stats["tokens_billed"], stats["tokens_spoiled"]) == (1, 1, 0)


def test_a_retry_date_lies_in_the_near_future():
    date = asked("one", script="throttle-date", retry_after_s=5).headers["retry-after"]
    assert 3 <= parsedate_to_datetime(date).timestamp() - time.time() <= 6


def test_who_follows_a_redirect_with_the_key_is_seen():
    with Provider(script="redirect") as provider:
        client = Client(provider)
        target = client.embed("one").headers["location"].removeprefix(provider.url)
        client.fetch("POST", target, b"{}", {"Authorization": f"Bearer {KEY}"})
        followed = provider.log()[1]
    assert followed["status"] == 404 and followed["has_key"] and target == followed["path"]


def test_a_cut_connection_ends_before_the_first_byte():
    with Provider(script="cut,reset") as provider:
        with pytest.raises(http.client.RemoteDisconnected):
            Client(provider).embed("one")
        with pytest.raises(ConnectionResetError):
            Client(provider).embed("one")
        assert provider.stats()["tokens_billed"] == 0
        assert provider.stats()["statuses"] == {"0": 2}


# --- faults that spoil the answer --------------------------------------------

TEXTS = ["one", "two", "three"]
GOOD = {index: expected_vector(text) for index, text in enumerate(TEXTS)}


def indexes(reply: Reply) -> list:
    return [item.get("index") for item in reply.json()["data"]]


def last_embedding(reply: Reply):
    return reply.json()["data"][-1]["embedding"]


def last_floats(reply: Reply) -> list[float]:
    data = base64.b64decode(last_embedding(reply), validate=True)
    return [number for (number,) in struct.iter_unpack("<f", data)]


def is_no_json(reply: Reply) -> bool:
    try:
        reply.json()
        return False
    except (ValueError, RecursionError):
        return True


SPOILED = {
    "no-index": lambda reply: indexes(reply) == [None, None, None],
    "short": lambda reply: indexes(reply) == [0, 1],
    "long": lambda reply: indexes(reply) == [0, 1, 2, 3],
    "duplicate": lambda reply: indexes(reply) == [2, 1, 2],
    "bad-index": lambda reply: indexes(reply) == [0, 1, 3],
    "negative-index": lambda reply: indexes(reply) == [0, 1, -1],
    "empty-vector": lambda reply: last_embedding(reply) == [],
    "wrong-dims": lambda reply: len(vectors_of(reply)[2]) == 1023,
    "ragged": lambda reply: len(base64.b64decode(last_embedding(reply))) == 4095,
    "bad-base64": lambda reply: last_embedding(reply).startswith("*"),
    "nan-token": lambda reply: b",NaN," in reply.body,
    "inf-token": lambda reply: b",Infinity," in reply.body,
    "nan-null": lambda reply: last_embedding(reply).count(None) == 1,
    "nan-bytes": lambda reply: sum(map(math.isnan, last_floats(reply))) == 1,
    "inf-bytes": lambda reply: sum(map(math.isinf, last_floats(reply))) == 1,
    "huge-number": lambda reply: max(last_embedding(reply)) == 1e300,
    "zero": lambda reply: set(vectors_of(reply)[2]) == {0.0},
    "garbage": is_no_json,
    "empty": lambda reply: reply.body == b"",
    "html": lambda reply: reply.headers["content-type"] == "text/html",
    "truncated": lambda reply: is_no_json(reply) and reply.body.startswith(b'{"object":"list"'),
    "nested": is_no_json,
    "error-200": lambda reply: "error" in reply.json(),
}


@pytest.mark.parametrize("name", SPOILED)
def test_a_spoiled_answer_is_200_wrong_and_not_billed(name):
    encoding = {"encoding_format": "base64"} if name in ("ragged", "bad-base64") else {}
    with Provider(script=name) as provider:
        reply = Client(provider).embed(TEXTS, **encoding)
        stats = provider.stats()
    assert reply.status == 200
    assert SPOILED[name](reply)
    assert (stats["texts_billed"], stats["tokens_spoiled"]) == (0, 4)


@pytest.mark.parametrize("name", ["short", "bad-index", "wrong-dims", "zero", "nan-bytes"])
@pytest.mark.parametrize("encoding", ["float", "base64"])
def test_a_single_text_can_be_spoiled_in_both_formats(name, encoding):
    reply = asked("one", members={"encoding_format": encoding}, script=name)
    assert reply.status == 200
    assert vectors_of(reply) != {0: expected_vector("one")}


def test_the_duplicate_of_a_single_text_is_a_second_vector():
    assert indexes(asked("one", script="duplicate")) == [0, 0]


ODD_BUT_GOOD = {
    "shuffle": lambda reply: indexes(reply) == [2, 1, 0],
    "no-usage": lambda reply: "usage" not in reply.json(),
    "huge-bill": lambda reply: reply.json()["usage"]["prompt_tokens"] == 9 * 10**18,
    "tiny-bill": lambda reply: reply.json()["usage"]["prompt_tokens"] == len(TEXTS) - 1,
    "wrong-format": lambda reply: isinstance(last_embedding(reply), str),
}


@pytest.mark.parametrize("name", ODD_BUT_GOOD)
def test_an_odd_answer_is_good_and_billed(name):
    with Provider(script=name) as provider:
        reply = Client(provider).embed(TEXTS)
        stats = provider.stats()
    assert ODD_BUT_GOOD[name](reply)
    assert vectors_of(reply) == GOOD
    assert (stats["texts_billed"], stats["tokens_billed"]) == (3, 4)


def test_a_provider_that_ignores_base64_sends_floats():
    reply = asked(TEXTS, members={"encoding_format": "base64"}, script="wrong-format")
    assert isinstance(last_embedding(reply), list) and vectors_of(reply) == GOOD


# --- faults on the way -------------------------------------------------------

CUT_SHORT = {
    "lost": http.client.RemoteDisconnected,
    "cut-body": http.client.IncompleteRead,
    "reset-body": (ConnectionResetError, http.client.IncompleteRead),
    "length-long": http.client.IncompleteRead,
    "stall": http.client.IncompleteRead,
}


@pytest.mark.parametrize("name", CUT_SHORT)
def test_an_answer_cut_short_is_paid_but_lost(name):
    with Provider(script=name, slow_ms=100) as provider:
        with pytest.raises(CUT_SHORT[name]):
            Client(provider).embed(TEXTS)
        assert vectors_of(Client(provider).embed(TEXTS)) == GOOD
        stats = provider.stats()
        times_billed = provider.times_billed()
    assert (stats["texts_billed"], stats["distinct_texts_billed"]) == (6, 3)
    assert stats["texts_billed_again"] == 3 and stats["tokens_billed"] == 8
    assert times_billed[hashlib.sha256(b"one").hexdigest()] == 2


def test_a_content_length_may_be_too_small():
    reply = asked(TEXTS, script="length-short")
    assert reply.status == 200 and is_no_json(reply)


def test_a_dripping_body_arrives_whole_but_late():
    with Provider(script="drip", drip_ms=300) as provider:
        started = time.monotonic()
        reply = Client(provider).embed(TEXTS)
        assert time.monotonic() - started >= 0.3
    assert vectors_of(reply) == GOOD


def test_a_slow_answer_arrives_whole_but_late():
    with Provider(script="slow,slow+shuffle,ok", slow_ms=200, latency_ms=100) as provider:
        client = Client(provider)
        for at_least_s in (0.3, 0.3, 0.1):
            started = time.monotonic()
            assert vectors_of(client.embed(TEXTS)) == GOOD
            assert time.monotonic() - started >= at_least_s


@pytest.mark.parametrize("name", ["huge", "huge-declared"])
def test_an_endless_body_ends_when_the_client_hangs_up(name):
    with Provider(script=name, huge_mib=10_000) as provider:
        client = Client(provider)
        client.connection.request("POST", "/v1/embeddings", *json_request("one"))
        response = client.connection.getresponse()
        assert len(response.read(3_000_000)) == 3_000_000
        response.close()
        client.connection.close()
        wait_until(lambda: provider.stats()["undelivered"] == 1)
        assert provider.stats()["texts_billed"] == 0


def test_headers_may_have_no_end():
    with Provider(script="huge-head", huge_mib=1) as provider:
        with pytest.raises(http.client.HTTPException):
            Client(provider).embed("one")


def json_request(texts) -> tuple[str, dict[str, str]]:
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    return json.dumps({"model": "test-embedding", "input": texts}), headers


def wait_until(condition, seconds: float = 5) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.01)


def test_every_fault_is_shown_above():
    others = {"cut", "reset", "length-short", "drip", "slow", "huge", "huge-declared", "huge-head"}
    others |= {f"paid-{status}" for status in PAID_FAILURES}
    shown = set(REFUSALS) | set(SPOILED) | set(ODD_BUT_GOOD) | set(CUT_SHORT) | others
    assert shown == set(faults.FAULTS)


def test_stopping_ends_a_slow_fault_and_leaves_no_thread():
    threads_before = threading.active_count()
    started = time.monotonic()
    with Provider(script="slow", slow_ms=60_000) as provider:
        client = Client(provider)
        thread = threading.Thread(target=pytest.raises, args=(Exception, client.embed, "a"))
        thread.start()
        wait_until(lambda: provider.stats()["max_in_flight"] == 1)
    wait_until(lambda: threading.active_count() == threads_before)
    assert time.monotonic() - started < 5


# --- who gets which fault ----------------------------------------------------


def test_a_script_is_played_once_and_then_all_is_well():
    with Provider(script="ok*2, throttle, http-502*2") as provider:
        client = Client(provider)
        statuses = [client.embed("one").status for _ in range(7)]
    assert statuses == [200, 200, 429, 502, 502, 200, 200]


def test_a_bare_star_is_for_ever():
    with Provider(script="ok,unauthorized*") as provider:
        client = Client(provider)
        assert [client.embed("one").status for _ in range(5)] == [200, 401, 401, 401, 401]


def statuses_with_seed(seed: int) -> list[int]:
    with Provider(faults="throttle=0.3,http-502=0.1", seed=seed) as provider:
        client = Client(provider)
        return [client.embed("one").status for _ in range(200)]


def test_chance_follows_the_seed():
    first = statuses_with_seed(7)
    assert first == statuses_with_seed(7) and first != statuses_with_seed(8)
    assert 40 <= first.count(429) <= 80 and 8 <= first.count(502) <= 35


def test_poisoned_texts_fail_every_time_and_others_never():
    with Provider(poison={"bad text": "nan-error"}) as provider:
        client = Client(provider)
        assert [client.embed(["good", "a bad text"]).status for _ in range(2)] == [500, 500]
        assert client.embed(["good"]).status == 200


def test_a_bad_request_does_not_use_up_the_script():
    with Provider(script="throttle") as provider:
        client = Client(provider)
        assert [client.embed(text).status for text in ("", "one", "one")] == [400, 429, 200]


@pytest.mark.parametrize(
    "settings",
    [
        {"faults": "nothing=0.5"},
        {"faults": "throttle=0.7,cut=0.7"},
        {"faults": "throttle=-1"},
        {"script": "short+zero"},
        {"flavour": "cohere"},
        {"no_such_setting": 1},
    ],
)
def test_settings_that_mean_nothing_are_refused(settings):
    with pytest.raises(ValueError):
        Provider(**settings)


def test_behaviour_can_be_changed_while_it_runs(provider):
    client = Client(provider)
    assert client.embed("one").status == 200
    script = json.dumps({"script": "http-503", "space": "new model"})
    assert client.fetch("POST", "/_script", script).status == 200
    assert client.embed("one").status == 503
    assert vectors_of(client.embed("one")) == {0: expected_vector("one", 1024, "new model")}
    assert client.fetch("POST", "/_script", '{"key": "another"}').status == 200
    assert client.embed("one").status == 401
    assert client.fetch("POST", "/_script", '{"faults": "nothing=1"}').status == 400


# --- the account -------------------------------------------------------------


def test_every_call_is_in_the_log_with_the_hashes_of_its_texts(provider):
    client = Client(provider)
    client.embed(["one", "two"])
    client.embed("")
    first, second = client.fetch("GET", "/_log").json()["entries"]
    assert first["sha256"] == [hashlib.sha256(t).hexdigest() for t in (b"one", b"two")]
    assert (first["texts"], first["tokens"], first["billed"]) == (2, 2, True)
    assert (second["outcome"], second["texts"], second["billed"]) == ("http-400", 0, False)
    assert abs(first["time"] - time.time()) < 60
    assert client.fetch("GET", "/_log?since=1").json()["entries"] == [second]
    assert client.fetch("GET", "/_stats").json() == provider.stats()


def test_the_log_file_holds_a_line_for_every_call(tmp_path):
    log_file = tmp_path / "calls.jsonl"
    with Provider(log_file=str(log_file), script="ok,throttle") as provider:
        client = Client(provider)
        client.embed("one")
        client.embed("one")
        lines = [json.loads(line) for line in log_file.read_text().splitlines()]
        assert lines == provider.log()
    assert [line["outcome"] for line in lines] == ["ok", "throttle"]


def test_a_client_finds_its_answered_call_in_the_account():
    with Provider() as provider:
        client = Client(provider)
        for number in range(1, 101):
            client.embed(f"text {number}")
            assert provider.stats()["texts_billed"] == number
        assert provider.stats()["texts_billed_again"] == 0


def test_the_most_calls_at_once_are_remembered():
    with Provider(latency_ms=200) as provider:
        with ThreadPoolExecutor(5) as pool:
            list(pool.map(lambda n: Client(provider).embed(f"{n}"), range(15)))
        assert provider.stats()["max_in_flight"] == 5


def test_one_client_alone_never_counts_as_two():
    with Provider() as provider:
        client = Client(provider)
        for _ in range(200):
            client.embed("one")
        assert provider.stats()["max_in_flight"] == 1


def test_a_reset_forgets_everything(provider):
    client = Client(provider)
    client.embed("one")
    client.fetch("POST", "/_reset", b"")
    assert provider.stats()["calls"] == 0 and provider.times_billed() == {}


# --- the rate limit ----------------------------------------------------------


class Clock:
    """Time that passes when told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_bucket_waits_as_long_as_the_published_messages_say():
    tokens = ratelimit.TokenBucket(1_000_000, 60, None, Clock())
    tokens.take(976_163)
    assert ratelimit.duration(tokens.wait_for(70_716)) == "2.813s"  # theirs rounds down: 2.812s
    requests = ratelimit.TokenBucket(3, 60, None, Clock())
    requests.take(3)
    assert ratelimit.duration(requests.wait_for(1)) == "20s"


def test_durations_are_written_as_openai_writes_them():
    written = [ratelimit.duration(seconds) for seconds in (0, 0.012, 1, 2.8125, 360, 61.5)]
    assert written == ["0s", "12ms", "1s", "2.813s", "6m0s", "1m1.5s"]


@pytest.mark.parametrize("sliding", [False, True])
@pytest.mark.parametrize("limits", [{"requests": 10}, {"tokens": 100}])
def test_a_refused_request_fits_after_the_wait_it_was_told_and_not_before(limits, sliding):
    clock = Clock()
    limit = ratelimit.RateLimit(**limits, sliding=sliding, clock=clock)
    refused = 0
    for step in range(300):
        clock.now += 1
        excess = limit.admit(step % 7 + 5)
        if excess is not None:
            refused += 1
            clock.now += excess.wait_s - 1e-6
            assert limit.admit(step % 7 + 5) is not None
            clock.now += 2e-6
            assert limit.admit(step % 7 + 5) is None
    assert refused > 10


def test_a_bucket_never_holds_more_than_the_limit():
    clock = Clock()
    limit = ratelimit.RateLimit(requests=10, clock=clock)
    clock.now = 3600
    assert [limit.admit(1) is None for _ in range(11)] == [True] * 10 + [False]


def test_a_peak_counts_a_minute_without_its_end():
    assert ratelimit.peak([(0, 1), (59.9, 2)], 60) == 3
    assert ratelimit.peak([(0, 1), (60, 2)], 60) == 2


def test_a_sliding_window_never_lets_more_through_than_the_limit():
    clock = Clock()
    limit = ratelimit.RateLimit(requests=10, tokens=100, sliding=True, clock=clock)
    admitted = []
    for step in range(3000):
        clock.now = step * 0.7
        if limit.admit(step % 20) is None:
            admitted.append((clock.now, step % 20))
    assert 90 <= ratelimit.peak(admitted, 60) <= 100
    assert ratelimit.peak(((moment, 1) for moment, _ in admitted), 60) <= 10


def test_a_bucket_may_hold_only_a_second_of_the_minute():
    clock = Clock()
    limit = ratelimit.RateLimit(requests=60, burst_s=1, clock=clock)
    assert limit.admit(1) is None
    assert limit.admit(1).wait_s == pytest.approx(1)


def test_refusals_may_count_against_the_limit():
    clock = Clock()
    limit = ratelimit.RateLimit(requests=60, charge_refusals=True, clock=clock)
    while limit.admit(1) is None:
        pass
    clock.now += 0.9
    assert limit.admit(1) is not None
    clock.now += 0.9
    assert limit.admit(1) is not None
    clock.now += 1.1
    assert limit.admit(1) is None


def test_over_the_limit_is_429_with_headers_and_then_it_fits_again():
    with Provider(rpm=3, window_s=1.5, latency_ms=0) as provider:
        client = Client(provider)
        replies = [client.embed("one") for _ in range(4)]
        assert [reply.status for reply in replies] == [200, 200, 200, 429]
        assert replies[0].headers["x-ratelimit-limit-requests"] == "3"
        assert replies[0].headers["x-ratelimit-remaining-requests"] == "2"
        refused = replies[3]
        assert refused.json()["error"]["code"] == "rate_limit_exceeded"
        assert refused.json()["error"]["type"] == "requests"
        assert 300 <= int(refused.headers["retry-after-ms"]) <= 500
        assert refused.headers["retry-after"] == "1"
        time.sleep(int(refused.headers["retry-after-ms"]) / 1000)
        assert client.embed("one").status == 200
        stats = provider.stats()
    assert (stats["rate_limited"], stats["texts_billed"], stats["peak_requests"]) == (1, 4, 5)


def test_tokens_are_limited_too():
    with Provider(tpm=10, sliding=True) as provider:
        client = Client(provider)
        assert client.embed(["abcd"] * 6).status == 200
        refused = client.embed(["abcd"] * 6)
        assert refused.status == 429 and refused.json()["error"]["type"] == "tokens"
        assert "Limit 10, Used 6, Requested 6" in refused.json()["error"]["message"]
        assert client.embed(["abcd"] * 4).status == 200
        assert provider.stats()["peak_tokens"] == 16


def test_a_call_above_the_whole_limit_is_told_that_waiting_is_useless():
    reply = asked(["abcd"] * 11, tpm=10)
    assert reply.status == 429 and "Request too large" in reply.json()["error"]["message"]
    assert "retry-after" not in reply.headers and "retry-after-ms" not in reply.headers


def test_a_client_that_keeps_the_limit_is_seen_to_keep_it():
    with Provider(rpm=20, window_s=1, sliding=True) as provider:
        client = Client(provider)
        for _ in range(30):
            assert client.embed("one").status == 200
            time.sleep(0.055)
        stats = provider.stats()
    assert stats["rate_limited"] == 0 and stats["peak_requests"] <= 20


# --- the program -------------------------------------------------------------


def run_program(*arguments: str) -> subprocess.Popen:
    command = ["/usr/bin/python3", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_the_program_serves_until_it_is_told_to_end(tmp_path):
    port_file, log_file = tmp_path / "port", tmp_path / "log"
    program = run_program(
        str(SERVERS / "provider.py"), "--port-file", str(port_file), "--log-file", str(log_file),
        "--key", "sk-other", "--dims", "16", "--script", "throttle", "--poison", "x=y=short",
        "--seed", "7",
    )  # fmt: skip
    try:
        url = program.stdout.readline().strip()
        port = int(port_file.read_text())
        assert url == f"http://127.0.0.1:{port}"
        client = Client(type("Server", (), {"port": port}))
        assert client.embed("one", key="sk-other").status == 429
        assert vectors_of(client.embed("one", key="sk-other")) == {0: expected_vector("one", 16)}
        assert client.embed("x=y", key="sk-other").json()["data"] == []
        assert client.fetch("GET", "/_stats").json()["calls"] == 3
    finally:
        program.terminate()
        out, errors = program.communicate(timeout=5)
    assert (program.returncode, errors) == (0, "")
    assert len(log_file.read_text().splitlines()) == 3


def test_the_program_explains_a_wrong_option():
    program = run_program(str(SERVERS / "provider.py"), "--faults", "nothing=1")
    _, errors = program.communicate(timeout=5)
    assert program.returncode != 0 and 'there is no fault "nothing"' in errors


def test_the_program_lists_its_faults():
    program = run_program(str(SERVERS / "provider.py"), "--list-faults")
    out, _ = program.communicate(timeout=5)
    assert {line.split()[0] for line in out.splitlines()} == set(faults.FAULTS)


# --- the website -------------------------------------------------------------


@pytest.fixture
def site(tmp_path):
    folder = tmp_path / "site"
    (folder / "sub").mkdir(parents=True)
    (folder / "index.html").write_text("<p>home</p>")
    (folder / "sub" / "ä b.html").write_text("<p>umlaut</p>")
    (folder / "data.pdf").write_bytes(b"%PDF-1.4")
    (tmp_path / "secret.txt").write_text("secret")
    with Website(folder) as running:
        yield running
    assert running.errors == []


def test_the_website_serves_its_folder(site):
    client = Client(site)
    assert client.fetch("GET", "/").body == b"<p>home</p>"
    assert client.fetch("GET", "/sub/%C3%A4%20b.html").body == b"<p>umlaut</p>"
    pdf = client.fetch("GET", "/data.pdf")
    assert (pdf.headers["content-type"], pdf.body) == ("application/pdf", b"%PDF-1.4")
    assert "last-modified" in pdf.headers


@pytest.mark.parametrize(
    "path", ["/nothing", "/../secret.txt", "/%2e%2e/secret.txt", "/a%00b", "/sub"]
)
def test_what_is_not_in_the_folder_is_404(site, path):
    assert Client(site).fetch("GET", path).status == 404


def test_head_gets_the_headers_alone(site):
    reply = Client(site).fetch("HEAD", "/data.pdf")
    assert (reply.status, reply.headers["content-length"], reply.body) == (200, "8", b"")


def test_head_can_be_refused():
    with Website(refuse_head=True) as site:
        client = Client(site)
        assert client.fetch("HEAD", "/status/200").status == 405
        assert client.fetch("GET", "/status/200").status == 200


def test_the_website_takes_no_post(site):
    assert Client(site).fetch("POST", "/", b"x").status == 405


def test_redirects_are_counted_down(site):
    client = Client(site)
    assert client.fetch("GET", "/redirect/2").headers["location"] == f"{site.url}/redirect/1"
    assert client.fetch("GET", "/redirect/0").status == 200
    last = client.fetch("GET", "/redirect/0?to=/data.pdf&status=308")
    assert (last.status, last.headers["location"]) == (308, f"{site.url}/data.pdf")


def test_some_redirects_should_not_be_followed(site):
    client = Client(site)
    private = client.fetch("GET", "/private-redirect").headers["location"]
    assert private.startswith("http://169.254.169.254/")
    assert client.fetch("GET", "/loop").headers["location"] == f"{site.url}/loop"


def test_any_status_can_be_had(site):
    client = Client(site)
    for status in (404, 503, 204):
        assert client.fetch("GET", f"/status/{status}").status == status


def test_slow_pages_come_late_and_whole(site):
    client = Client(site)
    for path in ("/slow?ms=200", "/drip?ms=200"):
        started = time.monotonic()
        assert client.fetch("GET", path).body.endswith(b"</html>\n")
        assert time.monotonic() - started >= 0.2


def test_a_page_can_be_cut(site):
    with pytest.raises(http.client.IncompleteRead):
        Client(site).fetch("GET", "/cut")
    with pytest.raises(http.client.RemoteDisconnected):
        Client(site).fetch("GET", "/cut?before=1")


def test_a_page_can_be_huge(site):
    without_length = Client(site).fetch("GET", "/huge?mib=3")
    assert len(without_length.body) == 3 * 2**20 and "content-length" not in without_length.headers
    declared = Client(site).fetch("GET", "/huge?mib=3&declared=1")
    assert len(declared.body) == int(declared.headers["content-length"]) == 3 * 2**20


def test_gzip_is_sent_to_those_who_take_it(site):
    client = Client(site)
    assert client.fetch("GET", "/gzip").body.startswith(b"<!DOCTYPE")
    packed = client.fetch("GET", "/gzip", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body).startswith(b"<!DOCTYPE")
    assert "content-encoding" in client.fetch("GET", "/gzip?force=1").headers


def test_a_gzip_bomb_is_small_until_it_is_opened(site):
    bomb = Client(site).fetch("GET", "/gzip-bomb?mib=8").body
    assert len(bomb) < 2**14 and len(gzip.decompress(bomb)) == 8 * 2**20


@pytest.mark.parametrize(
    "charset", ["utf-8", "iso-8859-1", "shift_jis", "euc-jp", "gb18030", "utf-16"]
)
def test_a_page_is_written_in_its_character_set(site, charset):
    client = Client(site)
    declared = client.fetch("GET", f"/charset/{charset}")
    assert declared.headers["content-type"] == f"text/html; charset={charset}"
    assert "plain words" in declared.body.decode(charset)
    assert client.fetch("GET", f"/bare-charset/{charset}").headers["content-type"] == "text/html"
    meta = client.fetch("GET", f"/meta-charset/{charset}").body.decode(charset)
    assert f'<meta charset="{charset}">' in meta


def test_a_page_may_lie_about_its_character_set(site):
    reply = Client(site).fetch("GET", "/wrong-charset")
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert "日本語の文章" in reply.body.decode("shift_jis")
    with pytest.raises(UnicodeDecodeError):
        reply.body.decode("utf-8")


def test_a_page_may_lie_about_its_type(site):
    client = Client(site)
    pretended = client.fetch("GET", "/type?as=application/pdf")
    assert pretended.headers["content-type"] == "application/pdf"
    assert "content-type" not in client.fetch("GET", "/type?as=").headers


def test_the_sitemap_lists_the_folder(site):
    sitemap = Client(site).fetch("GET", "/sitemap.xml").body.decode()
    assert re.findall("<loc>(.*?)</loc>", sitemap) == [
        f"{site.url}/index.html",
        f"{site.url}/sub/%C3%A4%20b.html",
    ]


def test_the_website_logs_what_was_asked_for(site):
    client = Client(site)
    client.fetch("GET", "/cookie", headers={"User-Agent": "tester"})
    client.fetch("HEAD", "/")
    log = client.fetch("GET", "/_log").json()
    requests = [(entry["method"], entry["path"]) for entry in log]
    assert requests == [("GET", "/cookie"), ("HEAD", "/")]
    assert log[0]["headers"]["user-agent"] == "tester"
    assert client.fetch("GET", "/_stats").json()["paths"] == {"/cookie": 1, "/": 1}


def test_the_website_is_a_program_too(tmp_path):
    (tmp_path / "a.html").write_text("hello")
    program = run_program(str(SERVERS / "website.py"), str(tmp_path), "--refuse-head")
    try:
        port = int(program.stdout.readline().rsplit(":", 1)[1])
        assert Client(type("Server", (), {"port": port})).fetch("GET", "/a.html").body == b"hello"
    finally:
        program.terminate()
        program.communicate(timeout=5)
    assert program.returncode == 0


# --- the guide's container ---------------------------------------------------


def newest_postgres() -> str | None:
    found = glob.glob("/usr/lib/postgresql/*/bin/initdb")
    return str(Path(max(found, key=lambda p: int(Path(p).parts[4]))).parent) if found else None


@pytest.fixture(scope="module")
def postgres():
    """A private server on a Unix socket; yields its connection string."""
    programs = newest_postgres()
    if programs is None:
        pytest.skip("PostgreSQL is not installed")
    folder = tempfile.mkdtemp(prefix="pg")
    as_owner = []
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
        as_owner = ["runuser", "-u", pwd.getpwnam("postgres").pw_name, "--"]
    data = f"{folder}/data"

    def run(*command: str) -> None:
        subprocess.run(
            [*as_owner, *command], check=True, capture_output=True, cwd=folder, timeout=60
        )

    options = f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync=off"
    try:
        run(f"{programs}/initdb", "-D", data, "-U", "postgres", "-A", "trust", "--no-sync")
        log = f"{folder}/log"
        run(f"{programs}/pg_ctl", "-D", data, "-l", log, "-o", options, "-w", "start")
        try:
            yield f"host={folder} user=postgres dbname=postgres"
        finally:
            run(f"{programs}/pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def items(postgres):
    """The guide's table; text stands in for vector where pgvector is missing."""
    with guide_container.connect(postgres) as database, database.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_available_extensions WHERE name = 'vector'")
        kind = "vector(8)" if cursor.fetchone()[0] else "text"
        if kind != "text":
            cursor.execute("CREATE EXTENSION IF NOT EXISTS vector")
        cursor.execute("DROP TABLE IF EXISTS items")
        cursor.execute(
            "CREATE TABLE items (id char(26) PRIMARY KEY, botid char(26), content text, "
            f"source text, embedding {kind})"
        )
    database.close()
    return postgres


def rows_of(dsn: str, what: str = "content") -> list:
    with guide_container.connect(dsn) as database, database.cursor() as cursor:
        cursor.execute(f"SELECT {what} FROM items ORDER BY content, id")
        found = [row[0] for row in cursor.fetchall()]
    database.close()
    return found


def chunks(count: int, name: str = "chunk") -> list[guide_container.Row]:
    return list(guide_container.made_rows(BOT, count, "s3://bucket/a.txt", 8, name))


def test_the_container_replaces_the_rows_of_its_bot_alone(items):
    other = BOT.replace("BOT", "TWO")
    guide_container.replace_rows(items, other, chunks(1, "other"))
    guide_container.replace_rows(items, BOT, chunks(3, "old"))
    guide_container.replace_rows(items, BOT, chunks(2, "new"))
    names = [content.split()[0] for content in rows_of(items)]
    assert names == ["new", "new", "other"]


def test_the_containers_rows_look_like_the_guides(items):
    guide_container.replace_rows(items, BOT, chunks(2))
    ids = rows_of(items, "id")
    assert all(re.fullmatch("0[0-9A-HJKMNP-TV-Z]{25}", ulid) for ulid in ids) and len(set(ids)) == 2
    assert set(rows_of(items, "source")) == {"s3://bucket/a.txt"}
    stored = json.loads(rows_of(items, "embedding::text")[0])
    assert stored == pytest.approx(expected_vector(chunks(2)[0].content, 8))


def test_a_ulid_carries_its_time():
    ulid = guide_container.ulid()
    number = sum(guide_container.CROCKFORD.index(c) * 32**n for n, c in enumerate(reversed(ulid)))
    assert abs((number >> 80) / 1000 - time.time()) < 5


def test_others_see_the_old_rows_until_the_container_commits(items):
    guide_container.replace_rows(items, BOT, chunks(3, "old"))
    seen = {}

    def look(step: str) -> None:
        seen[step] = [content.split()[0] for content in rows_of(items)]

    guide_container.replace_rows(items, BOT, chunks(2, "new"), tell=look)
    assert list(seen) == ["deleted 3", "inserted 1", "inserted 2", "committed"]
    assert seen["deleted 3"] == seen["inserted 2"] == ["old"] * 3
    assert seen["committed"] == ["new"] * 2


def test_two_containers_at_once_leave_every_row_twice(items):
    """Both delete before either inserts: nothing in the guide prevents it."""
    both_deleted = threading.Barrier(2)

    def wait_for_the_other(step: str) -> None:
        if step.startswith("deleted"):
            both_deleted.wait(5)

    def run_container(_number: int) -> None:
        guide_container.replace_rows(items, BOT, chunks(3), tell=wait_for_the_other, tries=1)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(run_container, range(2)))
    assert len(rows_of(items)) == 6 and len(set(rows_of(items))) == 3


def test_a_container_that_fails_leaves_the_old_rows_and_tries_again(items, monkeypatch):
    monkeypatch.setattr(guide_container, "SECONDS_BETWEEN_TRIES", 0)
    guide_container.replace_rows(items, BOT, chunks(3, "old"))
    steps = []
    bad = [*chunks(1, "new"), guide_container.Row("with a \0", "s", [])]
    with pytest.raises(ValueError):  # psycopg2 refuses NUL before the server can
        guide_container.replace_rows(items, BOT, bad, tell=steps.append)
    insert = "INSERT INTO nowhere VALUES (%s, %s, %s, %s, %s)"
    monkeypatch.setattr(guide_container, "INSERT", insert)
    with pytest.raises(guide_container.psycopg2.Error):
        guide_container.replace_rows(items, BOT, chunks(1, "new"), tell=steps.append)
    assert steps.count("failed") == 3
    assert [content.split()[0] for content in rows_of(items)] == ["old"] * 3


def test_the_container_is_a_program_that_tells_its_steps(items):
    program = run_program(
        str(SERVERS / "guide_container.py"), "--dsn", items, "--botid", BOT, "--rows", "2",
        "--dims", "8", "--name", "made", "--pause-after-delete", "0.2",
    )  # fmt: skip
    out, errors = program.communicate(timeout=10)
    assert out.splitlines() == ["deleted 0", "inserted 1", "inserted 2", "committed"]
    assert rows_of(items)[0] == f"made 1 of 2 of bot {BOT}"
    assert (program.returncode, errors) == (0, "")
