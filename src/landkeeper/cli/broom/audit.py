"""`landkeeper broom audit`: everything that runs against the policy."""

from __future__ import annotations

import os
from pathlib import Path

import click

from landkeeper.cli.broom.options import find_policy, policy_option
from landkeeper.cli.broom.output import print_reports, warn
from landkeeper.cli.exit_codes import DONE, INCOMPLETE
from landkeeper.cli.output import Column, Format, counted, format_option, print_json, print_rows
from landkeeper.settings import read_settings

_NAMES = ("InstanceId", "AccountId", "Region", "Verdict", "Action", "Outcome", "Because")


@click.command(name="audit")
@policy_option
@click.option("--dry-run", is_flag=True, help="Read live tags, act on nothing, and say what would be done.")
@click.option("--account", "accounts", multiple=True, metavar="ID", help="An account; without it the organisation.")
@click.option("--region", "regions", multiple=True, metavar="R", help="A region; without it those that are enabled.")
@click.option("--ledger", metavar="NAME", help="The DynamoDB table of cases; LANDKEEPER_LEDGER_TABLE stands for it.")
@click.option("--file", "file", type=click.Path(path_type=Path), help="The SQLite file that keeps the cases instead.")
@click.option("--role", "role_name", metavar="NAME", help="The role to assume in other accounts.")
@click.option("--external-id", metavar="X", help="The external id that the role asks for.")
@format_option
def audit_command(
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
    """Hold all running instances against the policy, and take up the cases that should have come back by now.

    Without --role and --account: those of the account at hand.
    """
    settings = read_settings(os.environ).with_ledger(ledger=ledger, file=file)
    settings = settings.with_access(role_name=role_name, external_id=external_id, regions=regions, accounts=accounts)
    policy = find_policy(policy_file, settings)
    # Loaded here, so that a wrong policy is told without waiting for boto3.
    from landkeeper.wiring.broom_audit import audit_from_command

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
            f"running instances: {done.running}, in {counted(done.places, 'region')}; {len(rows)} break the policy"
            f"{f'; {unread} could not be read' if done.unread else ''}"
        )
        print_rows(rows, [Column(name, name) for name in _NAMES], format_, totals=totals_line)
    for failure in done.failures:
        warn(failure)
    if dry_run:
        warn("dry run: live tags were read, nothing was done")
    return INCOMPLETE if done.failures else DONE
