"""The report of 10,000 VPCs in 500 accounts: how large it is, and how fast its map is in headless Chromium."""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page
from tests.browser.chromium import launch_chromium

from benchmarks.landscape import make_report_input
from benchmarks.results import write_results
from landkeeper.report.page import render
from landkeeper.report.view import view_report
from landkeeper.wiring.report import read_page

_VPCS, _ACCOUNTS, _CASES = 10_000, 500, 300
_LOADS = 5
_SEARCHES = (
    "10.64.0.0/12",
    "payments-prod-0",
    "320000000067",
    "CC-0042",
    "team-media",
    "vpc-0",
    "eu-west-1",
    "10.9.8.7",
)

_PAINTED = "performance.getEntriesByName('landkeeper-map-painted')"
# From the event to the end of the frame in which the map was painted anew.
_UNTIL_SHOWN = f"""async act => {{
  const begun = performance.now();
  new Function(act)();
  while (!({_PAINTED}[0]?.startTime > begun)) await new Promise(done => requestAnimationFrame(done));
  await new Promise(done => setTimeout(done));
  return performance.now() - begun;
}}"""
_WHEEL = """const canvas = document.querySelector('canvas'), box = canvas.getBoundingClientRect();
canvas.dispatchEvent(new WheelEvent('wheel', {deltaY: %d, clientX: box.left + %d, clientY: box.top + %d,
  bubbles: true, cancelable: true}));"""
_TYPE = """const field = document.querySelector('input[type=search]'); field.value = '%s';
field.dispatchEvent(new Event('input', {bubbles: true}));"""


def _seconds_to_the_map(page: Page, url: str) -> float:
    """Return the seconds from the start of the navigation to the first map on the canvas."""
    page.goto("about:blank")
    page.goto(f"{url}#/map", wait_until="commit")
    page.wait_for_function(f"() => {_PAINTED}.length")
    return float(page.evaluate(f"() => {_PAINTED}[0].startTime")) / 1000


def _milliseconds(page: Page, acts: list[str]) -> list[float]:
    return [float(page.evaluate(_UNTIL_SHOWN, act)) for act in acts]


def _zooms() -> list[str]:
    """Return wheel events that zoom in to a subnet at three places, and out again."""
    places = ((200, 120), (420, 240), (640, 90))
    return [_WHEEL % (delta, x, y) for x, y in places for delta in (*(-300,) * 12, *(300,) * 12)]


def run() -> None:
    """Measure, and write the results to RESULTS.md."""
    report_input = make_report_input(_VPCS, _ACCOUNTS, _CASES)
    begun = time.process_time()
    text = render(view_report(report_input), read_page())
    making = time.process_time() - begun
    with tempfile.TemporaryDirectory() as folder, launch_chromium() as browser:
        if browser is None:
            sys.stdout.write("report: not measured, Chromium is not installed (apt-get install chromium)\n")
            return
        path = Path(folder) / "report.html"
        path.write_text(text, encoding="utf-8")
        page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
        loads = [_seconds_to_the_map(page, path.as_uri()) for _ in range(_LOADS)]
        zooms = _milliseconds(page, _zooms())
        searches = _milliseconds(page, [_TYPE % words for words in _SEARCHES])
    size = len(text.encode()) / 1e6
    write_results(
        "report",
        [
            (f"{_VPCS:,} VPCs in {_ACCOUNTS} accounts: file size (threshold: 6 MB)", f"{size:.2f} MB"),
            ("building the file from values, CPU time", f"{making:.2f} s"),
            (
                f"first map painted in headless Chromium, median of {_LOADS} (threshold: 1.5 s)",
                f"{statistics.median(loads):.2f} s",
            ),
            (f"a mouse-wheel step until painted, median of {len(zooms)} (threshold: 100 ms)", _spread(zooms)),
            (f"a search until its result is shown, median of {len(searches)} (threshold: 100 ms)", _spread(searches)),
        ],
    )


def _spread(values: list[float]) -> str:
    return f"{statistics.median(values):.0f} ms (slowest {max(values):.0f} ms)"
