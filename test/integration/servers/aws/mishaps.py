"""What may go wrong with a call on its way, on purpose.

    aws.mishap("dynamodb", "Scan", Refusal("ThrottlingException", 400), times=3)
    aws.mishap("ecs", "RunTask", LostAnswer())              # it happened, but nobody is told
    aws.mishap("bedrock", "*", Refusal("ThrottlingException", 429), fraction=0.3)

A mishap befalls only calls that are in order, so that it never hides a client's
mistake.  `times` None is for ever; `skip` lets so many calls pass before.
"""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass, field

from aws.problem import Problem
from loopback import Response, Wire


@dataclass(frozen=True)
class Mishap:
    """Four moments at which a mishap may act; most act at one."""

    def before(self, wire: Wire) -> Response | None:
        """Before the call is handled.  A Response is the answer; a Problem may be raised."""
        return None

    @property
    def hangs_up_first(self) -> bool:
        return False

    @property
    def loses_answer(self) -> bool:
        return False

    def spoil(self, response: Response) -> None:
        """Changes a good answer."""

    def deliver(self, wire: Wire, data: bytes, head: int) -> bool:
        """Writes head and body; whether the connection may live on."""
        wire.write(data)
        return True


@dataclass(frozen=True)
class Refusal(Mishap):
    """Answers with an error instead: throttles, 500, 503, denied calls."""

    code: str = "ThrottlingException"
    status: int = 400
    message: str = "Rate exceeded"
    headers: dict[str, str] = field(default_factory=dict)

    def before(self, wire: Wire) -> Response | None:
        raise Problem(self.code, self.message, self.status, headers=dict(self.headers))


@dataclass(frozen=True)
class Page(Mishap):
    """Something that is not the service answers, for instance a proxy."""

    status: int = 502
    body: bytes = b"<html><body><h1>502 Bad Gateway</h1>\n<p>squid</p></body></html>\n"
    content_type: str = "text/html"

    def before(self, wire: Wire) -> Response | None:
        return Response(self.status, self.body, {"Content-Type": self.content_type})


@dataclass(frozen=True)
class HangUp(Mishap):
    """The connection ends before the call is handled."""

    reset: bool = False

    @property
    def hangs_up_first(self) -> bool:
        return True


@dataclass(frozen=True)
class LostAnswer(Mishap):
    """The call is handled, then the connection ends without an answer."""

    reset: bool = False

    @property
    def loses_answer(self) -> bool:
        return True


@dataclass(frozen=True)
class Delay(Mishap):
    """The answer takes its time."""

    seconds: float = 1.0

    def before(self, wire: Wire) -> Response | None:
        wire.pause(self.seconds)
        return None


@dataclass(frozen=True)
class CutBody(Mishap):
    """The connection ends in the middle of the body."""

    kept: float = 0.5  # of the body

    def deliver(self, wire: Wire, data: bytes, head: int) -> bool:
        wire.write(data[: head + int((len(data) - head) * self.kept)])
        return False


@dataclass(frozen=True)
class SlowBody(Mishap):
    """The body trickles."""

    pieces: int = 10
    pause_s: float = 0.05

    def deliver(self, wire: Wire, data: bytes, head: int) -> bool:
        wire.write(data[:head])
        size = max(1, -(-(len(data) - head) // self.pieces))
        for start in range(head, len(data), size):
            wire.pause(self.pause_s)
            wire.write(data[start : start + size])
        return True


@dataclass(frozen=True)
class WrongCrc(Mishap):
    """DynamoDB's checksum does not fit its answer."""

    def spoil(self, response: Response) -> None:
        response.headers["x-amz-crc32"] = str(int(response.headers.get("x-amz-crc32", "0")) ^ 1)


@dataclass(frozen=True)
class Flipped(Mishap):
    """One bit of the body is flipped on its way; a checksum would notice."""

    def spoil(self, response: Response) -> None:
        middle = len(response.body) // 2
        body = bytearray(response.body)
        body[middle] ^= 1
        response.body = bytes(body)


NO_MISHAP = Mishap()


@dataclass
class Rule:
    """Which calls a mishap befalls."""

    service: str
    operation: str
    mishap: Mishap
    times: float | None
    fraction: float
    skip: int

    def befalls(self, service: str, operation: str, ball: float) -> bool:
        if self.service not in ("*", service) or self.operation not in ("*", operation):
            return False
        if self.times is not None and self.times <= 0:
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        if ball >= self.fraction:
            return False
        if self.times is not None:
            self.times -= 1
        return True


class Mishaps:
    """The rules, asked in the order of their making; the first that applies decides."""

    def __init__(self, seed: int | str | None = 0):
        self._rules: list[Rule] = []
        self._random = random.Random(seed)
        self._guard = threading.Lock()

    def add(self, rule: Rule) -> None:
        with self._guard:
            self._rules.append(rule)

    def clear(self) -> None:
        with self._guard:
            self._rules.clear()

    def of(self, service: str, operation: str) -> Mishap:
        with self._guard:
            for rule in self._rules:
                if rule.befalls(service, operation, self._random.random() if rule.fraction < 1 else 0):
                    return rule.mishap
        return NO_MISHAP
