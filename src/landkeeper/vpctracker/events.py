"""News of a change to a VPC, as EventBridge tells it, and whether a region has to be read again because of it.

Source: Amazon EventBridge User Guide, "AWS service events delivered via AWS CloudTrail"; CloudTrail User Guide,
"CloudTrail record contents"; EC2 Developer Guide, "Eventual consistency in the Amazon EC2 API".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from landkeeper.org import AccountId, Region, UsageError, parse_account_id, parse_region
from landkeeper.vpctracker.coverage import Coverage

DETAIL_TYPE = "AWS API Call via CloudTrail"

VPC_CALLS = frozenset(
    {
        "CreateVpc", "DeleteVpc", "CreateDefaultVpc", "CreateDefaultSubnet", "AssociateVpcCidrBlock",
        "DisassociateVpcCidrBlock", "CreateSubnet", "DeleteSubnet", "ModifyVpcTenancy",
        "CreateVpcPeeringConnection", "AcceptVpcPeeringConnection", "RejectVpcPeeringConnection",
        "DeleteVpcPeeringConnection", "CreateTransitGatewayVpcAttachment", "AcceptTransitGatewayVpcAttachment",
        "RejectTransitGatewayVpcAttachment", "ModifyTransitGatewayVpcAttachment", "DeleteTransitGatewayVpcAttachment",
    }
)  # fmt: skip
"""Calls that change what is stored of a VPC. The rules in the templates name the same ones."""
TAG_CALLS = frozenset({"CreateTags", "DeleteTags"})
"""Calls that do so where they name a VPC."""

CONSISTENT_AFTER = timedelta(seconds=60)
"""How long EC2 may go on answering with what was before a change."""


@dataclass(frozen=True, slots=True)
class Reread:
    """One region of one account is to be read again."""

    account: AccountId
    region: Region
    at: datetime
    """When the change was made; of a confirming read, when the first one began."""
    is_second_look: bool = False
    """Whether this is to confirm that a VPC is gone, which one read alone does not prove."""


@dataclass(frozen=True, slots=True)
class Ignored:
    """An event that belongs there and changes nothing that is stored."""

    reason: str


@dataclass(frozen=True, slots=True)
class Malformed:
    """Something that nobody here knows how to read."""

    reason: str


def parse_event(event: Mapping[str, Any]) -> Reread | Ignored | Malformed:
    """What an event of EventBridge's asks for. Never raises."""
    match event:
        case {"detail-type": str(kind)} if kind != DETAIL_TYPE:
            return Ignored(f"an event of type '{kind}'")
        case {"detail-type": str(), "detail": {"eventName": str(name)}}:
            detail = event["detail"]
            reason = _why_ignored(name, detail)
            return _parse_reread(name, detail, event) if reason is None else Ignored(reason)
        case {"detail-type": str()}:
            return Malformed("an event of CloudTrail's without the name of a call")
        case _:
            return Malformed("neither a message of Landkeeper's nor an event of EventBridge's")


@dataclass(frozen=True, slots=True)
class Scope:
    """Which accounts and regions the tracker is there for; an empty set of them leaves nothing out."""

    accounts: frozenset[AccountId] = frozenset()
    regions: frozenset[Region] = frozenset()
    skipped: frozenset[AccountId] = frozenset()
    """Accounts that discovery leaves out."""
    known_only: bool = False
    """Whether discovery goes by organizational units: then an account counts once a run has found it."""


def why_out_of_scope(reread: Reread, scope: Scope, coverage: Coverage) -> str | None:
    """Why the tracker is not there for this account or region; None when it is."""
    if scope.accounts and reread.account not in scope.accounts:
        return f"account {reread.account} is none of those to read"
    if reread.account in scope.skipped or (scope.known_only and coverage.tried_at is None):
        return f"account {reread.account} is left out by discovery"
    if scope.regions and reread.region not in scope.regions:
        return f"region {reread.region} is none of those to read"
    return None


def is_covered(reread: Reread, coverage: Coverage) -> bool:
    """Whether a complete read of the region began late enough to have seen the change already."""
    known = coverage.regions.get(reread.region)
    if known is None or known.complete_at is None:
        return False
    if reread.is_second_look:
        return known.complete_at > reread.at
    return known.complete_at >= reread.at + CONSISTENT_AFTER


def regions_to_read(rereads: Iterable[Reread], coverage: Coverage, scope: Scope) -> frozenset[Region]:
    """The regions of one account that these ask for and no read has covered since: each once, however many ask."""
    return frozenset(
        reread.region
        for reread in rereads
        if why_out_of_scope(reread, scope, coverage) is None and not is_covered(reread, coverage)
    )


def _why_ignored(name: str, detail: Mapping[str, Any]) -> str | None:
    if name not in VPC_CALLS | TAG_CALLS:
        return f"{name} changes nothing that is stored of a VPC"
    if detail.get("errorCode"):
        return f"{name} was refused: {detail['errorCode']}"
    if name in TAG_CALLS and not _names_a_vpc(detail):
        return f"{name} names no VPC"
    return None


def _names_a_vpc(detail: Mapping[str, Any]) -> bool:
    match detail:
        case {"requestParameters": {"resourcesSet": {"items": [*items]}}}:
            return any(isinstance(item, dict) and str(item.get("resourceId", "")).startswith("vpc-") for item in items)
        case _:
            return False


def _parse_reread(name: str, detail: Mapping[str, Any], event: Mapping[str, Any]) -> Reread | Malformed:
    # An event that was forwarded keeps the account and the region it comes from, on the outside too.
    account = detail.get("recipientAccountId") or event.get("account")
    region = detail.get("awsRegion") or event.get("region")
    try:
        at = datetime.fromisoformat(str(detail.get("eventTime")))
        if at.tzinfo is None:
            return Malformed(f"{name} has the time {detail.get('eventTime')}, which names no time zone")
        return Reread(parse_account_id(str(account)), parse_region(str(region)), at)
    except (UsageError, ValueError) as error:
        return Malformed(f"{name} without an account, a region or a time: {error}")
