"""`landkeeper broom`: check launches against a tag policy, and the policy itself."""

from __future__ import annotations

import rich_click as click

from landkeeper.cli.lazy_group import LazyGroup

_PLACES = {
    "sweep": "landkeeper.cli.broom.sweep:sweep_command",
    "backtest": "landkeeper.cli.broom.backtest:backtest_command",
    "audit": "landkeeper.cli.broom.audit:audit_command",
    "cases": "landkeeper.cli.broom.cases:cases_command",
    "case": "landkeeper.cli.broom.cases:case_command",
    "release": "landkeeper.cli.broom.cases:release_command",
    "policy": "landkeeper.cli.broom.policy:policy_command",
}


@click.group(name="broom", cls=LazyGroup, places=_PLACES)
def command() -> None:
    """Check every launch against a tag policy, and deal with the ones that break it."""
