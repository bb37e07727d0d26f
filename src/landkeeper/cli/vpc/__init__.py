"""`landkeeper vpc`: track VPCs, list them, what their address blocks do to each other, and pools to give more from."""

from __future__ import annotations

import rich_click as click

from landkeeper.cli.vpc.allocate import allocate_command, release_command
from landkeeper.cli.vpc.connect import connect_command
from landkeeper.cli.vpc.coverage import coverage_command
from landkeeper.cli.vpc.delete_default import delete_default_command
from landkeeper.cli.vpc.export import export_command
from landkeeper.cli.vpc.list import defaults_command, list_command
from landkeeper.cli.vpc.overlaps import overlaps_command
from landkeeper.cli.vpc.pool import pool_group
from landkeeper.cli.vpc.show import history_command, show_command
from landkeeper.cli.vpc.track import track_command
from landkeeper.cli.vpc.vend import vend_command


@click.group(name="vpc")
def command() -> None:
    """VPC Tracker: every VPC of every account and region, and which address blocks collide."""


for _command in (
    track_command, list_command, show_command, history_command, coverage_command, defaults_command, overlaps_command,
    connect_command, export_command, pool_group, allocate_command, release_command,
    vend_command, delete_default_command,
):  # fmt: skip
    command.add_command(_command)
