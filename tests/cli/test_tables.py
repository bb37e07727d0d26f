"""Tables and lines on a terminal: widths, wrapping, styles, and other people's text."""

from __future__ import annotations

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landkeeper.cli.tables import Heading, Line, draw_facts, draw_table
from landkeeper.cli.terminal import cells, drawable, harmless, padded, paint, say, shows_styles, wrapped

_HEADINGS = (Heading("VPC", style="cyan"), Heading("Name"), Heading("Addresses", right=True))
_TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cf", "Cs", "Zl", "Zp", "Mn", "Me")), max_size=60
)


def _lines(drawn: str) -> list[str]:
    return click.unstyle(drawn).split("\n")


def test_columns_are_as_wide_as_what_is_in_them() -> None:
    drawn = draw_table(_HEADINGS, [Line(("vpc-1", "shop", "16")), Line(("vpc-22", "", "4096"))], 80)
    assert _lines(drawn) == [
        "",
        " VPC     Name  Addresses",
        " ───────────────────────",
        " vpc-1   shop         16",
        " vpc-22             4096",
        "",
    ]


def test_the_widest_column_gives_way_and_words_stay_whole() -> None:
    drawn = draw_table(_HEADINGS, [Line(("vpc-0123456789", "the web shop of the company", "16"))], 40)
    assert _lines(drawn)[3:] == [
        " vpc-0123456789  the web shop         16",
        "                 of the",
        "                 company",
        "",
    ]


def test_what_cannot_fit_is_wider_than_the_terminal_and_whole() -> None:
    drawn = draw_table(_HEADINGS, [Line(("vpc-0123456789abcdef0", "shop", "16"))], 20)
    assert "vpc-0123456789abcdef0" in drawn


def test_a_very_long_word_is_broken() -> None:
    drawn = draw_table((Heading("Tags"),), [Line(("x" * 100,))], 60)
    assert _lines(drawn)[3:5] == [f" {'x' * 59}", f" {'x' * 41}"]


@given(st.lists(st.tuples(_TEXT, _TEXT, _TEXT), max_size=5), st.integers(40, 200))
def test_no_line_is_wider_than_the_terminal_unless_a_word_is(rows: list[tuple[str, str, str]], width: int) -> None:
    drawn = draw_table(_HEADINGS, [Line(row) for row in rows], width)
    columns = zip(*[[heading.title for heading in _HEADINGS], *rows], strict=True)
    least = [max(cells(word) for text in column for word in text.split()) for column in columns]
    narrowest = 1 + sum(min(40, size) for size in least) + 2 * (len(_HEADINGS) - 1)
    assert all(cells(line) <= max(width, narrowest) for line in _lines(drawn))


@given(_TEXT, st.integers(2, 80))
def test_wrapped_text_keeps_every_letter_and_fits(text: str, width: int) -> None:
    lines = wrapped(text, width)
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(cells(line) <= width for line in lines)


def test_letters_of_two_cells_are_counted_as_two() -> None:
    assert cells("日本") == 4
    assert padded("日本", 6) == "日本  "
    assert padded("日本", 6, right=True) == "  日本"
    assert wrapped("日本語", 4) == ["日本", "語"]


def test_text_cannot_steer_the_terminal() -> None:
    assert harmless("shop\x1b[2J\x07\x9b31m\tone\ntwo") == "shop\\x1b[2J\\x07\\x9b31m\tone\ntwo"
    drawn = draw_table((Heading("Name"),), [Line(("\x1b]0;title\x07shop",))], 80)
    assert "\x1b]" not in drawn


def test_a_row_has_its_own_style_and_a_column_too() -> None:
    drawn = draw_table((Heading("VPC", style="cyan"),), [Line(("vpc-1",), "dim")], 80)
    assert click.style("vpc-1", fg="cyan", dim=True) in drawn
    assert paint("text", "") == "text"
    assert paint("text", "bold red") == click.style("text", bold=True, fg="red")


def test_facts_stand_beside_their_names() -> None:
    drawn = draw_facts([("VpcId", "vpc-1", ""), ("Stale", "role not assumable", "red")], 80)
    assert _lines(drawn) == ["VpcId vpc-1", "Stale role not assumable"]


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, None),
        ({"NO_COLOR": "1"}, False),
        ({"FORCE_COLOR": "1"}, True),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
        ({"TERM": "dumb"}, False),
    ],
)
def test_the_environment_says_whether_there_are_styles(
    environment: dict[str, str],
    expected: bool | None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert shows_styles() is expected
    say("text", "red")
    assert capsys.readouterr().out == (click.style("text", fg="red") if expected else "text") + "\n"


def test_lines_are_drawn_plainly_where_the_encoding_has_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    class Ascii:
        encoding = "ascii"

    assert drawable("╭─ ö ─╮") == "╭─ ö ─╮"
    monkeypatch.setattr("sys.stdout", Ascii())
    assert drawable("╭─ ö ─╮") == "+- \\xf6 -+"
