"""AWS's prices and our own measurements, from the two data files beside this module."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

HOURS_A_MONTH = 730
"""As AWS's Pricing Calculator counts."""
DAYS_A_MONTH = HOURS_A_MONTH / 24


@dataclass(frozen=True, slots=True)
class Price:
    """What AWS asks for so many of something, in US dollars, and how many a month are free for an organization."""

    service: str
    what: str
    price: float
    per: int
    free: float
    page: str
    """The title of AWS's page that has it."""
    seen: str
    """When what was read of it was written."""


@dataclass(frozen=True, slots=True)
class PriceList:
    """All prices, of one region and one day."""

    as_of: str
    region: str
    prices: Mapping[str, Price]


@dataclass(frozen=True, slots=True)
class Figure:
    """How much of something a unit of work takes."""

    value: float
    source: str
    """The benchmark, document or assumption that it comes from."""


@lru_cache(maxsize=1)
def read_prices() -> PriceList:
    """The prices of `prices.toml`."""
    data = _read("prices.toml")
    prices = {name: Price(**entry) for name, entry in data.items() if isinstance(entry, dict)}
    return PriceList(data["as_of"], data["region"], prices)


@lru_cache(maxsize=1)
def read_figures() -> Mapping[str, Figure]:
    """The measurements of `measured.toml`."""
    return {name: Figure(float(entry["value"]), entry["from"]) for name, entry in _read("measured.toml").items()}


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((files(__package__) / name).read_text(encoding="utf-8"))
