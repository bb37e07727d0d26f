"""The difference between what is stored and what was read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.strategies import ACCOUNTS, REGIONS, START, regions, stored_vpcs, vpc_ids, vpcs

from landkeeper.org import Account, Failure, FailureReason, Region, Standing
from landkeeper.vpctracker.differences import (
    Appeared,
    Change,
    Changed,
    Complete,
    Disappeared,
    NotRead,
    RegionRead,
    Unreadable,
    diff_account,
    kind_of,
    seen_vpcs,
)
from landkeeper.vpctracker.inventory import (
    DELETED,
    NOBODY,
    CidrAssociation,
    Peering,
    StoredVpc,
    Subnet,
    TransitGatewayAttachment,
    Vpc,
    VpcId,
)

_OWNER = Account(ACCOUNTS[0], "owner")
_PARTICIPANT = Account(ACCOUNTS[1], "participant")
_OTHER = Account(ACCOUNTS[2], "other")
_HERE, _THERE = REGIONS
_LATER = START + timedelta(hours=1)
_DENIED = Unreadable(Failure(FailureReason.SCP_DENY, "UnauthorizedOperation"))

_READ = Vpc(
    vpc_ids(1), _OWNER.id, _HERE, "10.0.0.0/16", name="lake", subnets=(Subnet("subnet-1", "az1", "10.0.0.0/24", 251),)
)
_STORED = StoredVpc(replace(_READ, account_name="owner", read_by=_OWNER.id), START, START, 3)


def _diff(stored: list[StoredVpc], reads: Mapping[Region, RegionRead], account: Account = _OWNER) -> list[Change]:
    return list(diff_account(stored, reads, account, _LATER))


def _seen(*found: Vpc) -> dict[Region, RegionRead]:
    return {_HERE: Complete(found)}


def test_a_new_vpc_appears_with_its_account() -> None:
    (change,) = _diff([], _seen(_READ))
    assert change == Appeared(StoredVpc(_STORED.vpc, first_seen=_LATER, last_changed=_LATER, version=1))
    assert change.expected_version == 0


def test_what_did_not_change_is_not_written() -> None:
    assert _diff([_STORED], _seen(_READ)) == []


def test_a_change_of_free_addresses_alone_is_none() -> None:
    fewer = replace(_READ, subnets=(Subnet("subnet-1", "az1", "10.0.0.0/24", 7),))
    assert _diff([_STORED], _seen(fewer)) == []
    (change,) = _diff([_STORED], _seen(replace(fewer, name="pond")))
    assert change.after.vpc.subnets[0].free_addresses == 7


def test_a_change_keeps_what_was_there_and_counts_the_version() -> None:
    (change,) = _diff([_STORED], _seen(replace(_READ, name="pond")))
    assert isinstance(change, Changed)
    assert change.before == _STORED
    assert change.expected_version == 3
    assert change.after == StoredVpc(replace(_STORED.vpc, name="pond"), START, _LATER, 4)


def test_only_a_complete_read_of_its_region_takes_a_vpc_away() -> None:
    assert _diff([_STORED], {_HERE: _DENIED}) == []
    assert _diff([_STORED], {_THERE: Complete(())}) == []
    assert _diff([_STORED], {}) == []
    (change,) = _diff([_STORED], _seen())
    assert isinstance(change, Disappeared)
    assert change.expected_version == 3
    assert (change.after.vpc.state, change.after.deleted_at, change.after.version) == (DELETED, _LATER, 4)
    assert not change.after.is_live


def test_a_vpc_that_is_gone_is_not_taken_away_again() -> None:
    (change,) = _diff([_STORED], _seen())
    assert _diff([change.after], _seen()) == []


def _doubted(stored: list[StoredVpc], found: Mapping[Region, RegionRead], account: Account = _OWNER) -> list[Change]:
    return list(diff_account(stored, found, account, _LATER, confirm_deletions=False))


def test_an_absence_that_is_not_believed_only_marks_the_vpc() -> None:
    (change,) = _doubted([_STORED], _seen())
    assert isinstance(change, Changed)
    assert change.after == replace(_STORED, last_changed=_LATER, version=4, missing_since=_LATER)
    assert change.after.is_live


@pytest.mark.parametrize("confirm_deletions", [True, False])
def test_a_marked_vpc_is_gone_at_the_next_complete_read_of_whatever_cause(*, confirm_deletions: bool) -> None:
    (marked,) = _doubted([_STORED], _seen())
    (gone,) = diff_account([marked.after], _seen(), _OWNER, _LATER, confirm_deletions=confirm_deletions)
    assert isinstance(gone, Disappeared)
    assert (gone.after.deleted_at, gone.after.missing_since) == (_LATER, None)


def test_a_marked_vpc_that_is_seen_again_loses_the_mark() -> None:
    (marked,) = _doubted([_STORED], _seen())
    (found,) = _doubted([marked.after], _seen(_READ))
    assert isinstance(found, Changed)
    assert found.after == replace(_STORED, last_changed=_LATER, version=5)


def test_a_participant_neither_marks_nor_clears_the_mark() -> None:
    shared = replace(_STORED, vpc=replace(_STORED.vpc, shared_with=(_PARTICIPANT.id,)))
    assert _doubted([shared], _seen(), _PARTICIPANT) == []
    (marked,) = _doubted([shared], _seen())
    (left,) = _diff([marked.after], _seen(), _PARTICIPANT)
    assert (left.after.missing_since, left.after.vpc.shared_with) == (_LATER, ())
    assert _diff([marked.after], _seen(_READ), _PARTICIPANT) == []


def test_connections_that_could_not_be_read_stay_as_they_were() -> None:
    peering = Peering("pcx-1", "active", vpc_ids(2), _OTHER.id, _THERE)
    attachment = TransitGatewayAttachment("tgw-attach-1", "tgw-1", _OTHER.id, "available")
    connected = replace(_STORED, vpc=replace(_STORED.vpc, peerings=(peering,), transit_gateways=(attachment,)))
    unread: dict[Region, RegionRead] = {_HERE: Complete((_READ,), _DENIED.failure)}
    assert _diff([connected], unread) == []
    (new,) = _diff([], unread)
    assert new.after.vpc.peerings == ()
    (change,) = _diff([connected], _seen(_READ))
    assert (change.after.vpc.peerings, change.after.vpc.transit_gateways) == ((), ())


def test_a_region_that_is_left_out_on_purpose_takes_nothing_away() -> None:
    assert _diff([_STORED], {_HERE: NotRead(Standing.GOVERNED)}) == []
    assert _diff([_STORED], {_HERE: NotRead(Standing.DISABLED)}) == []


def test_a_deleted_vpc_that_its_owner_sees_again_is_available_again() -> None:
    (gone,) = _diff([_STORED], _seen())
    (back,) = _diff([gone.after], _seen(_READ))
    assert (back.after.vpc.state, back.after.deleted_at, back.after.version) == ("available", None, 5)
    assert back.after.first_seen == START


def test_an_account_whose_name_was_not_read_keeps_the_one_that_is_known() -> None:
    assert _diff([_STORED], _seen(_READ), Account(_OWNER.id)) == []
    (change,) = _diff([_STORED], _seen(_READ), Account(_OWNER.id, "renamed"))
    assert change.after.vpc.account_name == "renamed"


def test_a_shared_vpc_appears_under_its_owner() -> None:
    (change,) = _diff([], _seen(_READ), _PARTICIPANT)
    assert isinstance(change, Appeared)
    assert change.after.vpc.key == _READ.key
    assert (change.after.vpc.shared_with, change.after.vpc.account_name) == ((_PARTICIPANT.id,), "")


def test_a_participant_is_added_to_what_the_owners_read_says() -> None:
    partial = replace(_READ, name="", subnets=())
    (change,) = _diff([_STORED], _seen(partial), _PARTICIPANT)
    assert change.after.vpc == replace(_STORED.vpc, shared_with=(_PARTICIPANT.id,))
    (second,) = _diff([change.after], _seen(partial), _OTHER)
    assert second.after.vpc.shared_with == (_PARTICIPANT.id, _OTHER.id)
    assert _diff([second.after], _seen(partial), _PARTICIPANT) == []


def test_the_owners_read_replaces_a_participants_and_keeps_the_participants() -> None:
    (shared,) = _diff([], _seen(replace(_READ, name="")), _PARTICIPANT)
    (change,) = _diff([shared.after], _seen(_READ))
    assert change.after.vpc == replace(_STORED.vpc, shared_with=(_PARTICIPANT.id,))
    assert _diff([change.after], _seen(_READ)) == []


def test_one_participant_speaks_for_an_owner_that_was_never_read() -> None:
    (shared,) = _diff([], _seen(_READ), _PARTICIPANT)
    (second,) = _diff([shared.after], _seen(replace(_READ, subnets=())), _OTHER)
    assert second.after.vpc.subnets == _READ.subnets
    grown = replace(_READ, cidr_associations=(CidrAssociation("a", "10.1.0.0/16", "associated"),))
    (change,) = _diff([second.after], _seen(grown), _PARTICIPANT)
    assert change.after.vpc.cidr_blocks == ("10.0.0.0/16", "10.1.0.0/16")
    assert change.after.vpc.shared_with == (_PARTICIPANT.id, _OTHER.id)


def test_when_that_participant_leaves_the_next_one_speaks() -> None:
    (shared,) = _diff([], _seen(_READ), _PARTICIPANT)
    (second,) = _diff([shared.after], _seen(_READ), _OTHER)
    (left,) = _diff([second.after], _seen(), _PARTICIPANT)
    assert (left.after.vpc.read_by, left.after.vpc.shared_with) == (NOBODY, (_OTHER.id,))
    (taken_over,) = _diff([left.after], _seen(replace(_READ, subnets=())), _OTHER)
    assert (taken_over.after.vpc.read_by, taken_over.after.vpc.subnets) == (_OTHER.id, ())


def test_a_participant_that_no_longer_sees_a_vpc_is_taken_off_and_the_vpc_stays() -> None:
    (shared,) = _diff([_STORED], _seen(_READ), _PARTICIPANT)
    assert _diff([shared.after], {_HERE: _DENIED}, _PARTICIPANT) == []
    (change,) = _diff([shared.after], _seen(), _PARTICIPANT)
    assert isinstance(change, Changed)
    assert change.after.vpc == _STORED.vpc
    assert _diff([change.after], _seen(), _PARTICIPANT) == []


def test_a_participant_does_not_bring_back_what_its_owner_no_longer_has() -> None:
    (gone,) = _diff([_STORED], _seen())
    assert _diff([gone.after], _seen(_READ), _PARTICIPANT) == []
    assert _diff([gone.after], _seen(), _PARTICIPANT) == []


def test_a_vpc_that_is_gone_is_shared_with_nobody() -> None:
    (shared,) = _diff([_STORED], _seen(_READ), _PARTICIPANT)
    (gone,) = _diff([shared.after], _seen())
    assert gone.after.vpc.shared_with == ()


def test_the_kinds_of_change_have_words() -> None:
    (appeared,) = _diff([], _seen(_READ))
    (changed,) = _diff([_STORED], _seen(replace(_READ, name="pond")))
    (disappeared,) = _diff([_STORED], _seen())
    assert [kind_of(change) for change in (appeared, changed, disappeared)] == ["appeared", "changed", "disappeared"]


def test_block_lists_are_what_the_associations_say() -> None:
    states = ("associated", "associating", "disassociating", "failed")
    associations = [CidrAssociation(state, f"10.{n}.0.0/16", state) for n, state in enumerate(states)]
    associations += [CidrAssociation("six", "2001:db8::/56", "associated")]
    vpc = replace(_READ, cidr_block="10.9.0.0/16", cidr_associations=tuple(associations))
    assert vpc.cidr_blocks == ("10.9.0.0/16", "10.0.0.0/16")
    assert vpc.ipv6_cidr_blocks == ("2001:db8::/56",)
    assert vpc.taken_blocks == ("10.9.0.0/16", "10.0.0.0/16", "10.1.0.0/16", "10.2.0.0/16", "2001:db8::/56")


_reads = st.dictionaries(
    regions,
    st.just(_DENIED)
    | st.lists(vpcs(), max_size=4, unique_by=lambda vpc: vpc.id).map(lambda found: Complete(tuple(found))),
)


def _placed(reads: Mapping[Region, RegionRead]) -> dict[Region, RegionRead]:
    """The same with each VPC in the region that it was read in, and in no other."""
    placed: dict[Region, RegionRead] = {}
    for number, (region, read) in enumerate(reads.items()):
        if isinstance(read, Complete):
            found = (replace(vpc, id=VpcId(f"{vpc.id}{number}"), region=region) for vpc in read.vpcs)
            placed[region] = Complete(tuple(found))
        else:
            placed[region] = read
    return placed


def _applied(stored: list[StoredVpc], changes: list[Change]) -> list[StoredVpc]:
    items = {one.vpc.key: one for one in stored}
    for change in changes:
        held = items.get(change.after.vpc.key)
        assert (held.version if held else 0) == change.expected_version
        items[change.after.vpc.key] = change.after
    return list(items.values())


_stored_lists = st.lists(stored_vpcs(), max_size=6, unique_by=lambda one: one.vpc.key)


@given(_stored_lists, _reads)
def test_after_the_changes_nothing_is_left_to_write(stored: list[StoredVpc], reads: dict[Region, RegionRead]) -> None:
    reads = _placed(reads)
    assert _diff(_applied(stored, _diff(stored, reads)), reads) == []


@given(_stored_lists, _reads)
def test_after_the_changes_the_store_holds_what_the_owner_read(
    stored: list[StoredVpc], reads: dict[Region, RegionRead]
) -> None:
    reads = _placed(reads)
    complete = {region for region, read in reads.items() if isinstance(read, Complete)}
    after = _applied(stored, _diff(stored, reads))
    live = {one.vpc.key for one in after if one.is_live and one.vpc.owner == _OWNER.id and one.vpc.region in complete}
    assert live == {vpc.key for vpc in seen_vpcs(reads) if vpc.owner == _OWNER.id}


@given(_stored_lists, _reads)
def test_what_was_not_read_is_left_alone(stored: list[StoredVpc], reads: dict[Region, RegionRead]) -> None:
    complete = {region for region, read in reads.items() if isinstance(read, Complete)}
    for change in _diff(stored, _placed(reads)):
        assert change.after.vpc.region in complete
        if isinstance(change, Disappeared):
            assert change.before.vpc.owner == _OWNER.id
