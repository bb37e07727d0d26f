"""`landkeeper broom`: check launches against a tag policy, and the policy itself."""

from __future__ import annotations

import click

from landkeeper.cli.lazy_group import LazyGroup, Place

_PLACES = {
    "sweep": Place(
        "landkeeper.cli.broom.sweep:sweep_command",
        "Find the launches in CloudTrail log files, and deal with those that break the policy.",
    ),
    "backtest": Place(
        "landkeeper.cli.broom.backtest:backtest_command",
        "Say what a policy would have done to the launches in CloudTrail log files.",
    ),
    "audit": Place(
        "landkeeper.cli.broom.audit:audit_command",
        "Hold all running instances against the policy, and take up the cases that should have come back by now.",
    ),
    "cases": Place(
        "landkeeper.cli.broom.cases:cases_command",
        "List every instance that Broom has dealt with or waits for: by state, what is due first coming first.",
    ),
    "case": Place(
        "landkeeper.cli.broom.cases:case_command",
        "Tell the whole story of one instance: who launched it, what was found, every move and why.",
    ),
    "release": Place(
        "landkeeper.cli.broom.cases:release_command",
        "Let go of a case that is held or was given up: it is judged again, and dealt with whatever the limits say.",
    ),
    "policy": Place("landkeeper.cli.broom.policy:policy_command", "Look at a tag policy."),
}


@click.group(name="broom", cls=LazyGroup, places=_PLACES)
def command() -> None:
    """Check every launch against a tag policy, and deal with the ones that break it."""
