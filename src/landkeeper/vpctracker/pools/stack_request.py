"""A request of CloudFormation for a custom resource: what it says, and whether its answer goes to CloudFormation.

Lambda tells a function nothing about who called it, and every word of the event is the caller's. What does prove a
request is the address for its answer: CloudFormation signs it, for one object in a bucket of its own whose key names
the stack, the resource and the request. S3 takes the answer only if that signature is right.

Sources: AWS CloudFormation User Guide, "CloudFormation custom resource request and response reference" and "Access
CloudFormation using an interface endpoint" (the bucket's name); addresses that CloudFormation sent between 2016 and
2024 (the host's two spellings, and the key).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import SplitResult, unquote, urlsplit

from landkeeper.org import AccountId, Region, UsageError

_STACK = re.compile(
    r"arn:(?P<partition>aws[a-z-]*):cloudformation:(?P<region>[a-z]{2,}(?:-[a-z]+)+-[0-9]+):(?P<account>[0-9]{12})"
    r":stack/(?P<name>[A-Za-z][A-Za-z0-9-]{0,127})/(?P<id>[A-Za-z0-9-]{1,64})"
)
_LOGICAL_ID = re.compile(r"[A-Za-z0-9]{1,255}")
_REQUEST_ID = re.compile(r"[A-Za-z0-9-]{1,128}")
_ADDRESS = re.compile(r"https?://[!-~]+")
_LONGEST_PHYSICAL_ID = 1_024
"""In bytes (CloudFormation User Guide, "Custom resource response objects")."""

_SUFFIXES = {
    "aws": "amazonaws.com", "aws-us-gov": "amazonaws.com", "aws-cn": "amazonaws.com.cn", "aws-eusc": "amazonaws.eu",
    "aws-iso": "c2s.ic.gov", "aws-iso-b": "sc2s.sgov.gov", "aws-iso-e": "cloud.adc-e.uk", "aws-iso-f": "csp.hci.ic.gov",
}  # fmt: skip
"""The end of S3's host names by partition (botocore, `partitions.json`)."""
_OLDEST_REGION = "us-east-1"
"""The only region whose buckets have a host name without a region (S3 User Guide, "Virtual hosting of buckets")."""


@dataclass(frozen=True, slots=True)
class StackCall:
    """What a stack requests about one of its resources."""

    kind: Literal["Create", "Update", "Delete"]
    stack: str
    """The ARN of the stack."""
    id: str
    """CloudFormation's name for this one call."""
    logical_id: str
    response_url: str
    physical_id: str = ""
    """Empty when the resource is created."""
    properties: Mapping[str, object] = field(default_factory=dict)

    @property
    def account(self) -> AccountId:
        """The account of the stack."""
        return AccountId(self.stack.split(":")[4])

    @property
    def region(self) -> Region:
        """The region of the stack."""
        return Region(self.stack.split(":")[3])

    @property
    def stack_name(self) -> str:
        """The name of the stack."""
        return self.stack.split("/")[1]

    @property
    def resource(self) -> str:
        """The stack's whole ARN and the resource: what the request ids of its reservations begin with."""
        return f"{self.stack}/{self.logical_id}/"


def parse_call(event: object) -> StackCall:
    """Return what CloudFormation sent. Raise UsageError for anything else."""
    match event:
        case {
            "RequestType": "Create" | "Update" | "Delete" as kind,
            "StackId": str(stack),
            "RequestId": str(id_),
            "LogicalResourceId": str(logical_id),
            "ResponseURL": str(url),
            **others,
        } if _STACK.fullmatch(stack) and _LOGICAL_ID.fullmatch(logical_id) and _REQUEST_ID.fullmatch(id_):
            physical_id, properties = others.get("PhysicalResourceId", ""), others.get("ResourceProperties")
            if isinstance(physical_id, str) and len(physical_id.encode(errors="replace")) <= _LONGEST_PHYSICAL_ID:
                return StackCall(
                    kind, stack, id_, logical_id, url, physical_id, properties if isinstance(properties, dict) else {}
                )
    raise UsageError("the event is no request of CloudFormation's for a custom resource")


def find_stack_account(arn: str) -> AccountId | None:
    """Return the account of a stack by the stack's ARN; None where that is the ARN of something else."""
    found = _STACK.fullmatch(arn)
    return AccountId(found["account"]) if found else None


def check_response_host(call: StackCall, own_endpoint: str = "") -> None:
    """Raise UsageError unless the answer goes to CloudFormation's bucket for the stack's region, over HTTPS.

    `own_endpoint` is the address of S3 that the SDK was given (`AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL`), if any: then
    its host is CloudFormation's too.
    """
    url = _split(call.response_url)
    if url is None or not (_is_cloudformations(call, url) or _has_host_of(own_endpoint, url)):
        host = "no address" if url is None else f"{url.scheme}://{url.hostname}"
        raise UsageError(f"the answer for {call.stack} would go to {host}, which is not CloudFormation's: not answered")


def check_response_key(call: StackCall, own_endpoint: str = "") -> None:
    """Raise UsageError unless the address for the answer names the stack, the resource and the request of the event.

    What was signed is that key. Under an endpoint of one's own the key is not known.
    """
    url = _split(call.response_url)
    if url is not None and _has_host_of(own_endpoint, url):
        return
    if url is None or unquote(url.path) != f"/{call.stack}|{call.logical_id}|{call.id}":
        raise UsageError("the address for the answer is not that of this stack, resource and request")


def _split(text: str) -> SplitResult | None:
    """Return the parts of an address; None for what is none, or could be read in two ways."""
    if not _ADDRESS.fullmatch(text):
        return None
    try:
        url = urlsplit(text)
        is_plain = url.port != 0 and url.username is None
    except ValueError:
        return None
    return url if is_plain else None


def _is_cloudformations(call: StackCall, url: SplitResult) -> bool:
    return url.scheme == "https" and url.port in {None, 443} and url.hostname in _response_hosts(call)


def _response_hosts(call: StackCall) -> frozenset[str]:
    partition, region = call.stack.split(":")[1], call.region
    suffix = _SUFFIXES.get(partition)
    if suffix is None:
        return frozenset()
    bucket = f"cloudformation-custom-resource-response-{region.replace('-', '')}"
    hosts = {f"{bucket}.s3.{region}.{suffix}", f"{bucket}.s3-{region}.{suffix}"}
    return frozenset(hosts | ({f"{bucket}.s3.{suffix}"} if region == _OLDEST_REGION else set()))


def _has_host_of(endpoint: str, url: SplitResult) -> bool:
    own = _split(endpoint)
    return own is not None and bool(own.hostname) and url.scheme == own.scheme and url.hostname == own.hostname
