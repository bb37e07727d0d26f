"""A Chromium of the machine's own, and reports to read in it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

import pytest
from playwright.sync_api import Browser, sync_playwright
from tests.browser.reader import Reader, reading
from tests.browser.stores import write_shop
from tests.waiting import HANG_SECONDS

from landkeeper.report.page import render
from landkeeper.report.report_input import ReportInput
from landkeeper.report.view import view_report
from landkeeper.wiring.report import read_page

_ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
_PATH = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

# One test says that there is none; that all the others would say it too tells nobody more.
collect_ignore_glob = [] if _PATH else ["test_[!c]*.py", "test_connect.py"]


class Open(Protocol):
    """Opens a report in the browser."""

    def __call__(self, place: str = "overview", **context: Any) -> AbstractContextManager[Reader]:
        """At that place, in a window of that width, and so on."""


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """The browser, without a window."""
    if _PATH is None:
        pytest.skip("Chromium is not installed, as apt-get install chromium does")
    with sync_playwright() as playwright, playwright.chromium.launch(
        executable_path=_PATH, args=[*_ARGUMENTS], timeout=1000 * HANG_SECONDS
    ) as browser:  # fmt: skip
        yield browser


@pytest.fixture(scope="package")
def shop_file(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report that the command writes of a store with something of everything, hostile names among it."""
    return write_shop(tmp_path_factory.mktemp("shop"))


@pytest.fixture
def shop(chromium: Browser, shop_file: Path) -> Open:
    """Opens that report."""

    def open_(place: str = "overview", **context: Any) -> AbstractContextManager[Reader]:
        return reading(chromium, shop_file.as_uri(), place, **context)

    return open_


@pytest.fixture
def open_report(chromium: Browser, tmp_path: Path) -> Callable[..., AbstractContextManager[Reader]]:
    """Opens the report of some report_input."""

    def open_(report_input: ReportInput, place: str = "overview", **context: Any) -> AbstractContextManager[Reader]:
        path = tmp_path / "report.html"
        path.write_text(render(view_report(report_input), read_page()), encoding="utf-8")
        return reading(chromium, path.as_uri(), place, **context)

    return open_
