"""Launches whose answer CloudTrail left out for its size: EC2 still knows their instances, by the client token.

Source: Amazon EC2 API Reference, "DescribeInstances", the filter `client-token`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from landkeeper.broom.actions import YOUNG
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


def name_instances(launches: Iterable[Launch], reader: InstanceReader, now: datetime) -> Named:
    """The launches, each with its instances; where the log left them out they are looked up in the account's EC2."""
    named: list[Launch] = []
    missing: list[Missing] = []
    for launch in launches:
        found = launch if launch.instances else _look_up(launch, reader, now)
        if isinstance(found, Missing):
            missing.append(found)
        else:
            named.append(found)
    return Named(tuple(named), tuple(missing))


def _look_up(launch: Launch, reader: InstanceReader, now: datetime) -> Launch | Missing:
    what = f"launch {launch.event_id} in {launch.account} {launch.region}, whose instances the log leaves out,"
    answer = reader.find_launched(launch.account, launch.region, launch.client_token)
    if isinstance(answer, Failure):
        return Missing(f"{what} could not be looked up: {answer}", try_again=True)
    if not answer:
        return Missing(f"{what} is not known to EC2 by its client token", try_again=now - launch.event_time < YOUNG)
    instances = tuple(LaunchedInstance(live.id, live.image_id, live.type, live.tags) for live in answer.values())
    return replace(launch, instances=instances)
