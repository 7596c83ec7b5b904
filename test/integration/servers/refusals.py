"""How servers refuse: the error bodies of OpenAI and of those that speak like it.

Sources, all public:
  openai    {"error": {message, type, param, code}}: openai-openapi, schema Error;
            texts as quoted in the issues named at each function
  ollama    the same without a code, type by status: ollama/ollama openai/openai.go, NewError
  vllm      {"object": "error", message, type, param, code}: vllm-project/vllm issue 15465
  llamacpp  {"error": {code, message, type}}: llama.cpp tools/server/README.md, GET /health
  tei       {message, code, type}; Validation is 413 and Overloaded 429:
            huggingface/text-embeddings-inference router/src/http, OpenAICompatErrorResponse
"""

from __future__ import annotations

import math
import time
from email.utils import formatdate

from loopback import Response, json_response
from ratelimit import Excess, duration

FLAVOURS = ("openai", "ollama", "vllm", "llamacpp", "tei")

VLLM_TYPES = {400: "BadRequestError", 401: "Unauthorized", 404: "NotFoundError"}
TEI_TYPES = {400: "Validation", 413: "Validation", 429: "Overloaded", 503: "Unhealthy"}
OLLAMA_TYPES = {400: "invalid_request_error", 404: "not_found_error"}


def error(
    flavour: str,
    status: int,
    message: str,
    kind: str = "invalid_request_error",
    param: str | None = None,
    code: str | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    """An error in the shape that the flavour of server gives it."""
    if flavour == "ollama":
        kind = OLLAMA_TYPES.get(status, "api_error")
        body = {"error": {"message": message, "type": kind, "param": None, "code": None}}
    elif flavour == "vllm":
        kind = VLLM_TYPES.get(status, "InternalServerError")
        body = {"object": "error", "message": message, "type": kind, "param": None, "code": status}
    elif flavour == "llamacpp":
        body = {"error": {"code": status, "message": message, "type": kind}}
    elif flavour == "tei":
        status = 413 if status == 400 else status
        body = {"message": message, "code": status, "type": TEI_TYPES.get(status, "Backend")}
    else:
        body = {"error": {"message": message, "type": kind, "param": param, "code": code}}
    return json_response(status, body, headers)


def bad_key(flavour: str, given: str | None, whole_key: bool = False) -> Response:
    """401.  OpenAI repeats the key with its middle blotted out; a careless proxy all of it."""
    if given is None:
        message = (
            "You didn't provide an API key. You need to provide your API key in an "
            "Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY)."
        )
        return error(flavour, 401, message)
    shown = given if whole_key else f"{given[:3]}{'*' * 12}{given[-4:]}"
    message = (
        f"Incorrect API key provided: {shown}. "
        "You can find your API key at https://platform.openai.com/account/api-keys."
    )
    return error(flavour, 401, message, code="invalid_api_key")


def unknown_model(flavour: str, model: str) -> Response:
    """404 with the code model_not_found (trigaten/Learn_Prompting issue 1008)."""
    message = f"The model `{model}` does not exist or you do not have access to it."
    return error(flavour, 404, message, code="model_not_found")


def invalid_input(flavour: str) -> Response:
    """400 for an empty text, an empty list or too long a list (aryn-ai/sycamore pull 943)."""
    message = (
        "'$.input' is invalid. Please check the API reference: "
        "https://platform.openai.com/docs/api-reference."
    )
    return error(flavour, 400, message)


def too_long(flavour: str, limit: int, tokens: int) -> Response:
    """400 for one text above the model's context (pingcap/autoflow issue 265)."""
    message = (
        f"This model's maximum context length is {limit} tokens, however you requested "
        f"{tokens} tokens ({tokens} in your prompt; 0 for the completion). "
        "Please reduce your prompt; or completion length."
    )
    return error(flavour, 400, message)


def too_many_tokens(flavour: str, limit: int, tokens: int) -> Response:
    """400 for the sum over all texts of a call (assafelovic/gpt-researcher issue 1524)."""
    message = f"Requested {tokens} tokens, max {limit} tokens per request"
    kind = "max_tokens_per_request"
    return error(flavour, 400, message, kind, code=kind)


def no_dimensions(flavour: str) -> Response:
    """400 for `dimensions` where the model has only one size (SciPhi-AI/R2R pull 768)."""
    return error(flavour, 400, "This model does not support specifying dimensions.")


def unknown_member(flavour: str, names: list[str]) -> Response:
    """400 for a member the API does not know (openai/openai-python issue 1354)."""
    message = f"Unrecognized request argument supplied: {', '.join(names)}"
    return error(flavour, 400, message)


def rate_limited(flavour: str, model: str, excess: Excess, style: str = "both") -> Response:
    """429 in OpenAI's words (VectorInstitute/health-rec issue 103, Aider-AI/aider issue 1880)."""
    unit = {"requests": "requests per min (RPM)", "tokens": "tokens per min (TPM)"}[excess.kind]
    where = f"for {model} in organization org-stub on {unit}: Limit {excess.limit}"
    if math.isinf(excess.wait_s):
        message = (
            f"Request too large {where}, Requested {excess.requested}. "
            "The input or output tokens must be reduced in order to run successfully."
        )
        headers = {}
    else:
        message = (
            f"Rate limit reached {where}, Used {excess.used}, Requested {excess.requested}. "
            f"Please try again in {duration(excess.wait_s)}."
        )
        headers = retry_headers(excess.wait_s, style)
    return error(flavour, 429, message, excess.kind, code="rate_limit_exceeded", headers=headers)


def retry_headers(wait_s: float, style: str, now: float | None = None) -> dict[str, str]:
    """When to come again: whole seconds, milliseconds, both, a date, or not a word.

    OpenAI's own clients read retry-after-ms first, then retry-after as a number
    of seconds or an HTTP date (openai/openai-python, _base_client.py).
    """
    if style == "date":
        moment = math.ceil((time.time() if now is None else now) + wait_s)
        return {"retry-after": formatdate(moment, usegmt=True)}
    found = {}
    if style in ("both", "seconds"):
        found["retry-after"] = str(math.ceil(wait_s))
    if style in ("both", "ms"):
        found["retry-after-ms"] = str(math.ceil(wait_s * 1000))
    return found


def quota_used_up(flavour: str) -> Response:
    """429 that no waiting mends (error codes guide: "You exceeded your current quota")."""
    message = (
        "You exceeded your current quota, please check your plan and billing details. "
        "For more information on this error, read the docs: "
        "https://platform.openai.com/docs/guides/error-codes/api-errors."
    )
    return error(flavour, 429, message, "insufficient_quota", code="insufficient_quota")


def overloaded() -> Response:
    """429 of a local server with a full queue (text-embeddings-inference issue 662)."""
    return error("tei", 429, "Model is overloaded")


def loading() -> Response:
    """503 while the model is read from disk (llama.cpp tools/server/README.md)."""
    return error("llamacpp", 503, "Loading model", "unavailable_error")


def not_a_number() -> Response:
    """500 when a model computed NaN for some text (ollama/ollama issue 15582)."""
    return error("ollama", 500, "failed to encode response: json: unsupported value: NaN")


def gateway_page(status: int) -> Response:
    """The HTML of something between client and server."""
    words = {
        408: "Request Timeout",
        500: "Internal Server Error",
        502: "Bad Gateway",
        503: "Service Unavailable",
        504: "Gateway Timeout",
    }[status]
    page = (
        f"<html>\r\n<head><title>{status} {words}</title></head>\r\n<body>\r\n"
        f"<center><h1>{status} {words}</h1></center>\r\n<hr><center>nginx</center>\r\n"
        "</body>\r\n</html>\r\n"
    )
    return Response(status, page.encode(), {"Content-Type": "text/html"})
