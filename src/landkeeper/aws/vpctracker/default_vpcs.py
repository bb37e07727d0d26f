"""Default VPCs on AWS: read with all that may need them, and taken apart step by step."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from landkeeper.aws.deadlines import do_within
from landkeeper.aws.failures import CALL_ERRORS, STRANGE_ANSWERS, failure_of, strange_answer
from landkeeper.aws.vpctracker.default_vpc_holders import LOOKS, find_hosted_zones, in_vpc, pages
from landkeeper.aws.vpctracker.vpcs import RegionReader
from landkeeper.org import Account, AccountId, Failure, FailureReason, Region
from landkeeper.vpctracker.default_vpcs.plan import (
    Act,
    DefaultSubnet,
    DefaultVpc,
    Holder,
    InternetGateway,
    Look,
    NoDefaultVpc,
    Plan,
    RouteTable,
    SecurityGroup,
    Step,
    Unchecked,
)
from landkeeper.vpctracker.differences import NotRead, Unreadable
from landkeeper.vpctracker.inventory import VpcId

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

    from landkeeper.aws.sessions import AccountCredentials, AccountSessions
    from landkeeper.vpctracker.default_vpcs.removal import RegionDefault

GATEWAY_MARK = "landkeeper:default-vpc"
"""The tag that says from which default VPC an internet gateway was taken."""

_DENIED = frozenset({FailureReason.MISSING_PERMISSION, FailureReason.SCP_DENY})
# Detaching what is not attached; EC2 names the gateway's attachment, not the gateway (EC2 guide, "Error codes").
_DONE_BEFORE = frozenset({"Gateway.NotAttached"})
_VPC_ROUTES = "local"

T = TypeVar("T")


class Ec2DefaultVpcs(RegionReader):
    """The port `DefaultVpcs` of deleting them, on AWS."""

    def read_account(self, account: Account) -> Mapping[Region, RegionDefault | NotRead] | Failure:
        """The default VPC of every region, a few regions at a time."""
        return self._read_each(account, read_default_vpc)

    def read_region(self, account: Account, region: Region) -> RegionDefault:
        """The default VPC of one region as it is right now."""
        sessions = self._sessions_of(account.id)

        def read() -> RegionDefault | Failure:
            credentials = sessions.credentials_for(account.id)
            return credentials if isinstance(credentials, Failure) else read_default_vpc(sessions, credentials, region)

        answer = do_within(sessions.account_deadline(), read)
        return Unreadable(answer) if isinstance(answer, Failure) else answer

    def rehearse(self, account: Account, plan: Plan) -> Failure | None:
        """Whose the credentials are, and for each kind of step a dry run."""

        def ask(sessions: AccountSessions, client: EC2Client) -> Failure | None:
            caller = sessions.caller_account()
            if caller != account.id:
                message = f"the credentials are for {caller}, not {account.id}"
                return Failure(FailureReason.ROLE_NOT_ASSUMABLE, "WrongAccount", message)
            firsts = {step.act: step for step in reversed(plan.steps)}
            answers = (_call(client, step, dry_run=True) for step in firsts.values())
            return next((answer for answer in answers if answer is not None and answer.reason in _DENIED), None)

        return self._in_account(account, plan.vpc.region, ask)

    def take(self, account: Account, region: Region, step: Step) -> Failure | None:
        """Take the step; what is gone already needs no deleting."""
        failure = self._in_account(account, region, lambda _, client: _call(client, step))
        if failure is not None and (failure.reason is FailureReason.NOT_FOUND or failure.code in _DONE_BEFORE):
            return None
        return failure

    def _in_account(
        self, account: Account, region: Region, work: Callable[[AccountSessions, EC2Client], Failure | None]
    ) -> Failure | None:
        sessions = self._sessions_of(account.id)
        return sessions.do_in(account.id, lambda: work(sessions, sessions.ec2(region)))


def read_default_vpc(sessions: AccountSessions, credentials: AccountCredentials, region: Region) -> RegionDefault:
    """The default VPC that the account of the credentials owns in the region, with whatever may need it."""
    try:
        with sessions.signing_as(credentials):
            raw_vpcs = pages(
                sessions.ec2(region), "describe_vpcs", "Vpcs", Filters=[{"Name": "is-default", "Values": ["true"]}]
            )
            own = [raw for raw in raw_vpcs if raw["OwnerId"] == credentials.account and raw["IsDefault"]]
            return _read_around(sessions, own[0], region) if own else NoDefaultVpc()
    except CALL_ERRORS as error:
        return Unreadable(failure_of(error))
    except STRANGE_ANSWERS as error:
        return Unreadable(strange_answer("AWS", error))


class _Looking:
    """Looks one after another, and remembers those that were refused."""

    def __init__(self) -> None:
        self.unchecked: list[Unchecked] = []

    def all(self, look: Look, read: Callable[[], Iterable[T]]) -> tuple[T, ...]:
        try:
            return tuple(read())
        except CALL_ERRORS as error:
            self.unchecked.append(Unchecked(look, failure_of(error)))
        except STRANGE_ANSWERS as error:
            self.unchecked.append(Unchecked(look, strange_answer("AWS", error)))
        return ()


def _read_around(sessions: AccountSessions, raw: Mapping[str, Any], region: Region) -> DefaultVpc:
    id_, ec2, looking = VpcId(raw["VpcId"]), sessions.ec2(region), _Looking()

    def client_of(service: str) -> Any:
        return sessions.member(service, region)

    holders: list[Holder] = []
    for look, find in LOOKS.items():
        holders += looking.all(look, lambda find=find: find(client_of, id_))  # type: ignore[misc]
    route53 = sessions.member("route53", sessions.region)
    holders += looking.all(Look.HOSTED_ZONE, lambda: find_hosted_zones(route53, id_, region))
    return DefaultVpc(
        id=id_,
        owner=AccountId(raw["OwnerId"]),
        region=region,
        cidr_block=raw["CidrBlock"],
        is_default=raw["IsDefault"],
        subnets=looking.all(Look.SUBNET, lambda: _read_subnets(ec2, id_)),
        gateways=looking.all(Look.INTERNET_GATEWAY, lambda: _read_gateways(ec2, id_)),
        route_tables=looking.all(Look.ROUTE, lambda: _read_route_tables(ec2, id_)),
        extra_network_acls=looking.all(Look.NETWORK_ACL, lambda: _read_network_acls(ec2, id_)),
        groups=looking.all(Look.SECURITY_GROUP, lambda: _read_groups(ec2, id_)),
        holders=tuple(holders),
        unchecked=tuple(looking.unchecked),
    )


def _read_subnets(ec2: EC2Client, vpc: VpcId) -> Iterable[DefaultSubnet]:
    for raw in pages(ec2, "describe_subnets", "Subnets", Filters=in_vpc(vpc)):
        yield DefaultSubnet(raw["SubnetId"], raw["DefaultForAz"], raw.get("AvailableIpAddressCount", 0))


def _read_gateways(ec2: EC2Client, vpc: VpcId) -> Iterable[InternetGateway]:
    """The VPC's own, and those that were marked as its own and are attached to nothing now."""
    for raw in pages(ec2, "describe_internet_gateways", "InternetGateways"):
        attachments = raw.get("Attachments", ())
        is_attached = any(attachment.get("VpcId") == vpc for attachment in attachments)
        is_marked = {"Key": GATEWAY_MARK, "Value": vpc} in raw.get("Tags", ())
        if is_attached or (is_marked and not attachments):
            yield InternetGateway(raw["InternetGatewayId"], is_attached, is_marked)


def _read_route_tables(ec2: EC2Client, vpc: VpcId) -> Iterable[RouteTable]:
    """Raise LookupError where the main one is missing (VPC User Guide, "Route table concepts": every VPC has it)."""
    tables = [_route_table(raw) for raw in pages(ec2, "describe_route_tables", "RouteTables", Filters=in_vpc(vpc))]
    if not any(table.is_main for table in tables):
        raise LookupError(f"{vpc} has no main route table")
    return tables


def _route_table(raw: Mapping[str, Any]) -> RouteTable:
    associations = raw.get("Associations", ())
    targets = [_target_of(route) for route in raw.get("Routes", ()) if route.get("State", "active") == "active"]
    targets += [association["GatewayId"] for association in associations if association.get("GatewayId")]
    return RouteTable(
        raw["RouteTableId"],
        is_main=any(association.get("Main") for association in associations),
        leads_to=tuple(dict.fromkeys(target for target in targets if target)),
    )


# What a route can lead to, and its description's name for it (EC2 API Reference, "Route").
_TARGETS = (
    "VpcPeeringConnectionId", "TransitGatewayId", "NatGatewayId", "NetworkInterfaceId", "InstanceId",
    "EgressOnlyInternetGatewayId", "CarrierGatewayId", "LocalGatewayId", "CoreNetworkArn", "OdbNetworkArn", "GatewayId",
)  # fmt: skip


def _target_of(route: Mapping[str, Any]) -> str:
    """Where a route leads; nothing for the VPC itself and for internet gateways, of which it can have one only."""
    target = next((str(route[name]) for name in _TARGETS if route.get(name)), "")
    return "" if target == _VPC_ROUTES or target.startswith("igw-") else target


def _read_network_acls(ec2: EC2Client, vpc: VpcId) -> Iterable[str]:
    """Raise LookupError where the default one is missing (VPC User Guide, "Network ACL basics": every VPC has it)."""
    acls = list(pages(ec2, "describe_network_acls", "NetworkAcls", Filters=in_vpc(vpc)))
    if not any(raw["IsDefault"] for raw in acls):
        raise LookupError(f"{vpc} has no default network ACL")
    return [raw["NetworkAclId"] for raw in acls if not raw["IsDefault"]]


def _read_groups(ec2: EC2Client, vpc: VpcId) -> Iterable[SecurityGroup]:
    """All of the region: only so is seen which rules elsewhere name a group of the VPC.

    Raise LookupError where the VPC has none (VPC User Guide, "Default security groups": it cannot be deleted).
    """
    groups = [_security_group(raw) for raw in pages(ec2, "describe_security_groups", "SecurityGroups")]
    if not any(group.vpc == vpc for group in groups):
        raise LookupError(f"{vpc} has no security group")
    return groups


def _security_group(raw: Mapping[str, Any]) -> SecurityGroup:
    rules = (*raw.get("IpPermissions", ()), *raw.get("IpPermissionsEgress", ()))
    pairs = (pair for rule in rules for pair in rule.get("UserIdGroupPairs", ()))
    names = frozenset(pair["GroupId"] for pair in pairs if pair.get("GroupId"))
    return SecurityGroup(raw["GroupId"], raw["GroupName"], raw.get("VpcId", ""), names)


def _call(client: EC2Client, step: Step, *, dry_run: bool = False) -> Failure | None:
    try:
        _CALLS[step.act](client, step, dry_run)
    except CALL_ERRORS as error:
        return failure_of(error)
    return None


def _mark(client: EC2Client, step: Step, dry_run: bool) -> None:  # noqa: FBT001 - one of several of one shape
    client.create_tags(Resources=[step.id], Tags=[{"Key": GATEWAY_MARK, "Value": step.vpc}], DryRun=dry_run)


_CALLS: Mapping[Act, Callable[[EC2Client, Step, bool], object]] = {
    Act.DELETE_SUBNET: lambda ec2, step, dry: ec2.delete_subnet(SubnetId=step.id, DryRun=dry),
    Act.MARK_GATEWAY: _mark,
    Act.DETACH_GATEWAY: lambda ec2, step, dry: ec2.detach_internet_gateway(
        InternetGatewayId=step.id, VpcId=step.vpc, DryRun=dry
    ),
    Act.DELETE_GATEWAY: lambda ec2, step, dry: ec2.delete_internet_gateway(InternetGatewayId=step.id, DryRun=dry),
    Act.DELETE_ROUTE_TABLE: lambda ec2, step, dry: ec2.delete_route_table(RouteTableId=step.id, DryRun=dry),
    Act.DELETE_NETWORK_ACL: lambda ec2, step, dry: ec2.delete_network_acl(NetworkAclId=step.id, DryRun=dry),
    Act.DELETE_VPC: lambda ec2, step, dry: ec2.delete_vpc(VpcId=step.vpc, DryRun=dry),
}
