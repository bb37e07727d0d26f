"""The bill of a month: what is used, what of it is free, what the rest costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from landkeeper.operate.cost.figures import HOURS_A_MONTH, Price, read_prices
from landkeeper.operate.cost.landscape import Asked, Landscape, settle
from landkeeper.operate.cost.stack_facts import StackFacts, read_stack_facts
from landkeeper.operate.cost.usage import Usage


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that AWS asks money for."""

    name: str
    """The price's name in the data file."""
    price: Price
    parts: Mapping[str, float]
    """The quantities that add up to it."""
    free: float
    """How many cost nothing: none where others have used the Free Tier up."""

    @property
    def quantity(self) -> float:
        """How many there are a month."""
        return sum(self.parts.values())

    @property
    def free_share(self) -> float | None:
        """The part of the Free Tier that is used, 1 being all; None where there is none."""
        return min(1.0, self.quantity / self.free) if self.free else None

    @property
    def dollars(self) -> float:
        """What is to be paid."""
        return max(0.0, self.quantity - self.free) * self.price.price / self.price.per


@dataclass(frozen=True, slots=True)
class Bill:
    """A month of Landkeeper."""

    as_of: str
    region: str
    landscape: Landscape
    lines: tuple[Line, ...]
    ipam_dollars: float
    """What the advanced tier of VPC IPAM would cost for the addresses in use."""

    @property
    def dollars(self) -> float:
        """The sum of the lines."""
        return sum(line.dollars for line in self.lines)


def make_bill(question: Asked, facts: StackFacts | None = None) -> Bill:
    """What Landkeeper costs a month. Raises UsageError for a landscape that cannot be."""
    facts = facts or read_stack_facts()
    prices = read_prices()
    landscape = settle(question, facts)
    used = Usage(landscape, facts).all()
    lines = tuple(
        Line(name, price, used[name], price.free if question.free_tier else 0)
        for name, price in prices.prices.items()
        if sum(used.get(name, {}).values()) > 0
    )
    address_hour = prices.prices["ipam_address_hours"]
    ipam = landscape.addresses * HOURS_A_MONTH * address_hour.price / address_hour.per
    return Bill(prices.as_of, prices.region, landscape, lines, ipam)
