"""A backtest summed up: by day, rule, account, region and principal, and held against another policy's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC
from enum import StrEnum
from typing import assert_never

from landkeeper.broom.backtest.replay import HITS, Fate, PastFate


class By(StrEnum):
    """What instances are counted by."""

    DAY = "day"
    RULE = "rule"
    ACCOUNT = "account"
    REGION = "region"
    PRINCIPAL = "principal"


@dataclass(slots=True)
class Tally:
    """How the instances of one day, account, … fared."""

    name: str
    account: str = ""
    """Where a principal is at home; empty for anything else."""
    instances: int = 0
    """How many were launched; by rule, how many broke it."""
    fates: Counter[Fate] = field(default_factory=Counter)

    @property
    def hit(self) -> int:
        """How many of them the policy would have hit."""
        return sum(self.fates[fate] for fate in HITS)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a policy changes over another one."""

    newly_hit: tuple[PastFate, ...]
    newly_spared: tuple[PastFate, ...]
    """As the other policy would have dealt with them."""
    changed: tuple[tuple[PastFate, PastFate], ...]
    """What both hit and each in another way: this policy's, and the other one's."""


def total(fates: Iterable[PastFate]) -> Tally:
    """All of them in one."""
    tally = Tally("")
    for fate in fates:
        _count(tally, fate)
    return tally


def tally_by(by: By, fates: Iterable[PastFate]) -> list[Tally]:
    """A tally for each day, or account, …: days in their order, everything else by how much was hit."""
    tallies: dict[tuple[str, str], Tally] = {}
    for fate in fates:
        name, account = _key(by, fate)
        if name:
            _count(tallies.setdefault((name, account), Tally(name, account)), fate)
    if by is By.DAY:
        return sorted(tallies.values(), key=lambda tally: tally.name)
    return sorted(tallies.values(), key=lambda tally: (-tally.hit, -tally.instances, tally.name, tally.account))


def compare(fates: Iterable[PastFate], others: Iterable[PastFate]) -> Comparison:
    """What the policy of `fates` changes over that of `others`, for the same instances."""
    before: Mapping[str, PastFate] = {fate.past.case.instance_id: fate for fate in others}
    newly_hit: list[PastFate] = []
    newly_spared: list[PastFate] = []
    changed: list[tuple[PastFate, PastFate]] = []
    for now in fates:
        other = before[now.past.case.instance_id]
        if now.is_hit and not other.is_hit:
            newly_hit.append(now)
        elif other.is_hit and not now.is_hit:
            newly_spared.append(other)
        elif now.is_hit and now.fate is not other.fate:
            changed.append((now, other))
    return Comparison(tuple(newly_hit), tuple(newly_spared), tuple(changed))


def _count(tally: Tally, fate: PastFate) -> None:
    tally.instances += 1
    tally.fates[fate.fate] += 1


def _key(by: By, fate: PastFate) -> tuple[str, str]:
    case = fate.past.case
    match by:
        case By.DAY:
            return f"{case.event_time.astimezone(UTC):%Y-%m-%d}", ""
        case By.RULE:
            return fate.rule, ""
        case By.ACCOUNT:
            return case.account, ""
        case By.REGION:
            return case.region, ""
        case By.PRINCIPAL:
            return case.principal.name, case.principal.account_id or case.account
        case _:
            assert_never(by)
