"""The ways in which a provider misbehaves.

A fault belongs to one stage of a request: it delays it, refuses it, drops the
connection, spoils the answer, or spoils the way in which the answer is sent.
"slow+shuffle" joins faults of different stages (fate.py).

A fault is `paid` when a good answer is computed and sent, or at least tried to
be sent, or lost by a gateway: a real provider would send a bill.

To see them all: provider.py --list-faults
"""

from __future__ import annotations

import base64
import math
import struct
from collections.abc import Callable
from dataclasses import dataclass

import refusals
from calls import Call
from loopback import Handler, Response, Wire
from vectors import vector_bytes


@dataclass(frozen=True)
class Measures:
    """How long, how much and where to: the numbers of the faults."""

    retry_after_s: float = 1.0
    slow_ms: float = 3000
    drip_ms: float = 3000
    drip_pieces: int = 20
    huge_mib: int = 256
    redirect_to: str | None = None


@dataclass
class Answer:
    """A good answer, until a fault gets hold of it."""

    call: Call
    rows: list[bytes]
    indexes: list[int | None]
    usage: bool = True
    usage_tokens: int | None = None  # None: the truth
    raw: bytes | None = None  # replaces everything
    content_type: str = "application/json"

    @classmethod
    def good(cls, call: Call) -> "Answer":
        return cls(call, call.rows(), list(range(len(call.texts))))

    def body(self) -> bytes:
        """The JSON of OpenAI's schema CreateEmbeddingResponse."""
        if self.raw is not None:
            return self.raw
        data = b",".join(map(self._item, self.indexes, self.rows))
        parts = [b'{"object":"list","data":[', data, b'],"model":"', self.call.model.encode(), b'"']
        if self.usage:
            tokens = self.call.tokens if self.usage_tokens is None else self.usage_tokens
            counts = (tokens, tokens)
            parts.append(b',"usage":{"prompt_tokens":%d,"total_tokens":%d}' % counts)
        return b"".join(parts) + b"}\n"

    @staticmethod
    def _item(index: int | None, row: bytes) -> bytes:
        if index is None:
            return b'{"object":"embedding","embedding":%b}' % row
        return b'{"object":"embedding","index":%d,"embedding":%b}' % (index, row)


Delay = Callable[[Wire, Measures], None]
Refuse = Callable[[Handler, Call, Measures], Response]
Drop = Callable[[Wire], None]
Spoil = Callable[[Answer], None]
Deliver = Callable[[Wire, Response, Measures], bool]  # may the connection live on?


@dataclass(frozen=True)
class Fault:
    """One way to misbehave.  Its stage tells which kind of function `act` is."""

    name: str
    stage: str  # "delay", "refuse", "drop", "spoil" or "deliver"
    act: Delay | Refuse | Drop | Spoil | Deliver
    help: str
    paid: bool = False


FAULTS: dict[str, Fault] = {}


def fault(name: str, stage: str, help_text: str, paid: bool = False):
    """Enters the function below into the table of faults."""

    def enter(act: Callable) -> Callable:
        FAULTS[name] = Fault(name, stage, act, help_text, paid)
        return act

    return enter


# --- delay ------------------------------------------------------------------


@fault("slow", "delay", "a long wait (slow_ms) before anything is sent", paid=True)
def _slow(wire: Wire, measures: Measures) -> None:
    wire.pause(measures.slow_ms / 1000)


# --- refuse: nothing is computed, and nothing is paid but where it is said ----


def _refuse(
    name: str, help_text: str, answer: Callable[[Call, Measures], Response], paid: bool = False
) -> None:
    FAULTS[name] = Fault(
        name, "refuse", lambda handler, call, measures: answer(call, measures), help_text, paid
    )


def _throttled(style: str) -> Callable[[Call, Measures], Response]:
    """429 for no reason of ours, in the words of a token limit."""

    def answer(call: Call, measures: Measures) -> Response:
        limit = used = 1_000_000
        excess = refusals.Excess("tokens", limit, used, call.tokens, measures.retry_after_s)
        return refusals.rate_limited(call.rules.flavour, call.model, excess, style)

    return answer


_refuse("throttle", "429 with retry-after and retry-after-ms", _throttled("both"))
_refuse("throttle-s", "429 with retry-after in seconds", _throttled("seconds"))
_refuse("throttle-ms", "429 with retry-after-ms alone", _throttled("ms"))
_refuse("throttle-date", "429 with retry-after as an HTTP date", _throttled("date"))
_refuse("throttle-bare", "429 without a word on when to come again", _throttled("none"))
_refuse(
    "quota",
    "429 insufficient_quota: waiting does not help",
    lambda call, measures: refusals.quota_used_up(call.rules.flavour),
)
_refuse("overloaded", "429 of a local server (TEI)", lambda call, m: refusals.overloaded())
_refuse("http-500", "500 with an HTML page", lambda call, m: refusals.gateway_page(500))
_refuse("http-502", "502 with an HTML page", lambda call, m: refusals.gateway_page(502))
_refuse("http-503", "503 with an HTML page", lambda call, m: refusals.gateway_page(503))
_refuse("paid-500", "500 after the work", lambda call, m: refusals.gateway_page(500), paid=True)
_refuse("paid-502", "502, the answer was lost", lambda c, m: refusals.gateway_page(502), paid=True)
_refuse("paid-503", "503 after the work", lambda call, m: refusals.gateway_page(503), paid=True)
_refuse("paid-504", "504, the model is slow", lambda c, m: refusals.gateway_page(504), paid=True)
_refuse("paid-408", "408, as 504", lambda call, m: refusals.gateway_page(408), paid=True)
_refuse("loading", "503 while the model loads (llama.cpp)", lambda call, m: refusals.loading())
_refuse("nan-error", "500 since a vector became NaN (Ollama)", lambda c, m: refusals.not_a_number())


@fault("unauthorized", "refuse", "401 although the key is right")
def _unauthorized(handler: Handler, call: Call, measures: Measures) -> Response:
    return refusals.bad_key(call.rules.flavour, _key_of(handler))


@fault("unauthorized-echo", "refuse", "401 that repeats the whole key in its message")
def _unauthorized_echo(handler: Handler, call: Call, measures: Measures) -> Response:
    return refusals.bad_key(call.rules.flavour, _key_of(handler), whole_key=True)


@fault("redirect", "refuse", "307 to another path, or to redirect_to")
def _redirect(handler: Handler, call: Call, measures: Measures) -> Response:
    target = measures.redirect_to or f"{handler.server.url}/elsewhere/v1/embeddings"
    return Response(307, b"", {"Location": target})


def _key_of(handler: Handler) -> str:
    return handler.headers.get("Authorization", "").removeprefix("Bearer ")


# --- drop: nothing is computed, nothing is sent -----------------------------


@fault("cut", "drop", "the connection closes before the first byte")
def _cut(wire: Wire) -> None:
    wire.close()


@fault("reset", "drop", "the connection is reset before the first byte")
def _reset(wire: Wire) -> None:
    wire.reset()


# --- spoil: computed, but not what was ordered ------------------------------


@fault("shuffle", "spoil", "vectors in another order, each with its right index", paid=True)
def _shuffle(answer: Answer) -> None:
    """The index says which text a vector belongs to, not the position."""
    answer.rows.reverse()
    answer.indexes.reverse()


@fault("no-usage", "spoil", "no usage member", paid=True)
def _no_usage(answer: Answer) -> None:
    answer.usage = False


@fault("huge-bill", "spoil", "a usage of 9 * 10^18 tokens", paid=True)
def _huge_bill(answer: Answer) -> None:
    answer.usage_tokens = 9 * 10**18


@fault("tiny-bill", "spoil", "a usage of fewer tokens than texts", paid=True)
def _tiny_bill(answer: Answer) -> None:
    answer.usage_tokens = len(answer.call.texts) - 1


@fault("wrong-format", "spoil", "floats for base64 and base64 for floats", paid=True)
def _wrong_format(answer: Answer) -> None:
    """TEI and others ignore encoding_format (runpod-workers/worker-infinity-embedding issue 30)."""
    call = answer.call
    answer.rows = [call.row(text, not call.base64) for text in call.texts]


@fault("no-index", "spoil", "items without index (doobidoo/mcp-memory-service pull 612)")
def _no_index(answer: Answer) -> None:
    answer.indexes = [None] * len(answer.rows)


@fault("short", "spoil", "one vector fewer than texts")
def _short(answer: Answer) -> None:
    answer.rows.pop()
    answer.indexes.pop()


@fault("long", "spoil", "one vector more than texts")
def _long(answer: Answer) -> None:
    answer.rows.append(answer.rows[-1])
    answer.indexes.append(len(answer.indexes))


@fault("duplicate", "spoil", "the last index appears twice, the first is missing")
def _duplicate(answer: Answer) -> None:
    """With a single text it is given twice."""
    if len(answer.rows) == 1:
        answer.rows.append(answer.rows[0])
        answer.indexes.append(0)
    else:
        answer.indexes[0] = answer.indexes[-1]


@fault("bad-index", "spoil", "an index that is one too large")
def _bad_index(answer: Answer) -> None:
    answer.indexes[-1] = len(answer.indexes)


@fault("negative-index", "spoil", "an index below zero")
def _negative_index(answer: Answer) -> None:
    answer.indexes[-1] = -1


@fault("empty-vector", "spoil", "an empty array for a vector (garrytan/gbrain issue 328)")
def _empty_vector(answer: Answer) -> None:
    answer.rows[-1] = b"[]"


@fault("wrong-dims", "spoil", "the last vector lacks one dimension")
def _wrong_dims(answer: Answer) -> None:
    numbers = _last_numbers(answer)[:-1]
    answer.rows[-1] = _as_base64(numbers) if answer.call.base64 else _as_json(numbers)


@fault("ragged", "spoil", "base64 of a number of bytes that is no multiple of four")
def _ragged(answer: Answer) -> None:
    data = _last_bytes(answer)
    answer.rows[-1] = b'"' + base64.b64encode(data[:-1]) + b'"'


@fault("bad-base64", "spoil", "a string that is not base64")
def _bad_base64(answer: Answer) -> None:
    row = answer.call.row(answer.call.texts[-1], True)
    answer.rows[-1] = b'"*' + row[2:]


@fault("nan-token", "spoil", "NaN as the bare word NaN, which is not JSON")
def _nan_token(answer: Answer) -> None:
    answer.rows[-1] = _as_json(_with_middle(answer, math.nan))


@fault("inf-token", "spoil", "Infinity as a bare word")
def _inf_token(answer: Answer) -> None:
    answer.rows[-1] = _as_json(_with_middle(answer, math.inf))


@fault("nan-null", "spoil", "NaN as null (ggml-org/llama.cpp issue 14812)")
def _nan_null(answer: Answer) -> None:
    answer.rows[-1] = _as_json(_with_middle(answer, math.nan)).replace(b"NaN", b"null")


@fault("nan-bytes", "spoil", "NaN inside base64 bytes")
def _nan_bytes(answer: Answer) -> None:
    answer.rows[-1] = _as_base64(_with_middle(answer, math.nan))


@fault("inf-bytes", "spoil", "Infinity inside base64 bytes")
def _inf_bytes(answer: Answer) -> None:
    answer.rows[-1] = _as_base64(_with_middle(answer, math.inf))


@fault("huge-number", "spoil", "a number that float32 cannot hold")
def _huge_number(answer: Answer) -> None:
    answer.rows[-1] = _as_json(_with_middle(answer, 1e300))


@fault("zero", "spoil", "a vector of zeros (ggml-org/llama.cpp issue 899)")
def _zero(answer: Answer) -> None:
    numbers = [0.0] * answer.call.dims
    answer.rows[-1] = _as_base64(numbers) if answer.call.base64 else _as_json(numbers)


@fault("garbage", "spoil", "200 with bytes that are no JSON")
def _garbage(answer: Answer) -> None:
    answer.raw = bytes(range(256)) * 4


@fault("empty", "spoil", "200 with an empty body")
def _empty(answer: Answer) -> None:
    answer.raw = b""


@fault("html", "spoil", "200 with the HTML page of a captive portal")
def _html(answer: Answer) -> None:
    answer.raw = b"<!DOCTYPE html><html><body>Please sign in</body></html>"
    answer.content_type = "text/html"


@fault("truncated", "spoil", "JSON that ends in the middle, in a whole HTTP answer")
def _truncated(answer: Answer) -> None:
    body = answer.body()
    answer.raw = body[: len(body) // 2]


@fault("nested", "spoil", "100,000 brackets inside each other")
def _nested(answer: Answer) -> None:
    answer.raw = b'{"object":"list","data":' + b"[" * 100_000 + b"]" * 100_000 + b"}"


@fault("error-200", "spoil", "200 with an error object inside")
def _error_200(answer: Answer) -> None:
    answer.raw = refusals.error("openai", 500, "upstream failed", "server_error").body


def _last_bytes(answer: Answer) -> bytes:
    call = answer.call
    return vector_bytes(call.texts[-1], call.dims, call.rules.space)


def _last_numbers(answer: Answer) -> list[float]:
    return list(struct.unpack(f"<{answer.call.dims}f", _last_bytes(answer)))


def _with_middle(answer: Answer, number: float) -> list[float]:
    numbers = _last_numbers(answer)
    numbers[len(numbers) // 2] = number
    return numbers


def _as_base64(numbers: list[float]) -> bytes:
    return b'"' + base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)) + b'"'


def _as_json(numbers: list[float]) -> bytes:
    words = {math.inf: "Infinity", -math.inf: "-Infinity"}
    texts = ["NaN" if math.isnan(n) else words.get(n) or f"{n:.9g}" for n in numbers]
    return b"[" + ",".join(texts).encode() + b"]"


# --- deliver: the answer is good, the way is bad ----------------------------


@fault("lost", "deliver", "computed and billed, then cut before the first byte", paid=True)
def _lost(wire: Wire, response: Response, measures: Measures) -> bool:
    wire.close()
    return False


@fault("cut-body", "deliver", "the connection closes in the middle of the body", paid=True)
def _cut_body(wire: Wire, response: Response, measures: Measures) -> bool:
    wire.write(response.head() + response.body[: len(response.body) // 2])
    wire.close()
    return False


@fault("reset-body", "deliver", "the connection is reset in the middle of the body", paid=True)
def _reset_body(wire: Wire, response: Response, measures: Measures) -> bool:
    wire.write(response.head() + response.body[: len(response.body) // 2])
    wire.reset()
    return False


@fault("length-long", "deliver", "Content-Length promises more than comes", paid=True)
def _length_long(wire: Wire, response: Response, measures: Measures) -> bool:
    wire.write(response.head(len(response.body) + 100) + response.body)
    wire.close()
    return False


@fault("length-short", "deliver", "Content-Length promises less than comes", paid=True)
def _length_short(wire: Wire, response: Response, measures: Measures) -> bool:
    wire.write(response.head(max(0, len(response.body) - 100)) + response.body)
    return True


@fault("drip", "deliver", "the body comes in small pieces over drip_ms", paid=True)
def _drip(wire: Wire, response: Response, measures: Measures) -> bool:
    wire.write(response.head())
    size = max(1, -(-len(response.body) // measures.drip_pieces))
    for start in range(0, len(response.body), size):
        wire.pause(measures.drip_ms / 1000 / measures.drip_pieces)
        wire.write(response.body[start : start + size])
    return True


@fault("stall", "deliver", "half of the body, then silence for slow_ms, then a cut", paid=True)
def _stall(wire: Wire, response: Response, measures: Measures) -> bool:
    wire.write(response.head() + response.body[: len(response.body) // 2])
    wire.pause(measures.slow_ms / 1000)
    wire.close()
    return False


@fault("huge", "deliver", "a body without end (huge_mib), chunked, its length unsaid")
def _huge(wire: Wire, response: Response, measures: Measures) -> bool:
    wire.write(response.head(-1)[:-2] + b"Transfer-Encoding: chunked\r\n\r\n")
    chunk = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
    for _ in range(measures.huge_mib):
        wire.write(chunk)
    wire.write(b"0\r\n\r\n")
    return True


@fault("huge-declared", "deliver", "a Content-Length of huge_mib, and spaces to fill it")
def _huge_declared(wire: Wire, response: Response, measures: Measures) -> bool:
    wire.write(response.head(measures.huge_mib * 0x100000))
    for _ in range(measures.huge_mib):
        wire.write(b" " * 0x100000)
    return True


@fault("huge-head", "deliver", "headers without end (huge_mib)")
def _huge_head(wire: Wire, response: Response, measures: Measures) -> bool:
    line = b"x-filler: " + b"a" * (0x1000 - 12) + b"\r\n"
    wire.write(response.head()[:-2])
    for _ in range(measures.huge_mib * 0x100):
        wire.write(line)
    wire.write(b"\r\n" + response.body)
    return True
