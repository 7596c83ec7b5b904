"""What all services have in common: operations with shapes, and who may call them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from aws.gate import Gate, Identity
from aws.problem import Problem
from aws.shapes import Broken, Mistyped, Shape
from aws.signature import Claim, Request
from loopback import Response

if TYPE_CHECKING:
    from aws.server import Aws


@dataclass(frozen=True)
class Caller:
    """Who calls; without a claim the call came unsigned."""

    identity: Identity | None = None
    claim: Claim | None = None
    request: Request | None = None


@dataclass(frozen=True)
class Operation:
    """One thing a service does."""

    name: str
    shape: Shape | None
    unsigned: bool
    act: Callable[[Any, Any, Caller], Any]


def operation(name: str, shape: Shape | None = None, unsigned: bool = False):
    """Marks a method(parameters, caller) as an operation of its service."""

    def mark(act):
        act.operation = Operation(name, shape, unsigned, act)
        return act

    return mark


class Service:
    """One of AWS's services.  Subclasses mark their operations."""

    name: ClassVar[str]  # in records and mishaps
    signing_name: ClassVar[str]
    protocol: ClassVar[Any]
    broken_code: ClassVar[str] = "ValidationException"
    mistyped_code: ClassVar[str] = "SerializationException"
    unknown_operation: ClassVar[tuple[str, str | None]] = ("UnknownOperationException", None)
    operations: ClassVar[dict[str, Operation]]

    def __init_subclass__(cls):
        marked = (getattr(member, "operation", None) for member in vars(cls).values())
        cls.operations = {found.name: found for found in marked if isinstance(found, Operation)}

    def __init__(self, aws: Aws):
        self.aws = aws
        self.guard = threading.RLock()  # around the state; never held while waiting
        self.gate = Gate(aws.keyring, self.protocol.dialect, self.signing_name, self.regions, aws.clock)

    def regions(self) -> Collection[str]:
        """The regions in which this service answers."""
        return {self.region}

    @property
    def region(self) -> str:
        return self.aws.region_of.get(self.name, self.aws.region)

    def arn(self, resource: str) -> str:
        return f"arn:aws:{self.signing_name}:{self.region}:{self.aws.account}:{resource}"

    def read(self, request: Request) -> tuple[str, Any]:
        """Which operation is wanted with which parameters, or Problem."""
        return self.protocol.read(request)

    def admit(self, request: Request, operation_name: str) -> Caller:
        """Who calls, or Problem."""
        found = self.operations.get(operation_name)
        if found is not None and found.unsigned:
            return Caller(request=request)
        identity, claim = self.gate.admit(request)
        return Caller(identity, claim, request)

    def check(self, operation_name: str, parameters: Any) -> Operation:
        """The operation, when there is one and its parameters are in order."""
        found = self.operations.get(operation_name)
        if found is None:
            raise Problem(*self.unknown_operation)
        try:
            if found.shape is not None:
                found.shape.check(parameters)
        except Mistyped as mistyped:
            raise Problem(self.mistyped_code, str(mistyped)) from None
        except Broken as broken:
            raise Problem(self.broken_code, str(broken)) from None
        return found

    def finish(self, response: Response) -> None:
        """A last word on every answer, errors too."""

