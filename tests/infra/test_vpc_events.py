"""The rules that bring news of VPCs name the calls that the tracker understands, in both templates alike."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import pytest
import yaml

from landkeeper.vpctracker.events import DETAIL_TYPE, TAG_CALLS, VPC_CALLS


class _Template(yaml.SafeLoader):
    """YAML with CloudFormation's short forms, which are of no interest here."""


_Template.add_multi_constructor("!", lambda _loader, _suffix, _node: None)


@pytest.mark.parametrize("name", ["landkeeper.yaml", "member-events.yaml"])
def test_the_rule_names_the_calls_that_are_understood(name: str) -> None:
    text = (files("landkeeper") / "infra" / name).read_text(encoding="utf-8")
    template: dict[str, Any] = yaml.load(text, _Template)  # noqa: S506 - a SafeLoader
    pattern = template["Resources"]["VpcEvents"]["Properties"]["EventPattern"]
    calls, tags = pattern["detail"]["$or"]
    assert pattern["detail-type"] == [DETAIL_TYPE]
    assert set(calls["eventName"]) == VPC_CALLS
    assert set(tags["eventName"]) == TAG_CALLS
    assert tags["requestParameters"]["resourcesSet"]["items"] == {"resourceId": [{"prefix": "vpc-"}]}
