"""CloudTrail's `userIdentity` of a principal of which only the ARN is known.

Source: AWS CloudTrail User Guide, "CloudTrail userIdentity element"; AWS IAM User Guide, "IAM identifiers".
"""

from __future__ import annotations

import re
from typing import Any

from landkeeper.org import UsageError

_ARN = re.compile(
    r"arn:(?P<partition>aws[a-z-]*):(?P<service>iam|sts)::(?P<account>[0-9]{12}):(?P<kind>root|user|role|assumed-role"
    r"|federated-user)(?:(?<!root)/(?P<path>[!-~]+/)?(?P<name>[^/\s]+))?"
)
_SERVICES = {"root": "iam", "user": "iam", "role": "iam", "assumed-role": "sts", "federated-user": "sts"}
_SERVICE_ROLE = re.compile(r"aws-service-role/([a-z0-9.-]+)/")
_SESSION = "session"
"""What the session of a role is called whose own ARN is given."""


def identity_of_arn(arn: str) -> dict[str, Any]:
    """Return the `userIdentity` of the principal with this ARN; a role stands for a session of it.

    The ARN of a session does not show the path of its role: that is taken to be `/`. Raises UsageError for an ARN that
    no principal has.
    """
    found = _ARN.fullmatch(arn)
    if (
        found is None
        or found["service"] != _SERVICES[found["kind"]]
        or (found["name"] is None) != (found["kind"] == "root")
    ):
        raise UsageError(
            f"'{arn}' is not the ARN of a principal such as arn:aws:iam::111122223333:user/jane or "
            "arn:aws:sts::111122223333:assumed-role/Developer/jane"
        )
    kind, path, account = found["kind"], found["path"] or "", found["account"]
    name = found["name"]
    if kind == "assumed-role":
        return _session(found["partition"], account, "", path.removesuffix("/"), name)
    if kind == "role":
        return _session(found["partition"], account, path, name, _SESSION)
    known = {"arn": arn, "accountId": account}
    if kind == "root":
        return {"type": "Root", "principalId": account, **known}
    if kind == "federated-user":
        return {"type": "FederatedUser", "principalId": f"{account}:{name}", **known}
    return {"type": "IAMUser", "principalId": "AIDAEXAMPLE", **known, "userName": name}


def _session(partition: str, account: str, path: str, role: str, session: str) -> dict[str, Any]:
    if not role or "/" in role:
        raise UsageError(f"an ARN of a session ends with the names of its role and of the session: '{role}/{session}'")
    issuer = {
        "type": "Role",
        "principalId": "AROAEXAMPLE",
        "arn": f"arn:{partition}:iam::{account}:role/{path}{role}",
        "accountId": account,
        "userName": role,
    }
    service = _SERVICE_ROLE.match(path)
    return {
        "type": "AssumedRole",
        "principalId": f"AROAEXAMPLE:{session}",
        "arn": f"arn:{partition}:sts::{account}:assumed-role/{role}/{session}",
        "accountId": account,
        "sessionContext": {"sessionIssuer": issuer},
        **({"invokedBy": service[1]} if service is not None else {}),
    }
