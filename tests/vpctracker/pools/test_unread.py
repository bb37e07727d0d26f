"""Whose ranges nobody knows, what a configuration declares of them, and what a request may accept."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from tests.strategies import ACCOUNTS, REGIONS, START

from landkeeper.org import Membership, UsageError
from landkeeper.vpctracker.cidr import parse_block
from landkeeper.vpctracker.config import DeclaredAccount, Discovery, Space, TrackerConfig
from landkeeper.vpctracker.coverage import Coverage, RegionCoverage
from landkeeper.vpctracker.pools.operations import Request
from landkeeper.vpctracker.pools.refusals import explain
from landkeeper.vpctracker.pools.tracked import Tracked, tracked_in
from landkeeper.vpctracker.pools.unread import NeverRead, find_unread

LAKE, SHOP, OTHER = ACCOUNTS
TODAY = date(2026, 11, 29)
READ = Coverage(LAKE, "lake", regions={REGIONS[0]: RegionCoverage(START)})
UNREAD = Coverage(SHOP, "shop")


def _declared(*blocks: str, expires: date = TODAY) -> DeclaredAccount:
    return DeclaredAccount(SHOP, tuple(map(parse_block, blocks)), "network-team", expires)


def _tracked(*coverage: Coverage, **config: object) -> Tracked:
    known = {covered.account: covered for covered in (READ, *coverage)}
    return tracked_in("default", (), known, TrackerConfig(**config))  # type: ignore[arg-type]


def test_an_account_is_accepted_by_its_id_and_the_others_still_stand_in_the_way() -> None:
    tracked = _tracked(UNREAD)
    assert find_unread(tracked, LAKE, (), TODAY) == NeverRead((UNREAD,))
    assert find_unread(tracked, LAKE, (SHOP,), TODAY) is None
    assert find_unread(tracked, OTHER, (SHOP,), TODAY) == NeverRead((Coverage(OTHER),))


def test_a_declaration_stands_for_a_read_until_its_last_day_is_over() -> None:
    tracked = _tracked(UNREAD, declared_accounts=(_declared("10.9.0.0/16"),))
    assert find_unread(tracked, LAKE, (), TODAY) is None
    later = TODAY + timedelta(days=1)
    unread = find_unread(tracked, LAKE, (), later)
    assert unread == NeverRead((UNREAD,), {SHOP: TODAY})
    assert f"shop ({SHOP}) (its declaration expired on 2026-11-29) has never been read" in explain(
        unread, Request("prod", 20, LAKE, "web")
    )
    assert find_unread(tracked, LAKE, (SHOP,), later) is None


def test_a_declared_account_that_the_tracker_never_tried_may_ask() -> None:
    assert find_unread(_tracked(declared_accounts=(_declared(),)), SHOP, (), TODAY) is None


@pytest.mark.parametrize("expires", [TODAY, date(2020, 1, 1)])
def test_declared_blocks_are_taken_and_stay_taken(expires: date) -> None:
    tracked = _tracked(declared_accounts=(_declared("10.9.0.0/16", "fd00::/56", expires=expires),))
    assert set(tracked.taken) == {parse_block("10.9.0.0/16").sort_key, parse_block("fd00::/56").sort_key}


def test_declared_blocks_are_taken_in_the_spaces_where_the_account_may_have_vpcs() -> None:
    config = TrackerConfig(spaces=(Space("lab", (SHOP,)),), declared_accounts=(_declared("10.9.0.0/16"),))
    assert tracked_in("default", (), {}, config).taken == ()
    assert tracked_in("lab", (), {}, config).taken == (parse_block("10.9.0.0/16").sort_key,)


def test_nobody_waits_for_accounts_that_the_configuration_skips() -> None:
    skipping = {"discovery": Discovery(skip_accounts=(SHOP, OTHER))}
    assert find_unread(_tracked(UNREAD, **skipping), OTHER, (), TODAY) is None


@pytest.mark.parametrize(
    ("coverage", "config", "why"),
    [
        ((), {}, f"--accept-unread names {SHOP}: the tracker does not know the account"),
        ((Coverage(SHOP, "shop", regions={REGIONS[0]: RegionCoverage(START)}),), {},
         f"--accept-unread names shop ({SHOP}): the account was read, so its ranges are known"),
        ((Coverage(SHOP, membership=Membership.CLOSED),), {}, f"--accept-unread names {SHOP}: the account is closed"),
        ((Coverage(SHOP, membership=Membership.SKIPPED),), {}, f"--accept-unread names {SHOP}: the account is skipped"),
        ((UNREAD,), {"discovery": Discovery(skip_accounts=(SHOP,))},
         f"--accept-unread names shop ({SHOP}): the configuration skips it"),
        ((UNREAD,), {"declared_accounts": (_declared(),)},
         f"--accept-unread names shop ({SHOP}): the configuration declares its ranges"),
        ((UNREAD,), {"spaces": (Space("lab", (SHOP,)),)},
         f"--accept-unread names shop ({SHOP}): the account is in another space than the pool"),
    ],
)  # fmt: skip
def test_an_account_that_needs_no_acceptance_is_refused(
    coverage: tuple[Coverage, ...], config: dict[str, object], why: str
) -> None:
    with pytest.raises(UsageError) as raised:
        find_unread(_tracked(*coverage, **config), LAKE, (SHOP,), TODAY)
    assert str(raised.value) == why
