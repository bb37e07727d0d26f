"""CIDR blocks as integer intervals: parsing, containment, and which blocks lie inside which.

Two CIDR blocks are nested or apart, never half over each other. So one sort and a stack find every overlap.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv6Address
from typing import Final, Literal

from landkeeper.org import LandkeeperError

IpVersion = Literal[4, 6]

_BITS: Final[dict[IpVersion, int]] = {4: 32, 6: 128}
_IPV4 = re.compile(r"(0|[1-9][0-9]{0,2})\.(0|[1-9][0-9]{0,2})\.(0|[1-9][0-9]{0,2})\.(0|[1-9][0-9]{0,2})")
_IPV4_BLOCK = re.compile(_IPV4.pattern + r"/(0|[1-9][0-9]?)")
_PREFIX_LENGTH = re.compile(r"0|[1-9][0-9]{0,2}")


class MalformedBlockError(LandkeeperError, ValueError):
    """A text is not a CIDR block."""

    def __init__(self, text: str, why: str) -> None:
        super().__init__(f"'{text}' is not a CIDR block: {why}")
        self.text = text
        self.why = why


@dataclass(frozen=True, slots=True)
class Block:
    """A CIDR block: the addresses `first` to `last`, both included."""

    version: IpVersion
    first: int
    last: int
    prefix_length: int

    @property
    def sort_key(self) -> int:
        """Sorts IPv4 before IPv6, then by first address, and of two that begin together the wider one first."""
        return (self.version << 136) | (self.first << 8) | self.prefix_length

    @property
    def size(self) -> int:
        """How many addresses it has."""
        return self.last - self.first + 1

    def contains(self, other: Block) -> bool:
        """Whether all of `other` lies inside; a block contains itself."""
        return self.version == other.version and self.first <= other.first and other.last <= self.last

    def overlaps(self, other: Block) -> bool:
        """Whether they share an address."""
        return self.version == other.version and self.first <= other.last and other.first <= self.last

    def __str__(self) -> str:
        if self.version == 6:
            return f"{IPv6Address(self.first)}/{self.prefix_length}"
        value = self.first
        return f"{value >> 24}.{value >> 16 & 255}.{value >> 8 & 255}.{value & 255}/{self.prefix_length}"


def parse_block(text: str) -> Block:
    """The block that `text` names, as in `10.0.0.0/16` or `2001:db8::/56`.

    Raises MalformedBlockError when it is none, or when bits behind the prefix are set.
    """
    usual = _IPV4_BLOCK.fullmatch(text)
    if usual is not None:
        a, b, c, d, prefix_length = map(int, usual.groups())
        host_bits = 0xFFFFFFFF >> prefix_length
        first = a << 24 | b << 16 | c << 8 | d
        if a < 256 and b < 256 and c < 256 and d < 256 and prefix_length <= 32 and not first & host_bits:
            return Block(4, first, first | host_bits, prefix_length)
    return _parse_or_explain(text)


def _parse_or_explain(text: str) -> Block:
    address, slash, length_text = text.partition("/")
    if not slash:
        raise MalformedBlockError(text, "the prefix length is missing")
    version: IpVersion = 6 if ":" in address else 4
    first = _parse_ipv6(text, address) if version == 6 else _parse_ipv4(text, address)
    if not _PREFIX_LENGTH.fullmatch(length_text) or int(length_text) > _BITS[version]:
        raise MalformedBlockError(text, f"the prefix length is not a number from 0 to {_BITS[version]}")
    block = block_at(version, first, int(length_text))
    if block.first != first:
        raise MalformedBlockError(text, f"host bits are set; the block there is {block}")
    return block


def block_at(version: IpVersion, address: int, prefix_length: int) -> Block:
    """The block of that prefix length which holds `address`."""
    host_bits = (1 << (_BITS[version] - prefix_length)) - 1
    return Block(version, address & ~host_bits, address | host_bits, prefix_length)


def _parse_ipv4(text: str, address: str) -> int:
    matched = _IPV4.fullmatch(address)
    parts = [int(part) for part in matched.groups()] if matched else []
    if not parts or max(parts) > 255:
        raise MalformedBlockError(text, "the address is not four numbers from 0 to 255")
    return parts[0] << 24 | parts[1] << 16 | parts[2] << 8 | parts[3]


def _parse_ipv6(text: str, address: str) -> int:
    try:
        parsed = IPv6Address(address)
    except AddressValueError as error:
        raise MalformedBlockError(text, "the address is not an IPv6 address") from error
    if parsed.scope_id is not None:
        raise MalformedBlockError(text, "a block has no zone")
    return int(parsed)


def group_by_containment(blocks: Sequence[Block]) -> list[list[int]]:
    """Positions in `blocks`, grouped: each group is an outermost block, first, and all that lies inside it.

    Groups come in the order of their addresses, and so do the members of each. Of equal blocks the earlier one counts
    as the outer one. Every position is in exactly one group; a block that meets no other is a group of one.
    """
    groups: list[list[int]] = []
    version, last = 0, -1
    for position in sorted(range(len(blocks)), key=[block.sort_key for block in blocks].__getitem__):
        block = blocks[position]
        if block.version != version or block.first > last:
            version, last = block.version, block.last
            groups.append([])
        groups[-1].append(position)
    return groups
