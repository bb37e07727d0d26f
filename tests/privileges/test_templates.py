"""What no template may let anybody do, and what the roles that can do harm are held to."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any

import pytest
from tests.privileges.authorization_reference import find_actions
from tests.privileges.granted import (
    TEMPLATES,
    AllowedAction,
    grants_of,
    listed,
    resources_of,
    resources_of_type,
    settled,
    statements_in,
)

from landkeeper.operate.cost.stack_facts import parse_template

_WIDE_BY_CHOICE = {
    "organizations:ListAccountsForParent": "the units of the organization, whose ids nobody knows before",
    "organizations:ListOrganizationalUnitsForParent": "the same",
    "organizations:ListParents": "the accounts and units of the organization",
    "servicequotas:GetServiceQuota": "reads a limit of the role's own account",
}
"""Actions for which a resource could be named and is not."""
_ENDING = {"ec2:StopInstances", "ec2:TerminateInstances"}
_NETWORKING = {
    "ec2:CreateSubnet", "ec2:CreateTags", "ec2:CreateVpc", "ec2:DeleteInternetGateway", "ec2:DeleteNetworkAcl",
    "ec2:DeleteRouteTable", "ec2:DeleteSubnet", "ec2:DeleteTags", "ec2:DeleteVpc", "ec2:DetachInternetGateway",
    "ec2:ModifyVpcAttribute",
}  # fmt: skip


def _grants() -> Iterator[tuple[str, AllowedAction]]:
    return ((template, grant) for template in TEMPLATES for grant in grants_of(template))


def _policies_of_resources() -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The statements of policies that are attached to buckets, queues, topics and the like."""
    for template in TEMPLATES:
        for name, resource in resources_of(template).items():
            properties = resource["Properties"]
            documents = [properties[key] for key in ("PolicyDocument", "KeyPolicy") if key in properties]
            if resource["Type"] != "AWS::IAM::ManagedPolicy":
                for statement in statements_in(documents):
                    yield f"{template}:{name}", statement
            if resource["Type"] == "AWS::Events::EventBusPolicy":
                yield f"{template}:{name}", properties["Statement"]


def test_roles_name_each_action() -> None:
    actions = {grant.action for _, grant in _grants()}
    assert len(actions) > 30
    assert not {action for action in actions if "*" in action or ":" not in action}


def test_roles_name_resources_wherever_iam_knows_any() -> None:
    wide = {grant.action for _, grant in _grants() if grant.resources == "*"}
    assert wide
    assert {name for name in wide if any(action.resource_types for action in find_actions(name))} == set(
        _WIDE_BY_CHOICE
    )


def test_roles_hold_no_policies_of_anybody_else() -> None:
    """AWS's managed policies grow without asking."""
    for where, role in resources_of_type("AWS::IAM::Role"):
        assert "arn:" not in str(role["Properties"].get("ManagedPolicyArns", "")), where


def test_functions_bring_no_permissions_along() -> None:
    """SAM would add its own to a function without a role, or with `Policies`."""
    for where, function in resources_of_type("AWS::Serverless::Function"):
        assert "Role" in function["Properties"], where
        assert "Policies" not in function["Properties"], where


def test_whoever_may_assume_a_role_is_one_service_or_one_role() -> None:
    for where, role in resources_of_type("AWS::IAM::Role"):
        statements = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        assert statements, where
        for statement in statements:
            ((kind, who),) = statement["Principal"].items()
            assert statement["Action"] == "sts:AssumeRole", where
            assert kind in {"Service", "AWS"}
            assert isinstance(who, str) == (kind == "Service"), where
            assert "*" not in str(who)


def test_instances_can_be_ended_by_two_roles_only_and_only_in_their_own_account() -> None:
    ending = [(template, grant) for template, grant in _grants() if grant.action in _ENDING]
    assert {(template, grant.role) for template, grant in ending} == {
        ("landkeeper.yaml", "BroomRole"), ("member-roles.yaml", "Terminator"),
    }  # fmt: skip
    for _, grant in ending:
        assert grant.resources == str({"!Sub": "arn:${AWS::Partition}:ec2:*:${AWS::AccountId}:instance/*"})
        condition, spared, nothing = grant.condition["!If"]
        assert condition == "SparesTagged"
        # True where the tag is absent (IAM guide, "Condition operator to check existence of condition keys").
        assert spared == {"Null": {"aws:ResourceTag/landkeeper:spare": "true"}}
        assert nothing == {"!Ref": "AWS::NoValue"}


def test_networks_can_be_changed_by_one_role_only_and_only_in_its_own_account() -> None:
    changing = [(template, grant) for template, grant in _grants() if grant.action in _NETWORKING]
    assert {(template, grant.role) for template, grant in changing} == {("member-roles.yaml", "Networker")}
    assert {grant.action for _, grant in changing} == _NETWORKING
    for _, grant in changing:
        assert grant.resources.count("arn:${AWS::Partition}:ec2:*:${AWS::AccountId}:") == grant.resources.count("arn:")


def _only(tag: str) -> dict[str, Any]:
    # Of nothing at all "for all values" is true (IAM guide, "Set operators for multivalued context keys").
    return {"ForAllValues:StringEquals": {"aws:TagKeys": [tag]}, "Null": {"aws:TagKeys": "false"}}


def test_tags_can_be_set_on_what_is_just_made_and_two_of_their_own_at_other_times() -> None:
    setting, marking = [grant for _, grant in _grants() if grant.action == "ec2:CreateTags"]
    assert setting.condition == {"StringEquals": {"ec2:CreateAction": ["CreateSubnet", "CreateVpc"]}}
    assert marking.condition == _only("landkeeper:default-vpc")
    assert "internet-gateway/*" in marking.resources
    assert "vpc/*" not in marking.resources
    (taking,) = [grant for _, grant in _grants() if grant.action == "ec2:DeleteTags"]
    assert taking.condition == _only("landkeeper:unfinished")


_UNFINISHED = {"Null": {"aws:ResourceTag/landkeeper:unfinished": "false"}}
_TO_BE_UNFINISHED = {"Null": {"aws:RequestTag/landkeeper:unfinished": "false"}}


def test_only_a_vpc_that_is_unfinished_can_be_changed() -> None:
    """A tag that nobody can set with the role on what is there already: only what it makes carries it."""
    changing = [grant for grant in grants_of("member-roles.yaml") if grant.action in _NETWORKING]
    vending = [grant for grant in changing if grant.sid not in {"DeleteDefaultVpcs", "MarkTheGatewayOfADefaultVpc"}]
    conditions = {
        (grant.action, kind): grant.condition
        for grant in vending
        for kind in ("vpc", "subnet")
        if f"{kind}/*" in grant.resources and not grant.action.endswith("Tags")
    }
    assert conditions == {
        ("ec2:CreateVpc", "vpc"): _TO_BE_UNFINISHED,
        ("ec2:CreateSubnet", "subnet"): _TO_BE_UNFINISHED,
        ("ec2:CreateSubnet", "vpc"): _UNFINISHED,
        ("ec2:ModifyVpcAttribute", "vpc"): _UNFINISHED,
        ("ec2:DeleteSubnet", "subnet"): _UNFINISHED,
        ("ec2:DeleteVpc", "vpc"): _UNFINISHED,
        ("ec2:DeleteSubnet", "vpc"): _UNFINISHED,
        ("ec2:DeleteVpc", "subnet"): _UNFINISHED,
    }


def test_default_vpcs_can_be_deleted_where_a_parameter_says_so_and_none_that_was_vended() -> None:
    """IAM knows no condition for a default VPC."""
    policies = resources_of("member-roles.yaml")["Networker"]["Properties"]["Policies"]
    (condition, policy, nothing) = policies[1]["!If"]
    assert (condition, nothing) == ("DeletesDefaultVpcs", {"!Ref": "AWS::NoValue"})
    mark, delete = policy["PolicyDocument"]["Statement"]
    assert (mark["Sid"], delete["Sid"]) == ("MarkTheGatewayOfADefaultVpc", "DeleteDefaultVpcs")
    assert delete["Condition"] == {"Null": {"aws:ResourceTag/landkeeper:request-id": "true"}}
    vending = json.dumps([each for each in statements_in([policies[0]["PolicyDocument"]]) if each["Resource"] != "*"])
    assert "subnet/*" in vending
    assert not re.findall("gateway|route-table|network-acl", vending)


def test_the_network_role_is_made_only_for_somebody_and_not_for_any_session() -> None:
    for template in ("member-roles.yaml", "landkeeper.yaml"):
        text = (files("landkeeper") / "infra" / template).read_text(encoding="utf-8")
        parameter = parse_template(text)["Parameters"]["NetworkPrincipalArn"]
        assert parameter["Default"] == ""
        pattern = re.compile(parameter["AllowedPattern"])
        assert pattern.fullmatch("arn:aws:iam::111122223333:role/pipelines/network")
        assert not pattern.fullmatch("arn:aws:iam::111122223333:root")
        assert not pattern.fullmatch("arn:aws:iam::111122223333:role/*")
    assert resources_of("member-roles.yaml")["Networker"]["Condition"] == "LetsNetworkIn"


def test_nothing_else_can_change_or_end_what_is_not_landkeepers() -> None:
    """Beside ending instances and the network role every action reads, or writes into what the stack itself made."""
    reading = ("Describe", "List", "Get", "Query", "Scan", "BatchGet", "Receive", "Decrypt")
    own = {
        "dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "lambda:InvokeFunction", "sqs:SendMessage",
        "sqs:DeleteMessage", "sns:Publish", "s3:PutObject",
        "events:PutEvents", "scheduler:CreateSchedule", "iam:PassRole", "sts:AssumeRole", "logs:CreateLogStream",
        "logs:PutLogEvents", "kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom", "kms:ReEncryptTo",
    }  # fmt: skip
    actions = {grant.action for _, grant in _grants()} - _ENDING - _NETWORKING
    writing = {action for action in actions if not action.split(":")[1].startswith(reading)}
    assert writing
    assert writing <= own


@pytest.mark.parametrize(
    ("sid", "role_name"), [("AssumeTheReader", "ReadRoleName"), ("AssumeTheTerminator", "TerminateRoleName")]
)
def test_accounts_of_the_own_organization_alone_are_entered(sid: str, role_name: str) -> None:
    (grant,) = [grant for grant in grants_of("landkeeper.yaml") if grant.sid == sid]
    assert grant.condition["!If"] == [
        "InOrganization",
        {"StringEquals": {"aws:ResourceOrgID": {"!Ref": "OrganizationId"}}},
        {"!Ref": "AWS::NoValue"},
    ]
    assert f"role/${{{role_name}}}" in grant.resources


def test_the_bus_takes_from_members_only_what_aws_tells_them() -> None:
    """Nobody can put events whose source begins with `aws.`, so no member can report in Broom's name."""
    (statement,) = [found for where, found in _policies_of_resources() if where.endswith(":EventsOfMembers")]
    forwarded = {
        source
        for where, rule in resources_of_type("AWS::Events::Rule", ("member-events.yaml", "log-archive.yaml"))
        for source in rule["Properties"]["EventPattern"]["source"]
    }
    taken, archived = statement["Condition"]["ForAllValues:StringEquals"]["events:source"]
    assert {taken, archived["!If"][1]} == forwarded
    assert all(source.startswith("aws.") for source in forwarded)
    assert archived["!If"][::2] == ["HearsBucketEvents", {"!Ref": "AWS::NoValue"}]
    # Of no source at all "for all values" is true (IAM guide, "Set operators for multivalued context keys").
    assert statement["Condition"]["Null"] == {"events:source": "false"}
    assert statement["Condition"]["StringEquals"] == {"aws:PrincipalOrgID": {"!Ref": "OrganizationId"}}


def test_each_role_that_is_assumed_goes_by_the_name_that_the_stack_was_given() -> None:
    assumed = {grant.resources for _, grant in _grants() if grant.action == "sts:AssumeRole"}
    assert assumed
    assert all("RoleName}" in one or "RoleArn" in one for one in assumed)


def test_the_schedulers_role_is_handed_to_the_scheduler_only() -> None:
    (grant,) = [grant for _, grant in _grants() if grant.action == "iam:PassRole"]
    assert grant.resources == str({"!GetAtt": "BroomScheduleRole.Arn"})
    assert grant.condition == {"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}}


def test_the_trail_bucket_takes_writes_from_cloudtrail_alone_and_from_one_trail() -> None:
    policy = resources_of("landkeeper.yaml")["TrailBucketPolicy"]["Properties"]["PolicyDocument"]
    allowing = [each for each in statements_in([policy]) if each["Effect"] == "Allow"]
    writing = [each for each in allowing if any("Put" in action for action in listed(each["Action"]))]
    assert writing
    for statement in writing:
        assert statement["Principal"] == {"Service": "cloudtrail.amazonaws.com"}
        assert statement["Action"] == "s3:PutObject"
        assert "/AWSLogs/" in str(statement["Resource"])
    for statement in allowing:
        if statement["Principal"] == {"Service": "cloudtrail.amazonaws.com"}:
            assert "aws:SourceArn" in json.dumps(statement["Condition"])
        assert set(listed(statement["Action"])) <= {"s3:GetBucketAcl", "s3:PutObject"}
    (barred,) = [each for each in statements_in([policy]) if each.get("Sid") == "NobodyElseWrites"]
    assert (barred["Effect"], barred["Principal"], barred["Action"]) == ("Deny", "*", "s3:PutObject")
    assert barred["Condition"] == {"Bool": {"aws:PrincipalIsAWSService": "false"}}


@pytest.mark.parametrize(
    ("where", "statement"), [found for found in _policies_of_resources() if found[1]["Effect"] != "Deny"]
)
def test_a_policy_on_a_resource_lets_in_services_for_their_source_or_the_organization(
    where: str, statement: Mapping[str, Any]
) -> None:
    assert not [action for action in listed(statement["Action"]) if "*" in action], where
    condition = json.dumps(settled(statement["Condition"]))
    if statement["Principal"] == "*":
        assert "aws:PrincipalOrgID" in condition, where
    else:
        assert set(statement["Principal"]) == {"Service"}, where
        assert "aws:SourceArn" in condition or "aws:SourceAccount" in condition, where


def test_the_pools_functions_are_asked_by_their_own_account_and_organization_alone() -> None:
    for where, permission in resources_of_type("AWS::Lambda::Permission"):
        assert permission["Condition"] == "InOrganization", where
        assert permission["Properties"]["Action"] == "lambda:InvokeFunction"
        assert permission["Properties"]["PrincipalOrgID"] == {"!Ref": "OrganizationId"}


def test_the_pools_functions_can_be_kept_from_using_up_the_concurrency() -> None:
    for template, name in (("landkeeper.yaml", "PoolFunction"), ("pool-forwarder.yaml", "PoolForwarder")):
        reserved = resources_of(template)[name]["Properties"]["ReservedConcurrentExecutions"]
        assert reserved == {"!If": ["LimitsPools", {"!Ref": "PoolConcurrency"}, {"!Ref": "AWS::NoValue"}]}


def test_items_are_deleted_from_the_table_of_pools_alone() -> None:
    deleting = [(template, grant) for template, grant in _grants() if grant.action == "dynamodb:DeleteItem"]
    assert {(template, grant.role) for template, grant in deleting} == {("landkeeper.yaml", "PoolRole")}
    assert {grant.resources for _, grant in deleting} == {str({"!GetAtt": "VpcTrackerPools.Arn"})}
