"""Descriptions of services, cut down: what is called is there whole, and nothing else."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import botocore
import pytest
from botocore import xform_name

from landkeeper.operate.models import (
    find_words,
    trim_answers,
    trim_endpoints,
    trim_paginators,
    trim_service,
    write_json,
)

DATA = Path(botocore.__file__).parent / "data"


def described(service: str) -> dict[str, Any]:
    newest = max((DATA / service).iterdir())
    model: dict[str, Any] = json.loads(gzip.decompress((newest / "service-2.json.gz").read_bytes()))
    return model


def referred(value: object) -> set[str]:
    match value:
        case dict():
            own = {value["shape"]} if isinstance(value.get("shape"), str) else set()
            return own.union(*map(referred, value.values()))
        case list():
            return set[str]().union(*map(referred, value))
        case _:
            return set()


def test_names_are_found_however_they_are_called() -> None:
    words = find_words(['client.describe_vpcs(DryRun=True)\nsome.get_paginator("list_objects_v2")'])
    assert {"describevpcs", "listobjectsv2"} <= words


@pytest.mark.parametrize("service", ["ec2", "s3", "dynamodb", "sts"])
def test_what_is_kept_is_whole_and_all_else_is_gone(service: str) -> None:
    whole = described(service)
    kept = sorted(whole["operations"])[::7]
    trimmed = trim_service(whole, find_words(map(xform_name, kept)))
    assert sorted(trimmed["operations"]) == kept
    assert referred(trimmed["operations"]) <= trimmed["shapes"].keys()
    assert referred(trimmed["shapes"]) <= trimmed["shapes"].keys()
    assert trimmed["metadata"] == {**whole["metadata"]}
    assert trimmed["shapes"]
    for name, shape in trimmed["shapes"].items():
        assert shape.get("members", {}).keys() == whole["shapes"][name].get("members", {}).keys()


def test_documentation_goes_and_a_member_of_that_name_stays() -> None:
    model = {
        "operations": {"GetIt": {"output": {"shape": "It"}, "documentation": "<p>Long.</p>"}},
        "shapes": {
            "It": {
                "type": "structure",
                "members": {"documentation": {"shape": "Text", "documentation": "what it says"}},
                "required": ["documentation"],
            },
            "Text": {"type": "string", "documentation": "words"},
        },
    }
    trimmed = trim_service(model, {"getit"})
    assert trimmed["operations"]["GetIt"] == {"output": {"shape": "It"}, "documentation": ""}
    assert trimmed["shapes"]["It"]["members"] == {"documentation": {"shape": "Text", "documentation": ""}}
    assert trimmed["shapes"]["It"]["required"] == ["documentation"]


def test_answers_hold_what_is_named_and_what_is_sent_stays_whole() -> None:
    whole = trim_service(described("ec2"), {"describeinstances", "describespotinstancerequests"})
    trimmed = trim_answers(whole, frozenset({"Reservations", "Instances", "InstanceId", "State", "Name"}))
    shapes = trimmed["shapes"]
    assert shapes["Instance"]["members"].keys() == {"InstanceId", "State"}
    assert shapes["InstanceState"]["members"].keys() == {"Name"}
    assert shapes["DescribeInstancesResult"]["members"].keys() == {"Reservations", "NextToken"}
    assert "NetworkInterfaces" not in shapes
    assert trimmed["operations"].keys() == {"DescribeInstances", "DescribeSpotInstanceRequests"}
    for operation in trimmed["operations"].values():
        sent = operation["input"]["shape"]
        assert shapes[sent] == whole["shapes"][sent]
    assert referred(trimmed["operations"]) | referred(shapes) == set(shapes)


def test_paginators_follow_the_operations() -> None:
    model = {"pagination": {"DescribeVpcs": {"input_token": "NextToken"}, "DescribeHosts": {}}}
    assert trim_paginators(model, {"describevpcs"}) == {"pagination": {"DescribeVpcs": {"input_token": "NextToken"}}}


def test_every_region_of_a_service_that_stays_is_still_known() -> None:
    whole = json.loads((DATA / "endpoints.json").read_bytes())
    trimmed = json.loads(write_json(trim_endpoints(whole, {"ec2", "sts"})))
    assert whole["partitions"]
    for before, after in zip(whole["partitions"], trimmed["partitions"], strict=True):
        assert after["services"].keys() <= {"ec2", "sts"}
        assert after["regions"] == before["regions"]
        assert after["services"].get("ec2") == before["services"].get("ec2")
