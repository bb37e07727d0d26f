"""Which IPAM is imported, and through whose credentials it is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from landkeeper.aws.vpctracker.ipam import read_ipam, read_ipams
from landkeeper.org import Failure, Region, UnavailableError, UsageError
from landkeeper.vpctracker.pools.ipam import IpamAllocation, IpamPool
from landkeeper.wiring.sessions import home_sessions

if TYPE_CHECKING:
    from landkeeper.settings import Settings


def read_ipam_pools(
    settings: Settings, ipam: str, region: Region | None
) -> tuple[tuple[IpamPool, ...], tuple[IpamAllocation, ...]]:
    """What is in the IPAM of that id, or in the only one of the region. `region` is its home, if not that at hand.

    Raises UsageError where there is none, or it cannot be read.
    """
    sessions = home_sessions(settings)
    home = region or sessions.region
    found = read_ipams(sessions.home("ec2", home))
    if isinstance(found, Failure):
        raise UnavailableError(f"the IPAMs of {home} cannot be read: {found}")
    if (ipam and ipam not in found) or (len(found) != 1 and not ipam):
        there_are = f"there are {', '.join(found)}" if found else "there is none"
        raise UsageError(
            f"--ipam takes the id of an IPAM whose home is {home}: {there_are}; --region names another home"
        )
    read = read_ipam(lambda where: sessions.home("ec2", where), home, ipam or found[0])
    if isinstance(read, Failure):
        raise UnavailableError(f"the IPAM {ipam or found[0]} cannot be read: {read}")
    return read
