"""Who may do what where: the organization, the accounts, and the roles in them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence

from landkeeper.operate.doctor.facts import Organization, StackParts, Trial, Trials
from landkeeper.operate.doctor.lines import Line, named, ok, unchecked, wrong
from landkeeper.org import Account, AccountId, Failure, FailureReason, counted

SAMPLE = 10
"""How many accounts are tried unless all are asked for."""
_DELEGATE = (
    "in the management account: aws organizations register-delegated-administrator --account-id {account} "
    "--service-principal member.org.stacksets.cloudformation.amazonaws.com"
)


def judge_organization(found: Organization | Failure, parts: StackParts, account: AccountId) -> list[Line]:
    """Whether there is the organization that the stack is for, and whether the account at hand may list it."""
    wanted = parts.parameters.get("OrganizationId", "")
    named_accounts = parts.parameters.get("Accounts", "")
    if isinstance(found, Failure):
        if found.reason is not FailureReason.NOT_FOUND:
            return [unchecked("organization", found)]
        if not wanted and named_accounts:
            return [ok("organization", "none; the stack lists its accounts")]
        mend = "list the accounts: landkeeper deploy --parameter Accounts=ID,ID"
        return [wrong("organization", f"the account {account} is not in an organization", mend)]
    if wanted and found.id != wanted:
        mend = f"landkeeper deploy --parameter OrganizationId={found.id}"
        return [wrong("organization", f"this is {found.id}, and the stack is for {wanted}", mend)]
    lines = [ok("organization", f"{found.id}, managed by {found.management_account}")]
    if not named_accounts:
        lines.append(_judge_delegation(found, account))
    return lines


def _judge_delegation(found: Organization, account: AccountId) -> Line:
    check = "delegated administrator"
    if found.management_account == account:
        return ok(check, "not needed: this is the management account")
    if isinstance(found.is_delegated, Failure):
        if found.is_delegated.reason is not FailureReason.MISSING_PERMISSION:
            return unchecked(check, found.is_delegated)
    elif found.is_delegated:
        return ok(check, f"{account} is one")
    return wrong(
        check,
        f"{account} is neither the management account nor a delegated administrator: it cannot list the accounts",
        _DELEGATE.format(account=account),
    )


def choose_sample(
    accounts: Sequence[Account], doubtful: Collection[AccountId], *, size: int = SAMPLE
) -> tuple[Account, ...]:
    """So many of the accounts: first those that could not be read the last time, then some from end to end."""
    first = [account for account in accounts if account.id in doubtful][:size]
    rest = [account for account in accounts if account not in first]
    wanted = min(size - len(first), len(rest))
    return (*first, *(rest[len(rest) * number // wanted] for number in range(wanted)))


def judge_roles(
    check: str,
    role: str,
    sample: Sequence[Account],
    total: int,
    answers: Sequence[Trials | Failure],
    *,
    stack_set: str = "",
) -> list[Line]:
    """Whether the role can be assumed and holds its permissions in the accounts that were tried.

    `stack_set` is the one that gives accounts the role, where the stack has made one.
    """
    names = {account.id: account.label for account in sample}
    trials = [trial for answer in answers if isinstance(answer, Trials) for trial in answer.trials]
    lines = [
        _unanswered(check, failure)
        for failure in dict.fromkeys(answer for answer in answers if isinstance(answer, Failure))
    ]
    lines += _closed(check, role, trials, names, stack_set)
    lines += _refused(check, role, trials, names)
    if not trials:
        return lines
    well = [trial for trial in trials if trial.way_in is None and not trial.refused]
    if lines:
        return lines
    how_many = "all" if len(trials) >= total else f"a sample of {total:,}; --all tests every account"
    return [ok(check, f"{role} works in {counted(len(well), 'account')} ({how_many})")]


def _unanswered(check: str, failure: Failure) -> Line:
    understood = failure.reason is not FailureReason.OTHER
    mend = "check its log; functions of older versions do not support this check: run `landkeeper deploy` again"
    return unchecked(check, failure) if understood else unchecked(check, failure.message, mend=mend)


def _closed(
    check: str, role: str, trials: Sequence[Trial], names: Mapping[AccountId, str], stack_set: str
) -> Iterator[Line]:
    groups: defaultdict[FailureReason, list[Trial]] = defaultdict(list)
    for trial in trials:
        if trial.way_in is not None:
            groups[trial.way_in.reason].append(trial)
    for reason, group in groups.items():
        places = [names.get(trial.account, str(trial.account)) for trial in group]
        where = f"{named(places)} ({len(places)} of {counted(len(trials), 'account')} tried)"
        if reason is not FailureReason.ROLE_NOT_ASSUMABLE:
            yield unchecked(check, f"{where}: {group[0].way_in}")
            continue
        mend = (
            "deploy member-roles.yaml there, with the TrackerRoleArn and BroomRoleArn of this stack's outputs; also in "
            "the management account, which StackSets skip"
        )
        if stack_set:
            mend = (
                f"check its instances: aws cloudformation list-stack-instances --stack-set-name {stack_set}; "
                f"in the management account, and outside its units, {mend}"
            )
        yield wrong(check, f"the role {role} cannot be assumed in {where}", mend, places)


def _refused(check: str, role: str, trials: Sequence[Trial], names: Mapping[AccountId, str]) -> Iterator[Line]:
    groups: defaultdict[tuple[FailureReason, tuple[str, ...]], list[Trial]] = defaultdict(list)
    for trial in trials:
        by_reason: defaultdict[FailureReason, list[str]] = defaultdict(list)
        for action, failure in trial.refused.items():
            by_reason[failure.reason].append(action)
        for reason, actions in by_reason.items():
            groups[reason, tuple(sorted(actions))].append(trial)
    for (reason, refused), group in groups.items():
        places = [names.get(trial.account, str(trial.account)) for trial in group]
        what, sentence = ", ".join(refused), str(group[0].refused[refused[0]])
        if reason is FailureReason.MISSING_PERMISSION:
            mend = "update member-roles.yaml there; a permissions boundary or a condition may also be the cause"
            yield wrong(check, f"the role {role} may not {what} in {named(places)}", mend, places)
        elif reason is FailureReason.SCP_DENY:
            region = group[0].region
            mend = f"exempt the role from that policy, or declare the region governed (landkeeper.yaml) if {region} is"
            found = f"a service control policy denies {role} {what} in {named(places)}, {region}"
            yield wrong(check, found, mend, places)
        elif reason is FailureReason.NOT_FOUND:
            # The instance that stopping and ending are tried on does not exist.
            yield _unproven(check, role, what, group[0].account, places)
        else:
            yield unchecked(check, f"{what} in {named(places)}: {sentence}")


def _unproven(check: str, role: str, what: str, account: AccountId, places: Sequence[str]) -> Line:
    found = f"EC2 does not say whether {role} may {what} in {named(places)}: there is no such instance, it answers"
    mend = (
        f"in the account: aws iam simulate-principal-policy --policy-source-arn arn:aws:iam::{account}:role/{role} "
        f"--action-names {what.replace(',', '')} --resource-arns 'arn:aws:ec2:*:{account}:instance/*'"
    )
    return unchecked(check, found, mend=mend)


def judge_listing(function: str, answer: Trials | Failure) -> Line:
    """Whether a function can list the accounts of the organization."""
    check = "accounts listed"
    if isinstance(answer, Failure):
        return _unanswered(check, answer)
    if answer.organization is None:
        return ok(check, f"{function} lists the accounts of the organization")
    mend = "make this account a delegated administrator, or list the accounts: --parameter Accounts=ID,ID"
    return wrong(check, f"{function} cannot list the organization's accounts: {answer.organization}", mend)


def judge_regions(wanted: Sequence[str], unknown: Sequence[str] | Failure) -> Line:
    """Whether AWS has the regions that the stack names."""
    if isinstance(unknown, Failure):
        return unchecked("regions", unknown)
    if unknown:
        mend = "landkeeper deploy --parameter Regions=… without it; empty means all enabled regions"
        return wrong("regions", f"unknown region {named(list(unknown))}", mend, unknown)
    return ok("regions", ", ".join(wanted) if wanted else "all enabled regions of each account")
