"""What a pile of logs tells about instances: who launched them, and what was done to their tags and to them later.

Logs come in any order, some of them twice, and a call may be told to several accounts: all of that comes to the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import assert_never

from landkeeper.broom.case import Case, open_case, seen_by
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
    ended_at: datetime | None = None
    """When somebody terminated it; None where the logs do not tell."""

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

    launches: int = 0
    """How many calls launched something, each counted once."""
    repeats: int = 0
    """How often one of them was told again."""
    unnamed: list[tuple[str, Launch]] = field(default_factory=list)
    """The launches whose instances CloudTrail left out, each with its file: only EC2 can name them."""
    _calls: set[str] = field(default_factory=set)
    _cases: dict[InstanceId, Case] = field(default_factory=dict)
    _sources: dict[InstanceId, str] = field(default_factory=dict)
    _templates: dict[InstanceId, str] = field(default_factory=dict)
    _changes: defaultdict[InstanceId, list[Tagging | Untagging]] = field(default_factory=lambda: defaultdict(list))
    _endings: dict[InstanceId, datetime] = field(default_factory=dict)

    @property
    def instance_ids(self) -> Collection[InstanceId]:
        """The instances whose launch was told."""
        return self._cases.keys()

    def add(self, source: str, events: Iterable[Told]) -> None:
        """Take in what a file tells."""
        for event in events:
            match event:
                case Launch():
                    self._add_launch(source, event)
                case Tagging(_, ids) | Untagging(_, ids):
                    for id_ in ids:
                        self._changes[id_].append(event)
                case Termination(event_time, ids):
                    for id_ in ids:
                        self._endings[id_] = min(event_time, self._endings.get(id_, event_time))
                case _:
                    assert_never(event)

    def _add_launch(self, source: str, launch: Launch) -> None:
        if launch.call_id in self._calls:
            self.repeats += 1
            return
        self._calls.add(launch.call_id)
        self.launches += 1
        if not launch.instances:
            self.unnamed.append((source, launch))
        for instance in launch.instances:
            case = open_case(launch, instance, launch.event_time)
            known = self._cases.get(instance.id)
            self._cases[instance.id] = case if known is None else seen_by(known, case)
            self._sources.setdefault(instance.id, source)
            if launch.launch_template:
                self._templates[instance.id] = launch.launch_template

    def instances(self) -> Iterator[PastInstance]:
        """Every instance whose launch was told, the oldest first."""
        for case in sorted(self._cases.values(), key=lambda case: (case.event_time, case.instance_id)):
            id_ = case.instance_id
            changes = (change for change in self._changes.get(id_, ()) if change.event_time >= case.event_time)
            # A record tells the second. Within one, tags are first taken off and then put on: whoever replaces a tag
            # does it in that order.
            ordered = sorted(changes, key=lambda change: (change.event_time, isinstance(change, Tagging)))
            template, ended_at = self._templates.get(id_, ""), self._endings.get(id_)
            yield PastInstance(case, self._sources[id_], tuple(ordered), template, ended_at)
