"""The story on a terminal: chapters, tables, and what is under way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.panel import Panel
from rich.rule import Rule
from rich.status import Status
from rich.table import Table
from rich.text import Text

from landkeeper.demo.acting import ACCOUNT, Acted
from landkeeper.demo.outcome import Observed, live
from landkeeper.embedded.launches import Launched
from landkeeper.embedded.organization import UNITS, Organization
from landkeeper.operate.stacks import ChangeSet
from landkeeper.vpctracker.default_vpcs.plan import Act
from landkeeper.vpctracker.default_vpcs.removal import Deleted
from landkeeper.vpctracker.vending.vend import Vended
from landkeeper.wiring.report import Written


@dataclass(slots=True)
class TerminalNarrator:
    """Tells the demo's story on a console."""

    console: Console
    _chapters: int = 0
    _status: Status | None = field(default=None, repr=False)

    def chapter(self, title: str) -> None:
        """A new part begins."""
        self._rest()
        self._chapters += 1
        self.console.print()
        self.console.print(Rule(f"[bold]{self._chapters}  {title}[/]", align="left", style="cyan"))

    def doing(self, what: str) -> None:
        """Something that takes a moment is under way; shown only where a person is watching."""
        if not self.console.is_terminal:
            return
        if self._status is None:
            self._status = self.console.status(what)
            self._status.start()
        self._status.update(what)

    def told(self, what: str) -> None:
        """Something happened."""
        self._rest()
        line = Table.grid(padding=(0, 1))
        line.add_row("•", Text(what))
        self.console.print(line)

    def close(self) -> None:
        """Nothing is under way any more."""
        self._rest()

    def organization(self, organization: Organization) -> None:
        """The sample organization stands."""
        self.told(f"organization {organization.id}, management account {organization.management_account}")
        for unit, names in UNITS.items():
            self.told(f"{unit}: {', '.join(names)}")

    def change_set(self, change_set: ChangeSet) -> None:
        """The stack's change set is ready."""
        kinds: dict[str, int] = {}
        for change in change_set.changes:
            kind = change.resource_type.removeprefix("AWS::").replace("::", " ")
            kinds[kind] = kinds.get(kind, 0) + 1
        self.told(f"The change set adds {len(change_set.changes)} resources")
        self.told(", ".join(f"{count} {kind}" if count > 1 else kind for kind, count in sorted(kinds.items())))

    def tracked(self, organization: Organization, observed: Observed) -> None:
        """The tracker has run."""
        tracked = [item for item in observed.stored if live(item)]
        defaults = sum(1 for item in tracked if item["IsDefault"])
        self.told(
            f"{len(tracked)} VPCs of {len({item['OwnerId'] for item in tracked})} accounts in "
            f"{len({item['Region'] for item in tracked})} regions tracked in table VPCTracker; {defaults} of them "
            "are default VPCs"
        )
        self._rest()
        self.console.print()
        self.console.print(_collisions(observed, tracked))
        self.console.print()
        label = {account: name for name, account in organization.accounts.items()}
        for item in tracked:
            if item["SharedWith"]:
                others = " and ".join(sorted(label[account] for account in item["SharedWith"]))
                self.told(
                    f"{item['Name']} ({item['CidrBlock']}) of {item['AccountName']} is shared with {others} (one item)"
                )
        for account in observed.unreadable:
            self.told(f"{label.get(account, account)} ({account}) could not be read: role not assumable")
            self.told("Its VPCs are unknown, so its ranges do not count as free")

    def acted(self, acted: Acted) -> None:
        """A default VPC went, and a new VPC came."""
        plan, reservation = acted.plan, acted.plan.reservation
        for removal in acted.removals:
            if isinstance(removal, Deleted):
                subnets = sum(step.act is Act.DELETE_SUBNET for step in removal.steps)
                self.told(f"Deleted the unused default VPC of {ACCOUNT} in {plan.region} with its {subnets} subnets")
        self.told(
            f"Reserved {reservation.block} for {ACCOUNT}, the lowest free block of pool {reservation.pool}, with "
            f"{reservation.room} reserved for growth"
        )
        if isinstance(acted.report.outcome, Vended):
            self.told(f"Created and tracked {acted.report.outcome.vpc} with these subnets")
        table = Table(box=None, pad_edge=False, header_style="bold")
        for title in ("subnet", "for", "zone", "addresses"):
            table.add_column(title, justify="right" if title == "addresses" else "left", no_wrap=title == "subnet")
        for subnet in plan.layout.subnets:
            table.add_row(str(subnet.block), subnet.tier, subnet.zone.id, str(subnet.usable_addresses))
        self._rest()
        self.console.print()
        self.console.print(table)

    def launched(self, organization: Organization, launches: Sequence[Launched]) -> None:
        """The sample launches were made."""
        for launch in launches:
            sample = launch.sample
            tags = ", ".join(f"{key}={value}" for key, value in sample.tags.items()) or "no tags"
            count = f"{len(launch.instance_ids)} x " if len(launch.instance_ids) > 1 else ""
            self.told(f"{sample.user} in {sample.account}, {sample.region}: {count}{sample.instance_type}, {tags}")

    def swept(self, organization: Organization, launches: Sequence[Launched], observed: Observed) -> None:
        """Broom has dealt with them."""
        states = {instance.instance_id: instance for instance in observed.instances}
        table = Table(box=None, pad_edge=False, header_style="bold")
        for title in ("instance", "launched by", "in", "tagged", "now"):
            table.add_column(title, no_wrap=title == "instance")
        for launch in launches:
            for instance_id in launch.instance_ids:
                seen = states.get(instance_id)
                fate = Text("not in EC2", style="red") if seen is None else _fate(ended=seen.ended)
                sample = launch.sample
                table.add_row(instance_id, Text(sample.user), sample.account, Text(sample.story), fate)
        self._rest()
        self.console.print(table)
        first = next(launch for launch in launches if not launch.sample.complies)
        for report in observed.reports:
            if first.instance_ids[0] in report.text:
                self.console.print()
                self.told(f"{len(observed.reports)} reports were published to SNS, one per launch. The first:")
                self.console.print(Panel(Text(report.text.strip()), title=Text(report.subject)))

    def reported(self, written: Written) -> None:
        """The report of it all is written."""
        self.told(f"Open the report in a browser: {written.path}")

    def _rest(self) -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None


def _collisions(observed: Observed, tracked: Sequence[Mapping[str, Any]]) -> Table:
    names = {item["VpcId"]: f"{item['AccountName']} / {item['Name']}" for item in tracked}
    # The primary block comes first; the others are stored by the ids of their associations, which are chance.
    blocks = {item["VpcId"]: " ".join([item["CidrBlocks"][0], *sorted(item["CidrBlocks"][1:])]) for item in tracked}
    table = Table(title="Overlaps", title_justify="left", title_style="bold", box=None, pad_edge=False)
    table.add_column("who", style="yellow")
    table.add_column("CIDR blocks")
    for number, group in enumerate(observed.overlap_groups):
        if number:
            table.add_row()
        for vpc in sorted(group, key=names.__getitem__):
            table.add_row(Text(names[vpc]), Text(blocks[vpc]))
    return table


def _fate(*, ended: bool) -> Text:
    return Text("destroyed", style="red") if ended else Text("kept", style="green")
