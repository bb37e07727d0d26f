"""What the log leaves out of a launch and EC2 knows: its instances, and which Spot request it was for.

Instances that CloudTrail left out for their number are found by the client token.
Source: Amazon EC2 API Reference, "DescribeInstances", the filter `client-token`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from landkeeper.broom.actions import YOUNG
from landkeeper.broom.cloudtrail.identity import SPOT, on_behalf_of
from landkeeper.broom.launches import Launch, LaunchedInstance
from landkeeper.broom.ports import InstanceReader
from landkeeper.org import Failure


@dataclass(frozen=True, slots=True)
class Missing:
    """A launch whose instances are still not known."""

    because: str
    try_again: bool


@dataclass(frozen=True, slots=True)
class Named:
    """The launches with their instances, and those that remain without."""

    launches: tuple[Launch, ...]
    missing: tuple[Missing, ...] = ()


def resolve_instances(launches: Iterable[Launch], reader: InstanceReader, now: datetime) -> Named:
    """The launches, each with its instances; where the log left them out they are looked up in the account's EC2.

    Those of EC2 Spot are put down to who asked for them, where the logs tell.
    """
    named: list[Launch] = []
    missing: list[Missing] = []
    for launch in launches:
        found = _name_asker(launch, reader) if launch.instances else _look_up(launch, reader, now)
        if isinstance(found, Missing):
            missing.append(found)
        else:
            named.append(found)
    return Named(tuple(named), tuple(missing))


def _name_asker(launch: Launch, reader: InstanceReader) -> Launch:
    """The launch put down to whoever asked EC2 Spot for it, where the logs tell; EC2 knows for which request it was."""
    if not launch.requesters:
        return launch
    requests = {each.spot_request for each in launch.instances if each.spot_request}
    if not requests:
        answer = reader.read_instances(launch.account, launch.region, [each.id for each in launch.instances])
        requests = set() if isinstance(answer, Failure) else {live.spot_request for live in answer.values()}
    requesters = {launch.requesters.get(request) for request in requests}
    asker = requesters.pop() if len(requesters) == 1 else None
    return launch if asker is None else replace(launch, principal=on_behalf_of(SPOT, asker))


def _look_up(launch: Launch, reader: InstanceReader, now: datetime) -> Launch | Missing:
    what = f"launch {launch.event_id} in {launch.account} {launch.region}, whose instances the log leaves out,"
    answer = reader.find_launched(launch.account, launch.region, launch.client_token)
    if isinstance(answer, Failure):
        return Missing(f"{what} could not be looked up: {answer}", try_again=True)
    if not answer:
        return Missing(f"{what} is not known to EC2 by its client token", try_again=now - launch.event_time < YOUNG)
    instances = tuple(LaunchedInstance(live.id, live.image_id, live.type, live.tags) for live in answer.values())
    return replace(launch, instances=instances)
