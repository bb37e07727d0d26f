"""The command's top: its groups and commands."""

from __future__ import annotations

import click

from landkeeper import __version__
from landkeeper.cli.lazy_group import LazyGroup, Place

_PLACES = {
    "demo": Place("landkeeper.cli.demo:command", "Run both products against an AWS simulated on this machine."),
    "vpc": Place(
        "landkeeper.cli.vpc:command",
        "Track the VPCs of all accounts and regions, find overlaps, and allocate address blocks.",
    ),
    "broom": Place(
        "landkeeper.cli.broom:command",
        "Check EC2 launches against a tag policy, and act on violations.",
    ),
    "report": Place(
        "landkeeper.cli.report:command",
        "Write the report: one HTML file with everything in it.",
    ),
    "serve": Place(
        "landkeeper.cli.serve:command",
        "Serve the report on localhost, with live data, until Ctrl-C.",
    ),
    "config": Place(
        "landkeeper.cli.config:command",
        "Check VPC Tracker's configuration file, or print its JSON Schema.",
    ),
    "deploy": Place(
        "landkeeper.cli.stack.deploy:command",
        "Deploy or update both products in the current account.",
    ),
    "destroy": Place(
        "landkeeper.cli.stack.destroy:command",
        "Delete the stack. Tables, trail and buckets are kept, and the next deployment adopts them.",
    ),
    "doctor": Place(
        "landkeeper.cli.stack.doctor:command",
        "Check a deployed stack, and print a fix for every problem.",
    ),
    "completion": Place(
        "landkeeper.cli.completion:command",
        "Print the completion script for a shell.",
    ),
    "cost": Place(
        "landkeeper.cli.stack.cost:command", "Estimate what Landkeeper costs per month, without calling AWS."
    ),
}


@click.group(
    cls=LazyGroup,
    places=_PLACES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
)
@click.version_option(__version__, "-V", "--version", message="landkeeper %(version)s")
def root() -> None:
    """Manage an AWS landing zone: track every VPC, and enforce a tag policy on every EC2 launch."""
