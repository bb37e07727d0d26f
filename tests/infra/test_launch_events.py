"""The rules that bring launches name what Broom understands, in both templates alike."""

from __future__ import annotations

from fnmatch import fnmatchcase
from importlib.resources import files
from typing import Any

import pytest
import yaml
from tests.broom_world import event
from tests.privileges.granted import resources_of

from landkeeper.broom.cloudtrail.records import read_record
from landkeeper.broom.launches import Launch, Untagging


class _Template(yaml.SafeLoader):
    """YAML with CloudFormation's short forms, which are of no interest here."""


_Template.add_multi_constructor("!", lambda _loader, _suffix, node: node.value if _suffix == "Sub" else None)


def _resource(name: str, logical_id: str) -> dict[str, Any]:
    text = (files("landkeeper") / "infra" / name).read_text(encoding="utf-8")
    template: dict[str, Any] = yaml.load(text, _Template)  # noqa: S506 - a SafeLoader
    properties: dict[str, Any] = template["Resources"][logical_id]["Properties"]
    return properties


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
    pattern = _resource(name, rule)["EventPattern"]
    launches, untaggings = pattern["detail"]["$or"]
    assert launches["eventName"] == ["RunInstances", "BidFulfilledEvent"]
    assert all(isinstance(read_record(_record(call)), Launch) for call in launches["eventName"])
    assert untaggings["eventName"] == ["DeleteTags"]
    assert isinstance(read_record(_record("DeleteTags")), Untagging)
    assert untaggings["requestParameters"]["resourcesSet"]["items"] == {"resourceId": [{"prefix": "i-"}]}


@pytest.mark.parametrize(("name", "rule"), [("landkeeper.yaml", "BroomEvents"), ("member-events.yaml", "Launches")])
def test_launches_that_the_stack_ignores_are_not_forwarded(name: str, rule: str) -> None:
    """Each forwarded event is paid for (Amazon EventBridge pricing)."""
    assert resources_of(name)[rule]["Properties"]["State"] == {"!Ref": "LaunchEvents"}
    handed_on = resources_of("landkeeper.yaml")["MemberEvents"]["Properties"]["Parameters"]
    assert {"ParameterKey": "LaunchEvents", "ParameterValue": {"!Ref": "LaunchEvents"}} in handed_on


@pytest.mark.parametrize("name", ["landkeeper.yaml", "log-archive.yaml"])
@pytest.mark.parametrize(
    ("key", "is_log"),
    [
        ("AWSLogs/111122223333/CloudTrail/eu-west-1/2026/01/01/x.json.gz", True),
        ("AWSLogs/o-example/111122223333/CloudTrail/eu-west-1/2026/01/01/x.json.gz", True),
        ("AWSLogs/111122223333/CloudTrail-Digest/eu-west-1/2026/01/01/x.json.gz", False),
        ("AWSLogs/111122223333/CloudTrail-Insight/eu-west-1/2026/01/01/x.json.gz", False),
        ("AWSLogs/111122223333/Config/eu-west-1/2026/1/1/ConfigHistory/x.json.gz", False),
        ("AWSLogs/111122223333/vpcflowlogs/eu-west-1/2026/01/01/x.log.gz", False),
        ("copies/AWSLogs/111122223333/CloudTrail/eu-west-1/2026/01/01/x.json.gz", False),
    ],
)
def test_the_rule_for_files_goes_by_the_service_folder_of_their_keys(name: str, key: str, *, is_log: bool) -> None:
    """A bucket as Control Tower's holds files of other services, which would be notified of and skipped one by one."""
    (matcher,) = _resource(name, "LogFileEvents")["EventPattern"]["detail"]["object"]["key"]
    pattern = matcher["wildcard"].replace("${TrailPrefix}", "")
    assert fnmatchcase(key, pattern) is is_log
