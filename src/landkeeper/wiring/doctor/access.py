"""Who may do what where, as the functions find it: the roles trust them, and nobody else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from landkeeper import __version__
from landkeeper.aws.enabled_regions import find_unknown_regions
from landkeeper.aws.organizations import list_members
from landkeeper.aws.sessions import open_sessions
from landkeeper.aws.stack.parts import ask_function, read_organization
from landkeeper.aws.stack.permission_probe import ENDING, READING, Call, try_account
from landkeeper.operate.doctor.access import (
    choose_sample,
    judge_listing,
    judge_organization,
    judge_regions,
    judge_roles,
)
from landkeeper.operate.doctor.facts import Trial, Trials
from landkeeper.operate.doctor.lines import Line, unchecked
from landkeeper.org import Account, AccountId, Failure, FailureReason, Membership, Region, parse_account_id
from landkeeper.vpctracker.coverage import Coverage
from landkeeper.wiring.access import MOST_ACCOUNTS, TASK
from landkeeper.wiring.doctor.deployed_stack import DeployedStack, read_coverage

READER, TERMINATOR = "tracker's role", "Broom's role"
_ASKED_AT_ONCE = 8


def examine_access(patient: DeployedStack, *, every_account: bool, own_role: str | None) -> Iterator[Line]:
    """The organization, the regions, and the roles in the accounts: all of them, or a sample."""
    sessions, parts = patient.sessions, patient.parts
    organization = read_organization(sessions.home("organizations"), patient.caller.account)
    yield from judge_organization(organization, parts, patient.caller.account)
    wanted = [Region(name) for name in parts.parameters.get("Regions", "").split(",") if name]
    yield judge_regions(wanted, find_unknown_regions(sessions, wanted))
    coverage = read_coverage(patient)
    accounts = _accounts(patient, coverage)
    if isinstance(accounts, Failure):
        yield unchecked("accounts", accounts)
        return
    doubtful = [] if isinstance(coverage, Failure) else [entry.account for entry in coverage if not entry.is_complete]
    chosen = accounts if every_account else choose_sample(accounts, doubtful)
    if own_role is not None:
        yield from _examine_own_role(patient, own_role, chosen, len(accounts))
        return
    yield from _examine_roles(patient, chosen, len(accounts))


def _accounts(patient: DeployedStack, coverage: Sequence[Coverage] | Failure) -> tuple[Account, ...] | Failure:
    """The accounts that the tracker is to read: those that the stack names, else the organization's active ones."""
    given = patient.parts.parameters.get("Accounts", "")
    if given:
        return tuple(Account(parse_account_id(id_.strip())) for id_ in given.split(",") if id_.strip())
    known = () if isinstance(coverage, Failure) else coverage
    members = list_members(patient.sessions.home("organizations"))
    if isinstance(members, Failure):
        tried = tuple(
            Account(entry.account, entry.account_name) for entry in known if entry.membership is Membership.ACTIVE
        )
        return tried or members
    skipped = {entry.account for entry in known if entry.membership is Membership.SKIPPED}
    active = (member.account for member in members if member.membership is Membership.ACTIVE)
    return tuple(account for account in active if account.id not in skipped)


def _examine_roles(patient: DeployedStack, accounts: Sequence[Account], total: int) -> Iterator[Line]:
    """The roles as the functions find them: they trust the functions, and nobody else."""
    lists = not patient.parts.parameters.get("Accounts", "")
    if lists and patient.function("DispatcherFunction") is not None:
        (answer,) = _ask(patient, "DispatcherFunction", (), organization=True)
        yield judge_listing("the dispatcher", answer)
    roles = (("TrackerFunction", READER, "landkeeper-read"), ("BroomFunction", TERMINATOR, "landkeeper-terminate"))
    for name, check, usual in roles:
        if patient.function(name) is None:
            continue
        role = patient.environment(name).get("LANDKEEPER_ROLE_NAME") or usual
        answers = _ask(patient, name, accounts, organization=lists and name == "BroomFunction")
        if lists and name == "BroomFunction" and answers:
            yield judge_listing("Broom", answers[0])
        yield from judge_roles(check, role, accounts, total, answers, stack_set=_roles_stack_set(patient))


def _roles_stack_set(patient: DeployedStack) -> str:
    """The StackSet that gives accounts their roles, by what it is called; nothing where the stack makes none."""
    made = patient.parts.of_type("AWS::CloudFormation::StackSet")
    return next((physical_id.partition(":")[0] for name, physical_id in made.items() if "Role" in name), "")


def _ask(
    patient: DeployedStack, name: str, accounts: Sequence[Account], *, organization: bool
) -> Sequence[Trials | Failure]:
    """What a function answers about the accounts, a few of them at a time."""
    parts = [accounts[start : start + MOST_ACCOUNTS] for start in range(0, len(accounts), MOST_ACCOUNTS)] or [()]

    def ask(number: int) -> Trials | Failure:
        question: dict[str, Any] = {"accounts": [account.id for account in parts[number]]}
        if organization and number == 0:
            question["organization"] = True
        return ask_about(patient, name, question)

    with ThreadPoolExecutor(_ASKED_AT_ONCE) as pool:
        answers = list(pool.map(ask, range(len(parts))))
    for answer in answers:
        if isinstance(answer, Trials):
            patient.versions[name] = answer.version
    return answers


def ask_about(patient: DeployedStack, name: str, question: Mapping[str, Any]) -> Trials | Failure:
    """What one of the stack's functions, by its logical id, answers to a question."""
    found = patient.parts.find(name, name)
    answer = ask_function(patient.sessions.home("lambda"), found, {"task": TASK, **question})
    if isinstance(answer, Failure):
        silent = answer.reason is FailureReason.OTHER
        return replace(answer, message=f"{name} does not respond: {answer.message}") if silent else answer
    return parse_answer(answer)


def parse_answer(answer: Mapping[str, Any]) -> Trials:
    """What `landkeeper.wiring.access` answered, as a value."""
    trials = (
        Trial(
            AccountId(trial["account"]),
            trial["region"],
            _failure_of(trial["way_in"]) if trial["way_in"] else None,
            {action: _failure_of(why) for action, why in trial["refused"].items()},
        )
        for trial in answer["trials"]
    )
    listed, read = answer.get("organization"), answer.get("log_file")
    return Trials(
        answer["version"],
        tuple(trials),
        organization=_failure_of(listed) if listed else None,
        log_file=_failure_of(read) if read else None,
    )


def _failure_of(failure: Mapping[str, str]) -> Failure:
    reasons = FailureReason.__members__
    return Failure(reasons.get(failure["reason"], FailureReason.OTHER), failure["code"], failure["message"])


def _examine_own_role(patient: DeployedStack, role: str, accounts: Sequence[Account], total: int) -> Iterator[Line]:
    """A role that whoever runs the doctor assumes, for people who run the commands without the functions."""
    external_id = patient.settings.external_id or patient.parts.parameters.get("ExternalId") or None
    sessions = open_sessions(patient.sessions.region, role_name=role, external_id=external_id)
    regions = patient.parts.parameters.get("Regions", "").split(",")
    region = Region(regions[0] or patient.sessions.region)
    calls: dict[str, Call] = dict(READING)
    if role == patient.parts.parameters.get("TerminateRoleName"):
        calls = dict(ENDING) if role != patient.parts.parameters.get("ReadRoleName") else {**READING, **ENDING}

    def attempt(account: Account) -> Trials:
        tried = try_account(sessions, account.id, region, calls)
        way_in, refused = (tried, {}) if isinstance(tried, Failure) else (None, tried)
        return Trials(__version__, (Trial(account.id, region, way_in, refused),))

    with ThreadPoolExecutor(_ASKED_AT_ONCE) as pool:
        answers = list(pool.map(attempt, accounts))
    yield from judge_roles(f"role {role}", role, accounts, total, answers)
