"""The last but one phase of a sweep: one report for each launch, sent by one of the runs that work on it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from landkeeper.broom.case import Case, mark_reported, offer_report
from landkeeper.broom.launch_report import write_report
from landkeeper.broom.ports import SweepPorts
from landkeeper.broom.report_lease import agree_on_report
from landkeeper.broom.sweeping.progress import Progress


def report_launches(progress: Progress, ports: SweepPorts) -> None:
    """Report what is to be reported, in one message for each launch."""
    launches: defaultdict[str, list[Case]] = defaultdict(list)
    for case in progress.to_report:
        launches[case.event_ids[0]].append(case)
    for event_id, cases in launches.items():
        agreed = agree_on_report(ports.ledger, cases, progress.elsewhere[event_id], ports.clock())
        progress.later += agreed.later
        if agreed.taken:
            _publish(event_id, agreed.taken, progress, ports)


def _publish(event_id: str, cases: Sequence[Case], progress: Progress, ports: SweepPorts) -> None:
    failure = ports.reports.publish_report(write_report(cases))
    if failure is not None:
        progress.result.fail(f"the report of launch {event_id} was not accepted: {failure}", try_again=True)
    for case in cases:
        progress.write(mark_reported(case, ports.clock()) if failure is None else offer_report(case))
