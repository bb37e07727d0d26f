"""The forwarder as it stands in its template: it hands on what CloudFormation sent from its own region, no more."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.privileges.granted import resources_of

EVENT: dict[str, Any] = json.loads((Path(__file__).parents[1] / "events/stack_create.json").read_text("utf-8"))
KEY = (
    "arn%3Aaws%3Acloudformation%3Aeu-west-1%3A111122223333%3Astack/web-shop/c9f6a0c0-3b1e-11f0-8f0a-0e3a2f9b7c11"
    "%7CBlock%7C3f1f8a9e-7a53-4c5e-9d2f-0b6f1c2d3e4f"
)
HOST = "cloudformation-custom-resource-response-euwest1.s3.eu-west-1.amazonaws.com"


@pytest.fixture
def check(no_aws: None, monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, Any]], None]:
    """What the forwarder makes sure of before anything else."""
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv("URL_SUFFIX", "amazonaws.com")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3", raising=False)
    code = resources_of("pool-forwarder.yaml")["PoolForwarder"]["Properties"]["Code"]["ZipFile"]
    assert "check(event)" in code.partition("def handler(event, context):")[2].partition("try:")[0]
    written: dict[str, Any] = {}
    exec(code, written)  # noqa: S102 - our own template
    checked: Callable[[dict[str, Any]], None] = written["check"]
    return checked


def test_a_request_of_cloudformations_is_handed_on(check: Callable[[dict[str, Any]], None]) -> None:
    for host in (HOST, HOST.replace(".s3.eu", ".s3-eu")):
        check({**EVENT, "ResponseURL": f"https://{host}/{KEY}?X-Amz-Signature=1"})


@pytest.mark.parametrize(
    "changes",
    [
        {"ResponseURL": f"http://{HOST}/{KEY}"},
        {"ResponseURL": f"https://{HOST}:8443/{KEY}"},
        {"ResponseURL": f"https://{HOST}@example.com/{KEY}"},
        {"ResponseURL": f"https://example.com/{KEY}"},
        {"ResponseURL": f"https://{HOST}/another"},
        {"StackId": EVENT["StackId"].replace("111122223333", "999988887777")},
        {"LogicalResourceId": "Other"},
        {"StackId": "arn:aws:cloudformation:us-west-2:1:stack/a/b",
         "ResponseURL": f"https://{HOST}/arn:aws:cloudformation:us-west-2:1:stack/a/b|Block|{EVENT['RequestId']}"},
    ],
)  # fmt: skip
def test_anything_else_is_neither_handed_on_nor_answered(
    check: Callable[[dict[str, Any]], None], changes: dict[str, str]
) -> None:
    event = {**EVENT, "ResponseURL": f"https://{HOST}/{KEY}", **changes}
    with pytest.raises(ValueError, match=r"no request of CloudFormation's in eu-west-1|no stack of eu-west-1"):
        check(event)
