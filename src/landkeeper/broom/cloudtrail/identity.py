"""Who made a call: CloudTrail's `userIdentity` as a principal with a name that a person recognises.

Source: AWS CloudTrail User Guide, "CloudTrail userIdentity element".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from landkeeper.broom.cloudtrail.fields import well_formed
from landkeeper.org import Principal

# Services that launch instances for somebody, by the name they have in `invokedBy`.
_SERVICES = {
    "autoscaling.amazonaws.com": "Auto Scaling",
    "batch.amazonaws.com": "AWS Batch",
    "cloudformation.amazonaws.com": "CloudFormation",
    "ec2.amazonaws.com": "EC2",
    "ec2fleet.amazonaws.com": "EC2 Fleet",
    "ec2scheduled.amazonaws.com": "EC2 Scheduled Instances",
    "ecs.amazonaws.com": "ECS",
    "eks.amazonaws.com": "EKS",
    "eks-nodegroup.amazonaws.com": "EKS node group",
    "elasticbeanstalk.amazonaws.com": "Elastic Beanstalk",
    "elasticmapreduce.amazonaws.com": "EMR",
    "spot.amazonaws.com": "EC2 Spot",
    "spotfleet.amazonaws.com": "Spot Fleet",
}
# Sessions whose name says that a program runs there, by what the role is called.
_PROGRAMS = (("karpenter", "Karpenter"), ("cluster-autoscaler", "Cluster Autoscaler"))
# How Identity Center names the roles of its permission sets (IAM Identity Center User Guide, "Referencing permission
# sets in resource policies").
_PERMISSION_SET = re.compile(r"AWSReservedSSO_(.+)_[0-9a-f]{16}/(.+)")
_ON_INSTANCE = re.compile(r"(.+)/(i-[0-9a-f]{8,17})")
# Set for calls from the console too: then it is the person who called, not a service.
_NOT_A_SERVICE = frozenset({"", "signin.amazonaws.com", "AWS Internal"})

_LONGEST = 2048
"""No ARN and no name of a principal is longer (IAM User Guide, "IAM and AWS STS quotas")."""

SPOT = "spot.amazonaws.com"
"""What invokes the launches of EC2 Spot."""

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


def on_behalf_of(service: str, principal: Principal) -> Principal:
    """The principal as the one for whom a service launched: named beside it, and otherwise the same."""
    return replace(principal, name=_with_service(principal.name, service), invoked_by=service)


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
            named = _session_name(identity, issuer)
        case "FederatedUser":
            by = _text(issuer, "userName")
            named = f"{_plain_name(identity)} (federated by {by})" if by else _plain_name(identity)
        case "WebIdentityUser" | "SAMLUser":
            provider = _text(identity, "identityProvider")
            named = f"{_plain_name(identity)} (signed in with {provider})" if provider else _plain_name(identity)
        case "IdentityCenterUser":
            named = _text(_mapping(identity.get("onBehalfOf")), "userId")
        case "AWSAccount":
            named = f"somebody in account {_text(identity, 'accountId')}" if _text(identity, "accountId") else ""
        case _:
            named = _plain_name(identity)
    return named or _text(identity, "principalId") or _text(identity, "accountId") or f"an unnamed {kind}"


def _plain_name(identity: Mapping[str, Any]) -> str:
    return _text(identity, "userName") or _after_first_slash(_text(identity, "arn"))


def _session_name(identity: Mapping[str, Any], issuer: Mapping[str, Any]) -> str:
    """Role and session, and in words who stands behind them where the record tells."""
    session = _role_and_session(identity, issuer)
    context = _mapping(identity.get("sessionContext"))
    if found := _PERMISSION_SET.fullmatch(session):
        session = f"{found[1]}/{found[2]}"
    elif found := _ON_INSTANCE.fullmatch(session):
        session = f"{found[1]} on instance {found[2]}"
    for word, program in _PROGRAMS:
        if word in session.lower():
            session = f"{program} ({session})"
    provider = _text(_mapping(context.get("webIdFederationData")), "federatedProvider")
    behind = _text(context, "sourceIdentity") or (f"signed in with {provider}" if provider else "")
    return f"{session} ({behind})" if session and behind else session


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
    return well_formed(value) if isinstance(value, str) and len(value) <= _LONGEST else ""
