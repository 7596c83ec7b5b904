"""The fake AWS: one loopback server for all services.

    with Aws(region="eu-west-1") as aws:
        table = aws.dynamodb.create_table("t", "PK", "SK")
        …  run the program with aws.environment() …
        assert [call.operation for call in aws.calls("dynamodb")] == ["Scan"]

What a request asks for tells which service it is meant for (its X-Amz-Target,
its form's Version, its path), as the host name does in reality; the scope of its
signature must then fit.  A call is let in, checked, perhaps struck by a mishap,
done, recorded and answered, in this order.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from email.utils import formatdate
from urllib.parse import parse_qs

from aws import mishaps
from aws.bedrock import Bedrock
from aws.cloudformation import CloudFormation
from aws.dynamodb import DynamoDB
from aws.ecs import Ecs
from aws.gate import ACCOUNT, Identity, Keyring
from aws.logs import Logs
from aws.metadata import Metadata
from aws.mishaps import Mishap, Mishaps, Refusal, Rule
from aws.problem import Problem
from aws.records import Call, Records
from aws.s3 import S3
from aws.secretsmanager import SecretsManager
from aws.service import Caller, Operation, Service
from aws.servicequotas import ServiceQuotas
from aws.signature import Malformed, Request, read_claim
from aws.sso import Sso
from aws.sts import Sts
from loopback import Handler, Response, Server
from ratelimit import TokenBucket

DENIED_STATUS = {"s3": 403, "bedrock": 403, "sts": 403, "cloudformation": 403}
DENIED_CODE = {"s3": "AccessDenied", "sts": "AccessDenied", "cloudformation": "AccessDenied"}


class Aws(Server):
    """The server and its services; each attribute is one, with state to fill and look at."""

    def __init__(self, region: str = "us-east-1", port: int = 0, seed: int | str | None = 0):
        super().__init__(AwsHandler, port)
        self.region = region
        self.region_of: dict[str, str] = {}  # services that answer elsewhere: {"bedrock": "us-west-2"}
        self.account = ACCOUNT
        self.clock_offset = 0.0  # seconds by which the server's clock is fast
        self.keyring = Keyring()
        self.operator = self.keyring.add(Identity("AKIAOPERATOR00000001", "operator/secret+key=0123456789abcdef01234"))
        self.mishaps = Mishaps(seed)
        self.records = Records()
        self.limits: dict[tuple[str, str], TokenBucket] = {}
        self.limit_guard = threading.Lock()
        self.dynamodb = DynamoDB(self)
        self.ecs = Ecs(self)
        self.cloudformation = CloudFormation(self)
        self.secretsmanager = SecretsManager(self)
        self.sts = Sts(self)
        self.s3 = S3(self)
        self.bedrock = Bedrock(self)
        self.logs = Logs(self)
        self.servicequotas = ServiceQuotas(self)
        self.metadata = Metadata(self)
        self.sso = Sso(self)
        self.services: list[Service] = [
            self.dynamodb, self.ecs, self.cloudformation, self.secretsmanager, self.sts, self.s3, self.bedrock,
            self.logs, self.servicequotas, self.metadata, self.sso,
        ]  # fmt: skip

    # --- for tests ---

    def clock(self) -> float:
        """The server's time, in seconds since 1970."""
        return time.time() + self.clock_offset

    def environment(self, identity: Identity | None = None) -> dict[str, str]:
        """What a program needs to talk to this server as somebody, the operator if nobody is named."""
        identity = identity or self.operator
        settings = {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_REGION": self.region,
            "AWS_ACCESS_KEY_ID": identity.key_id,
            "AWS_SECRET_ACCESS_KEY": identity.secret,
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        return settings if identity.token is None else {**settings, "AWS_SESSION_TOKEN": identity.token}

    def calls(self, service: str | None = None, operation: str | None = None) -> list[Call]:
        """The calls so far."""
        return self.records.find(service, operation)

    def refusals(self) -> list[Call]:
        """The calls that were not in order: a correct client makes none."""
        return [call for call in self.calls() if call.refused]

    def mishap(
        self,
        service: str,
        operation: str,
        mishap: Mishap,
        times: float | None = None,
        fraction: float = 1,
        skip: int = 0,
    ) -> None:
        """From now on this befalls such calls; see mishaps.py."""
        self.mishaps.add(Rule(service, operation, mishap, times, fraction, skip))

    def deny(self, service: str, operation: str = "*") -> None:
        """The operation is forbidden from now on, in the words of its service."""
        code = DENIED_CODE.get(service, "AccessDeniedException")
        message = f"User: {self.operator.arn} is not authorized to perform: {service}:{operation}"
        self.mishap(service, operation, Refusal(code, DENIED_STATUS.get(service, 400), message))

    def limit(self, service: str, operation: str, per_second: float, burst: float) -> None:
        """Throttles an operation beyond a rate, as a bucket that holds `burst` calls."""
        self.limits[service, operation] = TokenBucket(per_second, 1.0, burst / per_second, time.monotonic)

    # --- routing ---

    def service_for(self, request: Request) -> Service:
        """Whom a request is meant for."""
        for service in (self.metadata, self.sso, self.bedrock):
            if service.knows(request.raw_path):
                return service
        target = request.header("X-Amz-Target")
        if target is not None:
            prefix = target.rpartition(".")[0]
            found = self._service(lambda service: getattr(service.protocol, "target", None) == prefix)
            return found or self._service_of_scope(request) or self.s3
        kind = (request.header("Content-Type") or "").partition(";")[0]
        if kind == "application/x-www-form-urlencoded" or "Action" in parse_qs(request.raw_query):
            version = (parse_qs(request.body.decode("latin-1") or request.raw_query).get("Version") or [""])[0]
            found = self._service(lambda service: getattr(service.protocol, "version", None) == version)
            return found or self._service_of_scope(request) or self.sts
        return self._service_of_scope(request) or self.s3

    def _service(self, fits: Callable[[Service], bool]) -> Service | None:
        return next((service for service in self.services if fits(service)), None)

    def _service_of_scope(self, request: Request) -> Service | None:
        try:
            claim = read_claim(request)
        except Malformed:
            return None
        return self._service(lambda service: claim is not None and service.signing_name == claim.scope.service)


class AwsHandler(Handler):
    """Reads a request, hands it to its service, and delivers the answer."""

    server: Aws

    def handle_request(self) -> None:
        request = self.read_request()
        if request is None:
            return
        aws = self.server
        service = aws.service_for(request)
        call = aws.records.enter(
            service=service.name, operation="", parameters=None, at=aws.clock(),
            headers=request.headers, connection=self.client_address[1],
        )  # fmt: skip
        mishap = mishaps.NO_MISHAP
        try:
            found, caller = self.checked(service, request, call)
            mishap = aws.mishaps.of(service.name, call.operation)
            if mishap.hangs_up_first:
                return self.leave(mishap)
            response = mishap.before(self.wire)
            if response is None:
                self.throttle(call)
                result = found.act(service, call.parameters, caller)
                call.handled = True
                response = service.protocol.success(call.operation, result, call.number)
        except Problem as problem:
            call.code, call.message = problem.code, problem.message or ""
            response = service.protocol.failure(problem, call.number)
        finally:
            call.ended = aws.clock()
        service.finish(response)
        if mishap.loses_answer:
            return self.leave(mishap)
        mishap.spoil(response)
        response.headers.setdefault("Date", formatdate(aws.clock(), usegmt=True))
        response.headers.setdefault("Server", "fake")
        call.status = response.status
        self.deliver(response, mishap)

    def checked(self, service: Service, request: Request, call: Call) -> tuple[Operation, Caller]:
        """The operation and its caller when all is in order; else Problem, and the call counts as refused."""
        unreadable: Problem | None = None
        try:
            try:
                call.operation, call.parameters = service.read(request)
            except Problem as problem:
                unreadable = problem
            caller = service.admit(request, call.operation)
            if caller.claim is not None:
                call.key_id, call.region = caller.claim.key_id, caller.claim.scope.region
            if unreadable is not None:
                raise unreadable
            return service.check(call.operation, call.parameters), caller
        except Problem:
            call.refused = True
            raise

    def throttle(self, call: Call) -> None:
        aws = self.server
        for name in (call.operation, "*"):
            bucket = aws.limits.get((call.service, name))
            if bucket is None:
                continue
            with aws.limit_guard:
                if bucket.wait_for(1) > 0:
                    status = 429 if call.service == "bedrock" else 400
                    raise Problem("ThrottlingException", "Rate exceeded", status)
                bucket.take(1)

    def deliver(self, response: Response, mishap: Mishap) -> None:
        if self.command == "HEAD" and response.status >= 300:
            response.body = b""  # what is wrong is told by the status alone
        head = response.head()
        body = b"" if self.command == "HEAD" else response.body
        try:
            lives_on = mishap.deliver(self.wire, head + body, len(head))
        except OSError:
            lives_on = False
        if not lives_on or response.close:
            self.hang_up()

    def leave(self, mishap: Mishap) -> None:
        if getattr(mishap, "reset", False):
            self.reset()
        else:
            self.hang_up()

    def read_request(self) -> Request | None:
        """All of a request, or None when its framing is refused."""
        lengths = self.headers.get_all("Content-Length", [])
        if "Transfer-Encoding" in self.headers or len(lengths) > 1 or not all(map(str.isdecimal, lengths)):
            self.server.records.enter(
                service="", operation="", parameters=None, at=self.server.clock(),
                headers=tuple(self.headers.items()), refused=True, status=411, code="LengthRequired",
            )  # fmt: skip
            self.respond(Response(411, b"", {"Content-Type": "text/plain"}, close=True))
            return None
        length = int(lengths[0]) if lengths else 0
        body = self.rfile.read(length) if length else b""
        if len(body) < length:
            raise ConnectionAbortedError("the client left in the middle of its request")
        # The base class shortens "//" at the beginning of a path; the request line is as it came.
        target = self.requestline.split(" ")[1]
        return Request(self.command, target, tuple(self.headers.items()), body)
