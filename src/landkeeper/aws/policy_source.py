"""The text of a policy or a configuration, wherever it is kept."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from landkeeper.aws.failures import failure_of
from landkeeper.org import UsageError

if TYPE_CHECKING:
    from landkeeper.aws.sessions import AccountSessions


def read_policy_text(where: str, sessions: AccountSessions, *, what: str = "policy") -> str:
    """The text at a path, `s3://bucket/key`, or `ssm:NAME`. Raises UsageError saying what is wrong with `what`."""
    try:
        if where.startswith("s3://"):
            bucket, _, key = where.removeprefix("s3://").partition("/")
            return str(sessions.home("s3").get_object(Bucket=bucket, Key=key)["Body"].read().decode())
        if where.startswith("ssm:"):
            answer = sessions.home("ssm").get_parameter(Name=where.removeprefix("ssm:"), WithDecryption=True)
            return str(answer["Parameter"]["Value"])
        return Path(where).read_text(encoding="utf-8")
    except (ClientError, BotoCoreError) as error:
        raise UsageError(f"the {what} {where} cannot be read: {failure_of(error)}") from error
    except OSError as error:
        raise UsageError(f"the {what} {where} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"the {what} {where} is not text in UTF-8") from error
