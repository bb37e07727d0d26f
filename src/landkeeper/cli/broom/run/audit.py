"""`landkeeper broom audit`: everything that runs against the policy."""

from __future__ import annotations

import os
from pathlib import Path

from landkeeper.cli.broom.given_policy import find_policy
from landkeeper.cli.broom.output import print_reports, warn
from landkeeper.cli.exit_codes import DONE, INCOMPLETE
from landkeeper.cli.output import Column, Format, counted, print_json, print_rows
from landkeeper.settings import read_settings

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
    settings = settings.with_access(role_name=role_name, external_id=external_id, regions=regions, accounts=accounts)
    policy = find_policy(policy_file, settings)
    # Loaded here, so that a wrong policy is told without waiting for boto3.
    from landkeeper.wiring.broom.audit import audit_from_command

    done = audit_from_command(settings, policy, dry_run=dry_run)
    result = done.result
    print_reports(done.reports)
    rows = [
        dict(
            zip(
                _NAMES,
                (
                    found.result.instance.id, found.account, found.region, found.result.verdict,
                    found.result.action, found.result.outcome or "", found.result.because,
                ),
                strict=True,
            )
        )
        for found in result.findings
    ]  # fmt: skip
    if format_ == "json":
        counts = {"Running": result.running, "Regions": result.places, "Unread": result.unread, "Findings": len(rows)}
        totals = {**counts, "LeftOut": dict(result.left_out)}
        print_json({"findings": rows, "failures": list(result.failures), "totals": totals})
    else:
        unread = counted(result.unread, "account or region", "accounts or regions")
        left_out = ", ".join(f"{number} {reason}" for reason, number in sorted(result.left_out.items()))
        totals_line = (
            f"running instances: {result.running}, in {counted(result.places, 'region')}; "
            f"{len(rows)} violate the policy"
            f"{f'; left out: {left_out}' if left_out else ''}"
            f"{f'; {unread} could not be read' if result.unread else ''}"
        )
        print_rows(rows, [Column(name, name) for name in _NAMES], format_, totals=totals_line)
    for failure in result.failures:
        warn(failure)
    if dry_run:
        warn("dry run: live tags were read, no action was taken")
    return INCOMPLETE if result.failures else DONE
