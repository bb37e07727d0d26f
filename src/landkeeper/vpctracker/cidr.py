"""CIDR blocks as integer intervals: parsing, containment, and which blocks lie inside which.

Two CIDR blocks are nested or apart, never half over each other. So one sort finds every overlap.

Many blocks at once are worked on as keys, one integer each: `first << 8 | prefix length`, with a bit on top for IPv6.
Keys sort IPv4 before IPv6, then by first address, and of two that begin together the wider one first.
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
_PREFIX_LENGTH = re.compile(r"0|[1-9][0-9]{0,2}")

_IPV6_BIT = 1 << 136
_FIRST_OCTET, _SECOND_OCTET, _THIRD_OCTET = ({str(n): n << shift for n in range(256)} for shift in (32, 24, 16))
_LAST_OCTET_AND_LENGTH: Final[dict[str, int]] = {}
"""What each part of a dotted quad adds to its key. Looked up, because numbers cost more to parse than to find. The last
part has 8,448 forms: each is noted when it is first met, for a command that starts does not wait for all of them."""
_PREFIX_LENGTHS: Final = frozenset(map(str, range(33)))
_SPANS: Final[dict[IpVersion, tuple[int, ...]]] = {
    version: tuple((1 << (bits - length)) - 1 << 8 for length in range(bits + 1)) for version, bits in _BITS.items()
}
"""By prefix length, the bits of a key that differ between a block's first address and its last."""


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
        """Its key."""
        return (_IPV6_BIT if self.version == 6 else 0) | self.first << 8 | self.prefix_length

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
    key = _find_ipv4_key(text)
    return _parse_or_explain(text) if key is None else _ipv4_block(key)


def parse_key(text: str) -> int:
    """The key of the block that `text` names, at less cost than that of the block. Raises as `parse_block` does."""
    key = _find_ipv4_key(text)
    return _parse_or_explain(text).sort_key if key is None else key


def _find_ipv4_key(text: str) -> int | None:
    try:
        first, second, third, tail = text.split(".")
        key = _FIRST_OCTET[first] | _SECOND_OCTET[second] | _THIRD_OCTET[third] | _LAST_OCTET_AND_LENGTH[tail]
    except KeyError:
        return _find_ipv4_key(text) if _note_last_part(tail) else None
    except ValueError:
        return None
    return None if key & _SPANS[4][key & 0xFF] else key


def _note_last_part(text: str) -> bool:
    """Note what a last octet with its prefix length adds to a key; False where it is none, or was noted before."""
    octet, _, length = text.partition("/")
    if text in _LAST_OCTET_AND_LENGTH or octet not in _THIRD_OCTET or length not in _PREFIX_LENGTHS:
        return False
    _LAST_OCTET_AND_LENGTH[text] = int(octet) << 8 | int(length)
    return True


def _ipv4_block(key: int) -> Block:
    return Block(4, key >> 8, (key | _SPANS[4][key & 0xFF]) >> 8, key & 0xFF)


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


def shared_octets(block: Block) -> str:
    """What the texts begin with of all IPv4 blocks from /16 on that share an address with this one, as in `10.`.

    Whole octets, two at most; empty where they begin with nothing in particular.
    """
    octets = str(block).split(".")[: min(block.prefix_length // 8, 2)]
    return "".join(f"{octet}." for octet in octets)


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
    return group_keys([block.sort_key for block in blocks])


def group_keys(keys: Sequence[int]) -> list[list[int]]:
    """Positions in `keys`, grouped as `group_by_containment` does it for blocks."""
    groups: list[list[int]] = []
    group: list[int] = []
    last = -1
    for position in sorted(range(len(keys)), key=keys.__getitem__):
        key = keys[position]
        if key > last:
            last = key | _SPANS[6 if key & _IPV6_BIT else 4][key & 0xFF] | 0xFF
            group = []
            groups.append(group)
        group.append(position)
    return groups
