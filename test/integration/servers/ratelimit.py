"""Limits of requests and tokens per minute, enforced and remembered.

The default is the continuously refilled bucket that OpenAI's own messages
reveal: "Limit 1000000, Used 976163, Requested 70716. Please try again in
2.812s" (VectorInstitute/health-rec issue 103) is exactly
(976163 + 70716 - 1000000) / 1000000 of a minute, and "Limit 3, Used 3,
Requested 1. Please try again in 20s" (Elliott-Chong/chatpdf-yt issue 39) is a
third of one.  A client that starts after a rest may therefore use up to twice
its limit within one minute.

A bucket may hold less than a minute's worth: "limits can be enforced over
shorter periods, for example 1 request per second for a 60 RPM limit"
(help.openai.com article 5955604).  The same article says that "unsuccessful
requests contribute to your per-minute limit"; that is an option here.

The other kind is a sliding window: never more than the limit in any minute.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

Clock = Callable[[], float]


class TokenBucket:
    """Fills at `limit` per `window_s` and holds at most `capacity`."""

    def __init__(self, limit: float, window_s: float, burst_s: float | None, clock: Clock):
        self.limit = limit
        self._per_second = limit / window_s
        self.capacity = limit if burst_s is None else max(1.0, self._per_second * burst_s)
        self._level = self.capacity
        self._clock = clock
        self._filled_at = clock()

    def wait_for(self, amount: float) -> float:
        """Seconds until the amount fits: 0 when it does, infinity when it never will."""
        self._fill()
        if amount > self.capacity:
            return math.inf
        return max(0.0, (amount - self._level) / self._per_second)

    def take(self, amount: float) -> None:
        """Uses up the amount, or what is left."""
        self._fill()
        self._level = max(0.0, self._level - amount)

    def remaining(self) -> int:
        self._fill()
        return int(self._level)

    def reset_s(self) -> float:
        """Seconds until nothing is remembered any more."""
        self._fill()
        return (self.capacity - self._level) / self._per_second

    def _fill(self) -> None:
        now = self._clock()
        self._level = min(self.capacity, self._level + (now - self._filled_at) * self._per_second)
        self._filled_at = now


class SlidingWindow:
    """Lets at most `limit` through in any `window_s`."""

    def __init__(self, limit: float, window_s: float, clock: Clock):
        self.limit = limit
        self.capacity = limit
        self._window_s = window_s
        self._clock = clock
        self._taken: deque[tuple[float, float]] = deque()
        self._sum = 0.0

    def wait_for(self, amount: float) -> float:
        """Seconds until the amount fits: 0 when it does, infinity when it never will."""
        self._forget()
        if amount > self.limit:
            return math.inf
        now = wait_until = self._clock()
        surplus = self._sum + amount - self.limit
        for taken_at, taken in self._taken:
            if surplus <= 0:
                break
            surplus -= taken
            wait_until = taken_at + self._window_s
        return wait_until - now

    def take(self, amount: float) -> None:
        """Uses up the amount, or what is left."""
        self._forget()
        amount = min(amount, self.limit - self._sum)
        self._taken.append((self._clock(), amount))
        self._sum += amount

    def remaining(self) -> int:
        self._forget()
        return int(self.limit - self._sum)

    def reset_s(self) -> float:
        """Seconds until nothing is remembered any more."""
        self._forget()
        if not self._taken:
            return 0.0
        return self._taken[-1][0] + self._window_s - self._clock()

    def _forget(self) -> None:
        horizon = self._clock() - self._window_s
        while self._taken and self._taken[0][0] <= horizon:
            self._sum -= self._taken.popleft()[1]


@dataclass(frozen=True)
class Excess:
    """Why a request must wait."""

    kind: str  # "requests" or "tokens"
    limit: int
    used: int
    requested: int
    wait_s: float  # infinity: too large for ever


class RateLimit:
    """A limit of requests, of tokens, of both or of none."""

    def __init__(
        self,
        requests: float | None = None,
        tokens: float | None = None,
        window_s: float = 60.0,
        burst_s: float | None = None,
        sliding: bool = False,
        charge_refusals: bool = False,
        clock: Clock = time.monotonic,
    ):
        def meter(limit: float | None):
            if limit is None:
                return None
            if sliding:
                return SlidingWindow(limit, window_s, clock)
            return TokenBucket(limit, window_s, burst_s, clock)

        meters = {"requests": meter(requests), "tokens": meter(tokens)}
        self._meters = {kind: meter for kind, meter in meters.items() if meter is not None}
        self._charge_refusals = charge_refusals
        self._guard = threading.Lock()

    def admit(self, tokens: int) -> Excess | None:
        """Takes one request and its tokens, or takes nothing and says why."""
        amounts = {"requests": 1, "tokens": tokens}
        with self._guard:
            for kind, meter in self._meters.items():
                wait_s = meter.wait_for(amounts[kind])
                if wait_s > 0:
                    excess = self._excess(kind, amounts[kind], wait_s)
                    self._charge_refusal()
                    return excess
            for kind, meter in self._meters.items():
                meter.take(amounts[kind])
            return None

    def headers(self) -> dict[str, str]:
        """The x-ratelimit headers of OpenAI's rate limit guide."""
        with self._guard:
            found = {}
            for kind, meter in self._meters.items():
                found[f"x-ratelimit-limit-{kind}"] = str(int(meter.limit))
                found[f"x-ratelimit-remaining-{kind}"] = str(meter.remaining())
                found[f"x-ratelimit-reset-{kind}"] = duration(meter.reset_s())
            return found

    def _excess(self, kind: str, requested: int, wait_s: float) -> Excess:
        meter = self._meters[kind]
        used = int(meter.capacity) - meter.remaining()
        return Excess(kind, int(meter.limit), used, requested, wait_s)

    def _charge_refusal(self) -> None:
        if self._charge_refusals and "requests" in self._meters:
            self._meters["requests"].take(1)


def duration(seconds: float) -> str:
    """Seconds as OpenAI writes them: "12ms", "1s", "2.812s", "6m0s"."""
    milliseconds = math.ceil(seconds * 1000 - 1e-6)
    if milliseconds < 1000:
        return f"{milliseconds}ms" if milliseconds else "0s"
    minutes, rest = divmod(milliseconds, 60_000)
    words = f"{rest / 1000:.3f}".rstrip("0").rstrip(".") + "s"
    return f"{minutes}m{words}" if minutes else words


def peak(events: Iterable[tuple[float, float]], window_s: float) -> float:
    """The largest sum of amounts within any window; events are (time, amount)."""
    inside: deque[tuple[float, float]] = deque()
    total = highest = 0.0
    for moment, amount in sorted(events):
        inside.append((moment, amount))
        total += amount
        while inside[0][0] <= moment - window_s:
            total -= inside.popleft()[1]
        highest = max(highest, total)
    return highest
