"""The first day of a deployment: nothing is stopped or terminated until somebody has turned actions on.

The function waits by its parameter `Actions`, from the moment it exists. The ledger's switch is turned off beside it,
so that every other caller with that ledger waits too, and a ledger that an earlier stack has left says nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from landkeeper.operate.preflight import ledger_name
from landkeeper.operate.stacks import StackError
from landkeeper.org import Failure, FailureReason

OPT_IN = "opt-in"
"""The default of the template's parameter `Actions`."""


class LedgerSwitch(Protocol):
    """The kill switch that a ledger keeps."""

    def keep_off(self, table: str) -> Failure | None:
        """Turn the switch off, if it is not; return why that failed. NOT_FOUND where there is no such table."""


def waits_for_consent(parameters: Mapping[str, str], *, is_first: bool) -> bool:
    """Return whether nothing is done after this deployment before somebody turns actions on."""
    return is_first and parameters.get("Actions", OPT_IN) == OPT_IN


def turn_off_kept_ledger(stack_name: str, parameters: Mapping[str, str], switch: LedgerSwitch) -> None:
    """Turn off the switch of a ledger that is there before the stack is. Raise StackError where that fails."""
    table = ledger_name(parameters)
    failure = switch.keep_off(table)
    if failure is not None and failure.reason is not FailureReason.NOT_FOUND:
        raise StackError(
            f"stack {stack_name}: nothing was changed, because actions could not be turned off in the existing ledger "
            f"{table} ({failure}); pass --parameter LedgerTable=... for another one, or --parameter Actions=off"
        )


def turn_off_new_ledger(parameters: Mapping[str, str], switch: LedgerSwitch) -> Failure | None:
    """Turn off the switch of the ledger that the stack has made; return why that failed."""
    return switch.keep_off(ledger_name(parameters))
