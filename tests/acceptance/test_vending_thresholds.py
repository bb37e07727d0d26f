"""Vending, interrupted at every single call: a complete and tracked VPC in the end, or nothing, and a right pool.

Each case has an account and a pool of its own. `make campaign` has the calls interrupted in every way on both
stores, and processes ended by SIGKILL at each of them; otherwise some of that.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.campaign import IS_CAMPAIGN
from tests.interrupted_calls import GoneError, Interruption, Watch, watching
from tests.member_instances import ROLE
from tests.servers import home_sessions

import landkeeper.wiring.vpctracker.vending
from landkeeper.aws.backoff import Backoff
from landkeeper.aws.sessions import AccountCredentials, AccountSessions, open_sessions
from landkeeper.aws.vpctracker.pool_table import PoolTable
from landkeeper.aws.vpctracker.vpc_table import VpcTable, create_tables
from landkeeper.cli import run
from landkeeper.cli.exit_codes import FAILED, INCOMPLETE, USAGE
from landkeeper.embedded.pool_file import PoolFile
from landkeeper.embedded.simulators import Embedded
from landkeeper.org import AccountId, Region
from landkeeper.vpctracker.cidr import parse_block
from landkeeper.vpctracker.coverage import Coverage, RegionCoverage
from landkeeper.vpctracker.inventory import VpcId, VpcKey
from landkeeper.vpctracker.pools.operations import create_pool, read_named_state
from landkeeper.vpctracker.pools.pool import Pool, Reservation
from landkeeper.wiring.vpctracker.pools import actor_named

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

pytestmark = [pytest.mark.embedded, pytest.mark.campaign]

HERE = Region("eu-west-1")
TABLE = "VendingBars"
_ROOT = Path(__file__).parents[2]


@cache
def _outside(role_name: str | None) -> AccountSessions:
    """Sessions for looking at what came of it."""
    return home_sessions(role_name)


@dataclass(frozen=True, slots=True)
class Case:
    """A vending in an account and a pool that nobody else has."""

    number: int
    store: Path | None
    """The file; None means the table."""

    @property
    def account(self) -> AccountId:
        return AccountId(f"{551000000000 + self.number}")

    @property
    def pool(self) -> str:
        return f"pool-{self.number}"

    @property
    def arguments(self) -> list[str]:
        where = ["--table", TABLE] if self.store is None else ["--file", str(self.store)]
        return [
            "vpc", "vend", "--account", self.account, "--region", HERE, "--pool", self.pool, "--prefix-length", "24",
            "--zones", "2", "--tags", "Code=LOL", "--request-id", f"run-{self.number}", "--role", ROLE, "--yes",
            "--format", "json", *where,
        ]  # fmt: skip

    def prepare(self) -> None:
        now = datetime.now(UTC)
        with self.opened() as (pools, vpcs):
            block = parse_block(f"10.{self.number % 256}.0.0/16")
            create_pool(pools, Pool(self.pool, block), actor_named("test"))
            assert vpcs.write_coverage(Coverage(self.account, tried_at=now, regions={HERE: RegionCoverage(now)}))

    @contextmanager
    def opened(self) -> Iterator[tuple[PoolTable | PoolFile, VpcTable | PoolFile]]:
        if self.store is not None:
            with closing(PoolFile(self.store)) as file:
                yield file, file
        else:
            client = _outside(None).home("dynamodb")
            yield PoolTable(client, TABLE), VpcTable(client, TABLE)

    def reservations(self) -> Sequence[Reservation]:
        with self.opened() as (pools, _):
            return read_named_state(pools, self.pool)[0].reservations

    @contextmanager
    def ec2(self) -> Iterator[EC2Client]:
        sessions = _outside(ROLE)
        grant = sessions.credentials_for(self.account)
        assert isinstance(grant, AccountCredentials)
        with sessions.signing_as(grant):
            yield sessions.ec2(HERE)

    def vpcs(self) -> list[VpcId]:
        with self.ec2() as ec2:
            return [VpcId(vpc["VpcId"]) for vpc in ec2.describe_vpcs()["Vpcs"] if not vpc["IsDefault"]]

    def assert_complete(self) -> None:
        """One VPC, all of it, as EC2 has it and as the tracker knows it; and its block is the only one reserved."""
        (vpc,) = self.vpcs()
        with self.ec2() as ec2:
            (raw,) = ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"]
            subnets = ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["Subnets"]
            support = ec2.describe_vpc_attribute(VpcId=vpc, Attribute="enableDnsSupport")["EnableDnsSupport"]
            hostnames = ec2.describe_vpc_attribute(VpcId=vpc, Attribute="enableDnsHostnames")["EnableDnsHostnames"]
        (reservation,) = self.reservations()
        assert (support["Value"], hostnames["Value"]) == (True, True)
        assert raw["CidrBlock"] == str(reservation.block)
        assert {tag["Key"]: tag["Value"] for tag in raw["Tags"]} == {
            "Code": "LOL", "landkeeper:request-id": f"run-{self.number}", "landkeeper:reservation": reservation.id,
        }  # fmt: skip
        assert len({one["AvailabilityZoneId"] for one in subnets}) == len(subnets) == 2
        with self.opened() as (_, store):
            (stored,) = store.read_items({VpcKey(vpc, self.account)})
        assert stored.is_live
        assert stored.vpc.tags == {tag["Key"]: tag["Value"] for tag in raw["Tags"]}
        assert {one.id for one in stored.vpc.subnets} == {one["SubnetId"] for one in subnets}


_NUMBERS = iter(range(1, 100_000))


@dataclass(slots=True)
class World:
    """The simulators, and what watches over this process's calls."""

    store: Path | None
    watch: Watch
    opened: dict[str | None, AccountSessions] = field(default_factory=dict)

    def case(self) -> Case:
        case = Case(next(_NUMBERS), self.store)
        case.prepare()
        return case

    def vend(self, case: Case, at: int = -1, how: Interruption = Interruption.REFUSED) -> int | None:
        """The exit code; None where the process was interrupted."""
        for sessions in self.opened.values():
            # A process begins without knowing who it is.
            sessions._principal = None
        self.watch.begin(at, how)
        try:
            return run(case.arguments)
        except GoneError:
            return None


@pytest.fixture(params=["file", "dynamodb"])
def world(
    request: pytest.FixtureRequest, aws_environment: Embedded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    """Vending into a file, and into the table."""
    # What EC2 shows late it shows at once here; what it does not show is not waited for.
    monkeypatch.setattr(landkeeper.wiring.vpctracker.vending, "_BACKOFF", Backoff(0.005, patience_seconds=0.02))
    store = tmp_path / "landkeeper.db" if request.param == "file" else None
    if store is None:
        create_tables(home_sessions().home("dynamodb"), TABLE)
    _outside.cache_clear()
    with watching() as watch:
        made = World(store, watch)

        def open_once(region: Region, *, role_name: str | None = None, **_: Any) -> AccountSessions:
            # Making clients anew for each run would be most of the time.
            if role_name not in made.opened:
                made.opened[role_name] = open_sessions(region, role_name=role_name)
            return made.opened[role_name]

        monkeypatch.setattr("landkeeper.aws.sessions.open_sessions", open_once)
        yield made


def _calls_of_one(world: World, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What a vending asks of AWS, in order."""
    case = world.case()
    assert world.vend(case) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["State"], told["IsTracked"]) == ("made", True)
    calls = list(world.watch.attempts)
    case.assert_complete()
    for call in ("ec2:CreateVpc", "ec2:CreateSubnet", "ec2:ModifyVpcAttribute", "ec2:DeleteTags", "sts:AssumeRole"):
        assert call in calls
    return calls


_WAYS = (Interruption.REFUSED, Interruption.LOST, Interruption.GONE_BEFORE, Interruption.GONE_AFTER)
_ALWAYS = (Interruption.REFUSED, Interruption.GONE_AFTER)
_CHANGING = ("Create", "Modify", "Delete", "TransactWrite", "Put", "Update")
"""Where not all calls are interrupted, those that change something are: others leave what the one before them left."""


@pytest.mark.parametrize("how", _WAYS if IS_CAMPAIGN else _ALWAYS)
def test_interrupted_at_every_call(world: World, how: Interruption, capsys: pytest.CaptureFixture[str]) -> None:
    for at, call in enumerate(_calls_of_one(world, capsys)):
        is_all = IS_CAMPAIGN or (world.store is not None and how is Interruption.REFUSED)
        if not is_all and not call.split(":")[1].startswith(_CHANGING):
            continue
        case = world.case()
        code = world.vend(case, at, how)
        out = capsys.readouterr().out
        at_call = f"{how}: {world.watch.attempts[at]}, call {at}"
        vpcs, reservations = case.vpcs(), case.reservations()
        assert len(vpcs) <= 1, at_call
        if code is not None and not vpcs:
            # It has ended in order: either it had nothing to undo, or it has undone it, and says what it keeps.
            # A call that is refused is a failure, a role that cannot be assumed is configuration.
            assert code in {FAILED, USAGE, INCOMPLETE}, at_call
            assert not reservations or "ReservationId" in json.loads(out), at_call
        if vpcs:
            assert [one.account for one in reservations] == [case.account], at_call
        if code == 0:
            case.assert_complete()
        assert world.vend(case) == 0, at_call
        told = json.loads(capsys.readouterr().out)
        assert (told["State"], told["IsTracked"], told["IsUnfinished"]) == ("made", True, False), at_call
        case.assert_complete()


def test_a_process_that_is_killed_leaves_what_the_same_request_carries_on_with(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    calls = _calls_of_one(world, capsys)
    chosen = range(len(calls)) if IS_CAMPAIGN else [calls.index("ec2:CreateVpc")]
    for at in chosen:
        case = world.case()
        program = [sys.executable, "-m", "tests.acceptance.vending_killed", str(at)]
        killed = subprocess.run([*program, *case.arguments], capture_output=True, text=True, check=False, cwd=_ROOT)
        assert killed.returncode == -signal.SIGKILL, (calls[at], killed.stderr)
        assert len(case.vpcs()) == (at >= calls.index("ec2:CreateVpc"))
        assert world.vend(case) == 0, calls[at]
        assert json.loads(capsys.readouterr().out)["State"] == "made"
        case.assert_complete()
