"""points.py - the fault points by who passes them; together they are all that the program knows."""

APPLY = ["after-plan", "after-intent", "after-launch", "before-ledger-done", "inside-index"]
WORKER = ["after-reserve", "after-embed", "after-stage", "before-replace", "inside-replace", "after-replace"]
COPY = ["before-part", "inside-part", "after-part", "after-parts", "inside-forget"]
DEFINITIONS = ["inside-definitions", "after-definitions", "inside-definition"]
