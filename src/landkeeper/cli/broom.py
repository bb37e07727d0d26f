"""`landkeeper broom`: check launches against a tag policy, and the policy itself."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from landkeeper.broom.harvest import FoundFault, Harvest, JudgedLaunch, judge_offline
from landkeeper.broom.policy_file import PolicyError, parse_policy
from landkeeper.cli.broom_output import print_launches, print_reports, warn
from landkeeper.cli.output import Format, format_option
from landkeeper.org import UsageError
from landkeeper.settings import Settings, read_settings
from landkeeper.wiring.log_sources import LogFile, SkippedFile, UnreadableFile, read_sources

if TYPE_CHECKING:
    from landkeeper.broom.policy import Policy

_DONE, _USAGE, _INCOMPLETE = 0, 2, 3

_policy_option = click.option(
    "--policy", "policy_file", metavar="FILE", help="The tag policy; LANDKEEPER_POLICY stands for it."
)


@click.group(name="broom")
def command() -> None:
    """Check every launch against a tag policy, and deal with the ones that break it."""


@command.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH|s3://URL|-...")
@_policy_option
@click.option("--dry-run", is_flag=True, help="Read live tags, act on nothing, and say what would be done.")
@click.option("--offline", is_flag=True, help="Call nothing: judge by the tags in the log.")
@click.option("--ledger", metavar="NAME", help="The DynamoDB table of cases; LANDKEEPER_LEDGER_TABLE stands for it.")
@click.option("--file", "file", type=click.Path(path_type=Path), help="The SQLite file that keeps the cases instead.")
@click.option("--role", "role_name", metavar="NAME", help="The role to assume in other accounts.")
@click.option("--external-id", metavar="X", help="The external id that the role asks for.")
@format_option
def sweep(
    paths: tuple[str, ...],
    policy_file: str | None,
    dry_run: bool,
    offline: bool,
    ledger: str | None,
    file: Path | None,
    role_name: str | None,
    external_id: str | None,
    format_: Format,
) -> int:
    """Find the launches in CloudTrail log files, and deal with those that break the policy.

    PATH is a file, or a folder with everything in it; - reads standard input.
    """
    if dry_run and offline:
        raise UsageError("--dry-run and --offline are two different things: give one of them")
    settings = read_settings(os.environ).with_ledger(ledger=ledger, file=file)
    settings = settings.with_access(role_name=role_name, external_id=external_id)
    policy = _read_policy(policy_file, settings)
    harvest, missing = _gather(paths, settings)
    now = datetime.now(UTC)
    if offline:
        warn("offline: nothing was called, and instances are judged by the tags in the log")
        judged, failed = judge_offline(policy, harvest.launches, now), False
    else:
        judged, failed = _sweep_live(harvest, policy, settings, dry_run=dry_run)
    print_launches(judged, harvest, format_, heading=_heading(dry_run=dry_run, offline=offline))
    if missing == len(paths):
        return _USAGE
    return _INCOMPLETE if harvest.faults or failed else _DONE


def _heading(*, dry_run: bool, offline: bool) -> str:
    if offline:
        return "What the policy would do, by the tags in the log"
    return "What the policy would do, by the tags that the instances have now" if dry_run else "What was done"


def _sweep_live(
    harvest: Harvest, policy: Policy, settings: Settings, *, dry_run: bool
) -> tuple[tuple[JudgedLaunch, ...], bool]:
    """The launches as judged by live tags, and whether something could not be done."""
    # Loaded here, so that what works offline does not wait for boto3.
    from landkeeper.wiring.broom import sweep_found_launches  # noqa: PLC0415

    done = sweep_found_launches(settings, policy, harvest.launches, dry_run=dry_run)
    print_reports(done.reports)
    for failure in done.swept.failures:
        warn(failure)
    if dry_run:
        warn("dry run: live tags were read, nothing was done")
    elif done.swept.waiting and settings.queue_url is None:
        waits = "instance waits" if done.swept.waiting == 1 else "instances wait"
        warn(f"{done.swept.waiting} {waits} for a later look: run the same command again")
    return done.judged, bool(done.swept.failures)


def _read_policy(name: str | None, settings: Settings) -> Policy:
    where = name or settings.policy
    if where is None:
        raise UsageError("no policy: give --policy FILE, or set LANDKEEPER_POLICY")
    if not where.startswith(("s3://", "ssm:")):
        return parse_policy(_read_text(where), where)
    from landkeeper.wiring.broom import read_policy  # noqa: PLC0415

    return read_policy(where, settings)


def _read_text(file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"the policy {file} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"the policy {file} is not text in UTF-8") from error


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


@command.group()
def policy() -> None:
    """Look at a tag policy."""


@policy.command()
@click.argument("file")
def check(file: str) -> int:
    """Say whether a policy can be used, and what is wrong with it, line by line."""
    try:
        checked = parse_policy(_read_text(file), file)
    except PolicyError as error:
        for problem in error.problems:
            warn(str(problem))
        return _USAGE
    rules, exemptions = _counted(len(checked.rules), "rule"), _counted(len(checked.exempt), "exemption")
    click.echo(f"{file}: well, with {rules} and {exemptions}")
    return _DONE


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
