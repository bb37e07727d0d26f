"""The kill switch that the ledger keeps: whether instances may be stopped and terminated, and who said so.

Every caller reads it right before it acts: the function, the commands, and whatever looks again at a case that waits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from landkeeper.broom.stored_case import LedgerError
from landkeeper.org import format_exact_time, format_time

SWITCH_KEY = "SWITCH#actions"
"""The key of its item in the ledger. No instance id has a `#`."""
_MOST_TURNS = 20
_STATES = {"on": True, "off": False}


@dataclass(frozen=True, slots=True)
class Turn:
    """Somebody turned the switch."""

    is_on: bool
    by: str
    """The ARN of the principal; the local user where the ledger is a file."""
    at: datetime
    reason: str = ""

    def __str__(self) -> str:
        why = f": {self.reason}" if self.reason else ""
        return f"turned {'on' if self.is_on else 'off'} by {self.by} at {format_time(self.at)}{why}"


@dataclass(frozen=True, slots=True)
class ActionSwitch:
    """The switch, with its latest turns. One that was never turned is on, unless it `is_opt_in`."""

    turns: tuple[Turn, ...] = ()
    """Oldest first."""
    is_opt_in: bool = False
    """Whether actions are off until somebody has turned them on. The caller's setting; the ledger does not store it."""

    def __str__(self) -> str:
        return str(self.last) if self.last is not None else "not turned on yet" if self.is_opt_in else "on"

    @property
    def last(self) -> Turn | None:
        """The turn that counts; None if there is none."""
        return self.turns[-1] if self.turns else None

    @property
    def is_on(self) -> bool:
        """Whether instances may be stopped and terminated."""
        return self.last.is_on if self.last is not None else not self.is_opt_in


def turned(switch: ActionSwitch, turn: Turn) -> ActionSwitch:
    """Return the switch after another turn. Of very many turns the oldest are forgotten."""
    return replace(switch, turns=(*switch.turns, turn)[-_MOST_TURNS:])


def switch_to_record(switch: ActionSwitch) -> dict[str, Any]:
    """Return the attributes to store."""
    return {"InstanceId": SWITCH_KEY, "Turns": [turn_to_record(turn) for turn in switch.turns]}


def turn_to_record(turn: Turn) -> dict[str, Any]:
    """Return the attributes of a turn."""
    return {
        "Actions": "on" if turn.is_on else "off",
        "By": turn.by,
        "At": format_exact_time(turn.at),
        "Reason": turn.reason,
    }


def parse_switch(record: Mapping[str, Any]) -> ActionSwitch:
    """Return the stored switch. Raise LedgerError for what no version of Landkeeper wrote."""
    try:
        turns = tuple(
            Turn(_STATES[turn["Actions"]], str(turn["By"]), datetime.fromisoformat(turn["At"]), str(turn["Reason"]))
            for turn in record["Turns"]
        )
    except (KeyError, TypeError, ValueError) as error:
        raise LedgerError(f"the ledger's switch for actions cannot be read: {error!r}") from error
    if not turns:
        raise LedgerError("the ledger's switch for actions cannot be read: it has no turns")
    return ActionSwitch(turns)
