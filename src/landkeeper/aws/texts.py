"""The text of a policy or a configuration that is kept in AWS."""

from __future__ import annotations

import hashlib
import re

from botocore.exceptions import BotoCoreError, ClientError

from landkeeper.aws.failures import failure_of
from landkeeper.aws.sessions import AccountSessions
from landkeeper.org import AccountId, FailureReason, UnavailableError, UsageError, decode_text

_DIGEST = r"([0-9a-f]{16}|[0-9a-f]{64})"
_DEPLOYED = re.compile(rf"(?:.*/)?(?:(?:policy|landkeeper)-{_DIGEST}\.yaml|{_DIGEST}-(?:broom|config)\.yaml)")
"""Keys that `landkeeper deploy` and the Terraform module give: the SHA-256 of the content, of which earlier releases
took a quarter."""


class ReplacedTextError(UsageError):
    """Somebody has put another text under the name of the one that was deployed."""


def read_remote_text(where: str, sessions: AccountSessions, *, what: str, owner: AccountId | None = None) -> str:
    """The text at `s3://bucket/key` or `ssm:NAME`. Raise UsageError or UnavailableError saying what is wrong.

    `owner` is the account that the bucket has to belong to. What a key of `landkeeper deploy` names by its digest has
    to be that content, else ReplacedTextError is raised.
    """
    try:
        if where.startswith("ssm:"):
            answer = sessions.home("ssm").get_parameter(Name=where.removeprefix("ssm:"), WithDecryption=True)
            return str(answer["Parameter"]["Value"])
        bucket, _, key = where.removeprefix("s3://").partition("/")
        expected = {} if owner is None else {"ExpectedBucketOwner": owner}
        body: bytes = sessions.home("s3").get_object(Bucket=bucket, Key=key, **expected)["Body"].read()
        named = _DEPLOYED.fullmatch(key)
        if named is not None and not hashlib.sha256(body).hexdigest().startswith(named[1] or named[2]):
            raise ReplacedTextError(
                f"the {what} {where} is not the one that was deployed: its content has another digest than its name; "
                "deploy it again, and find out who may write into the bucket"
            )
        return decode_text(body)
    except (ClientError, BotoCoreError) as error:
        failure = failure_of(error)
        kind = UsageError if failure.reason is FailureReason.NOT_FOUND else UnavailableError
        raise kind(f"the {what} {where} cannot be read: {failure}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"the {what} {where} is not text in UTF-8") from error
