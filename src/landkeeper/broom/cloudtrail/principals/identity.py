"""Who made a call: CloudTrail's `userIdentity` as a principal with a name that a person recognises.

Source: AWS CloudTrail User Guide, "CloudTrail userIdentity element".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from landkeeper.broom.cloudtrail.principals.services import service_label
from landkeeper.org import Principal, well_formed

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


def find_session(identity: Mapping[str, Any]) -> str:
    """The role and the session of a caller, as in `Developer/jane`; empty for any other."""
    return _role_and_session(identity, _session_issuer(identity)) if identity.get("type") == "AssumedRole" else ""


def on_behalf_of(service: str, principal: Principal) -> Principal:
    """The principal as the one for whom a service launched: named beside it, and otherwise the same."""
    return replace(principal, name=_with_service(principal.name, service), invoked_by=service)


def _with_service(name: str, service: str) -> str:
    if not service:
        return name
    label = service_label(service)
    return f"{label} for {name}" if name and name != service else label


def _name(kind: str, identity: Mapping[str, Any], issuer: Mapping[str, Any]) -> str:
    """Return who it was, and behind that in parentheses whom the record names beside it."""
    named = _own_name(kind, identity, issuer)
    if not named and kind == "IdentityCenterUser":
        # All that is known of such a user is who is behind the call.
        named, behind = _center_user(identity), _delegate(identity)
    else:
        behind = _behind(identity, named)
    named = named or _text(identity, "principalId") or _text(identity, "accountId") or f"an unnamed {kind}"
    return f"{named} ({behind})" if behind else named


def _own_name(kind: str, identity: Mapping[str, Any], issuer: Mapping[str, Any]) -> str:
    match kind:
        case "Root":
            return "root"
        case "AWSService":
            return _text(identity, "invokedBy")
        case "AssumedRole":
            return _session_name(identity, issuer)
        case "AWSAccount":
            return f"somebody in account {_text(identity, 'accountId')}" if _text(identity, "accountId") else ""
        case _:
            return _plain_name(identity) + _vouched(kind, identity, issuer)


def _vouched(kind: str, identity: Mapping[str, Any], issuer: Mapping[str, Any]) -> str:
    """Return who vouches for a user from elsewhere, in parentheses; empty if nobody does."""
    by, provider = _text(issuer, "userName"), _text(identity, "identityProvider")
    if kind == "FederatedUser" and by:
        return f" (federated by {by})"
    return f" (signed in with {provider})" if kind in {"WebIdentityUser", "SAMLUser"} and provider else ""


def _behind(identity: Mapping[str, Any], named: str) -> str:
    """Return who acted with these credentials, as far as the record tells and `named` does not.

    Source: CloudTrail User Guide, "CloudTrail userIdentity element" (`sourceIdentity`, `onBehalfOf`); IAM User Guide,
    "Temporary delegation" (`invokedByDelegate`).
    """
    context = _mapping(identity.get("sessionContext"))
    provider = _text(_mapping(context.get("webIdFederationData")), "federatedProvider")
    person = _text(context, "sourceIdentity") or _center_user(identity)
    if person and named.endswith(f"/{person}"):
        person = ""
    elif not person and provider:
        person = f"signed in with {provider}"
    return ", ".join(filter(None, (person, _delegate(identity))))


def _center_user(identity: Mapping[str, Any]) -> str:
    """Return the user of IAM Identity Center for whom the call was made; its id is all that a record has."""
    user = _text(_mapping(identity.get("onBehalfOf")), "userId")
    return f"Identity Center user {user}" if user else ""


def _delegate(identity: Mapping[str, Any]) -> str:
    account = _text(_mapping(identity.get("invokedByDelegate")), "accountId")
    return f"delegated to account {account}" if account else ""


def _plain_name(identity: Mapping[str, Any]) -> str:
    return _text(identity, "userName") or _after_first_slash(_text(identity, "arn"))


def _session_name(identity: Mapping[str, Any], issuer: Mapping[str, Any]) -> str:
    """Return role and session, in words where they tell of a person, an instance or a program."""
    session = _role_and_session(identity, issuer)
    if found := _PERMISSION_SET.fullmatch(session):
        session = f"{found[1]}/{found[2]}"
    elif found := _ON_INSTANCE.fullmatch(session):
        session = f"{found[1]} on instance {found[2]}"
    for word, program in _PROGRAMS:
        if word in session.lower():
            session = f"{program} ({session})"
    return session


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
