"""The policy that commands of Broom go by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from landkeeper.org import UsageError
from landkeeper.settings import Settings

if TYPE_CHECKING:
    from landkeeper.broom.policy.rules import Policy


def find_policy(name: str | None, settings: Settings) -> Policy:
    """The policy that the option or the setting names: a path, `s3://bucket/key`, or `ssm:NAME`."""
    where = name or settings.policy
    if where is None:
        raise UsageError("no policy: pass --policy FILE or set LANDKEEPER_POLICY")
    from landkeeper.broom.policy.file import parse_policy
    from landkeeper.wiring.broom.policy import read_policy_text

    return parse_policy(read_policy_text(where, settings), where)
