"""`landkeeper vpc` as a person types it, against the simulators."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from tests.servers import Answer, answering, home_session
from tests.strategies import ACCOUNTS, REGIONS

from landkeeper.cli import run
from landkeeper.cli.vpc.known import age_of
from landkeeper.embedded.simulators import Embedded
from landkeeper.embedded.vpc_file import VpcFile
from landkeeper.vpctracker.coverage import Coverage, RegionCoverage

_ROLE = "OrganizationAccountAccessRole"
_HERE = ("--region", "eu-north-1")

pytestmark = pytest.mark.embedded


@pytest.fixture(scope="module")
def organization(empty_moto: Embedded) -> dict[str, str]:
    """Ids by name of the accounts of an organization; `lake` and `apps` collide, `lake` shares a VPC with `apps`."""
    embedded = empty_moto
    client = home_session().client("organizations", endpoint_url=embedded.moto_url)
    client.create_organization(FeatureSet="ALL")
    for name in ("lake", "apps"):
        client.create_account(AccountName=name, Email=f"{name}@example.com")
    ids = {account["Name"]: account["Id"] for account in client.list_accounts()["Accounts"]}
    _create_vpc(embedded, ids["apps"], "apps [main]", "10.0.128.0/20")
    lake = _create_vpc(embedded, ids["lake"], "lake [main]", "10.0.0.0/16")
    member = _member_session(embedded, ids["lake"])
    ec2 = member.client("ec2", endpoint_url=embedded.moto_url)
    subnet = ec2.create_subnet(VpcId=lake, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetArn"]
    member.client("ram", endpoint_url=embedded.moto_url).create_resource_share(
        name="lake", resourceArns=[subnet], principals=[ids["apps"]], allowExternalPrincipals=True
    )
    return ids


def _member_session(embedded: Embedded, account: str) -> boto3.Session:
    sts = home_session().client("sts", endpoint_url=embedded.moto_url)
    role = f"arn:aws:iam::{account}:role/{_ROLE}"
    given = sts.assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    return boto3.Session(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"], region_name=_HERE[1])


def _create_vpc(embedded: Embedded, account: str, name: str, block: str) -> str:
    ec2 = _member_session(embedded, account).client("ec2", endpoint_url=embedded.moto_url)
    vpc = ec2.create_vpc(CidrBlock=block)["Vpc"]["VpcId"]
    ec2.create_tags(Resources=[vpc], Tags=[{"Key": "Name", "Value": name}])
    return vpc


@pytest.fixture
def here(aws_environment: Embedded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory of its own to work in, with the simulators in the environment."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def tracked(here: Path, organization: dict[str, str], capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    """The same with the whole organization tracked into the file there."""
    assert run(["vpc", "track", "--org", "--role", _ROLE, *_HERE]) == 0
    capsys.readouterr()
    return organization


def _json(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert run(["vpc", *arguments, "--format", "json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_without_flags_the_account_at_hand_goes_into_a_file_here(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["vpc", "track", *_HERE]) == 0
    printed = capsys.readouterr()
    assert printed.out.splitlines()[0] == "1 VPC in 1 of 1 account: 1 appeared, 0 changed, 0 disappeared."
    assert "landkeeper.db" in printed.out
    assert printed.err == ""
    assert (here / "landkeeper.db").exists()


def test_the_organization_is_listed_with_the_stored_attribute_names(
    tracked: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    rows = _json(capsys, "list")
    assert len(rows) == 5
    (lake,) = (row for row in rows if row["Name"] == "lake [main]")
    assert lake["OwnerId"] == tracked["lake"]
    assert lake["CidrBlocks"] == ["10.0.0.0/16"]
    assert lake["IsDefault"] is False
    assert lake["SharedWith"] == [tracked["apps"]]
    assert {"VpcId", "CidrBlock", "State", "Region", "AccountName", "FirstSeen", "Version"} <= lake.keys()


def test_the_table_shows_names_with_brackets_as_they_are_and_says_how_fresh_it_is(
    tracked: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["vpc", "list"]) == 0
    printed = capsys.readouterr()
    assert "lake [main]" in printed.out
    assert "5 VPCs" in printed.out
    assert "IPv6" not in printed.out
    assert printed.err.startswith("As of 20")
    assert "just now" in printed.err


def test_csv_has_a_line_for_each_vpc(tracked: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["vpc", "defaults", "--format", "csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["CidrBlocks"] for row in rows] == ["172.31.0.0/16"] * 3
    assert {row["AccountName"] for row in rows} == {"master", "lake", "apps"}


def test_default_vpcs_alone_are_in_defaults(tracked: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert [row["IsDefault"] for row in _json(capsys, "defaults")] == [True, True, True]


def test_overlaps_name_the_collision_and_the_default_vpcs(
    tracked: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    groups = _json(capsys, "overlaps")
    assert [(group["CidrBlock"], group["Kind"], len(group["Vpcs"])) for group in groups] == [
        ("10.0.0.0/16", "collision", 2),
        ("172.31.0.0/16", "default", 3),
    ]
    assert [vpc["CidrBlock"] for vpc in groups[0]["Vpcs"]] == ["10.0.0.0/16", "10.0.128.0/20"]


def test_the_table_of_overlaps_has_one_line_for_all_default_vpcs(
    tracked: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["vpc", "overlaps"]) == 0
    printed = capsys.readouterr().out
    assert "2 groups of overlapping blocks" in printed
    assert "3 default VPCs" in printed
    assert printed.count("172.31.0.0/16") == 1


def test_csv_of_overlaps_has_a_line_for_each_block(tracked: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["vpc", "overlaps", "--format", "csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["Group"] for row in rows] == ["1", "1", "2", "2", "2"]


def test_no_overlaps_are_said_so(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["vpc", "track", *_HERE])
    capsys.readouterr()
    assert run(["vpc", "overlaps"]) == 0
    assert capsys.readouterr().out == "No overlaps.\n"


def test_an_account_that_cannot_be_read_is_named_and_the_rest_is_done(
    here: Path, organization: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    names = ["--account", organization["lake"], "--account", organization["apps"]]
    assert run(["vpc", "track", *names, "--role", _ROLE, *_HERE]) == 0
    capsys.readouterr()
    assert run(["vpc", "track", *names, "--role", "NobodyMadeThisRole", *_HERE]) == 3
    printed = capsys.readouterr()
    lines = printed.err.splitlines()
    both = ", ".join(sorted((organization["lake"], organization["apps"])))
    assert lines[0].startswith(f"could not be read: {both}: role NobodyMadeThisRole cannot be assumed by ")
    assert lines[1:] == ["--details prints every error in full."]
    assert run(["vpc", "track", *names, "--role", "NobodyMadeThisRole", *_HERE, "--details"]) == 3
    assert [line.split(": ")[:3] for line in capsys.readouterr().err.splitlines()] == [
        ["could not be read", account, "role not assumable (AccessDenied"]
        for account in sorted((organization["lake"], organization["apps"]))
    ]
    assert printed.out.startswith("0 VPCs in 0 of 2 accounts")
    assert len(_json(capsys, "list")) == 4


def test_unread_accounts_are_named_by_what_answers_from_the_store(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["vpc", "track", "--account", "111122223333", "--role", "NobodyMadeThisRole", *_HERE]) == 3
    capsys.readouterr()
    assert run(["vpc", "list"]) == 0
    assert capsys.readouterr().err.splitlines()[0] == "No account has been read completely."
    run(["vpc", "track", *_HERE])
    capsys.readouterr()
    assert run(["vpc", "list"]) == 0
    assert "showing last known state: 111122223333." in capsys.readouterr().err


def test_profiles_are_read_each_with_its_own_credentials(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    profiles = here / "credentials"
    profiles.write_text(
        "".join(f"[{name}]\naws_access_key_id = 123456789012\naws_secret_access_key = x\n" for name in ("one", "two"))
    )
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(profiles))
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert run(["vpc", "track", "--profile", "one", "--profile", "two", *_HERE]) == 0
    assert "1 of 1 account" in capsys.readouterr().out
    assert run(["vpc", "track", "--profile", "one", "--profile", "tow", "--profile", "two", *_HERE]) == 3
    printed = capsys.readouterr()
    assert "profile tow was left out: there is no profile 'tow' in the AWS configuration: did you mean 'two'?" in (
        printed.err.splitlines()
    )
    assert "1 of 1 account" in printed.out
    assert run(["vpc", "track", "--profile", "tow", "--profile", "three"]) == 2
    assert "there is no profile 'tow'" in capsys.readouterr().err


def test_a_table_is_made_on_request_and_answers_like_the_file(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["vpc", "track", "--table", "FromCommand", "--create-tables", *_HERE]) == 0
    written = "Written to table FromCommand. See: landkeeper vpc list | overlaps | defaults --table FromCommand\n"
    assert capsys.readouterr().out.endswith(written)
    (row,) = _json(capsys, "list", "--table", "FromCommand")
    assert (row["CidrBlock"], row["State"], row["Version"]) == ("172.31.0.0/16", "available", 1)
    assert not (here / "landkeeper.db").exists()


def test_vpcs_that_are_gone_are_listed_on_request(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ec2 = home_session().client("ec2", region_name="ap-south-1")
    vpc = ec2.create_vpc(CidrBlock="10.77.0.0/16")["Vpc"]["VpcId"]
    run(["vpc", "track", "--region", "ap-south-1"])
    ec2.delete_vpc(VpcId=vpc)
    run(["vpc", "track", "--region", "ap-south-1"])
    assert "1 disappeared" in capsys.readouterr().out
    assert vpc not in {row["VpcId"] for row in _json(capsys, "list")}
    (gone,) = (row for row in _json(capsys, "list", "--deleted") if row["VpcId"] == vpc)
    assert gone["State"] == "deleted"
    assert gone["DeletedAt"] >= gone["FirstSeen"]


def test_on_a_terminal_a_bar_shows_how_far_it_is(here: Path, organization: dict[str, str]) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "landkeeper", "vpc", "track", *_HERE]
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=theirs, env={**os.environ, "TERM": "xterm"}
    ) as done:
        os.close(theirs)
        shown = b"".join(iter(lambda: _read_terminal(ours), b"")).decode()
    os.close(ours)
    assert done.returncode == 0
    assert "1/1" in shown
    assert "1 VPCs" in shown
    assert "0 unreadable" in shown


def _read_terminal(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 4096)
    except OSError:
        # Linux says so when the last program on the terminal has ended.
        return b""


@pytest.mark.parametrize(
    ("age", "words"),
    [
        (timedelta(seconds=59), "just now"),
        (timedelta(minutes=1), "1 min ago"),
        (timedelta(minutes=119, seconds=59), "119 min ago"),
        (timedelta(hours=2), "2 h ago"),
        (timedelta(hours=47, minutes=59), "47 h ago"),
        (timedelta(days=2), "2 days ago"),
    ],
)
def test_an_age_is_said_in_a_fitting_unit(age: timedelta, words: str) -> None:
    assert age_of(age) == words


def test_how_old_an_answer_is_is_said(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    read_at = datetime.now(UTC) - timedelta(days=3, hours=12)
    with closing(VpcFile(here / "landkeeper.db")) as store:
        store.write_coverage(Coverage(ACCOUNTS[0], regions={REGIONS[0]: RegionCoverage(read_at)}))
    assert run(["vpc", "list"]) == 0
    assert "(3 days ago)." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["list"], "the file 'landkeeper.db' does not exist"),
        (["list", "--file", "a.db", "--table", "T"], "--table and --file are mutually exclusive"),
        (["list", "--table", "Absent"], "there is no DynamoDB table 'Absent' in this account and region"),
        (["track", "--org", "--account", "111122223333"], "--org, --account and --profile are mutually exclusive"),
        (["track", "--account", "11112222333"], "'11112222333' is not an AWS account id: expected twelve digits"),
        (["track", "--account", "111122223333"], "other accounts require a role"),
        (["track", "--profile", "nobody"], "there is no profile 'nobody' in the AWS configuration"),
        (["track", "--region", "Ireland"], "'Ireland' is not a region code such as eu-west-1"),
        (["track", "--create-tables"], "--create-tables requires --table NAME"),
        (["track", "--file", "missing/a.db"], "missing/a.db: it cannot be opened or made there"),
        (["list", "--format", "xml"], "'xml' is not one of"),
        (["track", "everything"], "unexpected extra argument"),
    ],
)
def test_wrong_usage_is_one_line(
    here: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str
) -> None:
    assert run(["vpc", *arguments]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert sentence in printed.err


def _sts_and_organizations(call: Mapping[str, str]) -> Answer:
    if call["Action"] == "GetCallerIdentity":
        identity = "<GetCallerIdentityResult><Arn>arn:aws:iam::111122223333:user/jane</Arn></GetCallerIdentityResult>"
        return 200, f"<GetCallerIdentityResponse>{identity}</GetCallerIdentityResponse>"
    return 400, json.dumps({"__type": "AWSOrganizationsNotInUseException", "Message": "none"})


def _not_permitted(call: Mapping[str, str]) -> Answer:
    if call["Action"] == "ListAccounts":
        return 400, json.dumps({"__type": "AccessDeniedException", "Message": "no"})
    return _sts_and_organizations(call)


def _no_accounts(call: Mapping[str, str]) -> Answer:
    return (200, '{"Accounts": []}') if call["Action"] == "ListAccounts" else _sts_and_organizations(call)


def _expired(_: Mapping[str, str]) -> Answer:
    error = "<Error><Code>ExpiredToken</Code><Message>The security token is expired</Message></Error>"
    return 403, f"<ErrorResponse>{error}</ErrorResponse>"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (_sts_and_organizations, (2, "of these credentials is not in an organization: pass --account, or omit")),
        (_not_permitted, (1, "of a delegated administrator: permission missing (AccessDeniedException: no)")),
        (_no_accounts, (1, "Organizations lists no accounts, and there always are some")),
        (_expired, (1, "the AWS credentials at hand do not work: credentials missing or expired (ExpiredToken")),
    ],
)
def test_credentials_that_do_not_lead_to_an_organization_are_one_line(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], answer: Any,
    expected: tuple[int, str],
) -> None:  # fmt: skip
    with answering(answer) as url:
        for service in ("STS", "ORGANIZATIONS"):
            monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", url)
        code = run(["vpc", "track", "--org", "--role", _ROLE])
    printed = capsys.readouterr()
    assert code == expected[0]
    assert expected[1] in printed.err
    assert printed.err.count("\n") == 1


def test_no_credentials_at_all_are_one_line(
    no_aws: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["vpc", "track"]) == 1
    assert "the AWS credentials at hand do not work: credentials missing" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
