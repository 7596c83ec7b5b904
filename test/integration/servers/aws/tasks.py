"""The life of an ECS task, and what its container gets to see.

    aws.ecs.runner = lambda run: subprocess.Popen([...], env={**run.environment_for_process()})
    aws.ecs.next_tasks(Ending(exit_code=None, stop_code="TaskFailedToStart", reason="CannotPullContainerError"))

A task goes through all the states that the real ones go through, `pace_s` seconds
in each, on a thread of its own.  While it is RUNNING its container runs: the
runner is called with a TaskRun and answers with an exit code, None when the
container was lost without one, a process whose end is awaited, or an Ending.
"""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aws.ecs import Ecs

BEFORE_RUNNING = ("PROVISIONING", "PENDING", "ACTIVATING")
AFTER_RUNNING = ("DEACTIVATING", "STOPPING", "DEPROVISIONING", "STOPPED")


@dataclass(frozen=True)
class Ending:
    """How a task ends.  An exit code of None is absent from what DescribeTasks says."""

    exit_code: int | None = 0
    stop_code: str = "EssentialContainerExited"
    reason: str = "Essential container in task exited"
    container_reason: str | None = None

    @property
    def never_ran(self) -> bool:
        return self.stop_code == "TaskFailedToStart"


SPOT = Ending(143, "SpotInterruption", "Your Spot Task was interrupted.")
Runner = Callable[["TaskRun"], "int | None | Ending | subprocess.Popen"]


@dataclass(frozen=True)
class TaskRun:
    """What the container knows: its command, its environment, and when it shall stop."""

    task: Task
    container: str
    command: list[str]
    environment: dict[str, str]
    stop_requested: threading.Event
    log: Callable[[str], None]
    service_settings: Mapping[str, str]

    @property
    def task_id(self) -> str:
        return self.task.id

    def environment_for_process(self) -> dict[str, str]:
        """The container's environment and what ECS itself adds: credentials, region, metadata."""
        return {**self.service_settings, **self.environment}


@dataclass
class Task:
    """One task, as DescribeTasks shows it."""

    id: str
    arn: str
    cluster_arn: str
    definition: dict[str, Any]
    request: dict[str, Any]
    created: float
    vcpu: float
    status: str = BEFORE_RUNNING[0]
    desired: str = "RUNNING"
    started: float | None = None
    stopping: float | None = None
    stopped: float | None = None
    ending: Ending | None = None
    tags: list[dict[str, str]] = field(default_factory=list)
    stop_requested: threading.Event = field(default_factory=threading.Event)
    asked_to_end: Ending | None = None

    @property
    def is_over(self) -> bool:
        return self.status == "STOPPED"

    @property
    def essential(self) -> dict[str, Any]:
        """The container that counts."""
        containers = self.definition["containerDefinitions"]
        return next((one for one in containers if one.get("essential", True)), containers[0])

    def override_of(self, name: str) -> dict[str, Any]:
        overrides = self.request.get("overrides", {}).get("containerOverrides", [])
        return next((one for one in overrides if one["name"] == name), {})

    def environment(self) -> dict[str, str]:
        """The definition's variables, then the override's."""
        name = self.essential["name"]
        pairs = [*self.essential.get("environment", []), *self.override_of(name).get("environment", [])]
        return {pair["name"]: pair["value"] for pair in pairs}

    def command(self) -> list[str]:
        given = self.override_of(self.essential["name"]).get("command")
        return list(self.essential.get("command", []) if given is None else given)

    def described(self, with_tags: bool) -> dict[str, Any]:
        """As DescribeTasks says it; what is not known yet is absent."""
        request = self.request
        shown: dict[str, Any] = {
            "taskArn": self.arn,
            "clusterArn": self.cluster_arn,
            "taskDefinitionArn": self.definition["taskDefinitionArn"],
            "overrides": request.get("overrides", {"containerOverrides": []}),
            "lastStatus": self.status,
            "desiredStatus": self.desired,
            "cpu": self.definition.get("cpu"),
            "memory": self.definition.get("memory"),
            "containers": [self._container(one) for one in self.definition["containerDefinitions"]],
            "startedBy": request.get("startedBy"),
            "group": request.get("group", f"family:{self.definition['family']}"),
            "createdAt": self.created,
            "startedAt": self.started,
            "stoppingAt": self.stopping,
            "stoppedAt": self.stopped,
            "launchType": "FARGATE",
            "capacityProviderName": self.provider,
            "platformVersion": "1.4.0",
            "healthStatus": "UNKNOWN",
            "availabilityZone": "eu-west-1a",
            "attachments": [],
            "tags": self.tags if with_tags else None,
            "version": 1,
        }
        if self.ending is not None:
            shown |= {"stopCode": self.ending.stop_code, "stoppedReason": self.ending.reason}
        return {name: value for name, value in shown.items() if value is not None}

    @property
    def provider(self) -> str | None:
        strategy = self.request.get("capacityProviderStrategy") or [{}]
        return strategy[0].get("capacityProvider")

    def _container(self, definition: dict[str, Any]) -> dict[str, Any]:
        last = {"RUNNING": "RUNNING", "STOPPED": "STOPPED"}.get(self.status, "PENDING")
        if self.ending is not None:
            last = "STOPPED"
        shown: dict[str, Any] = {
            "containerArn": f"{self.arn.replace(':task/', ':container/')}/1",
            "taskArn": self.arn,
            "name": definition["name"],
            "image": definition["image"],
            "lastStatus": last,
            "networkInterfaces": [],
            "healthStatus": "UNKNOWN",
        }
        if self.ending is not None and definition is self.essential:
            shown |= {"exitCode": self.ending.exit_code, "reason": self.ending.container_reason}
        return {name: value for name, value in shown.items() if value is not None}


class Life:
    """Leads one task from PROVISIONING to STOPPED."""

    def __init__(self, ecs: Ecs, task: Task, planned: Ending | None):
        self.ecs = ecs
        self.task = task
        self.planned = planned

    def start(self) -> None:
        threading.Thread(target=self.run, name=self.task.id, daemon=True).start()

    def run(self) -> None:
        for status in BEFORE_RUNNING:
            self._enter(status)
            if self._told_within(self.ecs.pace_s):
                return self._end(self._asked(exit_code=None))
            if status == "PENDING" and self.planned is not None and self.planned.never_ran:
                return self._end(self.planned)
        self.task.started = self.ecs.aws.clock()
        self._enter("RUNNING")
        try:
            ending = self._run_container()
        except Exception as error:  # a bug of the test's runner, which must not go unseen
            self.ecs.aws.errors.append(f"runner: {error!r}")
            ending = Ending(1, container_reason=repr(error))
        self._end(ending)

    def _run_container(self) -> Ending:
        if self.planned is not None:
            self._told_within(self.ecs.run_s)
            return self._asked(self.planned.exit_code) if self.task.asked_to_end else self.planned
        if self.ecs.runner is None:
            told = self._told_within(self.ecs.run_s)
            return self._asked(143) if told else Ending(0)
        answer = self.ecs.runner(self.ecs.run_of(self.task))
        if isinstance(answer, subprocess.Popen):
            answer = self._awaited(answer)
        if self.task.asked_to_end is not None:
            return self._asked(answer.exit_code if isinstance(answer, Ending) else answer)
        return answer if isinstance(answer, Ending) else Ending(answer)

    def _awaited(self, process: subprocess.Popen) -> int:
        """The exit status of a process, which is asked to end when the task is, and killed later."""
        while process.poll() is None:
            if self._told_within(0.02):
                process.terminate()
                try:
                    process.wait(self.ecs.stop_timeout_s)
                except subprocess.TimeoutExpired:
                    process.kill()
                break
        status = process.wait()
        return 128 - status if status < 0 else status

    def _told_within(self, seconds: float) -> bool:
        """Whether the task shall end, by a request or because the server stops."""
        return self.task.stop_requested.wait(seconds) or self.ecs.aws.stopping.is_set()

    def _asked(self, exit_code: int | None) -> Ending:
        asked = self.task.asked_to_end or Ending(None, "TerminationNotice", "The server stops")
        return Ending(exit_code, asked.stop_code, asked.reason)

    def _enter(self, status: str) -> None:
        with self.ecs.guard:
            self.task.status = status

    def _end(self, ending: Ending) -> None:
        with self.ecs.guard:
            self.task.ending = ending
            self.task.desired = "STOPPED"
            self.task.stopping = self.ecs.aws.clock()
        for status in AFTER_RUNNING:
            with self.ecs.guard:
                self.task.status = status
                if status == "STOPPED":
                    self.task.stopped = self.ecs.aws.clock()
                    self.ecs.changed.notify_all()
            if status != "STOPPED":
                self.ecs.aws.stopping.wait(self.ecs.pace_s)
