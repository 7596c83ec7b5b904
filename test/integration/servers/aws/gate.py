"""Who may come in: the known credentials, and the check of every signature.

`Keyring` holds identities, each with a key, perhaps a session token, perhaps an
end.  `admit` lets a request in as one of them, or refuses it with the words of
the service it went to; AWS's services have four dialects for that.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

from aws.problem import Problem
from aws.signature import (
    NEVER_SIGNED,
    STAMP,
    UNSIGNED_PAYLOAD,
    Claim,
    Malformed,
    Request,
    canonical_request,
    read_claim,
    signature_of,
    string_to_sign,
)

ACCOUNT = "123456789012"
CANONICAL_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret "
    "Access Key and signing method. Consult the service documentation for details."
)


@dataclass
class Identity:
    """Somebody with a key.  Times are the server's, in seconds since 1970."""

    key_id: str
    secret: str
    token: str | None = None
    arn: str = f"arn:aws:iam::{ACCOUNT}:user/operator"
    user_id: str = "AIDAOPERATOR"
    expires: float | None = None
    revoked_at: float | None = None
    policy: str | None = None  # of the session, as AssumeRole was given it

    @property
    def account(self) -> str:
        return self.arn.split(":")[4]

    @property
    def is_session(self) -> bool:
        return self.token is not None


@dataclass
class Keyring:
    """All identities the fake knows, safe to change while requests come in."""

    identities: dict[str, Identity] = field(default_factory=dict)
    guard: threading.Lock = field(default_factory=threading.Lock)

    def add(self, identity: Identity) -> Identity:
        with self.guard:
            self.identities[identity.key_id] = identity
        return identity

    def new_session(self, arn: str, user_id: str, expires: float, policy: str | None = None) -> Identity:
        """Temporary credentials, with a token that needs percent-encoding."""
        token = f"FwoGZXIvYXdzE+{secrets.token_urlsafe(48)}/=="
        key_id = "ASIA" + secrets.token_hex(8).upper()
        return self.add(Identity(key_id, secrets.token_urlsafe(30), token, arn, user_id, expires, None, policy))

    def find(self, key_id: str) -> Identity | None:
        with self.guard:
            return self.identities.get(key_id)

    def revoke(self, key_id: str, at: float = 0) -> None:
        """The key is unknown from that moment on; the default is at once."""
        with self.guard:
            self.identities[key_id].revoked_at = at


@dataclass(frozen=True)
class Dialect:
    """How a family of services names what is wrong with a signature: status and code."""

    missing: tuple[int, str]
    malformed: tuple[int, str]
    unknown: tuple[int, str]
    bad_token: tuple[int, str]
    expired: tuple[int, str]
    mismatch: tuple[int, str]
    scope: tuple[int, str]


JSON = Dialect(
    missing=(400, "MissingAuthenticationTokenException"),
    malformed=(400, "IncompleteSignatureException"),
    unknown=(400, "UnrecognizedClientException"),
    bad_token=(400, "UnrecognizedClientException"),
    expired=(400, "ExpiredTokenException"),
    mismatch=(400, "InvalidSignatureException"),
    scope=(400, "InvalidSignatureException"),
)
REST_JSON = Dialect(
    missing=(403, "MissingAuthenticationTokenException"),
    malformed=(403, "IncompleteSignatureException"),
    unknown=(403, "UnrecognizedClientException"),
    bad_token=(403, "UnrecognizedClientException"),
    expired=(403, "ExpiredTokenException"),
    mismatch=(403, "InvalidSignatureException"),
    scope=(403, "InvalidSignatureException"),
)
QUERY = Dialect(
    missing=(403, "MissingAuthenticationToken"),
    malformed=(400, "IncompleteSignature"),
    unknown=(403, "InvalidClientTokenId"),
    bad_token=(403, "InvalidClientTokenId"),
    expired=(403, "ExpiredToken"),
    mismatch=(403, "SignatureDoesNotMatch"),
    scope=(403, "SignatureDoesNotMatch"),
)
S3 = Dialect(
    missing=(403, "AccessDenied"),
    malformed=(400, "AuthorizationHeaderMalformed"),
    unknown=(403, "InvalidAccessKeyId"),
    bad_token=(400, "InvalidToken"),
    expired=(400, "ExpiredToken"),
    mismatch=(403, "SignatureDoesNotMatch"),
    scope=(400, "AuthorizationHeaderMalformed"),
)
WORDS = {
    "missing": "Request is missing Authentication Token",
    "unknown": "The security token included in the request is invalid.",
    "bad_token": "The security token included in the request is invalid.",
    "expired": "The security token included in the request is expired",
    "mismatch": CANONICAL_MISMATCH,
}
S3_WORDS = {
    "missing": "Access Denied",
    "unknown": "The AWS Access Key Id you provided does not exist in our records.",
    "bad_token": "The provided token is malformed or otherwise invalid.",
    "expired": "The provided token has expired.",
    "mismatch": "The request signature we calculated does not match the signature you provided. Check your key "
    "and signing method.",
}


@dataclass
class Gate:
    """The check of one service's requests."""

    keyring: Keyring
    dialect: Dialect
    service: str
    regions: Callable[[], Collection[str]] | None  # None: the service looks at the region itself
    clock: Callable[[], float] = time.time
    skew_s: float = 300

    def admit(self, request: Request) -> tuple[Identity, Claim]:
        """Who signed the request, or Problem."""
        try:
            claim = read_claim(request)
        except Malformed as malformed:
            raise self.refusal("malformed", str(malformed)) from None
        if claim is None:
            raise self.refusal("missing")
        self.check_scope(claim)
        identity = self.identity_of(claim)
        self.check_time(claim)
        self.check_signed_headers(request, claim)
        self.check_signature(request, claim, identity, self.payload_hash(request, claim))
        return identity, claim

    @property
    def is_s3(self) -> bool:
        return self.dialect is S3

    def refusal(self, kind: str, message: str | None = None, /, **members: Any) -> Problem:
        status, code = getattr(self.dialect, kind)
        words = S3_WORDS if self.is_s3 else WORDS
        return Problem(code, message or words[kind], status, members)

    def check_scope(self, claim: Claim) -> None:
        complaints = []
        if self.regions is not None and claim.scope.region not in self.regions():
            complaints.append(f"Credential should be scoped to a valid region, not '{claim.scope.region}'. ")
        if claim.scope.service != self.service:
            complaints.append(f"Credential should be scoped to correct service: '{self.service}'. ")
        if claim.scope.date != claim.stamp[:8]:
            complaints.append(
                f"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
                f"'{claim.scope.date}' != '{claim.stamp[:8]}', from '{claim.stamp}'."
            )
        if complaints:
            raise self.refusal("scope", "".join(complaints))

    def identity_of(self, claim: Claim) -> Identity:
        identity = self.keyring.find(claim.key_id)
        now = self.clock()
        if identity is None or (identity.revoked_at is not None and now >= identity.revoked_at):
            raise self.refusal("unknown", AWSAccessKeyId=claim.key_id) if self.is_s3 else self.refusal("unknown")
        if identity.is_session and claim.token is None:
            raise self.refusal("unknown")
        if claim.token != identity.token:
            raise self.refusal("bad_token")
        if identity.expires is not None and now >= identity.expires:
            raise self.refusal("expired")
        return identity

    def check_time(self, claim: Claim) -> None:
        now, limit = self.clock(), 900 if self.is_s3 else self.skew_s
        early = claim.time > now + limit
        late = now > (claim.time + claim.lifetime_s if claim.lifetime_s else claim.time + limit)
        if not early and not late:
            return
        if self.is_s3:
            if claim.presigned:
                raise Problem("AccessDenied", "Request has expired" if late else "Request is not yet valid", 403)
            raise Problem(
                "RequestTimeTooSkewed",
                "The difference between the request time and the current time is too large.",
                403,
                {
                    "RequestTime": claim.stamp,
                    "ServerTime": iso_time(now),
                    "MaxAllowedSkewMilliseconds": "900000",
                },
            )
        minutes = f"{limit / 60:g} min."
        here = stamp_of(now)
        if early:
            message = (
                f"Signature not yet current: {claim.stamp} is still later than {stamp_of(now + limit)} "
                f"({here} + {minutes})"
            )
        else:
            message = (
                f"Signature expired: {claim.stamp} is now earlier than {stamp_of(now - limit)} ({here} - {minutes})"
            )
        raise self.refusal("mismatch", message)

    def check_signed_headers(self, request: Request, claim: Claim) -> None:
        """Host, content-type and every x-amz-* must be covered; hop-by-hop headers must not."""
        present = {name.lower() for name, _ in request.headers}
        must = {name for name in present if name in ("host", "content-type") or name.startswith("x-amz-")}
        if claim.presigned:
            must.discard("content-type")
        unsigned = sorted((must | {"host"}) - set(claim.signed_headers))
        if "host" in unsigned:
            message = "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."
            raise self.refusal("mismatch", message)
        if unsigned:
            message = "There were headers present in the request which were not signed"
            if self.is_s3:
                raise Problem("AccessDenied", message, 403, {"HeadersNotSigned": ", ".join(unsigned)})
            raise self.refusal("mismatch", f"{message}: {', '.join(unsigned)}")
        perishable = sorted(NEVER_SIGNED & set(claim.signed_headers))
        if perishable:
            raise self.refusal("mismatch", f"These headers must not be signed: {', '.join(perishable)}")
        absent = sorted(set(claim.signed_headers) - present)
        if absent:
            raise self.refusal("mismatch", f"{CANONICAL_MISMATCH} Signed but not sent: {', '.join(absent)}")

    def payload_hash(self, request: Request, claim: Claim) -> str:
        actual = hashlib.sha256(request.body).hexdigest()
        given = request.header("x-amz-content-sha256")
        if self.is_s3 and claim.presigned:
            return given or UNSIGNED_PAYLOAD
        if given is None and self.is_s3:
            message = "Missing required header for this request: x-amz-content-sha256"
            raise Problem("InvalidRequest", message, 400)
        if given is not None and given != actual:
            if self.is_s3:
                message = "The provided 'x-amz-content-sha256' header does not match what was computed."
                members = {"ClientComputedContentSHA256": given, "S3ComputedContentSHA256": actual}
                raise Problem("XAmzContentSHA256Mismatch", message, 400, members)
            raise self.refusal("mismatch")
        return actual

    def check_signature(self, request: Request, claim: Claim, identity: Identity, payload_hash: str) -> None:
        right = signature_of(request, claim, identity.secret, payload_hash)
        if hmac.compare_digest(right.encode(), claim.signature.encode("latin-1", "replace")):
            return
        canonical = canonical_request(request, claim, payload_hash)
        to_sign = string_to_sign(request, claim, payload_hash)
        if self.is_s3:
            raise self.refusal(
                "mismatch",
                AWSAccessKeyId=claim.key_id,
                StringToSign=to_sign,
                SignatureProvided=claim.signature,
                CanonicalRequest=canonical,
            )
        raise self.refusal(
            "mismatch",
            f"{CANONICAL_MISMATCH}\n\nThe Canonical String for this request should have been\n'{canonical}'\n\n"
            f"The String-to-Sign should have been\n'{to_sign}'\n",
        )


def stamp_of(seconds: float) -> str:
    return time.strftime(STAMP, time.gmtime(seconds))


def iso_time(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
