"""`landkeeper cost`: what the stack costs a month, from measured figures and AWS's public prices. Calls nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

import click

from landkeeper.cli.output import JSON_VERSION, Column, Format, Row, print_json, print_rows
from landkeeper.cli.terminal import say
from landkeeper.operate.cost.bill import Bill, Line, make_bill
from landkeeper.operate.cost.landscape import Asked, TrailUse
from landkeeper.org import percentage

_COLUMNS = (
    Column("Service", "Service"),
    Column("What", "What"),
    Column("A month", "Quantity", right=True, optional=1),
    Column("Free Tier", "Free", right=True, optional=2),
    Column("US dollars", "Dollars", right=True),
)
_NUMBER = click.IntRange(min=0)
Command = Callable[..., Any]


def _number(name: str, help_: str) -> Callable[[Command], Command]:
    return click.option(name, type=_NUMBER, metavar="N", help=help_)


def run(
    *,
    log_files_per_day: int | None,
    violations_per_day: int | None,
    changes_per_day: int | None,
    events_per_day: int | None,
    architecture: str,
    trail: str,
    free_tier: str,
    customer_key: bool,
    details: bool,
    format_: Format,
    **others: Any,
) -> int:
    """Estimate what Landkeeper costs per month, without calling AWS."""
    bill = make_bill(
        Asked(
            log_files_a_day=log_files_per_day,
            broken_a_day=violations_per_day,
            changes_a_day=changes_per_day,
            events_a_day=events_per_day,
            trail=TrailUse(trail),
            arm=architecture == "arm64",
            free_tier=free_tier == "whole",
            customer_key=customer_key,
            **others,
        )
    )
    if format_ == "json":
        print_json({"Version": JSON_VERSION, **_as_json(bill)})
        return 0
    rows = list(_rows(bill, details=details and format_ == "table"))
    if format_ == "csv":
        print_rows([_plain_row(line) for line in bill.lines], _CSV_COLUMNS, "csv")
        return 0
    print_rows(rows, _COLUMNS, "table", title=_title(bill), totals=f"{_dollars(bill.dollars)} US dollars per month.",
               style_of=lambda row: "dim" if row["Part"] else "")  # fmt: skip
    for remark in _remarks(bill):
        say(remark)
    return 0


_CSV_COLUMNS = tuple(
    Column(name, name)
    for name in ("Service", "What", "Quantity", "FreeTier", "Price", "Per", "Dollars", "Page", "Seen")
)


def _rows(bill: Bill, *, details: bool) -> Iterator[Row]:
    for line in bill.lines:
        yield {
            "Service": line.price.service,
            "What": line.price.what,
            "Quantity": _quantity(line.quantity),
            "Free": _share(line),
            "Dollars": _dollars(line.dollars),
            "Part": False,
        }
        if details:
            for what, quantity in line.parts.items():
                if quantity:
                    yield {"What": f"- {what}", "Quantity": _quantity(quantity), "Part": True}


def _title(bill: Bill) -> str:
    land = bill.landscape
    return f"{land.accounts:,} accounts, {land.regions} regions, {land.launches_a_day:,} launches a day"


def _remarks(bill: Bill) -> Iterator[str]:
    land, question = bill.landscape, bill.landscape.asked
    files = f"{land.log_files_a_day:,} log files"
    if land.digests_a_day:
        files += f" and {land.digests_a_day:,} digest files"
    trails = {
        TrailUse.EXISTING: "an existing trail's",
        TrailUse.FIRST: "of the stack's trail, the only trail",
        TrailUse.SECOND: f"of the stack's own trail beside another, with {land.events_a_day:,} events",
    }
    yield f"Per day: {files} ({trails[question.trail]}) and {land.broken_a_day:,} launches that violate the policy."
    free = "unused" if question.free_tier else "used up"
    yield f"Prices of {bill.as_of}, {bill.region}, without tax; the Free Tier is {free}."
    yield (
        f"AWS's VPC IPAM (advanced tier) would cost {_dollars(bill.ipam_dollars)} US dollars a month for "
        f"{land.addresses:,} addresses in use; it has no equivalent of Broom."
    )


def _quantity(number: float) -> str:
    return f"{number:,.0f}" if number >= 10 else f"{number:.2f}".rstrip("0").rstrip(".")


def _share(line: Line) -> str:
    """How much of the Free Tier is used; less than a hundredth is shown as more than nothing."""
    if line.free_share is None:
        return ""
    return percentage(line.free_share, 1)


def _dollars(amount: float) -> str:
    return f"{amount:,.2f}"


def _plain_row(line: Line) -> dict[str, Any]:
    return {
        "Service": line.price.service,
        "What": line.price.what,
        "Quantity": round(line.quantity, 3),
        "FreeTier": line.free,
        "FreeTierShare": None if line.free_share is None else round(line.free_share, 4),
        "Price": line.price.price,
        "Per": line.price.per,
        "Dollars": round(line.dollars, 4),
        "Page": line.price.page,
        "Seen": line.price.seen,
    }


def _as_json(bill: Bill) -> dict[str, Any]:
    landscape = asdict(bill.landscape)
    question = landscape.pop("asked")
    return {
        "AsOf": bill.as_of,
        "Region": bill.region,
        "Landscape": {_camel(name): value for name, value in {**_settings(question), **landscape}.items()},
        "Lines": [_plain_row(line) | {"Parts": {k: round(v, 3) for k, v in line.parts.items()}} for line in bill.lines],
        "Dollars": round(bill.dollars, 4),
        "IpamDollars": round(bill.ipam_dollars, 2),
    }


_NUMBERS = {"trail_days", "paid_trail_copies"}
"""Settings that are numbers and stand as such in no landscape."""


def _settings(question: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in question.items() if isinstance(value, bool | str) or name in _NUMBERS}


def _camel(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))
