"""Deleting buckets into which CloudTrail still delivers."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from tests.servers import home_session, home_sessions

from landkeeper.aws.stack.data_stores import LeftData
from landkeeper.embedded.simulators import Embedded
from landkeeper.operate.destroy import DataKind, Datum
from landkeeper.org import Failure

pytestmark = pytest.mark.embedded


@pytest.fixture
def bucket(aws_environment: Embedded) -> str:
    name = f"logs-{uuid.uuid4().hex}"
    home_session().client("s3").create_bucket(Bucket=name)
    return name


def _delete(bucket: str, arrivals: Iterator[str]) -> Failure | None:
    """Delete the bucket while another object arrives before each DeleteBucket call."""
    sessions = home_sessions()

    def deliver(**_: Any) -> None:
        for key in arrivals:
            home_session().client("s3").put_object(Bucket=bucket, Key=key, Body=b"{}")
            return

    sessions.home("s3").meta.events.register("before-call.s3.DeleteBucket", deliver)
    return LeftData(sessions).delete(Datum(DataKind.BUCKET, bucket), "landkeeper")


def test_a_log_file_that_arrives_while_the_bucket_is_emptied_is_deleted_too(bucket: str) -> None:
    assert _delete(bucket, iter(["late.json.gz", "later.json.gz"])) is None
    assert bucket not in {found["Name"] for found in home_session().client("s3").list_buckets()["Buckets"]}


def test_a_bucket_that_is_never_empty_stays_and_says_why(bucket: str) -> None:
    failure = _delete(bucket, (f"{number}.json.gz" for number in range(1000)))
    assert isinstance(failure, Failure)
    assert "BucketNotEmpty" in str(failure)
