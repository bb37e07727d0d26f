"""New units and accounts: at most the policy's `onboarding` says is done there."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest
from tests.broom_world import ACCOUNT, JANE, LAUNCHED_AT, REGION, Clock, FakeEc2, FakeQueue, launch, policy

from landkeeper.broom.audit import audit_place
from landkeeper.broom.case import Case, Outcome
from landkeeper.broom.dry_run import CollectedReports, ScratchLedger
from landkeeper.broom.launches import InstanceId
from landkeeper.broom.policy.explain import Result, Step, explain
from landkeeper.broom.policy.rules import Penalty, Policy
from landkeeper.broom.policy.verdict import Subject, Violation, evaluate
from landkeeper.broom.ports import SweepPorts
from landkeeper.broom.sweeping.sweep import Sweep
from landkeeper.org import AccountId, Failure, FailureReason

NEW, OLD = "ou-ab12-nnnnnnnn", "ou-ab12-oooooooo"
BOARDING = f"""
version: 1
rules: [{{name: code, require: {{tag: Code}}, action: terminate}}]
onboarding: {{ous: [{NEW}], accounts: ["4444*"], action: notify}}
confirm_after: 0s
"""
DENIED = Failure(FailureReason.MISSING_PERMISSION, "AccessDenied", "ListParents")
SUBJECT = Subject(ACCOUNT, REGION, "t3.micro", JANE)


@dataclass(slots=True)
class Units:
    """An organization in which every account is in the same units, or in which nobody answers."""

    answer: frozenset[str] | Failure
    asked: list[AccountId] = field(default_factory=list)

    def find_units(self, account: AccountId) -> frozenset[str] | Failure:
        self.asked.append(account)
        return self.answer


def swept(units: Units | None, *, under: Policy, **tags: str) -> tuple[FakeEc2, Case, str]:
    ec2, ledger, topic = FakeEc2(), ScratchLedger(), CollectedReports()
    ec2.run("i-1", **tags)
    ports = SweepPorts(ec2, ec2, ledger, topic, FakeQueue(), Clock(), units)
    Sweep(under, ports).handle_launches([launch("i-1")])
    return ec2, ledger.find_cases([InstanceId("i-1")])[InstanceId("i-1")], "".join(one.text for one in topic.reports)


def test_an_account_outside_of_the_new_units_gets_the_rules_action() -> None:
    ec2, case, _ = swept(Units(frozenset({OLD, "r-ab12"})), under=policy(BOARDING))
    assert (ec2.ended, case.outcome) == (["i-1"], Outcome.DESTROYED)
    assert "onboarding" not in case.how


def test_an_account_anywhere_below_a_new_unit_gets_a_notice() -> None:
    ec2, case, report = swept(Units(frozenset({OLD, NEW, "r-ab12"})), under=policy(BOARDING))
    assert (ec2.ended, case.outcome) == ([], Outcome.NOTIFIED)
    assert f"(onboarding: its account is in the new unit {NEW}, so notify instead of terminate)" in report
    assert "This instance has not been touched: this is a notice only." in report
    assert "only a notice is given" in [step.because for step in case.story]


def test_units_that_cannot_be_read_make_a_notice_that_says_so() -> None:
    ec2, case, report = swept(Units(DENIED), under=policy(BOARDING))
    assert (ec2.ended, case.outcome) == ([], Outcome.NOTIFIED)
    assert (
        "the organizational units of its account could not be read: permission missing (AccessDenied: ListParents)"
        in report
    )


def test_where_nobody_can_be_asked_every_account_counts_as_new() -> None:
    ec2, case, report = swept(None, under=policy(BOARDING))
    assert (ec2.ended, case.outcome) == ([], Outcome.NOTIFIED)
    assert "the organizational units of its account are unknown" in report


@pytest.mark.parametrize(("unit", "ended"), [(NEW, []), (OLD, ["i-1"])])
def test_an_audit_asks_for_units_too(unit: str, ended: list[str]) -> None:
    ec2, ledger, clock = FakeEc2(), ScratchLedger(), Clock()
    ec2.run("i-1")
    ports = SweepPorts(ec2, ec2, ledger, CollectedReports(), FakeQueue(), clock, Units(frozenset({unit})))
    audit_place(Sweep(policy(BOARDING), ports), (ACCOUNT, REGION))
    assert ec2.ended == ended


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        (BOARDING, {"Code": "LOL"}),
        (BOARDING.replace("terminate", "notify"), {}),
        (BOARDING.replace("4444*", ACCOUNT), {}),
        (BOARDING.replace(f"ous: [{NEW}], ", ""), {}),
    ],
    ids=["complies", "as mild as onboarding", "a new account by its id", "no units in the policy"],
)
def test_units_are_read_only_where_the_verdict_hangs_on_them(text: str, tags: dict[str, str]) -> None:
    units = Units(DENIED)
    swept(units, under=policy(text), **tags)
    assert units.asked == []


@pytest.mark.parametrize(
    ("account", "units", "action"),
    [
        ("444455556666", frozenset({OLD}), Penalty.NOTIFY),
        ("444455556666", None, Penalty.NOTIFY),
        (ACCOUNT, frozenset({OLD}), Penalty.TERMINATE),
        (ACCOUNT, DENIED, Penalty.NOTIFY),
    ],
)
def test_new_accounts_are_named_by_patterns(
    account: str, units: frozenset[str] | Failure | None, action: Penalty
) -> None:
    verdict = evaluate(policy(BOARDING), replace(SUBJECT, account=AccountId(account), units=units), {}, LAUNCHED_AT)
    assert isinstance(verdict, Violation)
    assert (verdict.action, verdict.is_unplaced) == (action, False)


@pytest.mark.parametrize(
    ("subject", "result", "because"),
    [
        (SUBJECT, Result.SOFTENS, "the organizational units of its account are unknown: at most notify is done"),
        (replace(SUBJECT, units=frozenset({NEW})), Result.SOFTENS,
         f"its account is in the new unit {NEW}: at most notify is done"),
        (replace(SUBJECT, units=frozenset({OLD, "r-ab12"})), Result.FITS_NOT, f"the account is in {OLD}, r-ab12"),
        (replace(SUBJECT, account=AccountId("444455556666")), Result.SOFTENS,
         "account 444455556666 is new: at most notify is done"),
    ],
)  # fmt: skip
def test_what_onboarding_does_is_explained(subject: Subject, result: Result, because: str) -> None:
    *_, step = explain(policy(BOARDING), subject, {}, LAUNCHED_AT).steps
    assert step == Step("onboarding", f"{NEW}, 4444*", result, because)


def test_without_units_an_account_that_is_not_new_is_named() -> None:
    by_id = policy(BOARDING.replace(f"ous: [{NEW}], ", ""))
    *_, step = explain(by_id, SUBJECT, {}, LAUNCHED_AT).steps
    assert (step.result, step.because) == (Result.FITS_NOT, f"the account is {ACCOUNT}")
