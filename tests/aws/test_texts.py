"""Policies and configurations that are kept in S3: whose bucket it is, and whether it is the one that was deployed."""

from __future__ import annotations

import hashlib

import pytest
from tests.recorded_calls import recorded_calls
from tests.servers import home_sessions

from landkeeper.aws.texts import ReplacedTextError, read_remote_text
from landkeeper.embedded.simulators import HOME_ACCOUNT, Embedded
from landkeeper.org import AccountId, UsageError

pytestmark = pytest.mark.embedded

TEXT = b"version: 1\nrules: []\n"
DIGEST = hashlib.sha256(TEXT).hexdigest()
BUCKET = "texts-of-policies"
NAMES = (
    f"keeper/policy-{DIGEST}.yaml", f"keeper/policy-{DIGEST[:16]}.yaml", f"keeper/{DIGEST}-broom.yaml",
    f"{DIGEST[:16]}-broom.yaml",
)  # fmt: skip
"""As `landkeeper deploy` and the Terraform module name it, and as earlier releases did."""


@pytest.fixture(autouse=True)
def bucket(aws_environment: Embedded) -> None:
    """A bucket with the policy under every kind of name."""
    s3 = home_sessions().home("s3")
    s3.create_bucket(Bucket=BUCKET)
    for key in ("broom.yaml", *NAMES):
        s3.put_object(Bucket=BUCKET, Key=key, Body=TEXT)


@pytest.mark.parametrize("name", NAMES)
def test_a_text_that_somebody_put_under_the_name_of_the_deployed_one_is_refused(name: str) -> None:
    where = f"s3://{BUCKET}/{name}"
    assert read_remote_text(where, home_sessions(), what="policy") == TEXT.decode()
    home_sessions().home("s3").put_object(Bucket=BUCKET, Key=name, Body=TEXT + b"# planted")
    with pytest.raises(ReplacedTextError, match=f"the policy {where} is not the one that was deployed"):
        read_remote_text(where, home_sessions(), what="policy")


def test_a_name_of_ones_own_says_nothing_of_the_content() -> None:
    for key in ("broom.yaml", "policy-2026.yaml", f"mine-{'0' * 16}.yaml"):
        home_sessions().home("s3").put_object(Bucket=BUCKET, Key=key, Body=b"changed")
        assert read_remote_text(f"s3://{BUCKET}/{key}", home_sessions(), what="policy") == "changed"


def test_the_owner_of_the_bucket_is_named_where_it_is_known() -> None:
    """S3 then refuses a bucket of anybody else's (Amazon S3 User Guide, "Verifying bucket ownership")."""
    with recorded_calls() as calls:
        read_remote_text(f"s3://{BUCKET}/broom.yaml", home_sessions(), what="policy", owner=AccountId(HOME_ACCOUNT))
        read_remote_text(f"s3://{BUCKET}/broom.yaml", home_sessions(), what="policy")
    assert [call.parameters.get("ExpectedBucketOwner") for call in calls] == [HOME_ACCOUNT, None]


def test_what_is_no_text_is_said_to_be_none() -> None:
    home_sessions().home("s3").put_object(Bucket=BUCKET, Key="picture", Body=b"\xff\xfea")
    with pytest.raises(UsageError, match="is not text in UTF-8"):
        read_remote_text(f"s3://{BUCKET}/picture", home_sessions(), what="policy")
    with pytest.raises(UsageError, match="cannot be read"):
        read_remote_text(f"s3://{BUCKET}/nothing", home_sessions(), what="policy")
