"""The embedded trail as CloudTrail's API shows it: moto keeps its description, and whether it is logging."""

from __future__ import annotations

from moto.cloudtrail.models import Trail as Description
from moto.cloudtrail.models import cloudtrail_backends
from moto.s3.models import s3_backends

from landkeeper.embedded.simulators import HOME_ACCOUNT, HOME_REGION

_PARTITION = "aws"


class MotoTrail:
    """A trail of the account at hand that covers every region and account; CloudTrail's StopLogging stops it."""

    def __init__(self, bucket: str) -> None:
        """Makes it, and starts its logging."""
        buckets = s3_backends[HOME_ACCOUNT][_PARTITION]
        if bucket not in buckets.buckets:
            # moto makes no trail into a bucket that it does not know; the real one is MiniStack's.
            buckets.create_bucket(bucket, HOME_REGION)
        trails = cloudtrail_backends[HOME_ACCOUNT][HOME_REGION]
        self._description: Description = trails.trails.get(bucket) or trails.create_trail(
            bucket, bucket, "", "", is_global=True, is_multi_region=True, log_validation=True, is_org_trail=True,
            cw_log_group_arn="", cw_role_arn="", kms_key_id="", tags_list=[],
        )  # fmt: skip
        self._description.start_logging()

    @property
    def is_logging(self) -> bool:
        """Whether nobody has stopped it."""
        return self._description.status.is_logging

    def stop(self) -> None:
        """Log no more: the records go elsewhere."""
        self._description.stop_logging()
