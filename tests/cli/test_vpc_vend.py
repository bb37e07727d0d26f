"""`vpc vend`, as a person types it, against the simulators."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from botocore.loaders import create_loader
from tests.member_instances import HERE, ROLE
from tests.scripted_aws import Call, ScriptedAws, scripted_aws
from tests.servers import Answer, answering, ec2_refusal, home_sessions
from tests.typed_answers import type_answer

import landkeeper.wiring.vpctracker.vending
from landkeeper.aws.backoff import Backoff
from landkeeper.aws.sessions import AccountCredentials
from landkeeper.cli import run
from landkeeper.embedded.pool_file import PoolFile
from landkeeper.embedded.simulators import HOME_ACCOUNT, Embedded
from landkeeper.org import AccountId, Failure, FailureReason, Membership
from landkeeper.vpctracker.coverage import Coverage, RegionCoverage
from landkeeper.vpctracker.inventory import VpcId, VpcKey

pytestmark = pytest.mark.embedded

_numbers = count(1)
_LOADER = create_loader()


@pytest.fixture
def account(
    aws_environment: Embedded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> AccountId:
    """An account that was read, and in the working directory a file that knows that, with the pool `prod`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(landkeeper.wiring.vpctracker.vending, "_BACKOFF", Backoff(0.01, patience_seconds=0.05))
    # Describing AWS to every run anew would be most of the time.
    monkeypatch.setattr("botocore.session.create_loader", lambda _: _LOADER)
    made = AccountId(f"{553000000000 + next(_numbers)}")
    now = datetime.now(UTC)
    with closing(PoolFile(tmp_path / "landkeeper.db")) as store:
        store.write_coverage(Coverage(made, "shop", now, regions={HERE: RegionCoverage(now)}))
    assert run(["vpc", "pool", "create", "prod", "--cidr", "10.0.0.0/18"]) == 0
    capsys.readouterr()
    return made


@pytest.fixture
def front(account: AccountId, aws_environment: Embedded, monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedAws]:
    """What a test scripts of EC2 and STS."""
    with scripted_aws(aws_environment.moto_url) as made:
        monkeypatch.setenv("AWS_ENDPOINT_URL_EC2", made.url)
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", made.url)
        yield made


def _arguments(account: AccountId, *more: str) -> list[str]:
    return [
        "vpc", "vend", "--account", account, "--region", HERE, "--pool", "prod", "--prefix-length", "/20", "--zones",
        "2", "--role", ROLE, *more,
    ]  # fmt: skip


def _told(capsys: pytest.CaptureFixture[str], account: AccountId, *more: str, code: int = 0) -> dict[str, Any]:
    assert run(_arguments(account, *more, "--format", "json")) == code
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    return told


def _refused(capsys: pytest.CaptureFixture[str], account: AccountId, *more: str) -> str:
    assert run(_arguments(account, *more)) == 2
    printed = capsys.readouterr()
    assert (printed.out, printed.err.count("\n")) == ("", 1)
    return printed.err


def _shown(capsys: pytest.CaptureFixture[str]) -> list[tuple[str, str]]:
    capsys.readouterr()
    assert run(["vpc", "pool", "show", "prod", "--format", "json"]) == 0
    return [(one["CidrBlock"], one["State"]) for one in json.loads(capsys.readouterr().out)["Reservations"]]


def _own_vpcs(account: AccountId) -> list[str]:
    sessions = home_sessions(ROLE)
    grant = sessions.credentials_for(account)
    assert isinstance(grant, AccountCredentials)
    with sessions.signing_as(grant):
        listed = sessions.ec2(HERE).describe_vpcs()["Vpcs"]
    return [vpc["VpcId"] for vpc in listed if not vpc["IsDefault"]]


def test_the_plan_is_printed_and_nothing_is_made(
    account: AccountId, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # A file of an earlier version: not even its stamp changes.
    with closing(sqlite3.connect("landkeeper.db", isolation_level=None)) as file:
        file.execute("PRAGMA application_id = 0")
    before = Path("landkeeper.db").read_bytes()
    assert run(_arguments(account, "--public-bits", "5", "--tag", "Code=LOL", "--name", "web", "--grow-to", "19")) == 0
    printed = capsys.readouterr()
    lines = printed.out.splitlines()
    assert lines[0] == (
        f"VPC for shop ({account}) in eu-west-1: web, 10.0.0.0/20 from pool prod, with 10.0.0.0/19 reserved for growth."
    )
    assert "web-private-euw1-az1" in printed.out
    assert "10.0.8.128/25  public   euw1-az2" in printed.out
    assert lines[-4:] == [
        "Free for more subnets: 10.0.9.0/24, 10.0.10.0/23, 10.0.12.0/22.",
        "DNS resolution and DNS hostnames are enabled. Gateways and routes are not created.",
        "Tags: Code=LOL",
        "Nothing was created or reserved. Pass --yes to create it.",
    ]
    assert printed.err == ""
    planned = _told(capsys, account)
    assert (planned["State"], planned["CidrBlock"], len(planned["Subnets"])) == ("planned", "10.0.0.0/20", 2)
    assert "ReservationId" not in planned
    assert run(_arguments(account, "--format", "csv")) == 0
    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert (row["State"], row["CidrBlock"], len(json.loads(row["Subnets"]))) == ("planned", "10.0.0.0/20", 2)
    assert (_shown(capsys), _own_vpcs(account)) == ([], [])
    type_answer(monkeypatch, "y")
    assert run(_arguments(account, "--yes", "--dry-run")) == 0
    type_answer(monkeypatch, "n")
    assert run(_arguments(account)) == 0
    assert "Create this VPC?" in capsys.readouterr().err
    assert Path("landkeeper.db").read_bytes() == before


def test_a_yes_makes_it_and_has_it_tracked(
    account: AccountId, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    type_answer(monkeypatch, "y")
    assert run(_arguments(account, "--tags", "Code=LOL", "--for", "the shop", "--name", "web")) == 0
    printed = capsys.readouterr()
    assert "Create this VPC?" in printed.err
    printed = printed._replace(err=printed.err.partition("[y/N]: ")[2].lstrip("\n"))
    (vpc,) = _own_vpcs(account)
    assert printed.out.splitlines()[-2:] == [
        f"{vpc} created: 10.0.0.0/20 in shop ({account}) eu-west-1, with 2 subnets.",
        f"Recorded in landkeeper.db. See: landkeeper vpc show {vpc}",
    ]
    assert printed.err.splitlines()[0].startswith("If interrupted, run the command again with --request-id vend-")
    assert printed.err.splitlines()[1:] == [
        f"Created {vpc}, 10.0.0.0/20",
        "Created subnet 10.0.0.0/22 in euw1-az1",
        "Created subnet 10.0.4.0/22 in euw1-az2",
    ]
    assert _shown(capsys) == [("10.0.0.0/20", "used")]
    assert run(["vpc", "pool", "show", "prod"]) == 0
    assert "Expires" not in capsys.readouterr().out
    assert run(["vpc", "show", vpc, "--format", "json"]) == 0
    stored = json.loads(capsys.readouterr().out)
    assert (stored["Name"], stored["Tags"]["Code"], len(stored["Subnets"])) == ("web", "LOL", 2)
    assert not [key for key in stored["Tags"] if key == "landkeeper:unfinished"]


def test_another_block_than_the_one_that_was_agreed_to_is_not_used(
    account: AccountId, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def take_the_block() -> None:
        taking = ["--pool", "prod", "--prefix-length", "20", "--account", account, "--for", "x"]
        assert run(["vpc", "allocate", *taking]) == 0

    type_answer(monkeypatch, "y", meanwhile=take_the_block)
    assert run(_arguments(account, "--request-id", "run-7")) == 2
    sentence = "10.0.0.0/20 was taken meanwhile, and 10.0.16.0/20 is reserved: pass --request-id run-7 to use it"
    assert sentence in capsys.readouterr().err
    assert _own_vpcs(account) == []


def test_the_same_request_again_answers_with_the_same_vpc(
    account: AccountId, capsys: pytest.CaptureFixture[str]
) -> None:
    made = _told(capsys, account, "--yes", "--request-id", "run-7")
    assert (made["State"], made["IsNew"], made["RequestId"]) == ("made", True, "run-7")
    assert made["Subnets"]
    assert all(subnet["SubnetId"].startswith("subnet-") for subnet in made["Subnets"])
    assert _told(capsys, account, "--yes", "--request-id", "run-7") == {**made, "IsNew": False}
    assert _told(capsys, account, "--request-id", "run-7")["ReservationId"] == made["ReservationId"]
    assert run(_arguments(account, "--yes", "--request-id", "run-7")) == 0
    assert f"{made['VpcId']} already created by this request" in capsys.readouterr().out
    assert "was used for another request" in _refused(capsys, account, "--request-id", "run-7", "--prefix-length", "21")
    assert run(_arguments(account, "--yes", "--request-id", "run-7", "--zones", "1")) == 2
    assert "was used for another request: subnet-" in capsys.readouterr().err
    assert _own_vpcs(account) == [made["VpcId"]]


def test_a_request_that_has_a_vpc_and_no_block_is_told_so(
    account: AccountId, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(_arguments(account, "--yes", "--request-id", "run-7")) == 0
    assert run(["vpc", "pool", "create", "other", "--cidr", "10.9.0.0/16"]) == 0
    capsys.readouterr()
    why = _refused(capsys, account, "--yes", "--request-id", "run-7", "--pool", "other")
    assert "'run-7' has a VPC in eu-west-1 but no block in the pool 'other': use another request id" in why
    assert _shown(capsys) == [("10.0.0.0/20", "used")]


def test_what_does_not_work_is_undone_and_the_block_given_back(
    account: AccountId, front: ScriptedAws, capsys: pytest.CaptureFixture[str]
) -> None:
    full = ec2_refusal("SubnetLimitExceeded", "too many")
    front.script = lambda call: full if _counted(front, call.action) == ("CreateSubnet", 2) else None
    assert run(_arguments(account, "--yes", "--request-id", "run-7")) == 3
    told = capsys.readouterr().err.splitlines()
    (vpc,) = [line.split()[1].rstrip(",") for line in told if line.startswith("Created vpc-")]
    assert told[2].startswith("Deleted subnet-")
    assert told[3:] == [
        f"Deleted {vpc}",
        "creating the subnet 10.0.4.0/22 failed: error (SubnetLimitExceeded: too many)",
        "Rolled back; 10.0.0.0/20 is free again.",
    ]
    assert (_own_vpcs(account), _shown(capsys)) == ([], [])
    front.script = lambda _: None
    assert _told(capsys, account, "--yes", "--request-id", "run-7")["State"] == "made"


def _counted(front: ScriptedAws, action: str) -> tuple[str, int]:
    return action, front.count(action)


def test_what_cannot_be_undone_is_named_and_keeps_its_block(
    account: AccountId, front: ScriptedAws, capsys: pytest.CaptureFixture[str]
) -> None:
    denied = ec2_refusal("UnauthorizedOperation", "no", 403)
    front.script = lambda call: denied if call.action in {"CreateSubnet", "DeleteVpc"} else None
    told = _told(capsys, account, "--yes", "--request-id", "run-7", code=3)
    (vpc,) = _own_vpcs(account)
    assert (told["State"], told["FailedStep"]) == ("undone", "creating the subnet 10.0.0.0/22")
    assert told["Left"] == [{"Id": vpc, "Failure": "permission missing (UnauthorizedOperation: no)"}]
    assert run(_arguments(account, "--yes", "--request-id", "run-7")) == 3
    said = capsys.readouterr().err
    assert f"{vpc} could not be deleted: permission missing" in said
    assert f"10.0.0.0/20 stays reserved as {told['ReservationId']}: a VPC uses it, or may use it." in said
    front.script = lambda _: None
    assert _told(capsys, account, "--yes", "--request-id", "run-7")["VpcId"] == vpc


def test_a_call_without_an_answer_leaves_the_block_reserved(
    account: AccountId, front: ScriptedAws, capsys: pytest.CaptureFixture[str]
) -> None:
    front.script = lambda call: (500, "") if call.action == "CreateVpc" else None
    told = _told(capsys, account, "--yes", "--request-id", "run-7", code=3)
    assert (told["MayTurnUp"], told["Left"], _shown(capsys)) == (True, [], [("10.0.0.0/20", "reserved")])
    assert run(_arguments(account, "--yes", "--request-id", "run-7")) == 3
    assert "A VPC may have been created. Repeat the request to find it" in capsys.readouterr().err


def test_the_block_comes_back_although_the_tracker_saw_the_vpc(
    account: AccountId, front: ScriptedAws, capsys: pytest.CaptureFixture[str]
) -> None:
    """As an event brings it, between the making and the undoing."""

    def refuse(call: Call) -> Answer | None:
        if call.action != "CreateSubnet":
            return None
        assert run(["vpc", "track", "--account", account, "--role", ROLE, "--region", HERE]) == 0
        return ec2_refusal("UnauthorizedOperation", "no", 403)

    front.script = refuse
    assert run(_arguments(account, "--yes")) == 3
    assert "10.0.0.0/20 is free again" in capsys.readouterr().err
    assert _shown(capsys) == []


def test_a_vpc_that_could_not_be_tracked_stays_and_is_tracked_by_the_same_request(
    account: AccountId, front: ScriptedAws, capsys: pytest.CaptureFixture[str]
) -> None:
    front.script = lambda call: ec2_refusal("UnauthorizedOperation", "no", 403) if _is_track(front) else None
    told = _told(capsys, account, "--yes", "--request-id", "run-7", code=3)
    assert (told["State"], told["IsTracked"]) == ("made", False)
    front.script = lambda _: None
    assert _told(capsys, account, "--yes", "--request-id", "run-7")["IsTracked"]
    with closing(PoolFile(Path("landkeeper.db"))) as store:
        (stored,) = store.read_items({VpcKey(VpcId(told["VpcId"]), account)})
    assert len(stored.vpc.subnets) == 2


def _is_track(front: ScriptedAws) -> bool:
    """Whether the call is one of the tracker's, after the VPC was finished."""
    actions = [call.action for call in front.calls]
    return "DeleteTags" in actions[:-1]


def test_a_tag_that_cannot_be_taken_off_is_told(
    account: AccountId, front: ScriptedAws, capsys: pytest.CaptureFixture[str]
) -> None:
    denied = ec2_refusal("UnauthorizedOperation", "no", 403)
    front.script = lambda call: denied if call.action == "DeleteTags" else None
    assert run(_arguments(account, "--yes", "--request-id", "run-7")) == 3
    printed = capsys.readouterr()
    assert "Recorded in landkeeper.db" in printed.out
    assert "The tag landkeeper:unfinished could not be removed" in printed.err
    front.script = lambda _: None
    assert not _told(capsys, account, "--yes", "--request-id", "run-7")["IsUnfinished"]


def test_quotas_stop_it_before_anything_is_made_or_are_said_to_be_unknown(
    account: AccountId, front: ScriptedAws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(3):
        _told(capsys, account, "--yes", "--prefix-length", "24", "--request-id", f"run-{number}")
    # The default VPC and three others leave room for one of five.
    last = _told(capsys, account, "--yes", "--prefix-length", "24", "--request-id", "run-3")
    why = _refused(capsys, account, "--yes")
    assert "the quota of VPCs in eu-west-1 is 5 and there are 5: ask for more in Service Quotas (L-F678F1CE)" in why
    assert len(_shown(capsys)) == 4
    assert _told(capsys, account, "--yes", "--prefix-length", "24", "--request-id", "run-3") == {**last, "IsNew": False}
    with answering(lambda _: (400, '{"__type": "AccessDeniedException", "Message": "no"}')) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SERVICE_QUOTAS", url)
        assert run(_arguments(account)) == 0
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 2
    assert said[0].startswith("the quota of VPCs in eu-west-1 (L-F678F1CE) cannot be read: permission missing")


def test_the_account_at_hand_takes_no_role(account: AccountId, capsys: pytest.CaptureFixture[str]) -> None:
    home = AccountId(HOME_ACCOUNT)
    now = datetime.now(UTC)
    with closing(PoolFile(Path("landkeeper.db"))) as store:
        store.write_coverage(Coverage(home, "home", now, regions={HERE: RegionCoverage(now)}))
    assert _told(capsys, home, "--role", "nobody")["AccountId"] == home


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--prefix-length", "29"), "--prefix-length is /29: the blocks of a VPC are from /16 to /28"),
        (("--prefix-length", "16"), "the pool 'prod' has no /16 left: the largest block that would fit is a /18"),
        (("--zones", "7"), "--zones is 7: eu-west-1 has 3 for this account (euw1-az1, euw1-az2, euw1-az3)"),
        (("--zone", "euw1-az1"), "--zones is 2, and --zone names 1: pass only one"),
        (("--zones", "some"), "--zones is 'some': expected a whole number"),
        (("--prefix-length", "28", "--zones", "2"), "a /28 has no room for 2 private subnets: a subnet is a /28"),
        (("--public-bits", "9"), "--public-bits is 9: in a /20 it takes from 1 to 8"),
        (("--tags", "Code"), "--tag is 'Code': expected KEY=VALUE"),
        (("--tags", "aws:x=1"), "keys that begin with aws: are AWS's own"),
        (tuple(word for number in range(51) for word in ("--tag", f"k{number}=v")), "there are 51 tags beside Name"),
        (("--region", "eu-west-9"), "region 'eu-west-9' does not exist"),
        (("--region", "Ireland"), "'Ireland' is not a region code"),
        (("--pool", "nope"), "there is no pool 'nope'"),
        (("--request-id", "a*"), "--request-id is 'a*'"),
        (("--account", "123"), "'123' is not an AWS account id"),
        (("--role", "nobody"), "the role nobody in account"),
        (("--grow-to", "24"), "a /20 cannot grow to a /24"),
    ],
)
def test_bad_input_is_one_line(
    account: AccountId, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], why: str
) -> None:
    assert why in _refused(capsys, account, *arguments, "--yes")
    assert _shown(capsys) == []


def test_regions_that_are_closed_or_off_are_one_line(
    account: AccountId, front: ScriptedAws, capsys: pytest.CaptureFixture[str]
) -> None:
    front.script = lambda call: ec2_refusal("AuthFailure", "no", 401) if call.action.startswith("Desc") else None
    assert f"eu-west-1 is not enabled in the account {account}" in _refused(capsys, account, "--yes")
    front.script = lambda call: ec2_refusal("UnauthorizedOperation", "no", 403) if "Vpcs" in call.action else None
    assert f"eu-west-1 in account {account} cannot be read: permission" in _refused(capsys, account, "--yes")
    Path("landkeeper.yaml").write_text(
        f"version: 1\ngoverned: [{{regions: [eu-west-1], accounts: ['{account}']}}]\n", encoding="utf-8"
    )
    assert f"eu-west-1 is governed for account {account}" in _refused(capsys, account, "--yes")


def test_accounts_that_get_nothing_or_were_never_read(account: AccountId, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(PoolFile(Path("landkeeper.db"))) as store:
        known = store.read_coverage(account)
        store.write_coverage(replace(known, membership=Membership.DEPARTED))
        assert "it is departed" in _refused(capsys, account, "--yes")
        denied = RegionCoverage(failed_at=datetime.now(UTC), failure=Failure(FailureReason.SCP_DENY))
        known = store.read_coverage(account)
        store.write_coverage(replace(known, membership=Membership.ACTIVE, regions={HERE: denied}))
    assert "Nothing reserved: shop" in _refused(capsys, account, "--yes")
    zones = ["euw1-az3", "euw1-az1"]
    planned = _told(capsys, account, "--accept-unread", account, *(word for zone in zones for word in ("--zone", zone)))
    assert planned["State"] == "planned"
    assert [subnet["AvailabilityZoneId"] for subnet in planned["Subnets"]][:2] == zones
    assert "999988887777" in _refused(capsys, account, "--account", "999988887777")


def test_credentials_of_another_account_are_refused(
    account: AccountId, front: ScriptedAws, capsys: pytest.CaptureFixture[str]
) -> None:
    other = "<GetCallerIdentityResult><Arn>arn:aws:sts::123456789012:assumed-role/x/y</Arn>"
    body = f"<R>{other}<Account>123456789012</Account></GetCallerIdentityResult></R>"
    front.script = lambda call: (200, body) if call.action == "GetCallerIdentity" else None
    why = _refused(capsys, account, "--yes")
    assert f"the credentials for account {account} belong to another account: 123456789012" in why
    assert not [call.action for call in front.calls if call.action.startswith(("Create", "Delete"))]
