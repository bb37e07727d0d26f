"""`landkeeper report`: everything that is known, as one page to look at."""

from __future__ import annotations

import os
import re
import webbrowser
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from landkeeper.cli.exit_codes import DONE
from landkeeper.cli.terminal import say
from landkeeper.org import UsageError
from landkeeper.settings import Settings, read_settings

if TYPE_CHECKING:
    from landkeeper.wiring.report import Written

_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_LONGEST_LINK = timedelta(days=7)


def report_settings(table: str | None, file: Path | None, ledger: str | None, config: str | None) -> Settings:
    """The settings of the environment with the stores that the flags name; a file keeps Broom's cases as well."""
    settings = read_settings(os.environ).with_store(table=table, file=file).with_config(config)
    if ledger is not None:
        return replace(settings, ledger_table=ledger)
    return settings if file is None else replace(settings, ledger_table=None)


def run(
    *, out: Path, opens: bool, backtest: Path | None, as_of: datetime | None, url: bool, expires: str,
    bucket: str | None, **stores: Any,
) -> int:  # fmt: skip
    """Write the report: one HTML file with everything in it."""
    settings = report_settings(**stores)
    if url:
        return _print_link(
            settings if bucket is None else replace(settings, report_bucket=bucket), expires, opens=opens
        )
    # Loaded here, so that --help does not wait for boto3.
    from landkeeper.wiring.report import write_report

    return _conclude(write_report(settings, out, as_of=as_of, backtest=backtest), opens=opens)


def _conclude(written: Written, *, opens: bool) -> int:
    from landkeeper.cli.vpc.known import exit_code, remark_on

    remark_on(written.known)
    say(f"{written.path}  {size_of(written.size)}")
    if opens:
        webbrowser.open(written.path.resolve().as_uri())
    return exit_code(written.known)


def _print_link(settings: Settings, expires: str, *, opens: bool) -> int:
    seconds = parse_expiry(expires)
    from landkeeper.wiring.report import link_report

    link = link_report(settings, seconds)
    say(link)
    if opens:
        webbrowser.open(link)
    return DONE


def parse_expiry(text: str) -> int:
    """Seconds of a time such as `90m`, `12h` or `7d`. Raises UsageError for anything else, and for more than S3 allows.

    Source: Amazon S3 User Guide, "Download and upload objects with presigned URLs".
    """
    found = re.fullmatch(r"([1-9][0-9]{0,5})([mhd])", text, re.ASCII)
    lasts = int(found[1]) * _UNITS[found[2]] if found else timedelta()
    if not timedelta() < lasts <= _LONGEST_LINK:
        raise UsageError(f"--expires is '{text}': expected a time such as 30m or 12h, at most 7d")
    return lasts // timedelta(seconds=1)


def size_of(size: int) -> str:
    """A size in bytes for a person."""
    return f"{size / 1_000_000:.1f} MB" if size >= 1_000_000 else f"{max(1, round(size / 1000))} kB"
