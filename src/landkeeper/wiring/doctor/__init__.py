"""The doctor's wiring: reads the facts with the credentials at hand, asks the functions, and has them judged."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from landkeeper import __version__
from landkeeper.aws.stack.parts import read_caller, read_function, read_stack
from landkeeper.operate.doctor.lines import Line
from landkeeper.operate.doctor.stack import (
    FUNCTIONS,
    judge_caller,
    judge_clock,
    judge_functions,
    judge_parts,
    judge_stack,
)
from landkeeper.org import Failure
from landkeeper.settings import Settings
from landkeeper.wiring.doctor.access import examine_access
from landkeeper.wiring.doctor.deployed_stack import DeployedStack
from landkeeper.wiring.doctor.feed import examine_feed
from landkeeper.wiring.doctor.running import examine_running
from landkeeper.wiring.sessions import home_sessions


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person asks the doctor for."""

    stack_name: str
    every_account: bool = False
    role: str | None = None
    """A role to try with the credentials at hand, in place of those that only the functions can assume."""


def examine(settings: Settings, question: Asked, *, clock: Callable[[], datetime]) -> Iterator[Line]:
    """Look at everything, line by line as it is found. Without credentials or a stack it ends early."""
    sessions = home_sessions(settings)
    caller = read_caller(sessions.home("sts"), clock)
    yield judge_caller(caller, sessions.advise(caller) if isinstance(caller, Failure) else "")
    yield judge_clock(caller)
    if isinstance(caller, Failure):
        return
    parts = read_stack(sessions.home("cloudformation"), question.stack_name, sessions.region)
    yield judge_stack(parts, question.stack_name, sessions.region)
    if isinstance(parts, Failure):
        return
    yield from judge_parts(parts)
    patient = DeployedStack(settings, sessions, caller, parts, clock)
    for name in FUNCTIONS:
        found = parts.find(name, name)
        if found:
            patient.functions[name] = read_function(sessions.home("lambda"), found)
    yield from examine_access(patient, every_account=question.every_account, own_role=question.role)
    yield from examine_feed(patient)
    yield from judge_functions(patient.functions, patient.versions, __version__)
    yield from examine_running(patient)
