"""`landkeeper broom sweep`: the launches in CloudTrail log files, checked against a tag policy."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from landkeeper.broom.cloudtrail.found import FoundFault, Harvest, Loss
from landkeeper.broom.offline import JudgedLaunch, find_unnamed, judge_offline
from landkeeper.cli.broom.given_policy import find_policy
from landkeeper.cli.broom.launches_output import print_launches
from landkeeper.cli.broom.output import print_reports, warn
from landkeeper.cli.exit_codes import DONE, INCOMPLETE, USAGE
from landkeeper.cli.output import Format
from landkeeper.org import UsageError
from landkeeper.settings import Settings, read_settings
from landkeeper.wiring.broom.log_sources import LogFile, SkippedFile, UnreadableFile, read_sources

if TYPE_CHECKING:
    from landkeeper.broom.policy.rules import Policy


def run_sweep(
    paths: tuple[str, ...],
    policy_file: str | None,
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
    now = datetime.now(UTC)
    if offline:
        warn("offline: no AWS calls; instances are evaluated by the tags in the log")
        if policy.onboarding is not None and policy.onboarding.units:
            mild = f"at most {policy.onboarding.action} is shown"
            warn(f"offline: the accounts' organizational units are unknown, so {mild} (onboarding)")
        judged, failed = judge_offline(policy, harvest.launches, now), False
        for fault in find_unnamed(harvest.launches):
            harvest.faults.append(fault)
            warn(str(fault))
    else:
        judged, failed = _sweep_live(harvest, policy, settings, dry_run=dry_run)
    print_launches(judged, harvest, format_, heading=_heading(dry_run=dry_run, offline=offline), details=details)
    if missing == len(paths):
        return USAGE
    # Live tags are read whatever is odd in a record; without them it may matter.
    is_incomplete = any(offline or fault.loss is not Loss.NOTHING for fault in harvest.faults)
    return INCOMPLETE if is_incomplete or failed else DONE


def _heading(*, dry_run: bool, offline: bool) -> str:
    if offline:
        return "What the policy would do, based on the tags in the log"
    return "What the policy would do, based on live tags" if dry_run else "Actions"


def _sweep_live(
    harvest: Harvest, policy: Policy, settings: Settings, *, dry_run: bool
) -> tuple[tuple[JudgedLaunch, ...], bool]:
    """The launches as judged by live tags, and whether something could not be done."""
    # Loaded here, so that what works offline does not wait for boto3.
    from landkeeper.wiring.broom.commands import sweep_found_launches

    done = sweep_found_launches(settings, policy, harvest.launches, dry_run=dry_run, untaggings=harvest.untaggings)
    print_reports(done.reports)
    for failure in done.swept.failures:
        warn(failure)
    if dry_run:
        warn("dry run: live tags were read, no action was taken")
    elif done.swept.waiting and settings.queue_url is None:
        waits = "instance waits" if done.swept.waiting == 1 else "instances wait"
        warn(f"{done.swept.waiting} {waits} for a later check: run the same command again")
    return done.judged, bool(done.swept.failures)


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
