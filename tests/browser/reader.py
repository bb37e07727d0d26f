"""A reader of a report in a browser, and the errors that occur meanwhile."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Browser, Locator, Page, Route
from tests.waiting import HANG_SECONDS

SCREENSHOTS = Path("build/screenshots")
PAGES = ("overview", "map", "overlaps", "connect", "defaults", "coverage", "broom", "backtest")
Scheme = Literal["light", "dark"]

_AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")


@dataclass(slots=True)
class Reader:
    """An open page, and what a reader does on it."""

    page: Page
    url: str
    troubles: list[str] = field(default_factory=list)
    """Console errors, exceptions, and requests to other addresses."""

    def go(self, place: str) -> None:
        """Follow a link within the report, as in `map?at=10.0.0.0/8`."""
        self.page.evaluate("place => { location.hash = '#/' + place }", place)
        self.page.locator(f"main.page-{place.partition('?')[0]}").wait_for()

    def arrive(self, place: str) -> None:
        """Wait until the page's address is this place."""
        self.page.wait_for_function("place => location.hash === place", arg=f"#/{place}")

    def table(self, caption: str) -> Locator:
        """Return the rows of the table with that caption."""
        table = self.page.get_by_role("table", name=caption, exact=True)
        table.wait_for()
        return table.locator("tbody tr")

    def cells(self, caption: str, column: str) -> list[str]:
        """Return the texts in a column of the table with that caption, from the top."""
        table = self.page.get_by_role("table", name=caption, exact=True)
        table.wait_for()
        heads = [re.sub(r"[▲▼]", "", text).strip() for text in table.locator("thead th").all_inner_texts()]
        return table.locator(f"tbody td:nth-child({heads.index(column) + 1})").all_inner_texts()

    def hear(self, words: str) -> None:
        """Wait until the map announces this to screen readers."""
        self.page.locator(".side [role=status]").filter(has_text=words).wait_for(state="attached")

    def painted(self) -> str:
        """Return the content of the map's canvas, to compare it."""
        self.page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        return str(self.page.evaluate("() => document.querySelector('canvas').toDataURL()"))

    def settle(self) -> None:
        """Wait until the map no longer moves."""
        before = ""
        while before != (now := self.painted()):
            before = now
            self.page.wait_for_timeout(60)

    def accessibility_faults(self, *rules: str) -> list[str]:
        """Return the serious and critical faults that axe-core finds by these rules, or by all, a line for each."""
        if not self.page.evaluate("() => 'axe' in window"):
            self.page.evaluate(_AXE)
        found: dict[str, Any] = self.page.evaluate(
            "rules => axe.run(document, {resultTypes: ['violations'], ...(rules.length ? {runOnly: rules} : {})})",
            list(rules),
        )
        return [
            f"{fault['id']}: {node['target']} {node['failureSummary']}"
            for fault in found["violations"]
            if fault["impact"] in {"serious", "critical"}
            for node in fault["nodes"]
        ]

    def shoot(self, name: str) -> None:
        """Save a screenshot."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)


@contextmanager
def reading(
    browser: Browser, url: str, place: str = "overview", *, scheme: Scheme = "light", width: int = 1440, **context: Any
) -> Iterator[Reader]:
    """Open a report; block all requests but its own, and fail at the end if there was any trouble."""
    origin = url if url.startswith("file:") else url.rstrip("/") + "/"
    with browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce", **context
    ) as tab:
        tab.set_default_timeout(1000 * HANG_SECONDS)
        reader = Reader(tab.new_page(), url)

        def guard(route: Route) -> None:
            if route.request.url.startswith(origin):
                route.continue_()
            else:
                reader.troubles.append(f"request to {route.request.url}")
                route.abort()

        tab.route("**/*", guard)
        reader.page.on("pageerror", lambda error: reader.troubles.append(f"error: {error}"))
        reader.page.on(
            "console",
            lambda said: reader.troubles.append(said.text) if said.type in {"error", "warning"} else None,
        )
        reader.page.goto(f"{url}#/{place}")
        reader.page.locator("h1").wait_for()
        yield reader
        assert reader.troubles == []
