"""Parts of Broom's function: what it counts, and with what it reads log files."""

from __future__ import annotations

import pytest
from tests.member_instances import ROLE
from tests.servers import home_session

from landkeeper.broom.case import Outcome
from landkeeper.broom.cloudtrail.keys import LogObject
from landkeeper.broom.launches import InstanceId, LaunchedInstance
from landkeeper.broom.sweeping.result import ActionKind, InstanceResult, VerdictKind
from landkeeper.embedded.simulators import Embedded
from landkeeper.lambdas.broom import _metrics_of
from landkeeper.org import Failure
from landkeeper.settings import Settings
from landkeeper.wiring.broom.function import FunctionBroom

VIOLATION, TERMINATE = VerdictKind.VIOLATION, ActionKind.TERMINATE


def _result(
    verdict: VerdictKind, action: ActionKind, outcome: Outcome | None = None, *, is_stored: bool = False
) -> InstanceResult:
    instance = LaunchedInstance(InstanceId("i-1"), "ami-1", "t3.micro", {})
    return InstanceResult(instance, {}, verdict, action, "", outcome, is_stored)


@pytest.mark.parametrize(
    ("note", "counted"),
    [
        (_result(VIOLATION, TERMINATE, Outcome.DESTROYED), ["InstancesJudged", "InstancesDestroyed"]),
        (_result(VIOLATION, TERMINATE, Outcome.HELD), ["InstancesJudged", "InstancesHeld"]),
        (_result(VerdictKind.COMPLIANT, ActionKind.KEEP), ["InstancesJudged", "InstancesKept"]),
        (_result(VIOLATION, ActionKind.WAIT), []),
        (_result(VIOLATION, TERMINATE, Outcome.HELD, is_stored=True), []),
    ],
)
def test_an_instance_counts_once_and_as_what_became_of_it(note: InstanceResult, counted: list[str]) -> None:
    assert list(_metrics_of(note)) == counted


@pytest.mark.embedded
def test_log_files_of_another_account_are_read_in_the_role_that_is_named_and_in_no_other(
    aws_environment: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3 = home_session().client("s3")
    s3.create_bucket(Bucket="others-logs")
    s3.put_object(Bucket="others-logs", Key="one.json.gz", Body=b"log")
    found = LogObject("others-logs", "one.json.gz")
    assert _function(None).objects.read_object(found) == b"log"
    assert _function(f"arn:aws:iam::320000000003:role/{ROLE}").objects.read_object(found) == b"log"
    refused = _function("arn:aws:iam::320000000003:role/never-made").objects.read_object(found)
    assert isinstance(refused, Failure)


def _function(log_role_arn: str | None) -> FunctionBroom:
    return FunctionBroom(
        Settings(
            ledger_table="any", topic_arn="arn:aws:sns:us-east-1:123456789012:any", policy="broom.yaml",
            log_role_arn=log_role_arn,
        )
    )  # fmt: skip
