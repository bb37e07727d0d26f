"""What a set of log files holds: launches, what took tags off again, and what could not be read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import assert_never

from landkeeper.broom.cloudtrail.launch_records import complete_launch, is_update, update_order
from landkeeper.broom.cloudtrail.origin import ANYWHERE, Origin, find_origin
from landkeeper.broom.cloudtrail.principals.identity import SPOT
from landkeeper.broom.cloudtrail.records import NOT_A_LAUNCH, Entry, Ignored, Malformed
from landkeeper.broom.cloudtrail.scan import Found, Scanned, scan_log
from landkeeper.broom.cloudtrail.text import DEFAULT_LIMIT_BYTES
from landkeeper.broom.launches import Launch, SpotRequest, Tagging, Termination, Untagging
from landkeeper.org import Principal

COMPLETES_A_LAUNCH = "an update of a launch that is listed"


@dataclass(frozen=True, slots=True)
class FoundLaunch:
    """A launch, and the file it was found in."""

    launch: Launch
    source: str
    is_repeat: bool
    """Whether the same call was found before, in this file or another."""


class Loss(Enum):
    """How much a fault costs."""

    NOTHING = 0
    """Everything that matters is known all the same."""
    RECORD = 1
    FILE = 2
    """Nobody knows what was in it."""


@dataclass(frozen=True, slots=True)
class FoundFault:
    """Something that could not be read, or is not believed."""

    source: str
    where: str
    """The record or the line; empty for the whole file."""
    reason: str
    loss: Loss = Loss.RECORD

    def __str__(self) -> str:
        return ": ".join(part for part in (self.source, self.where, self.reason) if part)


def check_origin(source: str, found: Iterable[Found]) -> tuple[list[Found], list[FoundFault]]:
    """Return what agrees with the account and region that the name of its file tells, and why the rest is refused."""
    origin = find_origin(source)
    believed, faults = list[Found](), list[FoundFault]()
    for entry in found:
        fault = origin.find_fault(entry)
        if fault is None:
            believed.append(entry)
        else:
            faults.append(FoundFault(source, entry.where if isinstance(entry, Launch) else "", fault))
    return believed, faults


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
    _seen: dict[str, list[int]] = field(default_factory=dict)
    """Of each event, where its launches stand."""
    _requesters: dict[str, Principal] = field(default_factory=dict)

    def add_file(self, source: str, data: bytes, *, limit_bytes: int = DEFAULT_LIMIT_BYTES) -> None:
        """Take in the content of one log file, unless it is larger than the limit when unpacked."""
        self.add_scan(source, scan_log(data, limit_bytes=limit_bytes))

    def add_scan(self, source: str, scanned: Scanned) -> None:
        """Take in what one log file holds, as far as it agrees with the account and region that its name tells."""
        self.files += 1
        origin = find_origin(source)
        for entry in (*scanned.spot_requests, *scanned.found, *scanned.faults):
            self.add_entry(source, entry, origin)
        for reason, count in scanned.ignored.items():
            self.ignored[reason] += count

    def add_entry(self, source: str, entry: Entry, origin: Origin = ANYWHERE) -> None:
        """Take in one record, unless it is of another account or region than its origin."""
        if not isinstance(entry, Ignored | Malformed) and (fault := origin.find_fault(entry)) is not None:
            self.faults.append(FoundFault(source, entry.where if isinstance(entry, Launch) else "", fault))
            return
        match entry:
            case Launch():
                self.add_launch(source, entry)
            case Untagging():
                self.ignored[NOT_A_LAUNCH] += 1
                self.untaggings.append(entry)
            case SpotRequest(principal, request_ids):
                self.ignored[NOT_A_LAUNCH] += 1
                self._requesters.update(dict.fromkeys(request_ids, principal))
            case Tagging() | Termination():
                self.ignored[NOT_A_LAUNCH] += 1
            case Ignored(_, reason):
                self.ignored[reason] += 1
            case Malformed(where, reason, is_whole_file):
                self.faults.append(FoundFault(source, where, reason, Loss.FILE if is_whole_file else Loss.RECORD))
            case _:
                assert_never(entry)

    def add_launch(self, source: str, launch: Launch) -> None:
        """Take in one launch. What is wrong in its record is a fault beside it."""
        self.faults += [FoundFault(source, launch.where, warning, Loss.NOTHING) for warning in launch.warnings]
        self.faults += find_losses(source, [launch])
        if launch.principal.invoked_by == SPOT:
            # What is read later counts as well: the mapping is the same one.
            launch = replace(launch, requesters=self._requesters)
        else:
            self._requesters.update(
                {instance.spot_request: launch.principal for instance in launch.instances if instance.spot_request}
            )
        same = self._seen.setdefault(launch.event_id, [])
        place = next((at for at in same if is_update(self.launches[at].launch, launch)), None)
        if place is None:
            self.launches.append(FoundLaunch(launch, source, bool(same)))
            same.append(len(self.launches) - 1)
        else:
            self.ignored[COMPLETES_A_LAUNCH] += 1
            both = sorted((self.launches[place].launch, launch), key=update_order)
            self.launches[place] = replace(self.launches[place], launch=complete_launch(*both))


def find_losses(source: str, found: Iterable[Found]) -> Iterator[FoundFault]:
    """Yield the instances that the records of launches do not name, by what is wrong with their place."""
    for entry in found:
        if isinstance(entry, Launch):
            reasons = (f"{reason}; only an audit finds that instance" for reason in entry.losses)
            yield from (FoundFault(source, entry.where, reason) for reason in reasons)
