"""Every request that came in, for assertions."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any


@dataclass
class Call:
    """One request.  `code` is the error's, "" when there was none; `status` 0 means no answer.

    `refused` tells a call that was not in order (signature, shape), as opposed to
    one that failed by a mishap or by the state of things.
    """

    number: int
    service: str
    operation: str
    parameters: Any
    at: float
    region: str = ""
    key_id: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    connection: int = 0
    status: int = 0
    code: str = ""
    message: str = ""
    refused: bool = False
    handled: bool = False  # the service did what was asked, whatever the caller heard
    ended: float = 0.0

    def header(self, name: str) -> str | None:
        return next((value for given, value in self.headers if given.lower() == name.lower()), None)


class Records:
    """The calls in the order of their arrival."""

    def __init__(self):
        self._calls: list[Call] = []
        self._guard = threading.Lock()

    def enter(self, **members) -> Call:
        with self._guard:
            call = Call(len(self._calls) + 1, **members)
            self._calls.append(call)
        return call

    def find(self, service: str | None = None, operation: str | None = None) -> list[Call]:
        with self._guard:
            return [
                call
                for call in self._calls
                if service in (None, call.service) and operation in (None, call.operation)
            ]

    def clear(self) -> None:
        """Forgets the calls; numbers begin anew."""
        with self._guard:
            self._calls.clear()
