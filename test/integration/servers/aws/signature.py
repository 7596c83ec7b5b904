"""Signature Version 4, as the receiving end sees it.

A request carries a claim: who signed it, when, for which region and service,
over which headers.  `read_claim` finds it in the Authorization header or in the
query of a presigned URL; `signature_of` computes from the bytes that arrived
what the signature would have to be.  Nothing here judges: that is done in gate.py.

Two rules differ between the services.  S3 takes the path as it is, encoded
once; all others tidy it (dot segments, double slashes) and encode it once more.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timezone
from urllib.parse import quote, unquote_to_bytes

ALGORITHM = "AWS4-HMAC-SHA256"
UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
EMPTY_HASH = hashlib.sha256(b"").hexdigest()
STAMP = "%Y%m%dT%H%M%SZ"
# Proxies change these, so no signer may sign them and no server asks for them.
NEVER_SIGNED = frozenset(
    "connection expect keep-alive te trailer transfer-encoding upgrade user-agent x-amzn-trace-id".split()
)


@dataclass(frozen=True)
class Request:
    """What arrived, untouched: the target and the headers as they were sent."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    @property
    def raw_path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def raw_query(self) -> str:
        return self.target.partition("?")[2]

    @property
    def path(self) -> str:
        """The path, percent-decoded."""
        return unquote_to_bytes(self.raw_path.encode("latin-1")).decode("utf-8", "surrogateescape")

    @property
    def query(self) -> list[tuple[str, str]]:
        """The names and values of the query, percent-decoded; a plus sign is a blank."""
        return [(_text(name), _text(value)) for name, value in _query_bytes(self.raw_query)]

    def all(self, name: str) -> list[str]:
        """Every value of a header."""
        return [value for given, value in self.headers if given.lower() == name.lower()]

    def header(self, name: str) -> str | None:
        """The first value of a header."""
        return next(iter(self.all(name)), None)

    def argument(self, name: str) -> str | None:
        """The first value of a query parameter."""
        return next((value for given, value in self.query if given == name), None)


@dataclass(frozen=True)
class Scope:
    """What a signature is good for."""

    date: str
    region: str
    service: str

    def __str__(self) -> str:
        return f"{self.date}/{self.region}/{self.service}/aws4_request"


@dataclass(frozen=True)
class Claim:
    """Who says to have signed the request, and how."""

    key_id: str
    scope: Scope
    signed_headers: tuple[str, ...]
    signature: str
    stamp: str
    token: str | None
    presigned: bool = False
    lifetime_s: int | None = None

    @property
    def time(self) -> float:
        return datetime.strptime(self.stamp, STAMP).replace(tzinfo=timezone.utc).timestamp()


class Malformed(Exception):
    """A claim that cannot be read; the text says why, as the services do."""


def read_claim(request: Request) -> Claim | None:
    """The claim, None when there is none, or Malformed."""
    names = {name for name, _ in request.query}
    in_query = "X-Amz-Algorithm" in names or "X-Amz-Signature" in names
    in_header = request.header("Authorization") is not None
    if in_query and in_header:
        raise Malformed("Only one auth mechanism allowed")
    if in_query:
        return _presigned_claim(request)
    return _header_claim(request) if in_header else None


def _header_claim(request: Request) -> Claim:
    values = request.all("Authorization")
    if len(values) > 1:
        raise Malformed("There is more than one Authorization header.")
    algorithm, _, rest = values[0].partition(" ")
    if algorithm != ALGORITHM:
        raise Malformed(f"Unsupported authorization type: {algorithm}")
    parts: dict[str, str] = {}
    for word in rest.split(","):
        name, equals, value = word.strip().partition("=")
        if not equals or name in parts or name not in ("Credential", "SignedHeaders", "Signature"):
            raise Malformed(f"'{word.strip()}' not a valid key=value pair in Authorization header.")
        parts[name] = value
    missing = [name for name in ("Credential", "Signature", "SignedHeaders") if not parts.get(name)]
    stamps = request.all("X-Amz-Date")
    complaints = [f"Authorization header requires '{name}' parameter." for name in missing]
    if not stamps:
        complaints.append("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
    if complaints:
        raise Malformed(" ".join(complaints))
    if len(stamps) > 1:
        raise Malformed("There is more than one X-Amz-Date header.")
    tokens = request.all("X-Amz-Security-Token")
    if len(tokens) > 1:
        raise Malformed("There is more than one X-Amz-Security-Token header.")
    return Claim(
        *_credential(parts["Credential"]),
        _signed_headers(parts["SignedHeaders"]),
        parts["Signature"],
        _stamp(stamps[0]),
        tokens[0] if tokens else None,
    )


def _presigned_claim(request: Request) -> Claim:
    given: dict[str, str] = {}
    for name, value in request.query:
        if name.startswith("X-Amz-") and name in given:
            raise Malformed(f"{name} is given twice.")
        given[name] = value
    if given.get("X-Amz-Algorithm") != ALGORITHM:
        raise Malformed("X-Amz-Algorithm only supports AWS4-HMAC-SHA256")
    for name in ("X-Amz-Credential", "X-Amz-SignedHeaders", "X-Amz-Signature", "X-Amz-Date", "X-Amz-Expires"):
        if not given.get(name):
            raise Malformed(f"Query-string authentication requires the {name} parameter.")
    if not given["X-Amz-Expires"].isdecimal() or not 1 <= int(given["X-Amz-Expires"]) <= 604800:
        raise Malformed("X-Amz-Expires must be between 1 and 604800 seconds")
    return Claim(
        *_credential(given["X-Amz-Credential"]),
        _signed_headers(given["X-Amz-SignedHeaders"]),
        given["X-Amz-Signature"],
        _stamp(given["X-Amz-Date"]),
        given.get("X-Amz-Security-Token"),
        True,
        int(given["X-Amz-Expires"]),
    )


def _credential(text: str) -> tuple[str, Scope]:
    parts = text.split("/")
    if len(parts) < 5:
        raise Malformed(f"Credential must have at least 5 slash-delimited elements, got '{text}'")
    *key, date, region, service, end = parts
    if end != "aws4_request":
        raise Malformed(f"Credential should be scoped with a valid terminator: 'aws4_request', not '{end}'.")
    return "/".join(key), Scope(date, region, service)


def _signed_headers(text: str) -> tuple[str, ...]:
    names = tuple(text.split(";"))
    if list(names) != sorted(set(names)) or any(name != name.lower() or not name for name in names):
        raise Malformed("SignedHeaders must be lower case, sorted and without repetition.")
    return names


def _stamp(text: str) -> str:
    try:
        datetime.strptime(text, STAMP)
    except ValueError:
        raise Malformed(f"Date must be in ISO-8601 'basic format'. Got '{text}'.") from None
    return text


# --- what the signature must be ---


def signature_of(request: Request, claim: Claim, secret: str, payload_hash: str) -> str:
    """The right signature of a request for this claim's scope, time and headers."""
    key = signing_key(secret, claim.scope)
    return _hmac(key, string_to_sign(request, claim, payload_hash)).hex()


def string_to_sign(request: Request, claim: Claim, payload_hash: str) -> str:
    canonical = canonical_request(request, claim, payload_hash)
    digest = hashlib.sha256(canonical.encode("utf-8", "surrogateescape")).hexdigest()
    return f"{ALGORITHM}\n{claim.stamp}\n{claim.scope}\n{digest}"


def canonical_request(request: Request, claim: Claim, payload_hash: str) -> str:
    query = request.raw_query
    if claim.presigned:
        query = "&".join(word for word in query.split("&") if not word.startswith("X-Amz-Signature="))
    headers = "".join(f"{name}:{canonical_value(request.all(name))}\n" for name in claim.signed_headers)
    path = once_encoded_path(request.raw_path) if claim.scope.service == "s3" else tidy_path(request.raw_path)
    return "\n".join(
        [request.method, path, canonical_query(query), headers, ";".join(claim.signed_headers), payload_hash]
    )


def signing_key(secret: str, scope: Scope) -> bytes:
    key = ("AWS4" + secret).encode("utf-8")
    for word in (scope.date, scope.region, scope.service, "aws4_request"):
        key = _hmac(key, word)
    return key


def canonical_value(values: Iterable[str]) -> str:
    """Trimmed, with single blanks; several values of a header are joined by commas."""
    joined = ",".join(re.sub(r" +", " ", value.strip(" \t")) for value in values)
    return joined.encode("latin-1").decode("utf-8", "surrogateescape")


def canonical_query(raw: str) -> str:
    """Decoded, encoded anew and sorted after that."""
    words = [(encoded(name), encoded(value)) for name, value in _query_bytes(raw)]
    return "&".join(f"{name}={value}" for name, value in sorted(words))


def once_encoded_path(raw: str) -> str:
    """S3's: dot segments and double slashes belong to the key."""
    return encoded(unquote_to_bytes(raw.encode("latin-1")), safe="/") or "/"


def tidy_path(raw: str) -> str:
    """Everyone else's: tidied, then encoded once more than it came."""
    kept: list[str] = []
    for segment in raw.split("/"):
        if segment == "..":
            kept = kept[:-1]
        elif segment not in ("", "."):
            kept.append(segment)
    path = "/" + "/".join(kept)
    if kept and raw.endswith("/"):
        path += "/"
    return encoded(path.encode("latin-1"), safe="/")


def encoded(text: bytes, safe: str = "") -> str:
    """Percent-encoded but for letters, digits and -_.~"""
    return quote(text, safe=safe + "-_.~")


def _query_bytes(raw: str) -> list[tuple[bytes, bytes]]:
    """Names and values; one without an equals sign has an empty value."""
    pairs = []
    for word in filter(None, raw.split("&")):
        name, _, value = word.encode("latin-1").replace(b"+", b" ").partition(b"=")
        pairs.append((unquote_to_bytes(name), unquote_to_bytes(value)))
    return pairs


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode("utf-8"), hashlib.sha256).digest()
