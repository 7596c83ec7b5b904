"""What a service answers when it does not do what was asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(eq=False)
class Problem(Exception):
    """An error answer: each protocol writes it in its own way (protocols.py).

    `status` None means the protocol's ordinary one for the caller's mistakes.
    `members` are further members of the answer's body.
    """

    code: str
    message: str | None
    status: int | None = None
    members: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"
