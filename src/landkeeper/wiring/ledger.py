"""The ledger that Broom keeps its cases in: a table, or a file on this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from landkeeper.org import UsageError
from landkeeper.wiring.sessions import member_sessions

if TYPE_CHECKING:
    from landkeeper.aws.broom.ledger_table import LedgerTable
    from landkeeper.aws.sessions import AccountSessions
    from landkeeper.broom.ports import Ledger
    from landkeeper.settings import Settings


@contextmanager
def open_cases(settings: Settings) -> Iterator[Ledger]:
    """The ledger, to look at. Raises UsageError where there is none."""
    if settings.ledger_table is None and not settings.file.exists():
        raise UsageError(
            f"the file '{settings.file}' does not exist: `landkeeper broom sweep` creates it; pass --file or "
            "--ledger for another store"
        )
    with open_ledger(settings, lambda: member_sessions(settings), to_write=False) as ledger:
        yield ledger


@contextmanager
def open_ledger(settings: Settings, sessions: Callable[[], AccountSessions], *, to_write: bool) -> Iterator[Ledger]:
    """The ledger that the settings name. One that is only read need not exist, and no file changes then."""
    if settings.ledger_table is not None:
        yield open_table(sessions(), settings.ledger_table, settings)
        return
    if not to_write and not settings.file.exists():
        from landkeeper.broom.dry_run import ScratchLedger

        yield ScratchLedger()
        return
    # Here and not above: the function package comes without the embedded rooms.
    from landkeeper.embedded.ledger_file import LedgerFile

    with closing(LedgerFile(settings.file, to_write=to_write, keep=_keep(settings))) as ledger:
        yield ledger


def open_table(sessions: AccountSessions, name: str, settings: Settings) -> LedgerTable:
    """The ledger in a table."""
    from landkeeper.aws.broom.ledger_table import LedgerTable

    return LedgerTable(sessions.lazy_client("dynamodb"), name, keep=_keep(settings))


def _keep(settings: Settings) -> timedelta | None:
    return None if settings.ledger_days is None else timedelta(days=settings.ledger_days)
