"""What people are told, when, and how often."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.memory_pools import MemoryPools
from tests.memory_store import MemoryStore
from tests.strategies import ACCOUNTS, REGIONS, START, vpc_ids

from landkeeper.org import AccountId, Failure, FailureReason, Membership
from landkeeper.vpctracker.cidr import parse_block
from landkeeper.vpctracker.config import Notices, Space, TrackerConfig
from landkeeper.vpctracker.coverage import Coverage, RegionCoverage
from landkeeper.vpctracker.inventory import DELETED, StoredVpc, Vpc
from landkeeper.vpctracker.notices.news import Notice, Noticed
from landkeeper.vpctracker.notices.notify import NotifyOutcome, notify
from landkeeper.vpctracker.pools.items import LIST, PoolWrite, pool_to_item, reservation_to_item
from landkeeper.vpctracker.pools.pool import Kind, Pool, Reservation

POOLS = MemoryPools()
"""No pools."""
CONFIG = TrackerConfig(notices=Notices(unreadable_runs=3))
DENIED = Failure(FailureReason.MISSING_PERMISSION, "UnauthorizedOperation", "no")
THROTTLED = Failure(FailureReason.THROTTLED, "RequestLimitExceeded", "slow")


class Topic:
    """Keeps what it was told; refuses when it is told to."""

    def __init__(self) -> None:
        self.notices: list[Notice] = []
        self.failure: Failure | None = None
        self.before_publish: Callable[[], object] = lambda: None

    def publish_notice(self, notice: Notice) -> Failure | None:
        self.before_publish()
        if self.failure is None:
            self.notices.append(notice)
        return self.failure

    def take(self) -> list[Notice]:
        """The notices since the last time."""
        taken, self.notices = self.notices, []
        return taken


@pytest.fixture
def store() -> MemoryStore:
    """A store in which the first look has been told: there was nothing."""
    store = MemoryStore()
    store.noticed = Noticed(version=1)
    return store


@pytest.fixture
def topic() -> Topic:
    return Topic()


def _keep(
    store: MemoryStore,
    number: int,
    cidr_block: str = "10.0.0.0/16",
    *,
    owner: AccountId = ACCOUNTS[0],
    is_default: bool = False,
    name: str = "",
) -> None:
    vpc = Vpc(vpc_ids(number), owner, REGIONS[0], cidr_block, is_default=is_default, name=name, account_name="lake")
    store.items[vpc.key] = StoredVpc(vpc, START, START, 1)


def _delete(store: MemoryStore, number: int) -> None:
    (key,) = (key for key in store.items if key.vpc == vpc_ids(number))
    store.items[key] = replace(store.items[key], vpc=replace(store.items[key].vpc, state=DELETED), deleted_at=START)


def _told(store: MemoryStore, topic: Topic) -> list[Notice]:
    assert notify(store, topic, CONFIG, POOLS) == NotifyOutcome(len(topic.notices))
    return topic.take()


def test_an_overlap_is_told_once_and_again_when_it_gains_a_member(store: MemoryStore, topic: Topic) -> None:
    _keep(store, 1, name="pond")
    _keep(store, 2, "10.0.8.0/24", owner=ACCOUNTS[1])
    (notice,) = _told(store, topic)
    assert notice.subject == "Landkeeper: VPCs overlap in 10.0.0.0/16 (space default)"
    assert notice.text == (
        "VPCs of 2 accounts in the space default use the same addresses in 10.0.0.0/16:\n"
        f"  new: 10.0.0.0/16 {vpc_ids(1)} 'pond' of lake (111122223333) in eu-west-1\n"
        f"  new: 10.0.8.0/24 {vpc_ids(2)} of lake (444455556666) in eu-west-1\n"
        "`landkeeper vpc overlaps` shows every overlap.\n"
    )
    assert _told(store, topic) == []
    _keep(store, 3)
    (again,) = _told(store, topic)
    assert again.subject == "Landkeeper: another VPC overlaps in 10.0.0.0/16 (space default)"
    facts = json.loads(again.json)
    assert [(one["VpcId"], one["IsNew"]) for one in facts["Members"]] == [
        (vpc_ids(3), True),
        (vpc_ids(1), False),
        (vpc_ids(2), False),
    ]
    assert _told(store, topic) == []


def test_an_overlap_that_loses_a_member_is_no_news_but_one_that_comes_back_is(store: MemoryStore, topic: Topic) -> None:
    for number in (1, 2, 3):
        _keep(store, number)
    assert "1 account in" in _told(store, topic)[0].text
    _delete(store, 3)
    assert _told(store, topic) == []
    _keep(store, 3)
    assert len(_told(store, topic)) == 1


def test_what_is_repeated_on_purpose_and_default_vpcs_among_themselves_are_no_overlaps_to_tell(
    store: MemoryStore, topic: Topic
) -> None:
    _keep(store, 1, "100.64.0.0/16")
    _keep(store, 2, "100.64.0.0/16")
    assert _told(store, topic) == []
    _keep(store, 3, "172.31.0.0/16", is_default=True)
    _keep(store, 4, "172.31.0.0/16", is_default=True)
    (notice,) = _told(store, topic)
    assert json.loads(notice.json)["Kind"] == "default-vpc"


def test_default_vpcs_are_told_account_by_account_once_each(store: MemoryStore, topic: Topic) -> None:
    _keep(store, 1, "172.31.0.0/16", is_default=True)
    _keep(store, 2, "172.31.0.0/16", is_default=True)
    _keep(store, 3, "172.31.0.0/16", is_default=True, owner=ACCOUNTS[1])
    first, second = _told(store, topic)
    assert first.subject == "Landkeeper: 2 new default VPCs in account 111122223333"
    assert second.subject == "Landkeeper: a new default VPC in account 444455556666"
    assert [one["VpcId"] for one in json.loads(first.json)["Vpcs"]] == [vpc_ids(1), vpc_ids(2)]
    assert _told(store, topic) == []
    _delete(store, 1)
    assert _told(store, topic) == []
    _keep(store, 4, "172.31.0.0/16", is_default=True)
    (third,) = _told(store, topic)
    assert vpc_ids(4) in third.text
    assert vpc_ids(2) not in third.text


def test_an_account_is_told_when_it_was_unreadable_long_enough_and_again_for_another_reason(
    store: MemoryStore, topic: Topic
) -> None:
    def failing(runs: int, **failures: Failure | None) -> None:
        regions = {REGIONS[0]: RegionCoverage(START, START, failures.get("region")), REGIONS[1]: RegionCoverage(START)}
        known = store.read_coverage(ACCOUNTS[0])
        failing_now = Coverage(ACCOUNTS[0], "lake", START, failures.get("whole"), regions, failed_runs=runs)
        assert store.write_coverage(replace(failing_now, version=known.version))

    failing(2, region=DENIED)
    assert _told(store, topic) == []
    failing(3, region=DENIED)
    (notice,) = _told(store, topic)
    assert notice.subject == "Landkeeper: account 111122223333 cannot be read (3 runs in a row)"
    assert "  eu-west-1: permission missing (UnauthorizedOperation: no)\n" in notice.text
    failing(4, region=DENIED)
    assert _told(store, topic) == []
    failing(5, region=DENIED, whole=THROTTLED)
    (other,) = _told(store, topic)
    assert "  all regions: throttled out (RequestLimitExceeded: slow)\n" in other.text
    failing(0)
    assert _told(store, topic) == []
    failing(3, region=DENIED)
    assert len(_told(store, topic)) == 1


def test_an_account_that_left_is_not_called_unreadable(store: MemoryStore, topic: Topic) -> None:
    store.write_coverage(Coverage(ACCOUNTS[0], failure=DENIED, failed_runs=9, membership=Membership.DEPARTED))
    assert _told(store, topic) == []


def test_the_first_look_ever_is_one_summary(topic: Topic) -> None:
    store = MemoryStore()
    for number in range(0, 60, 2):
        _keep(store, number, f"10.{number}.0.0/16")
        _keep(store, number + 1, f"10.{number}.0.0/16")
    _keep(store, 99, "172.31.0.0/16", is_default=True)
    (notice,) = _told(store, topic)
    assert (
        notice.subject
        == ("Landkeeper: found at first: 30 overlapping ranges, 1 accounts with default VPCs, 0 unreadable accounts")[
            :99
        ]
    )
    assert json.loads(notice.json) == {
        "Kind": "summary",
        "IsFirst": True,
        "Counts": {"unreadable": 0, "overlap": 30, "default-vpc": 1, "conflict": 0},
    }
    assert "  VPCs overlap in 10.58.0.0/16 (space default)\n" in notice.text
    assert _told(store, topic) == []
    _keep(store, 100, "172.31.0.0/16", is_default=True)
    assert len(_told(store, topic)) == 1


def test_a_first_look_at_nothing_tells_nothing_and_is_the_first_look_all_the_same(topic: Topic) -> None:
    store = MemoryStore()
    assert _told(store, topic) == []
    assert store.noticed.version == 1
    _keep(store, 1, is_default=True)
    assert json.loads(_told(store, topic)[0].json)["Kind"] == "default-vpc"


def test_very_much_at_once_is_one_summary_with_an_end(store: MemoryStore, topic: Topic) -> None:
    for number in range(150):
        _keep(store, number, "172.31.0.0/16", is_default=True, owner=AccountId(f"{number:012d}"))
    (notice,) = _told(store, topic)
    assert notice.subject.startswith("Landkeeper: new: 0 overlapping ranges, 150 accounts")
    assert len(notice.text.splitlines()) == 101
    assert "  and 53 more\n" in notice.text
    assert notice.text.endswith("show all of it.\n")
    assert _told(store, topic) == []


def test_a_long_list_is_cut_and_says_so(store: MemoryStore, topic: Topic) -> None:
    for number in range(130):
        _keep(store, number)
    (notice,) = _told(store, topic)
    facts = json.loads(notice.json)
    assert (len(facts["Members"]), facts["Omitted"]) == (100, 30)
    assert len(notice.json) + len(notice.text) < 100_000


def test_names_cannot_forge_a_line_and_a_subject_is_short_ascii(store: MemoryStore, topic: Topic) -> None:
    space = "s" * 120 + "\nÅ"
    _keep(store, 1, name="pond\nnew: 10.9.0.0/16 forged" + "x" * 400)
    _keep(store, 2)
    config = TrackerConfig(spaces=(Space(space, accounts=(ACCOUNTS[0],)),))
    assert notify(store, topic, config, POOLS).sent == 1
    (notice,) = topic.take()
    assert len(notice.text.splitlines()) == 4
    assert r"pond\nnew" in notice.text
    assert len(notice.subject) == 99
    assert notice.subject.isascii()


def test_what_the_topic_refused_is_told_the_next_time(store: MemoryStore, topic: Topic) -> None:
    _keep(store, 1, is_default=True)
    topic.failure = THROTTLED
    assert notify(store, topic, CONFIG, POOLS) == NotifyOutcome(0, THROTTLED)
    assert store.noticed.told == frozenset()
    topic.failure = None
    assert len(_told(store, topic)) == 1


def test_of_two_that_tell_at_once_the_second_repeats_only_the_notice_under_way(
    store: MemoryStore, topic: Topic
) -> None:
    for number, owner in enumerate(ACCOUNTS):
        _keep(store, number, "172.31.0.0/16", is_default=True, owner=owner)
    other = Topic()

    def the_other_tells_everything() -> None:
        topic.before_publish = lambda: None
        notify(store, other, CONFIG, POOLS)

    topic.before_publish = the_other_tells_everything
    assert notify(store, topic, CONFIG, POOLS) == NotifyOutcome(1)
    assert len(other.notices) == 3
    assert topic.notices == other.notices[:1]
    assert _told(store, Topic()) == []


def test_what_another_run_told_meanwhile_is_not_forgotten(store: MemoryStore, topic: Topic) -> None:
    """The other run sees a VPC that came after this one had looked."""
    _keep(store, 1, "172.31.0.0/16", is_default=True)
    other = Topic()

    def the_other_sees_more() -> None:
        topic.before_publish = lambda: None
        _keep(store, 2, "172.31.0.0/16", is_default=True, owner=ACCOUNTS[1])
        notify(store, other, CONFIG, POOLS)

    topic.before_publish = the_other_sees_more
    notify(store, topic, CONFIG, POOLS)
    assert _told(store, Topic()) == []


class Contested(MemoryStore):
    """A store in which somebody else always writes first."""

    def write_noticed(self, noticed: Noticed) -> bool:
        self.noticed = replace(self.noticed, version=self.noticed.version + 1)
        return False


def test_one_that_never_gets_to_write_gives_up_and_has_told_once(topic: Topic) -> None:
    store = Contested()
    _keep(store, 1, is_default=True)
    assert notify(store, topic, CONFIG, POOLS) == NotifyOutcome(1)


def test_time_alone_is_no_news(store: MemoryStore, topic: Topic) -> None:
    _keep(store, 1, is_default=True)
    assert len(_told(store, topic)) == 1
    ((key, one),) = store.items.items()
    store.items[key] = replace(one, last_changed=START + timedelta(days=1), version=2)
    assert _told(store, topic) == []


def test_a_reservation_in_conflict_is_told_once_and_again_with_every_other_vpc(
    store: MemoryStore, topic: Topic
) -> None:
    pools = MemoryPools()
    pool = Pool("prod", parse_block("10.0.0.0/8"))
    held = Reservation("res-1", "prod", parse_block("10.0.0.0/20"), Kind.ALLOCATION, START, account=ACCOUNTS[1],
                       purpose="web")  # fmt: skip
    pools.write_pools(PoolWrite({LIST: 0, "prod": 0}, puts=(pool_to_item(pool), reservation_to_item(held))))
    _keep(store, 1, "10.0.0.0/28", name="pond")
    assert notify(store, topic, CONFIG, pools).sent == 1
    (notice,) = topic.take()
    assert notice.subject == "Landkeeper: VPCs overlap the reservation 10.0.0.0/20 in pool prod"
    assert notice.text == (
        "10.0.0.0/20, reserved as res-1 in pool prod for 444455556666 (web), is in conflict with:\n"
        f"  {vpc_ids(1)} of lake (111122223333) in eu-west-1 (10.0.0.0/28)\n"
        "`landkeeper vpc pool show prod` shows every reservation.\n"
    )
    facts = json.loads(notice.json)
    assert (facts["Kind"], facts["ReservationId"], [vpc["VpcId"] for vpc in facts["Vpcs"]]) == (
        "conflict", "res-1", [vpc_ids(1)],
    )  # fmt: skip
    assert notify(store, topic, CONFIG, pools).sent == 0
    _keep(store, 2, "10.0.1.0/28")
    assert notify(store, topic, CONFIG, pools).sent == 1
    topic.take()
    _delete(store, 1)
    _delete(store, 2)
    assert notify(store, topic, CONFIG, pools).sent == 0
    store.noticed = Noticed()
    _keep(store, 3, "10.0.2.0/28")
    assert notify(store, topic, CONFIG, pools).sent == 1
    assert "1 reservations in conflict" in topic.take()[0].text


def test_a_reservation_for_nobody_in_particular_is_told_without_an_account(store: MemoryStore, topic: Topic) -> None:
    pools = MemoryPools()
    held = Reservation("res-1", "prod", parse_block("10.0.0.0/20"), Kind.ELSEWHERE, START)
    items = (pool_to_item(Pool("prod", parse_block("10.0.0.0/8"))), reservation_to_item(held))
    pools.write_pools(PoolWrite({LIST: 0, "prod": 0}, puts=items))
    _keep(store, 1, "10.0.0.0/28")
    assert notify(store, topic, CONFIG, pools).sent == 1
    assert "reserved as res-1 in pool prod, is in conflict with:" in topic.take()[0].text
