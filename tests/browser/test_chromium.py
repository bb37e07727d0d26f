"""The browser in which the other tests of this folder read reports."""

from __future__ import annotations

from playwright.sync_api import Browser


def test_the_machine_has_a_current_browser(chromium: Browser) -> None:
    major = int(chromium.version.partition(".")[0])
    assert major >= 120
