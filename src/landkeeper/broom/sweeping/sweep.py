"""Sweeping: from launches to instances that are judged, handled and reported, each once.

A sweep opens a case for every instance of the launches and takes one account and region after the other: it reads the
instances, decides, writes each decision into the ledger before it acts on it, acts in batches, and reports each launch.
Every write is conditional, and every step can be the last one: the next delivery carries on where the case stands.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from landkeeper.broom.case import Case, open_case, seen_by, untagged
from landkeeper.broom.cloudtrail.launch_records import merge_updates
from landkeeper.broom.launches import InstanceId, Launch, Untagging
from landkeeper.broom.missing_instances import resolve_instances
from landkeeper.broom.ports import Place
from landkeeper.broom.sweeping.judging import SweepTerms
from landkeeper.broom.sweeping.place import PlaceSweep
from landkeeper.broom.sweeping.result import SweepResult


@dataclass(frozen=True, slots=True)
class Sweep(SweepTerms):
    """What a run does about launches and cases."""

    def handle_launches(self, launches: Iterable[Launch], untaggings: Sequence[Untagging] = ()) -> SweepResult:
        """Judge every instance of the launches, act on those that break the policy, and report them.

        `untaggings` are what took tags off since: tags of the log that are gone by it are not waited for.
        """
        now = self.ports.clock()
        named = resolve_instances(merge_updates(launches), self.ports.reader, self.ports.ledger, now)
        found: dict[InstanceId, Case] = {}
        for launch in named.launches:
            for instance in launch.instances:
                case = open_case(launch, instance, now)
                found[instance.id] = seen_by(found.get(instance.id, case), case)
        known = self.ports.ledger.find_cases(tuple(found))
        cases = [seen_by(known.get(id_, case), case) for id_, case in found.items()]
        result = self.handle_cases([untagged(case, untaggings) for case in cases])
        result.launches |= {launch.event_id: launch for launch in named.launches}
        for missing in named.missing:
            result.fail(missing.because, try_again=missing.try_again)
        return result

    def resume_cases(self, ids: Sequence[InstanceId]) -> SweepResult:
        """Look again at cases that were put off until now."""
        return self.handle_cases(self.ports.ledger.find_cases(ids).values())

    def handle_cases(self, cases: Iterable[Case]) -> SweepResult:
        """Take cases as far as they can go now; those with version 0 are new to the ledger."""
        places: defaultdict[Place, list[Case]] = defaultdict(list)
        for case in cases:
            places[case.account, case.region].append(case)
        result = SweepResult()
        for place, group in places.items():
            result.take_in(PlaceSweep(self, place).handle_cases(group))
        return result
