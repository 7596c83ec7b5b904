"""ECS: clusters, task definitions, and tasks that may really run (tasks.py)."""

from __future__ import annotations

import json
import secrets
import threading
from dataclasses import dataclass, field
from typing import Any

from aws import protocols
from aws.problem import Problem
from aws.service import Caller, Service, operation
from aws.shapes import Shape, anything, boolean, integer, list_of, mapping, structure, text
from aws.tasks import SPOT, Ending, Life, Runner, Task, TaskRun

NAME = text(1, 255)
PAIRS = list_of(structure({"name": text(1), "value": text()}))
TAGS = list_of(structure({"key": text(1, 128), "value": text(0, 256)}), 0, 50)
TOKEN = text(1, 64, r"[\x21-\x7e]+")
MAX_OVERRIDES = 8192
CAPACITY = "Capacity is unavailable at this time. Please try again later or in a different availability zone"
VCPU_LIMIT = "You\u2019ve reached the limit on the number of vCPUs you can run concurrently"

CONTAINER_OVERRIDE = structure(
    {"name": text(1)},
    {
        "command": list_of(text()), "environment": PAIRS, "cpu": integer(0), "memory": integer(4),
        "memoryReservation": integer(4), "environmentFiles": list_of(anything()), "resourceRequirements": list_of(anything()),
    },
)  # fmt: skip
OVERRIDES = structure(
    {},
    {
        "containerOverrides": list_of(CONTAINER_OVERRIDE), "cpu": text(1), "memory": text(1), "taskRoleArn": text(1),
        "executionRoleArn": text(1), "ephemeralStorage": structure({"sizeInGiB": integer(21, 200)}),
    },
)  # fmt: skip
STRATEGY = list_of(
    structure({"capacityProvider": text(1)}, {"weight": integer(0, 1000), "base": integer(0, 100_000)}), 1, 20
)
VPC = structure(
    {"subnets": list_of(text(1), 1, 16)},
    {"securityGroups": list_of(text(1), 0, 5), "assignPublicIp": text(among="ENABLED DISABLED")},
)
RUN_TASK = structure(
    {"taskDefinition": text(1)},
    {
        "cluster": NAME, "count": integer(), "launchType": text(among="EC2 FARGATE EXTERNAL MANAGED_INSTANCES"),
        "capacityProviderStrategy": STRATEGY, "networkConfiguration": structure({}, {"awsvpcConfiguration": VPC}),
        "overrides": OVERRIDES, "startedBy": text(0, 128, r"[A-Za-z0-9_/-]*"), "group": text(1), "tags": TAGS,
        "propagateTags": text(among="TASK_DEFINITION NONE"), "platformVersion": text(1),
        "enableExecuteCommand": boolean(), "enableECSManagedTags": boolean(), "clientToken": TOKEN, "referenceId": text(),
    },
)  # fmt: skip
CONTAINER: dict[str, Shape] = {
    name: anything()
    for name in (
        "cpu memory memoryReservation links portMappings essential entryPoint command environmentFiles mountPoints "
        "volumesFrom linuxParameters secrets dependsOn startTimeout stopTimeout hostname user workingDirectory "
        "disableNetworking privileged readonlyRootFilesystem dnsServers dnsSearchDomains extraHosts "
        "dockerSecurityOptions interactive pseudoTerminal dockerLabels ulimits logConfiguration healthCheck "
        "systemControls resourceRequirements firelensConfiguration credentialSpecs repositoryCredentials "
        "restartPolicy versionConsistency"
    ).split()
}
REGISTER = structure(
    {
        "family": text(1, 255, r"[A-Za-z0-9_-]+"),
        "containerDefinitions": list_of(
            structure({"name": text(1, 255), "image": text(1)}, {**CONTAINER, "environment": PAIRS}), 1, 10
        ),
    },
    {
        "taskRoleArn": text(), "executionRoleArn": text(), "networkMode": text(among="bridge host awsvpc none"),
        "volumes": list_of(anything()), "placementConstraints": list_of(anything(), 0, 10),
        "requiresCompatibilities": list_of(text(among="EC2 FARGATE EXTERNAL MANAGED_INSTANCES")), "cpu": text(1),
        "memory": text(1), "tags": TAGS, "pidMode": text(), "ipcMode": text(), "proxyConfiguration": anything(),
        "inferenceAccelerators": list_of(anything()), "ephemeralStorage": structure({"sizeInGiB": integer(21, 200)}),
        "runtimePlatform": mapping(text()), "enableFaultInjection": boolean(),
    },
)  # fmt: skip
DAY_S, HOUR_S = 86400, 3600


@dataclass
class Cluster:
    name: str
    arn: str
    status: str = "ACTIVE"
    providers: list[str] = field(default_factory=lambda: ["FARGATE", "FARGATE_SPOT"])
    default_strategy: list[dict[str, Any]] = field(default_factory=list)
    tasks: dict[str, Task] = field(default_factory=dict)
    tokens: dict[str, Launch] = field(default_factory=dict)


@dataclass
class Launch:
    """What was answered to a client token."""

    request: dict[str, Any]
    tasks: list[Task]
    failures: list[dict[str, str]]
    at: float


class Ecs(Service):
    """`create_cluster`, `register` and `runner` prepare it; `fail_launches`, `next_tasks`, `interrupt` trouble it."""

    name = "ecs"
    signing_name = "ecs"
    protocol = protocols.Json("1.1", "AmazonEC2ContainerServiceV20141113")
    broken_code = "InvalidParameterException"

    def __init__(self, aws):
        super().__init__(aws)
        self.clusters: dict[str, Cluster] = {}
        self.definitions: dict[str, list[dict[str, Any]]] = {}
        self.subnets: set[str] | None = None  # None: any is fine
        self.security_groups: set[str] | None = None
        self.runner: Runner | None = None
        self.pace_s = 0.0  # in each state before and after RUNNING
        self.run_s = 0.0  # RUNNING without a runner
        self.stop_timeout_s = 30.0  # from SIGTERM to SIGKILL
        self.visible_after_s = 0.0  # until then, DescribeTasks says MISSING
        self.stopped_visible_s = float(HOUR_S)  # and MISSING again so long after the end
        self.vcpu_limit: float | None = None
        self.vcpu_limit_as_error = False  # else as a failure in a good answer
        self.changed = threading.Condition(self.guard)
        self._failures: list[dict[str, str]] = []
        self._planned: list[Ending] = []

    # --- for tests ---

    def create_cluster(self, name: str) -> Cluster:
        self.clusters[name] = Cluster(name, self.arn(f"cluster/{name}"))
        return self.clusters[name]

    def register(self, family: str, container: str = "Container", image: str = "image:1", **members: Any) -> dict[str, Any]:
        """A task definition as the application's stack has it; members of the container are `container_…`."""
        own = {name[10:]: value for name, value in members.items() if name.startswith("container_")}
        rest = {name: value for name, value in members.items() if not name.startswith("container_")}
        definition = {
            "family": family, "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"], "cpu": "2048",
            "memory": "4096", "containerDefinitions": [{"name": container, "image": image, "essential": True, **own}],
            **rest,
        }  # fmt: skip
        return self._register(definition)

    def fail_launches(self, reason: str = CAPACITY, times: int = 1, detail: str | None = None) -> None:
        """The next RunTask calls answer 200 with a failure for each task."""
        failure = {"reason": reason} if detail is None else {"reason": reason, "detail": detail}
        with self.guard:
            self._failures += [failure] * times

    def next_tasks(self, ending: Ending, times: int = 1) -> None:
        """The next tasks end like this, without running anything."""
        with self.guard:
            self._planned += [ending] * times

    def interrupt(self, task: Task) -> None:
        """Spot capacity is taken back: the container gets SIGTERM."""
        self._ask_to_end(task, SPOT)

    def all_tasks(self) -> list[Task]:
        """Every task ever started, in order."""
        with self.guard:
            return [task for cluster in self.clusters.values() for task in cluster.tasks.values()]

    def wait_until_over(self, timeout_s: float = 10) -> bool:
        """Waits for all tasks to be STOPPED."""
        with self.guard:
            return self.changed.wait_for(lambda: all(task.is_over for task in self.all_tasks()), timeout_s)

    # --- task definitions ---

    @operation("RegisterTaskDefinition", REGISTER)
    def register_task_definition(self, request: dict, caller: Caller) -> dict:
        names = [one["name"] for one in request["containerDefinitions"]]
        if len(set(names)) < len(names):
            raise client_error("Container.name should be unique.")
        if "FARGATE" in request.get("requiresCompatibilities", []):
            if request.get("networkMode") != "awsvpc":
                raise client_error("Fargate only supports network mode \u2018awsvpc\u2019.")
            if not request.get("cpu") or not request.get("memory"):
                raise client_error("Fargate requires that 'cpu' be defined at the task level.")
        tags = request.get("tags", [])
        definition = self._register({name: value for name, value in request.items() if name != "tags"})
        definition["_tags"] = tags
        return {"taskDefinition": shown_definition(definition), "tags": tags}

    def _register(self, members: dict[str, Any]) -> dict[str, Any]:
        with self.guard:
            revisions = self.definitions.setdefault(members["family"], [])
            number = len(revisions) + 1
            definition = {
                "compatibilities": ["EC2", "FARGATE"], "volumes": [], "placementConstraints": [], **members,
                "taskDefinitionArn": self.arn(f"task-definition/{members['family']}:{number}"),
                "revision": number, "status": "ACTIVE", "registeredAt": self.aws.clock(),
            }  # fmt: skip
            revisions.append(definition)
        return definition

    @operation("DescribeTaskDefinition", structure({"taskDefinition": text(1)}, {"include": list_of(text(among="TAGS"))}))
    def describe_task_definition(self, request: dict, caller: Caller) -> dict:
        found = self.definition(request["taskDefinition"])
        if found is None:
            raise client_error("Unable to describe task definition.")
        answer = {"taskDefinition": shown_definition(found)}
        return {**answer, "tags": found.get("_tags", [])} if request.get("include") else answer

    @operation("DeregisterTaskDefinition", structure({"taskDefinition": text(1)}))
    def deregister_task_definition(self, request: dict, caller: Caller) -> dict:
        name = request["taskDefinition"].rpartition("/")[2]
        if ":" not in name:
            raise Problem("InvalidParameterException", "The specified task definition must include a revision number.")
        found = self.definition(request["taskDefinition"])
        if found is None:
            raise client_error(
                "The specified task definition does not exist. Specify a valid account, family, revision and try again."
            )
        with self.guard:
            found["status"] = "INACTIVE"
            found["deregisteredAt"] = self.aws.clock()
        return {"taskDefinition": shown_definition(found)}

    def definition(self, name: str) -> dict[str, Any] | None:
        """By family (the latest ACTIVE revision), family:revision, or ARN."""
        if name.startswith("arn:"):
            prefix = self.arn("task-definition/")
            if not name.startswith(prefix):
                return None
            name = name[len(prefix) :]
        family, colon, revision = name.partition(":")
        with self.guard:
            revisions = self.definitions.get(family, [])
            if not colon:
                active = [one for one in revisions if one["status"] == "ACTIVE"]
                return active[-1] if active else None
            return next((one for one in revisions if str(one["revision"]) == revision), None)

    # --- clusters ---

    @operation(
        "DescribeClusters",
        structure(
            {},
            {
                "clusters": list_of(NAME, 0, 100),
                "include": list_of(text(among="ATTACHMENTS CONFIGURATIONS SETTINGS STATISTICS TAGS")),
            },
        ),
    )  # fmt: skip
    def describe_clusters(self, request: dict, caller: Caller) -> dict:
        found, failures = [], []
        for name in request.get("clusters") or ["default"]:
            cluster = self._cluster_or_none(name)
            if cluster is None:
                arn = name if name.startswith("arn:") else self.arn(f"cluster/{name}")
                failures.append({"arn": arn, "reason": "MISSING"})
                continue
            with self.guard:
                statuses = [task.status for task in cluster.tasks.values()]
            found.append(
                {
                    "clusterArn": cluster.arn, "clusterName": cluster.name, "status": cluster.status,
                    "registeredContainerInstancesCount": 0, "activeServicesCount": 0, "statistics": [], "tags": [],
                    "settings": [], "runningTasksCount": statuses.count("RUNNING"),
                    "pendingTasksCount": sum(status in ("PROVISIONING", "PENDING", "ACTIVATING") for status in statuses),
                    "capacityProviders": cluster.providers, "defaultCapacityProviderStrategy": cluster.default_strategy,
                }
            )  # fmt: skip
        return {"clusters": found, "failures": failures}

    def _cluster_or_none(self, name: str) -> Cluster | None:
        cluster = self.clusters.get(name.rpartition("/")[2] if name.startswith("arn:") else name)
        return None if cluster is None or (name.startswith("arn:") and name != cluster.arn) else cluster

    def cluster(self, request: dict) -> Cluster:
        found = self._cluster_or_none(request.get("cluster", "default"))
        if found is None or found.status == "INACTIVE":
            raise Problem("ClusterNotFoundException", "Cluster not found.")
        return found

    # --- launching ---

    @operation("RunTask", RUN_TASK)
    def run_task(self, request: dict, caller: Caller) -> dict:
        cluster = self.cluster(request)
        token = request.get("clientToken")
        with self.guard:
            launch = self._remembered(cluster, token) if token is not None else None
            if launch is not None:
                return self._replayed(launch, request)
            definition = self._launchable(request, cluster)
            launch = self._launch(cluster, definition, request)
            if token is not None:
                cluster.tokens[token] = launch
            described = [task.described(with_tags=True) for task in launch.tasks]
            for task in launch.tasks:
                Life(self, task, self._planned.pop(0) if self._planned else None).start()
        return {"tasks": described, "failures": launch.failures}

    def _remembered(self, cluster: Cluster, token: str) -> Launch | None:
        """The launch of a token, for a day or until an hour after its tasks have ended."""
        launch, now = cluster.tokens.get(token), self.aws.clock()
        if launch is None:
            return None
        ends = [task.stopped for task in launch.tasks]
        all_over = bool(ends) and None not in ends
        if now > launch.at + DAY_S or (all_over and now > max(ends) + HOUR_S):
            del cluster.tokens[token]
            return None
        return launch

    def _replayed(self, launch: Launch, request: dict) -> dict:
        if launch.request != request:
            message = "A task with the same client token but other parameters exists already."
            raise Problem("ConflictException", message, 400, {"resourceIds": [task.arn for task in launch.tasks]})
        tasks = []
        for task in launch.tasks:
            shown = task.described(with_tags=True)
            if task.is_over:
                shown = {name: shown[name] for name in ("taskArn", "lastStatus", "desiredStatus")}
            tasks.append(shown)
        return {"tasks": tasks, "failures": launch.failures}

    def _launchable(self, request: dict, cluster: Cluster) -> dict[str, Any]:
        """The task definition, when everything a launch needs is in order."""
        definition = self.definition(request["taskDefinition"])
        if definition is None:
            raise client_error("TaskDefinition not found.")
        if definition["status"] != "ACTIVE":
            raise client_error("TaskDefinition is inactive")
        if not 1 <= request.get("count", 1) <= 10:
            raise wrong("count should be between 1 and 10")
        if "launchType" in request and "capacityProviderStrategy" in request:
            raise wrong(
                "Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again."
            )
        for provider in request.get("capacityProviderStrategy", []):
            if provider["capacityProvider"] not in cluster.providers:
                raise wrong("The specified capacity provider was not found. Specify a valid name or ARN and try again.")
        self._check_network(request, definition)
        self._check_overrides(request, definition)
        return definition

    def _check_network(self, request: dict, definition: dict) -> None:
        network = request.get("networkConfiguration", {}).get("awsvpcConfiguration")
        if definition.get("networkMode") != "awsvpc":
            if network is not None:
                raise wrong("Network Configuration is not valid for the given networkMode of this task definition.")
            return
        if network is None:
            raise wrong("Network Configuration must be provided when networkMode 'awsvpc' is specified.")
        for subnet in network["subnets"]:
            if self.subnets is not None and subnet not in self.subnets:
                raise wrong(
                    f"Error retrieving subnet information for [{subnet}]: The subnet ID '{subnet}' does not exist "
                    "(ErrorCode: InvalidSubnetID.NotFound)"
                )
        for group in network.get("securityGroups", []):
            if self.security_groups is not None and group not in self.security_groups:
                raise wrong(
                    f"Error retrieving security group information for [{group}]: The security group '{group}' does "
                    "not exist (ErrorCode: InvalidGroup.NotFound)"
                )

    def _check_overrides(self, request: dict, definition: dict) -> None:
        overrides = request.get("overrides", {})
        if len(json.dumps(overrides, separators=(",", ":"), ensure_ascii=False)) > MAX_OVERRIDES:
            raise wrong(f"Container Overrides length must be at most {MAX_OVERRIDES}")
        known = {one["name"] for one in definition["containerDefinitions"]}
        names = [one["name"] for one in overrides.get("containerOverrides", [])]
        for name in names:
            if name not in known:
                raise wrong(f"Override for container named {name} is not a container in the TaskDefinition.")
        if len(set(names)) < len(names):
            raise wrong("There is more than one override for a container.")

    def _launch(self, cluster: Cluster, definition: dict, request: dict) -> Launch:
        count, now = request.get("count", 1), self.aws.clock()
        if self._failures:
            failure = self._failures.pop(0)
            return Launch(request, [], [dict(failure) for _ in range(count)], now)
        vcpu = int(request.get("overrides", {}).get("cpu") or definition.get("cpu") or 256) / 1024
        tasks, failures = [], []
        for _ in range(count):
            in_use = sum(task.vcpu for task in self.all_tasks() if not task.is_over)
            if self.vcpu_limit is not None and in_use + vcpu > self.vcpu_limit:
                if self.vcpu_limit_as_error and not tasks:
                    raise client_error(VCPU_LIMIT)
                failures.append({"reason": VCPU_LIMIT})
                continue
            task_id = secrets.token_hex(16)
            arn = self.arn(f"task/{cluster.name}/{task_id}")
            task = Task(task_id, arn, cluster.arn, definition, request, now, vcpu, tags=list(request.get("tags", [])))
            cluster.tasks[task_id] = task
            tasks.append(task)
        return Launch(request, tasks, failures, now)

    def run_of(self, task: Task) -> TaskRun:
        """What the runner is called with."""
        container = task.essential
        options = container.get("logConfiguration", {}).get("options", {})
        group = options.get("awslogs-group")
        stream = f"{options.get('awslogs-stream-prefix', 'ecs')}/{container['name']}/{task.id}"

        def log(line: str) -> None:
            if group is not None:
                self.aws.logs.write(group, stream, line)

        settings = {
            "AWS_EXECUTION_ENV": "AWS_ECS_FARGATE",
            "AWS_REGION": self.region,
            "AWS_ENDPOINT_URL": self.aws.url,
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{self.aws.url}/v2/credentials/{task.id}",
            "ECS_CONTAINER_METADATA_URI_V4": f"{self.aws.url}/v4/{task.id}",
        }
        return TaskRun(
            task, container["name"], task.command(), task.environment(), task.stop_requested, log, settings
        )  # fmt: skip

    # --- looking and stopping ---

    @operation(
        "DescribeTasks",
        structure({"tasks": list_of(text(1), 1, 100)}, {"cluster": NAME, "include": list_of(text(among="TAGS"))}),
    )
    def describe_tasks(self, request: dict, caller: Caller) -> dict:
        cluster = self.cluster(request)
        found, failures = [], []
        with self.guard:
            for name in request["tasks"]:
                task = self._task(cluster, name)
                if task is None or not self._is_visible(task):
                    arn = name if name.startswith("arn:") else self.arn(f"task/{cluster.name}/{name}")
                    failures.append({"arn": arn, "reason": "MISSING"})
                else:
                    found.append(task.described(with_tags="TAGS" in (request.get("include") or [])))
        return {"tasks": found, "failures": failures}

    def _is_visible(self, task: Task) -> bool:
        now = self.aws.clock()
        if now < task.created + self.visible_after_s:
            return False
        return task.stopped is None or now <= task.stopped + self.stopped_visible_s

    def _task(self, cluster: Cluster, name: str) -> Task | None:
        if name.startswith("arn:") and not name.startswith(self.arn(f"task/{cluster.name}/")):
            raise wrong("Invalid identifier: Unexpected resource type or cluster")
        return cluster.tasks.get(name.rpartition("/")[2])

    @operation(
        "ListTasks",
        structure(
            {},
            {
                "cluster": NAME, "family": text(1), "startedBy": text(1, 128), "nextToken": text(1),
                "desiredStatus": text(among="RUNNING PENDING STOPPED"), "maxResults": integer(1, 100),
                "launchType": text(among="EC2 FARGATE EXTERNAL MANAGED_INSTANCES"),
            },
        ),
    )  # fmt: skip
    def list_tasks(self, request: dict, caller: Caller) -> dict:
        cluster = self.cluster(request)
        if "startedBy" in request and {"family", "desiredStatus", "launchType"} & set(request):
            raise wrong("startedBy cannot be combined with other filters.")
        desired = request.get("desiredStatus", "RUNNING")
        with self.guard:
            found = [
                task.arn
                for task in cluster.tasks.values()
                if task.desired == desired
                and self._is_visible(task)
                and request.get("startedBy") in (None, task.request.get("startedBy"))
                and request.get("family") in (None, task.definition["family"])
            ]
        start = 0
        if "nextToken" in request:
            word, _, number = request["nextToken"].partition("+/=")
            if word != "next" or not number.isdecimal():
                raise wrong("Invalid token.")
            start = int(number)
        end = start + request.get("maxResults", 100)
        answer: dict[str, Any] = {"taskArns": found[start:end]}
        return {**answer, "nextToken": f"next+/={end}"} if end < len(found) else answer

    @operation("StopTask", structure({"task": text(1)}, {"cluster": NAME, "reason": text()}))
    def stop_task(self, request: dict, caller: Caller) -> dict:
        cluster = self.cluster(request)
        with self.guard:
            task = self._task(cluster, request["task"])
            if task is None:
                raise wrong("The referenced task was not found.")
            reason = request.get("reason") or "Task stopped by user"
            self._ask_to_end(task, Ending(None, "UserInitiated", reason))
            task.tags = []
            return {"task": task.described(with_tags=True)}

    def _ask_to_end(self, task: Task, ending: Ending) -> None:
        with self.guard:
            if task.ending is None and task.asked_to_end is None:
                task.asked_to_end = ending
                task.desired = "STOPPED"
                task.stopping = self.aws.clock()
        task.stop_requested.set()


def shown_definition(definition: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in definition.items() if not name.startswith("_")}


def client_error(message: str) -> Problem:
    return Problem("ClientException", message)


def wrong(message: str) -> Problem:
    return Problem("InvalidParameterException", message)
