"""`landkeeper broom audit`: everything that runs against the policy."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from landkeeper.broom.dry_run import has_effect, planned_actions
from landkeeper.cli.broom.given_policy import find_policy
from landkeeper.cli.broom.output import print_reports, warn
from landkeeper.cli.confirmation import apply_plan
from landkeeper.cli.exit_codes import DONE, INCOMPLETE
from landkeeper.cli.failures import print_failures, print_hint
from landkeeper.cli.output import JSON_VERSION, Column, Format, print_json, print_rows
from landkeeper.org import counted
from landkeeper.settings import Settings, read_settings

if TYPE_CHECKING:
    from landkeeper.broom.audit import AuditResult, Finding
    from landkeeper.broom.launches import InstanceId
    from landkeeper.broom.policy.rules import Penalty, Policy
    from landkeeper.wiring.broom.audit import CommandAudit

_NAMES = ("InstanceId", "AccountId", "Region", "Verdict", "Action", "Outcome", "Because")


def run_audit(
    policy_file: str | None,
    yes: bool,
    dry_run: bool,
    rejudge: bool,
    accounts: tuple[str, ...],
    regions: tuple[str, ...],
    ledger: str | None,
    file: Path | None,
    role_name: str | None,
    external_id: str | None,
    details: bool,
    format_: Format,
) -> int:
    """Check all running instances against the policy, and resume overdue cases."""
    settings = read_settings(os.environ).with_ledger(ledger=ledger, file=file)
    from landkeeper.wiring.known_accounts import find_account_ids

    settings = settings.with_access(
        role_name=role_name, external_id=external_id, regions=regions, accounts=find_account_ids(settings, accounts)
    )
    policy = find_policy(policy_file, settings)
    task = _Audit(settings, policy, rejudge, details, format_)
    result = apply_plan(task, yes=yes, dry_run=dry_run, is_table=format_ == "table").result
    return DONE if result.is_complete else INCOMPLETE


@dataclass(frozen=True, slots=True)
class _Audit:
    """The audit of what the settings name."""

    settings: Settings
    policy: Policy
    rejudge: bool
    details: bool
    format_: Format

    def rehearse(self) -> CommandAudit:
        """Return what would be done."""
        return self._audit(dry_run=True)

    def show(self, plan: CommandAudit) -> None:
        """Print what would be done."""
        self._print(plan.result, is_dry_run=True)

    def has_effect(self, plan: CommandAudit) -> bool:
        """Return whether anything would be done."""
        return has_effect(finding.result for finding in plan.result.findings)

    def act(self, plan: CommandAudit | None) -> CommandAudit:
        """Act, after a plan only on what it shows."""
        shown = planned_actions(finding.result for finding in plan.result.findings) if plan is not None else None
        done = self._audit(dry_run=False, approved=shown)
        print_reports(done.reports)
        self._print(done.result, is_dry_run=False)
        return done

    def _audit(self, *, dry_run: bool, approved: Mapping[InstanceId, Penalty] | None = None) -> CommandAudit:
        # Loaded here, so that a wrong policy is told without waiting for boto3.
        from landkeeper.wiring.broom.audit import audit_from_command

        return audit_from_command(
            self.settings, self.policy, dry_run=dry_run, rejudge_settled=self.rejudge, approved=approved
        )

    def _print(self, result: AuditResult, *, is_dry_run: bool) -> None:
        """Print what violates the policy, with the totals of the audit."""
        rows = [_row(finding) for finding in result.findings]
        if self.format_ == "json":
            found = {"findings": rows, "failures": list(result.failures), "totals": _totals(result)}
            print_json({"Version": JSON_VERSION, "DryRun": is_dry_run, **found})
        else:
            columns = [Column(name, name) for name in _NAMES]
            title = "Dry run: what the policy would do, based on live tags" if is_dry_run and rows else ""
            print_rows(rows, columns, self.format_, title=title, totals=_totals_line(result))
        print_hint([print_failures("could not be audited", result.unreadable, details=self.details)])
        for failure in result.other_failures:
            warn(failure)


def _totals(result: AuditResult) -> dict[str, Any]:
    return {
        "running": result.running,
        "regions": result.places,
        "unread": result.unread,
        "findings": len(result.findings),
        "violations": result.violations,
        "compliant": result.compliant,
        "left_out": dict(result.left_out),
    }


def _row(finding: Finding) -> dict[str, Any]:
    found = finding.result
    values = (
        found.instance.id, finding.account, finding.region, found.verdict, found.action, found.outcome or "",
        found.because,
    )  # fmt: skip
    return dict(zip(_NAMES, values, strict=True))


def _totals_line(result: AuditResult) -> str:
    unread = counted(result.unread, "account or region", "accounts or regions")
    left_out = ", ".join(f"{number:,} {reason}" for reason, number in sorted(result.left_out.items()))
    comply = counted(result.compliant, "complies", "comply")
    return (
        f"running instances: {result.running:,}, in {counted(result.places, 'region')}; {comply}, "
        f"{counted(result.violations, 'violates', 'violate')} the policy"
        f"{f'; not judged or left as they are: {left_out}' if left_out else ''}"
        f"{f'; {unread} could not be read' if result.unread else ''}"
    )
