"""How a change set is shown."""

from __future__ import annotations

import io

from rich.console import Console

from landkeeper.cli.stack.progress import print_change_set, print_event
from landkeeper.operate.stacks import Change, ChangeSet, PropertyChange, StackEvent


def _console() -> tuple[Console, io.StringIO]:
    out = io.StringIO()
    return Console(file=out, width=80, highlight=False), out


def test_what_cannot_be_undone_comes_first_and_values_are_shown() -> None:
    console, out = _console()
    long = "x" * 100
    changes = (
        Change("Add", "Fresh", "AWS::SQS::Queue", replaces=False),
        Change("Modify", "Logs", "AWS::Logs::LogGroup", False, (PropertyChange("RetentionInDays", "30", "7"),)),
        Change("Modify", "Role", "AWS::IAM::Role", False, (PropertyChange("Policies", is_consequence=True),)),
        Change("Remove", "Old", "AWS::SQS::Queue", replaces=False),
        Change("Modify", "Swapped", "AWS::SNS::Topic", True, (PropertyChange("TopicName", "a", long),)),
        Change("Import", "VpcTracker", "AWS::DynamoDB::Table", replaces=False),
    )
    print_change_set(console, ChangeSet("keeper", "one", changes))
    lines = out.getvalue().splitlines()
    assert [line.split()[2] for line in lines[1:-1] if not line.startswith("   ")] == [
        "Swapped", "Old", "Logs", "VpcTracker", "Fresh",
    ]  # fmt: skip
    assert "            RetentionInDays  30 -> 7" in lines
    assert long not in out.getvalue()
    assert (
        lines[-1]
        == "1 to add, 1 to change, 1 to remove, 1 to adopt, 1 to replace, 1 other resource updated by reference"
    )


def test_an_event_is_one_line_with_its_reason() -> None:
    console, out = _console()
    print_event(console, StackEvent("BroomQueue", "AWS::SQS::Queue", "CREATE_FAILED", "[quota] exceeded " * 8))
    assert out.getvalue().startswith("create failed                BroomQueue  [quota] exceeded")
    assert out.getvalue().count("\n") == 1
