"""The report's wiring: which stores it is made from, and where it goes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from landkeeper import __version__
from landkeeper.org import Failure, UnavailableError, UsageError
from landkeeper.report.backtest_file import parse_backtest
from landkeeper.report.cases_view import OPEN_STATES, SETTLED_STATES
from landkeeper.report.page import PageError, render
from landkeeper.report.report_input import CASES_LOOKED_BACK, Ledger, ReportInput
from landkeeper.report.view import view_report
from landkeeper.vpctracker.answers.listing import Snapshot, read_known
from landkeeper.vpctracker.config import TrackerConfig
from landkeeper.vpctracker.pools.operations import read_pools, read_state
from landkeeper.vpctracker.schema import NewerItemError
from landkeeper.wiring.partitions import partition_of
from landkeeper.wiring.sessions import home_sessions
from landkeeper.wiring.texts import read_named_file, replace_file
from landkeeper.wiring.vpctracker.pools import open_pools

if TYPE_CHECKING:
    from collections.abc import Mapping

    from landkeeper.broom.ports import Ledger as LedgerStore
    from landkeeper.report.document import Document
    from landkeeper.settings import Settings
    from landkeeper.vpctracker.pools.ports import PoolStore
    from landkeeper.vpctracker.ports import VpcStore


@dataclass(frozen=True, slots=True)
class Stores:
    """What a report is made from."""

    vpcs: VpcStore
    pools: PoolStore
    ledger: LedgerStore | None
    config: TrackerConfig
    name: str
    """What the store of VPCs is called."""

    def read(
        self,
        *,
        as_of: datetime | None = None,
        backtest: Mapping[str, Any] | None = None,
        unreadable: Mapping[date, int] | None = None,
    ) -> ReportInput:
        """All that goes into a report, as it is now or as it was. Raises StoreError or LedgerError.

        `unreadable` are the accounts that were not read completely on earlier days, which no store keeps.
        """
        now = datetime.now(UTC)
        known = read_known(self.vpcs, as_of)
        if as_of is not None:
            return ReportInput(
                known, self.config, now, self.name, __version__, backtest=backtest, partition_of=partition_of
            )
        pools = tuple(read_state(self.pools, pool) for pool in read_pools(self.pools))
        ledger = None if self.ledger is None else _read_ledger(self.ledger, now)
        return ReportInput(
            known, self.config, now, self.name, __version__, pools, ledger, backtest, unreadable or {}, partition_of
        )


@dataclass(frozen=True, slots=True)
class Written:
    """A report that was written."""

    path: Path
    size: int
    """In bytes."""
    known: Snapshot
    """What it was made from."""


@contextmanager
def open_stores(settings: Settings) -> Iterator[Stores]:
    """The stores that the settings name. A file keeps Broom's cases as well; beside a table they take `ledger_table`.

    Raises UsageError, StoreError or LedgerError where one is not there, or is not one of ours.
    """
    with open_pools(settings, to_write=False) as pools, _open_ledger(settings) as ledger:
        yield Stores(pools.vpcs, pools.store, ledger, pools.config, _name(settings))


def _name(settings: Settings) -> str:
    return f"file {settings.file.name}" if settings.vpc_table is None else f"table {settings.vpc_table}"


@contextmanager
def _open_ledger(settings: Settings) -> Iterator[LedgerStore | None]:
    if settings.ledger_table is not None:
        from landkeeper.aws.broom.ledger_table import LedgerTable

        yield LedgerTable(home_sessions(settings).lazy_client("dynamodb"), settings.ledger_table)
        return
    if settings.vpc_table is not None:
        yield None
        return
    # Here and not above: the function package comes without the embedded rooms.
    from landkeeper.embedded.ledger_file import LedgerFile

    with closing(LedgerFile(settings.file, to_write=False)) as ledger:
        yield ledger


def _read_ledger(ledger: LedgerStore, now: datetime) -> Ledger:
    since = now - CASES_LOOKED_BACK
    cases = [case for state in OPEN_STATES for case in ledger.list_cases(state)]
    cases += [case for state in SETTLED_STATES for case in ledger.list_cases(state, due_after=since)]
    # A case that moves while the states are read, one after another, may be met twice.
    newest = {case.instance_id: case for case in sorted(cases, key=lambda case: case.version)}
    return Ledger(tuple(newest.values()), since)


def write_report(
    settings: Settings, out: Path, *, as_of: datetime | None = None, backtest: Path | None = None
) -> Written:
    """Write the report of what the settings' stores hold to a file, with the answer of a backtest that another holds.

    Raises UsageError, StoreError or LedgerError; the file is then as it was.
    """
    page = read_page()
    answer = None if backtest is None else parse_backtest(read_named_file(backtest, what="backtest"), str(backtest))
    report_input = _read_input(settings, as_of, answer)
    content = render(view_report(report_input), page).encode()
    replace_file(out, content)
    return Written(out, len(content), report_input.known)


def read_report(settings: Settings) -> Document:
    """The report of what the settings' stores hold right now. Raises UsageError, StoreError or LedgerError."""
    return view_report(_read_input(settings))


def _read_input(
    settings: Settings, as_of: datetime | None = None, backtest: Mapping[str, Any] | None = None
) -> ReportInput:
    """What the stores hold; of a file that a newer Landkeeper wrote that it is one, and no more."""
    with ExitStack() as stack:
        try:
            stores = stack.enter_context(open_stores(settings))
        except NewerItemError as error:
            known = Snapshot((), {}, (error,), as_of)
            return ReportInput(
                known, TrackerConfig(), datetime.now(UTC), _name(settings), __version__, backtest=backtest
            )
        return stores.read(as_of=as_of, backtest=backtest)


def read_page() -> str:
    """The page that comes with Landkeeper. Raises PageError where the installation is without it."""
    try:
        return files("landkeeper.report").joinpath("assets/page.html").read_text(encoding="utf-8")
    except OSError as error:
        raise PageError("this installation lacks the report page: reinstall Landkeeper") from error


def link_report(settings: Settings, seconds: int) -> str:
    """A link to the report that the function keeps. Raises UsageError where there is no bucket, or no report in it."""
    if settings.report_bucket is None:
        raise UsageError(
            "no report bucket: pass --bucket or set LANDKEEPER_REPORT_BUCKET; its name is the stack output ReportBucket"
        )
    from landkeeper.aws.report_bucket import KEY, ReportBucket

    sessions = home_sessions(settings)
    owner = settings.bucket_owner or sessions.home_account()
    bucket = ReportBucket(sessions.presigning_client("s3"), settings.report_bucket, owner)
    found = bucket.read_metadata()
    where = f"s3://{settings.report_bucket}/{KEY}"
    if isinstance(found, Failure):
        raise UnavailableError(f"{where} cannot be read: {found}")
    if found is None:
        raise UsageError(f"{where} does not exist yet: the stack's notices function writes it every hour")
    return bucket.presign(seconds)
