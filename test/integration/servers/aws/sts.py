"""STS: who am I, and roles to assume, with keys or with a web identity's token."""

from __future__ import annotations

from dataclasses import dataclass, field

from aws import protocols
from aws.gate import Identity, iso_time
from aws.policy import BadPolicy, read_policy
from aws.problem import Problem
from aws.service import Caller, Service, operation
from aws.shapes import Shape, structure, text

SESSION_NAME = text(2, 64, r"[\w+=,.@-]*")
ROLE_ARN = text(20, 2048, r"arn:aws[a-z-]*:iam::\d{12}:role/.+")
MAX_PACKED_POLICY = 2048
ASSUMED: dict[str, Shape] = {"DurationSeconds": text(pattern=r"\d+"), "Policy": text(1, 2048)}


@dataclass
class Role:
    """A role; `trusts` None means that everybody in the account may assume it."""

    arn: str
    max_duration_s: int = 3600
    external_id: str | None = None
    trusts: set[str] | None = None
    web_tokens: set[str] = field(default_factory=set)
    role_id: str = "AROAROLE"


class Sts(Service):
    """`create_role` makes a role."""

    name = "sts"
    signing_name = "sts"
    protocol = protocols.Query("2011-06-15", "https://sts.amazonaws.com/doc/2011-06-15/")
    broken_code = mistyped_code = "ValidationError"
    unknown_operation = ("InvalidAction", "Could not find operation for version 2011-06-15")

    def __init__(self, aws):
        super().__init__(aws)
        self.roles: dict[str, Role] = {}
        self.expired_web_tokens: set[str] = set()

    def regions(self) -> set[str]:
        return {self.region, "us-east-1"}

    def create_role(self, name: str, **members) -> Role:
        role = Role(f"arn:aws:iam::{self.aws.account}:role/{name}", **members)
        self.roles[role.arn] = role
        return role

    @operation("GetCallerIdentity", structure())
    def get_caller_identity(self, request: dict, caller: Caller) -> dict:
        identity = caller.identity
        return {"Arn": identity.arn, "UserId": identity.user_id, "Account": identity.account}

    @operation(
        "AssumeRole",
        structure(
            {"RoleArn": ROLE_ARN, "RoleSessionName": SESSION_NAME},
            {**ASSUMED, "ExternalId": text(2, 1224), "SerialNumber": text(9, 256), "TokenCode": text(6, 6)},
        ),
    )
    def assume_role(self, request: dict, caller: Caller) -> dict:
        role, identity = self.roles.get(request["RoleArn"]), caller.identity
        denied = Problem(
            "AccessDenied",
            f"User: {identity.arn} is not authorized to perform: sts:AssumeRole on resource: {request['RoleArn']}",
            403,
        )
        if role is None or (role.trusts is not None and identity.arn not in role.trusts):
            raise denied
        if role.external_id is not None and request.get("ExternalId") != role.external_id:
            raise denied
        return self.session(role, request, identity)

    @operation(
        "AssumeRoleWithWebIdentity",
        structure(
            {"RoleArn": ROLE_ARN, "RoleSessionName": SESSION_NAME, "WebIdentityToken": text(4, 20_000)},
            {**ASSUMED, "ProviderId": text(4, 2048)},
        ),
        unsigned=True,
    )
    def assume_role_with_web_identity(self, request: dict, caller: Caller) -> dict:
        if caller.request.header("Authorization") is not None:
            raise Problem("ValidationError", "AssumeRoleWithWebIdentity is called without a signature")
        role, token = self.roles.get(request["RoleArn"]), request["WebIdentityToken"]
        if token in self.expired_web_tokens:
            message = "Token expired: current date/time must be before the expiration date/time"
            raise Problem("ExpiredTokenException", message)
        if role is None or not role.web_tokens:
            raise Problem("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity", 403)
        if token not in role.web_tokens:
            raise Problem("InvalidIdentityToken", "The ID Token provided is not a valid JWT.")
        answer = self.session(role, request, None)
        return {**answer, "SubjectFromWebIdentityToken": "system:serviceaccount:default:vecferry", "Provider": "oidc"}

    def session(self, role: Role, request: dict, identity: Identity | None) -> dict:
        seconds = int(request.get("DurationSeconds", "3600"))
        if not 900 <= seconds <= 43200:
            raise Problem("ValidationError", f"DurationSeconds must be between 900 and 43200, not {seconds}")
        if identity is not None and identity.is_session and seconds > 3600:
            raise Problem(
                "ValidationError",
                "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
            )
        if seconds > role.max_duration_s:
            raise Problem(
                "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
            )
        policy = request.get("Policy")
        if policy is not None:
            try:
                read_policy(policy)
            except BadPolicy as bad:
                raise Problem("MalformedPolicyDocument", str(bad)) from None
        name = request["RoleSessionName"]
        account, role_name = role.arn.split(":")[4], role.arn.rpartition("/")[2]
        arn = f"arn:aws:sts::{account}:assumed-role/{role_name}/{name}"
        expires = float(int(self.aws.clock()) + seconds)
        user_id = f"{role.role_id}:{name}"
        session = self.aws.keyring.new_session(arn, user_id, expires, policy)
        return {
            "AssumedRoleUser": {"AssumedRoleId": user_id, "Arn": arn},
            "Credentials": {
                "AccessKeyId": session.key_id,
                "SecretAccessKey": session.secret,
                "SessionToken": session.token,
                "Expiration": iso_time(expires),
            },
            "PackedPolicySize": 6 if policy else None,
        }
