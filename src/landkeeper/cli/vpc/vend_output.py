"""What `vpc vend` prints: the plan, and what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, assert_never

from landkeeper.cli.exit_codes import DONE, INCOMPLETE
from landkeeper.cli.output import Column, counted, print_json, print_rows
from landkeeper.cli.terminal import aside, say
from landkeeper.vpctracker.vending.vend import Undone, Vended

if TYPE_CHECKING:
    from landkeeper.org import Account
    from landkeeper.settings import Settings
    from landkeeper.vpctracker.vending.plan import PlannedSubnet, VendPlan
    from landkeeper.wiring.vpctracker.vending import Report

_COLUMNS = (
    Column("Subnet", "CidrBlock", style="yellow"),
    Column("Tier", "Tier"),
    Column("Zone", "AvailabilityZoneId"),
    Column("Named there", "AvailabilityZone"),
    Column("Addresses", "UsableAddresses", right=True),
    Column("Name", "Name", style="cyan"),
)


def print_plan(plan: VendPlan, account: Account, format_: str, *, is_reserved: bool) -> None:
    """Print what is to be made. A block that is not yet `is_reserved` may be another one in the end."""
    if format_ == "json":
        print_json({**_attributes(plan, is_reserved=is_reserved), "State": "planned"})
        return
    reservation = plan.reservation
    room = f", with {reservation.room} around it kept for its growth" if reservation.room else ""
    name = f"{plan.name}, " if plan.name else ""
    say(
        f"A VPC for {account.label} in {plan.region}: {name}{reservation.block} of the pool {reservation.pool}{room}.",
        "bold",
    )
    print_rows([_subnet(plan, one) for one in plan.layout.subnets], _COLUMNS, "table")
    spare = ", ".join(map(str, plan.layout.spare)) or "nothing"
    tags = " ".join(f"{key}={value}" for key, value in (plan.tags or {}).items())
    lines = [
        f"Left for more subnets: {spare}.",
        "DNS resolution and DNS host names are on. Gateways and routes are yours to add.",
        *([f"Tags of all: {tags}"] if tags else []),
    ]
    say("\n".join(lines))
    if not is_reserved:
        say("Nothing was made or reserved. With --yes it will be.")


def print_report(plan: VendPlan, account: Account, report: Report, settings: Settings, format_: str) -> int:
    """Print what became of the plan; answers the exit code."""
    if format_ == "json":
        print_json(_report_attributes(plan, report))
    match report.outcome:
        case Vended():
            return _print_vended(plan, account, report, report.outcome, settings, format_)
        case Undone():
            return _print_undone(plan, report, report.outcome)
        case _:
            assert_never(report.outcome)


def _print_vended(
    plan: VendPlan, account: Account, report: Report, vended: Vended, settings: Settings, format_: str
) -> int:
    if format_ != "json":
        was = "is made" if vended.is_new else "was made by this request before"
        say(f"{vended.vpc} {was}: {plan.reservation.block} in {account.label} {plan.region}, with "
            f"{counted(len(vended.subnets), 'subnet')}.", "bold")  # fmt: skip
    if report.unrecorded is None and format_ != "json":
        where = f"the table {settings.vpc_table}" if settings.vpc_table else str(settings.file)
        say(f"It is tracked in {where}: landkeeper vpc show {vended.vpc}")
    if report.unrecorded is not None:
        _warn(f"It is complete, but not tracked yet: {report.unrecorded}. The same request again does it.")
    if vended.unmarked is not None:
        _warn(f"The tag landkeeper:unfinished is still on it: {vended.unmarked}. The same request again takes it off.")
    return DONE if report.unrecorded is None and vended.unmarked is None else INCOMPLETE


def _print_undone(plan: VendPlan, report: Report, undone: Undone) -> int:
    _warn(f"{undone.step} did not work: {undone.failure}")
    for one in undone.left:
        _warn(f"{one.id} could not be deleted again: {one.failure}")
    if undone.may_turn_up:
        _warn("Whether a VPC was made is not known. The same request again finds it and carries on.")
    block, id_ = plan.reservation.block, plan.reservation.id
    if report.kept:
        _warn(f"{block} stays reserved as {id_}: {report.kept}. `landkeeper vpc release {id_}` gives it back.")
    else:
        _warn(f"Nothing is left of it, and {block} is free again.")
    return INCOMPLETE


def _warn(sentence: str) -> None:
    aside(sentence, "red")


def _report_attributes(plan: VendPlan, report: Report) -> dict[str, Any]:
    is_reserved = not isinstance(report.outcome, Undone) or bool(report.kept)
    told = {**_attributes(plan, is_reserved=is_reserved), "RequestId": plan.request_id}
    match report.outcome:
        case Vended(vpc, subnets, is_new, unmarked):
            ids = {one.block: one.id for one in subnets}
            made = [{**one, "SubnetId": ids.get(one["CidrBlock"])} for one in told["Subnets"]]
            return {
                **told, "Subnets": made, "State": "made", "VpcId": vpc, "IsNew": is_new,
                "IsTracked": report.unrecorded is None, "IsUnfinished": unmarked is not None,
            }  # fmt: skip
        case Undone(step, failure, left, may_turn_up):
            return {
                **told, "State": "undone", "FailedStep": step, "Failure": str(failure),
                "Left": [{"Id": one.id, "Failure": str(one.failure)} for one in left], "MayTurnUp": may_turn_up,
            }  # fmt: skip
        case _:
            assert_never(report.outcome)


def _attributes(plan: VendPlan, *, is_reserved: bool) -> dict[str, Any]:
    one = plan.reservation
    return {
        "AccountId": plan.account,
        "Region": plan.region,
        "PoolId": one.pool,
        "CidrBlock": str(one.block),
        **({"RoomToGrow": str(one.room)} if one.room else {}),
        **({"ReservationId": one.id} if is_reserved else {}),
        "Name": plan.name,
        "Tags": dict(plan.tags or {}),
        "Subnets": [_subnet(plan, subnet) for subnet in plan.layout.subnets],
        "Spare": list(map(str, plan.layout.spare)),
    }


def _subnet(plan: VendPlan, one: PlannedSubnet) -> dict[str, Any]:
    return {
        "CidrBlock": str(one.block),
        "Tier": one.tier.value,
        "AvailabilityZoneId": one.zone.id,
        "AvailabilityZone": one.zone.name,
        "UsableAddresses": one.usable_addresses,
        "Name": plan.subnet_tags(one)["Name"],
    }
