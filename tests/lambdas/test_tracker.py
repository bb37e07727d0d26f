"""The tracker function, called as Lambda calls it."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from tests.servers import home_sessions

from landkeeper.aws.vpc_table import VpcTable, create_tables
from landkeeper.lambdas.tracker import handler
from landkeeper.org import UsageError

_ROLE = "OrganizationAccountAccessRole"
pytestmark = pytest.mark.embedded


@pytest.fixture
def table(request: pytest.FixtureRequest, aws_environment: object, monkeypatch: pytest.MonkeyPatch) -> VpcTable:
    """New tables, and the function's environment set to them."""
    client = home_sessions().home("dynamodb")
    name = "".join(part.title() for part in request.node.name.split("_"))
    create_tables(client, name)
    monkeypatch.setenv("LANDKEEPER_VPC_TABLE", name)
    monkeypatch.setenv("LANDKEEPER_REGIONS", "eu-west-3,eu-west-2")
    return VpcTable(client, name)


def test_without_a_role_it_reads_its_own_account(table: VpcTable) -> None:
    answer = handler({}, None)
    stored = list(table.read_all())
    assert answer == {
        "accounts": 1,
        "accounts_read": 1,
        "vpcs": len(stored),
        "changes": {"appeared": len(stored), "changed": 0, "disappeared": 0},
        "unreadable": [],
    }
    assert {one.vpc.region for one in stored} == {"eu-west-3", "eu-west-2"}
    assert json.loads(json.dumps(handler({}, None)))["changes"]["appeared"] == 0


def test_named_accounts_are_read_through_the_role_and_what_cannot_be_read_is_in_the_answer(
    table: VpcTable, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LANDKEEPER_ACCOUNTS", "310000000001,123456789012")
    monkeypatch.setenv("LANDKEEPER_ROLE_NAME", "NobodyMadeThisRole")
    answer = handler({}, None)
    assert (answer["accounts"], answer["accounts_read"]) == (2, 1)
    (place,) = answer["unreadable"]
    assert (place["AccountId"], place["Region"], place["Reason"]) == ("310000000001", None, "role not assumable")
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["level"] for line in lines] == ["WARNING", "INFO"]
    assert lines[0]["AccountId"] == "310000000001"
    assert lines[1]["accounts_read"] == 1
    monkeypatch.setenv("LANDKEEPER_ROLE_NAME", _ROLE)
    assert handler({}, None)["accounts_read"] == 2


def test_without_a_table_it_says_so(aws_environment: object) -> None:
    with pytest.raises(UsageError, match="LANDKEEPER_VPC_TABLE is not set"):
        handler({}, None)


def test_the_function_loads_nothing_that_its_package_does_not_have() -> None:
    program = (
        "import sys; before = set(sys.modules); import landkeeper.lambdas.tracker; print(*set(sys.modules) - before)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    loaded = done.stdout.split()
    assert "landkeeper.wiring.vpctracker" in loaded
    unwanted = {
        "rich",
        "rich_click",
        "click",
        "moto",
        "sqlite3",
        "yaml",
        "re2",
        "landkeeper.embedded",
        "landkeeper.cli",
    }
    assert unwanted.isdisjoint(loaded)
