"""Who made a call: CloudTrail's `userIdentity` as a principal with a name that a person recognises.

Source: AWS CloudTrail User Guide, "CloudTrail userIdentity element".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from landkeeper.org import Principal

# Services that launch instances for somebody, by the name they have in `invokedBy`.
_SERVICES = {
    "autoscaling.amazonaws.com": "Auto Scaling",
    "batch.amazonaws.com": "AWS Batch",
    "cloudformation.amazonaws.com": "CloudFormation",
    "ec2.amazonaws.com": "EC2",
    "ec2fleet.amazonaws.com": "EC2 Fleet",
    "ecs.amazonaws.com": "ECS",
    "eks.amazonaws.com": "EKS",
    "eks-nodegroup.amazonaws.com": "EKS node group",
    "elasticbeanstalk.amazonaws.com": "Elastic Beanstalk",
    "elasticmapreduce.amazonaws.com": "EMR",
    "spot.amazonaws.com": "EC2 Spot",
    "spotfleet.amazonaws.com": "Spot Fleet",
}
# Set for calls from the console too: then it is the person who called, not a service.
_NOT_A_SERVICE = frozenset({"", "signin.amazonaws.com", "AWS Internal"})

UNKNOWN_PRINCIPAL = Principal(kind="Unknown", name="(unknown)")
"""Stands for whoever it was where a record does not say."""


def describe_principal(identity: Mapping[str, Any]) -> Principal | None:
    """The principal behind a `userIdentity`, or None where it neither has a type nor names a service."""
    invoked_by = _text(identity, "invokedBy")
    service = "" if invoked_by in _NOT_A_SERVICE else invoked_by
    kind = _text(identity, "type") or ("AWSService" if service else "")
    if not kind:
        return None
    issuer = _session_issuer(identity)
    return Principal(
        kind=kind,
        name=_with_service(_name(kind, identity, issuer), service),
        arn=_text(identity, "arn"),
        account_id=_text(identity, "accountId"),
        invoked_by=service,
        issuer_arn=_text(issuer, "arn"),
    )


def _with_service(name: str, service: str) -> str:
    if not service:
        return name
    label = _SERVICES.get(service, service)
    return f"{label} for {name}" if name and name != service else label


def _name(kind: str, identity: Mapping[str, Any], issuer: Mapping[str, Any]) -> str:
    match kind:
        case "Root":
            return "root"
        case "AWSService":
            return _text(identity, "invokedBy")
        case "AssumedRole":
            named = _role_and_session(identity, issuer)
        case "IdentityCenterUser":
            named = _text(_mapping(identity.get("onBehalfOf")), "userId")
        case _:
            named = _text(identity, "userName") or _after_first_slash(_text(identity, "arn"))
    return named or _text(identity, "principalId") or _text(identity, "accountId") or f"an unnamed {kind}"


def _role_and_session(identity: Mapping[str, Any], issuer: Mapping[str, Any]) -> str:
    from_arn = _after_first_slash(_text(identity, "arn"))
    if from_arn:
        return from_arn
    role = _text(issuer, "userName")
    session = _text(identity, "principalId").partition(":")[2]
    return "/".join(part for part in (role, session) if part)


def _after_first_slash(arn: str) -> str:
    return arn.partition("/")[2]


def _session_issuer(identity: Mapping[str, Any]) -> Mapping[str, Any]:
    return _mapping(_mapping(identity.get("sessionContext")).get("sessionIssuer"))


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(mapping: Mapping[str, Any], key: str) -> str:
    value = mapping.get(key)
    return value if isinstance(value, str) else ""
