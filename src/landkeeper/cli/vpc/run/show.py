"""`vpc show` and `vpc history`: one VPC, as it is and as it became so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from landkeeper.cli.output import Column, Format, Row, chosen, plain, print_json, print_rows
from landkeeper.cli.tables import draw_facts
from landkeeper.cli.terminal import one_line, say_painted, width
from landkeeper.cli.vpc.known import exit_code, known_row, read_silently, remark_on
from landkeeper.cli.vpc.query import Query
from landkeeper.org import counted
from landkeeper.vpctracker.answers.listing import read_known
from landkeeper.vpctracker.answers.names import find_vpc
from landkeeper.vpctracker.answers.spaces import spaces_of
from landkeeper.vpctracker.attributes import after_entries_at
from landkeeper.vpctracker.inventory import VpcId
from landkeeper.wiring.config import read_config
from landkeeper.wiring.vpc_store import open_store

_PARTS = {
    "CidrAssociations": "Associations",
    "Subnets": "Subnets",
    "PeeringConnections": "Peering connections",
    "TransitGatewayAttachments": "Transit gateway attachments",
}
_BOOKKEEPING = frozenset({"FirstSeen", "LastChanged", "Version", "ReadBy"})
_TOLD_OF_NEW_ONES = frozenset({"Region", "Name", "CidrBlocks", "Ipv6CidrBlocks", "IsDefault"})
"""What a table says of a VPC when it appears; the rest is in `vpc show` and in JSON and CSV."""
_HISTORY_COLUMNS = (
    Column("At", "At"),
    Column("What", "Kind"),
    Column("Attribute", "Attribute", style="cyan"),
    Column("Before", "Before", style="red"),
    Column("After", "After", style="green"),
    Column("By", "By"),
)


def run_show(*, query: Query, vpc: str, config: str | None, format_: str) -> int:
    """Show all attributes of a VPC."""
    spaces = spaces_of(read_config(query.settings.with_config(config)))
    known = read_silently(query)
    found = find_vpc(vpc, known.vpcs, when=" at that time" if query.as_of else "")
    remark_on(known)
    rows = [{**known_row(known, stored), "Space": spaces.space_of(stored.vpc).name} for stored in found]
    if format_ == "csv":
        print_rows(rows, [Column(name, name) for name in rows[0]], "csv")
    elif format_ == "json":
        print_json(rows[0] if len(rows) == 1 else rows)
    else:
        for row in rows:
            _print_vpc(row)
    return exit_code(known)


def _print_vpc(row: Mapping[str, Any]) -> None:
    facts = []
    for name, value in row.items():
        if name == "Tags":
            tags = [one_line(f"{key} = {content}") for key, content in sorted(value.items())]
            facts.append((name, "\n".join(tags), ""))
        elif name not in _PARTS and plain(value):
            facts.append((name, one_line(plain(value)), "red" if name == "Stale" else ""))
    say_painted(draw_facts(facts, width()))
    for name, title in _PARTS.items():
        parts: Sequence[Row] = row[name]
        if parts:
            print_rows(parts, [Column(key, key) for key in parts[0]], "table", title=title)


def run_history(*, query: Query, vpc: str, format_: Format) -> int:
    """List the changes of a VPC, with old and new values."""
    with open_store(query.settings, to_write=False) as store:
        entries = list(store.read_history(VpcId(vpc)))
        if not entries:
            # By its name, and of the present: what it is called says which VPC is meant, not of when.
            found = find_vpc(vpc, read_known(store).vpcs)
            entries = list(store.read_history(found[0].vpc.id))
    if query.as_of is not None:
        entries = [entry for entry in entries if entry["At"] < after_entries_at(query.as_of)]
    if format_ == "json":
        print_json(entries)
        return 0
    rows = [row for entry in entries for row in _history_rows(entry)
            if format_ != "table" or row["Kind"] != "appeared" or row["Attribute"] in _TOLD_OF_NEW_ONES]  # fmt: skip
    columns = chosen(_HISTORY_COLUMNS, rows, format_, usual={"By": (None,)})
    print_rows(rows, columns, format_, totals=f"{counted(len(entries), 'entry', 'entries')}.")
    return 0


def _history_rows(entry: Row) -> Iterator[Row]:
    """A row for each attribute that says something new; one row for an entry of which only bookkeeping changed."""
    before, after = entry["Before"], entry["After"]
    names = [name for name in dict.fromkeys([*before, *after]) if name not in _BOOKKEEPING
             and plain(before.get(name)) != plain(after.get(name))]  # fmt: skip
    at = {"At": str(entry["At"]).partition("#")[0], "Kind": entry["Kind"]}
    if "By" in entry:
        at["By"] = entry["By"]
    if not names:
        yield {**at, "Attribute": "", "Before": "", "After": ""}
    for name in names:
        yield {**at, "Attribute": name, "Before": before.get(name), "After": after.get(name)}
