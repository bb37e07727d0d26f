"""The demo's new VPC: the default one goes, a block comes from a pool, and the VPC stands and is tracked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from landkeeper.org import AccountId, Region, UsageError
from landkeeper.vpctracker.cidr import parse_block
from landkeeper.vpctracker.default_vpcs.removal import Deleted, Result
from landkeeper.vpctracker.pools.operations import Request, Reserved, create_pool
from landkeeper.vpctracker.pools.pool import Pool
from landkeeper.vpctracker.pools.refusals import explain
from landkeeper.vpctracker.vending.carry_out import Report, plan_vpc, reserve_block
from landkeeper.vpctracker.vending.plan import VendPlan
from landkeeper.vpctracker.vending.site import Wish
from landkeeper.vpctracker.vending.vend import Vended
from landkeeper.wiring.vpctracker.default_vpcs import delete, find_network_source, open_record, survey
from landkeeper.wiring.vpctracker.pools import open_pools
from landkeeper.wiring.vpctracker.vending import carry_out, look_at_site

if TYPE_CHECKING:
    from landkeeper.settings import Settings

ACCOUNT, REGION, NAME = "logistics", Region("eu-west-1"), "routes-eu"
POOL = Pool("workloads", parse_block("10.0.0.0/8"))


@dataclass(frozen=True, slots=True)
class Acted:
    """What became of the default VPC, and of the new one."""

    removals: tuple[Result, ...]
    plan: VendPlan
    report: Report

    def as_json(self) -> Mapping[str, Any]:
        """The same in the demo's result."""
        outcome = self.report.outcome
        return {
            "deleted_default_vpcs": [removal.vpc.id for removal in self.removals if isinstance(removal, Deleted)],
            "vended": {
                "VpcId": outcome.vpc if isinstance(outcome, Vended) else None,
                "CidrBlock": str(self.plan.reservation.block),
            },
        }

    def faults(self) -> Iterator[str]:
        """What should have happened and did not."""
        if not self.removals or not all(isinstance(removal, Deleted) for removal in self.removals):
            yield f"the default VPC of {ACCOUNT} in {REGION} should have been deleted: {self.removals}"
        if not isinstance(self.report.outcome, Vended) or self.report.unrecorded:
            yield f"a VPC should have been made for {ACCOUNT} in {REGION} and tracked: {self.report}"


def act(settings: Settings, account: AccountId) -> Acted:
    """Delete the account's default VPC in the region, and vend a new VPC there. Raises LandkeeperError."""
    place = replace(settings, accounts=(account,), regions=(REGION,))
    return Acted(_delete_default(place), *_vend(place, account))


def _delete_default(settings: Settings) -> tuple[Result, ...]:
    source = find_network_source(settings)
    surveys = survey(settings, source, lambda _: None)
    with open_record(settings, source) as record:
        removals = delete(settings, source, surveys, record, lambda _: None)
    return tuple(result for removal in removals for result in removal.results)


def _vend(settings: Settings, account: AccountId) -> tuple[VendPlan, Report]:
    # One account of the organization cannot be read, on purpose: nobody knows what is taken there.
    request = Request(POOL.id, 20, account, NAME, grow_to=18, request_id="demo", accept_unread=True)
    wish = Wish(request, REGION, zones=3, public_bits=4, name=NAME, tags={"Code": "BRB"})
    with open_pools(settings, to_write=True) as pools:
        create_pool(pools.store, POOL, pools.actor)
        site = look_at_site(pools, settings, wish)
        reserved = reserve_block(pools, site, wish, for_real=True)
        if not isinstance(reserved, Reserved):
            raise UsageError(explain(reserved, request))
        plan = plan_vpc(site, wish, reserved)
        return plan, carry_out(pools, site, plan, is_new=True, tell=lambda _: None)
