"""What vending asks of AWS in an account, and what the network role lets it: nothing is asked that is not granted.

`test_default_vpcs.py` holds the role against both of its uses the other way round.
"""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.default_vpc_world import Place, Places, places
from tests.interrupted_calls import Interruption, watching
from tests.member_instances import HERE
from tests.privileges.granted import grants_of
from tests.recorded_calls import recorded_calls
from tests.servers import home_sessions

from landkeeper.cli import run
from landkeeper.embedded.pool_file import PoolFile
from landkeeper.embedded.simulators import HOME_ACCOUNT
from landkeeper.vpctracker.coverage import Coverage, RegionCoverage

__all__ = ["places"]

pytestmark = pytest.mark.embedded

_ROLE = "landkeeper-network"
_CHANGING = {"CreateSubnet", "CreateVpc", "DeleteSubnet", "DeleteVpc", "ModifyVpcAttribute"}
_WITHOUT_OUR_ASKING = {
    "servicequotas:GetAWSDefaultServiceQuota": "asked for where no value was ever applied, which moto does not know",
}


def _granted() -> set[str]:
    return {grant.action for grant in grants_of("member-roles.yaml") if grant.role == "Networker"}


def _prepared(place: Place, file: Path) -> list[str]:
    """What to type for a VPC in the account, of which a file knows that it was read."""
    now = datetime.now(UTC)
    with closing(PoolFile(file)) as store:
        store.write_coverage(Coverage(place.account.id, "shop", now, regions={HERE: RegionCoverage(now)}))
    assert run(["vpc", "pool", "create", "prod", "--cidr", "10.0.0.0/16", "--file", str(file)]) == 0
    return [
        "vpc", "vend", "--account", place.account.id, "--region", HERE, "--pool", "prod", "--prefix-length", "24",
        "--zones", "2", "--tags", "Code=LOL", "--yes", "--file", str(file),
    ]  # fmt: skip


@pytest.fixture(scope="module")
def asked(places: Places, tmp_path_factory: pytest.TempPathFactory) -> frozenset[str]:
    """Every permission that a vending and an undoing took, with the role's own policies in force."""
    place = places.new(home_sessions(_ROLE))
    place.make_role(_ROLE, sorted(_granted()))
    vend = _prepared(place, tmp_path_factory.mktemp("vending") / "landkeeper.db")
    with recorded_calls() as calls, watching() as watch:
        assert run(vend) == 0
        last = len(watch.attempts) - watch.attempts[::-1].index("ec2:CreateSubnet") - 1
        watch.begin(last, Interruption.REFUSED)
        assert run(vend) == 3
    assert {"DeleteSubnet", "DeleteVpc"} <= {call.operation for call in calls}
    by_role = [call for call in calls if call.access_key != HOME_ACCOUNT and call.service != "sts"]
    return frozenset(f"{call.service.replace('-', '')}:{call.operation}" for call in by_role)


def test_everything_that_vending_asks_for_is_granted(asked: frozenset[str]) -> None:
    assert {"ec2:CreateVpc", "ec2:DeleteTags", "servicequotas:GetServiceQuota"} <= asked
    assert asked <= _granted()


def test_what_makes_networks_is_granted_for_vending(asked: frozenset[str]) -> None:
    making = {one for one in _granted() if one.startswith(("ec2:Create", "ec2:Modify", "servicequotas:"))}
    assert making
    # Tags are set in the call that makes something.
    assert making - asked - {"ec2:CreateTags"} - set(_WITHOUT_OUR_ASKING) == set()


def test_what_vending_makes_and_changes_carries_the_tag_that_the_role_requires(places: Places, tmp_path: Path) -> None:
    """The simulators hold the role to its actions, not to its conditions."""
    place = places.new(home_sessions(_ROLE))
    place.make_role(_ROLE, sorted(_granted()))
    with recorded_calls() as calls:
        assert run(_prepared(place, tmp_path / "landkeeper.db")) == 0
    made = [call for call in calls if call.operation in {"CreateVpc", "CreateSubnet"}]
    assert len(made) == 3
    for call in made:
        (tagging,) = call.parameters["TagSpecifications"]
        assert {"Key": "landkeeper:unfinished", "Value": "true"} in tagging["Tags"]
    (finishing,) = [call for call in calls if call.operation == "DeleteTags"]
    assert finishing.parameters["Tags"] == [{"Key": "landkeeper:unfinished"}]
    assert len(finishing.parameters["Resources"]) == 3
    changing = [number for number, call in enumerate(calls) if call.operation in _CHANGING]
    assert max(changing) < calls.index(finishing), "nothing is changed any more once it is finished"


def test_without_a_permission_nothing_is_made(places: Places, tmp_path: Path) -> None:
    place = places.new(home_sessions(_ROLE))
    place.make_role(_ROLE, sorted(_granted() - {"ec2:CreateSubnet"}))
    assert run(_prepared(place, tmp_path / "landkeeper.db")) == 3
    assert len(place.ec2.describe_vpcs()["Vpcs"]) == 1
