"""DynamoDB's little languages: conditions, key conditions, projections and updates.

An expression is read into closures over an item.  `Names` hands out what #name
and :value stand for and notices which of them were never used, which DynamoDB
refuses; an expression that uses a reserved word as a name is refused too.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Context
from typing import Any

from aws.problem import Problem
from aws.reserved import RESERVED
from aws.values import SETS, Item, Value, check_value, comparable, equal, invalid, kind_of, size_of

TOKEN = re.compile(r"\s*(?:(<>|<=|>=|[=<>(),.\[\]+-])|([#:]?[A-Za-z0-9_]+)|(\S))")
MAX_EXPRESSION = 4096
KEYWORDS = {"AND", "OR", "NOT", "BETWEEN", "IN", "SET", "REMOVE", "ADD", "DELETE"}
FUNCTIONS = {
    "attribute_exists": 1, "attribute_not_exists": 1, "attribute_type": 2, "begins_with": 2, "contains": 2, "size": 1,
}  # fmt: skip
EXACT = Context(prec=38)

Path = tuple[Any, ...]  # names, and positions in lists
Test = Callable[[Item], bool]
Operand = Callable[[Item], "Value | None"]


class Names:
    """ExpressionAttributeNames and ExpressionAttributeValues of one request."""

    def __init__(self, request: dict):
        self.names = request.get("ExpressionAttributeNames")
        self.values = request.get("ExpressionAttributeValues")
        self.used: set[str] = set()
        self.expressions = 0
        self._check("ExpressionAttributeNames", self.names, r"#[A-Za-z0-9_]+")
        self._check("ExpressionAttributeValues", self.values, r":[A-Za-z0-9_]+")
        for value in (self.values or {}).values():
            check_value(value)

    def _check(self, member: str, given: dict | None, pattern: str) -> None:
        if given is None:
            return
        if not given:
            raise invalid(f"{member} must not be empty")
        for name in given:
            if not re.fullmatch(pattern, name) or len(name) > 255:
                raise invalid(f'{member} contains invalid key: Syntax error; key: "{name}"')

    def name(self, alias: str) -> str:
        if alias not in (self.names or {}):
            raise invalid(
                f"Invalid expression: An expression attribute name used in the document path is not defined; "
                f"attribute name: {alias}"
            )
        self.used.add(alias)
        return self.names[alias]

    def value(self, alias: str) -> Value:
        if alias not in (self.values or {}):
            raise invalid(
                f"Invalid expression: An expression attribute value used in expression is not defined; "
                f"attribute value: {alias}"
            )
        self.used.add(alias)
        return self.values[alias]

    def finish(self) -> None:
        """After all expressions of a request are read: nothing may be left over."""
        for member, given in (("Names", self.names), ("Values", self.values)):
            if given is None:
                continue
            if not self.expressions:
                raise invalid(
                    f"ExpressionAttribute{member} can only be specified when using expressions: "
                    "no expression was given"
                )
            unused = sorted(set(given) - self.used)
            if unused:
                raise invalid(
                    f"Value provided in ExpressionAttribute{member} unused in expressions: keys: {{{', '.join(unused)}}}"
                )


class Reader:
    """The tokens of one expression."""

    def __init__(self, member: str, text: str, names: Names):
        self.member = member
        self.names = names
        self.names.expressions += 1
        if not text.strip():
            raise invalid(f"Invalid {member}: The expression can not be empty;")
        if len(text.encode()) > MAX_EXPRESSION:
            raise invalid(f"Invalid {member}: Expression size has exceeded the maximum allowed size;")
        self.tokens: list[str] = []
        for match in TOKEN.finditer(text.rstrip()):
            if match[3]:
                raise self.syntax(match[3])
            self.tokens.append(match[1] or match[2])
        self.at = 0
        self.paths: list[Path] = []

    def syntax(self, token: str) -> Problem:
        return invalid(f'Invalid {self.member}: Syntax error; token: "{token}", near: "{token}"')

    def peek(self, ahead: int = 0) -> str:
        place = self.at + ahead
        return self.tokens[place] if place < len(self.tokens) else "<EOF>"

    def word(self) -> str:
        """The next token as a keyword; names keep their case."""
        token = self.peek()
        return token.upper() if token.upper() in KEYWORDS else token

    def take(self) -> str:
        token = self.peek()
        self.at += 1
        return token

    def expect(self, token: str) -> None:
        if self.word() != token:
            raise self.syntax(self.peek())
        self.at += 1

    def accept(self, token: str) -> bool:
        if self.word() != token:
            return False
        self.at += 1
        return True

    def end(self) -> None:
        if self.at < len(self.tokens):
            raise self.syntax(self.peek())

    # --- operands ---

    def path(self) -> Path:
        path: list[Any] = [self.attribute()]
        while True:
            if self.accept("."):
                path.append(self.attribute())
            elif self.accept("["):
                position = self.take()
                if not position.isdecimal():
                    raise self.syntax(position)
                path.append(int(position))
                self.expect("]")
            else:
                self.paths.append(tuple(path))
                return tuple(path)

    def attribute(self) -> str:
        token = self.take()
        if token.startswith("#"):
            return self.names.name(token)
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", token):
            raise self.syntax(token)
        if token.upper() in RESERVED:
            raise invalid(
                f"Invalid {self.member}: Attribute name is a reserved keyword; reserved keyword: {token}"
            )
        return token

    def operand(self) -> Operand:
        token = self.peek()
        if token.startswith(":"):
            value = self.names.value(self.take())
            return lambda item: value
        if token == "size" and self.peek(1) == "(":
            self.at += 2
            path = self.path()
            self.expect(")")
            return lambda item: _size(found_at(item, path))
        path = self.path()
        return lambda item: found_at(item, path)


def condition(member: str, text: str, names: Names) -> tuple[Test, list[Path]]:
    """A condition or filter as a test of items, and the paths it names."""
    reader = Reader(member, text, names)
    test = _either(reader)
    reader.end()
    return test, reader.paths


def _either(reader: Reader) -> Test:
    tests = [_both(reader)]
    while reader.accept("OR"):
        tests.append(_both(reader))
    return tests[0] if len(tests) == 1 else lambda item: any(test(item) for test in tests)


def _both(reader: Reader) -> Test:
    tests = [_negated(reader)]
    while reader.accept("AND"):
        tests.append(_negated(reader))
    return tests[0] if len(tests) == 1 else lambda item: all(test(item) for test in tests)


def _negated(reader: Reader) -> Test:
    if reader.accept("NOT"):
        test = _negated(reader)
        return lambda item: not test(item)
    if reader.accept("("):
        test = _either(reader)
        reader.expect(")")
        return test
    if reader.peek() in FUNCTIONS and reader.peek() != "size" and reader.peek(1) == "(":
        return _function(reader)
    if reader.peek(1) == "(" and reader.peek() != "size":
        raise invalid(f"Invalid {reader.member}: Invalid function name; function: {reader.peek()}")
    return _comparison(reader)


def _function(reader: Reader) -> Test:
    name = reader.take()
    reader.expect("(")
    path = reader.path()
    arguments = []
    while reader.accept(","):
        arguments.append(reader.operand())
    reader.expect(")")
    if len(arguments) + 1 != FUNCTIONS[name]:
        raise invalid(
            f"Invalid {reader.member}: Incorrect number of operands for operator or function; "
            f"operator or function: {name}, number of operands: {len(arguments) + 1}"
        )
    if name == "attribute_exists":
        return lambda item: found_at(item, path) is not None
    if name == "attribute_not_exists":
        return lambda item: found_at(item, path) is None
    argument = arguments[0]
    if name == "attribute_type":
        return lambda item: (value := found_at(item, path)) is not None and kind_of(value) == argument(item).get("S")
    if name == "begins_with":
        return lambda item: _begins_with(found_at(item, path), argument(item))
    return lambda item: _contains(found_at(item, path), argument(item))


def _comparison(reader: Reader) -> Test:
    left = reader.operand()
    word = reader.word()
    reader.at += 1
    if word == "BETWEEN":
        low = reader.operand()
        reader.expect("AND")
        high = reader.operand()
        return lambda item: _compare(low(item), "<=", left(item)) and _compare(left(item), "<=", high(item))
    if word == "IN":
        reader.expect("(")
        choices = [reader.operand()]
        while reader.accept(","):
            choices.append(reader.operand())
        reader.expect(")")
        if len(choices) > 100:
            raise invalid(f"Invalid {reader.member}: The IN operator takes at most 100 operands")
        return lambda item: any(equal(left(item), choice(item)) for choice in choices)
    if word not in ("=", "<>", "<", "<=", ">", ">="):
        raise reader.syntax(word)
    right = reader.operand()
    return lambda item: _compare(left(item), word, right(item))


def _compare(left: Value | None, operator: str, right: Value | None) -> bool:
    if operator == "=":
        return equal(left, right)
    if operator == "<>":
        return left is None or right is None or not equal(left, right)
    if left is None or right is None or kind_of(left) != kind_of(right) or kind_of(left) not in ("S", "N", "B"):
        return False
    a, b = comparable(left), comparable(right)
    return {"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[operator]


def _contains(value: Value | None, sought: Value | None) -> bool:
    """A substring, byte by byte, or a member of a set or list."""
    if value is None or sought is None:
        return False
    kind, content = next(iter(value.items()))
    if kind in ("S", "B"):
        return kind_of(sought) == kind and comparable(sought) in comparable(value)
    if kind in SETS:
        return kind_of(sought) == kind[0] and comparable(sought) in comparable(value)
    return kind == "L" and any(equal(element, sought) for element in content)


def _begins_with(value: Value | None, start: Value | None) -> bool:
    if value is None or start is None or kind_of(value) != kind_of(start) or kind_of(value) not in ("S", "B"):
        return False
    return comparable(value).startswith(comparable(start))


def _size(value: Value | None) -> Value | None:
    if value is None:
        return None
    kind, content = next(iter(value.items()))
    if kind in ("S", "B"):
        return {"N": str(size_of(value))}
    return {"N": str(len(content))} if kind in ("M", "L", *SETS) else None


# --- keys ---


@dataclass(frozen=True)
class KeyCondition:
    """Equality on the hash key and perhaps a test of the range key."""

    hash: Value
    matches: Test


def key_condition(text: str, names: Names, hash_name: str, range_name: str | None) -> KeyCondition:
    reader = Reader("KeyConditionExpression", text, names)
    tests: list[Test] = []
    seen: dict[str, Value | None] = {}
    while True:
        bracketed = reader.accept("(")
        start = reader.at
        paths_before = len(reader.paths)
        test = _function(reader) if reader.peek() in FUNCTIONS and reader.peek(1) == "(" else _comparison(reader)
        words = reader.tokens[start : reader.at]
        if bracketed:
            reader.expect(")")
        path = reader.paths[paths_before]
        if len(path) != 1 or path[0] not in (hash_name, range_name):
            raise invalid(f"Query condition missed key schema element: {hash_name}")
        if path[0] in seen:
            raise invalid("KeyConditionExpressions must only contain one condition per key")
        if words[0] in FUNCTIONS and words[0] != "begins_with" or any(word in ("<>", "IN", "in") for word in words):
            raise invalid(f"Invalid operator used in KeyConditionExpression: {words[0]}")
        is_equality = len(words) == 3 and words[1] == "=" and words[2].startswith(":")
        if path[0] == hash_name and not is_equality:
            raise invalid("Query key condition not supported")
        seen[path[0]] = names.value(words[2]) if is_equality else None
        tests.append(test)
        if not reader.accept("AND"):
            break
    reader.end()
    if hash_name not in seen:
        raise invalid(f"Query condition missed key schema element: {hash_name}")
    return KeyCondition(seen[hash_name], lambda item: all(test(item) for test in tests))


# --- projections ---


def projection(text: str, names: Names) -> list[Path]:
    reader = Reader("ProjectionExpression", text, names)
    paths = [reader.path()]
    while reader.accept(","):
        paths.append(reader.path())
    reader.end()
    _check_overlap("ProjectionExpression", paths)
    return paths


def projected(item: Item, paths: list[Path] | None) -> Item:
    """The parts of an item that the paths name."""
    if paths is None:
        return item
    result: Item = {}
    for path in paths:
        value = found_at(item, path)
        if value is not None:
            _place(result, path, value)
    return result


def _place(into: Item, path: Path, value: Value) -> None:
    name, *rest = path
    if not rest:
        into[name] = value
        return
    holder = into.setdefault(name, {"L": []} if isinstance(rest[0], int) else {"M": {}})
    for step, following in zip(rest, [*rest[1:], None]):
        child = value if following is None else {"L": []} if isinstance(following, int) else {"M": {}}
        if isinstance(step, int):
            holder["L"].append(child)
            holder = holder["L"][-1]
        else:
            holder = holder["M"].setdefault(step, child)


def found_at(item: Item, path: Path) -> Value | None:
    value: Value | None = item.get(path[0])
    for step in path[1:]:
        if value is None:
            return None
        if isinstance(step, int):
            elements = value.get("L", [])
            value = elements[step] if step < len(elements) else None
        else:
            value = value.get("M", {}).get(step)
    return value


def _check_overlap(member: str, paths: list[Path]) -> None:
    for number, path in enumerate(paths):
        for other in paths[:number]:
            shorter = min(len(path), len(other))
            if path[:shorter] == other[:shorter]:
                raise invalid(
                    f"Invalid {member}: Two document paths overlap with each other; must remove or rewrite one of "
                    f"these paths; path one: {list(other)}, path two: {list(path)}"
                )


# --- updates ---


@dataclass(frozen=True)
class Update:
    """What an UpdateExpression does: sets, removals, additions, deletions, all seen from the old item."""

    sets: list[tuple[Path, Operand]]
    removals: list[Path]
    additions: list[tuple[Path, Value]]
    deletions: list[tuple[Path, Value]]

    @property
    def paths(self) -> list[Path]:
        return [path for path, _ in self.sets + self.additions + self.deletions] + self.removals

    def applied(self, old: Item) -> Item:
        new = copy.deepcopy(old)
        for path, operand in self.sets:
            value = operand(old)
            if value is None:
                raise invalid(
                    "The provided expression refers to an attribute that does not exist in the item"
                )
            _store(new, path, copy.deepcopy(value))
        for path, value in self.additions:
            _store(new, path, _sum(found_at(old, path), value))
        for path, value in self.deletions:
            _drop(new, path, found_at(old, path), value)
        for path in sorted(self.removals, key=lambda path: [str(step) for step in path], reverse=True):
            _remove(new, path)
        return new


def update(text: str, names: Names) -> Update:
    reader = Reader("UpdateExpression", text, names)
    result = Update([], [], [], [])
    seen = set()
    while reader.at < len(reader.tokens):
        clause = reader.word()
        if clause not in ("SET", "REMOVE", "ADD", "DELETE"):
            raise reader.syntax(reader.peek())
        if clause in seen:
            raise invalid(
                f'Invalid UpdateExpression: The "{clause}" section can only be used once in an update expression;'
            )
        seen.add(clause)
        reader.at += 1
        while True:
            _read_action(reader, clause, result)
            if not reader.accept(","):
                break
    _check_overlap("UpdateExpression", result.paths)
    return result


def _read_action(reader: Reader, clause: str, result: Update) -> None:
    path = reader.path()
    if clause == "SET":
        reader.expect("=")
        result.sets.append((path, _new_value(reader)))
    elif clause == "REMOVE":
        result.removals.append(path)
    else:
        token = reader.take()
        if not token.startswith(":"):
            raise reader.syntax(token)
        value = reader.names.value(token)
        allowed = ("N", *SETS) if clause == "ADD" else SETS
        if kind_of(value) not in allowed:
            raise invalid(
                f"Invalid UpdateExpression: Incorrect operand type for operator or function; operator: {clause}, "
                f"operand type: {kind_of(value)}"
            )
        (result.additions if clause == "ADD" else result.deletions).append((path, value))


def _new_value(reader: Reader) -> Operand:
    left = _new_operand(reader)
    if reader.peek() not in ("+", "-"):
        return left
    sign = reader.take()
    right = _new_operand(reader)
    return lambda item: _added(left(item), right(item), sign)


def _new_operand(reader: Reader) -> Operand:
    name = reader.peek()
    if reader.peek(1) != "(":
        return reader.operand()
    if name not in ("if_not_exists", "list_append"):
        raise invalid(f"Invalid UpdateExpression: Invalid function name; function: {name}")
    reader.at += 2
    if name == "if_not_exists":
        path = reader.path()
        reader.expect(",")
        otherwise = _new_operand(reader)
        reader.expect(")")
        return lambda item: found if (found := found_at(item, path)) is not None else otherwise(item)
    first = _new_operand(reader)
    reader.expect(",")
    second = _new_operand(reader)
    reader.expect(")")
    return lambda item: {"L": [*_list(first(item)), *_list(second(item))]}


def _list(value: Value | None) -> list[Value]:
    if value is None or "L" not in value:
        raise invalid("An operand in the update expression has an incorrect data type")
    return value["L"]


def _added(left: Value | None, right: Value | None, sign: str) -> Value:
    if left is None or right is None:
        raise invalid("The provided expression refers to an attribute that does not exist in the item")
    if "N" not in left or "N" not in right:
        raise invalid("An operand in the update expression has an incorrect data type")
    a, b = comparable(left), comparable(right)
    return {"N": str(EXACT.add(a, b) if sign == "+" else EXACT.subtract(a, b))}


def _sum(old: Value | None, value: Value) -> Value:
    if old is None:
        return copy.deepcopy(value)
    if kind_of(old) != kind_of(value):
        raise invalid("An operand in the update expression has an incorrect data type")
    if "N" in value:
        return _added(old, value, "+")
    kind = kind_of(value)
    return {kind: [*old[kind], *(element for element in value[kind] if element not in old[kind])]}


def _drop(item: Item, path: Path, old: Value | None, value: Value) -> None:
    if old is None:
        return
    kind = kind_of(value)
    if kind_of(old) != kind:
        raise invalid("An operand in the update expression has an incorrect data type")
    left = [element for element in old[kind] if element not in value[kind]]
    if left:
        _store(item, path, {kind: left})
    else:
        _remove(item, path)


def _holder(item: Item, path: Path) -> Any:
    """The dict or list that holds the last step of a path, or None."""
    if len(path) == 1:
        return item
    parent = found_at(item, path[:-1])
    return None if parent is None else parent.get("L" if isinstance(path[-1], int) else "M")


def _store(item: Item, path: Path, value: Value) -> None:
    holder = _holder(item, path)
    if holder is None:
        raise invalid("The document path provided in the update expression is invalid for update")
    if isinstance(holder, list) and path[-1] >= len(holder):
        holder.append(value)
    else:
        holder[path[-1]] = value


def _remove(item: Item, path: Path) -> None:
    holder = _holder(item, path)
    if isinstance(holder, list) and path[-1] < len(holder):
        del holder[path[-1]]
    elif isinstance(holder, dict):
        holder.pop(path[-1], None)
