"""Every page of a report, light and dark, wide and narrow."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from tests.browser.conftest import Open
from tests.browser.reader import PAGES, Scheme, reading

_TITLES = {
    "overview": "Overview", "map": "Address map", "overlaps": "Overlaps", "connect": "Connect",
    "defaults": "Default VPCs", "coverage": "Coverage", "broom": "Broom", "backtest": "Backtest",
}  # fmt: skip
_DEEP = ("map?vpc=vpc-00000000000000001", "overlaps?group=0", "connect?a=111122223333&b=444455556666",
         "broom?case=i-00000000000000001")  # fmt: skip


def test_every_page_has_its_title_and_no_serious_accessibility_fault(shop: Open) -> None:
    with shop() as reader:
        for name in (*PAGES[:1], *PAGES[4:], *_DEEP):
            reader.go(name)
            title = _TITLES[name.partition("?")[0]]
            assert reader.page.locator("h1").inner_text() == title
            assert reader.page.get_by_role("navigation", name="Pages").locator("[aria-current]").inner_text() == title
            assert reader.accessibility_faults() == [], name


def test_in_the_dark_theme_all_text_has_enough_contrast(shop: Open) -> None:
    with shop(scheme="dark") as reader:
        for name in (*PAGES[:1], *PAGES[4:], *_DEEP):
            reader.go(name)
            assert reader.accessibility_faults("color-contrast") == [], name


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 768, 1440])
def test_no_page_is_wider_than_the_window(shop: Open, width: int, scheme: Scheme) -> None:
    with shop(scheme=scheme, width=width) as reader:
        for name in (*PAGES, *(_DEEP if width == 1440 else ())):
            reader.go(name)
            if name.startswith("map"):
                reader.settle()
            reader.shoot(f"{name.replace('?', '-').partition('=')[0]}-{width}-{scheme}")
            assert reader.page.evaluate("document.documentElement.scrollWidth") <= width, name


def test_the_figures_are_those_of_the_store(shop: Open) -> None:
    with shop() as reader:
        figures = dict(
            zip(
                reader.page.locator(".figure .title").all_inner_texts(),
                reader.page.locator(".figure .value").all_inner_texts(),
                strict=True,
            )
        )
        assert figures == {
            "Accounts": "3", "VPCs": "8", "Overlaps": "1", "Default VPCs left": "2", "Unreadable accounts": "1",
            "Cases this week": "7",
        }  # fmt: skip
        trend = reader.page.get_by_role("img", name="VPCs: ")
        assert "2 on" in (trend.get_attribute("aria-label") or "")
        reader.page.get_by_role("link", name="Default VPCs left").click()
        assert reader.table("Default VPCs").count() == 2


def test_overlaps_name_prevented_connections_and_a_group_its_members(shop: Open) -> None:
    with shop("overlaps") as reader:
        assert reader.cells("All overlaps", "Kind") == ["overlap", "default VPCs", "repeated on purpose"]
        assert reader.cells("All overlaps", "Hurts")[0] == "111122223333 to 444455556666"
        reader.page.get_by_role("link", name="10.0.0.0/16").click()
        assert reader.cells("Members of 10.0.0.0/16", "Block") == ["10.0.0.0/16", "10.0.128.0/20"]
        assert "Prevents the connection: 111122223333 to 444455556666" in reader.page.locator(".group").inner_text()
        reader.page.get_by_role("link", name="Show on the map").click()
        reader.arrive("map?at=10.0.0.0/16&space=default")


def test_coverage_shows_failed_reads_with_their_reasons(shop: Open) -> None:
    with shop("coverage") as reader:
        assert reader.table("Accounts and regions").count() == 7
        reader.page.get_by_label("Show only failed reads").check()
        assert reader.cells("Accounts and regions", "Region") == ["eu-west-1"]
        assert "UnauthorizedOperation" in reader.cells("Accounts and regions", "Why")[0]
        marks = reader.page.locator("table.grid td")
        assert marks.locator("visible=true").count() == marks.count() == 9
        assert sorted(set(marks.evaluate_all("all => all.map(cell => cell.className)"))) == [
            "aside", "complete", "failed", "none", "old",
        ]  # fmt: skip


def test_a_case_has_its_timeline(shop: Open) -> None:
    with shop("broom") as reader:
        reader.page.get_by_role("link", name="i-00000000000000001").click()
        reader.page.locator(".moves").wait_for()
        moves = reader.page.locator(".moves b").all_inner_texts()
        assert moves == ["waiting", "judged", "acting", "acted", "reported"]
        assert reader.page.locator(".bar-of-day").count() == 14
        assert sorted(reader.cells("Rules", "Cases")) == ["6", "6"]
        assert reader.cells("Principals", "Cases") == ["8", "4"]


def test_the_backtest_shows_what_the_policy_would_have_hit(shop: Open) -> None:
    with shop("backtest") as reader:
        rows = reader.cells("Instances that the policy would have hit", "Instance")
        assert rows == [f"i-{number:017x}" for number in (1, 3, 5)]
        assert reader.cells("By day", "Hit") == ["3"]
        assert "would have hit 3 of 6 instances" in reader.page.locator("main").inner_text()
        assert "Held" not in reader.page.locator("main").inner_text()


def test_the_back_button_returns_to_the_earlier_place(shop: Open) -> None:
    with shop() as reader:
        reader.page.get_by_role("link", name="Overlaps", exact=True).first.click()
        reader.page.get_by_role("link", name="10.0.0.0/16").click()
        reader.page.go_back()
        reader.page.locator(".group").wait_for(state="detached")
        reader.page.go_back()
        reader.page.locator("h1", has_text="Overview").wait_for()
        reader.page.go_forward()
        reader.page.locator("h1", has_text="Overlaps").wait_for()
        assert reader.page.evaluate("location.hash") == "#/overlaps"


def test_a_chosen_theme_is_remembered(shop: Open) -> None:
    with shop(scheme="light") as reader:
        ground = "getComputedStyle(document.body.parentElement).backgroundColor"
        light = reader.page.evaluate(ground)
        reader.page.get_by_label("Theme").select_option("dark")
        dark = reader.page.evaluate(ground)
        assert light != dark
        reader.page.reload()
        assert reader.page.evaluate(ground) == dark
        reader.page.get_by_label("Theme").select_option("system")
        assert reader.page.evaluate(ground) == light
        reader.page.emulate_media(color_scheme="dark")
        reader.page.wait_for_function(f"dark => {ground} === dark", arg=dark)


def test_a_printed_table_has_all_rows_and_a_light_theme(chromium: Browser, shop_file: Path, tmp_path: Path) -> None:
    text = shop_file.read_text(encoding="utf-8")
    head, rest = text.split('id="landkeeper-report">', 1)
    data, tail = rest.split("</script>", 1)
    document = json.loads(data)
    (case, *_) = document["broom"]["cases"]
    document["broom"]["cases"] = [{**case, "instance": f"i-{number:017x}"} for number in range(120)]
    many = tmp_path / "many.html"
    many.write_text(
        f'{head}id="landkeeper-report">{json.dumps(document).replace("<", chr(92) + "u003c")}</script>{tail}',
        encoding="utf-8",
    )
    with reading(chromium, many.as_uri(), "broom", scheme="dark") as reader:
        assert reader.table("Cases").count() == 50
        reader.page.emulate_media(media="print")
        reader.table("Cases").nth(119).wait_for()
        assert (
            reader.page.evaluate("getComputedStyle(document.body.parentElement).backgroundColor")
            == "rgb(255, 255, 255)"
        )
        assert not reader.page.get_by_role("navigation", name="Pages").is_visible()
        assert len(reader.page.pdf()) > 10_000
