"""Vending's wiring: through which credentials an account is entered, and how long EC2 is waited for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from landkeeper.aws.backoff import Backoff
from landkeeper.aws.enabled_regions import find_unknown_regions
from landkeeper.aws.vpctracker.vending import Ec2Network
from landkeeper.aws.vpctracker.vpcs import Ec2VpcReader
from landkeeper.org import AccountId, Failure, Region, UsageError
from landkeeper.vpctracker.vending import carry_out as vending
from landkeeper.vpctracker.vending import site as sites
from landkeeper.wiring.sessions import member_sessions

if TYPE_CHECKING:
    from landkeeper.settings import Settings
    from landkeeper.vpctracker.pools.access import Pools
    from landkeeper.vpctracker.vending.plan import VendPlan

_BACKOFF = Backoff(1.0, 10.0, least=0.5, patience_seconds=60.0)
"""How long EC2 may take to show what was made."""


def look_at_site(pools: Pools, settings: Settings, wish: sites.Wish) -> sites.Site:
    """As `vending.site` does it, through the network role that the settings name."""
    return sites.look_at_site(pools, wish, lambda account, region: _enter(settings, account, region))


def carry_out(
    pools: Pools, site: sites.Site, plan: VendPlan, *, is_new: bool, tell: Callable[[str], None]
) -> vending.Report:
    """As `vending.carry_out` does it, waiting for EC2 as long as it may take."""
    return vending.carry_out(pools, site, plan, is_new=is_new, pauses=_BACKOFF.pauses, tell=tell)


def _enter(settings: Settings, account: AccountId, region: Region) -> sites.Entered:
    sessions = member_sessions(replace(settings, role_name=settings.network_role_name))
    unknown = find_unknown_regions(sessions, [region])
    if unknown:
        raise UsageError(f"region '{region}' does not exist in the partition {sessions.partition()}")
    credentials = sessions.credentials_for(account)
    if isinstance(credentials, Failure):
        raise UsageError(
            f"the role {settings.network_role_name} in account {account} cannot be assumed (set the stack "
            f"parameter NetworkPrincipalArn to create it, or pass --role): {credentials}"
        )
    return sites.Entered(Ec2Network(sessions, credentials, region), Ec2VpcReader(lambda _: sessions))
