"""`broom audit`, `cases`, `case` and `release`, on the simulators and a file."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.broom_world import LAUNCHED_AT, STRICT, launch
from tests.ledger_tables import create_ledger_table
from tests.member_instances import HERE, ROLE, start_instances, state_of
from tests.servers import home_sessions
from tests.typed_answers import type_answer

from landkeeper.aws.broom.ledger_table import LedgerTable
from landkeeper.broom.case import Case, Outcome, State, mark_reported, move, open_case
from landkeeper.broom.launches import InstanceId
from landkeeper.cli import run
from landkeeper.embedded.ledger_file import LedgerFile
from landkeeper.org import AccountId

MEMBER = AccountId("330000000001")

pytestmark = [pytest.mark.embedded, pytest.mark.usefixtures("aws_environment")]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a policy."""
    (tmp_path / "broom.yaml").write_text(STRICT, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def held_case(id_: InstanceId, account: AccountId) -> Iterator[Case]:
    """The versions of a case that is held, for a ledger."""
    one = launch(id_, account=account, region=HERE)
    case = move(open_case(one, one.instances[0], LAUNCHED_AT), State.JUDGED, LAUNCHED_AT, "rule code", rule="code")
    held = move(case, State.HELD, LAUNCHED_AT, "the limit", outcome=Outcome.HELD, error="the limit")
    yield from (case, held, mark_reported(held, LAUNCHED_AT))


def hold(folder: Path, id_: InstanceId, account: AccountId) -> None:
    """Have a case that is held, in the file of the working directory."""
    with closing(LedgerFile(folder / "landkeeper.db")) as ledger:
        assert all(ledger.write_case(case) for case in held_case(id_, account))


def printed(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_a_held_case_is_listed_told_and_released(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (bad,) = start_instances(MEMBER)
    hold(folder, bad, MEMBER)
    assert run(["broom", "cases", "--state", "held", "--account", MEMBER, "--format", "json"]) == 0
    (listed,) = printed(capsys)
    assert (listed["InstanceId"], listed["Outcome"]) == (bad, "held")
    assert run(["broom", "cases", "--account", "999999999999", "--format", "json"]) == 0
    assert printed(capsys) == []
    release = ["broom", "release", bad, "--policy", "broom.yaml", "--role", ROLE]
    for flags, code in (([], 2), (["--dry-run", "--yes"], 0)):
        assert run([*release, *flags]) == code
        assert f"{bad}: would be terminated, because rule code" in capsys.readouterr().out
        assert state_of(MEMBER, bad) == "running"
    assert run([*release, "--dry-run", "--format", "json"]) == 0
    planned = printed(capsys)
    assert (planned["Version"], planned["InstanceId"], planned["Action"]) == (1, bad, "terminate")
    assert (planned["DryRun"], planned["Outcome"]) == (True, "would be terminated")
    assert run([*release, "--yes"]) == 0
    assert f"{bad}: terminate: destroyed, because rule code: tag Code is missing" in capsys.readouterr().out
    assert state_of(MEMBER, bad) == "terminated"
    assert run(["broom", "case", bad]) == 0
    told = capsys.readouterr().out
    assert "Released by arn:aws:" in told
    assert "This instance has been destroyed." in told
    assert [line.split()[1] for line in told.splitlines() if line.startswith("  2")] == [
        "judged", "held", "held", "judged", "judged", "acting", "acted", "reported",
    ]  # fmt: skip
    assert run(["broom", "case", bad, "--format", "json"]) == 0
    assert printed(capsys)["ReleasedBy"].startswith("arn:aws:")
    assert run(["broom", "case", bad, "--format", "csv"]) == 0
    assert capsys.readouterr().out.startswith("At,State,Because\n")
    assert run([*release, "--yes"]) == 2
    assert f"the case of {bad} is reported: only held or failed cases can be released" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        (["case", "i-none"], "no case for 'i-none' in the ledger"),
        (["release", "i-none", "--policy", "broom.yaml"], "no case for 'i-none' in the ledger"),
        (["cases", "--file", "none.db"], "the file 'none.db' does not exist"),
        (["cases", "--account", "12"], "'12' is not an AWS account id"),
    ],
)
def test_what_is_not_there_is_one_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str], command: list[str], sentence: str
) -> None:
    hold(folder, InstanceId("i-1"), MEMBER)
    assert run(["broom", *command]) == 2
    assert sentence in capsys.readouterr().err


def test_an_audit_looks_at_all_that_runs_and_a_dry_run_touches_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    account = AccountId("330000000002")
    start_instances(account, {"Code": "LOL"})
    start_instances(account)
    command = ["broom", "audit", "--policy", "broom.yaml", "--role", ROLE, "--account", account, "--region", HERE]
    assert run([*command, "--dry-run", "--format", "json"]) == 3
    # The bad one is too young: its log may still come.
    totals = {
        "running": 2, "regions": 1, "unread": 0, "findings": 0, "violations": 0, "compliant": 1,
        "left_out": {"younger than 30 minutes": 1},
    }  # fmt: skip
    assert printed(capsys) == {"Version": 1, "DryRun": True, "findings": [], "failures": [], "totals": totals}
    assert run(command) == 3
    out, err = capsys.readouterr()
    said = "1 complies, 0 violate the policy; not judged or left as they are: 1 younger than 30 minutes"
    assert out.splitlines()[-1].endswith(said)
    assert "Nothing to apply." in err
    assert not (folder / "landkeeper.db").exists()


def test_an_account_that_cannot_be_audited_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["broom", "audit", "--policy", "broom.yaml", "--role", "NobodyMadeThisRole", "--account", "330000000003"]
    assert run(command) == 3
    out, err = capsys.readouterr()
    assert "could not be audited: 330000000003: role " in err
    counts = "running instances: 0, in 0 regions; 0 comply, 0 violate the policy"
    assert out == f"{counts}; 1 account or region could not be read\n"


def test_what_was_not_read_is_no_region_without_instances(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["broom", "audit", "--policy", "broom.yaml", "--role", ROLE, "--account", "330000000004"]
    assert run([*command, "--region", HERE, "--region", "xx-nowhere-1", "--format", "json"]) == 3
    answer = printed(capsys)
    assert (answer["totals"]["regions"], answer["totals"]["unread"]) == (1, 1)
    assert [failure.split(" could")[0] for failure in answer["failures"]] == ["330000000004 xx-nowhere-1"]


def test_a_case_that_did_not_come_back_is_taken_up_and_named_with_its_place(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    account = AccountId("330000000005")
    (bad,) = start_instances(account)
    one = launch(bad, account=account, region=HERE)
    waiting = move(open_case(one, one.instances[0], LAUNCHED_AT), State.WAITING, LAUNCHED_AT, "x", due_at=LAUNCHED_AT)
    with closing(LedgerFile(folder / "landkeeper.db")) as ledger:
        assert ledger.write_case(waiting)
    command = ["broom", "audit", "--policy", "broom.yaml", "--role", ROLE, "--account", account, "--region", HERE]
    for flags, code, outcome, state in (
        (["--dry-run"], 3, "would be terminated", "running"),
        ([], 2, "would be terminated", "running"),
        (["--region", HERE], 0, "destroyed", "terminated"),
    ):
        is_agreed = code == 0
        if is_agreed:
            type_answer(monkeypatch, "y")
        assert run([*command, *flags, "--format", "json"]) == code
        answer = printed(capsys)
        (finding,) = answer["findings"]
        assert (finding["InstanceId"], finding["AccountId"], finding["Region"]) == (bad, account, HERE)
        assert (finding["Outcome"], state_of(account, bad)) == (outcome, state)
        assert answer["DryRun"] is not is_agreed
        assert ("destroyed" in json.dumps(answer)) is is_agreed


def test_only_what_is_still_to_come_has_a_time_when_it_is_due(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hold(folder, InstanceId("i-1"), MEMBER)
    one = launch("i-2")
    due_at = LAUNCHED_AT.replace(microsecond=123456)
    with closing(LedgerFile(folder / "landkeeper.db")) as ledger:
        assert ledger.write_case(
            move(open_case(one, one.instances[0], LAUNCHED_AT), State.WAITING, LAUNCHED_AT, "grace", due_at=due_at)
        )
    assert run(["broom", "cases", "--tag", "nothing=of this", "--format", "json"]) == 0
    assert printed(capsys) == []
    assert run(["broom", "cases", "--format", "csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert {row["InstanceId"]: row["DueAt"] for row in rows} == {"i-1": "", "i-2": "2026-01-01T10:00:00Z"}


def test_the_switch_in_a_table_holds_what_a_shell_would_do(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    account = AccountId("330000000006")
    (bad,) = start_instances(account)
    client = home_sessions().home("dynamodb")
    create_ledger_table(client, "SwitchedLedger")
    table = LedgerTable(client, "SwitchedLedger")
    assert all(table.write_case(case) for case in held_case(bad, account))
    here = ["--ledger", "SwitchedLedger"]
    assert run(["broom", "actions", "off", *here, "--reason", "x\udcff\n"]) == 0
    out = capsys.readouterr().out
    assert "Actions are turned off by arn:aws:" in out
    assert "x\\udcff\\n (the table SwitchedLedger)" in out
    release = ["broom", "release", bad, "--policy", "broom.yaml", "--role", ROLE, *here]
    assert run([*release, "--yes"]) == 0
    assert f"{bad}: keep: actions off, because rule code" in capsys.readouterr().out
    assert state_of(account, bad) == "running"
    assert run(["broom", "case", bad, *here]) == 0
    assert "has not been touched: actions are turned off by arn:aws:" in capsys.readouterr().out
    assert run(["broom", "actions", "on", *here, "--yes"]) == 0
    capsys.readouterr()
    assert run(["broom", "cases", *here, "--format", "json"]) == 0
    assert [case["InstanceId"] for case in printed(capsys)] == [bad]
