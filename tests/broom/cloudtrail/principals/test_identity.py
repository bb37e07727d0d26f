"""The name that a person knows a principal by."""

from __future__ import annotations

from typing import Any

import pytest

from landkeeper.broom.cloudtrail.principals.identity import describe_principal, find_session

ROLE = {
    "type": "AssumedRole",
    "principalId": "AROAEXAMPLE:jane@example.com",
    "arn": "arn:aws:sts::111122223333:assumed-role/Developer/jane@example.com",
    "sessionContext": {"sessionIssuer": {"arn": "arn:aws:iam::111122223333:role/Developer", "userName": "Developer"}},
}


def session(name: str, **context: object) -> dict[str, Any]:
    """An assumed role with this role and session name."""
    arn = f"arn:aws:sts::111122223333:assumed-role/{name}"
    return {"type": "AssumedRole", "arn": arn, "sessionContext": context}


@pytest.mark.parametrize(
    ("identity", "name"),
    [
        ({"type": "IAMUser", "userName": "jane"}, "jane"),
        ({"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/jane"}, "jane"),
        ({"type": "IAMUser", "principalId": "AIDAEXAMPLE"}, "AIDAEXAMPLE"),
        ({"type": "IAMUser", "userName": "jane", "invokedBy": "signin.amazonaws.com"}, "jane"),
        (ROLE, "Developer/jane@example.com"),
        ({**ROLE, "arn": ""}, "Developer/jane@example.com"),
        ({"type": "AssumedRole", "principalId": "AROAEXAMPLE"}, "AROAEXAMPLE"),
        ({"type": "Root", "arn": "arn:aws:iam::111122223333:root"}, "root"),
        ({"type": "Root", "invokedBy": "autoscaling.amazonaws.com"}, "Auto Scaling for root"),
        ({**ROLE, "invokedBy": "ec2fleet.amazonaws.com"}, "EC2 Fleet for Developer/jane@example.com"),
        ({"type": "FederatedUser", "arn": "arn:aws:sts::111122223333:federated-user/mary"}, "mary"),
        ({"type": "AWSService", "invokedBy": "spot.amazonaws.com"}, "EC2 Spot"),
        ({"type": "AWSService", "invokedBy": "new.amazonaws.com"}, "new.amazonaws.com"),
        ({"invokedBy": "ec2.amazonaws.com", "accountId": "111122223333"}, "EC2"),
        ({"type": "AWSService", "invokedBy": "bedrock.amazonaws.com"}, "Amazon Bedrock"),
        ({"type": "IdentityCenterUser", "onBehalfOf": {"userId": "9067-1"}}, "Identity Center user 9067-1"),
        (
            {"type": "IdentityCenterUser", "userName": "jane", "onBehalfOf": {"userId": "9067-1"}},
            "jane (Identity Center user 9067-1)",
        ),
        ({**ROLE, "onBehalfOf": {"userId": "9067-1"}}, "Developer/jane@example.com (Identity Center user 9067-1)"),
        (
            {**ROLE, "invokedBy": "bedrock.amazonaws.com", "onBehalfOf": {"userId": "9067-1"}},
            "Amazon Bedrock for Developer/jane@example.com (Identity Center user 9067-1)",
        ),
        ({**session("Ci/build", sourceIdentity="jane"), "onBehalfOf": {"userId": "9067-1"}}, "Ci/build (jane)"),
        (
            {**session("Ci/build", sourceIdentity="jane"), "invokedByDelegate": {"accountId": "444455556666"}},
            "Ci/build (jane, delegated to account 444455556666)",
        ),
        (
            {"type": "IAMUser", "userName": "jane", "invokedByDelegate": {"accountId": "444455556666"}},
            "jane (delegated to account 444455556666)",
        ),
        (
            {"type": "IdentityCenterUser", "invokedByDelegate": {"accountId": "444455556666"}, "principalId": "P"},
            "P (delegated to account 444455556666)",
        ),
        ({"type": "FederatedUser", "userName": "mary", "onBehalfOf": "?", "invokedByDelegate": 7}, "mary"),
        ({"type": "SAMLUser", "principalId": "P"}, "P"),
        (
            {**session("AWSServiceRoleForAutoScaling_prod/AutoScaling"), "invokedBy": "autoscaling.amazonaws.com"},
            "Auto Scaling for AWSServiceRoleForAutoScaling_prod/AutoScaling",
        ),
        ({"type": "WebIdentityUser", "userName": "system:serviceaccount:ci"}, "system:serviceaccount:ci"),
        ({"type": "AWSAccount", "accountId": "444455556666"}, "somebody in account 444455556666"),
        ({"type": "AWSAccount", "principalId": "AIDAEXAMPLE"}, "AIDAEXAMPLE"),
        ({"type": "Unknown"}, "an unnamed Unknown"),
        (session("AWSReservedSSO_Developer_0123456789abcdef/jane@example.com"), "Developer/jane@example.com"),
        (session("Worker/i-0abcdef1234567890"), "Worker on instance i-0abcdef1234567890"),
        (session("KarpenterController/1767261600"), "Karpenter (KarpenterController/1767261600)"),
        (session("Ci/build", sourceIdentity="jane"), "Ci/build (jane)"),
        (session("Ci/jane", sourceIdentity="jane"), "Ci/jane"),
        (
            session("AWSReservedSSO_Dev_0123456789abcdef/jane@example.com", sourceIdentity="jane@example.com"),
            "Dev/jane@example.com",
        ),
        (
            session("Ci/build", webIdFederationData={"federatedProvider": "token.example.com"}),
            "Ci/build (signed in with token.example.com)",
        ),
        (
            {"type": "SAMLUser", "userName": "jane", "identityProvider": "id.example.com"},
            "jane (signed in with id.example.com)",
        ),
        (
            {
                "type": "FederatedUser",
                "arn": "arn:aws:sts::111122223333:federated-user/mary",
                "sessionContext": {"sessionIssuer": {"userName": "alice"}},
            },
            "mary (federated by alice)",
        ),
    ],
)
def test_a_principal_has_a_name_that_a_person_knows(identity: dict[str, Any], name: str) -> None:
    principal = describe_principal(identity)
    assert principal is not None
    assert principal.name == name


def test_an_assumed_role_knows_its_session_and_the_role() -> None:
    principal = describe_principal(ROLE)
    assert principal is not None
    assert principal.arn == ROLE["arn"]
    assert principal.issuer_arn == "arn:aws:iam::111122223333:role/Developer"


@pytest.mark.parametrize("identity", [{}, {"type": None}, {"invokedBy": "AWS Internal"}, {"type": 7}])
def test_an_identity_without_type_and_service_is_nobody(identity: dict[str, Any]) -> None:
    assert describe_principal(identity) is None


def test_only_an_assumed_role_has_a_session() -> None:
    assert find_session(ROLE) == "Developer/jane@example.com"
    assert find_session({**ROLE, "arn": ""}) == "Developer/jane@example.com"
    assert find_session({"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/jane"}) == ""
