"""The options that describe a launch, and the launch that they describe."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from landkeeper.cli.known_words import known
from landkeeper.cli.moments import FORMS, Moment
from landkeeper.cli.tags import parse_tags, tag_option

if TYPE_CHECKING:
    from datetime import datetime

    from landkeeper.broom.policy.trial import DescribedLaunch

_Command = Callable[..., Any]

_OPTIONS = (
    tag_option("A tag of the instance; may be repeated."),
    click.option("--type", "instance_type", metavar="TYPE", help="The instance type, for example t3.micro."),
    click.option("--region", metavar="REGION", shell_complete=known("region"), help="The region of the launch."),
    click.option(
        "--account", metavar="ID", shell_complete=known("account"),
        help="The account of the instance.  [default: that of the principal]",
    ),
    click.option(
        "--principal", metavar="ARN",
        help="Who launches: the ARN of a user, of a role session, or of a role, which stands for a session of it.",
    ),
    click.option("--image", metavar="ID", help="The image of the instance."),
    click.option("--at", type=Moment(), metavar="TIME", help=f"The time of the launch: {FORMS}.  [default: now]"),
)  # fmt: skip


def launch_options(function: _Command) -> _Command:
    """Give a command the options that describe a launch: it gets what `described_launch` takes."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def described_launch(
    *, tags: tuple[str, ...], instance_type: str | None, region: str | None, account: str | None,
    principal: str | None, image: str | None, at: datetime | None, units: tuple[str, ...] = (),
) -> DescribedLaunch:  # fmt: skip
    """Return the launch that the options describe. Raises UsageError."""
    from landkeeper.broom.cloudtrail.principals.arns import identity_of_arn
    from landkeeper.broom.policy.trial import DescribedLaunch
    from landkeeper.org import parse_account_id, parse_region

    if principal is not None:
        identity_of_arn(principal)
    return DescribedLaunch(
        tags=parse_tags(tags),
        instance_type=instance_type,
        region=parse_region(region) if region is not None else None,
        account=parse_account_id(account) if account is not None else None,
        principal_arn=principal or "",
        units=frozenset(units) if units else None,
        image_id=image or "",
        at=at,
    )
