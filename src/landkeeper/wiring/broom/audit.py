"""The audit's wiring: which accounts and regions, and what is done there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from landkeeper.aws.organizations import list_members
from landkeeper.aws.vpctracker.vpcs import find_regions
from landkeeper.broom.audit import Audited, Finding, audit_overdue, audit_place
from landkeeper.broom.limits import RunLimit
from landkeeper.broom.sweep import Place
from landkeeper.broom.sweep_result import SweepResult
from landkeeper.org import AccountId, Failure, Membership, Standing, UsageError
from landkeeper.wiring.broom.commands import OpenedBroom, open_for_command

if TYPE_CHECKING:
    from landkeeper.aws.sessions import AccountSessions
    from landkeeper.broom.case import Case
    from landkeeper.broom.launches import InstanceId
    from landkeeper.broom.policy.rules import Policy
    from landkeeper.settings import Settings

ACT_SINCE = timedelta(days=1)
"""How old an instance of which no log told may be for the audit on a schedule to do more than tell."""


@dataclass(frozen=True, slots=True)
class CommandAudit:
    """What an audit from the command line came to."""

    findings: tuple[Finding, ...]
    failures: tuple[str, ...]
    reports: tuple[str, ...]
    """The texts of reports that had no topic to go to."""
    running: int
    places: int
    """How many regions of accounts were read."""
    unread: int
    """How many were not, and accounts of which not even the regions are known. Disabled regions count for nothing."""


def find_accounts(settings: Settings, sessions: AccountSessions) -> tuple[AccountId, ...]:
    """The accounts that the settings name, else those of the organisation, else the one at hand.

    Raises UsageError where the organisation cannot be listed.
    """
    if settings.accounts or settings.role_name is None:
        return settings.accounts or (sessions.home_account(),)
    members = list_members(sessions.home("organizations"))
    if isinstance(members, Failure):
        raise UsageError(f"the accounts of the organisation cannot be listed, pass --account: {members}")
    return tuple(member.account.id for member in members if member.membership is Membership.ACTIVE)


def find_places(settings: Settings, sessions: AccountSessions, account: AccountId) -> Sequence[Place] | Failure:
    """The regions of an account: those that the settings name, else those that it has enabled."""
    if settings.regions:
        return [(account, region) for region in settings.regions]
    grant = sessions.grant_for(account)
    found = grant if isinstance(grant, Failure) else find_regions(sessions, grant)
    if isinstance(found, Failure):
        return found
    return [(account, region) for region, standing in found.items() if standing is Standing.READ]


def audit_account(
    policy: Policy,
    account: AccountId,
    opened: OpenedBroom,
    run_limit: RunLimit,
    *,
    act_since: timedelta | None = ACT_SINCE,
) -> Iterator[Audited]:
    """The audit of every region of an account, one after the other."""
    places = find_places(opened.settings, opened.sessions, account)
    if isinstance(places, Failure):
        swept = SweepResult()
        swept.fail(f"{account} could not be audited: {places}", try_again=False)
        yield Audited(swept, is_read=False)
        return
    actions_on = opened.settings.actions_on
    for place in places:
        yield audit_place(
            policy, place, opened.outside, actions_on=actions_on, run_limit=run_limit, act_since=act_since
        )


def audit_from_command(settings: Settings, policy: Policy, *, dry_run: bool) -> CommandAudit:
    """Audit all accounts that the settings name. A dry run acts on nothing and writes nothing."""
    with open_for_command(settings, dry_run=dry_run) as opened:
        run_limit = RunLimit(policy.limits.terminations_per_run)
        overdue = audit_overdue(policy, opened.outside, actions_on=settings.actions_on, run_limit=run_limit)
        cases = opened.outside.ledger.find_cases(tuple(overdue.notes))
        audited = [
            each
            for account in find_accounts(settings, opened.sessions)
            for each in audit_account(policy, account, opened, run_limit, act_since=None)
        ]
    return CommandAudit(
        findings=(*_overdue_findings(overdue, cases), *(found for each in audited for found in each.findings)),
        failures=(*overdue.failures, *(failure for each in audited for failure in each.swept.failures)),
        reports=() if dry_run else tuple(report.text for report in opened.printed.reports),
        running=sum(each.running for each in audited),
        places=sum(each.is_read for each in audited),
        unread=sum(bool(each.swept.failures) and not each.is_read for each in audited),
    )


def _overdue_findings(swept: SweepResult, cases: Mapping[InstanceId, Case]) -> Iterator[Finding]:
    return (Finding(id_, cases[id_].account, cases[id_].region, note) for id_, note in swept.notes.items())
