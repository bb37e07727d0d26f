"""VPC Tracker on 25 accounts in 4 regions: what it stores is what an independent reader sees, faults or none."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from tests.scripted_aws import ScriptedAws, scripted_aws
from tests.servers import Answer, ec2_refusal, home_session

from landkeeper.cli import run
from landkeeper.embedded.simulators import HOME_ACCOUNT, Embedded, Simulators, moto_endpoints
from landkeeper.embedded.vpc_file import VpcFile
from landkeeper.org import FailureReason
from landkeeper.vpctracker.coverage import Coverage

_ROLE = "OrganizationAccountAccessRole"
_REGIONS = ("eu-north-1", "eu-west-1", "us-east-1", "us-west-2")
_ACCOUNTS = 25

pytestmark = pytest.mark.embedded

Place = tuple[str, str]
Row = tuple[str, bool, str, tuple[str, ...], tuple[str, ...]]
"""CidrBlock, IsDefault, State, and the IPv4 and IPv6 blocks that are associated."""


@dataclass(frozen=True)
class Organization:
    """Its accounts, each with a VPC of two blocks in every region, and the way to them."""

    embedded: Embedded
    front: ScriptedAws
    accounts: tuple[str, ...]
    session: Any = field(default_factory=home_session)
    keys: dict[str, dict[str, str]] = field(default_factory=dict)
    clients: dict[tuple[str, str], Any] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def ec2(self, account: str, region: str) -> Any:
        """A plain client of that account and region, past the front."""
        with self.lock:
            if account not in self.keys:
                self.keys[account] = _enter(self.embedded, account)
            if (account, region) not in self.clients:
                self.clients[account, region] = self.session.client(
                    "ec2", region_name=region, endpoint_url=self.embedded.moto_url, **self.keys[account]
                )
            return self.clients[account, region]

    def everywhere(self, do: Callable[[str, str], Any]) -> list[Any]:
        """The answers for every account and region."""
        places = [(account, region) for account in self.accounts for region in _REGIONS]
        with ThreadPoolExecutor(8) as pool:
            return list(pool.map(lambda place: do(*place), places))


def _enter(embedded: Embedded, account: str) -> dict[str, str]:
    if account == HOME_ACCOUNT:
        return {}
    sts = home_session().client("sts", endpoint_url=embedded.moto_url)
    given = sts.assume_role(RoleArn=f"arn:aws:iam::{account}:role/{_ROLE}", RoleSessionName="independent")[
        "Credentials"
    ]
    return {
        "aws_access_key_id": given["AccessKeyId"],
        "aws_secret_access_key": given["SecretAccessKey"],
        "aws_session_token": given["SessionToken"],
    }


@pytest.fixture(scope="module")
def organization() -> Iterator[Organization]:
    with Simulators() as embedded:
        client = home_session().client("organizations", endpoint_url=embedded.moto_url)
        client.create_organization(FeatureSet="ALL")
        for number in range(1, _ACCOUNTS):
            client.create_account(AccountName=f"team {number}", Email=f"team-{number}@example.com")
        pages = client.get_paginator("list_accounts").paginate()
        accounts = tuple(sorted(one["Id"] for page in pages for one in page["Accounts"]))
        with scripted_aws(embedded.moto_url) as front:
            made = Organization(embedded, front, accounts)
            made.everywhere(lambda account, region: _populate(made, account, region))
            yield made


def _populate(organization: Organization, account: str, region: str) -> None:
    number, ec2 = organization.accounts.index(account), organization.ec2(account, region)
    place = _REGIONS.index(region)
    vpc = ec2.create_vpc(CidrBlock=f"10.{number}.{place * 64}.0/18", AmazonProvidedIpv6CidrBlock=number % 5 == 0)
    ec2.associate_vpc_cidr_block(VpcId=vpc["Vpc"]["VpcId"], CidrBlock=f"100.64.{number}.0/24")


def _independent(organization: Organization) -> dict[Place, Row]:
    """Every VPC as a plain boto3 reader sees it, by its id and owner."""

    def read(account: str, region: str) -> list[Any]:
        vpcs: list[Any] = organization.ec2(account, region).describe_vpcs()["Vpcs"]
        return vpcs

    return {
        (vpc["VpcId"], vpc["OwnerId"]): (
            vpc["CidrBlock"],
            vpc["IsDefault"],
            vpc["State"],
            _associated(vpc["CidrBlockAssociationSet"], "CidrBlock"),
            _associated(vpc.get("Ipv6CidrBlockAssociationSet", []), "Ipv6CidrBlock"),
        )
        for vpcs in organization.everywhere(read)
        for vpc in vpcs
    }


def _associated(associations: list[Any], name: str) -> tuple[str, ...]:
    # moto writes leading zeros into IPv6 addresses.
    return tuple(
        sorted(str(ip_network(one[name])) for one in associations if one[f"{name}State"]["State"] == "associated")
    )


def _stored(capsys: pytest.CaptureFixture[str]) -> dict[Place, Row]:
    capsys.readouterr()
    assert run(["vpc", "list", "--deleted", "--format", "json"]) == 0
    return {
        (row["VpcId"], row["OwnerId"]): (
            row["CidrBlock"],
            row["IsDefault"],
            row["State"],
            tuple(sorted(row["CidrBlocks"])),
            tuple(sorted(row["Ipv6CidrBlocks"])),
        )
        for row in json.loads(capsys.readouterr().out)
    }


@pytest.fixture
def tracked(
    organization: Organization, no_aws: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], int]]:
    """`vpc track --org` over the organization, through the front, into a file; answers the exit code."""
    monkeypatch.chdir(tmp_path)
    environment = {"AWS_ACCESS_KEY_ID": HOME_ACCOUNT, "AWS_SECRET_ACCESS_KEY": "x", "AWS_REGION": "us-east-1"}
    endpoints = moto_endpoints(organization.embedded.moto_url)
    fronted = {"AWS_ENDPOINT_URL_EC2": organization.front.url, "AWS_ENDPOINT_URL_STS": organization.front.url}
    for name, value in (environment | endpoints | fronted).items():
        monkeypatch.setenv(name, value)
    regions = [word for region in _REGIONS for word in ("--region", region)]
    yield lambda: run(["vpc", "track", "--org", "--role", _ROLE, *regions])
    organization.front.script = lambda _: None


def test_every_vpc_is_stored_as_an_independent_reader_sees_it_and_a_second_run_changes_nothing(
    organization: Organization, tracked: Callable[[], int], capsys: pytest.CaptureFixture[str]
) -> None:
    organization.front.calls.clear()
    assert tracked() == 0
    expected = _independent(organization)
    assert len(organization.accounts) == _ACCOUNTS
    assert len(expected) == 2 * _ACCOUNTS * len(_REGIONS)
    assert _stored(capsys) == expected
    assumed = [call.account for call in organization.front.calls if call.action == "AssumeRole"]
    assert sorted(assumed) == sorted(set(organization.accounts) - {HOME_ACCOUNT})
    assert tracked() == 0
    assert "0 appeared, 0 changed, 0 disappeared" in capsys.readouterr().out


def test_faults_leave_the_other_rows_right_and_take_nothing_away(
    organization: Organization, tracked: Callable[[], int], capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    assert tracked() == 0
    before = _stored(capsys)
    by_scp, no_role, throttled, healthy = [one for one in organization.accounts if one != HOME_ACCOUNT][:4]
    for account in (by_scp, no_role, throttled, healthy):
        _delete_own_vpc(organization, account, "eu-west-1")
    _delete_own_vpc(organization, by_scp, "us-west-2")
    scp = "You are not authorized to perform this operation, with an explicit deny in a service control policy"
    refusals: dict[str, Callable[[str, str], Answer | None]] = {
        by_scp: lambda action, region: (
            ec2_refusal("UnauthorizedOperation", scp, 403) if region == "eu-west-1" else None
        ),
        no_role: lambda action, region: ec2_refusal("AccessDenied", "not authorized", 403),
        throttled: lambda action, region: (
            None if action == "AssumeRole" else ec2_refusal("RequestLimitExceeded", "Request limit exceeded.", 503)
        ),
    }
    organization.front.script = lambda call: (
        refusals[call.account](call.action, call.region) if call.account in refusals else None
    )
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _seconds, sleep=time.sleep: sleep(0.01))
    capsys.readouterr()
    assert tracked() == 3
    told = capsys.readouterr().err
    for account, words in (
        (by_scp, "eu-west-1: denied by a service control policy (UnauthorizedOperation"),
        (no_role, "role not assumable (AccessDenied"),
        (throttled, "eu-north-1, eu-west-1, us-east-1, us-west-2: throttled out (RequestLimitExceeded"),
    ):
        assert any(f"({account})" in line and words in line for line in told.splitlines()), words

    after, seen = _stored(capsys), _independent(organization)
    gone = {key for key in before if key not in seen}
    assert len(gone) == 5
    tombstones = {key for key, row in after.items() if row[2] == "deleted"}
    assert {owner for _, owner in tombstones} == {healthy, by_scp}
    assert len(tombstones) == 2
    assert {key: row for key, row in after.items() if key in seen} == seen
    assert {key: row for key, row in after.items() if key in gone - tombstones} == {
        key: row for key, row in before.items() if key in gone - tombstones
    }

    coverage = _coverage()
    assert {account for account, one in coverage.items() if not one.is_complete} == {by_scp, no_role, throttled}
    assert _reasons(coverage[by_scp]) == {"eu-west-1": FailureReason.SCP_DENY}
    shut = coverage[no_role].failure
    assert shut is not None
    assert shut.reason is FailureReason.ROLE_NOT_ASSUMABLE
    assert _reasons(coverage[throttled]) == dict.fromkeys(_REGIONS, FailureReason.THROTTLED)
    assert [coverage[one].failed_runs for one in (by_scp, no_role, throttled, healthy)] == [1, 1, 1, 0]


def _delete_own_vpc(organization: Organization, account: str, region: str) -> None:
    ec2 = organization.ec2(account, region)
    (vpc,) = ec2.describe_vpcs(Filters=[{"Name": "isDefault", "Values": ["false"]}])["Vpcs"]
    ec2.delete_vpc(VpcId=vpc["VpcId"])


def _coverage() -> dict[str, Coverage]:
    with closing(VpcFile(Path("landkeeper.db"))) as store:
        return {one.account: one for one in store.read_all_coverage()}


def _reasons(coverage: Coverage) -> dict[str, FailureReason]:
    return {region: one.failure.reason for region, one in coverage.regions.items() if one.failure is not None}
