"""`vpc track`: read the VPCs of accounts and write down what changed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from landkeeper.cli.exit_codes import INCOMPLETE
from landkeeper.cli.failures import details_option, print_failures, print_hint, print_unusable
from landkeeper.cli.options import account_options, regions_option, role_options
from landkeeper.cli.terminal import aside, say
from landkeeper.cli.vpc.options import config_option, store_options
from landkeeper.cli.vpc.query import settings_of, store_flags
from landkeeper.cli.vpc.unread import expiry_remarks, left_out_remarks
from landkeeper.org import counted

if TYPE_CHECKING:
    from landkeeper.settings import Settings
    from landkeeper.vpctracker.track import TrackOutcome


@click.command(name="track")
@account_options("Read")
@role_options()
@regions_option("Read only this region; may be repeated.")
@config_option
@store_options
@click.option("--create-tables", is_flag=True, help="Create missing DynamoDB tables.")
@details_option
def track_command(
    *, organization: bool, accounts: tuple[str, ...], profiles: tuple[str, ...], role_name: str | None,
    external_id: str | None, regions: tuple[str, ...], config: str | None, table: str | None, file: Path | None,
    create_tables: bool, details: bool,
) -> int:  # fmt: skip
    """Read the VPCs of accounts, and record the changes.

    The default is the account of the current credentials. It makes read-only calls to the accounts.
    """
    from landkeeper.cli.vpc.progress import showing_progress
    from landkeeper.wiring.known_accounts import find_account_ids
    from landkeeper.wiring.vpc_store import open_store
    from landkeeper.wiring.vpctracker.commands import find_source, track_vpcs

    settings = settings_of(table, file).with_config(config)
    settings = settings.with_access(
        role_name=role_name, external_id=external_id, regions=regions, accounts=find_account_ids(settings, accounts)
    )
    source = find_source(settings, organization=organization, profiles=profiles)
    with open_store(settings, to_write=True, with_new_tables=create_tables) as store, showing_progress() as on_progress:
        outcome = track_vpcs(source, store, on_progress=on_progress)
    for remark in left_out_remarks(source.listing.members_left_out):
        aside(remark)
    for remark in expiry_remarks(source.config):
        aside(remark, "yellow")
    print_unusable(source.unusable)
    _print_outcome(outcome, settings, details=details)
    return 0 if outcome.is_complete and not source.unusable else INCOMPLETE


def _print_outcome(outcome: TrackOutcome, settings: Settings, *, details: bool) -> None:
    unconnected = "peerings and transit gateway attachments could not be read"
    print_hint([
        print_failures("could not be read", outcome.unreadable, details=details),
        print_failures(unconnected, outcome.unconnected, details=details, style="yellow"),
    ])  # fmt: skip
    changes = ", ".join(f"{count} {kind}" for kind, count in outcome.changes.items())
    where = f"table {settings.vpc_table}" if settings.vpc_table else str(settings.file)
    vpcs, accounts = counted(outcome.vpcs, "VPC"), counted(outcome.accounts, "account")
    say(f"{vpcs} in {outcome.accounts_read} of {accounts}: {changes}.")
    say(f"Written to {where}. See: landkeeper vpc list | overlaps | defaults{store_flags(settings)}")
