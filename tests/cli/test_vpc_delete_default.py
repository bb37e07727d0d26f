"""`landkeeper vpc delete-default` as somebody types it, against the simulator."""

from __future__ import annotations

import _thread
import csv
import io
import itertools
import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.default_vpc_world import Place, Places, places
from tests.member_instances import HERE, ROLE
from tests.scripted_aws import Call, ScriptedAws, scripted_aws
from tests.servers import ec2_refusal, home_sessions
from tests.typed_answers import type_answer

from landkeeper.cli import run
from landkeeper.embedded.simulators import Embedded

__all__ = ["places"]

pytestmark = pytest.mark.embedded


@pytest.fixture
def here(aws_environment: Embedded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory of one's own, with the simulators around it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LANDKEEPER_REGIONS", HERE)
    return tmp_path


@pytest.fixture
def front(here: Path, aws_environment: Embedded, monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedAws]:
    """What a test scripts of EC2 and STS."""
    with scripted_aws(aws_environment.moto_url) as made:
        monkeypatch.setenv("AWS_ENDPOINT_URL_EC2", made.url)
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", made.url)
        yield made


def _run(place: Place, *arguments: str) -> int:
    return run(["vpc", "delete-default", "--account", place.account.id, "--role", ROLE, *arguments])


def _rows(capsys: pytest.CaptureFixture[str], place: Place, *arguments: str, code: int = 0) -> list[dict[str, Any]]:
    capsys.readouterr()
    assert _run(place, *arguments, "--format", "json") == code
    rows: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return rows


def test_the_plan_is_printed_and_nothing_changed(
    here: Path, places: Places, capsys: pytest.CaptureFixture[str]
) -> None:
    place = places.new()
    before = place.described()
    assert _run(place) == 0
    shown = capsys.readouterr().out
    assert f"{place.vpc} in {HERE} goes in this order:\n  1. delete subnet subnet-" in shown
    assert f"delete VPC {place.vpc}\nNothing was changed. Pass --yes to delete the 1 unused one." in shown
    assert place.described() == before
    assert not list(here.iterdir())


def test_a_yes_deletes_and_notes_it_for_the_tracker(
    here: Path, places: Places, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    place = places.new()
    vpc = place.vpc
    assert run(["vpc", "track", "--account", place.account.id, "--role", ROLE]) == 0
    type_answer(monkeypatch, "y")
    assert _run(place, "--yes", "--dry-run") == 0
    assert "Nothing was changed. Pass --yes to delete the 1 unused one." in capsys.readouterr().out
    assert _run(place) == 0
    shown = capsys.readouterr()
    assert "1 default VPC in 1 account and 1 region: 1 unused." in shown.out
    assert "1 default VPC in 1 account and 1 region: 1 deleted." in shown.out
    assert "Delete the 1 unused one?" in shown.err
    assert place.defaults() == []
    assert run(["vpc", "list", "--deleted", "--format", "json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["VpcId"], row["State"]) == (vpc, "deleted")
    assert run(["vpc", "history", vpc, "--format", "json"]) == 0
    by = home_sessions().home_principal()
    assert json.loads(capsys.readouterr().out)[-1]["By"] == by
    assert run(["vpc", "history", vpc]) == 0
    assert by in capsys.readouterr().out
    assert _run(place, "--restore") == 0
    shown = capsys.readouterr()
    assert f"  aws ec2 create-default-vpc --region {HERE}\n" in shown.out
    assert "Nothing of the old VPC is restored" in shown.out


def test_without_a_store_it_says_that_nothing_was_noted(
    here: Path, places: Places, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(places.new(), "--yes", "--format", "csv") == 0
    shown = capsys.readouterr()
    assert next(csv.DictReader(io.StringIO(shown.out)))["State"] == "deleted"
    assert "The change was not recorded: the file landkeeper.db does not exist" in shown.err
    assert not list(here.iterdir())


def test_a_dependency_that_only_ec2_sees_stops_it_while_all_is_there(
    front: ScriptedAws, places: Places, capsys: pytest.CaptureFixture[str]
) -> None:
    place = places.new()
    before = place.described()
    front.script = lambda call: (
        ec2_refusal("DependencyViolation", "The subnet has dependencies") if call.action == "DeleteSubnet" else None
    )
    # Dry runs are calls of their own, and of no use here: what they ask is not whether it would work.
    (row,) = _rows(capsys, place, "--yes")
    assert row["State"] == "in use"
    assert row["Reasons"][0]["Kind"] == "unknown dependency of"
    assert place.described() == before


def test_a_failure_in_the_middle_says_where_it_stands_and_the_next_run_goes_on(
    front: ScriptedAws, places: Places, capsys: pytest.CaptureFixture[str]
) -> None:
    place = places.new()
    front.script = lambda call: (
        ec2_refusal("DependencyViolation", "mapped public addresses")
        if call.action == "DetachInternetGateway"
        else None
    )
    (row,) = _rows(capsys, place, "--yes", code=3)
    assert row["State"] == "failed"
    assert row["Left"][0].startswith("detach internet gateway igw-")
    assert "mapped public addresses" in row["Detail"]
    front.script = lambda _: None
    (row,) = _rows(capsys, place, "--yes")
    assert [step.rsplit(maxsplit=1)[0] for step in row["Steps"]] == [
        "detach internet gateway", "delete internet gateway", "delete VPC",
    ]  # fmt: skip
    assert (row["State"], place.defaults()) == ("deleted", [])


def test_what_cannot_be_noted_is_told_and_is_deleted_all_the_same(
    front: ScriptedAws, places: Places, capsys: pytest.CaptureFixture[str]
) -> None:
    place = places.new()
    assert run(["vpc", "track", "--account", place.account.id, "--role", ROLE]) == 0
    looks = itertools.count()
    # It is looked at twice before it goes, and once for the tracker.
    front.script = lambda call: (
        ec2_refusal("RequestExpired") if call.action == "DescribeVpcs" and next(looks) == 2 else None
    )
    (row,) = _rows_and_remark(capsys, place)
    assert (row["State"], place.defaults()) == ("deleted", [])


def _rows_and_remark(capsys: pytest.CaptureFixture[str], place: Place) -> list[dict[str, Any]]:
    capsys.readouterr()
    assert _run(place, "--yes", "--format", "json") == 3
    shown = capsys.readouterr()
    assert shown.err.startswith(f"changed in AWS, but not recorded in the store: {place.account.id}: {HERE}: ")
    rows: list[dict[str, Any]] = json.loads(shown.out)
    return rows


def test_stopped_by_ctrl_c_it_says_what_is_gone(
    front: ScriptedAws, places: Places, capsys: pytest.CaptureFixture[str]
) -> None:
    place = places.new()
    vpc = place.vpc
    real_deletions = itertools.count()

    def interrupt(call: Call) -> None:
        # The dry run comes first.
        if call.action == "DeleteVpc" and next(real_deletions):
            _thread.interrupt_main()

    front.script = interrupt
    assert _run(place, "--yes", "--format", "json") == 130
    shown = capsys.readouterr()
    assert [(row["VpcId"], row["State"]) for row in json.loads(shown.out)] == [(vpc, "deleted")]
    assert shown.err.strip() == "landkeeper: stopped"
    assert place.defaults() == []


def test_a_region_that_is_closed_is_told_in_one_line(
    front: ScriptedAws, places: Places, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    place = places.new()
    monkeypatch.setenv("LANDKEEPER_REGIONS", f"{HERE},us-east-1,us-west-2")
    denied = "with an explicit deny in a service control policy"
    front.script = lambda call: (
        ec2_refusal("UnauthorizedOperation", denied, 403)
        if call.region != HERE and call.action == "DescribeVpcs"
        else None
    )
    assert _run(place) == 3
    shown = capsys.readouterr()
    lines = [line for line in shown.err.splitlines() if "could not be read" in line]
    where, why = f"{place.account.id} us-east-1, us-west-2", f"UnauthorizedOperation: {denied}"
    assert lines == [f"could not be read: {where}: denied by a service control policy ({why})"]
    assert "1 default VPC in 1 account and 1 region: 1 unused." in shown.out


def test_governed_regions_are_not_looked_at(
    front: ScriptedAws, places: Places, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = places.new()
    (here / "landkeeper.yaml").write_text(f"version: 1\ngoverned: [{{regions: ['{HERE}']}}]\n", encoding="utf-8")
    made = len(front.calls)
    assert _run(place) == 0
    assert "DescribeVpcs" not in {call.action for call in front.calls[made:]}
    assert capsys.readouterr().out == "No default VPC in 1 account that could be read.\n"


def test_a_check_that_cannot_be_made_is_told_and_is_not_complete(
    front: ScriptedAws, places: Places, capsys: pytest.CaptureFixture[str]
) -> None:
    place = places.new()
    front.script = lambda call: (
        ec2_refusal("UnauthorizedOperation", "You are not authorized", 403)
        if call.action == "DescribeNatGateways"
        else None
    )
    (row,) = _rows(capsys, place, "--yes", code=3)
    assert row["State"] == "unknown"
    assert row["Unchecked"] == [
        {"Kind": "NAT gateway", "Reason": "MISSING_PERMISSION", "Code": "UnauthorizedOperation",
         "Message": "You are not authorized"}
    ]  # fmt: skip
    assert len(place.defaults()) == 1


def test_a_check_that_fails_only_right_before_the_deletion_is_told_as_well(
    front: ScriptedAws, places: Places, capsys: pytest.CaptureFixture[str]
) -> None:
    place = places.new()
    looks = itertools.count()
    front.script = lambda call: (
        ec2_refusal("UnauthorizedOperation", "You are not authorized", 403)
        if call.action == "DescribeNatGateways" and next(looks)
        else None
    )
    (row,) = _rows(capsys, place, "--yes", code=3)
    assert (row["State"], len(place.defaults())) == ("unknown", 1)


def test_an_account_that_cannot_be_entered_is_told(
    here: Path, places: Places, capsys: pytest.CaptureFixture[str]
) -> None:
    place = places.new()
    assert run(["vpc", "delete-default", "--account", place.account.id, "--role", "nobody"]) == 3
    shown = capsys.readouterr()
    assert shown.err.startswith(f"could not be read: {place.account.id}: role nobody cannot be assumed by ")
    assert shown.out == "No account could be read.\n"


def test_restore_tells_of_one_that_is_half_deleted(
    here: Path, places: Places, capsys: pytest.CaptureFixture[str]
) -> None:
    place = places.new()
    for subnet in place.subnets:
        place.ec2.delete_subnet(SubnetId=subnet)
    assert _run(place, "--restore") == 0
    shown = capsys.readouterr()
    assert shown.out == "Every region that could be read has a default VPC.\n"
    assert "has no subnets left: delete it, then create a new one" in shown.err


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--yes", "--restore"), "--restore and --yes are mutually exclusive: --restore only prints commands"),
        (("--org", "--account", "111122223333"), "--org, --account and --profile are mutually exclusive"),
        (("--account", "1234"), "'1234' is not an AWS account id: expected twelve digits"),
        (("--region", "Ireland"), "'Ireland' is not a region code such as eu-west-1"),
        (("--region", "eu-west-9"), "region 'eu-west-9' does not exist in the partition aws"),
        (("--table", "T", "--file", "f.db"), "--table and --file are mutually exclusive"),
    ],
)
def test_wrong_usage_is_one_line(
    here: Path, arguments: tuple[str, ...], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["vpc", "delete-default", *arguments]) == 2
    shown = capsys.readouterr()
    assert complaint in shown.err
    assert shown.err.count("\n") == 1
    assert shown.out == ""


def test_a_table_that_is_not_there_stops_it_before_anything_is_deleted(
    here: Path, places: Places, capsys: pytest.CaptureFixture[str]
) -> None:
    place = places.new()
    assert _run(place, "--yes", "--table", f"none-{uuid.uuid4().hex}") == 2
    assert "there is no DynamoDB table" in capsys.readouterr().err
    assert len(place.defaults()) == 1
