"""What several commands of Broom take: the policy, and its text."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from landkeeper.broom.policy_file import parse_policy
from landkeeper.org import UsageError

if TYPE_CHECKING:
    from landkeeper.broom.policy import Policy
    from landkeeper.settings import Settings

DONE, USAGE, INCOMPLETE, FINDINGS = 0, 2, 3, 4

policy_option = click.option(
    "--policy", "policy_file", metavar="FILE", help="The tag policy; LANDKEEPER_POLICY stands for it."
)


def find_policy(name: str | None, settings: Settings) -> Policy:
    """The policy that the option or the setting names: a path, `s3://bucket/key`, or `ssm:NAME`."""
    where = name or settings.policy
    if where is None:
        raise UsageError("no policy: give --policy FILE, or set LANDKEEPER_POLICY")
    if not where.startswith(("s3://", "ssm:")):
        return parse_policy(read_policy_file(where), where)
    # Loaded here, so that a file on disk does not wait for boto3.
    from landkeeper.wiring.broom import read_policy  # noqa: PLC0415

    return read_policy(where, settings)


def read_policy_file(file: str) -> str:
    """The text of a policy on disk. Raises UsageError naming the file."""
    try:
        return Path(file).read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"the policy {file} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"the policy {file} is not text in UTF-8") from error
