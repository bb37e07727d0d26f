"""The tracker's work as messages."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.memory_store import MemoryStore
from tests.strategies import ACCOUNTS, REGIONS, START
from tests.vpctracker.test_track import World

from landkeeper.org import Account, Region, is_batch
from landkeeper.vpctracker.dispatch import (
    AccountJob,
    Message,
    RereadJob,
    TrackAccount,
    Unsent,
    dispatch,
    parse_work,
    plan_jobs,
    read_messages,
    write_account,
    write_second_look,
)
from landkeeper.vpctracker.events import Ignored, Malformed, Reread, Scope
from landkeeper.vpctracker.inventory import DELETED, Vpc, VpcId
from landkeeper.vpctracker.reread import RereadOutcome, reread_account
from landkeeper.vpctracker.track import track_account

_SHOP, _LAKE = Account(ACCOUNTS[0], "shop", organization="o-exampleorgid"), Account(ACCOUNTS[1], "lake")
_HERE, _THERE = REGIONS


@dataclass
class Queue:
    """A `WorkQueue` that keeps what it takes, and takes nothing of what names one of `refused`."""

    refused: tuple[str, ...] = ()
    taken: list[str] = field(default_factory=list)

    def send(self, bodies: Iterable[str]) -> Sequence[Unsent]:
        unsent = []
        for body in bodies:
            if any(each in body for each in self.refused):
                unsent.append(Unsent(body, "refused"))
            else:
                self.taken.append(body)
        return unsent


def _batch(name: str) -> dict[str, Any]:
    batch: dict[str, Any] = json.loads((Path(__file__).parents[1] / "events" / f"{name}.json").read_text("utf-8"))
    return batch


def test_a_run_sends_a_message_for_each_account_and_says_which_were_not_taken() -> None:
    queue = Queue(refused=(_LAKE.id,))
    done = dispatch([_SHOP, _LAKE], queue, "run-1")
    assert [parse_work(body) for body in queue.taken] == [TrackAccount(_SHOP, "run-1")]
    assert (done.run, done.accounts, [parse_work(each.body) for each in done.unsent]) == (
        "run-1", 2, [TrackAccount(_LAKE, "run-1")],
    )  # fmt: skip


@given(st.sampled_from(ACCOUNTS), st.text(), st.sampled_from(REGIONS), st.datetimes())
def test_messages_are_understood_as_they_were_meant(account: Any, name: str, region: Region, at: datetime) -> None:
    told = Account(account, name)
    assert parse_work(write_account(told, name)) == TrackAccount(told, name)
    moment = at.replace(tzinfo=START.tzinfo)
    assert parse_work(write_second_look(account, region, moment)) == Reread(
        account, region, moment, is_second_look=True
    )


def test_a_batch_of_accounts_is_read_message_by_message() -> None:
    batch = _batch("tracker_accounts")
    assert is_batch(batch)
    messages = read_messages(batch)
    kinds = [type(message.work).__name__ for message in messages]
    assert kinds == ["TrackAccount", "TrackAccount", *["Malformed"] * 4, "TrackAccount"]
    reasons = [message.work.reason for message in messages if isinstance(message.work, Malformed)]
    assert "not JSON" in reasons[0]
    assert "'11112222333' is not an AWS account id" in reasons[1]
    assert "of the kind 'track-account', or with parts missing" in reasons[2]
    assert "not a JSON object" in reasons[3]
    first, second = plan_jobs(messages)
    assert isinstance(first, AccountJob)
    assert (first.account.name, len(first.message_ids)) == ("shop", 2)
    assert isinstance(second, AccountJob)
    assert (second.account.name, len(second.message_ids)) == ("lake", 1)


def test_changes_of_one_account_are_one_job() -> None:
    messages = read_messages(_batch("tracker_changes"))
    assert [type(message.work) for message in messages] == [Reread, Reread, Reread, Ignored, Ignored, Reread]
    (job,) = plan_jobs(messages)
    assert isinstance(job, RereadJob)
    assert job.account_id == ACCOUNTS[0]
    assert {reread.region for reread in job.rereads} == {"eu-west-1", "eu-central-1"}
    assert len(job.message_ids) == 4


def test_a_second_look_without_a_time_zone_is_malformed() -> None:
    body = write_second_look(ACCOUNTS[0], _HERE, START.replace(tzinfo=None))
    assert parse_work(body) == Malformed(
        "a message of Landkeeper's that is not right: 2026-03-01T12:00:00 names no time zone"
    )


@pytest.mark.parametrize("event", [None, [], {}, {"Records": []}, {"Records": [{"eventSource": "aws:s3"}]}])
def test_what_does_not_come_from_sqs_is_no_batch(event: object) -> None:
    assert not is_batch(event)


@given(st.one_of(st.none(), st.text(), st.binary().map(repr)))
def test_no_body_makes_it_raise(body: str | None) -> None:
    assert isinstance(parse_work(body), Malformed)
    assert plan_jobs([Message("1", parse_work(body))]) == ()


def _vpc(number: int, region: Region = _HERE) -> Vpc:
    return Vpc(VpcId(f"vpc-{number}"), _SHOP.id, region, f"10.{number}.0.0/16", account_name="shop")


def _reread(world: World, store: MemoryStore, queue: Queue, *rereads: Reread, minutes: int) -> RereadOutcome:
    now = START + timedelta(minutes=minutes)
    return reread_account(rereads, world, store, queue, scope=Scope(), clock=lambda: now)


def test_a_vpc_is_gone_at_the_second_look() -> None:
    world, store, queue = World(_vpc(1), _vpc(2), _vpc(3, _THERE)), MemoryStore(), Queue()
    track_account(_SHOP, world, store, clock=lambda: START)
    del world.vpcs[0]
    change = Reread(_SHOP.id, _HERE, START + timedelta(minutes=1))
    first = _reread(world, store, queue, change, change, minutes=2)
    assert first.regions == {_HERE}
    assert store.items[_vpc(1).key].is_live
    assert store.items[_vpc(1).key].vpc.account_name == "shop"
    (body,) = queue.taken
    second = parse_work(body)
    assert second == Reread(_SHOP.id, _HERE, START + timedelta(minutes=2), is_second_look=True)
    _reread(world, store, queue, second, minutes=3)
    assert store.items[_vpc(1).key].vpc.state == DELETED
    assert {one.vpc.id for one in store.items.values() if one.is_live} == {"vpc-2", "vpc-3"}
    assert len(queue.taken) == 1, "there is no third look"


def test_what_was_read_since_is_not_read_again() -> None:
    world, store, queue = World(_vpc(1)), MemoryStore(), Queue()
    track_account(_SHOP, world, store, clock=lambda: START)
    before = dict(store.coverage)
    outcome = _reread(world, store, queue, Reread(_SHOP.id, _HERE, START - timedelta(minutes=1)), minutes=1)
    assert outcome == RereadOutcome(_SHOP.id, frozenset())
    assert store.coverage == before


def test_a_second_look_that_the_queue_does_not_take_is_told_and_the_next_run_believes() -> None:
    world, store, queue = World(_vpc(1)), MemoryStore(), Queue(refused=("second-look",))
    track_account(_SHOP, world, store, clock=lambda: START)
    world.vpcs.clear()
    change = Reread(_SHOP.id, _HERE, START)
    assert len(_reread(world, store, queue, change, minutes=2).unsent) == 1
    assert store.items[_vpc(1).key].is_live
    track_account(_SHOP, world, store, clock=lambda: START + timedelta(minutes=9))
    assert store.items[_vpc(1).key].vpc.state == DELETED
