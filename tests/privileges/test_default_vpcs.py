"""What deleting default VPCs asks of AWS, and what the network role lets it: compared both ways."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import botocore.session
import pytest
from botocore import xform_name
from tests.default_vpc_world import Places, places
from tests.member_instances import HERE
from tests.privileges.granted import grants_of
from tests.recorded_calls import recorded_calls
from tests.servers import home_sessions

import landkeeper
from landkeeper.aws.vpctracker.default_vpcs import Ec2DefaultVpcs
from landkeeper.embedded.simulators import HOME_ACCOUNT
from landkeeper.vpctracker.default_vpcs.removal import Deleted, delete_default_vpcs, survey_default_vpcs

__all__ = ["places"]

pytestmark = pytest.mark.embedded

_ROLE = "landkeeper-network"
_PREFIXES = {"elb": "elasticloadbalancing", "elbv2": "elasticloadbalancing", "service-quotas": "servicequotas"}
"""The names of services in permissions, where the SDK has others."""
_ANYBODY_MAY = {"sts:GetCallerIdentity"}
_AWS = Path(landkeeper.__file__).parent / "aws" / "vpctracker"
_OURS = ("default_vpcs.py", "default_vpc_holders.py", "connections.py")
_SERVICES = ("account", "service-quotas", "route53", "rds", "elasticache", "autoscaling", "elb", "elbv2", "ec2")
"""Of calls with one name in several services the last one is meant."""
_CALLS = {
    xform_name(operation): f"{_PREFIXES.get(service, service)}:{operation}"
    for service in _SERVICES
    for operation in botocore.session.get_session().get_service_model(service).operation_names
}


@pytest.fixture(scope="module")
def asked(places: Places) -> frozenset[str]:
    """Every permission that a survey and a deletion took, with the role's own policies in force."""
    place = places.new(home_sessions(_ROLE))
    place.make_role(_ROLE, sorted(_granted()))
    place.ec2.create_route_table(VpcId=place.vpc)
    place.ec2.create_network_acl(VpcId=place.vpc)
    with recorded_calls() as calls:
        # The regions are asked for, and all but one of them left out.
        reader = Ec2DefaultVpcs(lambda _: place.sessions, is_governed=lambda _, region: region != HERE)
        (removal,) = delete_default_vpcs(survey_default_vpcs([place.account], reader), reader, None)
    assert [type(one) for one in removal.results] == [Deleted]
    by_role = [call for call in calls if call.access_key != HOME_ACCOUNT]
    return frozenset(f"{_PREFIXES.get(call.service, call.service)}:{call.operation}" for call in by_role)


def _granted() -> set[str]:
    return {grant.action for grant in grants_of("member-roles.yaml") if grant.role == "Networker"}


def _calls_in(module: Path) -> Iterator[str]:
    """Names of calls, also those that are handed on as text."""
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        name = node.attr if isinstance(node, ast.Attribute) else node.value if isinstance(node, ast.Constant) else ""
        if isinstance(name, str) and name in _CALLS:
            yield _CALLS[name]


def test_everything_that_deleting_asks_for_is_granted(asked: frozenset[str]) -> None:
    assert len(asked) > 20
    assert asked - _ANYBODY_MAY <= _granted()


def test_every_call_in_the_code_was_made(asked: frozenset[str]) -> None:
    for module in _OURS:
        calls = set(_calls_in(_AWS / module))
        assert calls, module
        assert calls <= asked, module


def test_nothing_is_granted_that_neither_deleting_nor_vending_asks_for(asked: frozenset[str]) -> None:
    vending = set(_calls_in(_AWS / "vending.py"))
    # Asked only where a policy closes the region at hand.
    regions = set(_calls_in(_AWS.parent / "enabled_regions.py"))
    assert vending
    assert _granted() <= asked | vending | regions | {"ec2:CreateTags"}
    assert {"ec2:CreateTags", "ec2:DeleteVpc", "route53:ListHostedZonesByVPC"} <= asked
