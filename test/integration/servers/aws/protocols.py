"""The four ways in which AWS's services write requests, answers and errors.

    json       POST /, operation in X-Amz-Target, JSON both ways
    query      POST /, a form, answers in XML
    rest-json  the path says what is wanted, JSON both ways   (answers only: bedrock.py reads its paths)
    rest-xml   S3                                              (answers only: s3.py reads its paths)
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from aws import gate
from aws.problem import Problem
from aws.signature import Request
from loopback import Response

REQUEST_ID = "d9f5e2c0-5f4b-4a6e-9a53-{:012d}"


class Json:
    """json 1.0 and 1.1."""

    dialect = gate.JSON

    def __init__(self, version: str, target: str, namespace: str | None = None):
        self.content_type = f"application/x-amz-json-{version}"
        self.target = target
        self.namespace = f"{namespace}#" if namespace else ""

    def read(self, request: Request) -> tuple[str, dict]:
        """Operation and parameters, or Problem."""
        targets = request.all("X-Amz-Target")
        prefix, dot, operation = (targets[0] if len(targets) == 1 else "").rpartition(".")
        if request.method != "POST" or request.target != "/" or not dot or prefix != self.target:
            raise Problem("UnknownOperationException", None)
        if request.header("Content-Type") != self.content_type:
            raise Problem("SerializationException", f"Content-Type must be {self.content_type}")
        try:
            parameters = json.loads(request.body.decode("utf-8"), parse_constant=_no_constant)
        except ValueError:
            raise Problem("SerializationException", None) from None
        if not isinstance(parameters, dict):
            raise Problem("SerializationException", None)
        return operation, {name: value for name, value in parameters.items() if value is not None}

    def success(self, operation: str, result: Any, number: int) -> Response:
        return self.answer(200, result, number, {})

    def failure(self, problem: Problem, number: int) -> Response:
        body = {"__type": self.namespace + problem.code, **problem.members}
        if problem.message is not None:
            body["message"] = problem.message
        return self.answer(problem.status or 400, body, number, problem.headers)

    def answer(self, status: int, value: Any, number: int, headers: Mapping[str, str]) -> Response:
        body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
        ids = {"x-amzn-RequestId": REQUEST_ID.format(number)}
        return Response(status, body, {"Content-Type": self.content_type, **ids, **headers})


class RestJson:
    """Bedrock Runtime: the code of an error is in a header too."""

    dialect = gate.REST_JSON

    def success(self, operation: str, result: Response, number: int) -> Response:
        result.headers["x-amzn-RequestId"] = REQUEST_ID.format(number)
        return result

    def failure(self, problem: Problem, number: int) -> Response:
        body = json.dumps({"message": problem.message, **problem.members}, ensure_ascii=False).encode()
        headers = {
            "Content-Type": "application/json",
            "x-amzn-errortype": f"{problem.code}:http://internal.amazon.com/coral/com.amazon.bedrock/",
            "x-amzn-RequestId": REQUEST_ID.format(number),
        }
        return Response(problem.status or 400, body, {**headers, **problem.headers})


class Query:
    """CloudFormation and STS."""

    dialect = gate.QUERY
    content_type = "application/x-www-form-urlencoded"

    def __init__(self, version: str, namespace: str):
        self.version = version
        self.namespace = namespace

    def read(self, request: Request) -> tuple[str, dict]:
        """Operation and parameters, or Problem."""
        kind = (request.header("Content-Type") or "").partition(";")[0].strip()
        if request.method == "POST" and kind != self.content_type:
            raise Problem("MalformedInput", f"Content-Type must be {self.content_type}")
        parameters = form_of(request)
        version, action = parameters.pop("Version", None), parameters.pop("Action", None)
        if action is None:
            raise Problem("MissingAction", "Missing Action")
        if version != self.version:
            message = f"Could not find operation {action} for version {version or 'NO_VERSION_SPECIFIED'}"
            raise Problem("InvalidAction", message)
        return action, parameters

    def success(self, operation: str, result: Any, number: int) -> Response:
        body = (
            f'<{operation}Response xmlns="{self.namespace}"><{operation}Result>{xml_of(result)}'
            f"</{operation}Result><ResponseMetadata><RequestId>{REQUEST_ID.format(number)}</RequestId>"
            f"</ResponseMetadata></{operation}Response>"
        )
        return self.answer(200, body, number, {})

    def failure(self, problem: Problem, number: int) -> Response:
        status = problem.status or 400
        body = (
            f'<ErrorResponse xmlns="{self.namespace}"><Error><Type>{"Sender" if status < 500 else "Receiver"}</Type>'
            f"<Code>{problem.code}</Code><Message>{escape(problem.message or '')}</Message></Error>"
            f"<RequestId>{REQUEST_ID.format(number)}</RequestId></ErrorResponse>"
        )
        return self.answer(status, body, number, problem.headers)

    def answer(self, status: int, body: str, number: int, headers: Mapping[str, str]) -> Response:
        ids = {"Content-Type": "text/xml", "x-amzn-RequestId": REQUEST_ID.format(number)}
        return Response(status, body.encode("utf-8", "surrogatepass"), {**ids, **headers})


class RestXml:
    """S3; an answer to HEAD has no body, so its errors say nothing."""

    dialect = gate.S3

    def success(self, operation: str, result: Response, number: int) -> Response:
        result.headers["x-amz-request-id"] = f"{number:016X}"
        result.headers["x-amz-id-2"] = "aGVyZSBpcyBubyBob3N0+/="
        return result

    def failure(self, problem: Problem, number: int) -> Response:
        body = (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f"<Error><Code>{problem.code}</Code><Message>{escape(problem.message or '')}</Message>"
            f"{xml_of(problem.members)}<RequestId>{number:016X}</RequestId>"
            "<HostId>aGVyZSBpcyBubyBob3N0+/=</HostId></Error>"
        )
        headers = {"Content-Type": "application/xml", "x-amz-request-id": f"{number:016X}", **problem.headers}
        return Response(problem.status or 400, body.encode("utf-8", "surrogateescape"), headers)


def form_of(request: Request) -> dict[str, str]:
    """The members of a form; Problem when one comes twice or is not UTF-8."""
    raw = request.body.decode("latin-1") if request.method == "POST" else request.raw_query
    try:
        pairs = parse_qsl(raw, keep_blank_values=True, strict_parsing=True, errors="strict") if raw else []
    except ValueError:
        raise Problem("MalformedQueryString", "The query string is malformed.", 404) from None
    pairs = [pair for pair in pairs if not pair[0].startswith("X-Amz-")]
    if len({name for name, _ in pairs}) < len(pairs):
        raise Problem("MalformedQueryString", "A parameter is given twice.", 404)
    return dict(pairs)


def xml_of(value: Any) -> str:
    """Mappings are elements, lists become <member>s, None is left out."""
    if isinstance(value, Mapping):
        return "".join(f"<{name}>{xml_of(inner)}</{name}>" for name, inner in value.items() if inner is not None)
    if isinstance(value, (list, tuple)):
        return "".join(f"<member>{xml_of(inner)}</member>" for inner in value)
    if isinstance(value, bool):
        return str(value).lower()
    return escape(str(value))


def _no_constant(name: str):
    raise ValueError(f"{name} is no JSON")
