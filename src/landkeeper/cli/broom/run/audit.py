"""`landkeeper broom audit`: everything that runs against the policy."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from landkeeper.cli.broom.given_policy import find_policy
from landkeeper.cli.broom.output import print_reports, warn
from landkeeper.cli.exit_codes import DONE, INCOMPLETE
from landkeeper.cli.output import JSON_VERSION, Column, Format, counted, print_json, print_rows
from landkeeper.settings import read_settings

if TYPE_CHECKING:
    from landkeeper.broom.audit import AuditResult, Finding

_NAMES = ("InstanceId", "AccountId", "Region", "Verdict", "Action", "Outcome", "Because")


def run_audit(
    policy_file: str | None,
    dry_run: bool,
    accounts: tuple[str, ...],
    regions: tuple[str, ...],
    ledger: str | None,
    file: Path | None,
    role_name: str | None,
    external_id: str | None,
    format_: Format,
) -> int:
    """Check all running instances against the policy, and resume overdue cases."""
    settings = read_settings(os.environ).with_ledger(ledger=ledger, file=file)
    from landkeeper.wiring.known_accounts import find_account_ids

    settings = settings.with_access(
        role_name=role_name, external_id=external_id, regions=regions, accounts=find_account_ids(settings, accounts)
    )
    policy = find_policy(policy_file, settings)
    # Loaded here, so that a wrong policy is told without waiting for boto3.
    from landkeeper.wiring.broom.audit import audit_from_command

    done = audit_from_command(settings, policy, dry_run=dry_run)
    result = done.result
    print_reports(done.reports)
    _print_findings(result, format_)
    for failure in result.failures:
        warn(failure)
    if dry_run:
        warn("dry run: live tags were read, no action was taken")
    return INCOMPLETE if result.failures else DONE


def _print_findings(result: AuditResult, format_: Format) -> None:
    """Print what violates the policy, with the totals of the audit."""
    rows = [_row(finding) for finding in result.findings]
    if format_ == "json":
        counts = {"running": result.running, "regions": result.places, "unread": result.unread, "findings": len(rows)}
        totals = {**counts, "left_out": dict(result.left_out)}
        answer = {"findings": rows, "failures": list(result.failures), "totals": totals}
        print_json({"Version": JSON_VERSION, **answer})
    else:
        print_rows(rows, [Column(name, name) for name in _NAMES], format_, totals=_totals_line(result))


def _row(finding: Finding) -> dict[str, Any]:
    found = finding.result
    values = (
        found.instance.id, finding.account, finding.region, found.verdict, found.action, found.outcome or "",
        found.because,
    )  # fmt: skip
    return dict(zip(_NAMES, values, strict=True))


def _totals_line(result: AuditResult) -> str:
    unread = counted(result.unread, "account or region", "accounts or regions")
    left_out = ", ".join(f"{number} {reason}" for reason, number in sorted(result.left_out.items()))
    return (
        f"running instances: {result.running}, in {counted(result.places, 'region')}; "
        f"{len(result.findings)} violate the policy"
        f"{f'; left out: {left_out}' if left_out else ''}"
        f"{f'; {unread} could not be read' if result.unread else ''}"
    )
