"""What is looked after: how many accounts, how much happens in them, and how the stack is set up for it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import ceil

from landkeeper.operate.cost.figures import read_figures
from landkeeper.operate.cost.stack_facts import StackFacts
from landkeeper.org import UsageError

_CHANGED_SHARE, _BROKEN_SHARE = 0.1, 0.05
_ADDRESSES_AN_ACCOUNT = 50
_EVENTS_OF_AN_ACCOUNT, _WRITES_OF_AN_ACCOUNT = 3_000, 300


class TrailUse(StrEnum):
    """Whose trail writes the log files."""

    EXISTING = "existing"
    """One that is there and paid for already."""
    FIRST = "first"
    """The stack's own, where there was none: its copy of the events is free, its files are not."""
    SECOND = "second"
    """The stack's own beside another: every event is paid for."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants to know the cost of; None where the usual is meant."""

    accounts: int
    regions: int
    launches_a_day: int
    log_files_a_day: int | None = None
    broken_a_day: int | None = None
    vpcs: int | None = None
    changes_a_day: int | None = None
    addresses: int | None = None
    events_a_day: int | None = None
    trail: TrailUse = TrailUse.EXISTING
    digests: bool = True
    trail_days: int = 90
    arm: bool = False
    provisioned: bool = False
    recovery: bool = False
    customer_key: bool = False
    mails: bool = False
    workers_unlimited: bool = False
    free_tier: bool = True
    paid_trail_copies: int = 0
    """Further trails or event data stores that record management events at a price, in each account."""
    guard_duty: bool = False
    control_tower: bool = False
    """The trail's bucket is Control Tower's, in another account, and tells EventBridge of its files."""


@dataclass(frozen=True, slots=True)
class Landscape:
    """The same with nothing left open."""

    asked: Asked
    accounts: int
    regions: int
    launches_a_day: int
    broken_a_day: int
    """Launches that break the policy."""
    vpcs: int
    changes_a_day: int
    """Changes of VPCs."""
    addresses: int
    """Addresses in use, as IPAM counts them."""
    log_files_a_day: int
    """Log files that reach the bucket."""
    digests_a_day: int
    """Digest files of which the bucket tells as well."""
    events_a_day: int
    """Management events in those log files."""
    tracker_events_a_day: int
    """Management events that the tracker's own reads are."""


def settle(question: Asked, facts: StackFacts) -> Landscape:
    """Fill in the usual where nothing was said. Raises UsageError for what cannot be."""
    for name in ("accounts", "regions"):
        if getattr(question, name) < 1:
            raise UsageError(f"there has to be one of the {name} at least")
    launches = question.launches_a_day
    broken = _or(question.broken_a_day, ceil(launches * _BROKEN_SHARE))
    if broken > launches:
        raise UsageError(f"of {launches} launches a day, {broken} cannot break the policy")
    if question.control_tower and question.trail is not TrailUse.EXISTING:
        raise UsageError("with Control Tower, the trail is an existing one: leave out --trail")
    digests = question.accounts * question.regions * 24 if _has_digests(question, facts) else 0
    return Landscape(
        asked=question,
        accounts=question.accounts,
        regions=question.regions,
        launches_a_day=launches,
        broken_a_day=broken,
        vpcs=_or(question.vpcs, question.accounts * (question.regions + 1)),
        changes_a_day=_or(question.changes_a_day, ceil(question.accounts * _CHANGED_SHARE)),
        addresses=_or(question.addresses, question.accounts * _ADDRESSES_AN_ACCOUNT),
        log_files_a_day=_or(question.log_files_a_day, usual_log_files(question, facts)),
        digests_a_day=digests,
        events_a_day=_or(question.events_a_day, _usual_events(question, facts)),
        tracker_events_a_day=question.accounts * _tracker_events(question, facts),
    )


def usual_log_files(question: Asked, facts: StackFacts) -> int:
    """Log files a day: of each account one region with something in every file, the others with the tracker's reads.

    CloudTrail writes a file only where something happened. A trail without reads has none of the tracker's.
    """
    most = int(24 * read_figures()["trail_files_an_hour"].value)
    runs = ceil(facts.runs_a_day["DispatcherFunction"])
    quiet = 0 if _leaves_reads_out(question, facts) else (question.regions - 1) * min(runs, most)
    return question.accounts * (most + quiet)


def _usual_events(question: Asked, facts: StackFacts) -> int:
    if _leaves_reads_out(question, facts):
        return question.accounts * _WRITES_OF_AN_ACCOUNT
    return question.accounts * (_EVENTS_OF_AN_ACCOUNT + _tracker_events(question, facts))


def _tracker_events(question: Asked, facts: StackFacts) -> int:
    """Return how many events a day the tracker's reads are in an account: every call is one, and reads are too."""
    calls = question.regions * read_figures()["worker_calls_a_region"].value * facts.runs_a_day["DispatcherFunction"]
    return round(calls)


def _has_digests(question: Asked, facts: StackFacts) -> bool:
    """An existing trail is taken to write them unless somebody says otherwise; of our own we know."""
    return question.digests and (question.trail is TrailUse.EXISTING or facts.is_validated)


def _leaves_reads_out(question: Asked, facts: StackFacts) -> bool:
    return question.trail is not TrailUse.EXISTING and facts.writes_only


def _or(said: int | None, usual: int) -> int:
    return usual if said is None else said
