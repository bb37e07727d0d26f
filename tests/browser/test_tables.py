"""Tables: sorting, filtering, paging, and files that a spreadsheet can open safely."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from playwright.sync_api import Page
from tests.browser.conftest import Open
from tests.browser.stores import FORMULA, RIGHT_TO_LEFT, SCRIPT

from landkeeper.cli.output import write_csv
from landkeeper.cli.terminal import harmless


def _saved(page: Page, name: str) -> str:
    with page.expect_download() as waiting:
        page.get_by_role("button", name=name).click()
    return Path(waiting.value.path()).read_text(encoding="utf-8")


def test_a_click_on_a_column_header_sorts_and_a_second_click_reverses(shop: Open) -> None:
    with shop("broom") as reader:
        head = reader.page.get_by_role("table", name="Cases", exact=True).get_by_role("columnheader", name="Launched")
        head.get_by_role("button").click()
        rising = reader.cells("Cases", "Launched")
        assert rising == sorted(rising)
        assert head.get_attribute("aria-sort") == "ascending"
        head.get_by_role("button").click()
        assert reader.cells("Cases", "Launched") == rising[::-1]
        assert head.get_attribute("aria-sort") == "descending"


def test_a_filter_keeps_rows_with_every_word(shop: Open) -> None:
    with shop("broom") as reader:
        table = reader.page.locator(".table", has=reader.page.get_by_role("table", name="Cases", exact=True))
        table.get_by_label("Filter").fill("jane OWNER")
        assert table.get_by_role("status").inner_text() == "2 of 12 cases"
        assert set(reader.cells("Cases", "Rule")) == {"owner"}
        table.get_by_label("Filter").fill("nothing like that")
        assert reader.table("Cases").count() == 0


def test_a_saved_table_has_the_format_of_the_command(shop: Open) -> None:
    with shop("broom") as reader:
        text = _saved(reader.page, "CSV of Principals")
        rows = list(csv.reader(io.StringIO(text)))
        assert rows[1][0] == f"Developer/{FORMULA}"
        names = [row[0] for row in csv.reader(io.StringIO(_saved(reader.page, "CSV of Cases")))]
        assert names[0] == "Launched"
        assert len(names) == 13


def test_no_cell_of_a_saved_table_is_a_formula(shop: Open) -> None:
    with shop("connect?a=111122223333&b=444455556666") as reader:
        reader.go("map?at=10.0.128.0/20")
        reader.go("overlaps?group=0")
        text = _saved(reader.page, "CSV of Members of 10.0.0.0/16")
        (head, *rows) = csv.reader(io.StringIO(text))
        names = [dict(zip(head, row, strict=True)) for row in rows]
        assert names[1]["Name"] == f"'{FORMULA}"
        assert names[1]["Account"] == f"{SCRIPT} (444455556666)"
        ours = io.StringIO()
        plain = [{**row, "Name": row["Name"].removeprefix("'")} for row in names]
        write_csv(ours, plain, head)
        assert text == ours.getvalue()


def test_a_saved_table_shows_what_would_turn_a_line_around(shop: Open) -> None:
    with shop("overlaps") as reader:
        reader.page.get_by_text("100.64.0.0/16").first.click()
        text = _saved(reader.page, "CSV of Members of 100.64.0.0/16")
        assert harmless(RIGHT_TO_LEFT) in text
        assert harmless(text) == text
