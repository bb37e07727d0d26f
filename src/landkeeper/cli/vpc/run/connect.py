"""`vpc connect A B`: whether two accounts or VPCs can be connected."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from landkeeper.cli.output import JSON_VERSION, Column, Row, print_json, print_rows
from landkeeper.cli.terminal import aside, say
from landkeeper.cli.vpc.known import age_of, exit_code, read_silently, remark_on
from landkeeper.cli.vpc.query import Query
from landkeeper.org import counted, format_time
from landkeeper.vpctracker.answers.connect import Pairing, Possible, Verdict, pair_up
from landkeeper.vpctracker.answers.endpoints import Endpoint, find_endpoint
from landkeeper.vpctracker.answers.freshness import Freshness, know_region
from landkeeper.vpctracker.answers.spaces import spaces_of
from landkeeper.wiring.config import read_config
from landkeeper.wiring.partitions import partition_of

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
_CSV = tuple(column.attribute for column in _COLUMNS)
_STYLES = {Possible.YES: "", Possible.PARTLY: "yellow", Possible.NO: "red"}


def run_connect(*, query: Query, source: str, target: str, everything: bool, config: str | None, format_: str) -> int:
    """Check whether two accounts or VPCs can be connected."""
    spaces = spaces_of(read_config(query.settings.with_config(config)))
    known = read_silently(query)
    sides = [find_endpoint(text, known.vpcs, known.coverage) for text in (source, target)]
    remark_on(known)
    pairings = pair_up(sides[0], sides[1], spaces, partition_of)
    if format_ == "json":
        print_json({"Version": JSON_VERSION, **_as_json(known, sides, pairings)})
    elif format_ == "csv":
        print_rows([_csv_row(pairing) for pairing in pairings], [Column(name, name) for name in _CSV], "csv")
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
    chosen = [pairing for pairing in pairings if not pairing.has_default]
    shown = list(pairings) if everything or not chosen else chosen
    if not shown:
        return
    rows = [_row(pairing) for pairing in shown]
    columns = [column for column in _COLUMNS if column.attribute not in {"InTheWay", "Connected"} or any(
        row[column.attribute] for row in rows)]  # fmt: skip
    print_rows(rows, columns, "table", totals=_totals(shown), style_of=lambda row: row["Style"])
    for sentence in dict.fromkeys(_sentences(shown)):
        say(sentence)
    if len(shown) < len(pairings):
        hidden = pairings[len(shown) :]
        say(f"With default VPCs: {_totals(hidden)} --all shows them.", "dim")


def _totals(pairings: Sequence[Pairing]) -> str:
    peerable = sum(pairing.peering.possible is Possible.YES for pairing in pairings)
    routable = sum(pairing.routing.possible is Possible.YES for pairing in pairings)
    partly = sum(pairing.routing.possible is Possible.PARTLY for pairing in pairings)
    linked = sum(bool(pairing.links) for pairing in pairings)
    words = (
        f"{counted(len(pairings), 'pair')}: {peerable} can be peered, {routable} can be routed over a transit gateway"
    )
    words += f", {partly} partly" if partly else ""
    return words + (f"; {linked} already connected." if linked else ".")


def _sentences(pairings: Sequence[Pairing]) -> list[str]:
    """What an answer that is not yes is about: that of peering is in the table."""
    found = []
    for pairing in pairings:
        if pairing.peering == pairing.routing and pairing.peering.because:
            found.append(f"No: {pairing.peering.because}.")
        elif pairing.routing.because:
            found.append(f"Transit gateway, {pairing.routing.possible}: {pairing.routing.because}.")
    return found


def _row(pairing: Pairing) -> Row:
    return {
        "Source": _name(pairing, "source"),
        "Target": _name(pairing, "target"),
        "Peering": str(pairing.peering.possible),
        "TransitGateway": str(pairing.routing.possible),
        "InTheWay": ", ".join(map(str, pairing.obstacles)),
        "Connected": ", ".join(map(str, pairing.links)),
        "Style": _STYLES[pairing.routing.possible] if pairing.obstacles else "",
    }


def _csv_row(pairing: Pairing) -> Row:
    return {**_row(pairing), "Source": pairing.source.vpc.id, "Target": pairing.target.vpc.id}


def _name(pairing: Pairing, end: str) -> str:
    vpc = getattr(pairing, end).vpc
    named = f" {vpc.name}" if vpc.name else " default VPC" if vpc.is_default else ""
    return f"{vpc.id}{named} {vpc.region} {' '.join((*vpc.cidr_blocks, *vpc.ipv6_cidr_blocks))}"


def _as_json(known: Snapshot, sides: Sequence[Endpoint], pairings: Sequence[Pairing]) -> Row:
    return {
        "From": _side_as_json(known, sides[0]),
        "To": _side_as_json(known, sides[1]),
        "Pairs": [_pairing_as_json(pairing) for pairing in pairings],
    }


def _side_as_json(known: Snapshot, side: Endpoint) -> Row:
    return {
        "OwnerId": side.account,
        "Label": side.label,
        "VpcIds": [endpoint_vpc.vpc.id for endpoint_vpc in side.vpcs],
        "Knowledge": [
            {"Region": region, "Stale": about.why_stale,
             **({"ReadAt": format_time(about.read_at)} if about.read_at else {})}
            for region, about in _knowledge(known, side)
        ],
    }  # fmt: skip


def _pairing_as_json(pairing: Pairing) -> Row:
    return {
        "From": pairing.source.vpc.id,
        "To": pairing.target.vpc.id,
        "Peering": _verdict(pairing.peering),
        "TransitGateway": _verdict(pairing.routing),
        "InTheWay": [
            {"From": str(obstacle.source), "To": str(obstacle.target), "Identical": obstacle.is_identical}
            for obstacle in pairing.obstacles
        ],
        "Connected": [{"Id": link.id, "State": link.state} for link in pairing.links],
        "Peered": pairing.is_peered,
    }


def _verdict(verdict: Verdict) -> Row:
    return {"Possible": verdict.possible, "Because": verdict.because}


def _knowledge(known: Snapshot, side: Endpoint) -> list[tuple[str, Freshness]]:
    if known.as_of is not None:
        return []
    if side.is_vpc:
        return [(vpc.vpc.region, known.about(vpc)) for vpc in side.vpcs]
    coverage = known.coverage.get(side.account)
    if coverage is None or not coverage.regions:
        failure = coverage.failure if coverage else None
        why = str(failure.reason) if failure else "its account was never read"
        return [("every region", Freshness(why_stale=why))]
    return [(region, know_region(coverage, region)) for region in sorted(coverage.regions)]


def _say_how_fresh(known: Snapshot, side: Endpoint) -> None:
    knowledge = _knowledge(known, side)
    moments: list[Any] = [about.read_at for _, about in knowledge if about.read_at is not None]
    stale = [f"{region} ({about.why_stale})" for region, about in knowledge if about.is_stale]
    if known.as_of is None and moments:
        oldest = min(moments)
        aside(f"{side.label}: last read {format_time(oldest)} ({age_of(datetime.now(UTC) - oldest)}).",
            "dim")  # fmt: skip
    if stale:
        aside(f"{side.label}: stale in {', '.join(stale)}.", "yellow")
