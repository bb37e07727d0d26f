"""CloudFormation's requests for custom resources: what is one, and whose bucket the answer to it goes to."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from landkeeper.org import UsageError
from landkeeper.vpctracker.pools.stack_request import (
    StackCall,
    check_response_host,
    check_response_key,
    find_stack_account,
    parse_call,
)

EVENT: dict[str, Any] = json.loads((Path(__file__).parents[2] / "events/stack_create.json").read_text("utf-8"))
CREATE = parse_call(EVENT)
KEY = (
    "arn%3Aaws%3Acloudformation%3Aeu-west-1%3A111122223333%3Astack/web-shop/c9f6a0c0-3b1e-11f0-8f0a-0e3a2f9b7c11"
    "%7CBlock%7C3f1f8a9e-7a53-4c5e-9d2f-0b6f1c2d3e4f"
)
BUCKET = "cloudformation-custom-resource-response-euwest1"
HOST = f"{BUCKET}.s3.eu-west-1.amazonaws.com"


def test_a_request_is_read_as_cloudformation_words_it() -> None:
    assert (CREATE.kind, CREATE.logical_id, CREATE.physical_id) == ("Create", "Block", "")
    assert (CREATE.account, CREATE.region) == ("111122223333", "eu-west-1")
    assert parse_call({**EVENT, "PhysicalResourceId": "res-1", "RequestType": "Delete"}).physical_id == "res-1"
    assert parse_call({**EVENT, "ResourceProperties": None}).properties == {}


@pytest.mark.parametrize(
    "event",
    [
        None, [], {}, {"task": "notices"}, {**EVENT, "RequestType": "Read"}, {**EVENT, "ResponseURL": 7},
        {**EVENT, "StackId": "web-shop"}, {**EVENT, "StackId": "a:b:c:d:e:f"},
        {**EVENT, "StackId": "arn:aws:cloudformation:eu-west-1:*:stack/web-shop/1"},
        {**EVENT, "StackId": "arn:aws:iam:eu-west-1:111122223333:stack/web-shop/1"},
        {**EVENT, "StackId": EVENT["StackId"] + "/more"}, {**EVENT, "LogicalResourceId": "Block/../Other"},
        {**EVENT, "RequestId": "a|b"}, {**EVENT, "PhysicalResourceId": 7},
        {**EVENT, "PhysicalResourceId": "x" * 1025},
        {name: value for name, value in EVENT.items() if name != "RequestId"},
    ],
)  # fmt: skip
def test_anything_else_is_no_request(event: object) -> None:
    with pytest.raises(UsageError, match="no request of CloudFormation's"):
        parse_call(event)


def test_the_account_of_a_stack_is_in_its_arn_alone() -> None:
    assert find_stack_account(CREATE.stack) == "111122223333"
    assert find_stack_account("arn:aws:iam::111122223333:role/stack/web-shop/1") is None


def _answering(url: str, stack: str = CREATE.stack) -> StackCall:
    return replace(CREATE, response_url=url, stack=stack)


@pytest.mark.parametrize(
    ("region", "partition", "host"),
    [
        ("eu-west-1", "aws", HOST),
        ("eu-west-1", "aws", f"{BUCKET}.s3-eu-west-1.amazonaws.com"),
        ("us-east-1", "aws", "cloudformation-custom-resource-response-useast1.s3.amazonaws.com"),
        ("us-east-1", "aws", "cloudformation-custom-resource-response-useast1.s3.us-east-1.amazonaws.com"),
        ("us-gov-west-1", "aws-us-gov",
         "cloudformation-custom-resource-response-usgovwest1.s3.us-gov-west-1.amazonaws.com"),
        ("cn-north-1", "aws-cn", "cloudformation-custom-resource-response-cnnorth1.s3.cn-north-1.amazonaws.com.cn"),
    ],
)  # fmt: skip
def test_cloudformations_own_addresses_are_answered(region: str, partition: str, host: str) -> None:
    stack = CREATE.stack.replace("eu-west-1", region).replace("arn:aws:", f"arn:{partition}:")
    for port in ("", ":443"):
        check_response_host(_answering(f"https://{host}{port}/{KEY}?X-Amz-Signature=1", stack))


@pytest.mark.parametrize(
    "url",
    [
        f"http://{HOST}/{KEY}",
        f"https://{HOST}:8443/{KEY}",
        f"https://{HOST}:0/{KEY}",
        f"https://{HOST}:many/{KEY}",
        f"https://{HOST}.example.com/{KEY}",
        f"https://{HOST}@example.com/{KEY}",
        f"https://example.com/{HOST}/{KEY}",
        f"https://example.com\\.{HOST}/{KEY}",
        f"https://{HOST}\t.example.com/{KEY}",
        f"https://{BUCKET}.s3.amazonaws.com/{KEY}",
        f"https://{BUCKET}.s3.us-east-1.amazonaws.com/{KEY}",
        f"https://{BUCKET}.s3.eu-west-1.amazonaws.com.cn/{KEY}",
        f"https://s3.eu-west-1.amazonaws.com/{BUCKET}/{KEY}",
        f"https://somebody.s3.eu-west-1.amazonaws.com/{KEY}",
        "https://cloudformation-custom-resource-response-uswest2.s3.us-west-2.amazonaws.com/x",
        "https://[::1/x", "https:///x", "file:///etc/passwd", "",
    ],
)  # fmt: skip
def test_nobody_else_is_answered(url: str) -> None:
    with pytest.raises(UsageError, match="not CloudFormation's: not answered"):
        check_response_host(_answering(url))


def test_a_partition_that_is_not_known_has_no_address() -> None:
    stack = CREATE.stack.replace("arn:aws:", "arn:aws-moon:")
    with pytest.raises(UsageError, match="not CloudFormation's"):
        check_response_host(_answering(f"https://{HOST}/{KEY}", stack))


def test_an_endpoint_that_the_sdk_was_given_stands_for_cloudformations() -> None:
    call = _answering("http://127.0.0.1:4566/_ministack/cfn-response/1")
    check_response_host(call, "http://127.0.0.1:4510")
    check_response_key(call, "http://127.0.0.1:4510")
    for own in ("", "https://127.0.0.1", "http://127.0.0.2", "no address"):
        with pytest.raises(UsageError):
            check_response_host(call, own)


def test_the_address_names_the_stack_the_resource_and_the_request() -> None:
    """As CloudFormation has signed it: an address of another stack is no proof of a request of this one."""
    call = _answering(f"https://{HOST}/{KEY}?X-Amz-Signature=1")
    check_response_key(call)
    forged = call.stack.replace("111122223333", "999988887777")
    for other in (
        replace(call, stack=forged), replace(call, logical_id="Other"), replace(call, id="1"),
        replace(call, response_url=f"https://{HOST}/"), replace(call, response_url="https://[::1/x"),
    ):  # fmt: skip
        with pytest.raises(UsageError, match="not that of this stack, resource and request"):
            check_response_key(other)
