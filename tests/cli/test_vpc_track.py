"""`landkeeper vpc track`: which accounts and regions it takes, and what it says of those that it could not read."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.ec2_answers import CALLER_IDENTITY, EC2_XML, assumed_role, ec2_pages
from tests.scripted_aws import Trickle, answering_slowly
from tests.servers import Answer, answering, ec2_refusal

from landkeeper.cli import run
from landkeeper.embedded.vpc_file import VpcFile
from landkeeper.org import AccountId, Membership, Region
from landkeeper.vpctracker.coverage import Coverage

_HOME, _LAKE, _GONE = "111122223333", "444455556666", "777788889999"


class Aws:
    """STS, Organizations and EC2 of one organization."""

    def __init__(self) -> None:
        self.accounts = [self._account(_HOME, "home"), self._account(_LAKE, "lake", "ou-ab12-11111111")]
        self.refused: dict[str, Answer] = {}
        self.scripted: dict[str, Callable[[Mapping[str, str]], Answer]] = {}

    def _account(self, account: str, name: str, *units: str) -> dict[str, Any]:
        path = "/".join(("o-exampleorgid", "r-ab12", *units, account, ""))
        arn = f"arn:aws:organizations::{_HOME}:account/o-exampleorgid/{account}"
        return {"Id": account, "Name": name, "Arn": arn, "State": "ACTIVE", "Paths": [path]}

    def answer(self, call: Mapping[str, str]) -> Answer:
        action = call["Action"]
        if action in self.scripted:
            return self.scripted[action](call)
        if action in self.refused:
            return self.refused[action]
        answers = {"GetCallerIdentity": CALLER_IDENTITY, **self._organization(call)}
        if action == "AssumeRole":
            return 200, assumed_role(call["RoleArn"])
        return (200, answers[action]) if action in answers else ec2_pages(call)

    def _organization(self, call: Mapping[str, str]) -> dict[str, str]:
        is_root = '"ParentId": "r-ab12"' in call.get("Body", "")
        units = [{"Id": "ou-ab12-11111111", "Name": "Workloads"}] if is_root else []
        return {
            "ListAccounts": json.dumps({"Accounts": self.accounts}),
            "ListRoots": json.dumps({"Roots": [{"Id": "r-ab12", "Name": "Root"}]}),
            "ListOrganizationalUnitsForParent": json.dumps({"OrganizationalUnits": units}),
        }


@pytest.fixture
def aws(no_aws: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    made = Aws()
    with answering(made.answer) as url:
        for name, value in (
            ("AWS_ENDPOINT_URL", url),
            ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
        ):
            monkeypatch.setenv(name, value)
        yield made


def _track(*arguments: str) -> int:
    return run(["vpc", "track", "--role", "reader", "--region", "eu-west-1", *arguments])


def _coverage() -> dict[str, Coverage]:
    with closing(VpcFile(Path("landkeeper.db"))) as store:
        return {one.account: one for one in store.read_all_coverage()}


def _config(text: str) -> None:
    Path("landkeeper.yaml").write_text(f"version: 1\n{text}", encoding="utf-8")


def test_a_unit_that_is_skipped_is_not_read(aws: Aws) -> None:
    _config("discovery:\n  skip_ous: [Workloads]\n")
    assert _track("--org") == 0
    assert list(_coverage()) == [_HOME]


def test_a_unit_that_does_not_exist_is_one_clear_line(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    _config("discovery:\n  include_ous: [Workloads/Prod]\n")
    assert _track("--org") == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert "names the organizational unit 'Workloads/Prod', which the organization does not have" in line


def test_units_that_may_not_be_looked_up_are_one_clear_line(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    _config("discovery:\n  include_ous: [Workloads]\n")
    aws.refused["ListRoots"] = (400, json.dumps({"__type": "AccessDeniedException", "Message": "no"}))
    assert _track("--org") == 1
    assert "cannot be resolved: permission missing" in capsys.readouterr().err


def test_leaving_every_account_out_is_an_error(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    _config(f"discovery:\n  skip_accounts: ['{_HOME}', '{_LAKE}']\n")
    assert _track("--org") == 2
    assert "excludes every active account of the organization" in capsys.readouterr().err


def test_accounts_named_one_by_one_are_skipped_and_named(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    _config(f"discovery:\n  skip_accounts: ['{_LAKE}']\n")
    assert _track("--account", _LAKE) == 2
    assert f"the configuration skips {_LAKE} (discovery.skip_accounts)" in capsys.readouterr().err
    assert _track("--account", _LAKE, "--account", _HOME) == 0
    printed = capsys.readouterr()
    assert f"not read: 1 account skipped: {_LAKE}" in printed.err
    assert "in 1 of 1 account" in printed.out
    assert list(_coverage()) == [_HOME]


def test_an_account_that_left_the_organization_keeps_what_is_known(
    aws: Aws, capsys: pytest.CaptureFixture[str]
) -> None:
    aws.accounts.append(aws._account(_GONE, "gone"))
    assert _track("--org") == 0
    del aws.accounts[-1]
    aws.accounts[1]["State"] = "SUSPENDED"
    assert _track("--org") == 0
    assert f"not read: 1 account suspended: lake ({_LAKE})" in capsys.readouterr().err
    found = _coverage()
    assert [found[one].membership for one in (_HOME, _LAKE, _GONE)] == [
        Membership.ACTIVE, Membership.SUSPENDED, Membership.DEPARTED,
    ]  # fmt: skip
    assert found[AccountId(_GONE)].regions.keys() == {"eu-west-1"}


def test_a_governed_region_is_covered_as_governed(aws: Aws) -> None:
    _config("governed:\n  - regions: [eu-west-1]\n")
    aws.refused["DescribeVpcs"] = ec2_refusal("UnauthorizedOperation")
    assert _track() == 0
    (covered,) = _coverage().values()
    assert [region.standing for region in covered.regions.values()] == ["governed"]


def test_a_region_that_does_not_exist_is_one_clear_line(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    aws.refused["DescribeRegions"] = ec2_refusal("InvalidAction")
    assert _track("--region", "eu-west-9") == 2
    assert (
        capsys.readouterr()
        .err.strip()
        .endswith("region 'eu-west-9' does not exist in the partition aws: did you mean 'eu-west-1'?")
    )
    assert not Path("landkeeper.db").exists()


def test_unknown_connections_are_told_and_make_the_run_incomplete(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    aws.refused["DescribeVpcPeeringConnections"] = ec2_refusal("UnauthorizedOperation", "no")
    assert _track("--region", "us-west-2") == 3
    assert capsys.readouterr().err.strip() == (
        f"peerings and transit gateway attachments could not be read: {_HOME} eu-west-1, us-west-2: "
        "permission missing (UnauthorizedOperation: no)"
    )


@pytest.mark.parametrize(
    "answer",
    [
        assumed_role(f"arn:aws:iam::{_LAKE}:role/reader", account=_GONE),
        "<html>sign in first</html>",
        "<AssumeRoleResponse><AssumeRoleResult/></AssumeRoleResponse>",
        "<AssumeRoleResponse><AssumeRoleResult>",
    ],
)
def test_an_answer_with_anothers_credentials_or_none_costs_that_account_alone(
    aws: Aws, capsys: pytest.CaptureFixture[str], answer: str
) -> None:
    assert _track("--org") == 0
    before = _coverage()
    aws.refused["AssumeRole"] = (200, answer)
    assert _track("--org") == 3
    assert f"lake ({_LAKE})" in capsys.readouterr().err
    after = _coverage()
    assert after[_LAKE].regions == before[_LAKE].regions
    assert after[_LAKE].failed_runs == 1
    assert after[_HOME].failed_runs == 0
    with closing(VpcFile(Path("landkeeper.db"))) as store:
        assert {stored.vpc.state for stored in store.read_all()} == {"available"}


def test_no_region_at_all_is_a_failed_read_and_no_empty_account(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    assert _track() == 0
    before = _coverage()
    aws.refused["DescribeRegions"] = (200, EC2_XML.format("DescribeRegions", "<regionInfo/>"))
    assert run(["vpc", "track", "--role", "reader"]) == 3
    assert "EC2 lists no enabled regions, and there always are some" in capsys.readouterr().err
    assert _coverage()[_HOME].regions == before[_HOME].regions


def test_no_account_at_all_is_no_organization(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    aws.accounts = []
    assert _track("--org") == 1
    assert "Organizations lists no accounts, and there always are some" in capsys.readouterr().err


def test_pages_that_go_in_a_circle_end_in_a_failure_of_the_region(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    def circle(call: Mapping[str, str]) -> Answer:
        token = {None: "A", "A": "B", "B": "A"}[call.get("NextToken")]
        return 200, EC2_XML.format("DescribeVpcs", f"<vpcSet/><nextToken>{token}</nextToken>")

    aws.scripted["DescribeVpcs"] = circle
    assert _track() == 3
    assert "PaginationError: Error during pagination: an earlier token came again: A" in capsys.readouterr().err
    assert _coverage()[_HOME].regions[Region("eu-west-1")].complete_at is None


def test_an_answer_that_never_ends_is_a_failure_of_the_account(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LANDKEEPER_ACCOUNT_SECONDS", "1")
    with answering_slowly(lambda _: Trickle()) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_EC2", url)
        assert _track() == 3
    assert "timed out (DeadlineExceeded: not done within" in capsys.readouterr().err
    assert all(region.complete_at is None for region in _coverage()[_HOME].regions.values())
