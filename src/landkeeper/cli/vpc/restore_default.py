"""`vpc delete-default --restore`: how to get default VPCs back."""

from __future__ import annotations

from collections.abc import Sequence

from landkeeper.cli.output import Column, Format, Row, print_rows
from landkeeper.cli.terminal import aside, say, width, wrapped
from landkeeper.org import counted
from landkeeper.vpctracker.default_vpcs.removal import Survey

_COLUMNS = (
    Column("Account", "AccountName"),
    Column("Account id", "OwnerId"),
    Column("Region", "Region"),
    Column("Command", "Command"),
)
_WHAT_COMES = (
    "A new default VPC is 172.31.0.0/16 with a default subnet in each availability zone, an internet gateway, a main "
    "route table that leads to it, a default security group and a default network ACL. The call needs "
    "ec2:CreateDefaultVpc and nothing else. Nothing of the old VPC is restored: no id, tag, route, rule, "
    "additional block, peering or flow log; subnets may get different blocks. Update everything that refers to the "
    "old ids."
)


def print_restoring(surveys: Sequence[Survey], format_: Format, *, profile: str) -> None:
    """The command for every region that was read and has no default VPC; with `profile` where all are in its account.

    Source: Amazon VPC User Guide, "Work with your default VPC and default subnets".
    """
    rows = [_row(survey, region, profile) for survey in surveys for region in survey.without]
    if format_ != "table":
        print_rows(rows, _COLUMNS, format_)
    elif not rows:
        say("Every region that could be read has a default VPC.")
    else:
        _print_commands(surveys, rows)
    for survey in surveys:
        for vpc in (found.vpc for found in survey.found if not found.vpc.subnets and not found.vpc.unchecked):
            where = f"{vpc.id} in {vpc.region} of {survey.account.label}"
            remark = f"{where} has no subnets left: delete it, then create a new one."
            aside(remark, "yellow")


def _row(survey: Survey, region: str, profile: str) -> Row:
    command = f"aws ec2 create-default-vpc --region {region}" + (f" --profile {profile}" if profile else "")
    return {"AccountName": survey.account.name, "OwnerId": survey.account.id, "Region": region, "Command": command}


def _print_commands(surveys: Sequence[Survey], rows: Sequence[Row]) -> None:
    for survey in (survey for survey in surveys if survey.without):
        regions = counted(len(survey.without), "region")
        say(f"{survey.account.label} has no default VPC in {regions}. With credentials of that account:")
        for row in rows:
            if row["OwnerId"] == survey.account.id:
                say(f"  {row['Command']}")
    for line in wrapped(_WHAT_COMES, width()):
        say(line)
