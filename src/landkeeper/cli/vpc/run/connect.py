"""`vpc connect A B`: whether two accounts or VPCs can be connected."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from landkeeper.cli.output import Column, Row, counted, print_json, print_rows
from landkeeper.cli.terminal import aside, say
from landkeeper.cli.vpc.asked import Asked
from landkeeper.cli.vpc.known import age_of, exit_code, read_silently, remark_on
from landkeeper.org import format_time
from landkeeper.vpctracker.answers.connect import Pairing, Possible, Verdict, pair_up
from landkeeper.vpctracker.answers.endpoints import Endpoint, find_side
from landkeeper.vpctracker.answers.freshness import Freshness, know_region
from landkeeper.vpctracker.answers.spaces import spaces_of
from landkeeper.wiring.config import read_config

if TYPE_CHECKING:
    from landkeeper.vpctracker.answers.listing import Snapshot

_COLUMNS = (
    Column("VPC", "Source", style="cyan"),
    Column("and VPC", "Target", style="cyan"),
    Column("Peering", "Peering"),
    Column("Transit gateway", "TransitGateway"),
    Column("Conflicts", "InTheWay", style="yellow"),
    Column("Already connected", "Connected", style="green"),
)
_STYLES = {Possible.YES: "", Possible.PARTLY: "yellow", Possible.NO: "red"}


def run_connect(*, asked: Asked, source: str, target: str, everything: bool, config: str | None, format_: str) -> int:
    """Check whether two accounts or VPCs can be connected."""
    spaces = spaces_of(read_config(asked.settings.with_config(config)))
    known = read_silently(asked)
    sides = [find_side(text, known.vpcs, known.coverage) for text in (source, target)]
    remark_on(known)
    pairings = pair_up(sides[0], sides[1], spaces)
    if format_ == "json":
        print_json(_as_json(known, sides, pairings))
    else:
        _print_pairings(sides, pairings, everything=everything)
    for side in sides:
        _say_how_fresh(known, side)
    return exit_code(known)


def _print_pairings(sides: Sequence[Endpoint], pairings: Sequence[Pairing], *, everything: bool) -> None:
    say(f"{sides[0].label} and {sides[1].label}", "bold")
    for side in sides:
        if not side.vpcs:
            say(f"{side.label} has no tracked VPC.")
    chosen = [one for one in pairings if not one.has_default]
    shown = list(pairings) if everything or not chosen else chosen
    if not shown:
        return
    rows = [_row(one) for one in shown]
    columns = [one for one in _COLUMNS if one.attribute not in {"InTheWay", "Connected"} or any(
        row[one.attribute] for row in rows)]  # fmt: skip
    print_rows(rows, columns, "table", totals=_totals(shown), style_of=lambda row: row["Style"])
    for sentence in dict.fromkeys(_sentences(shown)):
        say(sentence)
    if len(shown) < len(pairings):
        hidden = pairings[len(shown) :]
        say(f"With default VPCs: {_totals(hidden)} --all shows them.", "dim")


def _totals(pairings: Sequence[Pairing]) -> str:
    peerable = sum(one.peering.possible is Possible.YES for one in pairings)
    routable = sum(one.routing.possible is Possible.YES for one in pairings)
    partly = sum(one.routing.possible is Possible.PARTLY for one in pairings)
    linked = sum(bool(one.links) for one in pairings)
    words = (
        f"{counted(len(pairings), 'pair')}: {peerable} can be peered, {routable} can be routed over a transit gateway"
    )
    words += f", {partly} partly" if partly else ""
    return words + (f"; {linked} already connected." if linked else ".")


def _sentences(pairings: Sequence[Pairing]) -> list[str]:
    """What an answer that is not yes is about: that of peering is in the table."""
    found = []
    for one in pairings:
        if one.peering == one.routing and one.peering.because:
            found.append(f"No: {one.peering.because}.")
        elif one.routing.because:
            found.append(f"Transit gateway, {one.routing.possible}: {one.routing.because}.")
    return found


def _row(one: Pairing) -> Row:
    return {
        "Source": _name(one, "source"),
        "Target": _name(one, "target"),
        "Peering": str(one.peering.possible),
        "TransitGateway": str(one.routing.possible),
        "InTheWay": ", ".join(map(str, one.obstacles)),
        "Connected": ", ".join(map(str, one.links)),
        "Style": _STYLES[one.routing.possible] if one.obstacles else "",
    }


def _name(one: Pairing, end: str) -> str:
    vpc = getattr(one, end).vpc
    named = f" {vpc.name}" if vpc.name else " default VPC" if vpc.is_default else ""
    return f"{vpc.id}{named} {vpc.region} {' '.join((*vpc.cidr_blocks, *vpc.ipv6_cidr_blocks))}"


def _as_json(known: Snapshot, sides: Sequence[Endpoint], pairings: Sequence[Pairing]) -> Row:
    return {
        "From": _side_as_json(known, sides[0]),
        "To": _side_as_json(known, sides[1]),
        "Pairs": [_pairing_as_json(one) for one in pairings],
    }


def _side_as_json(known: Snapshot, side: Endpoint) -> Row:
    return {
        "OwnerId": side.account,
        "Label": side.label,
        "VpcIds": [one.vpc.id for one in side.vpcs],
        "Knowledge": [
            {"Region": region, "Stale": about.why_stale,
             **({"ReadAt": format_time(about.read_at)} if about.read_at else {})}
            for region, about in _knowledge(known, side)
        ],
    }  # fmt: skip


def _pairing_as_json(one: Pairing) -> Row:
    return {
        "From": one.source.vpc.id,
        "To": one.target.vpc.id,
        "Peering": _verdict(one.peering),
        "TransitGateway": _verdict(one.routing),
        "InTheWay": [
            {"From": str(each.source), "To": str(each.target), "Identical": each.is_identical} for each in one.obstacles
        ],
        "Connected": [{"Id": link.id, "State": link.state} for link in one.links],
        "Peered": one.is_peered,
    }


def _verdict(verdict: Verdict) -> Row:
    return {"Possible": verdict.possible, "Because": verdict.because}


def _knowledge(known: Snapshot, side: Endpoint) -> list[tuple[str, Freshness]]:
    if known.as_of is not None:
        return []
    if side.is_vpc:
        return [(one.vpc.region, known.about(one)) for one in side.vpcs]
    coverage = known.coverage.get(side.account)
    if coverage is None or not coverage.regions:
        failure = coverage.failure if coverage else None
        why = str(failure.reason) if failure else "its account was never read"
        return [("every region", Freshness(why_stale=why))]
    return [(region, know_region(coverage, region)) for region in sorted(coverage.regions)]


def _say_how_fresh(known: Snapshot, side: Endpoint) -> None:
    told = _knowledge(known, side)
    moments: list[Any] = [about.read_at for _, about in told if about.read_at is not None]
    stale = [f"{region} ({about.why_stale})" for region, about in told if about.is_stale]
    if known.as_of is None and moments:
        oldest = min(moments)
        aside(f"{side.label}: last read {format_time(oldest)} ({age_of(datetime.now(UTC) - oldest)}).",
            "dim")  # fmt: skip
    if stale:
        aside(f"{side.label}: stale in {', '.join(stale)}.", "yellow")
