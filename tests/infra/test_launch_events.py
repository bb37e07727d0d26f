"""The rules that bring launches name what Broom understands, in both templates alike."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import pytest
import yaml
from tests.broom_world import event

from landkeeper.broom.cloudtrail.records import read_record
from landkeeper.broom.launches import Launch, Untagging


class _Template(yaml.SafeLoader):
    """YAML with CloudFormation's short forms, which are of no interest here."""


_Template.add_multi_constructor("!", lambda _loader, _suffix, _node: None)


def _record(name: str) -> dict[str, Any]:
    if name == "BidFulfilledEvent":
        sample: dict[str, Any] = event("bid_fulfilled.json")
    elif name == "DeleteTags":
        sample = {**event("instance_tagged.json")["detail"], "eventName": name}
    else:
        sample = {**event("run_instances.json"), "eventName": name}
    return sample


@pytest.mark.parametrize(("name", "rule"), [("landkeeper.yaml", "BroomEvents"), ("member-events.yaml", "Launches")])
def test_the_rule_names_what_is_understood(name: str, rule: str) -> None:
    text = (files("landkeeper") / "infra" / name).read_text(encoding="utf-8")
    template: dict[str, Any] = yaml.load(text, _Template)  # noqa: S506 - a SafeLoader
    pattern = template["Resources"][rule]["Properties"]["EventPattern"]
    launches, untaggings = pattern["detail"]["$or"]
    assert launches["eventName"] == ["RunInstances", "BidFulfilledEvent"]
    assert all(isinstance(read_record(_record(call)), Launch) for call in launches["eventName"])
    assert untaggings["eventName"] == ["DeleteTags"]
    assert isinstance(read_record(_record("DeleteTags")), Untagging)
    assert untaggings["requestParameters"]["resourcesSet"]["items"] == {"resourceId": [{"prefix": "i-"}]}
