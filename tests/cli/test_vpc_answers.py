"""What the `vpc` commands answer from a file that is already there."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from tests.strategies import ACCOUNTS, REGIONS, START, vpc_ids

from landkeeper.cli import run
from landkeeper.embedded.vpc_file import VpcFile
from landkeeper.org import Account, Failure, FailureReason, Membership, Standing
from landkeeper.vpctracker.coverage import Coverage, RegionCoverage
from landkeeper.vpctracker.differences import Complete, diff_account
from landkeeper.vpctracker.inventory import CidrAssociation, Peering, Subnet, Vpc

_LAKE, _SHOP = Account(ACCOUNTS[0], "lake"), Account(ACCOUNTS[1], "=shop")
_DENIED = Failure(FailureReason.MISSING_PERMISSION, "UnauthorizedOperation", "no")
_CONFIG = "version: 1\nspaces: [{name: shops, accounts: ['444455556666']}]\n"


def _write(store: VpcFile, account: Account, hours: int, *vpcs: Vpc) -> None:
    reads = {REGIONS[0]: Complete(vpcs)}
    now = START + timedelta(hours=hours)
    assert store.write_changes(diff_account(store.read_owned(account.id), reads, account, now)) == []


def _vpc(number: int, account: Account, block: str, **others: Any) -> Vpc:
    return Vpc(vpc_ids(number), account.id, REGIONS[0], block, **others)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file in the working directory with two accounts, an hour of history, and a region that could not be read."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LANDKEEPER_VPC_TABLE", raising=False)
    peering = Peering("pcx-1", "active", vpc_ids(3), _SHOP.id, REGIONS[0], ("10.1.0.0/16",))
    subnets = (Subnet("subnet-1", "euw1-az1", "10.0.0.0/24", 251),)
    lake = _vpc(1, _LAKE, "10.0.0.0/16", name="lake", tags={"Env": "prod"}, subnets=subnets, peerings=(peering,),
                cidr_associations=(CidrAssociation("a", "10.0.0.0/16", "associated"),))  # fmt: skip
    default = _vpc(2, _LAKE, "172.31.0.0/16", is_default=True)
    shop = _vpc(3, _SHOP, "10.1.0.0/16", name="@shop")
    nested = _vpc(4, _SHOP, "10.0.1.0/24", tags={"Env": "dev"})
    with closing(VpcFile(tmp_path / "landkeeper.db")) as store:
        _write(store, _LAKE, 0, lake, default)
        _write(store, _SHOP, 1, shop, nested, _vpc(5, _SHOP, "172.31.0.0/16", is_default=True))
        _write(store, _LAKE, 2, lake)
        read = RegionCoverage(START)
        store.write_coverage(Coverage(_LAKE.id, "lake", regions={REGIONS[0]: read}))
        denied = RegionCoverage(START, failed_at=START, failure=_DENIED)
        governed = RegionCoverage(standing=Standing.GOVERNED)
        regions = {REGIONS[0]: denied, REGIONS[1]: governed}
        store.write_coverage(Coverage(_SHOP.id, "=shop", regions=regions, failed_runs=2))
        store.write_coverage(Coverage(ACCOUNTS[2], "gone", regions={REGIONS[0]: read}, membership=Membership.DEPARTED))
    return tmp_path / "landkeeper.db"


def _json(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert run(["vpc", *arguments, "--format", "json"]) == 0
    return json.loads(capsys.readouterr().out)


def _ids(rows: list[dict[str, Any]]) -> list[int]:
    return sorted(int(row["VpcId"].removeprefix("vpc-"), 16) for row in rows)


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ([], [1, 3, 4, 5]),
        (["--deleted"], [1, 2, 3, 4, 5]),
        (["--account", "lake"], [1]),
        (["--account", "lake", "--account", "444455556666"], [1, 3, 4, 5]),
        (["--region", "us-east-1"], []),
        (["--region", "eu-west-1", "--tag", "Env"], [1, 4]),
        (["--tag", "Env=dev"], [4]),
        (["--tag", "Env", "--tag", "Env=prod"], [1]),
        (["--cidr", "10.0.0.0/8"], [1, 3, 4]),
        (["--cidr", "10.0.1.128/25"], [1, 4]),
    ],
)
def test_list_shows_what_fits_every_filter(
    file: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], found: list[int]
) -> None:
    assert _ids(_json(capsys, "list", *arguments)) == found


@pytest.mark.parametrize(
    ("command", "found"), [("export --tag Env=dev", [4]), ("defaults --tag Env", []), ("export --tag env", [])]
)
def test_tags_filter_other_lists_too(
    file: Path, capsys: pytest.CaptureFixture[str], command: str, found: list[int]
) -> None:
    assert _ids(_json(capsys, *command.split())) == found


def test_an_overlap_is_that_of_a_tagged_vpc(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (group,) = _json(capsys, "overlaps", "--tag", "Env=dev")
    assert group["CidrBlock"] == "10.0.0.0/16"
    assert _json(capsys, "overlaps", "--tag", "Env=none") == []


def test_stale_rows_are_marked_and_the_table_ends_with_totals(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["vpc", "list", "--deleted"]) == 0
    printed = capsys.readouterr()
    assert printed.out.splitlines()[-1] == (
        "5 VPCs in 2 accounts and 1 region: 2 default, 1 deleted, 3 stale."
    )  # fmt: skip
    assert printed.out.count("permission missing") == 3
    assert "showing last known state: =shop." in printed.err
    assert {row["Stale"] for row in _json(capsys, "list", "--account", "lake")} == {""}
    assert run(["vpc", "list", "--region", "us-east-1"]) == 0
    assert capsys.readouterr().out == "No VPCs.\n"


@pytest.mark.parametrize(
    ("arguments", "blocks"),
    [
        (["--account", "lake"], {"10.0.0.0/16"}),
        (["--account", "gone"], set()),
        (["--vpc", vpc_ids(4)], {"10.0.0.0/16"}),
        (["--vpc", "@shop"], set()),
        (["--vpc", vpc_ids(4), "--account", "lake"], set()),
    ],
)
def test_overlaps_are_those_of_the_accounts_and_vpcs_that_are_asked_for(
    file: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], blocks: set[str]
) -> None:
    assert {group["CidrBlock"] for group in _json(capsys, "overlaps", *arguments)} == blocks
    pairs = _json(capsys, "overlaps", "--pairs", *arguments)
    assert {pair["CidrBlock"] for pair in pairs} == blocks
    assert run(["vpc", "overlaps", "--pairs", *arguments]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"{len(pairs)} pair{'' if len(pairs) == 1 else 's'}."


def test_a_vpc_is_shown_by_its_name(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _json(capsys, "show", "lake")["VpcId"] == vpc_ids(1)
    assert {entry["VpcId"] for entry in _json(capsys, "history", "lake")} == {vpc_ids(1)}


def test_csv_cells_are_no_formulas(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["vpc", "list", "--format", "csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert {row["AccountName"] for row in rows} == {"lake", "'=shop"}
    assert "'@shop" in {row["Name"] for row in rows}


def test_overlaps_are_findings_where_a_check_asks_for_them(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kinds = {finding["Kind"] for finding in _json(capsys, "overlaps")}
    assert "collision" in kinds
    assert (run(["vpc", "overlaps", "--check"]), run(["vpc", "overlaps"])) == (4, 0)
    assert run(["vpc", "overlaps", "--check", "--as-of", "999999d"]) == 0


def test_answers_about_one_thing_are_csv_too(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["vpc", "show", vpc_ids(1), "--format", "csv"]) == 0
    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert (row["VpcId"], row["Space"]) == (vpc_ids(1), "default")
    assert run(["vpc", "connect", ACCOUNTS[0], ACCOUNTS[1], "--format", "csv"]) == 0
    pairs = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert pairs
    assert all(pair["Source"].startswith("vpc-") and " " not in pair["Source"] for pair in pairs)


def test_a_narrow_terminal_breaks_no_id_and_no_block(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = [vpc["VpcId"] for vpc in _json(capsys, "list")]
    assert ids
    for columns in (20, 40, 60, 80, 100):
        monkeypatch.setenv("COLUMNS", str(columns))
        assert run(["vpc", "list"]) == 0
        shown = capsys.readouterr().out.split()
        assert {*ids, *ACCOUNTS[:2], "10.1.0.0/16"} <= {*shown}


def test_as_of_an_earlier_time_the_answers_are_those_of_then(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _ids(_json(capsys, "list", "--as-of", "2026-03-01T12:00:00Z")) == [1, 2]
    assert _ids(_json(capsys, "list", "--as-of", "2026-03-01T14:59:00+02:00")) == [1, 2]
    assert _ids(_json(capsys, "defaults", "--as-of", "2026-03-01T13:00:00")) == [2, 5]
    assert _json(capsys, "overlaps", "--as-of", "2026-03-01T12:30:00Z") == []
    assert run(["vpc", "list", "--as-of", "2026-03-01"]) == 0
    printed = capsys.readouterr()
    assert printed.out == "No VPCs.\n"
    assert printed.err == (
        "No data for 2026-03-01T00:00:00Z: the first record is from 2026-03-01T12:00:00Z.\n"
        "Store: the file landkeeper.db (default); --file or --table names another one.\n"
    )
    assert run(["vpc", "show", vpc_ids(3), "--as-of", "2026-03-01T12:00:00Z"]) == 2
    assert "is not tracked at that time" in capsys.readouterr().err
    assert run(["vpc", "list", "--as-of", "2026-03-01T13:00:00Z"]) == 0
    assert capsys.readouterr().err.startswith("State recorded at 2026-03-01T13:00:00Z.")


def test_an_empty_store_has_no_earlier_time(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    VpcFile(Path("empty.db")).close()
    assert run(["vpc", "list", "--file", "empty.db", "--as-of", "2026-03-01"]) == 0
    assert capsys.readouterr().err.splitlines()[0] == "No data has been recorded yet."
    assert run(["vpc", "coverage", "--file", "empty.db", "--check"]) == 0
    assert capsys.readouterr().out == "No account has been read.\n"


def test_show_has_everything_of_one_vpc(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["vpc", "show", vpc_ids(1)]) == 0
    printed = capsys.readouterr().out
    for words in ("Env = prod", "subnet-1", "pcx-1", "2026-03-01T12:00:00Z", "Associations", "Space"):
        assert words in printed
    row = _json(capsys, "show", vpc_ids(1))
    assert (row["Space"], row["Stale"], row["PeeringConnections"][0]["Id"]) == ("default", "", "pcx-1")


def test_history_tells_what_was_before_and_after(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["vpc", "history", vpc_ids(2)]) == 0
    printed = capsys.readouterr().out
    assert "disappeared" in printed
    assert "2 entries." in printed
    rows = {words[2] for line in printed.splitlines() if len(words := line.split()) > 2}
    assert {"State", "DeletedAt", "CidrBlocks"} <= rows
    assert "InstanceTenancy" not in rows
    assert [entry["Kind"] for entry in _json(capsys, "history", vpc_ids(2))] == ["appeared", "disappeared"]
    assert len(_json(capsys, "history", vpc_ids(2), "--as-of", "2026-03-01T13:00:00Z")) == 1


def test_history_has_a_row_for_a_change_of_bookkeeping_alone(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        entry = json.dumps(
            {
                "VpcId": "vpc-1",
                "OwnerId": _LAKE.id,
                "At": "2026-03-01T12:00:00Z#00000002",
                "Kind": "changed",
                "Version": 2,
                "Before": {"Version": 1},
                "After": {"Version": 2},
            }
        )
        connection.execute("INSERT INTO vpc_history VALUES ('vpc-1', '2026-03-01T12:00:00Z#00000002', ?)", (entry,))
    assert run(["vpc", "history", "vpc-1", "--format", "csv"]) == 0
    assert capsys.readouterr().out.splitlines()[1] == "2026-03-01T12:00:00Z,changed,,,,"


def test_coverage_names_every_place_and_why(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = {(row["AccountName"], row["Region"]): row for row in _json(capsys, "coverage")}
    assert {place: row["State"] for place, row in rows.items()} == {
        ("lake", "eu-west-1"): "complete",
        ("=shop", "eu-west-1"): "unreadable",
        ("=shop", "us-east-1"): "governed",
        ("gone", "eu-west-1"): "departed",
    }
    assert rows["=shop", "eu-west-1"]["Why"] == "permission missing (UnauthorizedOperation: no)"
    assert rows["=shop", "eu-west-1"]["FailedRuns"] == 2
    assert run(["vpc", "coverage"]) == 0
    assert "3 accounts, 4 places: 1 complete, 1 departed, 1 governed, 1 unreadable." in capsys.readouterr().out
    assert run(["vpc", "coverage", "--check"]) == 4


@pytest.mark.parametrize(
    ("arguments", "places"),
    [
        (["--account", "lake"], [("lake", "eu-west-1")]),
        (["--account", "gone", "--region", "eu-west-2"], []),
        (["--region", "us-east-1"], [("=shop", "us-east-1")]),
        (["--account", "lake", "--account", str(ACCOUNTS[2])], [("gone", "eu-west-1"), ("lake", "eu-west-1")]),
    ],
)
def test_coverage_is_of_the_accounts_and_regions_that_are_asked_for(
    file: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], places: list[tuple[str, str]]
) -> None:
    rows = _json(capsys, "coverage", *arguments)
    assert [(row["AccountName"], row["Region"]) for row in rows] == places
    assert run(["vpc", "coverage", *arguments]) == 0
    assert ("No place fits the filters." in capsys.readouterr().out) is not bool(places)


def test_coverage_counts_connections_that_were_not_read_as_a_finding(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(VpcFile(Path("other.db"))) as store:
        region = RegionCoverage(START, connections_failure=_DENIED)
        store.write_coverage(Coverage(_LAKE.id, "lake", regions={REGIONS[0]: region, REGIONS[1]: RegionCoverage()}))
        store.write_coverage(Coverage(_SHOP.id, "shop", failure=_DENIED))
    states = [row["State"] for row in _json(capsys, "coverage", "--file", "other.db")]
    assert states == ["connections unread", "never read", "unreadable"]
    assert run(["vpc", "coverage", "--file", "other.db", "--check"]) == 4


def test_overlaps_stay_inside_a_space(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (group,) = _json(capsys, "overlaps")
    assert (group["CidrBlock"], group["Space"], group["ConnectedVpcs"], group["Accounts"]) == (
        "10.0.0.0/16", "default", 1, 2,
    )  # fmt: skip
    assert [vpc["Stale"] for vpc in group["Vpcs"]] == ["", "permission missing"]
    Path("landkeeper.yaml").write_text(_CONFIG)
    assert _json(capsys, "overlaps") == []
    assert _json(capsys, "overlaps", "--space", "shops") == []


def test_overlaps_of_declared_connections_say_so(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("other.yaml").write_text("version: 1\nconnections: [{from: lake, to: '444455556666'}]\n")
    assert run(["vpc", "overlaps", "--config", "other.yaml"]) == 0
    printed = capsys.readouterr().out
    assert "lake->444455556666" in printed
    assert "1 group of overlapping blocks: 1 between declared connections." in printed


def test_pairs_are_bounded_and_what_is_left_out_is_said(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(VpcFile(file)) as store:
        same = [_vpc(number, _LAKE, "10.0.0.0/16") for number in range(10, 13)]
        _write(store, _LAKE, 3, *same, *(_vpc(n, _LAKE, "172.31.0.0/16", is_default=True) for n in (20, 21)))
    assert run(["vpc", "overlaps", "--pairs", "--limit", "4"]) == 0
    printed = capsys.readouterr()
    assert printed.out.splitlines()[-1] == "6 pairs, 2 not shown."
    assert "2 of 6 pairs are not shown: pass a higher --limit." in printed.err
    assert "3 default VPCs have 172.31.0.0/16" in printed.err
    pairs = _json(capsys, "overlaps", "--pairs")
    assert len(pairs) == 6
    assert {"CidrBlock", "VpcId", "OtherCidrBlock", "OtherVpcId"} <= pairs[0].keys()


def test_connect_tells_of_each_pair_and_how_fresh_it_is(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["vpc", "connect", "lake", "=shop"]) == 0
    printed = capsys.readouterr()
    assert "pcx-1 active" in printed.out
    assert "10.0.0.0/16 contains 10.0.1.0/24" in printed.out
    assert (
        "2 pairs: 1 can be peered, 1 can be routed over a transit gateway, 1 partly; 1 already connected."
        in printed.out
    )
    assert "With default VPCs: 1 pair: 1 can be peered" in printed.out
    assert "lake (111122223333): last read 2026-03-01T12:00:00Z" in printed.err
    assert "=shop (444455556666): stale in eu-west-1 (permission missing), us-east-1 (the region is governed)." in (
        printed.err
    )
    answer = _json(capsys, "connect", "lake", "=shop")
    answers = [(one["Peering"]["Possible"], one["TransitGateway"]["Possible"]) for one in answer["Pairs"]]
    assert answers == [("no", "partly"), ("yes", "yes"), ("yes", "yes")]
    assert [one["Peered"] for one in answer["Pairs"]] == [False, True, False]
    assert answer["To"]["Knowledge"][0] == {
        "Region": "eu-west-1", "Stale": "permission missing", "ReadAt": "2026-03-01T12:00:00Z",
    }  # fmt: skip


def test_connect_takes_vpc_ids_and_earlier_times_and_says_why_not(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = _json(capsys, "connect", vpc_ids(1), vpc_ids(4))
    assert answer["Pairs"][0]["InTheWay"] == [{"From": "10.0.0.0/16", "To": "10.0.1.0/24", "Identical": False}]
    assert answer["From"]["VpcIds"] == [vpc_ids(1)]
    assert run(["vpc", "connect", vpc_ids(1), vpc_ids(1)]) == 0
    assert "No: it is the same VPC." in capsys.readouterr().out
    assert run(["vpc", "connect", "lake", "gone", "--as-of", "2026-03-01T13:00:00Z"]) == 0
    printed = capsys.readouterr()
    assert "gone (777788889999) has no tracked VPC." in printed.out
    assert printed.err.count("\n") == 2
    Path("landkeeper.yaml").write_text(_CONFIG)
    assert run(["vpc", "connect", vpc_ids(1), vpc_ids(3), "--all"]) == 0
    assert "No: they are in different spaces: default and shops." in capsys.readouterr().out


def test_an_account_of_which_nothing_was_read_is_said_to_be_unknown(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(VpcFile(file)) as store:
        version = store.read_coverage(ACCOUNTS[2]).version
        assert store.write_coverage(Coverage(ACCOUNTS[2], "shut", failure=_DENIED, version=version))
    assert run(["vpc", "connect", "lake", "shut"]) == 0
    assert "shut (777788889999): stale in every region (permission missing)." in capsys.readouterr().err


def test_export_writes_every_attribute_in_every_format(file: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["vpc", "export"]) == 0
    rows = list(csv.DictReader(io.StringIO(capfd.readouterr().out)))
    (lake,) = (row for row in rows if row["VpcId"] == vpc_ids(1))
    assert json.loads(lake["Tags"]) == {"Env": "prod"}
    assert json.loads(lake["Subnets"])[0]["SubnetId"] == "subnet-1"
    assert run(["vpc", "export", "--format", "json", "--deleted"]) == 0
    exported = json.loads(capfd.readouterr().out)
    assert _ids(exported) == [1, 2, 3, 4, 5]
    assert run(["vpc", "export", "--format", "parquet", "--out", "vpcs.parquet", "--deleted"]) == 0
    assert "5 VPCs written to vpcs.parquet." in capfd.readouterr().err
    table = {row["VpcId"]: row for row in pq.read_table("vpcs.parquet").to_pylist()}
    assert table[vpc_ids(2)]["DeletedAt"] == datetime(2026, 3, 1, 14, tzinfo=UTC)
    assert table[vpc_ids(1)]["Tags"] == [("Env", "prod")]
    assert table[vpc_ids(1)]["PeeringConnections"][0]["PeerCidrBlocks"] == ["10.1.0.0/16"]
    assert [path.name for path in Path().glob("*.part")] == []


def test_without_pyarrow_parquet_is_one_line(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.delitem(sys.modules, "landkeeper.cli.vpc.parquet", raising=False)
    assert run(["vpc", "export", "--format", "parquet", "--out", "x.parquet"]) == 2
    assert (
        "landkeeper: Parquet export requires the extra `parquet`: run pip install '.[parquet]' in the checkout"
        in capsys.readouterr().err
    )
    assert not Path("x.parquet").exists()


def test_a_bad_item_is_named_and_left_out_and_the_exit_code_is_3(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE vpcs SET item = json_set(item, '$.CidrBlock', '10.0.0.0/33') WHERE vpc_id = ?",
                           (vpc_ids(3),))  # fmt: skip
        connection.execute(
            "UPDATE vpcs SET item = json_set(item, '$.SchemaVersion', 99) WHERE vpc_id = ?", (vpc_ids(4),)
        )
    for command in (["list"], ["overlaps"], ["export"], ["connect", "lake", "lake"], ["show", vpc_ids(1)]):
        assert run(["vpc", *command]) == 3
        printed = capsys.readouterr()
        assert f"left out: the stored item {vpc_ids(3)} of 444455556666 cannot be read: '10.0.0.0/33'" in printed.err
        assert f"left out: the item {vpc_ids(4)} of 444455556666 was written by a newer Landkeeper" in printed.err
        assert printed.out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["list", "--as-of", "tomorrow"], "--as-of is 'tomorrow': expected a time such as 2026-03-01T12:00:00Z"),
        (["list", "--as-of", "2999-01-01"], "--as-of is '2999-01-01': that is in the future"),
        (["list", "--account", "11112222333"], "'11112222333' is not an AWS account id: expected twelve digits"),
        (["list", "--account", "nobody"], "unknown account 'nobody': expected the id or the name of a tracked account"),
        (["list", "--account", "laek"], "unknown account 'laek': did you mean 'lake'?"),
        (["list", "--account", "111122223334"], "has never been tracked: did you mean '111122223333'?"),
        (["list", "--region", "Ireland"], "unknown region 'Ireland': expected a region code such as eu-west-1"),
        (["list", "--region", "eu-west-9"], "unknown region 'eu-west-9': did you mean 'eu-west-1'?"),
        (["defaults", "--region", "eu-west-9"], "unknown region 'eu-west-9': did you mean 'eu-west-1'?"),
        (["coverage", "--account", "nobody"], "unknown account 'nobody'"),
        (["coverage", "--region", "eu-west-9"], "unknown region 'eu-west-9': did you mean 'eu-west-1'?"),
        (["overlaps", "--account", "nobody"], "unknown account 'nobody'"),
        (["overlaps", "--vpc", "laek"], "VPC 'laek' is not tracked: did you mean 'lake'?"),
        (["overlaps", "--pairs", "--vpc", "vpc-0"], "VPC 'vpc-0' is not tracked"),
        (["list", "--cidr", "10.0.0.1/8"], "--cidr: '10.0.0.1/8' is not a CIDR block: host bits are set"),
        (["list", "--tag", "=prod"], "--tag is '=prod': expected Key or Key=Value"),
        (["defaults", "--tag", "="], "--tag is '=': expected Key or Key=Value"),
        (["overlaps", "--tag", ""], "--tag is '': expected Key or Key=Value"),
        (["export", "--tag", "=x"], "--tag is '=x': expected Key or Key=Value"),
        (["overlaps", "--space", "labs"], "there is no space 'labs'; there are default"),
        (["overlaps", "--config", "absent.yaml"], "the configuration absent.yaml cannot be read: No such file"),
        (["connect", "laek", "=shop"], "unknown account 'laek': did you mean 'lake'?"),
        (["show", "vpc-1"], "VPC 'vpc-1' is not tracked"),
        (["history", "vpc-1"], "VPC 'vpc-1' is not tracked"),
        (["history", "laek"], "VPC 'laek' is not tracked: did you mean 'lake'?"),
        (["export", "--out", "absent/x.csv"], "absent/x.csv cannot be written: No such file or directory"),
        (["list", "--file", "not.db"], "not.db: this is not a Landkeeper file (not SQLite)"),
    ],
)
def test_bad_input_is_named(
    file: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str
) -> None:
    Path("not.db").write_text("not SQLite at all" * 100)
    assert run(["vpc", *arguments]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert sentence in printed.err.splitlines()[-1]
