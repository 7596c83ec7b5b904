"""Which request gets which fault: by its text, by a script or by seeded chance."""

from __future__ import annotations

import math
import random
import threading
from collections import deque
from dataclasses import dataclass, field

from calls import Call
from faults import FAULTS, Fault


@dataclass(frozen=True)
class Plan:
    """What happens to one request: nothing, or a fault for each of some stages."""

    name: str = "ok"
    stages: dict[str, Fault] = field(default_factory=dict)

    @property
    def paid(self) -> bool:
        """Whether a good answer is computed and tried to be sent."""
        return all(fault.paid for fault in self.stages.values())


def read_plan(name: str) -> Plan:
    """Reads "ok", "short" or "slow+short"."""
    if name == "ok":
        return Plan()
    stages: dict[str, Fault] = {}
    for part in name.split("+"):
        found = FAULTS.get(part)
        if found is None:
            raise ValueError(f'there is no fault "{part}"')
        if found.stage in stages:
            raise ValueError(f'"{name}" has two faults of the stage "{found.stage}"')
        stages[found.stage] = found
    return Plan(name, stages)


def read_chances(text: str) -> list[tuple[Plan, float]]:
    """Reads "throttle=0.3,slow+short=0.05"."""
    chances = []
    for word in filter(None, (word.strip() for word in text.split(","))):
        name, _, chance = word.partition("=")
        chances.append((read_plan(name), float(chance)))
    if any(chance < 0 for _, chance in chances) or sum(chance for _, chance in chances) > 1 + 1e-9:
        raise ValueError(f'chances must be 0 to 1 and at most 1 together: "{text}"')
    return chances


def read_script(text: str) -> list[tuple[Plan, float]]:
    """Reads "ok*3,throttle,unauthorized*": plans and how often; a bare star is for ever."""
    steps = []
    for word in filter(None, (word.strip() for word in text.split(","))):
        name, star, times = word.partition("*")
        steps.append((read_plan(name), float(times) if times else math.inf if star else 1))
    return steps


def read_poison(given: dict[str, str]) -> dict[str, Plan]:
    """Texts that contain the key meet the fault, every time."""
    return {marker: read_plan(name) for marker, name in given.items()}


class Fate:
    """Decides about each request: poison first, then the script, then chance."""

    def __init__(self, script: str, chances: str, poison: dict[str, str], seed: int | str | None):
        self._script = deque(read_script(script))
        self._chances = read_chances(chances)
        self._poison = read_poison(poison)
        self._random = random.Random(seed)
        self._guard = threading.Lock()

    def of(self, call: Call) -> Plan:
        """The n-th request gets the n-th draw, whichever thread it comes from."""
        for marker, plan in self._poison.items():
            if any(marker in text for text in call.texts):
                return plan
        with self._guard:
            return self._next_step() or self._draw()

    def _next_step(self) -> Plan | None:
        while self._script:
            plan, times = self._script.popleft()
            if times >= 1:
                self._script.appendleft((plan, times - 1))
                return plan
        return None

    def _draw(self) -> Plan:
        if not self._chances:
            return Plan()
        ball = self._random.random()
        for plan, chance in self._chances:
            ball -= chance
            if ball < 0:
                return plan
        return Plan()
