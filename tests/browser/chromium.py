"""The machine's own Chromium, without a window."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright
from tests.waiting import HANG_SECONDS

PATH = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
"""None where it is not installed."""
_ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


@contextmanager
def launch_chromium() -> Iterator[Browser | None]:
    """Start the browser and end it afterwards. None where it is not installed."""
    if PATH is None:
        yield None
        return
    with sync_playwright() as playwright, playwright.chromium.launch(
        executable_path=PATH, args=[*_ARGUMENTS], timeout=1000 * HANG_SECONDS
    ) as browser:  # fmt: skip
        yield browser
