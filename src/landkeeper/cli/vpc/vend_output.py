"""What `vpc vend` prints: the plan, and what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, assert_never

from landkeeper.cli.exit_codes import DONE, INCOMPLETE
from landkeeper.cli.output import Column, Format, print_record, print_rows
from landkeeper.cli.terminal import aside, say
from landkeeper.cli.vpc.query import store_flags
from landkeeper.org import counted
from landkeeper.vpctracker.vending.vend import Undone, Vended

if TYPE_CHECKING:
    from landkeeper.org import Account
    from landkeeper.settings import Settings
    from landkeeper.vpctracker.vending.carry_out import Report
    from landkeeper.vpctracker.vending.plan import PlannedSubnet, VendPlan

_COLUMNS = (
    Column("Subnet", "CidrBlock", style="yellow"),
    Column("Tier", "Tier", optional=1),
    Column("Zone", "AvailabilityZoneId"),
    Column("Zone name", "AvailabilityZone", optional=3),
    Column("Addresses", "UsableAddresses", right=True, optional=2),
    Column("Name", "Name", style="cyan"),
)
_ATTRIBUTES = (
    "AccountId", "Region", "PoolId", "CidrBlock", "RoomToGrow", "ReservationId", "Name", "Tags", "Subnets", "Spare",
    "State", "RequestId", "VpcId", "IsNew", "IsTracked", "IsUnfinished", "FailedStep", "Failure", "Left", "MayTurnUp",
)  # fmt: skip
"""The columns of CSV, which has them all in a row."""


def print_plan(plan: VendPlan, account: Account, format_: Format, *, is_reserved: bool) -> None:
    """Print what is to be made. A block that is not yet `is_reserved` may be another one in the end."""
    if format_ != "table":
        print_record({**_attributes(plan, is_reserved=is_reserved), "State": "planned"}, _ATTRIBUTES, format_)
        return
    reservation = plan.reservation
    room = f", with {reservation.room} reserved for growth" if reservation.room else ""
    name = f"{plan.name}, " if plan.name else ""
    say(
        f"VPC for {account.label} in {plan.region}: {name}{reservation.block} from pool {reservation.pool}{room}.",
        "bold",
    )
    print_rows([_subnet(plan, subnet) for subnet in plan.layout.subnets], _COLUMNS, "table")
    spare = ", ".join(map(str, plan.layout.spare)) or "nothing"
    tags = " ".join(f"{key}={value}" for key, value in (plan.tags or {}).items())
    say(f"Free for more subnets: {spare}.")
    say("DNS resolution and DNS hostnames are enabled. Gateways and routes are not created.")
    if tags:
        say(f"Tags: {tags}")
    if not is_reserved:
        say("Nothing was created or reserved. Pass --yes to create it.")


def print_report(plan: VendPlan, account: Account, report: Report, settings: Settings, format_: Format) -> int:
    """Print what became of the plan; answers the exit code."""
    if format_ != "table":
        print_record(_report_attributes(plan, report), _ATTRIBUTES, format_)
    match report.outcome:
        case Vended():
            return _print_vended(plan, account, report, report.outcome, settings, format_)
        case Undone():
            return _print_undone(plan, report, report.outcome, settings)
        case _:
            assert_never(report.outcome)


def _print_vended(
    plan: VendPlan, account: Account, report: Report, vended: Vended, settings: Settings, format_: Format
) -> int:
    if format_ == "table":
        was = "created" if vended.is_new else "already created by this request"
        say(f"{vended.vpc} {was}: {plan.reservation.block} in {account.label} {plan.region}, with "
            f"{counted(len(vended.subnets), 'subnet')}.", "bold")  # fmt: skip
    if report.unrecorded is None and format_ == "table":
        where = f"the table {settings.vpc_table}" if settings.vpc_table else str(settings.file)
        say(f"Recorded in {where}. See: landkeeper vpc show {vended.vpc}{store_flags(settings)}")
    if report.unrecorded is not None:
        _warn(f"The VPC is complete, but not recorded: {report.unrecorded}. Repeat the request to record it.")
    if vended.unmarked is not None:
        _warn(
            f"The tag landkeeper:unfinished could not be removed: {vended.unmarked}. Repeat the request to remove it."
        )
    return DONE if report.unrecorded is None and vended.unmarked is None else INCOMPLETE


def _print_undone(plan: VendPlan, report: Report, undone: Undone, settings: Settings) -> int:
    _warn(f"{undone.step} failed: {undone.failure}")
    for resource in undone.left:
        _warn(f"{resource.id} could not be deleted: {resource.failure}")
    if undone.may_turn_up:
        _warn("A VPC may have been created. Repeat the request to find it and continue.")
    block, id_ = plan.reservation.block, plan.reservation.id
    if report.kept:
        release = f"landkeeper vpc release {id_}{store_flags(settings)}"
        _warn(f"{block} stays reserved as {id_}: {report.kept}. `{release}` releases it.")
    else:
        _warn(f"Rolled back; {block} is free again.")
    return INCOMPLETE


def _warn(sentence: str) -> None:
    aside(sentence, "red")


def _report_attributes(plan: VendPlan, report: Report) -> dict[str, Any]:
    is_reserved = not isinstance(report.outcome, Undone) or bool(report.kept)
    attributes = {**_attributes(plan, is_reserved=is_reserved), "RequestId": plan.request_id}
    match report.outcome:
        case Vended(vpc, subnets, is_new, unmarked):
            ids = {subnet.block: subnet.id for subnet in subnets}
            made = [{**subnet, "SubnetId": ids.get(subnet["CidrBlock"])} for subnet in attributes["Subnets"]]
            return {
                **attributes, "Subnets": made, "State": "made", "VpcId": vpc, "IsNew": is_new,
                "IsTracked": report.unrecorded is None, "IsUnfinished": unmarked is not None,
            }  # fmt: skip
        case Undone(step, failure, left, may_turn_up):
            return {
                **attributes, "State": "undone", "FailedStep": step, "Failure": str(failure),
                "Left": [{"Id": resource.id, "Failure": str(resource.failure)} for resource in left],
                "MayTurnUp": may_turn_up,
            }  # fmt: skip
        case _:
            assert_never(report.outcome)


def _attributes(plan: VendPlan, *, is_reserved: bool) -> dict[str, Any]:
    reservation = plan.reservation
    return {
        "AccountId": plan.account,
        "Region": plan.region,
        "PoolId": reservation.pool,
        "CidrBlock": str(reservation.block),
        **({"RoomToGrow": str(reservation.room)} if reservation.room else {}),
        **({"ReservationId": reservation.id} if is_reserved else {}),
        "Name": plan.name,
        "Tags": dict(plan.tags or {}),
        "Subnets": [_subnet(plan, subnet) for subnet in plan.layout.subnets],
        "Spare": list(map(str, plan.layout.spare)),
    }


def _subnet(plan: VendPlan, subnet: PlannedSubnet) -> dict[str, Any]:
    return {
        "CidrBlock": str(subnet.block),
        "Tier": subnet.tier.value,
        "AvailabilityZoneId": subnet.zone.id,
        "AvailabilityZone": subnet.zone.name,
        "UsableAddresses": subnet.usable_addresses,
        "Name": plan.subnet_tags(subnet)["Name"],
    }
