"""What is asked of CloudFormation while a stack is followed: new events, and no page of old ones."""

from __future__ import annotations

from collections.abc import Mapping

import boto3
from tests.servers import Answer, answering

from landkeeper.aws.stack.deployer import StackDeployer
from landkeeper.operate.stacks import ChangeSet, StackEvent

_SPACE = "http://cloudformation.amazonaws.com/doc/2010-05-15/"


class BusyStack:
    """A stack with 1,000 events of earlier updates, a hundred a page, and four more at each look."""

    def __init__(self) -> None:
        """Nothing was asked yet."""
        self.events = [f"old-{number}" for number in range(1000)]
        self.looks = 0
        self.asked: list[str] = []

    def answer(self, call: Mapping[str, str]) -> Answer:
        """What CloudFormation answers."""
        self.asked.append(call["Action"])
        match call["Action"]:
            case "DescribeStackEvents":
                inside = self._page(int(call.get("NextToken", "0")))
            case "DescribeStacks":
                self.looks += 1
                self.events += [f"new-{self.looks}-{number}" for number in range(4)]
                status = "UPDATE_COMPLETE" if self.looks > 2 else "UPDATE_IN_PROGRESS"
                inside = (
                    "<Stacks><member><StackName>keeper</StackName><CreationTime>2026-01-01T00:00:00Z</CreationTime>"
                    f"<StackStatus>{status}</StackStatus></member></Stacks>"
                )
            case _:
                inside = ""
        name = call["Action"]
        return 200, f'<{name}Response xmlns="{_SPACE}"><{name}Result>{inside}</{name}Result></{name}Response>'

    def _page(self, start: int) -> str:
        """Events with the newest first, as the API Reference has it ("DescribeStackEvents")."""
        newest_first = self.events[::-1][start : start + 100]
        members = "".join(
            f"<member><EventId>{id_}</EventId><LogicalResourceId>{id_}</LogicalResourceId></member>"
            for id_ in newest_first
        )
        return f"<StackEvents>{members}</StackEvents><NextToken>{start + 100}</NextToken>"


def test_each_look_at_a_stack_with_many_events_asks_for_one_page_and_tells_each_new_event_once() -> None:
    stack, told = BusyStack(), list[StackEvent]()
    with answering(stack.answer) as url:
        session = boto3.Session("x", "x", region_name="eu-west-1")
        client = session.client("cloudformation", endpoint_url=url)
        deployer = StackDeployer(client, session.client("lambda"), poll_seconds=0)
        deployer.execute(ChangeSet("keeper", "one", ()), told.append)
    assert [event.resource for event in told] == [f"new-{look}-{number}" for look in (1, 2, 3) for number in range(4)]
    assert stack.asked.count("DescribeStackEvents") == 4, "once before, and once at each look"
