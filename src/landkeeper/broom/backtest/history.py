"""What a pile of logs tells about instances: who launched them, and what was done to their tags and to them later.

Logs come in any order, some of them twice, and a call may be told to several accounts: all of that comes to the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import reduce
from typing import assert_never

from landkeeper.broom.case import Case, open_case, seen_by
from landkeeper.broom.cloudtrail.launch_records import complete_launch, update_order
from landkeeper.broom.launches import InstanceId, Launch, Tagging, Tags, Termination, Untagging

Told = Launch | Tagging | Untagging | Termination


@dataclass(frozen=True, slots=True)
class PastInstance:
    """An instance, as the logs tell its life."""

    case: Case
    """As Broom would have opened it, with the tags of its launch."""
    source: str
    """The file that told of its launch."""
    changes: tuple[Tagging | Untagging, ...] = ()
    """What was done to its tags since, oldest first."""
    launch_template: str = ""
    """The template that it was launched from; empty for none, and where the logs do not say."""
    endings: tuple[Termination, ...] = ()
    """What ended or stopped it, oldest first."""
    interruption: str = ""
    """What EC2 does to it when it interrupts it, as in `hibernate`; empty if the logs do not say."""
    has_faults: bool = False
    """Whether something in the record of its launch could not be read."""

    def tags_at(self, moment: datetime) -> Tags:
        """The tags that it had at that time."""
        tags = self.case.logged_tags
        for change in self.changes:
            if change.event_time > moment:
                break
            tags = {**tags, **change.tags} if isinstance(change, Tagging) else change.without(tags)
        return tags


@dataclass(slots=True)
class Chronicle:
    """Everything that was told so far."""

    repeats: int = 0
    """How often a call that launched something was told again."""
    _calls: dict[str, list[tuple[str, Launch]]] = field(default_factory=dict)
    """The records of each call, each with its file."""
    _launched: dict[InstanceId, None] = field(default_factory=dict)
    _changes: defaultdict[InstanceId, list[Tagging | Untagging]] = field(default_factory=lambda: defaultdict(list))
    _endings: defaultdict[InstanceId, set[Termination]] = field(default_factory=lambda: defaultdict(set))

    @property
    def launches(self) -> int:
        """How many calls launched something, each counted once."""
        return len(self._calls)

    @property
    def unnamed(self) -> list[tuple[str, Launch]]:
        """The launches whose instances CloudTrail left out, each with its file: only EC2 can name them."""
        return [(source, launch) for source, launch in self._completed() if not launch.instances]

    @property
    def instance_ids(self) -> Collection[InstanceId]:
        """The instances whose launch was told."""
        return self._launched.keys()

    def add(self, source: str, events: Iterable[Told]) -> None:
        """Take in what a file tells."""
        for event in events:
            match event:
                case Launch():
                    self._add_launch(source, event)
                case Tagging(_, ids) | Untagging(_, ids):
                    for id_ in ids:
                        self._changes[id_].append(event)
                case Termination(_, ids):
                    for id_ in ids:
                        self._endings[id_].add(event)
                case _:
                    assert_never(event)

    def _add_launch(self, source: str, launch: Launch) -> None:
        records = self._calls.setdefault(launch.call_id, [])
        self.repeats += bool(records)
        # An event that is told twice in the same words adds nothing.
        if all(launch != known for _, known in records):
            records.append((source, launch))
            self._launched.update(dict.fromkeys(instance.id for instance in launch.instances))

    def _completed(self) -> Iterator[tuple[str, Launch]]:
        """Yield each launch once, with what all its records tell, and the file that was read first."""
        for records in self._calls.values():
            launches = sorted((launch for _, launch in records), key=update_order)
            yield records[0][0], reduce(complete_launch, launches)

    def instances(self) -> Iterator[PastInstance]:
        """Every instance whose launch was told, the oldest first."""
        told: dict[InstanceId, PastInstance] = {}
        for source, launch in self._completed():
            for instance in launch.instances:
                case = open_case(launch, instance, launch.event_time)
                past = PastInstance(
                    case, source, (), launch.launch_template, (), launch.interruption, bool(launch.warnings)
                )
                known = told.get(instance.id)
                told[instance.id] = past if known is None else _merged(known, past)
        for past in sorted(told.values(), key=lambda past: (past.case.event_time, past.case.instance_id)):
            yield self._with_changes(past)

    def _with_changes(self, past: PastInstance) -> PastInstance:
        id_, launched_at = past.case.instance_id, past.case.event_time
        changes = (change for change in self._changes.get(id_, ()) if change.event_time >= launched_at)
        # A record tells the second. Within one, tags are first taken off and then put on: whoever replaces a tag
        # does it in that order.
        ordered = sorted(changes, key=lambda change: (change.event_time, isinstance(change, Tagging)))
        endings = sorted(self._endings.get(id_, ()), key=lambda ending: (ending.event_time, ending.end, ending.session))
        return replace(past, changes=tuple(ordered), endings=tuple(endings))


def _merged(known: PastInstance, past: PastInstance) -> PastInstance:
    """Return an instance that two calls tell of, such as a Spot request and its fulfilment."""
    return PastInstance(
        seen_by(known.case, past.case),
        known.source,
        launch_template=past.launch_template or known.launch_template,
        interruption=past.interruption or known.interruption,
        has_faults=known.has_faults or past.has_faults,
    )
