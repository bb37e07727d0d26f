"""The options of `broom backtest` that are about Athena, and the reading of logs by it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from landkeeper.broom.harvest import FoundFault
from landkeeper.broom.trail_keys import Days
from landkeeper.cli.broom.output import warn
from landkeeper.org import Failure, UsageError, parse_account_id, parse_region
from landkeeper.wiring.backtest import Past, Progress

if TYPE_CHECKING:
    from landkeeper.settings import Settings
    from landkeeper.wiring.backtest_athena import AthenaOptions

Command = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class EngineAsked:
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
                raise UsageError("--print-sql, --account, --region and --athena-... go with --engine athena")
        elif len(paths) != 1 or not paths[0].startswith("s3://"):
            raise UsageError("--engine athena takes one trail, as in s3://bucket/AWSLogs/o-id/")
        elif days.first is None:
            raise UsageError("--engine athena takes --since: it looks into a folder for each day")

    def athena_options(self) -> AthenaOptions:
        """The same for the wiring. Raises UsageError for what is no account or region."""
        from landkeeper.wiring.backtest_athena import AthenaOptions

        given = {name: text for name, text in self.options.items() if text is not None}
        accounts, regions = map(parse_account_id, self.accounts), map(parse_region, self.regions)
        return AthenaOptions(**given, accounts=tuple(accounts), regions=tuple(regions))


def engine_options(function: Command) -> Command:
    """The options that choose and describe an engine; the command gets them as `engine`."""

    @click.option(
        "--engine",
        type=click.Choice(["local", "athena"]),
        default="local",
        show_default=True,
        help="Who reads the logs: this machine, or Athena.",
    )
    @click.option("--print-sql", is_flag=True, help="With Athena: show what would be run, and run nothing.")
    @click.option(
        "--account",
        "accounts",
        multiple=True,
        metavar="ID",
        help="With Athena: an account; without it those in the bucket.",
    )
    @click.option(
        "--region", "regions", multiple=True, metavar="R", help="With Athena: a region; without it those in the bucket."
    )
    @click.option("--athena-database", metavar="NAME", help="Where the table is made.  [default: default]")
    @click.option("--athena-workgroup", metavar="NAME", help="The workgroup that runs it.  [default: primary]")
    @click.option("--athena-output", metavar="S3URL", help="Where answers go, if the workgroup does not say.")
    @wraps(function)
    def with_engine(
        *,
        engine: str,
        print_sql: bool,
        accounts: tuple[str, ...],
        regions: tuple[str, ...],
        athena_database: str | None,
        athena_workgroup: str | None,
        athena_output: str | None,
        **others: Any,
    ) -> Any:
        options = {"database": athena_database, "workgroup": athena_workgroup, "output": athena_output}
        asked = EngineAsked(engine == "athena", print_sql, options, accounts, regions)
        return function(engine=asked, **others)

    return with_engine  # fmt: skip


def read_by_athena(
    url: str,
    engine: EngineAsked,
    settings: Settings,
    days: Days,
    *,
    requester_pays: bool,
    is_stopped: Callable[[], bool],
    show: Callable[[Progress], None],
) -> Past | None:
    """What Athena finds; None where the statements were to be shown only, which is done then."""
    # Loaded here, so that reading on this machine does not wait for it.
    from landkeeper.wiring.backtest_athena import plan_statements, read_past_by_athena

    options, today = engine.athena_options(), datetime.now(UTC).date()
    first, last = days.first or today, min(days.last or today, today)
    planned = plan_statements(url, settings, options, first, max(first, last), requester_pays=requester_pays)
    if isinstance(planned, Failure):
        past = Past(faults=[FoundFault(url, "", str(planned))])
    elif engine.print_sql:
        click.echo(";\n\n".join((planned.table, *planned.queries)) + ";")
        return None
    else:
        past = read_past_by_athena(planned, settings, options, is_stopped=is_stopped, show=show)
    for fault in past.faults:
        warn(str(fault))
    return past
