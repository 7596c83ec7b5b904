"""Bedrock Runtime's InvokeModel for the embedding models of Cohere and Amazon.

Vectors follow from the text alone (vectors.py in this folder's parent), in a space of their own for
each model, the same for documents and queries: `expected` computes them for a
test.  Tokens are counted as vectors.token_count does and told in the header only,
for Cohere's models.
"""

from __future__ import annotations

import json
import re
import struct
from collections import Counter
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from aws import protocols
from aws.problem import Problem
from aws.service import Caller, Service, operation
from aws.shapes import Broken, Mistyped, Shape, boolean, integer, list_of, structure, text
from aws.signature import Request
from loopback import Response
from ratelimit import RateLimit
from vectors import expected_vector, token_count

PATH = re.compile(r"/model/([^/]+)/invoke")
PROFILE = re.compile(r"(us|eu|apac|global)\.")
ARN = re.compile(r"arn:aws:bedrock:([a-z0-9-]+):(\d*):(foundation-model|inference-profile)/(.+)")
MAX_BODY = 25_000_000
MAX_TEXTS = 96
MAX_CHARACTERS = 2048
INPUT_TYPE = "search_document search_query classification clustering"
EMBEDDING_TYPES = list_of(text(among="float int8 uint8 binary ubinary"), 1)
KNOWN_HEADERS = {
    "x-amz-date", "x-amz-security-token", "x-amz-content-sha256", "x-amzn-bedrock-trace",
    "x-amzn-bedrock-performanceconfig-latency", "x-amzn-bedrock-service-tier",
}  # fmt: skip


@dataclass(frozen=True)
class Model:
    """A foundation model: what it takes and what it gives."""

    id: str
    family: str  # cohere3, cohere4, titan1, titan2
    dimensions: tuple[int, ...]  # the first is the default
    context: int  # tokens
    shape: Shape
    on_demand: bool = True


COHERE_3 = structure(
    {"texts": list_of(text(1), 1), "input_type": text(among=INPUT_TYPE + " image")},
    {"truncate": text(among="NONE START END"), "embedding_types": EMBEDDING_TYPES},
)
COHERE_4 = structure(
    {"texts": list_of(text(1), 1), "input_type": text(among=INPUT_TYPE)},
    {
        "truncate": text(among="NONE LEFT RIGHT"), "embedding_types": EMBEDDING_TYPES,
        "output_dimension": integer(), "max_tokens": integer(1, 128_000),
    },
)  # fmt: skip
TITAN_1 = structure({"inputText": text(1, 50_000)})
TITAN_2 = structure(
    {"inputText": text(1, 50_000)},
    {"dimensions": integer(), "normalize": boolean(), "embeddingTypes": list_of(text(among="float binary"), 1)},
)
MODELS = {
    model.id: model
    for model in (
        Model("cohere.embed-multilingual-v3", "cohere3", (1024,), 512, COHERE_3),
        Model("cohere.embed-english-v3", "cohere3", (1024,), 512, COHERE_3),
        Model("cohere.embed-v4:0", "cohere4", (1536, 256, 512, 1024), 128_000, COHERE_4, on_demand=False),
        Model("amazon.titan-embed-text-v1", "titan1", (1536,), 8192, TITAN_1),
        Model("amazon.titan-embed-text-v2:0", "titan2", (1024, 512, 256), 8192, TITAN_2),
    )
}


def expected(content: str, model: str = "cohere.embed-multilingual-v3", dimensions: int | None = None) -> tuple[float, ...]:
    """The vector of a text that is not truncated.  Profiles of a model have its space."""
    found = MODELS[PROFILE.sub("", model)]
    return expected_vector(content, dimensions or found.dimensions[0], found.id)


class Bedrock(Service):
    """`granted` are the models to which the account has access; `billed` says what was computed."""

    name = "bedrock"
    signing_name = "bedrock"
    protocol = protocols.RestJson()
    unknown_operation = ("UnknownOperationException", None, 404)

    def __init__(self, aws):
        super().__init__(aws)
        self.granted = set(MODELS)
        self.bearer_token: str | None = None
        self.billed: Counter[str] = Counter()  # how often each text was computed
        self.billed_tokens = 0
        self.rate = RateLimit(None, None, 60.0, None, False, False)

    def limit_tokens(self, requests: float | None = None, tokens: float | None = None, window_s: float = 60.0) -> None:
        """Throttles beyond so many requests and tokens a window, as the account's quotas do."""
        self.rate = RateLimit(requests, tokens, window_s, None, False, False)

    def knows(self, raw_path: str) -> bool:
        return raw_path.startswith("/model/")

    def read(self, request: Request) -> tuple[str, tuple[str, bytes]]:
        match = PATH.fullmatch(request.raw_path)
        if match is None or request.method != "POST" or request.raw_query:
            return "Unknown", ("", b"")
        return "InvokeModel", (unquote(match[1]), request.body)

    def admit(self, request: Request, operation_name: str) -> Caller:
        authorization = request.header("Authorization") or ""
        if self.bearer_token is None or not authorization.startswith("Bearer "):
            return super().admit(request, operation_name)
        if authorization != f"Bearer {self.bearer_token}":
            raise Problem("AccessDeniedException", "Authentication failed: Please make sure your API Key is valid.", 403)
        return Caller(request=request)

    def check(self, operation_name: str, parameters: Any):
        """A wrong model may be the user's mistake; a wrong body is the client's."""
        found = super().check(operation_name, parameters)
        try:
            model = self.model(parameters[0])
        except Problem:
            return found
        self.read_body(model, parameters[1])
        return found

    # --- the call ---

    @operation("InvokeModel")
    def invoke_model(self, parameters: tuple[str, bytes], caller: Caller) -> Response:
        self.check_headers(caller.request)
        model = self.model(parameters[0])
        if model.id not in self.granted:
            raise Problem("AccessDeniedException", "You don't have access to the model with the specified model ID.", 403)
        body = self.read_body(model, parameters[1])
        contents = body["texts"] if "texts" in body else [body["inputText"]]
        kept = [self.kept(model, content, body.get("truncate", "NONE"), body.get("max_tokens")) for content in contents]
        tokens = sum(token_count(content) for content in kept)
        with self.guard:
            if self.rate.admit(tokens) is not None:
                raise Problem("ThrottlingException", "Too many tokens, please wait before trying again.", 429)
            self.billed.update(contents)
            self.billed_tokens += tokens
        dimensions = body.get("output_dimension") or body.get("dimensions") or model.dimensions[0]
        vectors = [expected_vector(content, dimensions, model.id) for content in kept]
        answer = cohere_answer(body, vectors) if "texts" in body else titan_answer(model, body, vectors[0], tokens)
        return Response(
            200,
            json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass"),
            {
                "Content-Type": "application/json",
                "X-Amzn-Bedrock-Input-Token-Count": str(tokens),
                "X-Amzn-Bedrock-Invocation-Latency": "42",
            },
        )

    def model(self, wanted: str) -> Model:
        """The model of an id, a profile's id, or the ARN of either."""
        arn = ARN.fullmatch(wanted)
        if arn is not None and arn[1] != self.region:
            raise Problem("ValidationException", "The provided model identifier is invalid.")
        name = arn[4] if arn else wanted
        found = MODELS.get(PROFILE.sub("", name))
        through_profile = PROFILE.match(name) is not None
        if found is None or (arn is not None and through_profile != (arn[3] == "inference-profile")):
            raise Problem("ValidationException", "The provided model identifier is invalid.")
        if through_profile and found.on_demand:
            raise Problem("ValidationException", "The provided model identifier is invalid.")
        if not through_profile and not found.on_demand:
            raise Problem(
                "ValidationException",
                f"Invocation of model ID {found.id} with on-demand throughput isn\u2019t supported. Retry your request "
                "with the ID or ARN of an inference profile that contains this model.",
            )
        return found

    def check_headers(self, request: Request) -> None:
        for name in ("Content-Type", "Accept"):
            if request.header(name) not in ("application/json", *(("*/*", None) if name == "Accept" else ())):
                raise Problem("ValidationException", f"{name} must be application/json")
        for name, _ in request.headers:
            if name.lower().startswith(("x-amz-", "x-amzn-")) and name.lower() not in KNOWN_HEADERS:
                raise Problem("ValidationException", f"There is no header {name}")

    def read_body(self, model: Model, raw: bytes) -> dict[str, Any]:
        """The body, when it is as the model wants it; models answer mistakes themselves."""
        if len(raw) > MAX_BODY:
            raise Problem("ValidationException", "The request body is too large.")
        try:
            body = json.loads(raw.decode("utf-8"))
            model.shape.check(body)
        except Mistyped as mistyped:
            raise malformed(f"expected type: {mistyped}") from None
        except Broken as broken:
            raise malformed(f"extraneous key or constraint: {broken}") from None
        except ValueError:
            raise Problem("ValidationException", "The request body is not valid JSON.") from None
        wanted = body.get("output_dimension") or body.get("dimensions")
        if wanted is not None and wanted not in model.dimensions:
            raise malformed(f"#/dimensions: {wanted} is not a valid enum value")
        if "texts" in body:
            self.check_texts(model, body)
        elif token_count(body["inputText"]) > model.context:
            count = token_count(body["inputText"])
            raise Problem(
                "ValidationException",
                f"400 Bad Request: Too many input tokens. Max input tokens: {model.context}, request input token "
                f"count: {count}",
            )
        return body

    def check_texts(self, model: Model, body: dict[str, Any]) -> None:
        texts = body["texts"]
        if body["input_type"] == "image":
            raise Problem("ValidationException", "input_type image takes images and no texts")
        if len(texts) > MAX_TEXTS:
            raise malformed(f"#/texts: expected maximum item count: {MAX_TEXTS}, found: {len(texts)}")
        for number, content in enumerate(texts):
            if model.family == "cohere3" and len(content) > MAX_CHARACTERS:
                raise malformed(f"#/texts/{number}: expected maxLength: {MAX_CHARACTERS}, actual: {len(content)}")
            if body.get("truncate", "NONE") == "NONE" and token_count(content) > model.context:
                raise Problem(
                    "ValidationException",
                    f"invalid request: total number of tokens in a text cannot exceed the model's context length "
                    f"({model.context}), text {number} has {token_count(content)}",
                )

    def kept(self, model: Model, content: str, truncate: str, max_tokens: int | None) -> str:
        """What is left of a text that is too long, in whole characters."""
        room = 4 * min(model.context, max_tokens or model.context)
        data = content.encode("utf-8", "surrogatepass")
        if len(data) <= room:
            return content
        part = data[-room:] if truncate in ("START", "LEFT") else data[:room]
        return part.decode("utf-8", "ignore")


def malformed(complaint: str) -> Problem:
    return Problem(
        "ValidationException", f"Malformed input request: {complaint}, please reformat your input and try again."
    )


def cohere_answer(body: dict[str, Any], vectors: list[tuple[float, ...]]) -> dict[str, Any]:
    kinds = body.get("embedding_types")
    answer: dict[str, Any] = {"id": "3198467e-399f-4d4a-aa2c-58af93bd6dc4", "texts": body["texts"]}
    if kinds is None:
        return {**answer, "embeddings": rounded(vectors), "response_type": "embeddings_floats"}
    makers = {
        "float": lambda vector: shortest(vector),
        "int8": lambda vector: [max(-128, min(127, round(number * 127))) for number in vector],
        "uint8": lambda vector: [max(0, min(255, round(number * 127) + 128)) for number in vector],
        "binary": lambda vector: [byte - 128 for byte in bits_of(vector)],
        "ubinary": lambda vector: bits_of(vector),
    }
    embeddings = {kind: [makers[kind](vector) for vector in vectors] for kind in kinds}
    return {**answer, "embeddings": embeddings, "response_type": "embeddings_by_type"}


def titan_answer(model: Model, body: dict[str, Any], vector: tuple[float, ...], tokens: int) -> dict[str, Any]:
    if model.family == "titan1":
        return {"embedding": shortest(vector), "inputTextTokenCount": tokens}
    kinds = body.get("embeddingTypes", ["float"])
    by_type: dict[str, list] = {}
    if "float" in kinds:
        by_type["float"] = shortest(vector)
    if "binary" in kinds:
        by_type["binary"] = [1 if number > 0 else 0 for number in vector]
    answer = {"embeddingsByType": by_type, "inputTextTokenCount": tokens}
    return {"embedding": by_type["float"], **answer} if "float" in kinds else answer


def rounded(vectors: list[tuple[float, ...]]) -> list[list[float]]:
    return [shortest(vector) for vector in vectors]


def shortest(vector: tuple[float, ...]) -> list[float]:
    """Numbers with as few digits as give back each float32 (nine always do)."""
    return [float(f"{number:.9g}") for number in vector]


def bits_of(vector: tuple[float, ...]) -> list[int]:
    bits = "".join("1" if number > 0 else "0" for number in vector)
    return list(struct.pack(f"{len(bits) // 8}B", *(int(bits[at : at + 8], 2) for at in range(0, len(bits), 8))))
