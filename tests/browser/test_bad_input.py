"""Reports with little or no content, and reports that the page cannot show: each says so."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from tests.browser.reader import PAGES, Reader, reading
from tests.browser.stores import LAKE, make_vpc

from landkeeper.report.page import PLACEHOLDER
from landkeeper.report.report_input import ReportInput
from landkeeper.vpctracker.answers.listing import Snapshot
from landkeeper.vpctracker.config import TrackerConfig
from landkeeper.vpctracker.inventory import CidrAssociation, StoredVpc
from landkeeper.wiring.report import read_page

_NOW = datetime(2026, 10, 5, 12, tzinfo=UTC)
_Read = Callable[..., AbstractContextManager[Reader]]


def _report_input(*vpcs: StoredVpc) -> ReportInput:
    return ReportInput(Snapshot(vpcs, {}), TrackerConfig(), _NOW, "file landkeeper.db", "0.1.0")


def test_every_page_of_an_empty_store_says_that_it_is_empty(open_report: _Read) -> None:
    with open_report(_report_input()) as reader:
        for name in PAGES[:-1]:
            reader.go(name)
            assert reader.page.locator(".empty, .muted").filter(has_text="o").first.is_visible()
        reader.go("map")
        assert "No VPCs yet" in reader.page.locator("main").inner_text()


def test_one_vpc_has_a_map_and_no_trend(open_report: _Read) -> None:
    stored = StoredVpc(make_vpc(1, LAKE, "10.8.0.0/16"), _NOW, _NOW, 1)
    with open_report(_report_input(stored)) as reader:
        assert reader.page.locator(".figure", has_text="VPCs").first.locator(".value").inner_text() == "1"
        assert reader.page.locator(".no-trend").count() >= 1
        reader.go("map")
        assert reader.page.locator(".side .inside li").count() == 1
        reader.go("connect?a=111122223333&b=111122223333")
        assert "can be peered" not in reader.page.locator("#answer").inner_text()


def test_ipv6_only_vpcs_are_listed_below_a_map_that_says_so(
    chromium: Browser, tmp_path: Path, open_report: _Read
) -> None:
    vpc = make_vpc(1, LAKE, "2600:1f18::/56", cidr_associations=(CidrAssociation("a", "2600:1f18::/56", "associated"),))
    with open_report(_report_input(StoredVpc(vpc, _NOW, _NOW, 1)), "map") as reader:
        assert "IPv6" in reader.page.locator(".empty").first.inner_text()
        assert reader.cells("VPCs with IPv6", "VPC") == [vpc.id]
        reader.page.get_by_label("Search").fill("2600:1f18::/48")
        reader.page.locator(".found li button").click()
        assert vpc.id in reader.page.locator(".vpc").inner_text()


def test_a_newer_document_is_refused_with_an_explanation(chromium: Browser, tmp_path: Path) -> None:
    path = tmp_path / "newer.html"
    data = f'<script type="application/json" id="landkeeper-report">{json.dumps({"version": 2})}</script>'
    path.write_text(read_page().replace(PLACEHOLDER, data), encoding="utf-8")
    with reading(chromium, path.as_uri()) as reader:
        assert reader.page.locator("h1").inner_text() == "This report is newer than its page"
        assert "version 2, this page shows version 1" in reader.page.locator("main").inner_text()


@pytest.mark.parametrize("data", ["", '<script type="application/json" id="landkeeper-report">{"version": 1,</script>'])
def test_a_page_without_a_report_and_a_truncated_page_say_so(chromium: Browser, tmp_path: Path, data: str) -> None:
    path = tmp_path / "page.html"
    path.write_text(read_page().replace(PLACEHOLDER, data), encoding="utf-8")
    with reading(chromium, path.as_uri()) as reader:
        assert reader.page.locator("h1").inner_text() == ("The report is damaged" if data else "No report here")
