"""The organization, the sample of accounts, and the roles in them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landkeeper.operate.doctor.access import (
    choose_sample,
    judge_listing,
    judge_organization,
    judge_regions,
    judge_roles,
)
from landkeeper.operate.doctor.facts import Organization, StackParts, Trial, Trials
from landkeeper.operate.doctor.lines import Line, Verdict
from landkeeper.org import Account, AccountId, Failure, FailureReason, Region

HOME = AccountId("111122223333")
PARTS = StackParts("landkeeper", Region("eu-west-1"), "CREATE_COMPLETE")
ORGANIZATION = Organization("o-exampleorgid", HOME, is_delegated=False)
DENIED = Failure(FailureReason.MISSING_PERMISSION, "AccessDenied", "no")
SHUT = Failure(FailureReason.ROLE_NOT_ASSUMABLE, "AccessDenied", "not authorized")
SLOW = Failure(FailureReason.TIMED_OUT, "ReadTimeoutError", "")


def _account(number: int) -> Account:
    return Account(AccountId(f"{number:012}"), f"a{number}")


def _judged(found: Organization | Failure, **parameters: str) -> list[tuple[Verdict, str]]:
    lines = judge_organization(found, replace(PARTS, parameters=parameters), HOME)
    return [(line.verdict, line.found) for line in lines]


def test_the_management_account_needs_nobodys_leave() -> None:
    assert [verdict for verdict, _ in _judged(ORGANIZATION, OrganizationId="o-exampleorgid")] == [Verdict.OK] * 2


def test_another_organization_than_the_stacks_is_wrong() -> None:
    assert _judged(ORGANIZATION, OrganizationId="o-other") == [
        (Verdict.WRONG, "this is o-exampleorgid, and the stack is for o-other")
    ]


@pytest.mark.parametrize(
    ("delegated", "verdict"),
    [(True, Verdict.OK), (False, Verdict.WRONG), (DENIED, Verdict.WRONG), (SLOW, Verdict.UNCHECKED)],
)
def test_another_account_has_to_be_a_delegated_administrator(delegated: bool | Failure, verdict: Verdict) -> None:
    member = replace(ORGANIZATION, management_account=AccountId("444455556666"), is_delegated=delegated)
    lines = judge_organization(member, PARTS, HOME)
    assert [line.verdict for line in lines] == [Verdict.OK, verdict]
    assert ("--account-id 111122223333" in lines[1].mend) == (verdict is Verdict.WRONG)
    # Who names the accounts needs no list of them.
    assert len(_judged(member, Accounts="111122223333")) == 1


def test_without_an_organization_the_accounts_have_to_be_named() -> None:
    none = Failure(FailureReason.NOT_FOUND, "AWSOrganizationsNotInUseException", "")
    assert [verdict for verdict, _ in _judged(none, Accounts="111122223333")] == [Verdict.OK]
    assert [verdict for verdict, _ in _judged(none)] == [Verdict.WRONG]
    assert [verdict for verdict, _ in _judged(none, Accounts="1", OrganizationId="o-x")] == [Verdict.WRONG]
    assert [verdict for verdict, _ in _judged(DENIED)] == [Verdict.UNCHECKED]


@given(st.integers(0, 60), st.sets(st.integers(0, 59), max_size=20), st.integers(1, 15))
def test_a_sample_has_its_size_no_account_twice_and_the_doubtful_ones_first(
    count: int, doubtful: set[int], size: int
) -> None:
    accounts = [_account(number) for number in range(count)]
    in_doubt = {_account(number).id for number in doubtful}
    sample = choose_sample(accounts, in_doubt, size=size)
    assert len(sample) == len(set(sample)) == min(size, count)
    assert set(sample) <= set(accounts)
    wanted = min(size, sum(one.id in in_doubt for one in accounts))
    assert all(one.id in in_doubt for one in sample[:wanted])


def test_a_sample_is_taken_from_end_to_end() -> None:
    chosen = choose_sample([_account(number) for number in range(100)], (), size=4)
    assert [one.name for one in chosen] == ["a0", "a25", "a50", "a75"]


def _trial(number: int, way_in: Failure | None = None, **refused: Failure) -> Trial:
    actions = {name.replace("_", ":"): failure for name, failure in refused.items()}
    return Trial(_account(number).id, "eu-west-1", way_in, actions)


def _roles(*trials: Trial, total: int = 50) -> list[Line]:
    asked = [_account(number) for number in range(20)]
    return judge_roles("tracker's role", "reader", asked, total, [Trials("0.1.0", trials)])


def test_roles_that_work_say_how_many_were_tried_of_how_many() -> None:
    (some,) = _roles(_trial(1), _trial(2))
    assert (some.verdict, some.found) == (
        Verdict.OK,
        "reader works in 2 accounts (a sample of 50; --all tests every account)",
    )
    assert _roles(_trial(1), total=1)[0].found == "reader works in 1 account (all)"
    assert _roles() == []


def test_accounts_without_a_way_in_are_one_line_that_names_all_of_them() -> None:
    (line,) = _roles(*(_trial(number, SHUT) for number in range(7)), _trial(8))
    assert line.verdict is Verdict.WRONG
    assert "a4 (000000000004) and 2 more (7 of 8 accounts tried)" in line.found
    assert len(line.subjects) == 7
    assert line.mend.startswith("deploy member-roles.yaml there")
    (line,) = judge_roles("x", "reader", [], 1, [Trials("0.1.0", (_trial(1, SHUT),))], stack_set="keeper-roles")
    assert "list-stack-instances --stack-set-name keeper-roles;" in line.mend
    assert "deploy member-roles.yaml there" in line.mend


def test_what_a_role_may_not_do_is_told_apart_from_what_could_not_be_tried() -> None:
    guarded = Failure(FailureReason.SCP_DENY, "UnauthorizedOperation", "explicit deny in a service control policy")
    lines = _roles(
        _trial(1, ec2_DescribeVpcs=DENIED, ec2_DescribeSubnets=DENIED),
        _trial(2, ec2_DescribeVpcs=DENIED, ec2_DescribeSubnets=DENIED),
        _trial(3, ec2_DescribeVpcs=guarded),
        _trial(4, ec2_DescribeVpcs=SLOW),
        _trial(5, SLOW),
    )
    told = {(line.verdict, line.subjects): line.found for line in lines}
    refused = told[Verdict.WRONG, ("a1 (000000000001)", "a2 (000000000002)")]
    assert "may not ec2:DescribeSubnets, ec2:DescribeVpcs in a1" in refused
    assert "a service control policy denies reader ec2:DescribeVpcs" in told[Verdict.WRONG, ("a3 (000000000003)",)]
    assert [line.verdict for line in lines].count(Verdict.UNCHECKED) == 2


def test_an_instance_that_is_not_found_proves_no_permission() -> None:
    missing = Failure(FailureReason.NOT_FOUND, "InvalidInstanceID.NotFound", "The instance ID does not exist")
    (line,) = _roles(_trial(1, ec2_StopInstances=missing, ec2_TerminateInstances=missing), _trial(2))
    assert line.verdict is Verdict.UNCHECKED
    assert "whether reader may ec2:StopInstances, ec2:TerminateInstances in a1 (000000000001)" in line.found
    assert "arn:aws:iam::000000000001:role/reader" in line.mend
    assert "--action-names ec2:StopInstances ec2:TerminateInstances --resource-arns" in line.mend


def test_a_function_that_does_not_answer_is_not_taken_for_a_role_that_works() -> None:
    old = Failure(FailureReason.OTHER, "FunctionError", "TrackerFunction does not answer: there is no task 'doctor'")
    (line,) = judge_roles("tracker's role", "reader", [_account(1)], 1, [old, old])
    assert line.verdict is Verdict.UNCHECKED
    assert "landkeeper deploy" in line.mend
    (line,) = judge_roles("tracker's role", "reader", [_account(1)], 1, [DENIED])
    assert (line.verdict, "docs/doctor.md" in line.mend) == (Verdict.UNCHECKED, True)


def test_functions_have_to_list_the_accounts_themselves() -> None:
    assert judge_listing("Broom", Trials("0.1.0", ())).verdict is Verdict.OK
    assert judge_listing("Broom", Trials("0.1.0", (), DENIED)).verdict is Verdict.WRONG
    assert judge_listing("Broom", DENIED).verdict is Verdict.UNCHECKED


def test_regions_have_to_be_awss() -> None:
    assert judge_regions([], ()).found == "all enabled regions of each account"
    assert judge_regions(["eu-west-1"], ()).found == "eu-west-1"
    assert judge_regions(["eu-west-9"], ["eu-west-9"]).verdict is Verdict.WRONG
    assert judge_regions(["eu-west-9"], DENIED).verdict is Verdict.UNCHECKED
