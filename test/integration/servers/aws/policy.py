"""Whether the policy of an assumed role's session allows a call.

A session may do only what the policy given to AssumeRole allows.  Known here are
Effect, Action, Resource and the condition on dynamodb:LeadingKeys; a policy with
anything else is refused when the role is assumed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any

STATEMENT_MEMBERS = {"Sid", "Effect", "Action", "Resource", "Condition"}


class BadPolicy(Exception):
    """A policy document that says nothing this fake understands."""


def read_policy(text: str) -> list[dict[str, Any]]:
    """The statements, or BadPolicy."""
    try:
        document = json.loads(text)
        statements = _list(document["Statement"])
    except (ValueError, KeyError, TypeError):
        raise BadPolicy("This policy contains invalid Json") from None
    if document.get("Version") not in ("2012-10-17", "2008-10-17", None):
        raise BadPolicy("The policy's version is not known")
    for statement in statements:
        if not isinstance(statement, dict) or set(statement) - STATEMENT_MEMBERS:
            raise BadPolicy("Syntax errors in policy.")
        if statement.get("Effect") not in ("Allow", "Deny") or not {"Action", "Resource"} <= set(statement):
            raise BadPolicy("Syntax errors in policy.")
    return statements


def allows(policy: str | None, action: str, resource: str, leading_keys: Iterable[str] = ()) -> bool:
    """Whether a session with this policy may do that; without a policy it may."""
    if policy is None:
        return True
    effects = {
        statement["Effect"]
        for statement in read_policy(policy)
        if _matches(statement["Action"], action, str.lower)
        and _matches(statement["Resource"], resource)
        and _condition_holds(statement.get("Condition", {}), list(leading_keys))
    }
    return effects == {"Allow"}


def _condition_holds(condition: dict[str, Any], leading_keys: list[str]) -> bool:
    for operator, wanted in condition.items():
        patterns = wanted.get("dynamodb:LeadingKeys") if isinstance(wanted, dict) else None
        if operator not in ("ForAllValues:StringLike", "ForAllValues:StringEquals") or patterns is None:
            return False
        if not all(_matches(patterns, key) for key in leading_keys):
            return False
    return True


def _matches(patterns: Any, value: str, fold=str) -> bool:
    escaped = [fold(pattern).replace("[", "[[]") for pattern in _list(patterns)]
    return any(fnmatchcase(fold(value), pattern) for pattern in escaped)


def _list(value: Any) -> list:
    return value if isinstance(value, list) else [value]
