"""What AssumeRole answers, believed only where it is for the role that was asked for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.credentials import Credentials

from landkeeper.aws.failures import STRANGE_ANSWERS, strange_answer
from landkeeper.org import Failure, FailureReason

if TYPE_CHECKING:
    from mypy_boto3_sts import STSClient

SESSION_NAME = "landkeeper"
"""What sessions of assumed roles are called in CloudTrail."""

# What can stand in a header of a signed request; STS's API reference ("Credentials") is narrower for the key's id.
_SENDABLE = re.compile(r"[!-~]+")


@dataclass(frozen=True, slots=True)
class AssumedRole:
    """Temporary keys of the role that was asked for."""

    keys: Credentials
    expires_at: datetime


def assume_role(sts: STSClient, role_arn: str, external_id: str | None = None) -> AssumedRole | Failure:
    """Assume the role. A Failure where the answer is for another account, role or session, or not as documented.

    Raises what a call raises.
    """
    extra: dict[str, Any] = {"ExternalId": external_id} if external_id else {}
    try:
        answer = sts.assume_role(RoleArn=role_arn, RoleSessionName=SESSION_NAME, **extra)
        return parse_assumed_role(answer, role_arn)
    except STRANGE_ANSWERS as error:
        return strange_answer("STS", error)


def parse_assumed_role(answer: Mapping[str, Any], role_arn: str) -> AssumedRole | Failure:
    """The keys in the answer, or a Failure where they are not of `role_arn`.

    Raises KeyError or TypeError for what no answer is like.
    """
    assumed, expected = answer["AssumedRoleUser"]["Arn"], session_arn(role_arn)
    if assumed != expected:
        return Failure(FailureReason.ROLE_NOT_ASSUMABLE, "WrongAccount", f"STS answered for {assumed}, not {expected}")
    given = answer["Credentials"]
    keys = [given[name] for name in ("AccessKeyId", "SecretAccessKey", "SessionToken")]
    if not all(isinstance(key, str) and _SENDABLE.fullmatch(key) for key in keys):
        raise TypeError("the keys are no printable text")
    if not isinstance(given["Expiration"], datetime) or given["Expiration"].tzinfo is None:
        raise TypeError("Expiration is no time")
    return AssumedRole(Credentials(*keys), given["Expiration"])


def session_arn(role_arn: str) -> str:
    """The ARN that a session of the role has: of the same partition and account, without the role's path.

    Source: STS API Reference, "AssumedRoleUser"; IAM User Guide, "IAM identifiers". Raises ValueError for what is no
    role's ARN.
    """
    found = re.fullmatch(r"arn:([^:]+):iam::([0-9]{12}):role/(?:.*/)?([^/]+)", role_arn)
    if found is None:
        raise ValueError(f"{role_arn} is not the ARN of a role")
    partition, account, name = found.groups()
    return f"arn:{partition}:sts::{account}:assumed-role/{name}/{SESSION_NAME}"
