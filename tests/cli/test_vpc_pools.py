"""`vpc pool`, `vpc allocate` and `vpc release`, as a person types them."""

from __future__ import annotations

import csv
import io
import json
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.servers import home_session
from tests.strategies import ACCOUNTS, REGIONS, vpc_ids
from tests.typed_answers import type_answer

from landkeeper.aws.vpctracker.vpc_table import VpcTable
from landkeeper.cli import run
from landkeeper.embedded.pool_file import PoolFile
from landkeeper.embedded.simulators import HOME_ACCOUNT, Embedded
from landkeeper.org import Account, Failure, FailureReason, Membership
from landkeeper.vpctracker.coverage import Coverage, RegionCoverage
from landkeeper.vpctracker.differences import Complete, diff_account
from landkeeper.vpctracker.inventory import Vpc

NOW = datetime.now(UTC)
_LAKE = Account(ACCOUNTS[0], "lake")
_ASK = ("allocate", "--pool", "prod", "--account", ACCOUNTS[0], "--for", "web", "--prefix-length")


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_aws: None) -> Path:
    """A file in the working directory in which an account was read: a VPC since ten days, and one since two."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "landkeeper.db"
    with closing(PoolFile(path)) as store:
        _track(store, 10, "10.0.0.0/20")
        _track(store, 2, "10.0.0.0/20", "10.0.16.0/20")
        read = {REGIONS[0]: RegionCoverage(NOW)}
        assert store.write_coverage(Coverage(_LAKE.id, "lake", NOW, regions=read))
        assert store.write_coverage(Coverage(ACCOUNTS[2], "gone", NOW, regions=read, membership=Membership.DEPARTED))
    return path


def _track(store: PoolFile | VpcTable, days_ago: int, *blocks: str) -> None:
    vpcs = tuple(Vpc(vpc_ids(at), _LAKE.id, REGIONS[0], block) for at, block in enumerate(blocks))
    reads = {REGIONS[0]: Complete(vpcs)}
    changes = diff_account(store.read_owned(_LAKE.id), reads, _LAKE, NOW - timedelta(days=days_ago))
    assert store.write_changes(changes) == []


def _run(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(["vpc", *arguments]) == 0
    return capsys.readouterr().out


def _refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(["vpc", *arguments]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    return printed.err


def test_from_a_pool_to_a_block_and_back(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(capsys, "pool", "create", "prod", "--cidr", "10.0.0.0/16") == (
        "The pool prod is 10.0.0.0/16 of the space default; it provides blocks from /16 to /28.\n"
    )
    assert run(["vpc", *_ASK, "/20", "--grow-to", "18", "--ttl", "7d"]) == 0
    printed = capsys.readouterr()
    assert printed.out == "10.0.64.0/20\n"
    assert "with 10.0.64.0/18 reserved for growth, expires" in printed.err
    given = json.loads(_run(capsys, *_ASK, "24", "--request-id", "a", "--format", "json"))
    assert (given["CidrBlock"], given["PoolId"], given["IsNew"]) == ("10.0.32.0/24", "prod", True)
    assert given["ReservationId"].startswith("res-")
    again = json.loads(_run(capsys, *_ASK, "24", "--request-id", "a", "--format", "json"))
    assert again == {**given, "IsNew": False}
    assert run(["vpc", *_ASK, "24", "--request-id", "a"]) == 0
    assert "before by this request id," in capsys.readouterr().err
    repeated = (*_ASK, "24", "--request-id", "a", "--format")
    assert _run(capsys, *repeated, "csv").splitlines()[1].startswith(f"prod,{given['ReservationId']},10.0.32.0/24,,")
    table = _run(capsys, *repeated, "table")
    assert f"10.0.32.0/24  {given['ReservationId']}  prod" in table
    refused = _refused(capsys, "release", "--yes", given["ReservationId"])
    assert "10.0.32.0/24 cannot be released, because its VPC may still exist: " in refused
    assert "pass --accept-unread to decide by stored data" in refused
    known = ("release", given["ReservationId"], "--accept-unread")
    planned = (
        f"10.0.32.0/24 in pool prod would be released: {given['ReservationId']} for web of account {ACCOUNTS[0]}.\n"
    )
    assert _run(capsys, *known, "--dry-run") == planned
    with pytest.MonkeyPatch.context() as terminal:
        type_answer(terminal, "n")
        assert _run(capsys, *known) == planned
    del given["IsNew"], given["VpcIds"]
    assert json.loads(_run(capsys, *known, "--dry-run", "--format", "json")) == {**given, "State": "planned"}
    other = json.loads(_run(capsys, *_ASK, "24", "--format", "json"))["ReservationId"]
    (row,) = csv.DictReader(io.StringIO(_run(capsys, "release", other, "--accept-unread", "--format", "csv")))
    assert (row["ReservationId"], row["State"]) == (other, "released")
    assert _run(capsys, *known) == "Released 10.0.32.0/24 in pool prod.\n"
    assert "there is no reservation" in _refused(capsys, *known)


def test_a_pool_is_shown_with_what_is_used_and_reserved_in_it(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _run(capsys, "pool", "create", "prod", "--cidr", "10.0.0.0/16")
    _run(capsys, "pool", "create", "eu", "--cidr", "10.0.128.0/18", "--parent", "prod", "--region", "eu-west-1")
    _run(capsys, "pool", "reserve", "prod", "--cidr", "10.0.64.0/20", "--cidr", "10.0.240.0/20", "--for", "Frankfurt")
    block = _run(capsys, *_ASK, "20").strip()
    with closing(PoolFile(file)) as store:
        _track(store, 0, "10.0.0.0/20", "10.0.16.0/20", block)
    shown = json.loads(_run(capsys, "pool", "show", "prod", "--format", "json"))
    assert [(one["CidrBlock"], one["State"]) for one in shown["Reservations"]] == [
        ("10.0.32.0/20", "used"), ("10.0.64.0/20", "elsewhere"), ("10.0.128.0/18", "pool"),
        ("10.0.240.0/20", "elsewhere"),
    ]  # fmt: skip
    assert shown["Reservations"][0]["VpcIds"] == [vpc_ids(2)]
    assert (shown["Used"], shown["Reserved"], shown["InPools"], shown["Free"]) == (12288, 8192, 16384, 28672)
    assert shown["LargestFreeBlock"] == "10.0.96.0/19"
    assert shown["Growth"]["AddressesPerDay"] == pytest.approx(8192 / 9, rel=0.01)
    text = _run(capsys, "pool", "show", "prod")
    assert "18.8% used (12,288)" in text
    assert "Largest free block: 10.0.96.0/19" in text
    assert "Forecast: " in text
    assert "in 31 days" in text
    assert text.splitlines()[-1] == "4 reservations."
    bar = next(line for line in text.splitlines() if line.startswith("█"))
    assert (bar.count("█"), bar.count("▓"), bar.count("▒"), bar.count("░")) == (12, 8, 16, 28)


def test_a_block_that_another_vpc_took_is_refused_and_shown_as_a_conflict(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _run(capsys, "pool", "create", "prod", "--cidr", "10.0.0.0/16")
    given = json.loads(_run(capsys, *_ASK, "24", "--request-id", "a", "--region", REGIONS[1], "--format", "json"))
    assert given["VpcIds"] == []
    with closing(PoolFile(file)) as store:
        _track(store, 0, "10.0.0.0/20", "10.0.16.0/20", "10.0.32.0/23")
    refused = _refused(capsys, *_ASK, "24", "--request-id", "a", "--region", REGIONS[1])
    assert f"is in conflict: it overlaps {vpc_ids(2)} of lake ({_LAKE.id}) in eu-west-1 (10.0.32.0/23)" in refused
    (shown,) = json.loads(_run(capsys, "pool", "show", "prod", "--format", "json"))["Reservations"]
    assert (shown["State"], shown["VpcIds"]) == ("conflict", [vpc_ids(2)])
    assert run(["vpc", "pool", "show", "prod"]) == 0
    printed = capsys.readouterr()
    assert " conflict " in printed.out
    assert printed.err.startswith("Conflict: 10.0.32.0/24, res-")
    assert f"overlaps {vpc_ids(2)} of lake" in printed.err
    assert [row["Conflicts"] for row in json.loads(_run(capsys, "pool", "list", "--format", "json"))] == [1]
    assert " Conflicts" in _run(capsys, "pool", "list")


def test_a_block_that_a_vpc_has_is_reserved_for_it(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _run(capsys, "pool", "create", "prod", "--cidr", "10.0.0.0/16")
    said = _run(capsys, "pool", "reserve", "prod", "--cidr", "10.0.0.0/20", "--for", "the first")
    assert said.endswith(f", linked to {vpc_ids(0)} of lake ({_LAKE.id}) in eu-west-1 (10.0.0.0/20)\n")
    assert run(["vpc", "pool", "reserve", "prod", "--cidr", "10.0.16.0/21", "--for", "half of it"]) == 0
    assert "10.0.16.0/21 is not free: VPCs overlap it. `landkeeper vpc pool show prod` names" in capsys.readouterr().err
    shown = json.loads(_run(capsys, "pool", "show", "prod", "--format", "json"))["Reservations"]
    assert [(entry["State"], entry["VpcIds"]) for entry in shown] == [
        ("used", [vpc_ids(0)]), ("conflict", [vpc_ids(1)]),
    ]  # fmt: skip


def test_the_same_request_says_which_vpc_has_its_block(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _run(capsys, "pool", "create", "prod", "--cidr", "10.0.0.0/16")
    block = _run(capsys, *_ASK, "24", "--request-id", "a", "--ttl", "7d").strip()
    with closing(PoolFile(file)) as store:
        _track(store, 0, "10.0.0.0/20", "10.0.16.0/20", block)
    assert run(["vpc", *_ASK, "24", "--request-id", "a", "--ttl", "7d"]) == 0
    printed = capsys.readouterr()
    assert (printed.out.strip(), f"in pool prod, used by {vpc_ids(2)}." in printed.err) == (block, True)


def test_pools_are_listed_with_their_shares(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(capsys, "pool", "list") == "No pools. Create one with `landkeeper vpc pool create`.\n"
    _run(capsys, "pool", "create", "prod", "--cidr", "10.0.0.0/12")
    _run(capsys, "pool", "create", "eu", "--cidr", "10.0.0.0/19", "--parent", "prod", "--region", "eu-west-1")
    rows = json.loads(_run(capsys, "pool", "list", "--format", "json"))
    assert [(row["PoolId"], row["UsedShare"], row["Free"]) for row in rows] == [
        ("prod", 8192 / 1048576, 1048576 - 8192), ("eu", 1, 0),
    ]  # fmt: skip
    assert [row["LargestFreeBlock"] for row in rows] == ["10.8.0.0/13", None]
    table = _run(capsys, "pool", "list")
    assert "  eu " in table
    assert ("<1%" in table, "100%" in table) == (True, True)
    assert table.splitlines()[-1] == "2 pools."
    assert _run(capsys, "pool", "list", "--format", "csv").splitlines()[1].startswith("prod,10.0.0.0/12,default,")


def test_a_pool_goes_when_nothing_is_in_it(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _run(capsys, "pool", "create", "prod", "--cidr", "10.0.0.0/16")
    _run(capsys, "pool", "create", "eu", "--cidr", "10.0.128.0/18", "--parent", "prod")
    assert "not empty: it has the pool 'eu'" in _refused(capsys, "pool", "delete", "prod")
    assert _run(capsys, "pool", "delete", "eu") == "Deleted pool eu; 10.0.128.0/18 is free in prod.\n"
    assert _run(capsys, "pool", "delete", "prod") == "Deleted pool prod.\n"


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("pool", "create", "x", "--cidr", "11.0.0.0/8"), "is not inside private ranges"),
        (("pool", "create", "x", "--cidr", "10.0.128.0/17"), "overlaps the pool 'prod'"),
        (("pool", "create", "x", "--cidr", "192.168.0.0/16", "--min", "/15"), "--min is /15"),
        (("pool", "create", "x", "--cidr", "192.168.0.0/16", "--space", "lab"), "there is no space 'lab'"),
        (("pool", "create", "x y", "--cidr", "192.168.0.0/16"), "cannot be the name of a pool"),
        (("pool", "create", "x", "--cidr", "192.168.0.0/16", "--region", "Europe"), "not a region code"),
        (("pool", "show", "nope"), "there is no pool 'nope': there are prod"),
        (("pool", "reserve", "prod", "--cidr", "10.9.0.0/16", "--for", "x"), "is not inside the pool 'prod'"),
        (("pool", "import"), "--ipam is required"),
        ((*_ASK, "29"), "--prefix-length is /29"),
        ((*_ASK, "many"), "--prefix-length is 'many'"),
        ((*_ASK, "20", "--grow-to", "24"), "a /20 cannot grow to a /24"),
        ((*_ASK, "20", "--grow-to", "7"), "--grow-to is '7'"),
        ((*_ASK, "20", "--ttl", "1w"), "--ttl is '1w': expected a number of days, hours or minutes"),
        ((*_ASK, "16"), "the pool 'prod' has no /16 left: the largest block that would fit is a /17"),
        ((*_ASK, "20", "--grow-to", "16"), "has no /16 left for the room to grow: the largest block"),
        ((*_ASK, "20", "--account", "123"), "'123' is not an AWS account id"),
        ((*_ASK, "20", "--account", ACCOUNTS[2]), "no block for account 777788889999: it is departed"),
        (
            (*_ASK, "20", "--account", ACCOUNTS[1]),
            "has never been tracked, and its membership in the organization cannot",
        ),
        (("release", "res-1"), "there is no reservation 'res-1'"),
    ],
)
def test_bad_input_is_one_line(
    file: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], why: str
) -> None:
    _run(capsys, "pool", "create", "prod", "--cidr", "10.0.0.0/16")
    assert why in _refused(capsys, *arguments)


def test_accounts_that_nobody_has_read_are_named(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _run(capsys, "pool", "create", "prod", "--cidr", "10.0.0.0/16")
    denied = RegionCoverage(failed_at=NOW, failure=Failure(FailureReason.SCP_DENY))
    with closing(PoolFile(file)) as store:
        assert store.write_coverage(Coverage(ACCOUNTS[1], "shop", NOW, regions={REGIONS[1]: denied}))
    refused = _refused(capsys, *_ASK, "20")
    assert (
        "Nothing reserved: shop (444455556666) in us-east-1 has never been read, so its ranges are unknown. Track it"
        in refused
    )
    assert f"--accept-unread names gone ({ACCOUNTS[2]}): the account was read, so its ranges" in _refused(
        capsys, *_ASK, "20", "--accept-unread", ACCOUNTS[2]
    )
    for nobody in ("all", "shp", ""):
        assert f"'{nobody}'" in _refused(capsys, *_ASK, "20", "--accept-unread", nobody)
    assert _run(capsys, *_ASK, "20", "--accept-unread", "shop") == "10.0.32.0/20\n"
    assert _run(capsys, *_ASK, "20", "--accept-unread") == "10.0.48.0/20\n"


def test_a_full_pool_says_so(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _run(capsys, "pool", "create", "prod", "--cidr", "10.0.0.0/19")
    assert "the pool 'prod' is full" in _refused(capsys, *_ASK, "28")


def test_a_pool_of_another_space_keeps_off_what_is_there_and_nothing_else(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("landkeeper.yaml").write_text(
        "version: 1\nspaces: [{name: lab, accounts: ['444455556666']}]\n", encoding="utf-8"
    )
    with closing(PoolFile(file)) as store:
        read = {REGIONS[0]: RegionCoverage(NOW)}
        assert store.write_coverage(Coverage(ACCOUNTS[1], "shop", NOW, regions=read))
        shop = Account(ACCOUNTS[1], "shop")
        vpc = Vpc(vpc_ids(9), shop.id, REGIONS[0], "10.0.0.0/24")
        assert store.write_changes(diff_account((), {REGIONS[0]: Complete((vpc,))}, shop, NOW)) == []
    _run(capsys, "pool", "create", "prod", "--cidr", "10.0.0.0/16")
    _run(capsys, "pool", "create", "lab", "--cidr", "10.0.0.0/16", "--space", "lab")
    assert _run(capsys, *_ASK, "20") == "10.0.32.0/20\n"
    assert _run(capsys, *_ASK, "24", "--pool", "lab", "--account", shop.id) == "10.0.1.0/24\n"
    assert "the pool 'lab' is in the space lab, but the VPCs of account 111122223333 are not" in _refused(
        capsys, *_ASK, "24", "--pool", "lab"
    )


def test_without_a_file_there_is_nothing_to_allocate_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_aws: None, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "the file 'landkeeper.db' does not exist" in _refused(capsys, "pool", "list")
    assert "the file 'landkeeper.db' does not exist" in _refused(capsys, *_ASK, "20")
    assert not (tmp_path / "landkeeper.db").exists()
    _run(capsys, "pool", "create", "prod", "--cidr", "10.0.0.0/16")
    assert _run(capsys, "pool", "list").splitlines()[-1] == "1 pool."


@pytest.mark.embedded
def test_the_same_on_a_table_with_accounts_looked_up_in_the_organization(
    aws_environment: Embedded, capsys: pytest.CaptureFixture[str]
) -> None:
    on = ("--table", "PoolCommands")
    assert run(["vpc", "track", *on, "--create-tables", "--region", "eu-west-1"]) == 0
    capsys.readouterr()
    _run(capsys, "pool", "create", "prod", "--cidr", "10.0.0.0/8", *on)
    shown = json.loads(_run(capsys, "pool", "show", "prod", "--format", "json", *on))
    assert shown["MadeBy"].startswith("arn:aws:")
    given = _run(
        capsys, "allocate", "--pool", "prod", "--account", HOME_ACCOUNT, "--for", "x", "--prefix-length", "20", *on
    )
    assert given == "10.0.0.0/20\n"
    asked = ("allocate", "--pool", "prod", "--account", "999988887777", "--for", "x", "--prefix-length", "20", *on)
    refused = _refused(capsys, *asked)
    assert "the account 999988887777" in refused
    assert "in the organization" in refused


@pytest.mark.embedded
def test_a_block_is_given_back_after_a_look_at_its_region(
    aws_environment: Embedded, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the tracker has not seen yet keeps it; what it knows and is gone does not."""
    on, here = ("--table", "PoolReleases"), "eu-west-3"
    monkeypatch.delenv("LANDKEEPER_ROLE_NAME", raising=False)
    assert run(["vpc", "track", *on, "--create-tables", "--region", here]) == 0
    capsys.readouterr()
    _run(capsys, "pool", "create", "prod", "--cidr", "10.77.0.0/16", *on)
    asked = ("allocate", "--pool", "prod", "--account", HOME_ACCOUNT, "--for", "x", "--prefix-length", "20", *on)
    given = json.loads(_run(capsys, *asked, "--region", here, "--format", "json"))
    ec2 = home_session().client("ec2", region_name=here)
    vpc = ec2.create_vpc(CidrBlock=given["CidrBlock"])["Vpc"]["VpcId"]
    refused = _refused(capsys, "release", "--yes", given["ReservationId"], *on)
    assert f"10.77.0.0/20 cannot be released: {vpc} of {HOME_ACCOUNT} has it" in refused
    ec2.delete_vpc(VpcId=vpc)
    assert vpc in _refused(capsys, "release", "--yes", given["ReservationId"], "--accept-unread", *on), (
        "it is still known"
    )
    assert _run(capsys, "release", "--yes", given["ReservationId"], *on) == "Released 10.77.0.0/20 in pool prod.\n"
    shown = json.loads(_run(capsys, "show", vpc, "--format", "json", *on))
    assert shown["State"] == "deleted"


@pytest.mark.embedded
def test_a_block_of_an_account_that_cannot_be_read_is_given_back_on_purpose_only(
    aws_environment: Embedded, capsys: pytest.CaptureFixture[str]
) -> None:
    on = ("--table", "PoolRefusals")
    assert run(["vpc", "track", *on, "--create-tables", "--region", "eu-west-1"]) == 0
    table = VpcTable(home_session().client("dynamodb"), "PoolRefusals")
    read = {REGIONS[0]: RegionCoverage(NOW)}
    for account, membership in ((ACCOUNTS[1], Membership.ACTIVE), (ACCOUNTS[2], Membership.ACTIVE)):
        assert table.write_coverage(Coverage(account, "shop", NOW, regions=read, membership=membership))
    capsys.readouterr()
    _run(capsys, "pool", "create", "prod", "--cidr", "10.0.0.0/16", *on)
    asked = ("allocate", "--pool", "prod", "--for", "x", "--prefix-length", "20", *on, "--format", "json")
    one, other = (json.loads(_run(capsys, *asked, "--account", account))["ReservationId"] for account in ACCOUNTS[1:3])
    refused = _refused(capsys, "release", "--yes", one, *on, "--role", "nobody-made-it")
    assert "its VPC may still exist: shop (444455556666): role not assumable" in refused
    assert "pass --role" in _refused(capsys, "release", "--yes", one, *on)
    assert "Released" in _run(capsys, "release", "--yes", one, "--accept-unread", *on)
    departed = replace(table.read_coverage(ACCOUNTS[2]), membership=Membership.DEPARTED)
    assert table.write_coverage(departed)
    refused = _refused(capsys, "release", "--yes", other, *on, "--role", "nobody-made-it")
    assert "the account 777788889999 is departed; pass --accept-unread" in refused
