"""What a client asked for: the body of POST /v1/embeddings, read without mercy.

The rules are those of OpenAI's API reference, "Create embeddings": `input` is
a string or an array of at most 2048 of them, none empty, each at most 8192
tokens; `dimensions` exists for text-embedding-3 and later; unknown members are
refused (schema CreateEmbeddingRequest: additionalProperties false).  Spiceai
pull 6144 quotes the sum: at most 300,000 tokens over all texts of a request.
Arrays of token numbers, which OpenAI takes too, are refused: we send texts.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import refusals
from loopback import Response
from vectors import token_count, vector_base64, vector_json

MEMBERS = {"input", "model", "encoding_format", "dimensions", "user"}


class Refused(Exception):
    """The request ends with this answer and costs nothing."""

    def __init__(self, response: Response, outcome: str):
        super().__init__(outcome)
        self.response = response
        self.outcome = outcome


@dataclass(frozen=True)
class Rules:
    """What a server accepts and how it says no."""

    models: tuple[str, ...] = ("test-embedding", "text-embedding-3-small")
    dims: int = 1024
    space: str = ""
    flavour: str = "openai"
    max_texts: int = 2048
    max_tokens: int = 8192
    max_chars: int | None = None
    max_call_tokens: int = 300_000
    cheap: bool = False


@dataclass(frozen=True)
class Call:
    """A request that is in order."""

    model: str
    texts: tuple[str, ...]
    tokens: int
    dims: int
    base64: bool
    rules: Rules

    def rows(self) -> list[bytes]:
        """The JSON value of each text's vector, in the format asked for."""
        if self.rules.cheap:
            return [self.row("the one vector of the cheap mode", self.base64)] * len(self.texts)
        return [self.row(text, self.base64) for text in self.texts]

    def row(self, text: str, as_base64: bool) -> bytes:
        """The JSON value of one text's vector."""
        if as_base64:
            return b'"' + vector_base64(text, self.dims, self.rules.space) + b'"'
        return vector_json(text, self.dims, self.rules.space)


def read_call(body: bytes, rules: Rules) -> Call:
    """Reads a body, or raises Refused with the answer it deserves."""
    request = _members(body, rules)
    model = _model(request, rules)
    texts = _texts(request, rules)
    tokens = _tokens(texts, rules)
    return Call(model, texts, tokens, _dims(request, model, rules), _base64(request, rules), rules)


def refuse(response: Response) -> Refused:
    """A refusal is logged under its status."""
    return Refused(response, f"http-{response.status}")


def _members(body: bytes, rules: Rules) -> dict:
    try:
        request = json.loads(
            body.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant
        )
    except (ValueError, RecursionError):
        message = (
            "We could not parse the JSON body of your request. (HINT: This likely means you "
            "aren't using your HTTP library correctly. The OpenAI API expects a JSON payload, "
            "but what was sent was not valid JSON.)"
        )
        raise refuse(refusals.error(rules.flavour, 400, message)) from None
    if not isinstance(request, dict):
        raise refuse(refusals.error(rules.flavour, 400, "The body must be a JSON object."))
    unknown = sorted(set(request) - MEMBERS)
    if unknown:
        raise refuse(refusals.unknown_member(rules.flavour, unknown))
    if not isinstance(request.get("user", ""), str):
        raise refuse(refusals.error(rules.flavour, 400, "'user' is not a string", param="user"))
    return request


def _unique(pairs: list[tuple[str, object]]) -> dict:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member appears twice")
    return members


def _no_constant(name: str):
    raise ValueError(f"{name} is not JSON")


def _model(request: dict, rules: Rules) -> str:
    model = request.get("model")
    if not isinstance(model, str) or not model:
        raise refuse(refusals.error(rules.flavour, 400, "you must provide a model parameter"))
    if model not in rules.models:
        raise refuse(refusals.unknown_model(rules.flavour, model))
    return model


def _texts(request: dict, rules: Rules) -> tuple[str, ...]:
    given = request.get("input")
    texts = [given] if isinstance(given, str) else given
    in_order = (
        isinstance(texts, list)
        and 1 <= len(texts) <= rules.max_texts
        and all(isinstance(text, str) and text and _is_utf8(text) for text in texts)
    )
    if not in_order:
        raise refuse(refusals.invalid_input(rules.flavour))
    return tuple(texts)


def _is_utf8(text: str) -> bool:
    """JSON can spell half a surrogate pair; UTF-8 cannot."""
    try:
        text.encode()
        return True
    except UnicodeEncodeError:
        return False


def _tokens(texts: tuple[str, ...], rules: Rules) -> int:
    total = 0
    for text in texts:
        tokens = token_count(text)
        if tokens > rules.max_tokens:
            raise refuse(refusals.too_long(rules.flavour, rules.max_tokens, tokens))
        if rules.max_chars is not None and len(text) > rules.max_chars:
            message = f"expected maxLength: {rules.max_chars}, actual: {len(text)}"
            raise refuse(refusals.error(rules.flavour, 400, message))
        total += tokens
    if total > rules.max_call_tokens:
        raise refuse(refusals.too_many_tokens(rules.flavour, rules.max_call_tokens, total))
    return total


def _dims(request: dict, model: str, rules: Rules) -> int:
    if "dimensions" not in request:
        return rules.dims
    if not model.startswith("text-embedding-3"):
        raise refuse(refusals.no_dimensions(rules.flavour))
    dims = request["dimensions"]
    if type(dims) is not int or not 1 <= dims <= rules.dims:
        message = f"Invalid value for 'dimensions' = {dims}. Must be 1 to {rules.dims}."
        raise refuse(refusals.error(rules.flavour, 400, message, param="dimensions"))
    return dims


def _base64(request: dict, rules: Rules) -> bool:
    encoding = request.get("encoding_format", "float")
    if encoding not in ("float", "base64"):
        message = f"Invalid value for 'encoding_format': {encoding!r} is not 'float' or 'base64'."
        raise refuse(refusals.error(rules.flavour, 400, message, param="encoding_format"))
    return encoding == "base64"
