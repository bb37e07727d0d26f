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
    print_reports(done.reports)
    rows = [
        dict(
            zip(
                _NAMES,
                (
                    each.instance_id, each.account, each.region, each.note.verdict, each.note.action,
                    each.note.outcome, each.note.because,
                ),
                strict=True,
            )
        )
        for each in done.findings
    ]  # fmt: skip
    if format_ == "json":
        totals = {"Running": done.running, "Regions": done.places, "Unread": done.unread, "Findings": len(rows)}
        print_json({"findings": rows, "failures": list(done.failures), "totals": totals})
    else:
        unread = counted(done.unread, "account or region", "accounts or regions")
        totals_line = (
            f"running instances: {done.running}, in {counted(done.places, 'region')}; {len(rows)} violate the policy"
            f"{f'; {unread} could not be read' if done.unread else ''}"
        )
        print_rows(rows, [Column(name, name) for name in _NAMES], format_, totals=totals_line)
    for failure in done.failures:
        warn(failure)
    if dry_run:
        warn("dry run: live tags were read, no action was taken")
    return INCOMPLETE if done.failures else DONE
