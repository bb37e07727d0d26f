"""A policy with new units, on the simulated organization: sweep, its dry run, explain, and the function."""

from __future__ import annotations

import json
from pathlib import Path

import boto3
import pytest
from tests.broom_world import STRICT, event
from tests.deployed_broom import MEMBER, Deployed, batch, record, start_one
from tests.member_instances import ROLE, start_instances, state_of
from tests.servers import home_session

from landkeeper.broom.case import Outcome
from landkeeper.broom.launches import InstanceId
from landkeeper.cli import run
from landkeeper.embedded.simulators import Embedded
from landkeeper.lambdas.broom import handler
from landkeeper.org import AccountId

pytestmark = pytest.mark.embedded
MANAGEMENT = "340000000001"
"""An organization of its own: that of the simulators' own account belongs to other tests."""


class Organization:
    """A management account, a new unit inside a unit, and a member in each of the root and the new one."""

    def __init__(self, embedded: Embedded) -> None:
        role = f"arn:aws:iam::{MANAGEMENT}:role/{ROLE}"
        sts = home_session().client("sts", endpoint_url=embedded.moto_url)
        self.keys = sts.assume_role(RoleArn=role, RoleSessionName="admin")["Credentials"]
        client = boto3.client(
            "organizations", region_name="us-east-1", endpoint_url=embedded.moto_url,
            aws_access_key_id=self.keys["AccessKeyId"], aws_secret_access_key=self.keys["SecretAccessKey"],
            aws_session_token=self.keys["SessionToken"],
        )  # fmt: skip
        client.create_organization(FeatureSet="ALL")
        root = client.list_roots()["Roots"][0]["Id"]
        self.unit = client.create_organizational_unit(ParentId=root, Name="new")["OrganizationalUnit"]["Id"]
        below = client.create_organizational_unit(ParentId=self.unit, Name="below")["OrganizationalUnit"]["Id"]
        self.old, self.new = (
            AccountId(
                client.create_account(AccountName=n, Email=f"{n}@example.com")["CreateAccountStatus"]["AccountId"]
            )
            for n in ("old", "new")
        )
        client.move_account(AccountId=self.new, SourceParentId=root, DestinationParentId=below)


@pytest.fixture(scope="module")
def organization(embedded: Embedded) -> Organization:
    return Organization(embedded)


@pytest.fixture
def folder(
    organization: Organization, aws_environment: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A working directory with a policy, and the credentials of the management account."""
    boarding = f"onboarding: {{ous: [{organization.unit}], action: notify}}\n"
    (tmp_path / "broom.yaml").write_text(STRICT + boarding, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", organization.keys["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", organization.keys["SecretAccessKey"])
    monkeypatch.setenv("AWS_SESSION_TOKEN", organization.keys["SessionToken"])
    return tmp_path


def launches(folder: Path, *accounts: AccountId) -> dict[AccountId, InstanceId]:
    """An untagged instance in each account, and the log that tells of them."""
    started = {account: start_instances(account)[0] for account in accounts}
    records = [record(id_, account=account) for account, id_ in started.items()]
    (folder / "log.json").write_text(json.dumps({"Records": records}), encoding="utf-8")
    return started


def test_what_is_in_a_new_unit_is_told_of_and_what_is_not_ends(
    folder: Path, organization: Organization, capsys: pytest.CaptureFixture[str]
) -> None:
    started = launches(folder, organization.old, organization.new)
    command = ["broom", "sweep", "--yes", "log.json", "--policy", "broom.yaml", "--role", ROLE, "--format", "json"]
    assert run([*command, "--dry-run"]) == 0
    planned = {each["AccountId"]: each["Instances"][0] for each in json.loads(capsys.readouterr().out)["launches"]}
    assert {account: planned[account]["Action"] for account in started} == {
        organization.old: "terminate", organization.new: "notify",
    }  # fmt: skip
    assert run(command) == 0
    capsys.readouterr()
    assert {account: state_of(account, id_) for account, id_ in started.items()} == {
        organization.old: "terminated", organization.new: "running",
    }  # fmt: skip
    assert run(["broom", "policy", "explain", started[organization.new], "--policy", "broom.yaml"]) == 0
    out = capsys.readouterr().out
    assert f"its account is in the new unit {organization.unit}" in " ".join(out.split())


def test_offline_it_is_said_that_units_are_not_known(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "log.json").write_text(json.dumps({"Records": [event("run_instances.json")]}), encoding="utf-8")
    (folder / "strict.yaml").write_text(
        (folder / "broom.yaml").read_text(encoding="utf-8").replace("[LOL, GGG]", "[other]"), encoding="utf-8"
    )
    command = ["broom", "sweep", "--yes", "--offline", "log.json", "--policy", "strict.yaml", "--format", "json"]
    assert run(command) == 0
    out, err = capsys.readouterr()
    assert "the accounts' organizational units are unknown, so at most notify is shown (onboarding)" in err
    (launch,) = json.loads(out)["launches"]
    (instance,) = launch["Instances"]
    assert (instance["Action"], "units of its account are unknown" in instance["Because"]) == ("notify", True)


def test_a_function_that_may_not_read_the_organization_only_tells(deployed: Deployed) -> None:
    deployed.set_policy(STRICT + "onboarding: {ous: [ou-ab12-cdefgh34], action: notify}\n")
    bad = start_one(MEMBER)
    assert handler(batch(deployed.log(record(bad))), None) == {"batchItemFailures": []}
    assert state_of(MEMBER, bad) == "running"
    assert deployed.ledger.find_cases([bad])[bad].outcome is Outcome.NOTIFIED
    (report,) = deployed.reports()
    assert "the organizational units of its account could not be read: " in report["Message"]
