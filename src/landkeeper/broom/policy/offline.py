"""What a policy says about the launches in log files, going by the log alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from landkeeper.broom.cloudtrail.found import FoundFault, FoundLaunch
from landkeeper.broom.launches import Launch, LaunchedInstance, Tags
from landkeeper.broom.policy.rules import Policy
from landkeeper.broom.policy.verdict import Compliant, Exempt, Subject, Verdict, Violation, evaluate


@dataclass(frozen=True, slots=True)
class JudgedInstance:
    """An instance of a launch, what the policy says about it, and what is done or would be."""

    instance: LaunchedInstance
    tags: Tags
    """The tags it was judged by."""
    verdict: str
    """`compliant`, `exempt`, `violation`, or `unknown` where it could not be judged."""
    action: str
    """`keep`, `notify`, `stop`, `terminate`, or `wait`."""
    because: str
    outcome: str = ""
    """What came of it where something was done: `destroyed`, `held`, …"""


@dataclass(frozen=True, slots=True)
class JudgedLaunch:
    """A launch with all its instances judged."""

    found: FoundLaunch
    instances: tuple[JudgedInstance, ...]


def subject_of(launch: Launch, instance: LaunchedInstance) -> Subject:
    """What the policy asks about an instance, going by its launch."""
    return Subject(launch.account, launch.region, instance.type, launch.principal)


def judge_offline(policy: Policy, found: Iterable[FoundLaunch], now: datetime) -> tuple[JudgedLaunch, ...]:
    """What the policy says about each launch by the tags in the log; nothing is called.

    Launches whose instances CloudTrail left out have none to judge: `find_unnamed` says which those are.
    """
    return tuple(
        JudgedLaunch(each, tuple(_judge(policy, each.launch, instance, now) for instance in each.launch.instances))
        for each in found
    )


def find_unnamed(found: Iterable[FoundLaunch]) -> tuple[FoundFault, ...]:
    """The launches whose instances only EC2 can name, each with what is known of it."""
    return tuple(
        FoundFault(
            each.source,
            each.launch.where,
            f"CloudTrail left out the instances of launch {each.launch.event_id} for their number; EC2 knows them by "
            f"client token {each.launch.client_token}, and was not asked",
        )
        for each in found
        if not each.launch.instances
    )


def _judge(policy: Policy, launch: Launch, instance: LaunchedInstance, now: datetime) -> JudgedInstance:
    tags = launch.logged_tags(instance)
    verdict = evaluate(policy, subject_of(launch, instance), tags, now)
    word, action = words_of(verdict)
    return JudgedInstance(instance, tags, word, action, verdict.because)


def words_of(verdict: Verdict) -> tuple[str, str]:
    """The verdict and the action that follows from it, each as a word."""
    match verdict:
        case Compliant():
            return "compliant", "keep"
        case Exempt():
            return "exempt", "keep"
        case Violation(action=action):
            return "violation", str(action)
        case _:
            assert_never(verdict)
