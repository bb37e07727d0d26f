"""What the log leaves out of a launch and EC2 knows: its instances, and which Spot request it was for.

If CloudTrail left the instances out for their number, EC2 finds them by the client token. Whoever launches chooses the
token, so it proves little: an instance counts only if it was launched at the time of the event, and if no other launch
has named it, in the logs at hand or in the ledger.

Source: Amazon EC2 API Reference, "DescribeInstances", the filter `client-token`, and "RunInstances", `ClientToken`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from landkeeper.broom.actions import YOUNG
from landkeeper.broom.case import AUDIT_EVENT
from landkeeper.broom.cloudtrail.principals.identity import SPOT, on_behalf_of
from landkeeper.broom.instance_state import LiveInstance
from landkeeper.broom.launches import InstanceId, Launch, LaunchedInstance
from landkeeper.broom.ports import InstanceReader, Ledger
from landkeeper.org import Failure, join_some

LAUNCH_TIME_TOLERANCE = timedelta(minutes=5)
"""How far the launch time that EC2 shows may be from the time of the event. An instance that was stopped and started
since shows a later one (EC2 API Reference, "Instance"): it is left to the audit."""
_MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class Missing:
    """A launch some of whose instances are still not known."""

    because: str
    try_again: bool


@dataclass(frozen=True, slots=True)
class Named:
    """The launches with their instances, and those of which instances are not known."""

    launches: tuple[Launch, ...]
    missing: tuple[Missing, ...] = ()


def resolve_instances(launches: Iterable[Launch], reader: InstanceReader, ledger: Ledger, now: datetime) -> Named:
    """Return the launches, each with its instances; where the log left them out, look them up in the account's EC2.

    A launch by EC2 Spot is attributed to its requester if the logs name one.
    """
    launches = list(launches)
    owners = {instance.id: launch.call_id for launch in launches for instance in launch.instances}
    named: list[Launch] = []
    missing: list[Missing] = []
    for launch in launches:
        if launch.instances:
            named.append(_name_requester(launch, reader))
            continue
        answer = reader.find_launched(launch.account, launch.region, launch.client_token)
        found = _select(launch, answer, owners, ledger, now)
        missing += found.missing
        named += found.launches
        owners |= {
            instance.id: launch.call_id for found_launch in found.launches for instance in found_launch.instances
        }
    return Named(tuple(named), tuple(missing))


def _name_requester(launch: Launch, reader: InstanceReader) -> Launch:
    """Return the launch attributed to the requester of its Spot instances; EC2 knows which request it was for."""
    if not launch.requesters:
        return launch
    requests = {instance.spot_request for instance in launch.instances if instance.spot_request}
    if not requests:
        answer = reader.read_instances(launch.account, launch.region, [instance.id for instance in launch.instances])
        requests = set() if isinstance(answer, Failure) else {live.spot_request for live in answer.values()}
    requesters = {launch.requesters.get(request) for request in requests}
    requester = requesters.pop() if len(requesters) == 1 else None
    return launch if requester is None else replace(launch, principal=on_behalf_of(SPOT, requester))


def _select(
    launch: Launch,
    answer: Mapping[InstanceId, LiveInstance] | Failure,
    owners: Mapping[InstanceId, str],
    ledger: Ledger,
    now: datetime,
) -> Named:
    """Return the launch with those of the instances found that are certainly its own, and why others are not."""
    what = f"launch {launch.event_id} in {launch.account} {launch.region}, whose instances the log leaves out,"
    if isinstance(answer, Failure):
        return Named((), (Missing(f"{what} could not be looked up: {answer}", try_again=True),))
    if not answer:
        young = now - launch.event_time < YOUNG
        return Named((), (Missing(f"{what} is not known to EC2 by its client token", try_again=young),))
    at_other_times = sorted(id_ for id_, live in answer.items() if not _is_launched_then(live, launch))
    of_others = sorted(_find_named_by_others(launch, [*answer], owners, ledger))
    instances = tuple(
        LaunchedInstance(live.id, live.image_id, live.type, live.tags)
        for id_, live in answer.items()
        if id_ not in at_other_times and id_ not in of_others
    )
    refused = (("were launched at another time", at_other_times), ("belong to another launch", of_others))
    missing = tuple(
        Missing(f"{what} does not get the instances that {why}: {join_some(ids, _MOST_NAMED)}", try_again=False)
        for why, ids in refused
        if ids
    )
    return Named((replace(launch, instances=instances),) if instances else (), missing)


def _is_launched_then(live: LiveInstance, launch: Launch) -> bool:
    return live.launched_at is not None and abs(live.launched_at - launch.event_time) <= LAUNCH_TIME_TOLERANCE


def _find_named_by_others(
    launch: Launch, ids: Sequence[InstanceId], owners: Mapping[InstanceId, str], ledger: Ledger
) -> set[InstanceId]:
    """Return the instances that a record of another call has named, in the logs at hand or in the ledger."""
    in_log = {id_ for id_ in ids if owners.get(id_, launch.call_id) != launch.call_id}
    cases = ledger.find_cases(ids)
    # An audit finds instances, and names no launch.
    events = {id_: [id_ for id_ in case.event_ids if not id_.startswith(AUDIT_EVENT)] for id_, case in cases.items()}
    return in_log | {id_ for id_, named_by in events.items() if named_by and launch.event_id not in named_by}
