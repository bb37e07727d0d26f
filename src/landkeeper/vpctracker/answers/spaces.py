"""Which address space a VPC is in. Overlaps, connections and allocation stay inside one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from landkeeper.org import UsageError
from landkeeper.vpctracker.config import DEFAULT_SPACE, Space, TrackerConfig

if TYPE_CHECKING:
    from landkeeper.vpctracker.inventory import StoredVpc, Vpc


@dataclass(frozen=True, slots=True)
class Spaces:
    """The declared spaces, ready to be asked."""

    tagged: tuple[Space, ...]
    """Those that take VPCs by their tags, in the order of the file."""
    by_account: Mapping[str, Space]
    """By the id or the name of an account."""
    default: Space
    """What no other space takes."""

    def space_of(self, vpc: Vpc) -> Space:
        """The one space that the VPC is in: by its tags, else by its owner, else the default one."""
        for space in self.tagged:
            if all(_has_tag(vpc, key, value) for key, value in space.tags.items()):
                return space
        return self.by_account.get(vpc.owner) or self.by_account.get(vpc.account_name) or self.default


def spaces_of(config: TrackerConfig) -> Spaces:
    """The spaces of the configuration, and the default one."""
    return Spaces(
        tagged=tuple(space for space in config.spaces if space.tags),
        by_account={account: space for space in config.spaces for account in space.accounts},
        default=find_space(config, DEFAULT_SPACE) or Space(DEFAULT_SPACE),
    )


def find_space(config: TrackerConfig, name: str) -> Space | None:
    """The declared space of that name."""
    return next((space for space in config.spaces if space.name == name), None)


def check_space(config: TrackerConfig, name: str) -> str:
    """The name, where it is that of a space. Raises UsageError naming those that there are."""
    if name != DEFAULT_SPACE and find_space(config, name) is None:
        names = ", ".join(dict.fromkeys([*(space.name for space in config.spaces), DEFAULT_SPACE]))
        raise UsageError(f"there is no space '{name}'; there are {names}")
    return name


def split_by_space(vpcs: Iterable[StoredVpc], config: TrackerConfig) -> list[tuple[Space, list[StoredVpc]]]:
    """The VPCs of each space that has any; in the order of the file, the default space last."""
    spaces = spaces_of(config)
    found: dict[str, list[StoredVpc]] = defaultdict(list)
    for stored in vpcs:
        found[spaces.space_of(stored.vpc).name].append(stored)
    declared = [space for space in config.spaces if space.name != DEFAULT_SPACE]
    return [(space, found[space.name]) for space in (*declared, spaces.default) if space.name in found]


def _has_tag(vpc: Vpc, key: str, value: str) -> bool:
    return key in vpc.tags if value == "*" else vpc.tags.get(key) == value
