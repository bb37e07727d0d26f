"""The wiring of Broom's function, as far as every invocation needs it.

Most log files hold no launch, and most of a cold start is imports: what deals with launches is imported and made when
the first one comes.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from landkeeper.aws.broom.log_objects import LogObjects
from landkeeper.aws.sessions import AccountSessions
from landkeeper.org import UsageError
from landkeeper.settings import Settings
from landkeeper.wiring.sessions import member_sessions

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from landkeeper.wiring.broom.launches import LaunchProcessor


class FunctionBroom:
    """What Broom's function works with; made once for as long as the function stays warm."""

    def __init__(self, settings: Settings) -> None:
        """Raises UsageError naming the setting that is missing."""
        if settings.ledger_table is None:
            raise UsageError("LANDKEEPER_LEDGER_TABLE is not set: Broom requires a ledger")
        if settings.topic_arn is None:
            raise UsageError("LANDKEEPER_TOPIC_ARN is not set: Broom requires a topic for reports")
        if settings.policy is None:
            raise UsageError("LANDKEEPER_POLICY is not set: expected a path, s3://bucket/key, or ssm:NAME")
        self.settings = settings
        self.sessions = member_sessions(settings)
        self.objects = LogObjects(_log_reader(settings, self.sessions), limit_bytes=settings.log_limit_bytes)
        self._ledger_table, self._policy = settings.ledger_table, settings.policy

    @cached_property
    def dealings(self) -> LaunchProcessor:
        """What deals with launches."""
        from landkeeper.wiring.broom.launches import LaunchProcessor

        return LaunchProcessor(self.settings, self.sessions, self._ledger_table, self._policy)


def _log_reader(settings: Settings, sessions: AccountSessions) -> S3Client:
    if settings.log_role_arn is None:
        own: S3Client = sessions.lazy_client("s3")
        return own
    from landkeeper.aws.broom.log_reader import s3_in_role

    return s3_in_role(sessions, settings.log_role_arn)
