"""What an administrator declares in `landkeeper.yaml`: spaces, connections, governed regions, discovery, notices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from landkeeper.org import AccountId, Region
from landkeeper.vpctracker.cidr import Block, parse_block

DEFAULT_SPACE = "default"
"""The space of every VPC that no declared space takes."""

SHARED_ADDRESS_SPACE = parse_block("100.64.0.0/10")
"""Repeated on purpose in many networks, as for pods behind NAT (RFC 6598)."""

UNREADABLE_RUNS = 3
"""After how many runs in a row that could not read all of an account a notice goes out."""


@dataclass(frozen=True, slots=True)
class Space:
    """Separate address spaces may use the same blocks: overlaps, connections and allocation stay within a space."""

    name: str
    accounts: tuple[str, ...] = ()
    """Ids or names of the accounts whose VPCs are in it."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """VPCs with all of these tags are in it, whosever they are; the value `*` is any value."""
    repeated: tuple[Block, ...] = (SHARED_ADDRESS_SPACE,)
    """Blocks in which the space repeats addresses on purpose."""


@dataclass(frozen=True, slots=True)
class Connection:
    """Two accounts, or VPCs, that are to reach each other: an overlap between them hurts."""

    source: str
    """The key `from`: an account id, an account name, or a VPC id."""
    target: str
    """The key `to`."""


@dataclass(frozen=True, slots=True)
class Governed:
    """Regions closed by policy, for example by a service control policy: not read, no alarm."""

    regions: tuple[Region, ...]
    accounts: tuple[AccountId, ...] = ()
    """The accounts it holds for; empty means all."""


@dataclass(frozen=True, slots=True)
class Discovery:
    """Which accounts of the organization are read."""

    include_ous: tuple[str, ...] = ()
    """Ids or paths such as `Workloads/Prod`, with everything under them; empty means the whole organization."""
    skip_ous: tuple[str, ...] = ()
    """Ids or paths that are left out, with everything under them; this beats `include_ous`."""
    skip_accounts: tuple[AccountId, ...] = ()


@dataclass(frozen=True, slots=True)
class DeclaredAccount:
    """An account that cannot be read, and the ranges that it is known to use."""

    account: AccountId
    blocks: tuple[Block, ...]
    """Counted as taken; empty means that it is known to use none."""
    owner: str
    """Who answers for the declaration."""
    expires: date
    """The last day, in UTC, on which it holds. After it the account counts as unread, and its blocks stay taken."""

    def has_expired(self, today: date) -> bool:
        """Return whether the declaration no longer stands for a read of the account."""
        return self.expires < today


@dataclass(frozen=True, slots=True)
class Notices:
    """When to tell people."""

    unreadable_runs: int = UNREADABLE_RUNS


@dataclass(frozen=True, slots=True)
class TrackerConfig:
    """All of it; what a file leaves out is as here."""

    spaces: tuple[Space, ...] = ()
    """In the order of the file. Tags come before accounts; the first space whose tags a VPC has, has it."""
    connections: tuple[Connection, ...] = ()
    governed: tuple[Governed, ...] = ()
    discovery: Discovery = Discovery()
    declared_accounts: tuple[DeclaredAccount, ...] = ()
    notices: Notices = Notices()

    def expired_declarations(self, today: date) -> tuple[DeclaredAccount, ...]:
        """Return the declared accounts that count as unread again."""
        return tuple(known for known in self.declared_accounts if known.has_expired(today))

    def is_governed(self, account: AccountId, region: Region) -> bool:
        """Return whether the region of that account is closed by policy."""
        return any(
            region in governed.regions and (not governed.accounts or account in governed.accounts)
            for governed in self.governed
        )
