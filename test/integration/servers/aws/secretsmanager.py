"""Secrets Manager: secrets with versions and stages."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from aws import protocols
from aws.problem import Problem
from aws.service import Caller, Service, operation
from aws.shapes import structure, text

SECRET_ID = text(1, 2048)


@dataclass
class Secret:
    """A secret: its value by stage, and how it is rotated."""

    name: str
    arn: str
    stages: dict[str, str] = field(default_factory=dict)
    rotation_days: int | None = None
    owner: str | None = None
    deleted: bool = False
    binary: bool = False

    def put(self, value: Any, stage: str = "AWSCURRENT") -> None:
        """Stores a value; the current one before it stays as AWSPREVIOUS."""
        if stage == "AWSCURRENT" and stage in self.stages:
            self.stages["AWSPREVIOUS"] = self.stages[stage]
        self.stages[stage] = value if isinstance(value, str) else json.dumps(value)

    def version(self, stage: str) -> str:
        return f"EXAMPLE1-90ab-cdef-fedc-{stage.encode().hex()[:12]:0<12}"


class SecretsManager(Service):
    """`create_secret` makes a secret; names get the six random characters that real ARNs have."""

    name = "secretsmanager"
    signing_name = "secretsmanager"
    protocol = protocols.Json("1.1", "secretsmanager")

    def __init__(self, aws):
        super().__init__(aws)
        self.secrets: dict[str, Secret] = {}

    def create_secret(self, name: str, value: Any) -> Secret:
        secret = Secret(name, self.arn(f"secret:{name}-AbCdEf"))
        secret.put(value)
        self.secrets[name] = secret
        return secret

    def secret(self, wanted: str) -> Secret:
        for secret in self.secrets.values():
            if wanted in (secret.name, secret.arn, secret.arn[:-7]):
                return secret
        raise Problem("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")

    @operation(
        "GetSecretValue",
        structure({"SecretId": SECRET_ID}, {"VersionId": text(32, 64), "VersionStage": text(1, 256)}),
    )
    def get_secret_value(self, request: dict, caller: Caller) -> dict:
        secret = self.secret(request["SecretId"])
        if secret.deleted:
            raise Problem(
                "InvalidRequestException",
                "You can't perform this operation on the secret because it was marked for deletion.",
            )
        stage = request.get("VersionStage", "AWSCURRENT")
        if stage not in secret.stages:
            raise Problem(
                "ResourceNotFoundException",
                f"Secrets Manager can't find the specified secret value for staging label: {stage}",
            )
        return {
            "ARN": secret.arn,
            "Name": secret.name,
            "VersionId": secret.version(stage),
            "SecretBinary" if secret.binary else "SecretString": secret.stages[stage],
            "VersionStages": [stage],
            "CreatedDate": 1.7e9,
        }

    @operation("DescribeSecret", structure({"SecretId": SECRET_ID}))
    def describe_secret(self, request: dict, caller: Caller) -> dict:
        secret = self.secret(request["SecretId"])
        told: dict[str, Any] = {
            "ARN": secret.arn,
            "Name": secret.name,
            "LastChangedDate": 1.7e9,
            "VersionIdsToStages": {secret.version(stage): [stage] for stage in secret.stages},
        }
        if secret.rotation_days is not None:
            told |= {
                "RotationEnabled": True,
                "RotationLambdaARN": f"arn:aws:lambda:{self.region}:{self.aws.account}:function:rotate",
                "RotationRules": {"AutomaticallyAfterDays": secret.rotation_days},
                "NextRotationDate": 1.8e9,
            }
        if secret.owner is not None:
            told["OwningService"] = secret.owner
        return {**told, "DeletedDate": 1.75e9} if secret.deleted else told
