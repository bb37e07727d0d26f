"""A block as a resource of a stack: made once, replaced where it has to be, given back, and answered in words."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.memory_pools import MemoryPools
from tests.strategies import START, vpc_ids

from landkeeper.org import AccountId, Region, UsageError
from landkeeper.vpctracker.cidr import Block, parse_block
from landkeeper.vpctracker.config import TrackerConfig
from landkeeper.vpctracker.coverage import Coverage, RegionCoverage
from landkeeper.vpctracker.inventory import Vpc
from landkeeper.vpctracker.pools.custom_resource import (
    NOTHING,
    Prepared,
    parse_wishes,
    prepare_block,
    prepare_return,
    settle,
    word_answer,
)
from landkeeper.vpctracker.pools.items import PoolWrite
from landkeeper.vpctracker.pools.operations import Actor, create_pool, read_named_state, release
from landkeeper.vpctracker.pools.pool import Kind, Pool, Reservation
from landkeeper.vpctracker.pools.reserve import reserve_blocks
from landkeeper.vpctracker.pools.stack_request import StackCall, parse_call
from landkeeper.vpctracker.pools.tracked import Tracked, read_tracked

EVENT: dict[str, Any] = json.loads((Path(__file__).parents[2] / "events/stack_create.json").read_text("utf-8"))
CREATE = parse_call(EVENT)
HOUR = timedelta(hours=1)


class Interrupted(MemoryPools):
    """A store in which something else happens right before the next write."""

    before: Callable[[], object] | None = None

    def write_pools(self, write: PoolWrite) -> bool:
        before, self.before = self.before, None
        if before is not None:
            before()
        return super().write_pools(write)


@dataclass
class Provider:
    """The pools, and CloudFormation's side of the conversation."""

    store: Interrupted = field(default_factory=Interrupted)
    now: Any = START
    blocks_per_hour: int = 0

    def __post_init__(self) -> None:
        ids = (f"res-{number}" for number in itertools.count(1))
        self.actor = Actor("stack", lambda: self.now, lambda: next(ids), lambda: iter([True] * 3))
        self.read_at(START)
        for name, block in (("prod", "10.0.0.0/16"), ("test", "10.1.0.0/16")):
            create_pool(self.store, Pool(name, parse_block(block)), self.actor)

    def read_at(self, moment: Any) -> None:
        covered = Coverage(CREATE.account, "shop", regions={CREATE.region: RegionCoverage(moment)})
        self.store.coverage = [covered]

    def tracked_of(self, space: str, within: Block) -> Tracked:
        return read_tracked(self.store, space, TrackerConfig(), within)

    def prepare(self, call: StackCall = CREATE, **properties: str) -> Prepared:
        actor, wishes = replace(self.actor, by=call.stack), wishing(call, **properties)
        return prepare_block(self.store, wishes, self.tracked_of, actor, self.blocks_per_hour)

    def create(self, call: StackCall = CREATE, **properties: str) -> Reservation:
        made = settle(self.store, self.prepare(call, **properties), self.actor)
        assert made is not None
        return made

    def update(self, physical_id: str, **properties: str) -> Reservation:
        return self.create(replace(CREATE, kind="Update", physical_id=physical_id), **properties)

    def prepare_deletion(self, physical_id: str, call: StackCall = CREATE) -> Prepared:
        return prepare_return(self.store, replace(call, kind="Delete", physical_id=physical_id), self.actor)

    def delete(self, physical_id: str, call: StackCall = CREATE) -> Reservation | None:
        return settle(self.store, self.prepare_deletion(physical_id, call), self.actor)

    def reserve(self, block: str, purpose: str) -> Reservation:
        (made,) = reserve_blocks(
            self.store, "prod", [parse_block(block)], purpose, tracked_of=self.tracked_of, actor=self.actor
        )
        return made.reservation

    def held(self, pool: str = "prod") -> tuple[Reservation, ...]:
        return read_named_state(self.store, pool)[0].reservations


def wishing(call: StackCall, **properties: str) -> StackCall:
    return replace(call, properties={**call.properties, **properties})


@pytest.fixture
def provider() -> Provider:
    """Two pools, and the stack's account read."""
    return Provider()


def test_what_is_not_said_is_the_stacks_own() -> None:
    wished = parse_wishes(CREATE)
    assert (wished.pool, wished.prefix_length, wished.account, wished.region) == (
        "prod", 20, "111122223333", "eu-west-1",
    )  # fmt: skip
    assert (wished.purpose, wished.grow_to, wished.ttl) == ("Block of the stack web-shop", None, None)
    assert not wished.accept_unread
    said = parse_wishes(
        wishing(CREATE, Account="444455556666", Region="us-east-1", For="lake", GrowTo="/18", Ttl="7d",
                AcceptUnread="true", ServiceTimeout="60")
    )  # fmt: skip
    assert (said.account, said.region, said.purpose, said.grow_to, said.ttl, said.accept_unread) == (
        AccountId("444455556666"), Region("us-east-1"), "lake", 18, timedelta(days=7), True,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("properties", "why"),
    [
        ({"Pool": ""}, "the property Pool is missing"),
        ({"PrefixLength": ""}, "the property PrefixLength is missing"),
        ({"PrefixLength": "29"}, "PrefixLength is /29"),
        ({"GrowTo": "7"}, "GrowTo is '7'"),
        ({"Ttl": "soon"}, "Ttl is 'soon'"),
        ({"Account": "123"}, "Account: '123' is not an AWS account id"),
        ({"Region": "Europe"}, "Region: 'Europe' is not a region code"),
        ({"AcceptUnread": "yes"}, "AcceptUnread is 'yes': expected true or false"),
        ({"Prefix": "20"}, "there is no property Prefix: expected Pool, PrefixLength, Account"),
        ({"Pool": ["prod"]}, "the property Pool takes a text or a number"),
    ],
)
def test_a_wrong_property_is_named(properties: dict[str, Any], why: str) -> None:
    with pytest.raises(UsageError, match=why):
        parse_wishes(wishing(CREATE, **properties))


def test_a_request_that_comes_again_gets_the_same_block(provider: Provider) -> None:
    made = provider.create()
    assert (str(made.block), made.kind, made.made_by) == ("10.0.0.0/20", Kind.ALLOCATION, CREATE.stack)
    assert provider.create(replace(CREATE, id="another")) == made
    assert provider.held() == (made,)
    other = provider.create(replace(CREATE, logical_id="Second"))
    assert other.id != made.id
    assert len(provider.held()) == 2


def test_an_update_that_wishes_the_same_keeps_the_block(provider: Provider) -> None:
    made = provider.create()
    provider.now += HOUR
    assert provider.update(made.id) == made
    named = provider.update(made.id, For="web", Ttl="7d")
    assert named == replace(made, purpose="web", expires_at=made.made_at + timedelta(days=7))
    assert provider.update(made.id, For="web") == replace(named, expires_at=None)
    assert [one.id for one in provider.held()] == [made.id]


@pytest.mark.parametrize(
    "changed", [{"PrefixLength": "24"}, {"GrowTo": "18"}, {"Pool": "test"}, {"Region": "us-east-1"}]
)
def test_an_update_that_wishes_another_block_replaces_it(provider: Provider, changed: dict[str, str]) -> None:
    made = provider.create()
    other = provider.update(made.id, **changed)
    assert other.id != made.id
    assert made in provider.held(), "CloudFormation has it deleted when all of the stack is updated"
    assert provider.update(made.id, **changed) == other, "the same again"
    assert provider.update(other.id) == made, "a stack that is rolled back has the block that it had"
    given = provider.delete(other.id, wishing(CREATE, **changed))
    assert given is not None
    assert given.id == other.id


def test_a_block_that_was_released_by_hand_is_made_anew(provider: Provider) -> None:
    made = provider.create()
    release(provider.store, made.id, provider.tracked_of, provider.actor)
    assert provider.update(made.id).id != made.id


def test_what_is_given_back_is_free_after_the_next_complete_read(provider: Provider) -> None:
    made = provider.create()
    provider.now += HOUR
    assert provider.delete(made.id) == replace(made, expires_at=provider.now, request_id="")
    provider.now += HOUR
    assert provider.delete(made.id) is None, "once is enough"
    assert str(provider.create().block) == "10.0.16.0/20", "nobody has looked yet"
    provider.read_at(provider.now)
    assert str(provider.create(replace(CREATE, logical_id="Second")).block) == "10.0.0.0/20"


def test_a_block_in_which_a_vpc_is_left_stays_taken_and_the_stack_goes(provider: Provider) -> None:
    made = provider.create()
    provider.store.vpcs = [Vpc(vpc_ids(1), CREATE.account, CREATE.region, str(made.block))]
    assert provider.delete(made.id) is not None
    provider.now += HOUR
    provider.read_at(provider.now)
    assert str(provider.create(replace(CREATE, logical_id="Second")).block) == "10.0.16.0/20"


def test_a_time_to_live_that_is_over_is_not_made_longer(provider: Provider) -> None:
    made = provider.create(Ttl="1h")
    provider.now += 3 * HOUR
    given = provider.delete(made.id)
    assert given is not None
    assert given.expires_at == START + HOUR


def test_what_was_reserved_and_never_answered_is_given_back_too(provider: Provider) -> None:
    made = provider.create()
    given = provider.delete("web-shop-Block-1ABCDEFGH")
    assert given is not None
    assert given.id == made.id


def test_nothing_that_is_not_the_resources_own_is_given_back(provider: Provider) -> None:
    theirs = provider.create(replace(CREATE, stack=CREATE.stack.replace("c9f6a0c0", "00000000")))
    by_hand = provider.reserve("10.0.240.0/20", "Frankfurt")
    for physical_id in (theirs.id, by_hand.id, NOTHING, "", "res-9"):
        assert provider.delete(physical_id) is None
    assert provider.delete(NOTHING, wishing(CREATE, Pool="gone")) is None
    assert provider.delete(NOTHING, wishing(CREATE, PrefixLength="a lot")) is None
    assert provider.held() == (theirs, by_hand)


def test_why_there_is_no_block_is_told(provider: Provider) -> None:
    provider.create()
    second = replace(CREATE, logical_id="Second")
    with pytest.raises(UsageError, match="the pool 'prod' has no /16 left: the largest block that would fit is a /17"):
        provider.create(second, PrefixLength="16")
    with pytest.raises(UsageError, match=r"444455556666 has never been read, .* or pass AcceptUnread: true"):
        provider.create(Account="444455556666")
    provider.create(replace(CREATE, logical_id="All"), Pool="test", PrefixLength="16")
    with pytest.raises(UsageError, match="the pool 'test' is full"):
        provider.create(second, Pool="test", PrefixLength="28")


def test_a_block_that_somebody_releases_meanwhile_is_not_written_again(provider: Provider) -> None:
    made = provider.create()
    provider.store.before = lambda: release(provider.store, made.id, provider.tracked_of, provider.actor)
    prepared = provider.prepare(replace(CREATE, kind="Update", physical_id=made.id), For="web")
    assert settle(provider.store, prepared, provider.actor) is None
    assert provider.held() == ()
    again = provider.create()
    provider.store.before = lambda: release(provider.store, again.id, provider.tracked_of, provider.actor)
    assert provider.delete(again.id) is None


def test_nothing_that_a_stack_has_is_changed_before_its_answer_was_taken(provider: Provider) -> None:
    """A request that somebody forged gets as far as that: CloudFormation's bucket does not take its answer."""
    made = provider.create()
    update = replace(CREATE, kind="Update", physical_id=made.id)
    ended = provider.prepare(update, For="web", Ttl="1m").answer
    assert ended == replace(made, purpose="web", expires_at=made.made_at + timedelta(minutes=1))
    provider.now += HOUR
    given = provider.prepare_deletion(made.id).answer
    assert given == replace(made, expires_at=provider.now, request_id="")
    assert provider.held() == (made,)


def test_a_block_whose_answer_was_never_taken_is_free_after_some_hours(provider: Provider) -> None:
    prepared = provider.prepare()
    (held,) = provider.held()
    assert prepared.answer == replace(held, expires_at=None)
    assert held.expires_at == START + 6 * HOUR
    assert provider.prepare(Ttl="1h").reservation == held
    provider.now += 7 * HOUR
    provider.read_at(provider.now)
    assert str(provider.create(replace(CREATE, logical_id="Second")).block) == "10.0.0.0/20"


def test_a_stack_is_known_by_its_whole_arn(provider: Provider) -> None:
    """The last part of the ARN, which anybody can write into an event, is not enough."""
    made = provider.create()
    for forged in ("arn:aws:cloudformation:eu-west-1:999988887777", "arn:aws:cloudformation:us-east-1:111122223333"):
        stack = replace(CREATE, stack=f"{forged}:{CREATE.stack.split(':', 5)[5]}")
        assert provider.prepare_deletion(made.id, stack).reservation is None
        assert provider.prepare_deletion(NOTHING, wishing(stack, Account=CREATE.account)).reservation is None
    assert provider.held() == (made,)


def test_a_reservation_of_an_earlier_release_is_known_by_the_stack_that_made_it(provider: Provider) -> None:
    made = provider.create()
    (item,) = [item for item in provider.store.items.values() if item["Item"] == f"RES#{made.id}"]
    stack = CREATE.stack.rpartition("/")[2]
    item["RequestId"] = f"stack/{stack}/Block/{made.request_id.rpartition('/')[2]}"
    assert provider.update(made.id).id == made.id
    other = provider.update(made.id, PrefixLength="24")
    assert provider.update(other.id).id == made.id, "a stack that is rolled back has the block that it had"
    forged = replace(CREATE, stack=CREATE.stack.replace("111122223333", "999988887777"))
    assert provider.prepare_deletion(made.id, forged).reservation is None
    assert provider.delete(made.id) is not None


def test_the_stacks_of_an_account_reserve_so_many_blocks_in_an_hour(provider: Provider) -> None:
    def ask(name: str, account: str = CREATE.account, **properties: str) -> Prepared:
        stack = CREATE.stack.replace(CREATE.account, account).replace("web-shop", name)
        call = replace(CREATE, stack=stack, logical_id=name)
        return provider.prepare(call, AcceptUnread="true", **properties)

    provider.blocks_per_hour = 2
    ask("a")
    ask("b", Pool="test")
    provider.reserve("10.0.240.0/20", "Frankfurt")
    for pool in ("prod", "test"):
        with pytest.raises(UsageError, match="stacks of the account 111122223333 have reserved 2 blocks in the last"):
            ask("c", Pool=pool)
    assert ask("a").reservation is not None, "the same again is no new one"
    assert ask("d", account="444455556666").reservation is not None
    provider.now += HOUR
    assert ask("c").reservation is not None
    assert ask("e").reservation is not None
    provider.blocks_per_hour = 0
    assert ask("f").reservation is not None, "0 is no limit"


def test_requests_at_the_same_moment_do_not_exceed_the_limit(provider: Provider) -> None:
    """The count is of the state that the write is conditional on."""

    def ask(name: str) -> Prepared:
        return provider.prepare(replace(CREATE, logical_id=name))

    provider.blocks_per_hour = 1
    provider.store.before = lambda: ask("rival")
    with pytest.raises(UsageError, match="have reserved 1 blocks"):
        ask("late")
    assert [made.request_id.split("/")[-2] for made in provider.held()] == ["rival"]


def test_an_answer_has_what_a_template_may_ask_for(provider: Provider) -> None:
    made = provider.create(GrowTo="18")
    assert json.loads(word_answer(CREATE, made)) == {
        "Status": "SUCCESS", "PhysicalResourceId": made.id, "StackId": EVENT["StackId"],
        "RequestId": EVENT["RequestId"], "LogicalResourceId": "Block",
        "Data": {"CidrBlock": "10.0.0.0/20", "PoolId": "prod", "ReservationId": made.id, "RoomToGrow": "10.0.0.0/18"},
    }  # fmt: skip


def test_a_refusal_tells_why_in_one_line_that_is_not_too_long() -> None:
    told = json.loads(word_answer(CREATE, "it is\n full"))
    assert (told["Status"], told["Reason"], told["PhysicalResourceId"]) == ("FAILED", "it is full", NOTHING)
    assert "Data" not in told
    for reason in ("ä" * 9_000, '"\\' * 9_000, "名" * 9_000):
        answer = word_answer(replace(CREATE, physical_id="x" * 100), reason)
        assert len(answer) < 4_096
        assert json.loads(answer)["Reason"].endswith(" …")


def test_a_deletion_is_answered_with_the_id_it_was_about() -> None:
    told = json.loads(word_answer(replace(CREATE, kind="Delete", physical_id="res-7"), None))
    assert (told["Status"], told["PhysicalResourceId"]) == ("SUCCESS", "res-7")


def test_the_docs_name_the_properties_that_there_are() -> None:
    text = (Path(__file__).parents[3] / "docs/cloudformation.md").read_text("utf-8")
    table = text.partition("| property |")[2].partition("\n\n")[0]
    named = set(re.findall(r"`([A-Z]\w+)`", table))
    assert named == {"Pool", "PrefixLength", "GrowTo", "For", "Ttl", "Account", "Region", "AcceptUnread"}
    with pytest.raises(UsageError) as raised:
        parse_wishes(wishing(CREATE, Typo="x"))
    assert all(name in str(raised.value) for name in named)


def test_a_block_that_vpcs_of_others_have_by_now_is_not_answered_again(provider: Provider) -> None:
    made = provider.create()
    provider.store.vpcs = [Vpc(vpc_ids(1), AccountId("444455556666"), CREATE.region, "10.0.0.0/18")]
    with pytest.raises(UsageError, match=f"{made.id}, is in conflict: .*{vpc_ids(1)}.*; give the resource another log"):
        provider.create()
    assert provider.update(made.id).id == made.id, "what the resource has is its own: a rollback is not stuck"
    assert provider.create(replace(CREATE, logical_id="Another")).block != made.block
