"""The command's top: its groups and commands."""

from __future__ import annotations

import click

from landkeeper import __version__
from landkeeper.cli.lazy_group import LazyGroup, Place

_PLACES = {
    "demo": Place("landkeeper.cli.demo:command", "Both products at work on an AWS made up on this machine."),
    "vpc": Place(
        "landkeeper.cli.vpc:command",
        "VPC Tracker: every VPC of every account and region, and which address blocks collide.",
    ),
    "broom": Place(
        "landkeeper.cli.broom:command",
        "Check every launch against a tag policy, and deal with the ones that break it.",
    ),
    "report": Place(
        "landkeeper.cli.report:command",
        "Write everything that is known as one HTML page: to read offline, to mail, to print.",
    ),
    "serve": Place(
        "landkeeper.cli.serve:command",
        "Show the report in the browser, as fresh as the store, until Ctrl-C. Only this machine can ask for it.",
    ),
    "config": Place(
        "landkeeper.cli.config:command",
        "What VPC Tracker is told about an organisation: spaces, connections, governed regions.",
    ),
    "deploy": Place(
        "landkeeper.cli.deploy:command",
        "Deploy both products into the account of the credentials at hand.",
    ),
    "destroy": Place(
        "landkeeper.cli.destroy:command",
        "Delete the stack. Its tables, trail and buckets stay, and a later deployment adopts them.",
    ),
    "doctor": Place(
        "landkeeper.cli.doctor:command",
        "Look at a deployed stack, and say what is wrong and how to mend it.",
    ),
    "completion": Place(
        "landkeeper.cli.completion:command",
        "Print the script that completes commands, options, ids and names with the Tab key.",
    ),
    "cost": Place("landkeeper.cli.cost:command", "Work out what Landkeeper costs a month. Nothing is called."),
}


@click.group(
    cls=LazyGroup,
    places=_PLACES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
)
@click.version_option(__version__, "-V", "--version", message="landkeeper %(version)s")
def root() -> None:
    """Looks after an AWS landing zone: every VPC known, every untagged launch dealt with."""
