"""Tables and lines on a terminal: widths, wrapping, styles, and other people's text."""

from __future__ import annotations

import os
from collections import Counter

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landkeeper.cli.tables import Heading, Line, draw_facts, draw_table, lay_out
from landkeeper.cli.terminal import cells, drawable, harmless, padded, paint, say, shows_styles, width, wrapped

_HEADINGS = (Heading("VPC", style="cyan"), Heading("Name"), Heading("Addresses", right=True))
_TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cf", "Cs", "Zl", "Zp", "Mn", "Me")), max_size=60
)


def _lines(drawn: str) -> list[str]:
    return click.unstyle(drawn).split("\n")


_IDS = st.one_of(
    st.from_regex(r"(vpc|i|subnet|res)-[0-9a-f]{17}", fullmatch=True),
    st.from_regex(r"[0-9]{12}", fullmatch=True),
    st.ip_addresses(v=4).map(lambda address: f"{address}/28"),
    st.ip_addresses(v=6).map(lambda address: f"{address.exploded}/128"),
)
_WIDE = (
    Heading("Id"), Heading("Id of the account"), Heading("Name", optional=2), Heading("Blocks"),
    Heading("Addresses", right=True, optional=1),
)  # fmt: skip


def test_columns_are_as_wide_as_what_is_in_them() -> None:
    drawn = draw_table(_HEADINGS, [Line(("vpc-1", "shop", "16")), Line(("vpc-22", "", "4096"))], 80)
    assert _lines(drawn.text) == [
        "",
        " VPC     Name  Addresses",
        " ───────────────────────",
        " vpc-1   shop         16",
        " vpc-22             4096",
        "",
    ]


def test_the_widest_column_gives_way_and_words_stay_whole() -> None:
    drawn = draw_table(_HEADINGS, [Line(("vpc-0123456789", "the web shop of the company", "16"))], 40)
    assert _lines(drawn.text)[3:] == [
        " vpc-0123456789  the web shop         16",
        "                 of the",
        "                 company",
        "",
    ]


def test_optional_columns_are_left_out_by_name_before_a_row_becomes_a_record() -> None:
    row = Line(("vpc-0123456789abcdef0", "111122223333", "shop", "10.0.0.0/16", "65536"))
    assert draw_table(_WIDE, [row], 80).left_out == ()
    assert draw_table(_WIDE, [row], 65).left_out == ("Name",)
    drawn = draw_table(_WIDE, [row], 50)
    assert drawn.left_out == ("Name", "Addresses")
    assert _lines(drawn.text) == [
        "",
        " Id                     Id of the      Blocks",
        "                        account",
        f" {'─' * 49}",
        " vpc-0123456789abcdef0  111122223333   10.0.0.0/16",
        "",
    ]


def test_a_row_that_does_not_fit_is_a_record_with_every_column_that_has_text() -> None:
    rows = [("vpc-0123456789abcdef0", "111122223333", "the web shop", "", "16"), ("vpc-1", "", "", "", "")]
    drawn = draw_table(_WIDE, list(map(Line, rows)), 43, "VPCs")
    assert drawn.left_out == ()
    assert _lines(drawn.text) == [
        "VPCs",
        "",
        " Id                vpc-0123456789abcdef0",
        " Id of the account 111122223333",
        " Name              the web shop",
        " Addresses         16",
        "",
        " Id vpc-1",
        "",
    ]


def test_a_record_on_a_very_narrow_terminal_has_its_texts_below_their_names() -> None:
    row = ("vpc-0123456789abcdef0", "111122223333", "the web shop of all", "", "")
    assert _lines(draw_table(_WIDE, [Line(row)], 20).text) == [
        "",
        " Id",
        "  vpc-0123456789abcdef0",
        " Id of the account",
        "  111122223333",
        " Name",
        "  the web shop of",
        "  all",
        "",
    ]


def test_a_pipe_gets_a_line_a_row_however_long_it_is() -> None:
    drawn = draw_table(_HEADINGS, [Line(("vpc-1", "word " * 200, "16")), Line(("vpc-2", "x" * 1000, ""))], None)
    assert len(_lines(drawn.text)) == 6
    assert draw_facts([("Name", "word " * 200, "")], None).count("\n") == 0


def test_a_very_long_word_of_a_column_is_broken() -> None:
    drawn = draw_table((Heading("Tags"),), [Line(("x" * 100,))], 60)
    assert _lines(drawn.text)[3:5] == [f" {'x' * 59}", f" {'x' * 41}"]


def test_a_table_without_columns_or_rows_is_a_head() -> None:
    assert _lines(draw_table((), [], None).text) == ["", " ", ""]
    assert _lines(draw_table(_HEADINGS, [], 10).text) == [""]


@given(
    st.lists(st.tuples(_IDS, _IDS, _TEXT, st.lists(_IDS, max_size=4).map(" ".join), _TEXT), max_size=4),
    st.integers(20, 200),
)
def test_no_text_is_lost_and_no_id_is_broken_at_any_width(rows: list[tuple[str, ...]], width: int) -> None:
    drawn = draw_table(_WIDE, list(map(Line, rows)), width)
    text = click.unstyle(drawn.text)
    layout = lay_out(_WIDE, rows, width)
    shown = [row[place] for row in rows for place in layout.places]
    assert {_WIDE[place].title for place in range(5) if place not in layout.places} == set(drawn.left_out)
    assert layout.is_records <= (not drawn.left_out)
    assert not Counter("".join("".join(shown).split())) - Counter("".join(text.split()))
    assert all(word in text.split() for row in rows for place in (0, 1, 3) for word in row[place].split())
    if not layout.is_records:
        assert all(cells(line) <= width for line in _lines(drawn.text))


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
    assert "\x1b]" not in drawn.text


def test_a_row_has_its_own_style_and_a_column_too() -> None:
    drawn = draw_table((Heading("VPC", style="cyan"),), [Line(("vpc-1",), "dim")], 80)
    assert click.style("vpc-1", fg="cyan", dim=True) in drawn.text
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


@pytest.mark.parametrize(
    ("columns", "is_terminal", "expected"),
    [("60", False, 60), ("0", True, None), ("wide", False, None), ("", False, None), ("", True, None)],
)
def test_only_a_terminal_or_the_environment_limits_the_width(
    columns: str, is_terminal: bool, expected: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Output:
        def isatty(self) -> bool:
            return is_terminal

    monkeypatch.setattr("sys.stdout", Output())
    # What a terminal says that does not know, whatever TERM is: such as one of a serial line or of an editor.
    monkeypatch.setattr("os.get_terminal_size", lambda _: os.terminal_size((0, 0)))
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("COLUMNS", columns)
    assert width() == expected
