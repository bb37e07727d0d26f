"""`landkeeper broom`: check launches against a tag policy, and the policy itself."""

from __future__ import annotations

import click

from landkeeper.cli.lazy_group import LazyGroup, Place

_PLACES = {
    "sweep": Place(
        "landkeeper.cli.broom.sweep:sweep_command",
        "Check the launches in CloudTrail log files, and act on violations.",
    ),
    "backtest": Place(
        "landkeeper.cli.broom.backtest:backtest_command",
        "Simulate a policy on past launches from CloudTrail log files.",
    ),
    "audit": Place(
        "landkeeper.cli.broom.audit:audit_command",
        "Check all running instances against the policy, and resume overdue cases.",
    ),
    "cases": Place(
        "landkeeper.cli.broom.cases:cases_command",
        "List Broom's cases by state, the next due first.",
    ),
    "case": Place(
        "landkeeper.cli.broom.cases:case_command",
        "Show the case of an instance, with its history.",
    ),
    "release": Place(
        "landkeeper.cli.broom.cases:release_command",
        "Release a held or failed case. It is evaluated again, without limits.",
    ),
    "actions": Place(
        "landkeeper.cli.broom.actions:actions_command",
        "Turn terminating and stopping on or off, or show who turned it last.",
    ),
    "policy": Place(
        "landkeeper.cli.broom.policy:policy_command",
        "Write, check, try, test, explain, import and export tag policies.",
    ),
    "sample-log": Place(
        "landkeeper.cli.broom.sample_log:sample_log_command",
        "Write a CloudTrail log file with one launch, to try `sweep`, `backtest` or `policy explain` on.",
    ),
}


@click.group(name="broom", cls=LazyGroup, places=_PLACES)
def command() -> None:
    """Check EC2 launches against a tag policy, and act on violations."""
