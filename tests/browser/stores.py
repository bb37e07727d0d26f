"""A store with every kind of content that a report shows, and with hostile names."""

from __future__ import annotations

import io
import json
from contextlib import closing, redirect_stdout
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.past_logs import launch as past_launch
from tests.past_logs import log, write_logs

from landkeeper.broom.case import Case, Outcome, State, Step
from landkeeper.broom.launches import InstanceId
from landkeeper.broom.policy.rules import Penalty
from landkeeper.cli import run
from landkeeper.embedded.ledger_file import LedgerFile
from landkeeper.embedded.vpc_file import VpcFile
from landkeeper.org import Account, AccountId, Failure, FailureReason, Principal, Region, Standing
from landkeeper.vpctracker.coverage import Coverage, RegionCoverage
from landkeeper.vpctracker.differences import Complete, diff_account
from landkeeper.vpctracker.inventory import CidrAssociation, Peering, Subnet, TransitGatewayAttachment, Vpc, VpcId

SCRIPT = "<script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">"
FORMULA = '=HYPERLINK("http://example.com","click")'
RIGHT_TO_LEFT = "\u202eevil\u202c \u05e9\u05dc\u05d5\u05dd"
LONG = "x" * 255 + "!"
CLOSING = "</script><!--<script>\u2028"

LAKE = Account(AccountId("111122223333"), "data-lake")
SHOP = Account(AccountId("444455556666"), SCRIPT)
PLANT = Account(AccountId("777788889999"), "plant")
IRELAND, VIRGINIA, CHINA = Region("eu-west-1"), Region("us-east-1"), Region("cn-north-1")

_CONFIG = """version: 1
spaces:
  - {name: plants, accounts: ['777788889999']}
connections:
  - {from: '111122223333', to: '444455556666'}
"""
_POLICY = """version: 1
rules:
  - {name: code, require: {tag: Code, values: [LOL, GGG]}, action: terminate}
confirm_after: 0s
"""


def vpc_id(number: int) -> VpcId:
    """Return the id of the VPC with that number."""
    return VpcId(f"vpc-{number:017x}")


def make_vpc(number: int, owner: Account, *blocks: str, **others: Any) -> Vpc:
    """Return a VPC with these blocks, the primary block first."""
    associations = tuple(
        CidrAssociation(f"vpc-cidr-assoc-{number}-{at}", block, "associated") for at, block in enumerate(blocks)
    )
    others = {
        "region": IRELAND,
        "account_name": owner.name,
        "cidr_associations": associations,
        "read_by": owner.id,
    } | others
    return Vpc(id=vpc_id(number), owner=owner.id, cidr_block=blocks[0], **others)


def _lake() -> list[Vpc]:
    subnets = (
        Subnet("subnet-0000000000000001a", "euw1-az1", "10.0.0.0/24", 251),
        Subnet("subnet-0000000000000001b", "euw1-az2", "10.0.1.0/24", 9),
    )
    peering = Peering("pcx-0000000000000000a", "active", vpc_id(5), SHOP.id, IRELAND)
    tags = {
        "Name": "lake",
        "CostCenter": "CC-0042",
        SCRIPT: FORMULA,
        "note": LONG,
        "written": RIGHT_TO_LEFT,
        "end": CLOSING,
    }
    gateway = TransitGatewayAttachment("tgw-attach-1", "tgw-00000000000000001", LAKE.id, "available")
    return [
        make_vpc(
            1, LAKE, "10.0.0.0/16", "2600:1f18:1::/56", name="lake", tags=tags, subnets=subnets, peerings=(peering,),
            transit_gateways=(gateway,),
        ),
        make_vpc(2, LAKE, "172.31.0.0/16", is_default=True),
        make_vpc(3, LAKE, "10.3.0.0/20", "100.64.0.0/16", name=RIGHT_TO_LEFT),
    ]  # fmt: skip


def _shop() -> list[Vpc]:
    gateway = TransitGatewayAttachment("tgw-attach-2", "tgw-00000000000000001", LAKE.id, "available")
    return [
        make_vpc(4, SHOP, "10.0.128.0/20", name=FORMULA, tags={"Name": FORMULA}, transit_gateways=(gateway,)),
        make_vpc(5, SHOP, "10.1.0.0/16", "100.64.0.0/16", name=LONG, tags={"Name": LONG}),
        make_vpc(6, SHOP, "172.31.0.0/16", is_default=True, region=VIRGINIA),
    ]


def write_shop(folder: Path) -> Path:
    """Fill a store in the folder, let the command write its report, and return the report's path."""
    now = datetime.now(UTC).replace(microsecond=0)
    file, config = folder / "landkeeper.db", folder / "landkeeper.yaml"
    config.write_text(_CONFIG, encoding="utf-8")
    with closing(VpcFile(file)) as store:
        _track(store, LAKE, now - timedelta(days=20), _lake()[:2])
        _track(store, LAKE, now - timedelta(days=9), _lake())
        _track(store, SHOP, now - timedelta(days=8), _shop())
        _track(
            store,
            PLANT,
            now - timedelta(days=2),
            [make_vpc(7, PLANT, "10.0.0.0/16", name="plant"), make_vpc(8, PLANT, "10.40.0.0/16", region=CHINA)],
        )
        _cover(store, now)
    with closing(LedgerFile(file)) as ledger:
        for number in range(12):
            assert ledger.write_case(_case(number, now))
    known = ("--file", file, "--config", config)
    _command("vpc", "pool", "create", "company", "--cidr", "10.0.0.0/8", *known)
    _command("vpc", "pool", "create", "shops", "--cidr", "10.32.0.0/12", "--parent", "company", *known)
    _command(
        "vpc", "allocate", "--pool", "shops", "--prefix-length", "20", "--account", LAKE.id, "--for", SCRIPT, *known
    )
    out = folder / "report.html"
    _command("report", "--out", out, "--backtest", _backtest(folder), *known)
    return out


def _command(*arguments: object) -> str:
    said = io.StringIO()
    with redirect_stdout(said):
        assert run([str(argument) for argument in arguments]) == 0
    return said.getvalue()


def _backtest(folder: Path) -> Path:
    """Return the output of a backtest that ran on a log file."""
    policy, answer = folder / "broom.yaml", folder / "backtest.json"
    policy.write_text(_POLICY, encoding="utf-8")
    records = [
        past_launch(
            f"i-{number:017x}", f"1{number}:00:00", tags={"Name": SCRIPT, "Code": "no" if number % 2 else "LOL"}
        )
        for number in range(6)
    ]
    write_logs(folder / "logs", {"one.json.gz": log(*records)})
    answer.write_text(
        _command("broom", "backtest", folder / "logs", "--policy", policy, "--no-cache", "--format", "json"),
        encoding="utf-8",
    )
    assert json.loads(answer.read_text(encoding="utf-8"))["instances"]
    return answer


def _track(store: VpcFile, account: Account, at: datetime, vpcs: list[Vpc]) -> None:
    reads = {
        region: Complete(tuple(vpc for vpc in vpcs if vpc.region == region)) for region in (IRELAND, VIRGINIA, CHINA)
    }
    assert store.write_changes(diff_account(store.read_owned(account.id), reads, account, at)) == []


def _cover(store: VpcFile, now: datetime) -> None:
    fresh, old = RegionCoverage(now - timedelta(minutes=12)), RegionCoverage(now - timedelta(days=3))
    denied = Failure(FailureReason.MISSING_PERMISSION, "UnauthorizedOperation", "no")
    store.write_coverage(Coverage(LAKE.id, LAKE.name, now, regions={IRELAND: fresh, VIRGINIA: fresh}))
    regions = {
        IRELAND: replace(old, failed_at=now, failure=denied),
        VIRGINIA: fresh,
        CHINA: RegionCoverage(standing=Standing.GOVERNED),
    }
    store.write_coverage(Coverage(SHOP.id, SHOP.name, now, regions=regions, failed_runs=3))
    store.write_coverage(Coverage(PLANT.id, PLANT.name, now, regions={IRELAND: old, CHINA: fresh}))


def _case(number: int, now: datetime) -> Case:
    launched = now - timedelta(days=number, hours=1)
    who = FORMULA if number % 3 else "jane@example.com"
    steps = (
        (State.WAITING, "the confirming read is at the end of the grace"), (State.JUDGED, f"Code is {SCRIPT}"),
        (State.ACTING, "terminate"), (State.ACTED, "destroyed"), (State.REPORTED, "reported as destroyed"),
    )  # fmt: skip
    story = tuple(Step(launched + timedelta(minutes=3 * at), state, why) for at, (state, why) in enumerate(steps))
    return Case(
        instance_id=InstanceId(f"i-{number:017x}"), account=SHOP.id, region=IRELAND, event_ids=(f"event-{number}",),
        event_time=launched, principal=Principal("AssumedRole", f"Developer/{who}"),
        image_id="ami-0abc", instance_type="t3.micro", logged_tags={"Name": SCRIPT}, opened_at=launched,
        changed_at=story[-1].at, reported_at=story[-1].at, state=State.REPORTED, version=1,
        rule="code" if number % 2 else "owner", how="Code is missing", action=Penalty.TERMINATE,
        outcome=Outcome.DESTROYED, story=story,
    )  # fmt: skip
