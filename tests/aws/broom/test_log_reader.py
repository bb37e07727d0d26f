"""Log files that are read in a role of the account that they lie in."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.member_instances import ROLE
from tests.servers import home_session, home_sessions

from landkeeper.aws.broom.log_objects import LogObjects
from landkeeper.aws.broom.log_reader import s3_in_role
from landkeeper.broom.cloudtrail.keys import LogObject
from landkeeper.embedded.simulators import Embedded
from landkeeper.org import Failure, FailureReason

pytestmark = pytest.mark.embedded


@pytest.fixture
def bucket(aws_environment: Embedded) -> str:
    s3 = home_session().client("s3")
    s3.create_bucket(Bucket="log-archive")
    s3.put_object(Bucket="log-archive", Key="AWSLogs/one.json.gz", Body=b"log")
    return "log-archive"


def test_an_object_is_read_with_the_roles_credentials(bucket: str) -> None:
    client: Any = s3_in_role(home_sessions(), f"arn:aws:iam::320000000002:role/{ROLE}")
    signed: list[str] = []
    client.meta.events.register(
        "before-sign.s3", lambda request, **_: signed.append(client._request_signer._credentials.access_key)
    )
    objects = LogObjects(client, limit_bytes=100)
    assert objects.read_object(LogObject(bucket, "AWSLogs/one.json.gz")) == b"log"
    assert signed[0].startswith("ASIA")


def test_a_role_that_cannot_be_assumed_is_a_failure_and_nothing_falls_back_to_ones_own(bucket: str) -> None:
    client = s3_in_role(home_sessions(), "arn:aws:iam::320000000002:role/never-made")
    read = LogObjects(client, limit_bytes=100).read_object(LogObject(bucket, "AWSLogs/one.json.gz"))
    assert isinstance(read, Failure)
    assert read.reason is FailureReason.MISSING_PERMISSION
    with pytest.raises(ClientError, match="AssumeRole"):
        client.get_object(Bucket=bucket, Key="AWSLogs/one.json.gz")
