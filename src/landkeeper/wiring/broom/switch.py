"""The kill switch of a ledger, for the command that turns it."""

from __future__ import annotations

import getpass
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from landkeeper.broom.case import Outcome, State
from landkeeper.broom.stored_case import LedgerError, WrongLedgerError
from landkeeper.broom.switch import ActionSwitch, Turn, turned
from landkeeper.org import Failure, FailureReason
from landkeeper.wiring.ledger import open_ledger, open_table
from landkeeper.wiring.sessions import member_sessions

if TYPE_CHECKING:
    from landkeeper.aws.sessions import AccountSessions
    from landkeeper.broom.ports import Ledger
    from landkeeper.settings import Settings


_LONGEST_REASON = 500


@dataclass(frozen=True, slots=True)
class StoredSwitch:
    """The switch, and how many cases it holds."""

    switch: ActionSwitch
    waiting: int


def read_switch(settings: Settings) -> StoredSwitch:
    """Return the switch of the ledger that the settings name. Raise LedgerError where it cannot be read."""
    with open_ledger(settings, lambda: member_sessions(settings), to_write=False) as ledger:
        switch = replace(ledger.read_switch(), is_opt_in=settings.actions_opt_in)
        return StoredSwitch(switch, 0 if switch.is_on else _count_held(ledger))


def turn_switch(settings: Settings, *, is_on: bool, reason: str) -> StoredSwitch:
    """Turn the switch of the ledger that the settings name. Raise LedgerError where that fails.

    Turning it off overwrites a switch that cannot be read.
    """
    with open_ledger(settings, lambda: member_sessions(settings), to_write=True) as ledger:
        try:
            before = ledger.read_switch()
        except LedgerError:
            if is_on:
                raise
            before = ActionSwitch()
        # What a shell passes on may not be text.
        shown = reason.encode(errors="backslashreplace").decode()[:_LONGEST_REASON]
        after = turned(before, Turn(is_on, _caller(settings), datetime.now(UTC), shown))
        ledger.write_switch(after)
        return StoredSwitch(after, 0 if is_on else _count_held(ledger))


@dataclass(frozen=True, slots=True)
class TableSwitch:
    """The switches of ledgers in tables of this account and region, for the deployment."""

    settings: Settings
    sessions: AccountSessions

    def keep_off(self, table: str) -> Failure | None:
        """Turn the switch off, if it is not; return why that failed. NOT_FOUND where there is no such table."""
        ledger = open_table(self.sessions, table, self.settings)
        try:
            switch = ledger.read_switch()
            if switch.last is None or switch.is_on:
                by = self.sessions.home_principal()
                ledger.write_switch(
                    turned(switch, Turn(is_on=False, by=by, at=datetime.now(UTC), reason="first deployment"))
                )
        except WrongLedgerError as error:
            return Failure(FailureReason.NOT_FOUND, message=str(error))
        except LedgerError as error:
            return Failure(FailureReason.OTHER, message=str(error))
        return None


def _count_held(ledger: Ledger) -> int:
    return sum(case.outcome is Outcome.ACTIONS_OFF for case in ledger.list_cases(State.JUDGED))


def _caller(settings: Settings) -> str:
    """Return the ARN of the credentials at hand; the local user where the ledger is a file."""
    if settings.ledger_table is not None:
        return member_sessions(settings).home_principal()
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "(unknown user)"
