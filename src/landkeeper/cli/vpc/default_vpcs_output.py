"""Default VPCs as rows: what may go, what keeps them, what became of them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import assert_never

from landkeeper.cli.output import Column, Format, Row, chosen, print_rows
from landkeeper.org import Account, Failure, counted
from landkeeper.vpctracker.default_vpcs.plan import Act, InUse, Plan, Reason, Step, Unchecked, Unknown
from landkeeper.vpctracker.default_vpcs.removal import Deleted, Failed, Found, Gone, Result

_COLUMNS = (
    Column("Account", "AccountName", optional=1),
    Column("Account id", "OwnerId"),
    Column("Region", "Region"),
    Column("Default VPC", "VpcId", style="cyan"),
    Column("State", "State"),
    Column("Details", "Detail"),
)
_STYLES = {"in use": "yellow", "unknown": "red", "failed": "red", "gone": "dim"}
_STATES = ("unused", "deleted", "gone", "in use", "unknown", "failed")
_ALIKE = frozenset({"unused", "deleted", "gone"})
"""States in which the VPCs of an account are told in one line where there are many rows."""
_MANY_ROWS = 25
_MOST_REASONS = 4
_PARTS = {
    Act.DELETE_SUBNET: "subnet",
    Act.DELETE_GATEWAY: "internet gateway",
    Act.DELETE_ROUTE_TABLE: "route table",
    Act.DELETE_NETWORK_ACL: "network ACL",
}


Told = tuple[Account, Found | Result]
"""A default VPC with its account."""


def print_default_vpcs(outcomes: Sequence[Told], format_: Format, *, nothing: str) -> None:
    """A row for each; in a table that would be long, those of an account that just go are one row."""
    outcomes = sorted(outcomes, key=lambda outcome: (outcome[0].name, outcome[0].id, outcome[1].vpc.region))
    rows = [_row(account, found) for account, found in outcomes]
    shown = _brief(outcomes) if format_ == "table" and len(outcomes) > _MANY_ROWS else rows
    columns = chosen(_COLUMNS, shown, format_, usual={"AccountName": ("",)})
    totals = _totals(rows) if rows else nothing
    print_rows(shown, columns, format_, totals=totals, style_of=lambda row: _STYLES.get(row["State"], ""))


def _totals(rows: Sequence[Row]) -> str:
    accounts, regions = ({row[name] for row in rows} for name in ("OwnerId", "Region"))
    states = Counter(row["State"] for row in rows)
    places = f"{counted(len(accounts), 'account')} and {counted(len(regions), 'region')}"
    kinds = ", ".join(f"{states[state]} {state}" for state in _STATES if states[state])
    return f"{counted(len(rows), 'default VPC')} in {places}: {kinds}."


def _brief(outcomes: Sequence[Told]) -> list[Row]:
    alike: defaultdict[tuple[str, str], list[Told]] = defaultdict(list)
    for account, found in outcomes:
        state = str(_about(found)["State"])
        alike[account.id, state if state in _ALIKE else found.vpc.id].append((account, found))
    return [_row(*group[0]) if len(group) == 1 else _together(group) for group in alike.values()]


def _together(group: Sequence[Told]) -> Row:
    steps = [step for _, found in group if isinstance(found, Plan | Deleted) for step in found.steps]
    return {
        **_row(*group[0]),
        "Region": counted(len(group), "region"),
        "VpcId": counted(len(group), "default VPC"),
        "Detail": _parts(steps),
    }


def _row(account: Account, outcome: Found | Result) -> Row:
    vpc = outcome.vpc
    place = {"AccountName": account.name, "OwnerId": account.id, "Region": vpc.region}
    return {**place, "VpcId": vpc.id, "CidrBlock": vpc.cidr_block, **_about(outcome)}


def _about(outcome: Found | Result) -> Row:
    match outcome:
        case Plan(_, steps):
            return {"State": "unused", "Detail": _parts(steps), "Steps": list(map(str, steps))}
        case Deleted(_, steps):
            return {"State": "deleted", "Detail": _parts(steps), "Steps": list(map(str, steps))}
        case Gone():
            return {"State": "gone", "Detail": "already deleted or replaced before its turn"}
        case InUse(vpc, reasons):
            unchecked = {"Unchecked": list(map(_unchecked, vpc.unchecked))} if vpc.unchecked else {}
            return {"State": "in use", "Detail": _some(reasons), "Reasons": list(map(_reason, reasons)), **unchecked}
        case Unknown(vpc):
            return {
                "State": "unknown",
                "Detail": f"treated as in use: {_some(vpc.unchecked)}",
                "Unchecked": list(map(_unchecked, vpc.unchecked)),
            }
        case Failed():
            return _failed(outcome)
        case _:
            assert_never(outcome)


def _failed(failed: Failed) -> Row:
    row = {"State": "failed", "Error": _failure(failed.failure)}
    if not failed.left:
        return {**row, "Detail": f"not started: {failed.failure}"}
    total = len(failed.done) + len(failed.left)
    detail = (
        f"could not {failed.left[0]}: {failed.failure}; {len(failed.done)} of {total} steps done; run the command again"
    )
    return {**row, "Detail": detail, "Done": list(map(str, failed.done)), "Left": list(map(str, failed.left))}


def _failure(failure: Failure) -> Row:
    return {"Reason": failure.reason.name, "Code": failure.code, "Message": failure.message}


def _reason(reason: Reason) -> Row:
    return {"Kind": str(reason.look), "Id": reason.id, "Note": reason.note}


def _unchecked(unchecked: Unchecked) -> Row:
    return {"Kind": str(unchecked.look), **_failure(unchecked.failure)}


def _some(these: Sequence[Reason] | Sequence[Unchecked]) -> str:
    more = f"; and {len(these) - _MOST_REASONS} more" if len(these) > _MOST_REASONS else ""
    return "; ".join(map(str, these[:_MOST_REASONS])) + more


def _parts(steps: Iterable[Step]) -> str:
    """What goes with VPCs, in numbers."""
    numbers = Counter(step.act for step in steps)
    return (
        ", ".join(counted(numbers[act], noun) for act, noun in _PARTS.items() if numbers[act]) or "no other resources"
    )
