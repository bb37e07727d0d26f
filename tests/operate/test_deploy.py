"""Deploying as a use case: what is uploaded, what is asked, what is executed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from landkeeper.operate.deploy import Declined, Deployed, DeployRequest, deploy, template
from landkeeper.operate.package import FunctionPackage
from landkeeper.operate.stacks import Change, ChangeSet, StackEvent

PACKAGE = FunctionPackage(b"zip", "python3.13", "arm64")
REQUEST = DeployRequest("keeper", "version: 1\n", "version: 1\nspaces: []\n", {"Regions": "eu-west-1"})
ADD = Change("Add", "VpcTracker", "AWS::DynamoDB::Table", replaces=False)


@dataclass
class Shelf:
    """Artifacts in memory."""

    bucket: str = "shelf"
    held: dict[str, bytes] = field(default_factory=dict)

    def put(self, key: str, body: bytes) -> None:
        self.held[key] = body


@dataclass
class Desk:
    """Stacks in memory: one change set, executed or not."""

    changes: tuple[Change, ...] = (ADD,)
    parameters: Mapping[str, str] = field(default_factory=dict)
    executed: list[str] = field(default_factory=list)

    def plan(self, stack_name: str, template: str, parameters: Mapping[str, str]) -> ChangeSet:
        self.parameters = parameters
        return ChangeSet(stack_name, "one", self.changes)

    def execute(self, change_set: ChangeSet, on_event: Callable[[StackEvent], None]) -> dict[str, str]:
        self.executed.append(change_set.name)
        on_event(StackEvent("VpcTracker", "AWS::DynamoDB::Table", "CREATE_COMPLETE", ""))
        return self.outputs(change_set.stack_name)

    def outputs(self, stack_name: str) -> dict[str, str]:
        return {"VpcTable": "VPCTracker"}


def _deploy(desk: Desk, shelf: Shelf, *, answer: bool = True) -> tuple[Deployed | Declined, list[StackEvent]]:
    events: list[StackEvent] = []
    done = deploy(REQUEST, PACKAGE, shelf, desk, approve=lambda _: answer, on_event=events.append)
    return done, events


def test_an_approved_change_set_is_executed_with_the_package_and_the_policy_in_place() -> None:
    desk, shelf = Desk(), Shelf()
    done, events = _deploy(desk, shelf)
    assert isinstance(done, Deployed)
    assert done.outputs == {"VpcTable": "VPCTracker"}
    assert desk.executed == ["one"]
    assert [event.resource for event in events] == ["VpcTracker"]
    assert desk.parameters["Regions"] == "eu-west-1"
    assert (desk.parameters["Runtime"], desk.parameters["Architecture"]) == ("python3.13", "arm64")
    assert shelf.held[desk.parameters["CodeKey"]] == b"zip"
    assert shelf.held[desk.parameters["PolicyKey"]] == b"version: 1\n"
    assert shelf.held[desk.parameters["ConfigKey"]] == b"version: 1\nspaces: []\n"


def test_without_a_configuration_none_is_stored() -> None:
    desk, shelf = Desk(), Shelf()
    bare = DeployRequest("keeper", "version: 1\n")
    deploy(bare, PACKAGE, shelf, desk, approve=lambda _: True, on_event=lambda _: None)
    assert "ConfigKey" not in desk.parameters
    assert len(shelf.held) == 2


def test_a_change_set_that_is_not_approved_changes_nothing() -> None:
    desk = Desk()
    done, events = _deploy(desk, Shelf(), answer=False)
    assert done == Declined(ChangeSet("keeper", "one", (ADD,)))
    assert (desk.executed, events) == ([], [])


def test_without_changes_nobody_is_asked() -> None:
    desk = Desk(changes=())
    done, _ = _deploy(desk, Shelf(), answer=False)
    assert isinstance(done, Deployed)
    assert done.outputs == {"VpcTable": "VPCTracker"}
    assert desk.executed == []


def test_the_same_content_is_stored_under_the_same_name() -> None:
    shelf = Shelf()
    _deploy(Desk(), shelf)
    _deploy(Desk(), shelf)
    assert len(shelf.held) == 3


def test_the_templates_are_there() -> None:
    assert "AWS::Serverless-2016-10-31" in template("landkeeper.yaml")
    assert "landkeeper-terminate" in template("member-roles.yaml")
