"""Hostile names, tags and users stay text."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.browser.conftest import Open
from tests.browser.reader import PAGES
from tests.browser.stores import CLOSING, FORMULA, LONG, RIGHT_TO_LEFT, SCRIPT


def test_nothing_in_a_store_becomes_markup_or_script(shop: Open) -> None:
    with shop() as reader:
        for name in (*PAGES, "map?vpc=vpc-00000000000000001", "connect?a=444455556666&b=111122223333"):
            reader.go(name)
            assert reader.page.locator("main script, main img, main iframe, main [onerror]").count() == 0
            assert "taken" not in reader.page.title()
        assert reader.page.locator("script:not([type='module']):not([type='application/json'])").count() == 0


def test_the_panel_shows_whole_tags(shop: Open) -> None:
    with shop("map?vpc=vpc-00000000000000001") as reader:
        shown = reader.page.locator(".vpc dl").text_content() or ""
        assert all(text in shown for text in (SCRIPT, FORMULA, LONG, RIGHT_TO_LEFT, CLOSING))


def test_right_to_left_text_does_not_affect_the_text_around_it(shop: Open) -> None:
    with shop("map?at=10.3.0.0/20") as reader:
        name = reader.page.locator(".vpc h3 bdi")
        assert name.text_content() == RIGHT_TO_LEFT
        assert name.evaluate("element => getComputedStyle(element).unicodeBidi") == "isolate"
        assert reader.page.locator(".vpc h3").evaluate("element => getComputedStyle(element).direction") == "ltr"


def test_a_very_long_name_is_cut(shop: Open) -> None:
    with shop("map") as reader:
        reader.page.get_by_label("Search").fill("vpc-00000000000000005")
        name = reader.page.locator(".found bdi").first
        assert name.inner_text() == "x" * 63 + "…"
        assert name.get_attribute("title") == LONG


@pytest.mark.parametrize("place", [
    "map?at=999.1.1.1/8&space=none&colour=%3Cscript%3E&vpc=none", "overlaps?group=99", "overlaps?group=constructor",
    "connect?a=none&b=__proto__&by=toString", "broom?case=none", "nowhere", "%E0%A4%A",
])  # fmt: skip
def test_an_invalid_address_still_shows_a_page(shop: Open, place: str) -> None:
    with shop(place) as reader:
        assert reader.page.locator("h1").inner_text()


def test_the_file_allows_its_own_script_and_nothing_else(shop_file: Path) -> None:
    policy = shop_file.read_text(encoding="utf-8").split('Content-Security-Policy" content="', 1)[1].split('"', 1)[0]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == rules["connect-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    assert rules["script-src"].startswith("'sha256-")
    assert rules["style-src"].startswith("'sha256-")
