"""What a policy says about the launches in log files: by the log alone, or as a sweep found out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from landkeeper.broom.cloudtrail.found import FoundFault, FoundLaunch
from landkeeper.broom.launches import Launch, LaunchedInstance
from landkeeper.broom.policy.rules import Policy
from landkeeper.broom.policy.verdict import Subject, evaluate
from landkeeper.broom.sweeping.result import InstanceResult, SweepResult, kinds_of


@dataclass(frozen=True, slots=True)
class JudgedLaunch:
    """A launch with all its instances judged."""

    found: FoundLaunch
    instances: tuple[InstanceResult, ...]


def subject_of(launch: Launch, instance: LaunchedInstance) -> Subject:
    """Return what the policy asks about an instance, going by its launch."""
    return Subject(launch.account, launch.region, instance.type, launch.principal)


def judge_offline(policy: Policy, found: Iterable[FoundLaunch], now: datetime) -> tuple[JudgedLaunch, ...]:
    """Return what the policy says about each launch by the tags in the log; nothing is called.

    Launches whose instances CloudTrail left out have none to judge: `find_unnamed` says which those are.
    """
    return tuple(
        JudgedLaunch(entry, tuple(_judge(policy, entry.launch, instance, now) for instance in entry.launch.instances))
        for entry in found
    )


def judged_by_sweep(found: Iterable[FoundLaunch], result: SweepResult) -> tuple[JudgedLaunch, ...]:
    """Return each launch with what the sweep found out about its instances."""
    completed = [replace(entry, launch=result.launches.get(entry.launch.event_id, entry.launch)) for entry in found]
    return tuple(
        JudgedLaunch(entry, tuple(result.notes[instance.id] for instance in entry.launch.instances))
        for entry in completed
    )


def find_unnamed(found: Iterable[FoundLaunch]) -> tuple[FoundFault, ...]:
    """Return the launches whose instances only EC2 can name, each with what is known of it."""
    return tuple(
        FoundFault(
            entry.source,
            entry.launch.where,
            f"CloudTrail left out the instances of launch {entry.launch.event_id} for their number; EC2 knows them by "
            f"client token {entry.launch.client_token}, and was not asked",
        )
        for entry in found
        if not entry.launch.instances
    )


def _judge(policy: Policy, launch: Launch, instance: LaunchedInstance, now: datetime) -> InstanceResult:
    tags = launch.logged_tags(instance)
    verdict = evaluate(policy, subject_of(launch, instance), tags, now)
    kind, action = kinds_of(verdict)
    return InstanceResult(instance, tags, kind, action, verdict.because)
