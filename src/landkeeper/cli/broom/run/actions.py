"""`landkeeper broom actions`: the kill switch that stands in the ledger."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from landkeeper.broom.switch import turn_to_record
from landkeeper.cli.confirmation import BANNER, apply_plan
from landkeeper.cli.exit_codes import DONE
from landkeeper.cli.output import JSON_VERSION, Column, Format, print_json, print_rows
from landkeeper.cli.terminal import aside, say
from landkeeper.org import UsageError, counted
from landkeeper.settings import Settings, read_settings

if TYPE_CHECKING:
    from landkeeper.broom.switch import ActionSwitch
    from landkeeper.wiring.broom.switch import StoredSwitch

_NAMES = ("Actions", "By", "At", "Reason")


def run_actions(
    turn: str,
    reason: str,
    ledger: str | None,
    file: Path | None,
    yes: bool,
    dry_run: bool,
    format_: Format,
) -> int:
    """Turn terminating and stopping on or off, or show who turned it last."""
    settings = read_settings(os.environ).with_ledger(ledger=ledger, file=file)
    if reason and turn == "show":
        raise UsageError("--reason is for on and off")
    # Loaded here, so that a wrong flag does not wait for boto3.
    from landkeeper.wiring.broom.switch import read_switch, turn_switch

    if settings.ledger_table is None and file is None and not settings.file.exists():
        raise UsageError(f"the file '{settings.file}' does not exist: pass --ledger NAME or --file PATH")
    if turn == "show":
        _print(read_switch(settings), settings, format_)
    elif turn == "off":
        if dry_run:
            aside(BANNER)
            say(f"Actions would be turned off in {_place(settings)}.")
            return DONE
        _print(turn_switch(settings, is_on=False, reason=reason), settings, format_)
    else:
        apply_plan(_TurnOn(settings, reason, format_), yes=yes, dry_run=dry_run, is_table=format_ == "table")
    return DONE


@dataclass(frozen=True, slots=True)
class _TurnOn:
    """Actions are turned on again, for every caller with this ledger."""

    settings: Settings
    reason: str
    format_: Format

    def rehearse(self) -> StoredSwitch:
        """Return the switch as it is."""
        from landkeeper.wiring.broom.switch import read_switch

        return read_switch(self.settings)

    def show(self, plan: StoredSwitch) -> None:
        """Print what turning it on would do."""
        switch, place = plan.switch, _place(self.settings)
        if not self.has_effect(plan):
            say(f"Actions are on already in {place}.")
            return
        before = f"they were {switch.last}" if switch.last is not None else "nobody has turned them on or off yet"
        say(f"Actions would be turned on in {place}; {before}.")
        if plan.waiting:
            say(f"{counted(plan.waiting, 'case')} would be acted on at the next audit or sweep.")

    def has_effect(self, plan: StoredSwitch) -> bool:
        """Return whether they are off, or are on only because nobody has turned them off."""
        return not plan.switch.is_on or plan.switch.last is None

    def act(self, plan: StoredSwitch | None) -> StoredSwitch:
        """Turn them on."""
        del plan
        from landkeeper.wiring.broom.switch import turn_switch

        done = turn_switch(self.settings, is_on=True, reason=self.reason)
        _print(done, self.settings, self.format_)
        return done


def _place(settings: Settings) -> str:
    return f"the table {settings.ledger_table}" if settings.ledger_table is not None else f"the file {settings.file}"


def _sentence(switch: ActionSwitch, settings: Settings) -> str:
    place = _place(settings)
    if switch.last is not None or switch.is_opt_in:
        return f"Actions are {switch} ({place})."
    found = f"Actions are on: nobody turned them off ({place})."
    if settings.ledger_table is None:
        return found
    return f"{found} A function with Actions=opt-in, the default of the stack, waits until somebody turns them on."


def _print(stored: StoredSwitch, settings: Settings, format_: Format) -> None:
    switch = stored.switch
    turns: list[dict[str, Any]] = [turn_to_record(turn) for turn in reversed(switch.turns)]
    if format_ == "json":
        state = {"Actions": "on" if switch.is_on else "off", "By": "", "At": None, "Reason": ""}
        shown = {**state, **(turns[0] if turns else {}), "environment": settings.actions, "turns": turns}
        print_json({"Version": JSON_VERSION, **shown})
        return
    columns = [Column(name, name) for name in _NAMES]
    if format_ == "csv":
        print_rows(turns, columns, "csv")
        return
    say(_sentence(switch, settings))
    if not switch.is_on and stored.waiting:
        say(f"{counted(stored.waiting, 'case')} left as judged until they are on again.")
    if len(turns) > 1:
        print_rows(turns, columns, "table", title="Turns, newest first")
    if not settings.actions_on:
        aside("LANDKEEPER_ACTIONS=off: commands that run here act on nothing, whatever the ledger says")
