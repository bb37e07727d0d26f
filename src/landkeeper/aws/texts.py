"""The text of a policy or a configuration that is kept in AWS."""

from __future__ import annotations

from botocore.exceptions import BotoCoreError, ClientError

from landkeeper.aws.failures import failure_of
from landkeeper.aws.sessions import AccountSessions
from landkeeper.org import UsageError


def read_remote_text(where: str, sessions: AccountSessions, *, what: str) -> str:
    """The text at `s3://bucket/key` or `ssm:NAME`. Raises UsageError saying what is wrong with `what`."""
    try:
        if where.startswith("ssm:"):
            answer = sessions.home("ssm").get_parameter(Name=where.removeprefix("ssm:"), WithDecryption=True)
            return str(answer["Parameter"]["Value"])
        bucket, _, key = where.removeprefix("s3://").partition("/")
        return str(sessions.home("s3").get_object(Bucket=bucket, Key=key)["Body"].read().decode())
    except (ClientError, BotoCoreError) as error:
        raise UsageError(f"the {what} {where} cannot be read: {failure_of(error)}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"the {what} {where} is not text in UTF-8") from error
