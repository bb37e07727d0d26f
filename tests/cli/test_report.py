"""`landkeeper report`, from a file and from tables to a page or a link."""

from __future__ import annotations

import json
import sqlite3
import urllib.request
import uuid
import webbrowser
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from benchmarks.landscape import NOW, make_report_input
from tests.ledger_tables import create_ledger_table
from tests.recorded_calls import recorded_calls
from tests.report.report_inputs import BACKTEST
from tests.report.stored import keep, keep_in_file
from tests.servers import home_session, home_sessions

from landkeeper.aws.broom.ledger_table import LedgerTable
from landkeeper.aws.vpctracker.pool_table import PoolTable
from landkeeper.aws.vpctracker.vpc_table import VpcTable, create_tables
from landkeeper.broom.case import Case, Outcome, State
from landkeeper.cli import run
from landkeeper.embedded.simulators import Embedded
from landkeeper.lambdas.tracker import handler
from landkeeper.org import UsageError
from landkeeper.report.report_input import Ledger
from landkeeper.report.view import view_report
from landkeeper.settings import Settings
from landkeeper.wiring import report as wiring
from landkeeper.wiring.report_function import ReportNotKeptError, keep_report


def _held() -> tuple[Case, ...]:
    ledger = make_report_input(vpcs=1, accounts=6, cases=12).ledger
    assert ledger is not None
    return tuple(replace(case, state=State.HELD, outcome=Outcome.HELD) for case in ledger.cases)


MADE = replace(make_report_input(vpcs=60, accounts=6), ledger=Ledger(_held(), NOW))
"""Cases that are open, and so in every report, however long ago it was."""


@pytest.fixture
def folder(tmp_path: Path, no_aws: None, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a file in it, and an environment that names nothing."""
    for name in ("LANDKEEPER_LEDGER_TABLE", "LANDKEEPER_REPORT_BUCKET"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    keep_in_file(tmp_path / "landkeeper.db", MADE)
    return tmp_path


def document_in(page: str) -> dict[str, Any]:
    """What the page carries."""
    data = page.partition('<script type="application/json" id="landkeeper-report">')[2].partition("</script>")[0]
    document: dict[str, Any] = json.loads(data)
    return document


def test_a_page_holds_what_the_file_holds(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "landkeeper.yaml").write_text("version: 1\nspaces: [{name: plant, accounts: ['320000000000']}]\n")
    assert run(["report"]) == 0
    said = capsys.readouterr()
    size = (folder / "report.html").stat().st_size
    assert said.out == f"report.html  {round(size / 1000)} kB\n"
    assert said.err.startswith("As of 2025-10-05T")
    document = document_in((folder / "report.html").read_text(encoding="utf-8"))
    expected = json.loads(json.dumps(_plain(view_report(replace(MADE, source="file landkeeper.db")))))
    for part in ("accounts", "vpcs", "coverage", "reasons", "regions"):
        assert document[part] == expected[part], part
    assert document["spaces"] == expected["spaces"]
    assert [pool["id"] for pool in document["pools"]] == ["company", "workloads"]
    assert {case["instance"] for case in document["broom"]["cases"]} == {
        case["instance"] for case in expected["broom"]["cases"]
    }
    assert document["source"] == "file landkeeper.db"
    assert list(folder.glob(".*.part")) == []


def _plain(document: object) -> Any:
    from landkeeper.report.document import as_json  # noqa: PLC0415

    return as_json(document)


def test_an_earlier_time_and_a_backtest_come_in_when_they_are_asked_for(folder: Path) -> None:
    (folder / "backtest.json").write_text(json.dumps(BACKTEST))
    assert run(["report", "--as-of", "2025-09-01", "--backtest", "backtest.json", "--out", "then.html"]) == 0
    document = document_in((folder / "then.html").read_text(encoding="utf-8"))
    assert document["as_of"] == "2025-09-01T00:00:00Z"
    assert document["broom"] is None
    assert document["backtest"]["totals"]["Hit"] == 1
    assert 0 < len(document["vpcs"]) < len([one for one in MADE.known.vpcs if one.is_live])


def test_open_shows_the_page(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    monkeypatch.setattr(webbrowser, "open", shown.append)
    assert run(["report", "--open"]) == 0
    assert shown == [(folder / "report.html").as_uri()]


def test_items_of_a_newer_landkeeper_are_named_in_the_page_and_by_the_exit_code(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(sqlite3.connect(folder / "landkeeper.db")) as file, file:
        file.execute(
            "UPDATE vpcs SET item = json_set(item, '$.SchemaVersion', 99) WHERE vpc_id = (SELECT min(vpc_id) FROM vpcs)"
        )
    assert run(["report"]) == 3
    assert "was written by a newer Landkeeper (schema 99)" in capsys.readouterr().err
    notices = document_in((folder / "report.html").read_text(encoding="utf-8"))["notices"]
    assert notices[0].startswith("Left out: the item vpc-")


def test_a_file_of_a_newer_landkeeper_gives_a_page_that_says_so(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(sqlite3.connect(folder / "landkeeper.db")) as file, file:
        file.execute("PRAGMA user_version = 99")
    assert run(["report"]) == 3
    sentence = "landkeeper.db was written by a newer Landkeeper (schema 99): update Landkeeper"
    assert capsys.readouterr().err.startswith(f"left out: {sentence}\n")
    document = document_in((folder / "report.html").read_text(encoding="utf-8"))
    assert document["notices"] == [f"Left out: {sentence}."]


def test_an_empty_file_gives_a_page_that_says_so(folder: Path) -> None:
    keep_in_file(folder / "empty.db", make_report_input(vpcs=0, accounts=1, cases=0))
    with closing(sqlite3.connect(folder / "empty.db")) as file, file:
        file.execute("DELETE FROM vpc_coverage")
    assert run(["report", "--file", "empty.db"]) == 0
    document = document_in((folder / "report.html").read_text(encoding="utf-8"))
    assert document["notices"] == ["Nothing is stored yet: run `landkeeper vpc track` to read the accounts."]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--file", "nix.db"], "the file 'nix.db' does not exist"),
        (["--out", "."], "Invalid value for '--out' / '-o': File '.' is a directory."),
        (["--out", "nix/report.html"], "nix/report.html cannot be written: No such file or directory"),
        (["--backtest", "landkeeper.db"], "the backtest landkeeper.db is not text in UTF-8"),
        (["--backtest", "nix.json"], "the backtest nix.json cannot be read"),
        (["--as-of", "then"], "--as-of is 'then'"),
        (["--url"], "no report bucket: pass --bucket or set LANDKEEPER_REPORT_BUCKET"),
        (["--url", "--expires", "8d"], "--expires is '8d': expected a time such as 30m or 12h, at most 7d"),
        (["--url", "--expires", "0h"], "--expires is '0h'"),
        (["--table", "a", "--file", "b"], "--table and --file are mutually exclusive"),
    ],
)
def test_bad_input_is_one_line(
    folder: Path, words: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["report", *words]) == 2
    said = capsys.readouterr()
    assert said.err.startswith(f"landkeeper: {complaint}")
    assert said.err.count("\n") == 1
    assert not list(folder.glob("*.html"))


def test_a_report_that_cannot_be_made_leaves_the_old_one(folder: Path) -> None:
    (folder / "report.html").write_text("old")
    (folder / "landkeeper.db").write_text("no database " * 100)
    assert run(["report"]) == 2
    assert (folder / "report.html").read_text() == "old"


def test_a_file_that_cannot_be_replaced_leaves_nothing_behind(folder: Path) -> None:
    (folder / "taken.html").mkdir()
    with pytest.raises(UsageError, match=r"taken\.html cannot be written: Is a directory"):
        wiring.write_report(Settings(file=folder / "landkeeper.db"), folder / "taken.html")
    assert sorted(path.name for path in folder.iterdir() if "html" in path.name) == ["taken.html"]


def test_an_installation_without_the_page_says_so(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(wiring, "files", lambda _: folder)
    assert run(["report"]) == 1
    assert "this installation lacks the report page" in capsys.readouterr().err


@pytest.mark.embedded
def test_the_function_keeps_the_tables_report_and_a_link_leads_to_it(
    aws_environment: Embedded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    name = _fill_tables(monkeypatch)
    home_session().client("s3").create_bucket(Bucket=name)
    assert run(["report", "--url", "--bucket", name]) == 2
    assert f"s3://{name}/report.html does not exist yet" in capsys.readouterr().err
    live = sum(one.is_live for one in MADE.known.vpcs)

    monkeypatch.setenv("LANDKEEPER_REPORT_BUCKET", name)
    with recorded_calls() as calls:
        answer = handler({"task": "notices"}, None)
    assert answer["notices"] > 0
    assert answer["report"]["vpcs"] == live
    scans = [call.parameters["TableName"] for call in calls if call.operation == "Scan"]
    assert sorted(scans) == [name, f"{name}Coverage"], "notices and report are made of one look"
    capsys.readouterr()

    shown: list[str] = []
    monkeypatch.setattr(webbrowser, "open", shown.append)
    assert run(["report", "--url", "--expires", "2h", "--open"]) == 0
    link = capsys.readouterr().out.strip()
    assert "X-Amz-Algorithm=AWS4-HMAC-SHA256" in link
    assert "X-Amz-Expires=7200" in link
    assert shown == [link]
    with urllib.request.urlopen(link) as got:  # noqa: S310 - http, to the simulator
        page, about = got.read().decode(), got.headers
    assert about["Content-Type"] == "text/html; charset=utf-8"
    document = document_in(page)
    assert (document["source"], len(document["vpcs"])) == (f"table {name}", live)
    assert len(document["pools"]) == 2

    monkeypatch.chdir(tmp_path)
    assert run(["report", "--table", name, "--ledger", f"{name}-cases"]) == 0
    here = document_in((tmp_path / "report.html").read_text(encoding="utf-8"))
    for one in (here, document):
        one.update(generated_at="", trends=None, broom={**one["broom"], "since": ""})
    assert here == document
    monkeypatch.delenv("LANDKEEPER_LEDGER_TABLE")
    assert run(["report", "--table", name]) == 0
    assert document_in((tmp_path / "report.html").read_text(encoding="utf-8"))["broom"] is None


def _fill_tables(monkeypatch: pytest.MonkeyPatch) -> str:
    """Tables with everything in them, and the function's settings but for the bucket; the name of the first."""
    name = f"report-{uuid.uuid4().hex[:8]}"
    client = home_sessions().home("dynamodb")
    create_tables(client, name)
    create_ledger_table(client, f"{name}-cases")
    keep(MADE, VpcTable(client, name), PoolTable(client, name), LedgerTable(client, f"{name}-cases"))
    topic = home_session().client("sns").create_topic(Name=name)["TopicArn"]
    settings = {"VPC_TABLE": name, "LEDGER_TABLE": f"{name}-cases", "TOPIC_ARN": topic}
    for variable, value in settings.items():
        monkeypatch.setenv(f"LANDKEEPER_{variable}", value)
    return name


@pytest.mark.embedded
def test_what_earlier_reports_knew_of_unreadable_accounts_is_in_the_next(
    aws_environment: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = _fill_tables(monkeypatch)
    s3 = home_session().client("s3")
    s3.create_bucket(Bucket=name)
    monkeypatch.setenv("LANDKEEPER_REPORT_BUCKET", name)
    handler({"task": "notices"}, None)
    first, *counts, today = s3.head_object(Bucket=name, Key="report.html")["Metadata"]["landkeeper-unreadable"].split()
    told = " ".join([first, *counts[:-1], "4", today])
    s3.put_object(Bucket=name, Key="report.html", Body=b"", Metadata={"landkeeper-unreadable": told})
    handler({"task": "notices"}, None)
    kept = s3.get_object(Bucket=name, Key="report.html")
    assert kept["Metadata"]["landkeeper-unreadable"].split()[-2:] == ["4", today]
    assert document_in(kept["Body"].read().decode())["trends"]["unreadable"][-2:] == [4, int(today)]


@pytest.mark.embedded
def test_a_bucket_that_is_not_there_or_does_not_answer_fails_the_function(
    aws_environment: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = _fill_tables(monkeypatch)
    monkeypatch.setenv("LANDKEEPER_REPORT_BUCKET", name)
    with pytest.raises(ReportNotKeptError, match=f"cannot be written to the bucket {name}: not found"):
        handler({"task": "notices"}, None)
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    with pytest.raises(ReportNotKeptError, match=f"the report in {name} cannot be read: "):
        handler({"task": "notices"}, None)


@pytest.mark.embedded
def test_a_link_that_nobody_may_ask_for_is_one_line(
    aws_environment: Embedded, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    assert run(["report", "--url", "--bucket", "mine"]) == 1
    assert "landkeeper: s3://mine/report.html cannot be read: " in capsys.readouterr().err


def test_a_function_without_a_bucket_or_a_table_says_which_setting_is_missing(
    no_aws: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = VpcTable(home_sessions().lazy_client("dynamodb"), "VPCTracker")
    with pytest.raises(UsageError, match="LANDKEEPER_REPORT_BUCKET is not set"):
        keep_report(Settings(vpc_table="VPCTracker"), store)
    with pytest.raises(UsageError, match="LANDKEEPER_VPC_TABLE is not set"):
        keep_report(Settings(report_bucket="mine"), store)
    with pytest.raises(UsageError, match="LANDKEEPER_VPC_TABLE is not set: the function requires a table"):
        handler({"task": "notices"}, None)
