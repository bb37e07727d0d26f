"""The bucket of the report: its own account's, and nobody else's."""

from __future__ import annotations

import pytest
from tests.recorded_calls import recorded_calls
from tests.servers import home_sessions

from landkeeper.aws.report_bucket import ReportBucket
from landkeeper.embedded.simulators import HOME_ACCOUNT, Embedded
from landkeeper.org import AccountId

pytestmark = pytest.mark.embedded


def test_the_owner_of_the_bucket_is_named_in_every_call(aws_environment: Embedded) -> None:
    """S3 refuses a bucket that somebody else has made under that name (S3 User Guide, "Verifying bucket ownership")."""
    s3 = home_sessions().home("s3")
    s3.create_bucket(Bucket="reports-of-the-owner")
    for owner in (AccountId(HOME_ACCOUNT), None):
        bucket = ReportBucket(s3, "reports-of-the-owner", owner)
        with recorded_calls() as calls:
            assert bucket.write_report(b"<html>", {"made": "now"}) is None
            assert bucket.read_metadata() == {"made": "now"}
        assert {call.operation for call in calls} == {"PutObject", "HeadObject"}
        assert {call.parameters.get("ExpectedBucketOwner") for call in calls} == {owner}
