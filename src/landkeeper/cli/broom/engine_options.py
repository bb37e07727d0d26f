"""The options of `broom backtest` that are about Athena."""

from __future__ import annotations

from functools import wraps
from typing import Any

import click

from landkeeper.cli.options import Command, accounts_option, regions_option


def engine_options(function: Command) -> Command:
    """Add the options that choose and describe an engine; the command gets them as `engine`."""

    @click.option(
        "--engine",
        type=click.Choice(["local", "athena"]),
        default="local",
        show_default=True,
        help="Read the logs on this machine, or query them with Athena.",
    )
    @click.option("--print-sql", is_flag=True, help="With Athena: print the statements without running them.")
    @accounts_option("With Athena: only this account; may be repeated.  [default: all in the bucket]")
    @regions_option("With Athena: only this region; may be repeated.  [default: all in the bucket]")
    @click.option("--athena-database", metavar="NAME", help="The database for the table.  [default: default]")
    @click.option("--athena-workgroup", metavar="NAME", help="The workgroup for the queries.  [default: primary]")
    @click.option(
        "--athena-output", metavar="S3URL", help="The S3 location for query results, if the workgroup has none."
    )
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
        from landkeeper.cli.broom.backtest_athena import EngineChoice

        options = {"database": athena_database, "workgroup": athena_workgroup, "output": athena_output}
        chosen = EngineChoice(engine == "athena", print_sql, options, accounts, regions)
        return function(engine=chosen, **others)

    return with_engine  # fmt: skip
