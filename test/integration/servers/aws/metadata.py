"""Where machines and containers get credentials: IMDSv2, and the endpoints of ECS.

    /latest/…            the instance's metadata, with a session token first
    /v2/credentials/ID   a container's credentials
    /v4/ID/task          what a container may know of its task
"""

from __future__ import annotations

import secrets
from typing import Any

from aws.gate import JSON, Identity, iso_time
from aws.problem import Problem
from aws.service import Caller, Service, operation
from aws.signature import Request
from loopback import Response, json_response

ROLE_PATH = "/latest/meta-data/iam/security-credentials/"


class Plain:
    """Texts and JSON; errors are a status and a little HTML."""

    dialect = JSON

    def success(self, operation: str, result: Response, number: int) -> Response:
        return result

    def failure(self, problem: Problem, number: int) -> Response:
        if problem.members:
            return json_response(problem.status or 400, problem.members)
        body = f"<html><body><h1>{problem.status} - {problem.message}</h1></body></html>\n".encode()
        return Response(problem.status or 400, body, {"Content-Type": "text/html"})


class Metadata(Service):
    """`give_instance` and `give_container` say whose credentials are handed out."""

    name = "metadata"
    signing_name = "metadata"
    protocol = Plain()
    unknown_operation = ("NotFound", "Not Found", 404)

    def __init__(self, aws):
        super().__init__(aws)
        self.instance: Identity | None = None
        self.role_name = "instance-role"
        self.allows_v1 = False
        self.token_status = 200  # 403, 404, 405: an old service; 400: an error
        self.container: Identity | None = None
        self.container_token: str | None = None  # what Authorization must be
        self._tokens: set[str] = set()

    def give_instance(self, identity: Identity) -> None:
        self.instance = identity

    def give_container(self, identity: Identity, token: str | None = None) -> None:
        self.container, self.container_token = identity, token

    def knows(self, raw_path: str) -> bool:
        return raw_path.startswith(("/latest/", "/v2/credentials/", "/v4/"))

    def read(self, request: Request) -> tuple[str, dict]:
        path = request.raw_path
        if path == "/latest/api/token":
            return "Token", {"method": request.method}
        if path.startswith("/latest/meta-data/"):
            return "MetaData", {"path": path}
        return ("ContainerCredentials" if path.startswith("/v2/") else "Task"), {"path": path}

    @operation("Token", unsigned=True)
    def token(self, parameters: dict, caller: Caller) -> Response:
        if parameters["method"] != "PUT":
            raise Problem("NotAllowed", "Method Not Allowed", 405)
        if self.token_status != 200:
            raise Problem("Refused", "Refused", self.token_status)
        lifetime = caller.request.header("x-aws-ec2-metadata-token-ttl-seconds") or ""
        if not lifetime.isdecimal() or not 1 <= int(lifetime) <= 21600 or caller.request.header("X-Forwarded-For"):
            raise Problem("BadRequest", "Bad Request", 400)
        token = secrets.token_urlsafe(40)
        self._tokens.add(token)
        return Response(200, token.encode(), {"Content-Type": "text/plain"})

    @operation("MetaData", unsigned=True)
    def meta_data(self, parameters: dict, caller: Caller) -> Response:
        token, path = caller.request.header("x-aws-ec2-metadata-token"), parameters["path"]
        if (token is None and not self.allows_v1) or (token is not None and token not in self._tokens):
            raise Problem("Unauthorized", "Unauthorized", 401)
        if path == "/latest/meta-data/placement/region":
            return Response(200, self.aws.region.encode(), {"Content-Type": "text/plain"})
        if self.instance is not None and path == ROLE_PATH:
            return Response(200, self.role_name.encode(), {"Content-Type": "text/plain"})
        if self.instance is not None and path == ROLE_PATH + self.role_name:
            return json_response(200, {"Code": "Success", "Type": "AWS-HMAC", **handed_out(self.instance)})
        raise Problem("NotFound", "Not Found", 404)

    @operation("ContainerCredentials", unsigned=True)
    def container_credentials(self, parameters: dict, caller: Caller) -> Response:
        if caller.request.header("Authorization") != self.container_token:
            raise Problem("AccessDenied", "", 401, {"code": "AccessDenied", "message": "The token is not valid"})
        if self.container is None:
            raise Problem("NotFound", "", 404, {"code": "InvalidIdInRequest", "message": "There are no credentials"})
        return json_response(200, {"RoleArn": self.container.arn, **handed_out(self.container)})

    @operation("Task", unsigned=True)
    def task(self, parameters: dict, caller: Caller) -> Response:
        _, _, task_id, *rest = parameters["path"].split("/")
        task = next((task for task in self.aws.ecs.all_tasks() if task.id == task_id), None)
        if task is None or rest not in ([], ["task"]):
            raise Problem("NotFound", "Not Found", 404)
        told: dict[str, Any] = {"TaskARN": task.arn, "Cluster": task.cluster_arn, "Family": task.definition["family"]}
        if not rest:
            told = {"Name": task.essential["name"], "Labels": {"com.amazonaws.ecs.task-arn": task.arn}}
        return json_response(200, told)


def handed_out(identity: Identity) -> dict[str, str]:
    """Credentials as these endpoints write them."""
    return {
        "AccessKeyId": identity.key_id,
        "SecretAccessKey": identity.secret,
        "Token": identity.token or "",
        "Expiration": iso_time(identity.expires or 4e9),
    }
