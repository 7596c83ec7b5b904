"""DynamoDB's attribute values: {"S": "text"}, {"N": "12.5"}, {"L": [{"BOOL": true}]}…

`plain` and `typed` translate to Python and back; numbers become int or Decimal.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from aws.problem import Problem

Value = dict[str, Any]
Item = dict[str, Value]
MAX_DEPTH = 32
SETS = ("SS", "NS", "BS")


def invalid(message: str) -> Problem:
    return Problem("ValidationException", message)


def check_value(value: Any, depth: int = 1) -> None:
    """Problem unless this is an attribute value."""
    if not isinstance(value, dict):
        raise Problem("SerializationException", "Unexpected value type in payload")
    if len(value) != 1:
        raise invalid(
            "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes"
            if value
            else "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"
        )
    if depth > MAX_DEPTH:
        raise invalid("Nesting Levels have exceeded supported limits")
    (kind, content), *_ = value.items()
    if kind in ("S", "B", "N"):
        _be(str, content)
        if kind == "N":
            check_number(content)
        elif kind == "B":
            _check_base64(content)
    elif kind in ("BOOL", "NULL"):
        _be(bool, content)
        if kind == "NULL" and not content:
            raise invalid("One or more parameter values were invalid: Null attribute value types must have the value of true")
    elif kind == "M":
        _be(dict, content)
        for inner in content.values():
            check_value(inner, depth + 1)
    elif kind == "L":
        _be(list, content)
        for inner in content:
            check_value(inner, depth + 1)
    elif kind in SETS:
        _check_set(kind, content)
    else:
        raise invalid("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes")


def _check_set(kind: str, content: Any) -> None:
    _be(list, content)
    if not content:
        raise invalid("One or more parameter values were invalid: An string set  may not be empty")
    for element in content:
        check_value({kind[0]: element})
    if len({comparable({kind[0]: element}) for element in content}) < len(content):
        raise invalid("One or more parameter values were invalid: Input collection contains duplicates")


def check_number(text: str) -> Decimal:
    """Up to 38 digits, magnitude 1E-130 to 9.99E+125."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise invalid("The parameter cannot be converted to a numeric value: " + text) from None
    if not number.is_finite():
        raise invalid("The parameter cannot be converted to a numeric value: " + text)
    if len(number.normalize().as_tuple().digits) > 38:
        raise invalid("Attempting to store more than 38 significant digits in a Number")
    if number and not -130 <= number.adjusted() <= 125:
        raise invalid("Number overflow. Attempting to store a number with magnitude out of the supported range")
    return number


def _check_base64(content: str) -> None:
    try:
        base64.b64decode(content, validate=True)
    except binascii.Error:
        raise Problem("SerializationException", None) from None


def _be(kind: type, content: Any) -> None:
    if not isinstance(content, kind):
        raise Problem("SerializationException", f"{type(content).__name__} can not be converted to a {kind.__name__}")


def kind_of(value: Value) -> str:
    return next(iter(value))


def comparable(value: Value) -> Any:
    """Something that equals and sorts as DynamoDB does, within one type."""
    kind, content = next(iter(value.items()))
    if kind == "N":
        return Decimal(content)
    if kind == "S":
        return content.encode("utf-8", "surrogatepass")
    if kind == "B":
        return base64.b64decode(content)
    if kind in SETS:
        return frozenset(comparable({kind[0]: element}) for element in content)
    if kind == "M":
        return {name: (kind_of(inner), comparable(inner)) for name, inner in content.items()}
    if kind == "L":
        return [(kind_of(inner), comparable(inner)) for inner in content]
    return content


def equal(left: Value | None, right: Value | None) -> bool:
    if left is None or right is None or kind_of(left) != kind_of(right):
        return False
    return comparable(left) == comparable(right)


def size_of(value: Value) -> int:
    """Bytes of a value, as DynamoDB counts them."""
    kind, content = next(iter(value.items()))
    if kind == "S":
        return len(content.encode("utf-8", "surrogatepass"))
    if kind == "N":
        return len(Decimal(content).as_tuple().digits) // 2 + 2
    if kind == "B":
        return len(base64.b64decode(content))
    if kind == "M":
        return 3 + sum(len(name.encode()) + 1 + size_of(inner) for name, inner in content.items())
    if kind == "L":
        return 3 + sum(1 + size_of(inner) for inner in content)
    if kind in SETS:
        return sum(size_of({kind[0]: element}) for element in content)
    return 1


def item_size(item: Item) -> int:
    return sum(len(name.encode()) + size_of(value) for name, value in item.items())


def typed(value: Any) -> Value:
    """A Python value as an attribute value."""
    if value is None:
        return {"NULL": True}
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, (int, float, Decimal)):
        return {"N": str(value)}
    if isinstance(value, str):
        return {"S": value}
    if isinstance(value, bytes):
        return {"B": base64.b64encode(value).decode()}
    if isinstance(value, Mapping):
        return {"M": {name: typed(inner) for name, inner in value.items()}}
    if isinstance(value, (list, tuple)):
        return {"L": [typed(inner) for inner in value]}
    if isinstance(value, (set, frozenset)):
        return {"SS": sorted(value)}
    raise TypeError(f"no attribute value for {value!r}")


def plain(value: Value) -> Any:
    """An attribute value as Python's."""
    kind, content = next(iter(value.items()))
    if kind == "N":
        number = Decimal(content)
        return int(number) if number == number.to_integral_value() else number
    if kind == "B":
        return base64.b64decode(content)
    if kind == "NULL":
        return None
    if kind == "M":
        return {name: plain(inner) for name, inner in content.items()}
    if kind == "L":
        return [plain(inner) for inner in content]
    if kind in SETS:
        return {plain({kind[0]: element}) for element in content}
    return content
