"""Help pages as people see them, at the widths that terminals have."""

from __future__ import annotations

import click
import pytest

from landkeeper.cli import run

_PAGES = [
    [], ["vpc"], ["vpc", "list"], ["vpc", "vend"], ["vpc", "pool", "create"], ["broom", "policy", "explain"], ["cost"],
    ["deploy"], ["completion"],
]  # fmt: skip


@pytest.mark.parametrize("columns", [60, 80, 120])
@pytest.mark.parametrize("words", _PAGES, ids=lambda words: " ".join(words) or "landkeeper")
def test_panels_are_as_wide_as_the_terminal_and_nothing_is_cut(
    words: list[str], columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    assert run([*words, "--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert {len(line) for line in lines if line.startswith(("╭", "│", "╰"))} == {columns}
    assert all(len(line) <= columns or line.startswith("  ") for line in lines)
    assert not any("…" in line for line in lines)


def test_a_page_is_no_wider_than_prose_can_be_read(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    assert run(["vpc", "--help"]) == 0
    assert max(map(len, capsys.readouterr().out.splitlines())) == 120


def test_options_what_they_take_and_defaults_are_there(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    assert run(["vpc", "list", "--help"]) == 0
    said = capsys.readouterr().out
    assert " Usage: landkeeper vpc list [OPTIONS]" in said
    for words in ("--account ID|NAME", "--format [table|json|csv]", "[default: landkeeper.db]", "-h, --help"):
        assert words in said


def test_a_terminal_sees_colours(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert run(["vpc", "list", "--help"]) == 0
    said = capsys.readouterr().out
    assert click.style("--account", fg="cyan", bold=True) in said
    assert click.style("ID|NAME", fg="yellow") in said


@pytest.mark.parametrize("words", [[], ["vpc"], ["broom", "policy"]])
def test_a_group_without_a_command_shows_its_help_and_is_wrong_usage(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(words) == 2
    said = capsys.readouterr()
    assert "Commands" in said.out
    assert said.err == ""
