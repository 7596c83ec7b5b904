"""CloudWatch Logs: streams of lines, read by pages whose tokens never end."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from aws import protocols
from aws.problem import Problem
from aws.service import Caller, Service, operation
from aws.shapes import boolean, integer, structure, text

PAGE_BYTES = 1_048_576


@dataclass
class Group:
    streams: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


class Logs(Service):
    """`write` adds a line and makes what it needs; a stream exists from its first line on."""

    name = "logs"
    signing_name = "logs"
    protocol = protocols.Json("1.1", "Logs_20140328")
    broken_code = "InvalidParameterException"

    def __init__(self, aws):
        super().__init__(aws)
        self.groups: dict[str, Group] = {}
        self.page_events = 10_000

    def create_group(self, name: str) -> None:
        self.groups.setdefault(name, Group())

    def write(self, group: str, stream: str, message: str) -> None:
        now = int(self.aws.clock() * 1000)
        event = {"timestamp": now, "message": message, "ingestionTime": now + 1}
        with self.guard:
            self.groups.setdefault(group, Group()).streams.setdefault(stream, []).append(event)

    @operation(
        "GetLogEvents",
        structure(
            {"logStreamName": text(1, 512, r"[^:*]*")},
            {
                "logGroupName": text(1, 512, r"[.\-_/#A-Za-z0-9]+"), "logGroupIdentifier": text(1, 2048),
                "startTime": integer(0), "endTime": integer(0), "nextToken": text(1), "limit": integer(1, 10_000),
                "startFromHead": boolean(), "unmask": boolean(),
            },
        ),
    )  # fmt: skip
    def get_log_events(self, request: dict, caller: Caller) -> dict:
        if ("logGroupName" in request) == ("logGroupIdentifier" in request):
            raise Problem("InvalidParameterException", "Exactly one of logGroupName and logGroupIdentifier must be given.")
        name = request.get("logGroupName") or request["logGroupIdentifier"].rpartition("log-group:")[2]
        with self.guard:
            if name not in self.groups:
                raise Problem("ResourceNotFoundException", "The specified log group does not exist.")
            if request["logStreamName"] not in self.groups[name].streams:
                raise Problem("ResourceNotFoundException", "The specified log stream does not exist.")
            events = list(self.groups[name].streams[request["logStreamName"]])
        first, end = request.get("startTime", 0), request.get("endTime", 1 << 62)
        events = [event for event in events if first <= event["timestamp"] < end]
        begin, stop = self.limits(request, len(events), min(request.get("limit", 10_000), self.page_events))
        page, size = [], 0
        for event in events[begin:stop]:
            size += len(event["message"].encode()) + 26
            if page and size > PAGE_BYTES:
                stop = begin + len(page)
                break
            page.append(event)
        return {
            "events": page,
            "nextForwardToken": f"f/{stop:056d}/s",
            "nextBackwardToken": f"b/{begin:056d}/s",
        }

    def limits(self, request: dict, count: int, room: int) -> tuple[int, int]:
        """From where to where a page goes."""
        token = request.get("nextToken")
        if token is None:
            if request.get("startFromHead"):
                return 0, min(room, count)
            return max(0, count - room), count
        match = re.fullmatch(r"([fb])/(\d{56})/s", token)
        if match is None:
            raise Problem("InvalidParameterException", "The specified nextToken is invalid.")
        at = min(int(match[2]), count)
        if match[1] == "f":
            if not request.get("startFromHead"):
                raise Problem("InvalidParameterException", "A forward token needs startFromHead.")
            return at, min(at + room, count)
        return max(0, at - room), at
