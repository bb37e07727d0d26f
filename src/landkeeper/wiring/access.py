"""What a function answers when `landkeeper doctor` asks what it may do: the roles trust the functions, and nobody else.

The answer is JSON; `parse_answer` in `wiring/doctor.py` reads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from landkeeper import __version__
from landkeeper.aws.organizations import list_members
from landkeeper.aws.sessions import AccountSessions
from landkeeper.aws.stack.permission_probe import ENDING, READING, Call, try_account
from landkeeper.broom.cloudtrail.keys import LogObject
from landkeeper.org import AccountId, Failure, UsageError, parse_account_id
from landkeeper.settings import Settings
from landkeeper.wiring.broom.function import FunctionBroom
from landkeeper.wiring.sessions import member_sessions

TASK = "doctor"
"""What an invocation names itself, beside `accounts`, `organization` and `log_file`."""
MOST_ACCOUNTS = 5
"""How many accounts an invocation may name, so that the smallest function is done in time."""


def answer_reader(settings: Settings, question: Mapping[Any, Any]) -> dict[str, Any]:
    """What VPC Tracker's function may do in the accounts that the doctor asks about."""
    return answer_access(settings, question, READING)


def answer_terminator(settings: Settings, question: Mapping[Any, Any]) -> dict[str, Any]:
    """What Broom's function may do in the accounts that the doctor asks about, and whether it can read a log file."""
    answer = answer_access(settings, question, ENDING)
    if isinstance(named := question.get("log_file"), Mapping):
        read = FunctionBroom(settings).objects.read_object(LogObject(str(named["bucket"]), str(named["key"])))
        answer["log_file"] = _told(read) if isinstance(read, Failure) else None
    return answer


def answer_access(settings: Settings, question: Mapping[Any, Any], calls: Mapping[str, Call]) -> dict[str, Any]:
    """The answer, with everything that was refused. Raises UsageError for what the doctor does not ask."""
    accounts = question.get("accounts", [])
    if not isinstance(accounts, list) or len(accounts) > MOST_ACCOUNTS:
        raise UsageError(f"'accounts' takes a list of up to {MOST_ACCOUNTS} account ids")
    sessions = member_sessions(settings)
    answer: dict[str, Any] = {"landkeeper": TASK, "version": __version__}
    answer["trials"] = [_trial(settings, sessions, parse_account_id(str(account)), calls) for account in accounts]
    if question.get("organization"):
        members = list_members(sessions.home("organizations"))
        answer["organization"] = _told(members) if isinstance(members, Failure) else None
    return answer


def _trial(
    settings: Settings, sessions: AccountSessions, account: AccountId, calls: Mapping[str, Call]
) -> dict[str, Any]:
    region = settings.regions[0] if settings.regions else sessions.region
    tried = try_account(sessions, account, region, calls)
    trial: dict[str, Any] = {"account": account, "region": region, "way_in": None, "refused": {}}
    if isinstance(tried, Failure):
        return trial | {"way_in": _told(tried)}
    return trial | {"refused": {action: _told(failure) for action, failure in tried.items()}}


def _told(failure: Failure) -> dict[str, str]:
    return {"reason": failure.reason.name, "code": failure.code, "message": failure.message}
