"""The options of `broom backtest` that are about Athena, and the reading of logs by it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from landkeeper.broom.cloudtrail.found import FoundFault
from landkeeper.broom.cloudtrail.keys import Days
from landkeeper.cli.broom.output import warn
from landkeeper.cli.terminal import say_text
from landkeeper.org import Failure, UsageError, parse_region
from landkeeper.wiring.broom.backtest import Past, Progress

if TYPE_CHECKING:
    from landkeeper.settings import Settings
    from landkeeper.wiring.broom.backtest_athena import AthenaOptions


@dataclass(frozen=True, slots=True)
class EngineChoice:
    """Which engine reads the logs, and what Athena is told."""

    is_athena: bool
    print_sql: bool
    options: dict[str, Any]
    accounts: tuple[str, ...]
    regions: tuple[str, ...]

    def check(self, paths: Sequence[str], days: Days) -> None:
        """Raises UsageError where the options do not go together."""
        if not self.is_athena:
            if self.print_sql or self.accounts or self.regions or any(self.options.values()):
                raise UsageError("--print-sql, --account, --region and --athena-... require --engine athena")
        elif len(paths) != 1 or not paths[0].startswith("s3://"):
            raise UsageError("--engine athena requires exactly one trail, for example s3://bucket/AWSLogs/o-id/")
        elif days.first is None:
            raise UsageError("--engine athena requires --since: it queries one folder per day")

    def athena_options(self, settings: Settings) -> AthenaOptions:
        """The same for the wiring. Raises UsageError for what is no account or region."""
        from landkeeper.wiring.broom.backtest_athena import AthenaOptions
        from landkeeper.wiring.known_accounts import find_account_ids

        given = {name: text for name, text in self.options.items() if text is not None}
        accounts, regions = find_account_ids(settings, self.accounts), tuple(map(parse_region, self.regions))
        return AthenaOptions(**given, accounts=accounts, regions=regions)


def read_by_athena(
    url: str,
    engine: EngineChoice,
    settings: Settings,
    days: Days,
    *,
    requester_pays: bool,
    is_stopped: Callable[[], bool],
    show: Callable[[Progress], None],
) -> Past | None:
    """What Athena finds; None where the statements were to be shown only, which is done then."""
    # Loaded here, so that reading on this machine does not wait for it.
    from landkeeper.wiring.broom.backtest_athena import plan_statements, read_past_by_athena

    options, today = engine.athena_options(settings), datetime.now(UTC).date()
    first, last = days.first or today, min(days.last or today, today)
    planned = plan_statements(url, settings, options, first, max(first, last), requester_pays=requester_pays)
    if isinstance(planned, Failure):
        past = Past(faults=[FoundFault(url, "", str(planned))])
    elif engine.print_sql:
        say_text(";\n\n".join((planned.table, *planned.queries)) + ";\n")
        return None
    else:
        past = read_past_by_athena(planned, settings, options, is_stopped=is_stopped, show=show)
    for fault in past.faults:
        warn(str(fault))
    return past
