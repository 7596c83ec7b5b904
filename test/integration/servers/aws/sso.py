"""The SSO portal, which gives credentials, and OIDC, which gives the portal's tokens anew."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass

from aws.gate import Identity
from aws.problem import Problem
from aws.protocols import RestJson
from aws.service import Caller, Service, operation
from aws.signature import Request
from loopback import Response, json_response


@dataclass(frozen=True)
class Registration:
    """What a client needs to get a new access token."""

    client_id: str
    client_secret: str
    refresh_token: str


class Sso(Service):
    """`access_tokens` are those that the portal takes; `give` says who a role's caller becomes."""

    name = "sso"
    signing_name = "sso"
    protocol = RestJson()

    def __init__(self, aws):
        super().__init__(aws)
        self.access_tokens: set[str] = set()
        self.roles: dict[tuple[str, str], Identity] = {}
        self.registration: Registration | None = None

    def give(self, account: str, role: str, identity: Identity) -> None:
        self.roles[account, role] = identity

    def knows(self, raw_path: str) -> bool:
        return raw_path in ("/federation/credentials", "/token")

    def read(self, request: Request) -> tuple[str, dict]:
        if request.raw_path == "/token":
            try:
                return "CreateToken", json.loads(request.body)
            except ValueError:
                return "CreateToken", {}
        return "GetRoleCredentials", dict(request.query)

    @operation("GetRoleCredentials", unsigned=True)
    def get_role_credentials(self, parameters: dict, caller: Caller) -> Response:
        if caller.request.method != "GET" or set(parameters) != {"role_name", "account_id"}:
            raise Problem("InvalidRequestException", "role_name and account_id are needed, nothing else", 400)
        if caller.request.header("x-amz-sso_bearer_token") not in self.access_tokens:
            raise Problem("UnauthorizedException", "Session token not found or invalid", 401)
        identity = self.roles.get((parameters["account_id"], parameters["role_name"]))
        if identity is None:
            raise Problem("ForbiddenException", "No access", 403)
        credentials = {
            "accessKeyId": identity.key_id,
            "secretAccessKey": identity.secret,
            "sessionToken": identity.token,
            "expiration": int((identity.expires or 4e9) * 1000),
        }
        return json_response(200, {"roleCredentials": credentials})

    @operation("CreateToken", unsigned=True)
    def create_token(self, parameters: dict, caller: Caller) -> Response:
        known = self.registration
        if caller.request.method != "POST" or parameters.get("grantType") != "refresh_token":
            raise Problem("UnsupportedGrantTypeException", None, 400, {"error": "unsupported_grant_type"})
        given = tuple(parameters.get(name) for name in ("clientId", "clientSecret"))
        if known is None or given != (known.client_id, known.client_secret):
            raise Problem("InvalidClientException", None, 401, {"error": "invalid_client"})
        if parameters.get("refreshToken") != known.refresh_token:
            raise Problem("InvalidGrantException", None, 400, {"error": "invalid_grant"})
        token = secrets.token_urlsafe(32)
        self.access_tokens.add(token)
        answer = {"accessToken": token, "tokenType": "Bearer", "expiresIn": 28800, "refreshToken": known.refresh_token}
        return json_response(200, answer)
