"""`python -m tests.browser.picture` writes the README's picture of the address map, as `make picture` does."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser
from tests.browser.chromium import launch_chromium
from tests.browser.reader import reading
from tests.browser.sample import make_sample

from landkeeper.report.page import render
from landkeeper.report.view import view_report
from landkeeper.wiring.report import read_page

PICTURE = Path(__file__).parents[2] / "docs/images/address-map.png"
PLACE = "map?at=10.0.0.0/8"


def write_picture(browser: Browser, out: Path) -> None:
    """Write the sample's address map, in a window of 1440 by 900 pixels, as a PNG file."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.html")
        report.write_text(render(view_report(make_sample()), read_page()), encoding="utf-8")
        with reading(browser, report.as_uri(), PLACE) as reader:
            reader.settle()
            reader.page.screenshot(path=out)


def main() -> int:
    """Write the picture. Return 2 where there is no Chromium."""
    with launch_chromium() as browser:
        if browser is None:
            print("picture: Chromium is not installed: apt-get install chromium", file=sys.stderr)  # noqa: T201
            return 2
        write_picture(browser, PICTURE)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
