"""Broom's function killed between any two calls to AWS, over every feed, in any order: one outcome for each instance.

The small form is part of every run of the tests. `make campaign` has 500 launches, and a hundred drawn stories.
"""

from __future__ import annotations

import json
import random
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test
from tests.broom_world import STRICT, event
from tests.campaign import IS_CAMPAIGN
from tests.deployed_broom import Deployed, batch, notification, record
from tests.member_instances import start_instances, state_of

import landkeeper.wiring.broom.commands
from landkeeper.aws.sessions import AccountSessions
from landkeeper.broom.case import Outcome, State
from landkeeper.broom.launches import InstanceId
from landkeeper.lambdas.broom import handler, open_broom
from landkeeper.org import AccountId

LAUNCHES = 500 if IS_CAMPAIGN else 6
_STORIES, _STEPS = (100, 20) if IS_CAMPAIGN else (3, 8)
MEMBERS = tuple(AccountId(f"34000000000{number}") for number in range(3))
MOST_DELIVERIES = 5
_FEW = st.integers(0, 2)
FEEDS = ("s3", "sns", "object created", "cloudtrail sns", "api call", "sns event")

pytestmark = [pytest.mark.embedded, pytest.mark.campaign]


class KilledError(BaseException):
    """The function's process ends here. Not an Exception: nothing in the function may catch it."""


class Killer:
    """Ends the function at its n-th call to AWS: before the call leaves, or after its answer has come."""

    def __init__(self, sessions: AccountSessions) -> None:
        self.calls_left: int | None = None
        self.is_after = False
        self.calls = 0
        for session in (sessions._home, sessions._swapped):
            session.get_component("event_emitter").register_first("before-send", self._before)
            session.get_component("event_emitter").register_last("after-call", self._after)
        for client in sessions._clients.values():
            client.meta.events.register_first("before-send", self._before)
            client.meta.events.register_last("after-call", self._after)

    @contextmanager
    def armed(self, calls: int | None, *, after: bool = False) -> Iterator[None]:
        """While this lasts the function is ended at that call; never, where there is none."""
        self.calls_left, self.is_after = calls, after
        try:
            yield
        finally:
            self.calls_left = None

    def _before(self, **_: object) -> None:
        self.calls += 1
        if self.calls_left is None:
            return
        self.calls_left -= 1
        if self.calls_left < 0 and not self.is_after:
            raise KilledError

    def _after(self, **_: object) -> None:
        if self.calls_left is not None and self.calls_left < 0:
            raise KilledError


@dataclass(slots=True)
class Clock:
    """The time as the function sees it: the real one, moved on by what a test lets pass."""

    ahead: timedelta = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass(slots=True)
class World:
    """Launches in three accounts, and the function as it is deployed."""

    deployed: Deployed
    killer: Killer
    clock: Clock
    bad: dict[InstanceId, AccountId] = field(default_factory=dict)
    good: dict[InstanceId, AccountId] = field(default_factory=dict)
    killed: Counter[InstanceId] = field(default_factory=Counter)
    named: dict[str, frozenset[InstanceId]] = field(default_factory=dict)
    """The instances that each message leads to."""
    invocations: int = 0
    kills: Counter[str] = field(default_factory=Counter)
    """How often it was killed before a call left, and after its answer had come."""

    def launch(self, bad: int, good: int, account: AccountId) -> dict[str, Any]:
        """Launch so many instances; the record of it."""
        started = start_instances(account, {"Name": "bad"}, count=bad) if bad else []
        fine = start_instances(account, {"Code": "LOL"}, count=good) if good else []
        self.bad |= dict.fromkeys(started, account)
        self.good |= dict.fromkeys(fine, account)
        return record(*started, *fine, account=account)

    def bodies(self, one: dict[str, Any], feeds: list[str]) -> list[str]:
        """The messages of one launch, one for each feed; the log file is the same for all that point to one."""
        key = f"AWSLogs/{uuid.uuid4()}.json"
        body = json.dumps({"Records": [one]}).encode()
        self.deployed.sessions.home("s3").put_object(Bucket=self.deployed.bucket, Key=key, Body=body)
        bodies = [_body(feed, one, self.deployed.bucket, key) for feed in feeds]
        items = one["responseElements"]["instancesSet"]["items"]
        self.named |= dict.fromkeys(bodies, frozenset(InstanceId(each["instanceId"]) for each in items))
        return bodies

    def deliver(self, bodies: list[str], kill_at: int | None, *, after: bool) -> list[str]:
        """Invoke the function with a batch; the messages that come again."""
        self.invocations += 1
        try:
            with self.killer.armed(kill_at, after=after):
                answer = handler(batch(*bodies), None)
        except KilledError:
            self._count_kill(frozenset[InstanceId]().union(*(self.named[body] for body in bodies)))
            return bodies
        failed = {each["itemIdentifier"] for each in answer["batchItemFailures"]}
        return [body for number, body in enumerate(bodies, 1) if f"m{number}" in failed]

    def audit(self, kill_at: int | None, *, after: bool) -> None:
        """Let time pass, and have the function take up what did not come back."""
        self.clock.ahead += timedelta(minutes=11)
        self.invocations += 1
        try:
            with self.killer.armed(kill_at, after=after):
                handler({"task": "audit"}, None)
        except KilledError:
            self._count_kill(frozenset(self.bad))

    def _count_kill(self, in_hand: frozenset[InstanceId]) -> None:
        self.kills["after" if self.killer.is_after else "before"] += 1
        self.killed.update(in_hand)

    def check(self) -> None:
        """The bar: one outcome and enough reports for each bad instance, and no good one touched."""
        cases = self.deployed.ledger.find_cases([*self.bad, *self.good])
        stories = {id_: (case.state, case.outcome) for id_, case in cases.items()}
        assert stories == {
            **dict.fromkeys(self.bad, (State.REPORTED, Outcome.DESTROYED)),
            **dict.fromkeys(self.good, (State.COMPLIANT, None)),
        }
        assert all(state_of(account, id_) == "terminated" for id_, account in self.bad.items())
        assert all(state_of(account, id_) == "running" for id_, account in self.good.items())
        told = Counter(
            each["InstanceId"]
            for report in self.deployed.reports()
            for each in json.loads(report["MessageAttributes"]["landkeeper"]["Value"])["Instances"]
        )
        assert set(told) == set(self.bad)
        assert not {id_: count for id_, count in told.items() if count > 1 + self.killed[id_]}


def _body(feed: str, one: dict[str, Any], bucket: str, key: str) -> str:
    match feed:
        case "s3":
            return notification(bucket, key)
        case "sns":
            return json.dumps({"Type": "Notification", "Message": notification(bucket, key)})
        case "object created":
            detail = {"bucket": {"name": bucket}, "object": {"key": key}}
            return json.dumps({**event("eventbridge_object_created.json"), "detail": detail})
        case "cloudtrail sns":
            message = json.dumps({"s3Bucket": bucket, "s3ObjectKey": [key]})
            return json.dumps({"Type": "Notification", "Message": message})
        case "api call":
            account = one["recipientAccountId"]
            return json.dumps({**event("eventbridge_api_call.json"), "account": account, "detail": one})
        case _:
            published = {"EventSource": "aws:sns", "Sns": {"Message": notification(bucket, key)}}
            return json.dumps({"Records": [published]})


@contextmanager
def _opened(deployed: Deployed, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    clock = Clock()
    monkeypatch.setattr(landkeeper.wiring.broom.commands, "_now", clock)
    monkeypatch.setenv("LANDKEEPER_ACCOUNTS", MEMBERS[0])
    open_broom.cache_clear()
    yield World(deployed, Killer(open_broom().sessions), clock)


@pytest.fixture
def world(deployed: Deployed, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with _opened(deployed, monkeypatch) as opened:
        yield opened


def test_delivered_often_and_killed_anywhere_there_is_one_outcome(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    drawn = random.Random(20260101)  # noqa: S311 - drawn, not secret
    waiting: list[str] = []
    brought: set[str] = set()
    for number in range(LAUNCHES):
        one = world.launch(drawn.choice((0, 1, 1, 2)), drawn.choice((1, 1, 2)), MEMBERS[number % len(MEMBERS)])
        feeds = [
            FEEDS[number % len(FEEDS)],
            *(drawn.choice(FEEDS) for _ in range(drawn.randint(0, MOST_DELIVERIES - 1))),
        ]
        brought |= set(feeds)
        waiting += world.bodies(one, feeds)
    deliveries = len(waiting)
    while waiting:
        drawn.shuffle(waiting)
        some, waiting = waiting[:10], waiting[10:]
        # The first ones are killed in any case, before a call and after one; then every other.
        is_first = world.invocations < 4
        kill_at = drawn.randint(0, 20 if is_first else 60) if is_first or drawn.random() < 0.5 else None
        waiting += world.deliver(some, kill_at, after=world.invocations % 2 == 1)
    for kill_at in (*(drawn.randint(0, 30) for _ in range(4)), None, None):
        world.audit(kill_at, after=drawn.random() < 0.5)
    capsys.readouterr()
    world.check()
    assert (brought, set(world.kills)) == (set(FEEDS), {"before", "after"}), "a kind of fault that was not tried"
    figures = {
        "launches": LAUNCHES, "bad": len(world.bad), "good": len(world.good), "deliveries": deliveries,
        "invocations": world.invocations, "kills": world.kills.total(), "calls": world.killer.calls,
    }  # fmt: skip
    with capsys.disabled():
        print(f"\n{figures}")  # noqa: T201 - figures that can be measured again


def test_whatever_happens_in_whatever_order_there_is_one_outcome(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    deployed.set_policy(STRICT)

    class Machine(RuleBasedStateMachine):
        """Launches, deliveries, kills and audits, as hypothesis draws them."""

        def __init__(self) -> None:
            super().__init__()
            self.context = _opened(deployed, monkeypatch)
            self.world = self.context.__enter__()
            self.bodies: list[str] = []

        @rule(
            bad=st.integers(0, 2),
            good=st.integers(0, 1),
            feeds=st.lists(st.sampled_from(FEEDS), min_size=1, max_size=3),
        )
        def launch(self, bad: int, good: int, feeds: list[str]) -> None:
            if bad + good:
                self.bodies += self.world.bodies(self.world.launch(bad, good, MEMBERS[1]), feeds)

        @rule(order=st.randoms(use_true_random=False), kill_at=st.none() | st.integers(0, 30), after=st.booleans())
        def deliver(self, order: random.Random, kill_at: int | None, after: bool) -> None:
            order.shuffle(self.bodies)
            some, self.bodies = self.bodies[:5], self.bodies[5:]
            if some:
                self.bodies += self.world.deliver(some, kill_at, after=after)

        @rule(kill_at=st.none() | st.integers(0, 20), after=st.booleans())
        def audit(self, kill_at: int | None, after: bool) -> None:
            self.world.audit(kill_at, after=after)

        def teardown(self) -> None:
            while self.bodies:
                self.bodies = self.bodies[5:] + self.world.deliver(self.bodies[:5], None, after=False)
            for _ in range(2):
                self.world.audit(None, after=False)
            self.world.check()
            capsys.readouterr()

    few = settings(
        max_examples=_STORIES, stateful_step_count=_STEPS, derandomize=True, database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    run_state_machine_as_test(Machine, settings=few)
