"""The audit's wiring: which accounts and regions it looks at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from landkeeper.aws.enabled_regions import find_regions
from landkeeper.aws.organizations import list_members
from landkeeper.broom.audit import AuditResult, audit_everything
from landkeeper.broom.limits import RunLimit
from landkeeper.broom.sweeping.sweep import Sweep
from landkeeper.org import AccountId, Failure, Membership, Standing, UnavailableError
from landkeeper.wiring.broom.commands import open_for_command

if TYPE_CHECKING:
    from landkeeper.aws.sessions import AccountSessions
    from landkeeper.broom.launches import InstanceId
    from landkeeper.broom.policy.rules import Penalty, Policy
    from landkeeper.broom.ports import Place
    from landkeeper.settings import Settings


@dataclass(frozen=True, slots=True)
class CommandAudit:
    """What an audit from the command line came to."""

    result: AuditResult
    reports: tuple[str, ...]
    """The texts of reports that had no topic to go to."""


@dataclass(frozen=True, slots=True)
class SettingsScope:
    """Broom's `AuditScope`, as the settings say."""

    settings: Settings
    sessions: AccountSessions

    def find_accounts(self) -> tuple[AccountId, ...]:
        """Return the accounts that the settings name, else those of the organization, else the one at hand.

        Raise UnavailableError where the organization cannot be listed.
        """
        if self.settings.accounts or self.settings.role_name is None:
            return self.settings.accounts or (self.sessions.home_account(),)
        members = list_members(self.sessions.home("organizations"))
        if isinstance(members, Failure):
            raise UnavailableError(f"the accounts of the organization cannot be listed, pass --account: {members}")
        return tuple(member.account.id for member in members if member.membership is Membership.ACTIVE)

    def find_places(self, account: AccountId) -> Sequence[Place] | Failure:
        """Return the regions of an account: those that the settings name, else those that it has enabled."""
        if self.settings.regions:
            return [(account, region) for region in self.settings.regions]
        credentials = self.sessions.credentials_for(account)
        found = credentials if isinstance(credentials, Failure) else find_regions(self.sessions, credentials)
        if isinstance(found, Failure):
            return found
        return [(account, region) for region, standing in found.items() if standing is Standing.READ]


def audit_from_command(
    settings: Settings,
    policy: Policy,
    *,
    dry_run: bool,
    rejudge_settled: bool = False,
    approved: Mapping[InstanceId, Penalty] | None = None,
) -> CommandAudit:
    """Audit all accounts that the settings name. A dry run acts on nothing and writes nothing.

    `approved` is what somebody has agreed to, and nothing else is done then; None where there was no plan.
    """
    with open_for_command(settings, dry_run=dry_run) as opened:
        limit = RunLimit(policy.limits.terminations_per_run)
        sweep = Sweep(policy, opened.ports, limit, settings.actions_on, approved, settings.actions_opt_in)
        result = audit_everything(sweep, SettingsScope(settings, opened.sessions), rejudge_settled=rejudge_settled)
    return CommandAudit(result, () if dry_run else tuple(report.text for report in opened.printed.reports))
