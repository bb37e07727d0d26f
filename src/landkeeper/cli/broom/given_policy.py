"""The policy that commands of Broom go by."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from landkeeper.org import UsageError, decode_text
from landkeeper.settings import Settings, read_settings
from landkeeper.wiring.texts import is_in_aws, read_named_file

if TYPE_CHECKING:
    from landkeeper.broom.policy.rules import Policy


def find_policy(name: str | None, settings: Settings) -> Policy:
    """The policy that the option or the setting names: a path, `s3://bucket/key`, or `ssm:NAME`."""
    where = name or settings.policy
    if where is None:
        raise UsageError("no policy: pass --policy FILE or set LANDKEEPER_POLICY")
    from landkeeper.broom.policy.file import parse_policy

    return parse_policy(read_policy(where, settings), shown_name(where))


def read_policy(where: str, settings: Settings | None = None) -> str:
    """The text of a policy that a path, `-` for stdin, `s3://bucket/key` or `ssm:NAME` names. Raises UsageError."""
    if not is_in_aws(where):
        return read_file_or_stdin(where)
    from landkeeper.wiring.broom.policy import read_policy_text

    return read_policy_text(where, settings or read_settings(os.environ))


def read_file_or_stdin(where: str) -> str:
    """The text of a file, or of stdin for `-`. Raises UsageError."""
    if where != "-":
        return read_named_file(where, what="policy")
    try:
        return decode_text(sys.stdin.buffer.read())
    except UnicodeDecodeError as error:
        raise UsageError("the policy on stdin is not text in UTF-8") from error


def shown_name(where: str) -> str:
    """How messages name the policy."""
    return "stdin" if where == "-" else where
