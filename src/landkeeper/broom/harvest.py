"""What a set of log files holds, and what a policy says about it going by the log alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import assert_never

from landkeeper.broom.identity import SPOT
from landkeeper.broom.launches import Ending, Launch, LaunchedInstance, SpotRequest, Tagging, Tags, Untagging
from landkeeper.broom.log_text import DEFAULT_LIMIT_BYTES
from landkeeper.broom.policy import Policy
from landkeeper.broom.scan import Scanned, scan_log
from landkeeper.broom.trail import NOT_A_LAUNCH, Entry, Ignored, Malformed
from landkeeper.broom.verdict import Compliant, Exempt, Subject, Verdict, Violation, evaluate
from landkeeper.org import Principal


@dataclass(frozen=True, slots=True)
class FoundLaunch:
    """A launch, and the file it was found in."""

    launch: Launch
    source: str
    is_repeat: bool
    """Whether the same call was found before, in this file or another."""


@dataclass(frozen=True, slots=True)
class FoundFault:
    """Something that could not be read."""

    source: str
    where: str
    """The record or the line; empty for the whole file."""
    reason: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.source, self.where, self.reason) if part)


@dataclass(slots=True)
class Harvest:
    """Everything that was found in the files read so far."""

    launches: list[FoundLaunch] = field(default_factory=list)
    untaggings: list[Untagging] = field(default_factory=list)
    """What took tags off instances again."""
    ignored: Counter[str] = field(default_factory=Counter)
    """How many records or files held no launch, by reason."""
    faults: list[FoundFault] = field(default_factory=list)
    files: int = 0
    _seen: set[str] = field(default_factory=set)
    _askers: dict[str, Principal] = field(default_factory=dict)

    def add_file(self, source: str, data: bytes, *, limit_bytes: int = DEFAULT_LIMIT_BYTES) -> None:
        """Take in the content of one log file, unless it is larger than the limit when unpacked."""
        self.add_scan(source, scan_log(data, limit_bytes=limit_bytes))

    def add_scan(self, source: str, scanned: Scanned) -> None:
        """Take in what one log file holds."""
        self.files += 1
        for entry in (*scanned.spot_requests, *scanned.found, *scanned.faults):
            self.add_entry(source, entry)
        for reason, count in scanned.ignored.items():
            self.ignored[reason] += count

    def add_entry(self, source: str, entry: Entry) -> None:
        """Take in one record."""
        match entry:
            case Launch():
                self.add_launch(source, entry)
            case Untagging():
                self.ignored[NOT_A_LAUNCH] += 1
                self.untaggings.append(entry)
            case SpotRequest(principal, request_ids):
                self.ignored[NOT_A_LAUNCH] += 1
                self._askers.update(dict.fromkeys(request_ids, principal))
            case Tagging() | Ending():
                self.ignored[NOT_A_LAUNCH] += 1
            case Ignored(_, reason):
                self.ignored[reason] += 1
            case Malformed(where, reason):
                self.faults.append(FoundFault(source, where, reason))
            case _:
                assert_never(entry)

    def add_launch(self, source: str, launch: Launch) -> None:
        """Take in one launch. What is wrong in its record is a fault beside it."""
        self.faults += [FoundFault(source, launch.where, doubt) for doubt in launch.doubts]
        if launch.principal.invoked_by == SPOT:
            # What is read later counts as well: the mapping is the same one.
            launch = replace(launch, askers=self._askers)
        else:
            self._askers.update({each.spot_request: launch.principal for each in launch.instances if each.spot_request})
        self.launches.append(FoundLaunch(launch, source, launch.event_id in self._seen))
        self._seen.add(launch.event_id)


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
