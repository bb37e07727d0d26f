"""Fixtures: the machine's Chromium, and reports opened in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

import pytest
from playwright.sync_api import Browser
from tests.browser.chromium import PATH, launch_chromium
from tests.browser.reader import Reader, reading
from tests.browser.stores import write_shop

from landkeeper.report.page import render
from landkeeper.report.report_input import ReportInput
from landkeeper.report.view import view_report
from landkeeper.wiring.report import read_page

# Where there is no Chromium, one skipped test says so for all.
collect_ignore_glob = [] if PATH else ["test_[!c]*.py", "test_connect.py"]


class Open(Protocol):
    """Opens a report in the browser."""

    def __call__(self, place: str = "overview", **context: Any) -> AbstractContextManager[Reader]:
        """Open it at a place, in a context with these options."""


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """Start the browser, without a window."""
    with launch_chromium() as browser:
        if browser is None:
            pytest.skip("Chromium is not installed, as apt-get install chromium does")
        yield browser


@pytest.fixture(scope="package")
def shop_file(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the report that the command writes of a store with every kind of content, hostile names included."""
    return write_shop(tmp_path_factory.mktemp("shop"))


@pytest.fixture
def shop(chromium: Browser, shop_file: Path) -> Open:
    """Return a function that opens that report."""

    def open_(place: str = "overview", **context: Any) -> AbstractContextManager[Reader]:
        return reading(chromium, shop_file.as_uri(), place, **context)

    return open_


@pytest.fixture
def open_report(chromium: Browser, tmp_path: Path) -> Callable[..., AbstractContextManager[Reader]]:
    """Return a function that opens the report of an input."""

    def open_(report_input: ReportInput, place: str = "overview", **context: Any) -> AbstractContextManager[Reader]:
        path = tmp_path / "report.html"
        path.write_text(render(view_report(report_input), read_page()), encoding="utf-8")
        return reading(chromium, path.as_uri(), place, **context)

    return open_
