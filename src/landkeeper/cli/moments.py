"""Times on the command line: `2026-03-01T12:00:00Z`, `2026-03-01`, or `7d`, which is that long ago."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from datetime import datetime

    _TimeType = click.ParamType[datetime, Any]
else:
    # Not generic before click 8.4.
    _TimeType = click.ParamType

FORMS = "2026-03-01, 2026-03-01T12:00:00Z, or 7d (that long ago)"
"""What a time looks like, for help texts."""


class Moment(_TimeType):
    """A moment in UTC. A date is its first second, and as an end that of the next day."""

    name = "time"

    def __init__(self, *, is_end: bool = False, is_past: bool = False) -> None:
        """`is_past` refuses the future."""
        self._is_end = is_end
        self._is_past = is_past

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Return the moment. Raise UsageError, naming the option, for what is none."""
        from datetime import UTC, datetime

        from landkeeper.org import UsageError, parse_instant

        if isinstance(value, datetime):
            return value
        what = param.opts[0] if param is not None else "the time"
        now = datetime.now(UTC)
        moment = parse_instant(str(value), what, is_end=self._is_end, now=now.replace(microsecond=0))
        if self._is_past and moment > now:
            raise UsageError(f"{what} is '{value}': that is in the future")
        return moment
