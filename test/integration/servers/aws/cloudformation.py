"""CloudFormation: stacks with outputs and resources."""

from __future__ import annotations

from dataclasses import dataclass, field

from aws import protocols
from aws.gate import iso_time
from aws.problem import Problem
from aws.service import Caller, Service, operation
from aws.shapes import structure, text

PAGE = 100


@dataclass
class Stack:
    """A stack; outputs are keys and values, resources logical to (type, physical) names."""

    name: str
    id: str
    outputs: dict[str, str] = field(default_factory=dict)
    resources: dict[str, tuple[str, str]] = field(default_factory=dict)
    status: str = "UPDATE_COMPLETE"
    description: str = ""
    created: float = 1.7e9


class CloudFormation(Service):
    """`create_stack` makes a stack."""

    name = "cloudformation"
    signing_name = "cloudformation"
    protocol = protocols.Query("2010-05-15", "http://cloudformation.amazonaws.com/doc/2010-05-15/")
    broken_code = mistyped_code = "ValidationError"
    unknown_operation = ("InvalidAction", "The action or operation requested is invalid.")

    def __init__(self, aws):
        super().__init__(aws)
        self.stacks: dict[str, Stack] = {}
        self.page_resources = PAGE

    def create_stack(
        self, name: str, outputs: dict[str, str], resources: dict[str, tuple[str, str]] | None = None
    ) -> Stack:
        stack_id = self.arn(f"stack/{name}/5f0a9b10-0000-11ee-8000-0a1b2c3d4e5f")
        self.stacks[name] = Stack(name, stack_id, outputs, resources or {})
        return self.stacks[name]

    def stack(self, name: str, complaint: str) -> Stack:
        """By name or id; a deleted stack by its id only."""
        for stack in self.stacks.values():
            if name == stack.id or (name == stack.name and stack.status != "DELETE_COMPLETE"):
                return stack
        raise Problem("ValidationError", complaint.format(name))

    @operation("DescribeStacks", structure({}, {"StackName": text(1), "NextToken": text(1, 1024)}))
    def describe_stacks(self, request: dict, caller: Caller) -> dict:
        name = request.get("StackName")
        if name is None:
            found = [stack for stack in self.stacks.values() if stack.status != "DELETE_COMPLETE"]
        else:
            found = [self.stack(name, "Stack with id {} does not exist")]
        return {"Stacks": [self.described(stack) for stack in found]}

    def described(self, stack: Stack) -> dict:
        outputs = [{"OutputKey": key, "OutputValue": value} for key, value in stack.outputs.items()]
        return {
            "StackId": stack.id,
            "StackName": stack.name,
            "Description": stack.description or None,
            "CreationTime": iso_time(stack.created),
            "StackStatus": stack.status,
            "DisableRollback": False,
            "Outputs": outputs or None,
            "Tags": [],
        }

    @operation("ListStackResources", structure({"StackName": text(1)}, {"NextToken": text(1, 1024)}))
    def list_stack_resources(self, request: dict, caller: Caller) -> dict:
        stack = self.stack(request["StackName"], "Stack with id {} does not exist")
        start, resources = self.start(request.get("NextToken")), list(stack.resources.items())
        end = start + self.page_resources
        return {
            "StackResourceSummaries": [
                {
                    "LogicalResourceId": logical,
                    "PhysicalResourceId": physical,
                    "ResourceType": kind,
                    "LastUpdatedTimestamp": iso_time(stack.created),
                    "ResourceStatus": "CREATE_COMPLETE",
                }
                for logical, (kind, physical) in resources[start:end]
            ],
            "NextToken": f"next+/{end}==" if end < len(resources) else None,
        }

    def start(self, token: str | None) -> int:
        if token is None:
            return 0
        number = token.removeprefix("next+/").removesuffix("==")
        if not number.isdecimal() or token != f"next+/{number}==":
            raise Problem("ValidationError", "NextToken is invalid")
        return int(number)
