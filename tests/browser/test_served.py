"""The page of `landkeeper serve`: it follows the store and keeps the reader's place."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from playwright.sync_api import Browser
from tests.browser.reader import reading
from tests.browser.stores import LAKE, make_vpc

from landkeeper.cli.report_server import ReportServer, Snapshots
from landkeeper.org import UsageError
from landkeeper.report.document import Document
from landkeeper.report.report_input import ReportInput
from landkeeper.report.view import view_report
from landkeeper.vpctracker.answers.listing import Snapshot
from landkeeper.vpctracker.config import TrackerConfig
from landkeeper.vpctracker.inventory import StoredVpc
from landkeeper.wiring.report import read_page

_POLL_MS = 31_000


@dataclass(slots=True)
class _Store:
    vpcs: int = 1
    is_broken: bool = False

    def read(self) -> Document:
        if self.is_broken:
            raise UsageError("there is no file 'landkeeper.db'")
        now = datetime(2026, 10, 5, 12, self.vpcs, tzinfo=UTC)
        vpcs = tuple(
            StoredVpc(make_vpc(number, LAKE, f"10.{number}.0.0/16"), now, now, 1) for number in range(self.vpcs)
        )
        return view_report(ReportInput(Snapshot(vpcs, {}), TrackerConfig(), now, "file landkeeper.db", "0.1.0"))


@contextmanager
def _serving(store: _Store) -> Iterator[str]:
    snapshots = Snapshots(store.read, read_page(), lambda _: None, fresh_seconds=0)
    with ReportServer(0, snapshots) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server.url
        finally:
            server.shutdown()
            thread.join()


def test_a_change_in_the_store_appears_and_the_reader_keeps_their_place(chromium: Browser) -> None:
    store = _Store()
    with _serving(store) as url, reading(chromium, url, "map?at=10.0.0.0/8") as reader:
        reader.page.clock.install()
        reader.page.reload()
        reader.hear("10.0.0.0/8: 1 VPC blocks")
        store.vpcs = 3
        reader.page.clock.fast_forward(_POLL_MS)
        reader.page.locator(".side [role=status]", has_text="10.0.0.0/8: 3 VPC blocks").wait_for(state="attached")
        reader.arrive("map?at=10.0.0.0/8")
        assert reader.page.locator(".side .inside li").count() == 3


def test_a_failing_store_is_reported_and_the_last_data_stays(chromium: Browser) -> None:
    store = _Store()
    with _serving(store) as url, reading(chromium, url, "map") as reader:
        reader.page.clock.install()
        reader.page.reload()
        store.is_broken = True
        reader.page.clock.fast_forward(_POLL_MS)
        reader.page.locator(".notice", has_text="there is no file 'landkeeper.db'").wait_for()
        assert reader.page.locator(".side .inside li").count() == 1
        # The browser itself writes a line for the 503.
        reader.troubles = [trouble for trouble in reader.troubles if "503" not in trouble]
        store.is_broken, store.vpcs = False, 2
        reader.page.clock.fast_forward(_POLL_MS)
        reader.page.locator(".notice", has_text="there is no file").wait_for(state="detached")
        assert reader.page.locator(".side .inside li").count() == 2
