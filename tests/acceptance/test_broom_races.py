"""Broom's command against AWS as it is at its worst: lost answers, slow accounts, other accounts' credentials."""

from __future__ import annotations

import gzip
import itertools
import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.broom_world import STRICT, event
from tests.ledger_tables import create_ledger_table
from tests.member_instances import ROLE, start_instances, state_of
from tests.scripted_aws import Call, LostAnswer, OtherAccount, Reaction, ScriptedAws, scripted_aws
from tests.servers import home_sessions

from landkeeper.broom.launches import InstanceId
from landkeeper.cli import run
from landkeeper.embedded.simulators import Embedded
from landkeeper.org import AccountId

pytestmark = pytest.mark.embedded

_numbers = itertools.count()


@pytest.fixture(autouse=True)
def _directory(aws_environment: Embedded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("broom.yaml").write_text(STRICT)


@pytest.fixture
def aws(aws_environment: Embedded, monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedAws]:
    """What a test scripts of EC2 and STS."""
    with scripted_aws(aws_environment.moto_url) as scripted:
        monkeypatch.setenv("AWS_ENDPOINT_URL_EC2", scripted.url)
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", scripted.url)
        yield scripted


def _account() -> AccountId:
    return AccountId(str(555000000000 + next(_numbers)))


def _record(account: AccountId, *ids: InstanceId) -> dict[str, Any]:
    """A record of the launch of these instances, without tags."""
    record: dict[str, Any] = event("run_instances.json")
    (instance,) = record["responseElements"]["instancesSet"]["items"]
    record["responseElements"]["instancesSet"]["items"] = [{**instance, "instanceId": id_, "tagSet": {}} for id_ in ids]
    record["requestParameters"].pop("tagSpecificationSet")
    return {**record, "recipientAccountId": account, "eventID": str(uuid.uuid4())}


def _sweep(*records: dict[str, Any], ledger: str = "", code: int = 0) -> None:
    Path("log.json.gz").write_bytes(gzip.compress(json.dumps({"Records": records}).encode()))
    store = ["--ledger", ledger] if ledger else ["--file", "ledger.db"]
    assert run(["broom", "sweep", "--yes", "--policy", "broom.yaml", "--role", ROLE, *store, "log.json.gz"]) == code


def _cases(capsys: pytest.CaptureFixture[str], *store: str) -> dict[str, str]:
    capsys.readouterr()
    assert run(["broom", "cases", *store, "--format", "json"]) == 0
    return {case["InstanceId"]: case["State"] for case in json.loads(capsys.readouterr().out)}


@pytest.mark.parametrize("token", ["*", "?", "tok*", "\\*"])
def test_a_client_token_names_no_instance_but_its_own(
    aws: ScriptedAws, token: str, capsys: pytest.CaptureFixture[str]
) -> None:
    account = _account()
    others = start_instances(account, count=3)
    record = _record(account)
    record["responseElements"] = None
    record["requestParameters"]["clientToken"] = token
    Path("log.json.gz").write_bytes(gzip.compress(json.dumps({"Records": [record]}).encode()))
    run(["broom", "sweep", "--yes", "--policy", "broom.yaml", "--role", ROLE, "--file", "ledger.db", "log.json.gz"])
    assert [state_of(account, id_) for id_ in others] == ["running"] * 3
    assert aws.count("TerminateInstances") == 0


def test_each_account_is_acted_on_right_after_its_read(aws: ScriptedAws) -> None:
    slow, quick = sorted((_account(), _account()), reverse=True)
    (late,), (early,) = start_instances(slow), start_instances(quick)
    seen: list[str] = []

    def look(call: Call) -> Reaction:
        if call.action == "DescribeInstances" and call.account == slow and not seen:
            seen.append(state_of(quick, early))
        return None

    aws.script = look
    _sweep(_record(quick, early), _record(slow, late))
    assert seen == ["terminated"]
    assert state_of(slow, late) == "terminated"


def test_credentials_of_another_account_act_on_nothing(aws: ScriptedAws, capsys: pytest.CaptureFixture[str]) -> None:
    account, other = _account(), _account()
    (id_,) = start_instances(account)
    aws.script = lambda call: OtherAccount(other) if call.action == "AssumeRole" else None
    _sweep(_record(account, id_), code=3)
    assert aws.count("TerminateInstances") == 0
    assert _cases(capsys, "--file", "ledger.db")[id_] not in {"gone", "reported"}
    aws.script = lambda _: None
    _sweep(_record(account, id_))
    assert state_of(account, id_) == "terminated"


@pytest.mark.parametrize("lost_at", range(4))
def test_an_answer_of_the_ledger_that_is_lost_changes_nothing(
    aws_environment: Embedded, lost_at: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    account = _account()
    (id_,) = start_instances(account)
    ledger = f"Ledger{uuid.uuid4().hex[:8]}"
    create_ledger_table(home_sessions().home("dynamodb"), ledger)
    writes = itertools.count()
    with scripted_aws(aws_environment.ministack_url) as tables:
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", tables.url)
        tables.script = lambda call: LostAnswer() if call.action == "PutItem" and next(writes) == lost_at else None
        _sweep(_record(account, id_), ledger=ledger)
    assert next(writes) > lost_at + 1
    printed = capsys.readouterr()
    assert printed.err.count("This instance has been destroyed.") == 1
    assert state_of(account, id_) == "terminated"
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", aws_environment.ministack_url)
    assert _cases(capsys, "--ledger", ledger) == {id_: "reported"}
