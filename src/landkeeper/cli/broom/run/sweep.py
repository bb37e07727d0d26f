"""`landkeeper broom sweep`: the launches in CloudTrail log files, checked against a tag policy."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from landkeeper.broom.cloudtrail.found import FoundFault, Harvest, Loss
from landkeeper.broom.dry_run import has_effect, planned_actions
from landkeeper.broom.offline import JudgedLaunch, find_unnamed, judge_offline
from landkeeper.cli.broom.given_policy import find_policy
from landkeeper.cli.broom.launches_output import print_launches
from landkeeper.cli.broom.output import print_reports, warn
from landkeeper.cli.confirmation import apply_plan
from landkeeper.cli.exit_codes import DONE, INCOMPLETE, USAGE
from landkeeper.cli.output import Format
from landkeeper.org import UsageError
from landkeeper.settings import Settings, read_settings
from landkeeper.wiring.broom.log_sources import LogFile, SkippedFile, UnreadableFile, read_sources

if TYPE_CHECKING:
    from landkeeper.broom.launches import InstanceId
    from landkeeper.broom.policy.rules import Penalty, Policy
    from landkeeper.wiring.broom.commands import CommandSweep

_OFFLINE = "What the policy would do, based on the tags in the log"
_PLANNED = "Dry run: what the policy would do, based on live tags"


def run_sweep(
    paths: tuple[str, ...],
    policy_file: str | None,
    yes: bool,
    dry_run: bool,
    offline: bool,
    ledger: str | None,
    file: Path | None,
    role_name: str | None,
    external_id: str | None,
    details: bool,
    format_: Format,
) -> int:
    """Check the launches in CloudTrail log files, and act on violations."""
    if dry_run and offline:
        raise UsageError("--dry-run and --offline are mutually exclusive")
    settings = read_settings(os.environ).with_ledger(ledger=ledger, file=file)
    settings = settings.with_access(role_name=role_name, external_id=external_id)
    policy = find_policy(policy_file, settings)
    harvest, missing = _gather(paths, settings)
    if offline:
        has_failed = False
        warn(offline_remark(paths, policy_file or settings.policy or ""))
        judged = _judge_offline(policy, harvest)
        print_launches(judged, harvest, format_, heading=_OFFLINE, details=details, is_dry_run=True)
    else:
        task = _LiveSweep(settings, policy, harvest, format_, details)
        # What is typed there is a log.
        can_ask = "-" not in paths
        done = apply_plan(task, yes=yes, dry_run=dry_run, is_table=format_ == "table", can_ask=can_ask)
        has_failed = bool(done.swept.failures)
    if missing == len(paths):
        return USAGE
    # Live tags are read whatever is odd in a record; without them it may matter.
    is_incomplete = any(offline or fault.loss is not Loss.NOTHING for fault in harvest.faults)
    return INCOMPLETE if is_incomplete or has_failed else DONE


def offline_remark(paths: Sequence[str], policy: str) -> str:
    """Return what an answer from the log alone is made from, and what AWS was called for."""
    remote = ["the log files"] if any(path.startswith("s3://") for path in paths) else []
    remote += ["the policy"] if policy.startswith(("s3://", "ssm:")) else []
    calls = f"AWS is called only to read {' and '.join(remote)}" if remote else "no AWS calls"
    return f"offline: {calls}; instances are evaluated by the tags in the log"


def _judge_offline(policy: Policy, harvest: Harvest) -> tuple[JudgedLaunch, ...]:
    if policy.onboarding is not None and policy.onboarding.units:
        mild = f"at most {policy.onboarding.action} is shown"
        warn(f"offline: the accounts' organizational units are unknown, so {mild} (onboarding)")
    judged = judge_offline(policy, harvest.launches, datetime.now(UTC))
    for fault in find_unnamed(harvest.launches):
        harvest.faults.append(fault)
        warn(str(fault))
    return judged


@dataclass(frozen=True, slots=True)
class _LiveSweep:
    """The launches, judged by live tags."""

    settings: Settings
    policy: Policy
    harvest: Harvest
    format_: Format
    details: bool

    def rehearse(self) -> CommandSweep:
        """Return what would be done."""
        return self._sweep(dry_run=True)

    def show(self, plan: CommandSweep) -> None:
        """Print what would be done."""
        self._print(plan, _PLANNED, is_dry_run=True)

    def has_effect(self, plan: CommandSweep) -> bool:
        """Return whether anything would be done."""
        return has_effect(plan.swept.notes.values())

    def act(self, plan: CommandSweep | None) -> CommandSweep:
        """Act, after a plan only on what it shows."""
        done = self._sweep(dry_run=False, approved=planned_actions(plan.swept.notes.values()) if plan else None)
        print_reports(done.reports)
        self._print(done, "Actions", is_dry_run=False)
        if done.swept.waiting and self.settings.queue_url is None:
            waits = "instance waits" if done.swept.waiting == 1 else "instances wait"
            warn(f"{done.swept.waiting} {waits} for a later check: run the same command again")
        return done

    def _sweep(self, *, dry_run: bool, approved: Mapping[InstanceId, Penalty] | None = None) -> CommandSweep:
        # Loaded here, so that what works offline does not wait for boto3.
        from landkeeper.wiring.broom.commands import sweep_found_launches

        launches, untaggings = self.harvest.launches, self.harvest.untaggings
        return sweep_found_launches(
            self.settings, self.policy, launches, dry_run=dry_run, untaggings=untaggings, approved=approved
        )

    def _print(self, done: CommandSweep, heading: str, *, is_dry_run: bool) -> None:
        for failure in done.swept.failures:
            warn(failure)
        print_launches(
            done.judged, self.harvest, self.format_, heading=heading, details=self.details, is_dry_run=is_dry_run
        )


def _gather(paths: tuple[str, ...], settings: Settings) -> tuple[Harvest, int]:
    """Read every source; how many of the paths there are not is the second answer."""
    harvest, missing = Harvest(), 0
    for source in read_sources(paths, settings):
        match source:
            case LogFile(name, data):
                known = len(harvest.faults)
                harvest.add_file(name, data)
                for fault in harvest.faults[known:]:
                    warn(str(fault))
            case SkippedFile(_, reason):
                harvest.ignored[reason] += 1
            case UnreadableFile(name, reason, is_missing):
                missing += is_missing
                harvest.faults.append(FoundFault(name, "", reason))
                warn(f"{name}: {reason}")
    return harvest, missing
