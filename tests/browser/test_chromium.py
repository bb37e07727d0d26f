"""The browser in which the other tests of this folder read reports."""

from __future__ import annotations

from playwright.sync_api import Browser


def test_a_browser_of_this_machine_is_there(chromium: Browser) -> None:
    major = int(chromium.version.partition(".")[0])
    assert major >= 120
