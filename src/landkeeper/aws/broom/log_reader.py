"""Reads log files of an account that lets nobody but its own roles read them, as Control Tower's Log Archive does."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore.credentials import DeferredRefreshableCredentials
from botocore.exceptions import CredentialRetrievalError

from landkeeper.aws.assumed_roles import assume_role
from landkeeper.aws.deadlines import keep_deadlines
from landkeeper.aws.sessions import AccountSessions, client_config
from landkeeper.org import Failure

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def s3_in_role(sessions: AccountSessions, role_arn: str) -> S3Client:
    """An S3 client that signs as this role, made when it is first called; the role is assumed anew in good time."""
    client: Any = _ClientInRole(sessions, role_arn)
    s3: S3Client = client
    return s3


class _ClientInRole:
    def __init__(self, sessions: AccountSessions, role_arn: str) -> None:
        self._sessions = sessions
        self._role_arn = role_arn

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    @cached_property
    def _client(self) -> Any:
        session = botocore.session.Session()
        session.register_component("credential_provider", _Provider(self._assume))
        keep_deadlines(session)
        return session.create_client("s3", region_name=self._sessions.region, config=client_config())

    def _assume(self) -> dict[str, str]:
        assumed = assume_role(self._sessions.home("sts"), self._role_arn)
        if isinstance(assumed, Failure):
            raise CredentialRetrievalError(provider=self._role_arn, error_msg=str(assumed))
        keys = assumed.keys.get_frozen_credentials()
        return {
            "access_key": keys.access_key or "",
            "secret_key": keys.secret_key or "",
            "token": keys.token or "",
            "expiry_time": assumed.expires_at.isoformat(),
        }


class _Provider:
    """botocore's `credential_provider` component, reduced to the one method that the session calls."""

    def __init__(self, assume: Any) -> None:
        self._assume = assume

    def load_credentials(self) -> DeferredRefreshableCredentials:
        return DeferredRefreshableCredentials(self._assume, method="assume-role")
