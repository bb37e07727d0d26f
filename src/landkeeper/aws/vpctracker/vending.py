"""Vending through EC2: VPCs and subnets that are tagged as they are made, and what an account may have of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from landkeeper.aws.deadlines import LATE, do_within
from landkeeper.aws.failures import CALL_ERRORS, STRANGE_ANSWERS, failure_of, strange_answer
from landkeeper.aws.paging import pages
from landkeeper.aws.vpctracker.connections import PAGE_SIZE
from landkeeper.org import AccountId, Failure, FailureReason, Region
from landkeeper.vpctracker.inventory import AVAILABLE, VpcId
from landkeeper.vpctracker.vending.plan import REQUEST_TAG, UNFINISHED_TAG, Zone
from landkeeper.vpctracker.vending.ports import DnsSetting, MadeSubnet, MadeVpc, Unsure

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import FilterTypeDef, TagSpecificationTypeDef

    from landkeeper.aws.sessions import AccountCredentials, AccountSessions
    from landkeeper.vpctracker.cidr import Block

Answer = TypeVar("Answer")

_QUOTAS_OF = "vpc"
_NO_APPLIED_VALUE = "NoSuchResourceException"
_ENABLED = frozenset({"opt-in-not-required", "opted-in"})


class Ec2Network:
    """One region of one account, as the port `Network` has it, and what has to be known of it beforehand."""

    def __init__(self, sessions: AccountSessions, credentials: AccountCredentials, region: Region) -> None:
        """`credentials` are the way into the account."""
        self._sessions = sessions
        self._credentials = credentials
        self._region = region

    @property
    def account(self) -> AccountId:
        """The account that it is meant to be."""
        return self._credentials.account

    def read_caller(self) -> AccountId | Failure:
        """The account whose the credentials are, as STS says it."""
        return self._read(lambda _: self._sessions.caller_account())

    def read_zones(self) -> tuple[Zone, ...] | Failure:
        """The availability zones that the account may use now; no Local and Wavelength Zones."""
        return self._read(_zones)

    def count_vpcs(self) -> int | Failure:
        """How many VPCs the account has in the region; those that others share with it do not count."""
        own: list[FilterTypeDef] = [{"Name": "owner-id", "Values": [self._credentials.account]}]
        return self._read(lambda ec2: len(_all_vpcs(ec2, own)))

    def read_quota(self, code: str) -> int | Failure:
        """A quota of VPCs that applies to the account in the region."""
        return self._read(lambda _: _quota(self._sessions.member("service-quotas", self._region), code))

    def find_vpcs(self, request_id: str) -> Sequence[MadeVpc] | Failure:
        """The VPCs with the request's tag."""
        return self._read(lambda ec2: tuple(map(_made_vpc, _all_vpcs(ec2, [_of_request(request_id)]))))

    def find_subnets(self, vpc: VpcId, request_id: str) -> Sequence[MadeSubnet] | Failure:
        """The subnets of that VPC with the request's tag."""
        filters: list[FilterTypeDef] = [_of_request(request_id), {"Name": "vpc-id", "Values": [vpc]}]
        return self._read(
            lambda ec2: tuple(
                MadeSubnet(raw["SubnetId"], raw["CidrBlock"], raw["AvailabilityZoneId"])
                for page in pages(ec2, "describe_subnets", page_size=PAGE_SIZE, Filters=filters)
                for raw in page["Subnets"]
            )
        )

    def make_vpc(self, block: Block, tags: Mapping[str, str]) -> VpcId | Failure | Unsure:
        """Make a VPC, tagged as it is made. Asked once, whatever comes back."""
        return self._ask_once(
            lambda ec2: VpcId(
                ec2.create_vpc(CidrBlock=str(block), TagSpecifications=_tagging("vpc", tags))["Vpc"]["VpcId"]
            )
        )

    def turn_on(self, vpc: VpcId, setting: DnsSetting) -> Failure | None:
        """Turn a setting on, whether it is on or not."""
        turned: Any = {setting.value: {"Value": True}}
        return self._do(lambda ec2: ec2.modify_vpc_attribute(VpcId=vpc, **turned))

    def make_subnet(self, vpc: VpcId, block: Block, zone_id: str, tags: Mapping[str, str]) -> str | Failure | Unsure:
        """Make a subnet, tagged as it is made; its id. Asked once, whatever comes back."""
        return self._ask_once(
            lambda ec2: ec2.create_subnet(
                VpcId=vpc, CidrBlock=str(block), AvailabilityZoneId=zone_id, TagSpecifications=_tagging("subnet", tags)
            )["Subnet"]["SubnetId"]
        )

    def finish(self, vpc: VpcId, subnets: Sequence[str]) -> Failure | None:
        """Take the tag off all of them, in one call, that says that there is more to come."""
        return self._do(lambda ec2: ec2.delete_tags(Resources=[*subnets, vpc], Tags=[{"Key": UNFINISHED_TAG}]))

    def delete_subnet(self, subnet: str) -> Failure | None:
        """Delete it; what is not there is deleted."""
        return _unless_gone(self._do(lambda ec2: ec2.delete_subnet(SubnetId=subnet)))

    def delete_vpc(self, vpc: VpcId) -> Failure | None:
        """Delete it; what is not there is deleted."""
        return _unless_gone(self._do(lambda ec2: ec2.delete_vpc(VpcId=vpc)))

    def _read(self, ask: Callable[[EC2Client], Answer]) -> Answer | Failure:
        return do_within(self._sessions.account_deadline(), lambda: self._read_now(ask))

    def _read_now(self, ask: Callable[[EC2Client], Answer]) -> Answer | Failure:
        try:
            with self._sessions.signing_as(self._credentials):
                return ask(self._sessions.ec2(self._region))
        except CALL_ERRORS as error:
            return failure_of(error)
        except STRANGE_ANSWERS as error:
            return strange_answer("AWS", error)

    def _do(self, ask: Callable[[EC2Client], object]) -> Failure | None:
        answer = self._read(ask)
        return answer if isinstance(answer, Failure) else None

    def _ask_once(self, ask: Callable[[EC2Client], Answer]) -> Answer | Failure | Unsure:
        answer = do_within(self._sessions.account_deadline(), lambda: self._ask_once_now(ask))
        # What is late may come to its end all the same.
        return Unsure(answer) if isinstance(answer, Failure) and answer.code == LATE else answer

    def _ask_once_now(self, ask: Callable[[EC2Client], Answer]) -> Answer | Failure | Unsure:
        try:
            with self._sessions.signing_as(self._credentials):
                return ask(self._sessions.ec2_once(self._region))
        except CALL_ERRORS as error:
            failure = failure_of(error)
            return Unsure(failure) if _may_have_happened(error, failure) else failure
        except STRANGE_ANSWERS as error:
            return Unsure(strange_answer("AWS", error))


def _zones(ec2: EC2Client) -> tuple[Zone, ...]:
    """Raise LookupError where there are none: a region has several (EC2 User Guide, "Availability Zones")."""
    listed = ec2.describe_availability_zones()["AvailabilityZones"]
    if not listed:
        raise LookupError("no availability zones")
    return tuple(
        Zone(raw["ZoneId"], raw["ZoneName"])
        for raw in listed
        if raw["State"] == AVAILABLE
        and raw.get("ZoneType", "availability-zone") == "availability-zone"
        and raw.get("OptInStatus", "opt-in-not-required") in _ENABLED
    )


def _may_have_happened(error: ClientError | BotoCoreError | ResponseParserError, failure: Failure) -> bool:
    """Whether the call may have been carried out all the same: no answer came, or one that says nothing of it.

    EC2 asks to slow down with status 503, too, and then has done nothing.
    """
    if failure.reason in {FailureReason.THROTTLED, FailureReason.CREDENTIALS}:
        return False
    return not isinstance(error, ClientError) or error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500


def _unless_gone(failure: Failure | None) -> Failure | None:
    return None if failure is not None and failure.reason is FailureReason.NOT_FOUND else failure


def _of_request(request_id: str) -> FilterTypeDef:
    return {"Name": f"tag:{REQUEST_TAG}", "Values": [request_id]}


def _all_vpcs(ec2: EC2Client, filters: list[FilterTypeDef]) -> list[Mapping[str, Any]]:
    return [raw for page in pages(ec2, "describe_vpcs", page_size=PAGE_SIZE, Filters=filters) for raw in page["Vpcs"]]


def _made_vpc(raw: Mapping[str, Any]) -> MadeVpc:
    tags = {tag["Key"] for tag in raw.get("Tags", ())}
    return MadeVpc(
        VpcId(raw["VpcId"]),
        raw["CidrBlock"],
        is_available=raw["State"] == AVAILABLE,
        is_finished=UNFINISHED_TAG not in tags,
    )


def _tagging(kind: Any, tags: Mapping[str, str]) -> list[TagSpecificationTypeDef]:
    return [{"ResourceType": kind, "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}]


def _quota(client: Any, code: str) -> int:
    """The value that applies; AWS's default where nobody asked for another one (Service Quotas API Reference,
    "GetServiceQuota": it does not know quotas of which no value was ever applied)."""
    try:
        answer = client.get_service_quota(ServiceCode=_QUOTAS_OF, QuotaCode=code)
    except ClientError as error:
        if error.response["Error"]["Code"] != _NO_APPLIED_VALUE:
            raise
        answer = client.get_aws_default_service_quota(ServiceCode=_QUOTAS_OF, QuotaCode=code)
    return int(answer["Quota"]["Value"])
