"""Which IPAM is imported, and through whose credentials it is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from landkeeper.aws.vpctracker.ipam import read_allocations, read_ipam_pools, read_ipams
from landkeeper.org import Failure, Region, UnavailableError, UsageError
from landkeeper.vpctracker.pools.ipam import IpamAllocation, Selection, select_pools
from landkeeper.wiring.sessions import home_sessions

if TYPE_CHECKING:
    from landkeeper.settings import Settings


def read_ipam(
    settings: Settings, ipam: str, region: Region | None, scope: str
) -> tuple[Selection, tuple[IpamAllocation, ...]]:
    """What comes along of the IPAM of that id, or of the only one of the region, and what those pools gave away.

    `region` is its home, if not that at hand. Raises UsageError where there is none, or it cannot be read.
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
    ipam = ipam or found[0]
    pools = read_ipam_pools(sessions.home("ec2", home), ipam)
    if isinstance(pools, Failure):
        raise UnavailableError(f"the IPAM {ipam} cannot be read: {pools}")
    selection = select_pools(pools, scope=scope)
    # Pools that are left out are not asked about: their regions may be closed.
    allocations = read_allocations(lambda where: sessions.home("ec2", where), home, selection.pools.values())
    if isinstance(allocations, Failure):
        raise UnavailableError(f"the IPAM {ipam} cannot be read: {allocations}")
    return selection, allocations
