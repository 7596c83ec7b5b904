"""What was asked, what was answered and what it cost.

A call is entered before its answer is sent, so a client that has its answer
finds itself in the account.  Every call is also a line in a file, if wanted:

    {"event": "call", "n": 1, "time": …, "connection": 51234, "status": 200, "outcome": "ok",
     "texts": 2, "sha256": […], "tokens": 9, "computed": true, "billed": true}
    {"event": "undelivered", "n": 1}      when not all bytes could be handed over

`billed`: a good answer was computed and sent, or tried to be sent; cut in the
middle, or lost behind a gateway, it is paid but lost.  `computed` without `billed`: the answer was bad.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections import Counter
from typing import TextIO

from calls import Call
from ratelimit import peak


class Account:
    """Safe to use from many threads."""

    def __init__(self, log_file: str | None = None):
        self._guard = threading.Lock()
        self._file: TextIO | None = open(log_file, "a", encoding="utf-8") if log_file else None
        self._in_flight = 0
        self.clear()

    def clear(self) -> None:
        """Forgets everything but the calls that are under way."""
        with self._guard:
            self._entries: list[dict] = []
            self._times_billed: Counter[str] = Counter()
            self._max_in_flight = self._in_flight

    def close(self) -> None:
        with self._guard:
            if self._file is not None:
                self._file.close()
                self._file = None

    def begin(self) -> None:
        """A call has come in."""
        with self._guard:
            self._in_flight += 1
            self._max_in_flight = max(self._max_in_flight, self._in_flight)

    def end(self) -> None:
        """A call is about to be answered."""
        with self._guard:
            self._in_flight -= 1

    def in_flight(self) -> int:
        """Calls that have come in and are not answered."""
        with self._guard:
            return self._in_flight

    def enter(
        self,
        outcome: str,
        status: int,
        call: Call | None = None,
        computed: bool = False,
        billed: bool = False,
        arrived: float | None = None,
        **more,
    ) -> dict:
        """Notes a call.  Status 0: no status was sent."""
        hashes = [] if call is None or call.rules.cheap else [sha256(text) for text in call.texts]
        entry = {
            "event": "call",
            "n": 0,
            "time": time.time() if arrived is None else arrived,
            "outcome": outcome,
            "status": status,
            "texts": len(call.texts) if call else 0,
            "tokens": call.tokens if call else 0,
            "computed": computed,
            "billed": billed,
            **more,
            "sha256": hashes,
        }
        with self._guard:
            entry["n"] = len(self._entries) + 1
            self._entries.append(entry)
            if billed:
                self._times_billed.update(hashes)
            self._write(entry)
        return entry

    def undelivered(self, entry: dict) -> None:
        """Not all of the answer could be handed to the kernel."""
        with self._guard:
            entry["undelivered"] = True
            self._write({"event": "undelivered", "n": entry["n"]})

    def entries(self, since: int = 0) -> list[dict]:
        """The calls after number `since`, in the order they were answered."""
        with self._guard:
            return [dict(entry) for entry in self._entries[since:]]

    def times_billed(self) -> dict[str, int]:
        """How often each text, by its SHA-256, was paid for."""
        with self._guard:
            return dict(self._times_billed)

    def stats(self, window_s: float = 60.0) -> dict:
        """Everything in figures.  The peaks are those of any window of `window_s`."""
        entries = self.entries()
        times_billed = self.times_billed()
        billed = [entry for entry in entries if entry["billed"]]
        spoiled = [entry for entry in entries if entry["computed"] and not entry["billed"]]
        asked = [entry for entry in entries if entry["texts"]]
        return {
            "calls": len(entries),
            "outcomes": dict(Counter(entry["outcome"] for entry in entries)),
            "statuses": dict(Counter(str(entry["status"]) for entry in entries)),
            "texts_billed": sum(entry["texts"] for entry in billed),
            "tokens_billed": sum(entry["tokens"] for entry in billed),
            "distinct_texts_billed": len(times_billed),
            "texts_billed_again": sum(times > 1 for times in times_billed.values()),
            "tokens_spoiled": sum(entry["tokens"] for entry in spoiled),
            "undelivered": sum("undelivered" in entry for entry in entries),
            "max_in_flight": self._max_in_flight,
            "rate_limited": sum(entry["outcome"] == "rate-limit" for entry in entries),
            "peak_requests": int(peak(((entry["time"], 1) for entry in asked), window_s)),
            "peak_tokens": int(peak(((e["time"], e["tokens"]) for e in asked), window_s)),
        }

    def _write(self, event: dict) -> None:
        if self._file is not None:
            self._file.write(json.dumps(event) + "\n")
            self._file.flush()


def sha256(text: str) -> str:
    """The name of a text in the account."""
    return hashlib.sha256(text.encode()).hexdigest()
