"""Which block to take: the lowest one that is free, with room to grow where that is asked for.

Blocks are worked on as the keys of `cidr`: `first << 8 | prefix length`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from landkeeper.org import UsageError
from landkeeper.vpctracker.cidr import Block, block_at, parse_block

DOCKER_BRIDGE = parse_block("172.17.0.0/16")
"""Docker's own network on every host, and that of AWS Cloud9 and SageMaker: a VPC there is hard to reach from those
(Amazon VPC User Guide, "VPC CIDR blocks")."""

SHORTEST_PREFIX, LONGEST_PREFIX = 16, 28
"""The prefix lengths that a VPC's block may have (Amazon VPC User Guide, "VPC CIDR blocks")."""

_HOST_BITS = tuple((1 << (32 - length)) - 1 for length in range(33))


@dataclass(frozen=True, slots=True)
class Choice:
    """A block that is free, and the free block around it that is kept for its growth."""

    block: Block
    room: Block | None = None
    """None where no room was asked for."""


@dataclass(frozen=True, slots=True)
class PoolExhausted:
    """Nothing that large is free."""

    largest: Block | None
    """The lowest of the largest free blocks; None where not one address is free."""


def choose_block(
    pool: Block, taken: Iterable[int], prefix_length: int, grow_to: int | None = None
) -> Choice | PoolExhausted:
    """The lowest free block of `prefix_length` in `pool`; with `grow_to` the first one in a wholly free block of that.

    `taken` has the keys of blocks that may not be touched; they may overlap one another and reach outside the pool, and
    be of IPv6. Raises UsageError for lengths that no VPC can have, and for a room that is smaller than the block.
    """
    check_prefix_length(prefix_length, "the prefix length")
    if grow_to is not None and not 0 <= grow_to <= prefix_length:
        raise UsageError(f"a /{prefix_length} cannot grow to a /{grow_to}: that is smaller")
    gaps = list(find_gaps(pool, taken))
    length = prefix_length if grow_to is None else grow_to
    for first, last in gaps:
        start = _aligned(first, length)
        if start + _HOST_BITS[length] <= last:
            room = None if grow_to is None else block_at(4, start, grow_to)
            return Choice(block_at(4, start, prefix_length), room)
    return PoolExhausted(_largest(gaps))


def check_prefix_length(length: int, what: str) -> int:
    """The length, where a VPC can have it. Raises UsageError naming `what` is wrong."""
    if not SHORTEST_PREFIX <= length <= LONGEST_PREFIX:
        raise UsageError(f"{what} is /{length}: the blocks of a VPC are from /{SHORTEST_PREFIX} to /{LONGEST_PREFIX}")
    return length


def find_gaps(pool: Block, taken: Iterable[int]) -> Iterator[tuple[int, int]]:
    """First and last address of every stretch of the pool that nothing has taken, in order."""
    at = pool.first
    for key in sorted(taken):
        first = key >> 8
        if first > pool.last:
            break
        last = first | _HOST_BITS[key & 0xFF]
        if last < at:
            continue
        if first > at:
            yield at, first - 1
        at = last + 1
    if at <= pool.last:
        yield at, pool.last


def count_addresses(pool: Block, taken: Iterable[int]) -> int:
    """How many addresses of the pool are taken; what several have counts once."""
    return pool.size - sum(last - first + 1 for first, last in find_gaps(pool, taken))


def find_largest_free(pool: Block, taken: Iterable[int]) -> Block | None:
    """The lowest of the largest blocks that are free in the pool; None where not one address is."""
    return _largest(find_gaps(pool, taken))


def _largest(gaps: Iterable[tuple[int, int]]) -> Block | None:
    best: Block | None = None
    for first, last in gaps:
        # Only what is larger than the best so far is of interest; of equal ones the lowest was found first.
        longest = 33 if best is None else best.prefix_length
        for length in range(33 - (last - first + 1).bit_length(), longest):
            start = _aligned(first, length)
            if start + _HOST_BITS[length] <= last:
                best = block_at(4, start, length)
                break
    return best


def _aligned(address: int, length: int) -> int:
    return (address + _HOST_BITS[length]) & ~_HOST_BITS[length]
