"""The report's document: it contains everything that is stored, in the shape of the schema."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from benchmarks.landscape import make_report_input
from hypothesis import given, settings
from tests.report.report_inputs import BACKTEST, NOW, checked, report_input, report_inputs
from tests.strategies import ACCOUNTS, START, ipv6_blocks, vpc_ids

from landkeeper.aws.regions import partition_of
from landkeeper.broom.case import State
from landkeeper.org import AccountId, Failure, FailureReason, Membership, Region, Standing
from landkeeper.report.cases_view import view_broom
from landkeeper.report.report_input import Ledger, ReportInput
from landkeeper.report.view import view_report
from landkeeper.vpctracker.answers.ranking import find_overlaps_by_harm
from landkeeper.vpctracker.attributes import StoredItemError
from landkeeper.vpctracker.cidr import parse_block
from landkeeper.vpctracker.config import Connection, Space, TrackerConfig
from landkeeper.vpctracker.coverage import Coverage, RegionCoverage
from landkeeper.vpctracker.inventory import CidrAssociation, Peering, StoredVpc, Subnet, TransitGatewayAttachment, Vpc
from landkeeper.vpctracker.pools.pool import Kind, Pool, PoolState, Reservation
from landkeeper.vpctracker.schema import NewerItemError

SHOP, BANK, _ = ACCOUNTS
HERE = Region("eu-west-1")


def stored(number: int = 1, owner: AccountId = SHOP, block: str = "10.0.0.0/16", **more: object) -> StoredVpc:
    vpc = Vpc(vpc_ids(number), owner, HERE, block, account_name="shop", read_by=owner)
    return StoredVpc(replace(vpc, **more), START, START, version=1)  # type: ignore[arg-type]


def read_at(account: AccountId, **more: object) -> Coverage:
    covered = Coverage(account, "shop", START, regions={HERE: RegionCoverage(complete_at=START)})
    return replace(covered, **more)  # type: ignore[arg-type]


@given(report_inputs())
@settings(max_examples=50)
def test_the_document_always_fits_its_schema(made: ReportInput) -> None:
    document = view_report(made)
    read = checked(document)
    live = [stored for stored in made.known.vpcs if stored.is_live]
    assert [vpc["id"] for vpc in read["vpcs"]] == [stored.vpc.id for stored in live]
    for stored, shown in zip(live, read["vpcs"], strict=True):
        assert read["accounts"][shown["account"]]["id"] == stored.vpc.owner
        assert read["regions"][shown["region"]] == stored.vpc.region
        assert {*shown["cidrs"], *shown.get("ipv6", ())} == set(stored.vpc.taken_blocks)
        words = [read["words"][number] for number in shown.get("tags", ())]
        tags = dict(zip(words[::2], words[1::2], strict=True))
        name = {"Name": shown["name"]} if "Name" in stored.vpc.tags and "Name" not in tags else {}
        assert {**tags, **name} == dict(stored.vpc.tags)
    findings = find_overlaps_by_harm(made.known.vpcs, made.config)
    assert [(overlap["block"], overlap["kind"]) for overlap in read["overlaps"]] == [
        (str(finding.group.outermost), str(finding.kind)) for finding in findings
    ]


def test_the_document_of_a_large_organization_fits_its_schema() -> None:
    read = checked(view_report(make_report_input(vpcs=400, accounts=40, cases=30)))
    assert len(read["accounts"]) == 40
    assert {overlap["kind"] for overlap in read["overlaps"]} == {"collision", "default", "repeated"}
    assert len(read["trends"]["days"]) == 91
    assert [(pool["id"], len(pool["reservations"])) for pool in read["pools"]] == [("company", 1), ("workloads", 40)]


def test_a_vpc_is_shown_with_everything_that_is_known_about_it() -> None:
    vpc = stored(
        name="web", tags={"Name": "web", "Team": "blue"},
        cidr_associations=(
            CidrAssociation("a-1", "10.1.0.0/16", "associating"), CidrAssociation("a-2", "2001:db8::/56", "associated"),
            CidrAssociation("a-3", "10.2.0.0/16", "disassociated"),
        ),
        subnets=(Subnet("subnet-0a", "euw1-az1", "10.0.0.0/17", 32_763), Subnet("subnet-0b", "euw1-az2", "", 0)),
        peerings=(Peering("pcx-1", "active", vpc_ids(2), BANK, HERE),),
        transit_gateways=(
            TransitGatewayAttachment("tgw-attach-1", "tgw-1", BANK, "available"),
            TransitGatewayAttachment("tgw-attach-2", "tgw-2", BANK, "pending"),
        ),
        shared_with=(BANK,),
    )  # fmt: skip
    read = checked(view_report(report_input(replace(vpc, last_changed=NOW), coverage=(read_at(SHOP),))))
    assert read["vpcs"] == [
        {
            "id": vpc_ids(1), "account": 0, "region": 0, "cidrs": ["10.0.0.0/16", "10.1.0.0/16"],
            "subnets": [["0a", "10.0.0.0/17", 0, 32_763], ["0b", "", 1, 0]], "first_seen": "2026-03-01T12:00:00Z",
            "name": "web", "ipv6": ["2001:db8::/56"], "tags": [0, 1], "peerings": [["pcx-1", "active", vpc_ids(2)]],
            "gateways": ["tgw-1"], "last_changed": "2026-03-07T12:00:00Z", "shared_with": [BANK], "used": 0.0,
        }
    ]  # fmt: skip
    assert read["words"] == ["Team", "blue"]
    assert read["zones"] == ["euw1-az1", "euw1-az2"]


def test_utilization_counts_addresses_that_subnets_do_not_have_free() -> None:
    half = stored(subnets=(Subnet("subnet-0a", "euw1-az1", "10.0.0.0/17", 0),))
    unknown = stored(2, block="10.9.0.0/16", omitted=("Subnets",))
    shown = checked(view_report(report_input(half, unknown)))["vpcs"]
    assert [vpc.get("used") for vpc in shown] == [0.5, None]


def test_spaces_and_connections_come_from_the_configuration() -> None:
    config = TrackerConfig(
        spaces=(Space("plant", accounts=(BANK,)), Space("default", repeated=(parse_block("10.0.0.0/8"),))),
        connections=(Connection(SHOP, BANK), Connection(vpc_ids(1), vpc_ids(3))),
    )  # fmt: skip
    read = checked(view_report(report_input(stored(), stored(2, BANK), stored(3), config=config)))
    assert read["spaces"] == [
        {"name": "plant", "repeats_on_purpose": ["100.64.0.0/10"]},
        {"name": "default", "repeats_on_purpose": ["10.0.0.0/8"]},
    ]
    assert [vpc.get("space") for vpc in read["vpcs"]] == [None, 0, None]
    assert read["connections"] == [[SHOP, BANK], [vpc_ids(1), vpc_ids(3)]]
    assert [(overlap["kind"], overlap["space"], overlap["connections"]) for overlap in read["overlaps"]] == [
        ("repeated", 1, [1])
    ]


def test_coverage_has_reasons_as_text_and_stale_vpcs_their_last_read() -> None:
    denied = Failure(FailureReason.SCP_DENY, "AccessDenied")
    regions = {
        HERE: RegionCoverage(complete_at=START, failed_at=NOW, failure=denied),
        Region("eu-north-1"): RegionCoverage(standing=Standing.GOVERNED),
        Region("us-east-1"): RegionCoverage(),
    }
    departed = read_at(
        BANK, account_name="bank", unit="Sandbox/Old", membership=Membership.DEPARTED, failure=denied, failed_runs=4
    )
    coverage = (read_at(SHOP, regions=regions), departed)
    read = checked(view_report(report_input(stored(), coverage=coverage)))
    assert [(account["state"], account["unit"]) for account in read["accounts"]] == [
        ("departed", "Sandbox/Old"),
        ("active", None),
    ]
    numbers = {name: number for number, name in enumerate(read["regions"])}
    assert read["coverage"][0]["regions"] == [
        [numbers["eu-north-1"], "governed", None], [numbers[HERE], "scp_deny", "2026-03-01T12:00:00Z", "AccessDenied"],
        [numbers["us-east-1"], "never_read", None],
    ]  # fmt: skip
    assert (read["coverage"][1]["reason"], read["coverage"][1]["failed_runs"]) == ("scp_deny", 4)
    assert read["reasons"] == {
        "governed": "closed by policy, not read", "never_read": "never read",
        "scp_deny": "denied by a service control policy",
    }  # fmt: skip
    assert read["vpcs"][0]["stale"] == "2026-03-01T12:00:00Z"
    assert read["vpcs"][0]["why_stale"] == "denied by a service control policy"
    assert read["notices"][0] == (
        "1 account was not read completely in the last run and is shown as last known: shop. "
        "Reason: denied by a service control policy."
    )


def test_a_vpc_whose_account_was_never_read_is_stale_without_a_time() -> None:
    assert checked(view_report(report_input(stored())))["vpcs"][0]["stale"] == ""


def test_pools_are_shown_with_their_reservations_and_their_states() -> None:
    pool = Pool("prod", parse_block("10.0.0.0/8"), made_at=START)
    inner = Pool("shop", parse_block("10.128.0.0/16"), parent="prod", made_at=START)
    reservations = (
        Reservation("res-1", "prod", parse_block("10.0.0.0/16"), Kind.ALLOCATION, START, account=SHOP, purpose="web"),
        Reservation("res-2", "prod", parse_block("10.1.0.0/16"), Kind.ALLOCATION, START,
                    room=parse_block("10.0.0.0/15")),
        Reservation("res-3", "prod", parse_block("10.2.0.0/16"), Kind.ELSEWHERE, START, purpose="plant"),
        Reservation("res-4", "prod", inner.block, Kind.POOL, START, purpose="shop"),
        Reservation("res-5", "prod", parse_block("10.9.0.0/16"), Kind.ALLOCATION, START, account=SHOP,
                    region=HERE, expires_at=START - timedelta(days=1)),
        Reservation("res-6", "prod", parse_block("10.8.0.0/16"), Kind.ALLOCATION, START,
                    expires_at=NOW + timedelta(days=9)),
    )  # fmt: skip
    pools = (PoolState(pool, 7, reservations), PoolState(inner, 1))
    read = checked(view_report(report_input(stored(), coverage=(read_at(SHOP),), pools=pools)))
    prod, shop = read["pools"]
    assert [(reservation["id"], reservation["state"]) for reservation in prod["reservations"]] == [
        ("res-1", "used"), ("res-2", "used"), ("res-3", "elsewhere"), ("res-4", "pool"), ("res-5", "over"),
        ("res-6", "reserved"),
    ]  # fmt: skip
    assert prod["reservations"][0]["vpcs"] == [vpc_ids(1)]
    assert prod["used"] + prod["reserved"] + prod["in_pools"] + prod["free"] == 2**24
    assert (shop["parent"], shop["free"], shop["largest_free"]) == ("prod", 2**16, "10.128.0.0/16")


def test_a_reservation_that_a_vpc_of_others_overlaps_is_in_conflict_and_is_noticed() -> None:
    pool = Pool("prod", parse_block("10.0.0.0/8"), made_at=START)
    theirs = Reservation("res-1", "prod", parse_block("10.0.0.0/24"), Kind.ALLOCATION, START, account=BANK)
    read = checked(
        view_report(report_input(stored(), coverage=(read_at(SHOP),), pools=(PoolState(pool, 7, (theirs,)),)))
    )
    (entry,) = read["pools"][0]["reservations"]
    assert (entry["state"], entry["vpcs"]) == ("conflict", [vpc_ids(1)])
    assert (
        f"1 reservation is in conflict with VPCs of others: 10.0.0.0/24 in pool prod ({vpc_ids(1)})." in read["notices"]
    )


def test_a_pool_that_fills_has_the_day_on_which_it_is_full() -> None:
    pools = (PoolState(Pool("small", parse_block("10.0.0.0/13"), made_at=START), 1),)
    later = [replace(stored(n, block=f"10.{n}.0.0/16"), first_seen=START + timedelta(days=2 * n)) for n in range(3)]
    read = checked(view_report(report_input(*later, pools=pools)))
    assert read["pools"][0]["full_on"] == "2026-03-20"


def test_cases_come_newest_first_and_the_oldest_of_very_many_are_left_out() -> None:
    ledger = make_report_input(vpcs=1, accounts=1, cases=20).ledger
    assert ledger is not None
    view = view_broom(ledger, {"320000000000": "payments"}, most=15)
    assert [case.changed for case in view.cases] == sorted((case.changed for case in view.cases), reverse=True)
    assert (len(view.cases), view.left_out) == (15, 5)
    assert {case.account_name for case in view.cases} == {"payments"}
    fresh = replace(
        ledger.cases[0], state=State.WAITING, story=(), outcome=None, action=None, live_tags={"A": "b"}, how=""
    )
    shown = view_broom(Ledger((fresh,), ledger.since), {}).cases[0]
    assert (shown.because, shown.outcome, shown.action, shown.tags) == ("", None, None, {"A": "b"})


def test_a_report_says_how_many_cases_are_left_out() -> None:
    many = make_report_input(vpcs=1, accounts=1, cases=1002)
    assert any(notice.startswith("2 older Broom cases") for notice in view_report(many).notices)


def test_a_backtest_is_passed_on_unchanged() -> None:
    assert checked(view_report(report_input(stored(), backtest=BACKTEST)))["backtest"] == BACKTEST


def test_an_earlier_time_lacks_the_parts_without_history() -> None:
    made = make_report_input(vpcs=20, accounts=2, cases=2)
    then = replace(made, known=replace(made.known, as_of=made.now - timedelta(days=1)))
    read = checked(view_report(then))
    assert read["as_of"] == "2025-10-04T12:00:00Z"
    assert (read["coverage"], read["pools"], read["broom"]) == ([], [], None)
    assert "have no history and are left out" in read["notices"][0]
    assert read["vpcs"]
    assert not any("stale" in vpc for vpc in read["vpcs"])
    assert read["trends"]["unreadable"][-1] is None


def test_an_empty_store_names_the_command_that_fills_it() -> None:
    read = checked(view_report(report_input()))
    assert read["notices"] == ["Nothing is stored yet: run `landkeeper vpc track` to read the accounts."]
    assert (read["vpcs"], read["trends"]) == ([], None)


def test_accounts_without_vpcs_are_not_an_empty_store() -> None:
    read = checked(view_report(report_input(coverage=(read_at(SHOP),))))
    assert read["notices"][0] == "No VPC was found."
    assert read["accounts"] == [{"id": SHOP, "name": "shop", "unit": None, "state": "active"}]


def test_a_single_vpc_of_today_has_no_history() -> None:
    read = checked(view_report(report_input(replace(stored(), first_seen=NOW), coverage=(read_at(SHOP),))))
    assert read["notices"] == ["There is no history yet: trends begin on the second day."]
    assert len(read["vpcs"]) == 1


def test_an_ipv6_only_store_says_why_the_map_is_empty() -> None:
    only = stored(block="2001:db8::/56", subnets=(Subnet("subnet-0a", "euw1-az1", "", 0),))
    read = checked(view_report(report_input(only, coverage=(read_at(SHOP),))))
    assert read["vpcs"][0]["cidrs"] == []
    assert "used" not in read["vpcs"][0]
    assert read["notices"][0] == "No VPC has an IPv4 block, and the map shows IPv4 only: it is empty."


def test_ipv6_only_subnets_say_that_usage_is_unknown() -> None:
    only = stored(subnets=(Subnet("subnet-0a", "euw1-az1", "", 0),))
    read = checked(view_report(report_input(only, coverage=(read_at(SHOP),))))
    assert read["notices"][0].startswith("All subnets are IPv6-only")


def test_newer_and_broken_items_are_named() -> None:
    left_out = (
        NewerItemError("the item vpc-1 of 111122223333", 9), NewerItemError("the item vpc-2 of 111122223333", 9),
        StoredItemError("vpc-3 of 111122223333", "CidrBlock is missing"),
    )  # fmt: skip
    read = checked(view_report(report_input(stored(), coverage=(read_at(SHOP),), left_out=left_out)))
    assert read["notices"][:2] == [
        "2 stored items were written by a newer Landkeeper and are left out: update Landkeeper.",
        f"1 stored item cannot be read and is left out: {left_out[2]}",
    ]


def test_the_report_of_a_newer_store_says_only_that() -> None:
    read = checked(view_report(report_input(left_out=(NewerItemError("landkeeper.db", 9),))))
    assert read["notices"] == [
        "Left out: landkeeper.db was written by a newer Landkeeper (schema 9): update Landkeeper."
    ]


def test_of_many_stale_accounts_only_some_are_named() -> None:
    failed = Failure(FailureReason.ROLE_NOT_ASSUMABLE)
    coverage = tuple(read_at(AccountId(f"11112222333{n}"), account_name=f"shop-{n}", failure=failed) for n in range(5))
    notices = view_report(report_input(stored(), coverage=coverage)).notices
    assert notices[0] == (
        "5 accounts were not read completely in the last run and are shown as last known: shop-0, shop-1, shop-2 "
        "and 2 more. Reason: role not assumable (5 accounts)."
    )


@given(ipv6_blocks())
@settings(max_examples=20)
def test_every_ipv6_block_fits_the_schema(block: object) -> None:
    checked(view_report(report_input(stored(block=str(block)))))


def test_regions_are_told_apart_by_their_partitions_where_there_are_several() -> None:
    frankfurt, potsdam = Region("eu-central-1"), Region("eusc-de-east-1")
    vpcs = (stored(1, region=frankfurt), stored(2, region=potsdam))
    document = view_report(report_input(*vpcs, partition_of=partition_of))
    assert checked(document)["partitions"] == ["aws", "aws-eusc"]
    assert view_report(report_input(vpcs[0], partition_of=partition_of)).partitions == ()
