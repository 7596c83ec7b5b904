"""What the members of a request must be like.

    SCAN = structure(needed={"TableName": text(1, 1024)}, may={"Limit": integer(1)})
    SCAN.check({"TableName": "t", "Limit": 0})    # raises Broken

A member of the wrong type raises Mistyped, which services that read JSON call a
SerializationException; one that is missing, unknown or out of bounds raises
Broken.  The real services ignore members that they do not know; this one tells,
because a client that sends them has a typing mistake.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from typing import Any

Check = Callable[[Any, str], None]


class Broken(Exception):
    """A request that breaks a constraint."""


class Mistyped(Broken):
    """A member of the wrong type."""


class Shape:
    """A check with a name for its place, so that complaints say where."""

    def __init__(self, check: Check):
        self.check_at = check

    def check(self, value: Any) -> None:
        """Broken unless the value is as it should be."""
        self.check_at(value, "")


def text(least: int = 0, most: int | None = None, pattern: str | None = None, among: str | None = None) -> Shape:
    """A string; `among` lists the allowed ones, with blanks between."""
    allowed = among.split() if among else None

    def check(value: Any, place: str) -> None:
        _be(str, value, place)
        _bound(len(value), least, most, place, value, "length")
        if allowed is not None and value not in allowed:
            _refuse(value, place, f"Member must satisfy enum value set: [{', '.join(allowed)}]")
        if pattern is not None and not re.fullmatch(pattern, value):
            _refuse(value, place, f"Member must satisfy regular expression pattern: {pattern}")

    return Shape(check)


def integer(least: int | None = None, most: int | None = None) -> Shape:
    def check(value: Any, place: str) -> None:
        if isinstance(value, bool):
            raise Mistyped(f"{place} must be a number")
        _be(int, value, place)
        _bound(value, least, most, place, value, "value")

    return Shape(check)


def number(least: float | None = None, most: float | None = None) -> Shape:
    def check(value: Any, place: str) -> None:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise Mistyped(f"{place} must be a number")
        _bound(value, least, most, place, value, "value")

    return Shape(check)


def boolean() -> Shape:
    return Shape(lambda value, place: _be(bool, value, place))


def anything() -> Shape:
    return Shape(lambda value, place: None)


def blob() -> Shape:
    def check(value: Any, place: str) -> None:
        _be(str, value, place)
        try:
            base64.b64decode(value, validate=True)
        except binascii.Error:
            raise Mistyped(f"{place} is no base64") from None

    return Shape(check)


def list_of(inner: Shape, least: int = 0, most: int | None = None) -> Shape:
    def check(value: Any, place: str) -> None:
        _be(list, value, place)
        _bound(len(value), least, most, place, value, "length")
        for position, element in enumerate(value, 1):
            inner.check_at(element, f"{place}.{position}.member")

    return Shape(check)


def mapping(inner: Shape, least: int = 0, most: int | None = None) -> Shape:
    def check(value: Any, place: str) -> None:
        _be(dict, value, place)
        _bound(len(value), least, most, place, list(value), "length")
        for key, element in value.items():
            inner.check_at(element, f"{place}.{key}.member")

    return Shape(check)


def structure(needed: Mapping[str, Shape] | None = None, may: Mapping[str, Shape] | None = None) -> Shape:
    """An object with the needed members and perhaps the others; null is like absence."""
    needed, members = needed or {}, {**(needed or {}), **(may or {})}

    def check(value: Any, place: str) -> None:
        _be(dict, value, place)
        for name in value:
            if name not in members:
                raise Broken(f"Unknown parameter{f' in {place}' if place else ''}: \"{name}\"")
        for name in needed:
            if value.get(name) is None:
                _refuse(None, _inside(place, name), "Member must not be null")
        for name, shape in members.items():
            if value.get(name) is not None:
                shape.check_at(value[name], _inside(place, name))

    return Shape(check)


def _inside(place: str, name: str) -> str:
    """AWS writes members with a small first letter in its complaints."""
    name = name[:1].lower() + name[1:]
    return f"{place}.{name}" if place else name


def _be(kind: type, value: Any, place: str) -> None:
    if not isinstance(value, kind):
        raise Mistyped(f"{place or 'The request'} must be a {kind.__name__}")


def _bound(size, least, most, place: str, value: Any, what: str) -> None:
    if least is not None and size < least:
        _refuse(value, place, f"Member must have {what} greater than or equal to {least}")
    if most is not None and size > most:
        _refuse(value, place, f"Member must have {what} less than or equal to {most}")


def _refuse(value: Any, place: str, constraint: str) -> None:
    shown = "null" if value is None else str(value)[:300]
    raise Broken(
        f"1 validation error detected: Value {'null' if value is None else repr(shown)} at '{place}' "
        f"failed to satisfy constraint: {constraint}"
    )
