"""Whether it is at work: tables, policies, the tracker's runs, dead letters, the ledger, and who gets the reports."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice

from landkeeper.aws.broom.ledger_table import INDEX, LedgerTable
from landkeeper.aws.stack.log_feed import read_queue, read_topic
from landkeeper.aws.stack.parts import read_table
from landkeeper.aws.texts import ReplacedTextError
from landkeeper.aws.vpctracker.vpc_table import KEYS, OWNER_INDEX
from landkeeper.broom.case import Case, State
from landkeeper.broom.policy.file import parse_policy
from landkeeper.documents import DocumentError
from landkeeper.operate.doctor.facts import AccountRun, ActionSetting, FailedRead, OverdueCase
from landkeeper.operate.doctor.lines import Line
from landkeeper.operate.doctor.running import (
    judge_actions,
    judge_dead_letters,
    judge_ledger,
    judge_reports,
    judge_text,
    judge_tracker,
    longest_rest,
)
from landkeeper.operate.doctor.stack import Keys, judge_tables
from landkeeper.org import (
    Account,
    Failure,
    FailureReason,
    LandkeeperError,
    Membership,
    UnavailableError,
    UsageError,
    counted,
)
from landkeeper.vpctracker.config_file import parse_config
from landkeeper.vpctracker.coverage import Coverage
from landkeeper.wiring.doctor.deployed_stack import DeployedStack, read_coverage
from landkeeper.wiring.doctor.feed import dead_letter_queues
from landkeeper.wiring.texts import read_text

_OPEN = (State.WAITING, State.JUDGED, State.ACTING)
_MAYBE_UNREPORTED = (State.ACTED, State.HELD, State.FAILED, State.GONE)
_MOST_CASES = 1_000


def examine_running(patient: DeployedStack) -> Iterator[Line]:
    """Tables, policies, runs, dead letters, ledger, reports."""
    parts, region, now = patient.parts, patient.sessions.region, patient.clock()
    yield from _examine_tables(patient)
    yield from _examine_texts(patient)
    coverage = read_coverage(patient)
    runs = coverage if isinstance(coverage, Failure) else _runs_of(coverage)
    dispatcher = parts.find("DispatcherFunction", "DispatcherFunction")
    table, schedule = parts.find("VpcTable", "VpcTracker"), parts.parameters.get("TrackerSchedule", "rate(1 hour)")
    yield from judge_tracker(runs, now, table=table, schedule=schedule, dispatcher=dispatcher, region=region)
    queues = dead_letter_queues(parts)
    client = patient.sessions.home("sqs")
    yield from judge_dead_letters({name: read_queue(client, url) for name, url in queues.items()}, region)
    if parts.find("LedgerTable", "Ledger"):
        yield judge_ledger(_overdue(patient, now), parts.find("BroomFunction", "BroomFunction"), now)
        own = patient.environment("BroomFunction").get("LANDKEEPER_ACTIONS", "on")
        yield judge_actions(_read_switch(patient, own), parts.find("LedgerTable", "Ledger"), parameter=own)
    topic = parts.find("ReportsTopicArn", "Reports")
    if topic:
        yield from judge_reports(read_topic(patient.sessions.home("sns"), topic), region)


def _examine_tables(patient: DeployedStack) -> Iterator[Line]:
    wanted: dict[str, Keys] = {}
    vpcs, ledger = patient.parts.find("VpcTable", "VpcTracker"), patient.parts.find("LedgerTable", "Ledger")
    if vpcs:
        wanted |= {f"{vpcs}{suffix}": Keys(keys) for suffix, keys in KEYS.items()}
        wanted[vpcs] = Keys(KEYS[""], frozenset({OWNER_INDEX}))
    if ledger:
        wanted[ledger] = Keys((("InstanceId", "HASH"),), frozenset({INDEX}))
    client = patient.sessions.home("dynamodb")
    yield from judge_tables({name: read_table(client, name) for name in wanted}, wanted)


def _examine_texts(patient: DeployedStack) -> Iterator[Line]:
    """What the functions read: the policy and, where there is one, the configuration."""
    policy = patient.environment("BroomFunction").get("LANDKEEPER_POLICY", "")
    if policy:
        rules: list[int] = []

        def check(text: str, where: str) -> None:
            rules.append(len(parse_policy(text, where).rules))

        problems = _problems_of(patient, policy, "policy", check)
        mend = "fix it, run landkeeper broom policy check FILE, then landkeeper deploy --policy FILE"
        yield judge_text("policy", policy, problems, well=counted(sum(rules), "rule"), mend=mend)
    config = patient.environment("TrackerFunction").get("LANDKEEPER_CONFIG", "")
    if config:
        problems = _problems_of(patient, config, "configuration", parse_config)
        mend = "fix it, run landkeeper config check FILE, then landkeeper deploy --config FILE"
        yield judge_text("configuration", config, problems, well="valid", mend=mend)


def _problems_of(
    patient: DeployedStack, where: str, what: str, check: Callable[[str, str], object]
) -> Sequence[str] | Failure:
    try:
        owner = patient.sessions.home_account()
        check(read_text(where, lambda: patient.sessions, what=what, owner=owner), where)
    except DocumentError as error:
        return [str(problem) for problem in error.problems]
    except ReplacedTextError as error:
        return [str(error)]
    except (UsageError, UnavailableError) as error:
        # A policy that is not there is as wrong as one that cannot be parsed; one that may not be read is not known.
        gone = FailureReason.NOT_FOUND in str(error)
        return [str(error)] if gone else Failure(FailureReason.OTHER, message=str(error))
    return ()


def _runs_of(coverage: Sequence[Coverage]) -> list[AccountRun]:
    return [
        AccountRun(Account(entry.account, entry.account_name), entry.tried_at, tuple(_failed_reads(entry)))
        for entry in coverage
        if entry.membership is Membership.ACTIVE
    ]


def _failed_reads(coverage: Coverage) -> Iterator[FailedRead]:
    account = Account(coverage.account, coverage.account_name)
    if coverage.failure is not None:
        yield FailedRead(account, None, coverage.failure)
        return
    for region, read in coverage.regions.items():
        if read.failure is not None:
            yield FailedRead(account, region, read.failure)


def _overdue(patient: DeployedStack, now: datetime) -> Sequence[OverdueCase] | Failure:
    schedule = patient.parts.parameters.get("AuditSchedule", "rate(6 hours)")
    ledger = LedgerTable(patient.sessions.home("dynamodb"), patient.parts.find("LedgerTable", "Ledger"))
    try:
        found = list(islice(_find_overdue(ledger, now - longest_rest(schedule)), _MOST_CASES))
    except LandkeeperError as error:
        return Failure(FailureReason.OTHER, message=str(error))
    return [OverdueCase(case.instance_id, str(case.state), case.next_at) for case in found]


def _read_switch(patient: DeployedStack, own: str) -> ActionSetting | Failure:
    ledger = LedgerTable(patient.sessions.home("dynamodb"), patient.parts.find("LedgerTable", "Ledger"))
    try:
        switch = replace(ledger.read_switch(), is_opt_in=own == "opt-in")
    except LandkeeperError as error:
        return Failure(FailureReason.OTHER, message=str(error))
    return ActionSetting(switch.is_on, "" if switch.is_on and switch.last is None else str(switch))


def _find_overdue(ledger: LedgerTable, before: datetime) -> Iterator[Case]:
    for state in _OPEN:
        yield from ledger.list_cases(state, due_before=before)
    for state in _MAYBE_UNREPORTED:
        yield from (case for case in ledger.list_cases(state, due_before=before) if case.awaits_only_report)
