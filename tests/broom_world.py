"""A small world for Broom's tests: launches, policies, a clock that is set by hand, and an EC2 that is one dict."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from landkeeper.broom.case import Case
from landkeeper.broom.dry_run import CollectedReports, ScratchLedger
from landkeeper.broom.instance_state import FRESH, ActionResult, Done, Gone, LiveInstance, Refused
from landkeeper.broom.launches import InstanceId, Launch, LaunchedInstance, Tags
from landkeeper.broom.limits import RunLimit
from landkeeper.broom.policy.file import parse_policy
from landkeeper.broom.policy.rules import Policy
from landkeeper.broom.ports import SweepPorts
from landkeeper.broom.sweeping.result import SweepResult
from landkeeper.broom.sweeping.sweep import Sweep
from landkeeper.org import AccountId, Failure, Principal, Region

EVENTS = Path(__file__).parent / "events"
LAUNCHED_AT = datetime(2026, 1, 1, 10, 0, tzinfo=UTC)
ACCOUNT = AccountId("111122223333")
REGION = Region("eu-west-1")
JANE = Principal("IAMUser", "jane", "arn:aws:iam::111122223333:user/jane", ACCOUNT)
STRICT = """
version: 1
rules:
  - name: code
    require: {tag: Code, values: [LOL, GGG]}
    action: terminate
confirm_after: 0s
"""
CONFIRMED = STRICT.replace("confirm_after: 0s", "confirm_after: 60s")
I1, I2, I3 = InstanceId("i-1"), InstanceId("i-2"), InstanceId("i-3")


def event(name: str) -> Any:
    """The event in a file of `tests/events`."""
    return json.loads((EVENTS / name).read_text(encoding="utf-8"))


def policy(text: str = STRICT, **swaps: str) -> Policy:
    """A policy from YAML; each swap replaces a word of it."""
    for old, new in swaps.items():
        text = text.replace(old, new)
    return parse_policy(text, "policy.yaml")


def launch(*ids: str, tags: Tags | None = None, event_id: str = "event-1", **changes: Any) -> Launch:
    """A launch of these instances."""
    instances = tuple(LaunchedInstance(InstanceId(id_), "ami-1", "t3.micro", tags or {}) for id_ in ids)
    return replace(Launch(event_id, LAUNCHED_AT, ACCOUNT, REGION, JANE, instances, {}), **changes)


@dataclass(slots=True)
class Clock:
    """Time that passes when a test says so."""

    now: datetime = LAUNCHED_AT + timedelta(seconds=30)

    def __call__(self) -> datetime:
        return self.now

    def pass_time(self, **parts: float) -> None:
        """Let time pass, as in `pass_time(minutes=5)`."""
        self.now += timedelta(**parts)


@dataclass(slots=True)
class FakeEc2:
    """EC2 as one dict of instances. What was asked of it is in `ended` and `stopped`."""

    instances: dict[InstanceId, LiveInstance] = field(default_factory=dict)
    unreadable: Failure | None = None
    refusals: dict[InstanceId, Refused] = field(default_factory=dict)
    ended: list[InstanceId] = field(default_factory=list)
    stopped: list[InstanceId] = field(default_factory=list)
    launched: dict[str, list[InstanceId]] = field(default_factory=dict)
    """The instances of launches, by client token."""
    group_tags: dict[str, Tags] | Failure = field(default_factory=dict)

    def run(self, id_: str, *, state: str = "running", operator: str = "", **tags: str) -> None:
        """Have an instance with these tags; `__` in a key stands for a colon."""
        named = {key.replace("__", ":"): value for key, value in tags.items()}
        self.instances[InstanceId(id_)] = LiveInstance(InstanceId(id_), state, named, operator)

    def read_instances(
        self, account: AccountId, region: Region, ids: Sequence[InstanceId]
    ) -> Mapping[InstanceId, LiveInstance] | Failure:
        assert (account, region) == (ACCOUNT, REGION)
        return self.unreadable or {id_: self.instances[id_] for id_ in ids if id_ in self.instances}

    def find_launched(
        self, account: AccountId, region: Region, client_token: str
    ) -> Mapping[InstanceId, LiveInstance] | Failure:
        found = (self.instances[id_] for id_ in self.launched.get(client_token, ()))
        return self.unreadable or {
            live.id: replace(live, launched_at=live.launched_at or LAUNCHED_AT) for live in found
        }

    def list_running(self, account: AccountId, region: Region) -> Mapping[InstanceId, LiveInstance] | Failure:
        return self.unreadable or {id_: live for id_, live in self.instances.items() if live.state == "running"}

    def read_group_tags(
        self, account: AccountId, region: Region, groups: Collection[str]
    ) -> Mapping[str, Tags] | Failure:
        return (
            self.group_tags
            if isinstance(self.group_tags, Failure)
            else {name: self.group_tags.get(name, {}) for name in groups}
        )

    def terminate_instances(
        self, account: AccountId, region: Region, ids: Sequence[InstanceId], *, within: timedelta = FRESH
    ) -> Mapping[InstanceId, ActionResult]:
        assert (account, region) == (ACCOUNT, REGION)
        return {id_: self._end(id_, "terminated", self.ended) for id_ in ids}

    def stop_instances(
        self, account: AccountId, region: Region, ids: Sequence[InstanceId], *, within: timedelta = FRESH
    ) -> Mapping[InstanceId, ActionResult]:
        assert (account, region) == (ACCOUNT, REGION)
        return {id_: self._end(id_, "stopped", self.stopped) for id_ in ids}

    def _end(self, id_: InstanceId, state: str, acted: list[InstanceId]) -> ActionResult:
        if id_ in self.refusals:
            return self.refusals[id_]
        if id_ not in self.instances:
            return Gone()
        acted.append(id_)
        self.instances[id_] = replace(self.instances[id_], state=state)
        return Done()


@dataclass(slots=True)
class FakeQueue:
    """A queue that remembers what was put off, and for how many seconds."""

    sent: list[tuple[tuple[InstanceId, ...], int]] = field(default_factory=list)
    failure: Failure | None = None

    def send_due_cases(self, ids: Sequence[InstanceId], delay_seconds: int) -> Failure | None:
        self.sent.append((tuple(ids), delay_seconds))
        return self.failure


@dataclass(slots=True)
class World:
    """Everything outside a sweep."""

    ec2: FakeEc2 = field(default_factory=FakeEc2)
    ledger: ScratchLedger = field(default_factory=ScratchLedger)
    topic: CollectedReports = field(default_factory=CollectedReports)
    queue: FakeQueue = field(default_factory=FakeQueue)
    clock: Clock = field(default_factory=Clock)

    def ports(self) -> SweepPorts:
        return SweepPorts(self.ec2, self.ec2, self.ledger, self.topic, self.queue, self.clock)

    def sweep(
        self, *launches: Launch, under: Policy | None = None, actions_on: bool = True, run: RunLimit | None = None
    ) -> SweepResult:
        checked = under or policy()
        return Sweep(checked, self.ports(), run or RunLimit(), actions_on).handle_launches(launches)

    def look_again(self, *ids: InstanceId, under: Policy | None = None) -> SweepResult:
        return Sweep(under or policy(), self.ports()).resume_cases(ids)

    def case(self, id_: InstanceId = I1) -> Case:
        return self.ledger.find_cases([id_])[id_]
