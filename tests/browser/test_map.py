"""The address map: drawing, moving, searching, and what it announces to screen readers."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace

from benchmarks.landscape import make_report_input
from tests.browser.conftest import Open
from tests.browser.reader import Reader

_CANVAS = "canvas"


def test_it_starts_at_the_smallest_block_that_contains_the_vpcs(shop: Open) -> None:
    with shop("map") as reader:
        assert reader.page.locator(".side h2").inner_text() == "10.0.0.0/12"
        reader.hear("10.0.0.0/12: 4 VPC blocks")
        listed = reader.page.locator(".side .inside li").all_inner_texts()
        assert [line.split()[0] for line in listed] == ["10.0.0.0/16", "10.0.128.0/20", "10.1.0.0/16", "10.3.0.0/20"]
        assert "overlap" in listed[1]
        assert "largest free block 10.8.0.0/13" in reader.page.locator(".side").inner_text()


def test_keys_move_zoom_in_and_zoom_out(shop: Open) -> None:
    with shop("map?at=10.0.0.0/16") as reader:
        reader.page.locator(_CANVAS).focus()
        for key, block in (
            ("ArrowRight", "10.1.0.0/16"), ("ArrowDown", "10.5.0.0/16"), ("ArrowLeft", "10.4.0.0/16"),
            ("ArrowUp", "10.0.0.0/16"), ("Enter", "10.0.128.0/20"), ("Escape", "10.0.0.0/16"),
            ("Escape", "10.0.0.0/12"), ("Home", "10.0.0.0/12"),
        ):  # fmt: skip
            reader.page.keyboard.press(key)
            reader.page.locator(".side h2", has_text=block).wait_for()
        reader.arrive("map?at=10.0.0.0/12&space=default")
        assert reader.page.locator(".side h2").inner_text() == "10.0.0.0/12"


def test_wheel_buttons_and_crumbs_change_the_view(shop: Open) -> None:
    with shop("map") as reader:
        reader.settle()
        seen = [reader.painted()]
        reader.page.locator(_CANVAS).hover(position={"x": 80, "y": 60})
        reader.page.mouse.wheel(0, -400)
        reader.settle()
        seen.append(reader.painted())
        reader.page.get_by_role("button", name="Zoom out").click()
        reader.settle()
        seen.append(reader.painted())
        reader.page.get_by_role("button", name="all", exact=True).click()
        reader.settle()
        seen.append(reader.painted())
        assert len(set(seen)) == 4
        reader.hear("0.0.0.0/0: 8 VPC blocks")


def test_a_click_selects_a_block_and_shows_its_vpc(shop: Open) -> None:
    with shop("map?at=10.0.0.0/12") as reader:
        reader.settle()
        box = reader.page.locator(_CANVAS).bounding_box()
        assert box is not None
        reader.page.locator(_CANVAS).hover(position={"x": box["width"] * 0.2, "y": box["height"] * 0.05})
        assert "lake" in reader.page.locator(".tip").inner_text()
        reader.page.locator(_CANVAS).click(position={"x": box["width"] * 0.2, "y": box["height"] * 0.05})
        reader.page.locator(".side h2", has_text="10.0.0.0/16").wait_for()
        detail = reader.page.locator(".vpc").inner_text()
        assert "data-lake (111122223333)" in detail
        assert "2600:1f18:1::/56" in detail
        reader.page.locator("summary").click()
        assert "10.0.1.0/24 subnet-0000000000000001b euw1-az2, 9 free" in reader.page.locator(".vpc").inner_text()


_SEARCHES = {
    "10.0.0.0/8": [1, 3, 4, 5, 7, 8], "10.0.140.7": [1, 4, 7], "2600:1f18:1::/64": [1], "10.0.": [1, 4, 7],
    "444455556666": [4, 5, 6], "DATA-lake": [1, 2, 3], "vpc-00000000000000003": [3], "lake CC-0042": [1],
    "CostCenter=CC-0042": [1], "us-east-1": [6], "nothing like that": [], "10.0.0.0/99": [],
}  # fmt: skip


def test_search_finds_by_block_account_id_name_and_tag(shop: Open) -> None:
    with shop("map") as reader:
        for query, found in _SEARCHES.items():
            reader.page.get_by_label("Search").fill(query)
            reader.page.get_by_role("status").filter(has_text=f"{len(found)} VPCs found").wait_for(state="attached")
            ids = reader.page.locator(".found .id").all_inner_texts()
            assert sorted(int(id_.removeprefix("vpc-"), 16) for id_ in ids) == found, query


def test_matches_of_a_search_are_highlighted_and_a_click_away(shop: Open) -> None:
    with shop("map") as reader:
        before = reader.painted()
        reader.page.get_by_label("Search").fill("CC-0042")
        reader.page.locator(".found li button").wait_for()
        assert reader.painted() != before
        reader.page.locator(".found li button").click()
        reader.page.locator(".side").get_by_role("link", name="vpc-00000000000000001").wait_for()
        reader.arrive("map?q=CC-0042&vpc=vpc-00000000000000001")


def test_enter_goes_to_the_block_or_to_the_first_match(shop: Open) -> None:
    with shop("map") as reader:
        for query, place in (("10.3.0.0/20", "at=10.3.0.0/20&space=default"), ("plant", "vpc=vpc-00000000000000008")):
            reader.page.get_by_label("Search").fill(query)
            reader.page.get_by_label("Search").press("Enter")
            reader.page.wait_for_function("place => location.hash.endsWith(place)", arg=place)
        reader.page.locator(".side").get_by_role("link", name="vpc-00000000000000008").wait_for()
        assert reader.page.get_by_label("Search").input_value() == "plant"


def test_colours_and_spaces_can_be_changed(shop: Open) -> None:
    with shop("map") as reader:
        seen = {reader.painted()}
        for colouring in ("unit", "used"):
            reader.page.get_by_label("Colour by").select_option(colouring)
            seen.add(reader.painted())
        assert len(seen) == 3
        assert "50 % in use" in reader.page.locator(".legend").inner_text()
        reader.page.get_by_label("Space").select_option("plants")
        assert reader.page.locator(".side .inside").inner_text().count("plant") == 3


def test_pools_reservations_and_ipv6_are_listed_below(shop: Open) -> None:
    with shop("map") as reader:
        assert reader.cells("Pools", "Pool") == ["company", "shops"]
        assert reader.cells("Reservations", "State") == ["pool inside", "reserved"]
        assert reader.cells("VPCs with IPv6", "IPv6") == ["2600:1f18:1::/56"]


def test_thousands_of_vpcs_are_all_found(open_report: Callable[..., AbstractContextManager[Reader]]) -> None:
    report_input = make_report_input(vpcs=2_000, accounts=100, cases=10)
    with open_report(replace(report_input, ledger=None), "map") as reader:
        live = sum(stored.is_live for stored in report_input.known.vpcs)
        reader.page.get_by_label("Search").fill("0.0.0.0/0")
        reader.page.get_by_text(f"{live:,} VPCs found").wait_for()
        reader.go("connect?a=320000000067&b=320000000015")
        reader.page.locator(".matrix canvas").focus()
        reader.page.keyboard.press("ArrowDown")
        assert "pairs of VPCs can be peered" in reader.page.locator(".matrix .summary").inner_text()
        reader.go("broom")
        assert "no Broom ledger" in reader.page.locator("main").inner_text()
