"""Times on the command line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import click
import pytest
from tests.docs.test_commands import every_command

from landkeeper.cli.moments import Moment
from landkeeper.org import UsageError

_AT = click.Option(["--at"])


def test_a_time_is_iso_8601_or_a_duration() -> None:
    assert Moment().convert("2026-03-01", _AT, None) == datetime(2026, 3, 1, tzinfo=UTC)
    assert Moment(is_end=True).convert("2026-03-01", _AT, None) == datetime(2026, 3, 2, tzinfo=UTC)
    ago = datetime.now(UTC) - Moment(is_past=True).convert("7d", _AT, None)
    assert timedelta(days=7) <= ago < timedelta(days=7, minutes=5)


def test_the_future_is_refused_where_nothing_can_be_known_of_it() -> None:
    later = Moment().convert("2999-01-01", _AT, None)
    assert Moment(is_past=True).convert(later, _AT, None) == later
    with pytest.raises(UsageError, match="--at is '2999-01-01': that is in the future"):
        Moment(is_past=True).convert("2999-01-01", _AT, None)


@pytest.mark.parametrize("text", ["noon", "", "-7d", "7", "2026-02-30"])
def test_nonsense_names_the_option_and_the_forms(text: str) -> None:
    with pytest.raises(UsageError, match=rf"^--at is '{text}': expected a time such as .*, a date, or 7d \(that long"):
        Moment().convert(text, _AT, None)


def test_every_option_for_a_time_takes_the_same_forms() -> None:
    found = {
        (command.name, option.opts[0])
        for command in every_command()
        for option in command.params
        if option.opts[0] in {"--as-of", "--at", "--since", "--until"} and not isinstance(option.type, Moment)
    }
    assert found == set()
