"""`vpc vend`: a VPC with subnets, on a block from a pool, in another account."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, assert_never

import click

from landkeeper.cli.confirmation import agrees, has_terminal, plan_options
from landkeeper.cli.exit_codes import DONE
from landkeeper.cli.known_words import known
from landkeeper.cli.options import account_option, format_option, role_options
from landkeeper.cli.tags import parse_tags, tag_option
from landkeeper.cli.terminal import aside
from landkeeper.cli.vpc.options import accept_unread_option, config_option, store_options
from landkeeper.cli.vpc.query import settings_of
from landkeeper.org import UsageError, parse_region

if TYPE_CHECKING:
    from landkeeper.cli.output import Format
    from landkeeper.settings import Settings
    from landkeeper.vpctracker.pools.access import Pools
    from landkeeper.vpctracker.pools.operations import Reserved
    from landkeeper.vpctracker.vending.plan import VendPlan
    from landkeeper.vpctracker.vending.site import Site, Wish


@click.command(name="vend")
@account_option("The account to create the VPC in.", required=True)
@click.option(
    "--region", required=True, metavar="R", shell_complete=known("region"), help="The region to create the VPC in."
)
@click.option(
    "--pool", required=True, metavar="NAME", shell_complete=known("pool"), help="The pool that provides the block."
)
@click.option("--prefix-length", required=True, metavar="N", help="The prefix length of the block, from 16 to 28.")
@click.option(
    "--zones", metavar="N", help="The number of availability zones, each with a private subnet: the first ones by id."
)
@click.option(
    "--zone",
    "zone_ids",
    multiple=True,
    metavar="ID",
    help="Use this availability zone, by its id, for example euw1-az1; may be repeated. Instead of --zones.",
)
@click.option("--public-bits", metavar="N", help="Add a public subnet per zone, with a prefix N bits longer.")
@tag_option("A tag for the VPC and its subnets; may be repeated.", "--tags")
@click.option(
    "--name", default="", metavar="NAME", help="The Name tag of the VPC, and the prefix of the subnets' names."
)
@click.option("--for", "purpose", default="", metavar="TEXT", help="The purpose of the block.  [default: the name]")
@click.option("--grow-to", metavar="N", help="Also reserve room to grow: the surrounding block of this prefix length.")
@click.option(
    "--request-id",
    default="",
    metavar="X",
    help="An id that makes the request idempotent: the same id continues with the same VPC.",
)
@accept_unread_option
@role_options("landkeeper-network")
@plan_options
@config_option
@store_options
@format_option
def vend_command(
    *, account: str, region: str, pool: str, prefix_length: str, zones: str | None, zone_ids: tuple[str, ...],
    public_bits: str | None, tags: tuple[str, ...], name: str, purpose: str, grow_to: str | None, request_id: str,
    accept_unread: bool, accepted_unread: tuple[str, ...], role_name: str | None, external_id: str | None,
    yes: bool, dry_run: bool, config: str | None, table: str | None, file: Path | None, format_: Format,
) -> int:  # fmt: skip
    """Create a VPC with subnets in an account, with a block from a pool. Prints the plan; --yes executes it.

    At a terminal it asks. With --yes, or after the question, it reserves the block, creates the VPC and its subnets,
    and records the VPC in the tracker's table or file. If a step fails, it rolls back.
    """
    import uuid

    from landkeeper.vpctracker.pools.operations import Request
    from landkeeper.vpctracker.pools.pool import parse_prefix_length, parse_room
    from landkeeper.vpctracker.vending.plan import check_request_id, check_tags, parse_count, parse_zones
    from landkeeper.vpctracker.vending.site import Wish
    from landkeeper.wiring.known_accounts import find_account_id, find_account_ids

    settings = settings_of(table, file).with_config(config)
    settings = settings.with_network_access(role_name=role_name, external_id=external_id)
    given, others = check_tags(parse_tags(tags), name)
    wish = Wish(
        Request(
            pool=pool,
            prefix_length=parse_prefix_length(prefix_length, "--prefix-length"),
            account=find_account_id(settings, account),
            purpose=purpose or given or "vpc vend",
            grow_to=None if grow_to is None else parse_room(grow_to, "--grow-to"),
            request_id=check_request_id(request_id) if request_id else f"vend-{uuid.uuid4().hex[:17]}",
            accept_unread=accept_unread,
            accepted_unread=frozenset(find_account_ids(settings, accepted_unread)),
        ),
        parse_region(region),
        parse_zones(zones, zone_ids),
        None if public_bits is None else parse_count(public_bits, "--public-bits"),
        given,
        others,
        zone_ids,
    )
    if yes and not dry_run:
        return _vend(settings, wish, format_, has_given_id=bool(request_id))
    plan = _show(settings, wish, format_)
    if dry_run or format_ != "table" or not has_terminal() or not agrees("Create this VPC?"):
        return DONE
    return _vend(settings, wish, format_, has_given_id=bool(request_id), agreed=plan)


def _show(settings: Settings, wish: Wish, format_: Format) -> VendPlan:
    """Print the plan, and change nothing."""
    from landkeeper.cli.vpc.vend_output import print_plan
    from landkeeper.vpctracker.vending.carry_out import plan_vpc
    from landkeeper.wiring.vpctracker.pools import open_pools
    from landkeeper.wiring.vpctracker.vending import look_at_site

    with open_pools(settings, to_write=False) as pools:
        site = look_at_site(pools, settings, wish)
        for remark in site.remarks:
            _tell(remark, "yellow")
        reserved = _reserve(pools, site, wish, for_real=False)
        plan = plan_vpc(site, wish, reserved)
        print_plan(plan, site.account, format_, is_reserved=not reserved.is_new)
    return plan


def _vend(
    settings: Settings, wish: Wish, format_: Format, *, has_given_id: bool, agreed: VendPlan | None = None
) -> int:
    """Carry the plan out, after a question only on the block that was shown; answers the exit code."""
    from landkeeper.cli.vpc.vend_output import print_plan, print_report
    from landkeeper.vpctracker.vending.carry_out import plan_vpc
    from landkeeper.wiring.vpctracker.pools import open_pools
    from landkeeper.wiring.vpctracker.vending import carry_out, look_at_site

    with open_pools(settings, to_write=True) as pools:
        site = look_at_site(pools, settings, wish)
        for remark in site.remarks:
            _tell(remark, "yellow")
        reserved = _reserve(pools, site, wish, for_real=True)
        plan = plan_vpc(site, wish, reserved)
        if agreed is not None and plan.reservation.block != agreed.reservation.block:
            taken, block, id_ = agreed.reservation.block, plan.reservation.block, plan.request_id
            raise UsageError(f"{taken} was taken meanwhile, and {block} is reserved: pass --request-id {id_} to use it")
        if format_ == "table" and agreed is None:
            print_plan(plan, site.account, format_, is_reserved=True)
        if not has_given_id:
            _tell(f"If interrupted, run the command again with --request-id {plan.request_id} to continue.")
        report = carry_out(pools, site, plan, is_new=reserved.is_new, tell=_tell)
    return print_report(plan, site.account, report, settings, format_)


def _tell(sentence: str, style: str = "dim") -> None:
    aside(sentence, style=style)


def _reserve(pools: Pools, site: Site, wish: Wish, *, for_real: bool) -> Reserved:
    from landkeeper.vpctracker.pools.allocation import PoolExhausted
    from landkeeper.vpctracker.pools.operations import Reserved, Taken
    from landkeeper.vpctracker.pools.refusals import explain
    from landkeeper.vpctracker.pools.unread import NeverRead
    from landkeeper.vpctracker.vending.carry_out import reserve_block

    allocation = reserve_block(pools, site, wish, for_real=for_real)
    match allocation:
        case NeverRead() | PoolExhausted() | Taken():
            raise UsageError(explain(allocation, wish.request))
        case Reserved():
            return allocation
        case _:
            assert_never(allocation)
