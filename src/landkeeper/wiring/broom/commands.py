"""Broom's wiring: where reports go, how cases come back, and what acts on instances."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from landkeeper.aws.broom.case_queue import SqsCaseQueue
from landkeeper.aws.broom.case_schedule import CaseSchedule, queue_arn
from landkeeper.aws.broom.instances import Ec2Instances
from landkeeper.aws.broom.log_objects import LogObjects
from landkeeper.aws.broom.reports import ReportEvents, TopicReports
from landkeeper.aws.broom.units import AccountUnits
from landkeeper.aws.sessions import AccountSessions
from landkeeper.broom.case import release
from landkeeper.broom.cloudtrail.found import FoundLaunch
from landkeeper.broom.dry_run import CollectedReports, NoQueue, RehearsedActions, ScratchLedger
from landkeeper.broom.launches import InstanceId, Untagging
from landkeeper.broom.limits import RunLimit
from landkeeper.broom.offline import JudgedLaunch, judged_by_sweep
from landkeeper.broom.policy.rules import Penalty, Policy
from landkeeper.broom.ports import CaseQueue, Ledger, Reports, SweepPorts
from landkeeper.broom.removed_tags import sweep_untagged
from landkeeper.broom.sweeping.result import SweepResult
from landkeeper.broom.sweeping.sweep import Sweep
from landkeeper.org import UsageError
from landkeeper.settings import Settings
from landkeeper.wiring.ledger import open_ledger
from landkeeper.wiring.sessions import member_sessions


@dataclass(frozen=True, slots=True)
class CommandSweep:
    """What a sweep from the command line came to."""

    judged: tuple[JudgedLaunch, ...]
    swept: SweepResult
    reports: tuple[str, ...]
    """The texts of reports that had no topic to go to."""


@dataclass(frozen=True, slots=True)
class OpenedBroom:
    """What Broom works with, in a command or in the function."""

    settings: Settings
    sessions: AccountSessions
    ports: SweepPorts
    printed: CollectedReports
    """The reports that had no topic to go to."""


def open_log_objects(settings: Settings) -> LogObjects:
    """Return the log files in S3, read with the credentials at hand."""
    return LogObjects(member_sessions(settings).lazy_client("s3"), limit_bytes=settings.log_limit_bytes)


def sweep_found_launches(
    settings: Settings,
    policy: Policy,
    found: Sequence[FoundLaunch],
    *,
    dry_run: bool,
    untaggings: Sequence[Untagging] = (),
    approved: Mapping[InstanceId, Penalty] | None = None,
) -> CommandSweep:
    """Sweep what the command found in log files. A dry run reads live tags, and acts on and writes nothing.

    `approved` is what somebody has agreed to, and nothing else is done then; None where there was no plan.
    """
    with open_for_command(settings, dry_run=dry_run) as opened:
        limit = RunLimit(policy.limits.terminations_per_run)
        sweep = Sweep(policy, opened.ports, limit, settings.actions_on, approved, settings.actions_opt_in)
        result = sweep.handle_launches([entry.launch for entry in found], untaggings)
        result.take_in(sweep_untagged(sweep, untaggings))
    reports = () if dry_run else tuple(report.text for report in opened.printed.reports)
    return CommandSweep(judged_by_sweep(found, result), result, reports)


@contextmanager
def open_for_command(settings: Settings, *, dry_run: bool) -> Iterator[OpenedBroom]:
    """Yield what a command works with; in a dry run nothing outside is changed."""
    sessions, printed = member_sessions(settings), CollectedReports()
    with open_ledger(settings, lambda: sessions, to_write=not dry_run) as ledger:
        ports = _rehearsal(sessions, ledger, printed) if dry_run else open_ports(settings, sessions, ledger, printed)
        yield OpenedBroom(settings, sessions, ports, printed)


def release_case(
    settings: Settings,
    policy: Policy,
    id_: InstanceId,
    *,
    dry_run: bool,
    approved: Mapping[InstanceId, Penalty] | None = None,
) -> CommandSweep:
    """Release a case for the principal of the credentials at hand, and handle it.

    Raise UsageError if there is no such case, or nothing holds it.
    """
    with open_for_command(settings, dry_run=dry_run) as opened:
        ports = opened.ports
        case = ports.ledger.find_cases([id_]).get(id_)
        if case is None:
            raise UsageError(f"no case for '{id_}' in the ledger")
        released = release(case, opened.sessions.home_principal(), ports.clock())
        if released is None:
            raise UsageError(f"the case of {id_} is {case.state}: only held or failed cases can be released")
        if not ports.ledger.write_case(released):
            raise UsageError(f"the case of {id_} changed in the meantime: check it and try again")
        result = Sweep(policy, ports, RunLimit(), settings.actions_on, approved, settings.actions_opt_in).handle_cases(
            [released]
        )
    reports = () if dry_run else tuple(report.text for report in opened.printed.reports)
    return CommandSweep((), result, reports)


def open_ports(settings: Settings, sessions: AccountSessions, ledger: Ledger, printed: CollectedReports) -> SweepPorts:
    """Return what a sweep reaches outside a dry run; reports are `printed` if there is no topic for them."""
    instances = Ec2Instances(sessions)
    reports: Reports = printed
    if settings.topic_arn is not None:
        events = ReportEvents(sessions.lazy_client("events"))
        reports = TopicReports(sessions.lazy_client("sns"), settings.topic_arn, events.put_report)
    queue, units = _queue(settings, sessions), open_units(sessions)
    return SweepPorts(instances, instances, ledger, reports, queue, _now, units)


def _queue(settings: Settings, sessions: AccountSessions) -> CaseQueue:
    if settings.queue_url is None:
        return NoQueue()
    schedule = None
    if settings.schedule_role_arn is not None:
        arn = queue_arn(settings.queue_url, sessions.region, settings.schedule_role_arn)
        schedule = CaseSchedule(sessions.lazy_client("scheduler"), arn, settings.schedule_role_arn)
    return SqsCaseQueue(sessions.lazy_client("sqs"), settings.queue_url, schedule)


def open_units(sessions: AccountSessions) -> AccountUnits:
    """Return the reader of organizational units, by the credentials at hand; it caches what it reads."""
    return AccountUnits(lambda: sessions.short_timeout_client("organizations"))


def _rehearsal(sessions: AccountSessions, ledger: Ledger | None, printed: CollectedReports) -> SweepPorts:
    reader, scratch = Ec2Instances(sessions), ScratchLedger(ledger)
    units = open_units(sessions)
    return SweepPorts(reader, RehearsedActions(), scratch, printed, NoQueue(), _now, units, is_dry_run=True)


def _now() -> datetime:
    return datetime.now(UTC)
