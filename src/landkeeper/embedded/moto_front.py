"""What moto lacks for Landkeeper's purposes, added in front of it as a WSGI application.

- A trail: every EC2 call that changes something becomes a CloudTrail record (`embedded.cloudtrail`), also the launches
  that moto makes for an Auto Scaling group without any call.
- Roles that do not exist cannot be assumed; moto lets anyone assume anything. Trust policies are still not evaluated.
- A role that has policies may do in EC2, Auto Scaling, Elastic Load Balancing, RDS and ElastiCache what they allow
  (`embedded.role_policies`); moto lets every role do everything, and so may here a role that has none.
- A dry run deletes nothing; moto goes ahead and deletes subnets, route tables, network ACLs and VPCs.
- A VPC whose subnet is shared through RAM is shown to the accounts it is shared with, as AWS shows it: with the owner's
  id and without the owner's tags. Only whole listings are extended, not look-ups by id.

The records are handed to a `deliver` function; see `embedded.moto_server` for the process that does it.
"""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl
from xml.etree import ElementTree as ET

from botocore.model import StructureShape
from botocore.parsers import EC2QueryParser as ResponseParser
from moto.core.parse import EC2QueryParser as RequestParser
from moto.core.parse import RequestDict
from moto.core.utils import get_service_model
from moto.ec2.models import ec2_backends
from moto.iam.models import get_account_id_from, iam_backends
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.ram.models import ram_backends
from moto.sts.models import sts_backends
from werkzeug.datastructures import Headers, MultiDict

from landkeeper.embedded.cloudtrail import Call, now, record_of
from landkeeper.embedded.role_policies import role_allows
from landkeeper.embedded.trail_files import Caller, Record

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

RECORDED = frozenset(
    {
        "RunInstances", "StartInstances", "StopInstances", "TerminateInstances", "CreateTags", "DeleteTags",
        "CreateVpc", "DeleteVpc", "CreateDefaultVpc", "CreateDefaultSubnet", "AssociateVpcCidrBlock",
        "DisassociateVpcCidrBlock", "CreateSubnet", "DeleteSubnet", "ModifyVpcTenancy", "ModifyInstanceAttribute",
        "CreateVpcPeeringConnection", "AcceptVpcPeeringConnection", "RejectVpcPeeringConnection",
        "DeleteVpcPeeringConnection", "CreateTransitGatewayVpcAttachment", "AcceptTransitGatewayVpcAttachment",
        "RejectTransitGatewayVpcAttachment", "ModifyTransitGatewayVpcAttachment", "DeleteTransitGatewayVpcAttachment",
    }
)  # fmt: skip
_SCALING = frozenset({"CreateAutoScalingGroup", "UpdateAutoScalingGroup", "SetDesiredCapacity"})
_SHARED_LISTINGS = {"DescribeVpcs": ("vpcSet", "vpcId"), "DescribeSubnets": ("subnetSet", "vpcId")}
# Roles that exist in accounts without anybody having made them in moto.
_GIVEN_ROLES = frozenset({"OrganizationAccountAccessRole"})
_BY_POLICIES = frozenset({"ec2", "autoscaling", "elasticloadbalancing", "rds", "elasticache"})
# What moto does in a dry run too.
_NO_DRY_RUN = frozenset({"DeleteSubnet", "DeleteRouteTable", "DeleteNetworkAcl", "DeleteVpc"})
_CREDENTIAL = re.compile(r"Credential=([^/]+)/[0-9]+/([^/]+)/([^/]+)/aws4_request")
_EC2_NAMESPACE = "http://ec2.amazonaws.com/doc/2016-11-15/"
_PARTITION = "aws"


@dataclass(frozen=True, slots=True)
class _Request:
    access_key: str
    region: str
    service: str
    action: str
    form: dict[str, str]
    environ: WSGIEnvironment


@dataclass(slots=True)
class _Answer:
    status: str
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def code(self) -> int:
        return int(self.status.split()[0])


class MotoFront:
    """moto as a WSGI application, with a trail, roles that must exist, and shared VPCs that can be seen."""

    def __init__(self, deliver: Callable[[Record], None]) -> None:
        """`deliver` takes each record as it is made; it is called from the threads that serve requests."""
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._deliver = deliver
        self._ec2 = get_service_model("ec2")
        self._seen_scaled: set[str] = set()
        self._owner_keys: dict[str, str] = {}
        self._lock = threading.Lock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = _read_request(environ)
        if request is None:
            answer = self._ask(environ)
        elif request.action == "AssumeRole" and not _role_exists(request.form.get("RoleArn", "")):
            answer = _role_refused(request.form.get("RoleArn", ""), get_account_id_from(request.access_key))
        elif request.service in _BY_POLICIES and not role_allows(request.access_key, request.service, request.action):
            answer = _call_refused(request)
        elif request.action in _NO_DRY_RUN and request.form.get("DryRun") == "true":
            answer = _dry_run()
        else:
            answer = self._answer(request)
        start_response(answer.status, answer.headers)
        return [answer.body]

    def _answer(self, request: _Request) -> _Answer:
        answer = self._ask(request.environ)
        if request.service == "ec2":
            if request.action in RECORDED:
                self._deliver(record_of(self._call(request, answer)))
            if request.action in _SHARED_LISTINGS and answer.code == HTTPStatus.OK:
                self._add_shared(request, answer)
        if request.action in _SCALING:
            self._record_scaled(get_account_id_from(request.access_key), request.region)
        return answer

    def _ask(self, environ: WSGIEnvironment) -> _Answer:
        answer = _Answer("500 Internal Server Error", [], b"")

        def start(status: str, headers: list[tuple[str, str]], _exc_info: object = None) -> Callable[[bytes], object]:
            answer.status, answer.headers = status, headers
            return lambda _: None

        answer.body = b"".join(self._moto(environ, start))
        return answer

    def _call(self, request: _Request, answer: _Answer) -> Call:
        operation = self._ec2.operation_model(request.action)
        request_dict: RequestDict = {
            "values": MultiDict(request.form), "body": b"", "headers": Headers(), "method": "POST", "url_params": {},
            "url_path": "/",
        }  # fmt: skip
        shape = self._output_shape(request.action)
        return Call(
            caller=_caller(request),
            region=request.region,
            action=request.action,
            parameters=RequestParser(operation).parse(request_dict),
            response=_parsed(answer, shape),
            output_shape=shape,
            at=now(),
        )

    def _output_shape(self, action: str) -> StructureShape:
        # Calls without an answer of their own have none; CloudTrail then writes the request id alone.
        return self._ec2.operation_model(action).output_shape or StructureShape("Empty", {"type": "structure"})

    def _record_scaled(self, account_id: str, region: str) -> None:
        """Records for the instances that moto launched for Auto Scaling groups since the last look."""
        for reservation in list(ec2_backends[account_id][region].reservations.values()):
            fresh = [
                instance.id
                for instance in reservation.instances
                if getattr(instance, "autoscaling_group", None) is not None and instance.id not in self._seen_scaled
            ]
            if fresh:
                self._seen_scaled.update(fresh)
                self._deliver(self._scaled_record(account_id, region, fresh))

    def _scaled_record(self, account_id: str, region: str, instance_ids: list[str]) -> Record:
        listing = self._as_owner(account_id, region, "DescribeInstances", _numbered("InstanceId", instance_ids))
        reservation = _parsed(listing, self._output_shape("DescribeInstances"))["Reservations"][0]
        first = reservation["Instances"][0]
        count = len(instance_ids)
        parameters = {"MinCount": count, "MaxCount": count, "InstanceType": first["InstanceType"]}
        caller = Caller(account_id, _auto_scaling_identity(account_id), *["autoscaling.amazonaws.com"] * 2)
        shape = self._output_shape("RunInstances")
        return record_of(Call(caller, region, "RunInstances", parameters, reservation, shape, now()))

    def _add_shared(self, request: _Request, answer: _Answer) -> None:
        participant = get_account_id_from(request.access_key)
        container_name, vpc_attribute = _SHARED_LISTINGS[request.action]
        for owner, vpc_ids in _shared_with(participant, request.region).items():
            listing = self._as_owner(owner, request.region, request.action, request.form)
            if listing.code == HTTPStatus.OK:
                answer.body = _merged(answer.body, listing.body, container_name, vpc_attribute, vpc_ids)
        _set_header(answer, "Content-Length", str(len(answer.body)))

    def _as_owner(self, account_id: str, region: str, action: str, form: dict[str, str]) -> _Answer:
        """The answer that an account gets from moto itself, asked with a key of that account."""
        body = "&".join(
            f"{name}={value}" for name, value in {**form, "Action": action, "Version": "2016-11-15"}.items()
        )
        credential = f"{self._key_of(account_id)}/20260101/{region}/ec2/aws4_request"
        return self._ask(
            {
                "REQUEST_METHOD": "POST", "PATH_INFO": "/", "QUERY_STRING": "", "SERVER_NAME": "127.0.0.1",
                "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "wsgi.url_scheme": "http",
                "HTTP_HOST": f"ec2.{region}.amazonaws.com", "CONTENT_TYPE": "application/x-www-form-urlencoded",
                "CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body.encode()), "wsgi.errors": io.StringIO(),
                "HTTP_AUTHORIZATION": f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0",
            }
        )  # fmt: skip

    def _key_of(self, account_id: str) -> str:
        with self._lock:
            if account_id not in self._owner_keys:
                arn = f"arn:{_PARTITION}:iam::{account_id}:role/OrganizationAccountAccessRole"
                _, key = sts_backends[account_id][_PARTITION]._create_access_key(role=arn)  # noqa: SLF001 - no public way
                self._owner_keys[account_id] = key.access_key_id
            return self._owner_keys[account_id]


def _parsed(answer: _Answer, shape: StructureShape) -> dict[str, Any]:
    raw = {"body": answer.body, "headers": dict(answer.headers), "status_code": answer.code}
    parsed: dict[str, Any] = ResponseParser().parse(raw, shape)
    return parsed


def _read_request(environ: WSGIEnvironment) -> _Request | None:
    """What moto is being asked, or None where the request is no signed query-protocol call."""
    found = _CREDENTIAL.search(environ.get("HTTP_AUTHORIZATION", ""))
    if found is None or "x-www-form-urlencoded" not in environ.get("CONTENT_TYPE", ""):
        return None
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    form = dict(parse_qsl(body.decode(), keep_blank_values=True))
    return _Request(found[1], found[2], found[3], form.get("Action", ""), form, environ)


def _role_exists(role_arn: str) -> bool:
    account_id, _, name = role_arn.partition("::")[2].partition(":role/")
    name = name.rsplit("/", 1)[-1]
    if name in _GIVEN_ROLES:
        return True
    return any(role.name == name for role in list(iam_backends[account_id][_PARTITION].roles.values()))


def _role_refused(role_arn: str, caller_account: str) -> _Answer:
    message = (
        f"User: arn:{_PARTITION}:iam::{caller_account}:root is not authorized to perform: sts:AssumeRole on resource: "
        f"{role_arn}"
    )
    body = (
        '<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>'
        f"<Code>AccessDenied</Code><Message>{message}</Message></Error><RequestId>refused</RequestId></ErrorResponse>"
    ).encode()
    headers = [("Content-Type", "text/xml"), ("Content-Length", str(len(body)))]
    return _Answer("403 Forbidden", headers, body)


def _call_refused(request: _Request) -> _Answer:
    """As EC2 words it, and as the services with the plain query protocol do."""
    identity = _identity(get_account_id_from(request.access_key), request.access_key)
    sentence = (
        f"User: {identity['arn']} is not authorized to perform: {request.service}:{request.action} "
        "because no identity-based policy allows it"
    )
    code, before, after = "AccessDenied", "<ErrorResponse><Error><Type>Sender</Type>", "</Error></ErrorResponse>"
    if request.service == "ec2":
        code, before, after = "UnauthorizedOperation", "<Response><Errors><Error>", "</Error></Errors></Response>"
    return _refusal("403 Forbidden", f"{before}<Code>{code}</Code><Message>{sentence}</Message>{after}")


def _dry_run() -> _Answer:
    sentence = "Request would have succeeded, but DryRun flag is set."
    error = f"<Error><Code>DryRunOperation</Code><Message>{sentence}</Message></Error>"
    return _refusal("412 Precondition Failed", f"<Response><Errors>{error}</Errors></Response>")


def _refusal(status: str, text: str) -> _Answer:
    body = text.encode()
    return _Answer(status, [("Content-Type", "text/xml"), ("Content-Length", str(len(body)))], body)


def _caller(request: _Request) -> Caller:
    account_id = get_account_id_from(request.access_key)
    return Caller(
        account_id,
        {**_identity(account_id, request.access_key), "accountId": account_id, "accessKeyId": request.access_key},
        request.environ.get("REMOTE_ADDR", ""),
        request.environ.get("HTTP_USER_AGENT", ""),
    )


def _identity(account_id: str, access_key: str) -> dict[str, Any]:
    role = sts_backends[account_id][_PARTITION].get_assumed_role_from_access_key(access_key)
    if role is not None:
        issuer = {
            "type": "Role", "principalId": role.user_id.split(":")[0], "arn": role.role_arn, "accountId": account_id,
            "userName": role.role_arn.rsplit("/", 1)[-1],
        }  # fmt: skip
        return {
            "type": "AssumedRole", "principalId": role.user_id, "arn": role.arn,
            "sessionContext": {"sessionIssuer": issuer, "attributes": {"mfaAuthenticated": "false"}},
        }  # fmt: skip
    key = iam_backends[account_id][_PARTITION].access_keys.get(access_key)
    if key is not None and key.user_name:
        arn = f"arn:{_PARTITION}:iam::{account_id}:user/{key.user_name}"
        return {"type": "IAMUser", "principalId": "AIDACKCEVSQ6C2EXAMPLE", "arn": arn, "userName": key.user_name}
    return {"type": "Root", "principalId": account_id, "arn": f"arn:{_PARTITION}:iam::{account_id}:root"}


def _auto_scaling_identity(account_id: str) -> dict[str, Any]:
    role = "AWSServiceRoleForAutoScaling"
    issuer = {
        "type": "Role", "principalId": "AROADBQP57FF2AEXAMPLE", "accountId": account_id, "userName": role,
        "arn": f"arn:{_PARTITION}:iam::{account_id}:role/aws-service-role/autoscaling.amazonaws.com/{role}",
    }  # fmt: skip
    return {
        "type": "AssumedRole", "principalId": "AROADBQP57FF2AEXAMPLE:AutoScaling", "accountId": account_id,
        "arn": f"arn:{_PARTITION}:sts::{account_id}:assumed-role/{role}/AutoScaling",
        "sessionContext": {"sessionIssuer": issuer, "attributes": {"mfaAuthenticated": "false"}},
        "invokedBy": "autoscaling.amazonaws.com",
    }  # fmt: skip


def _shared_with(participant: str, region: str) -> dict[str, set[str]]:
    """The VPCs that others share with an account in a region through RAM: ids by owner."""
    shared: dict[str, set[str]] = {}
    for owner in list(ram_backends):
        for share in list(ram_backends[owner][region].resource_shares):
            if owner == participant or share.status != "ACTIVE" or participant not in share.principals:
                continue
            subnet_ids = {arn.rsplit("/", 1)[-1] for arn in share.resource_arns if ":subnet/" in arn}
            subnets = ec2_backends[owner][region].describe_subnets(subnet_ids=list(subnet_ids))
            shared.setdefault(owner, set()).update(subnet.vpc_id for subnet in subnets)
    return shared


def _merged(own: bytes, owners: bytes, container_name: str, vpc_attribute: str, vpc_ids: set[str]) -> bytes:
    """One listing with the owner's items for these VPCs added to it, without the owner's tags."""
    ET.register_namespace("", _EC2_NAMESPACE)
    tree = ET.fromstring(own)  # noqa: S314 - both are what moto itself has just written
    container = tree.find(f"{{*}}{container_name}")
    theirs = ET.fromstring(owners).findall(f"{{*}}{container_name}/{{*}}item")  # noqa: S314 - as above
    for item in theirs:
        if container is not None and item.findtext(f"{{*}}{vpc_attribute}") in vpc_ids:
            for tags in item.findall("{*}tagSet"):
                item.remove(tags)
            container.append(item)
    merged: bytes = ET.tostring(tree, encoding="utf-8", xml_declaration=True)
    return merged


def _numbered(name: str, values: list[str]) -> dict[str, str]:
    return {f"{name}.{number}": value for number, value in enumerate(values, 1)}


def _set_header(answer: _Answer, name: str, value: str) -> None:
    answer.headers = [(header, held) for header, held in answer.headers if header.lower() != name.lower()] + [
        (name, value)
    ]
