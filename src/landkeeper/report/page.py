"""The page: one file of markup, style and script, into which the document is put as data."""

from __future__ import annotations

from landkeeper.org import LandkeeperError
from landkeeper.report.document import Document, write_document

PLACEHOLDER = "<!--landkeeper-report-->"
"""Where the page takes the document."""

_ESCAPES = {ord(character): f"\\u{ord(character):04x}" for character in "<>&"}
_ALONE, _WITH_SERVER = "connect-src 'none'", "connect-src 'self'"


class PageError(LandkeeperError):
    """The page that came with Landkeeper is not there, or not a page."""


def render(document: Document, page: str) -> str:
    """The page with the document in it, as one file that asks nobody for anything.

    Nothing in the document can end the element that it is in, or begin another one. Raises PageError for a page that
    has no single place for it.
    """
    before, after = _halves(page)
    return f"{before}{_data_element(write_document(document))}{after}"


def render_served(document: Document, page: str, polled_seconds: int) -> str:
    """The same for a page that is served: it may ask its server, and does so for the document every so often."""
    before, after = _halves(page)
    told = f'<meta name="landkeeper-serve" content="{polled_seconds}">'
    allowed = before.replace(_ALONE, _WITH_SERVER, 1)
    return f"{allowed}{told}{_data_element(write_document(document))}{after}"


def _halves(page: str) -> list[str]:
    halves = page.split(PLACEHOLDER)
    if len(halves) != 2:
        raise PageError(f"the page of the report has {PLACEHOLDER} {len(halves) - 1} times: expected it once")
    return halves


def _data_element(json_text: str) -> str:
    """The element that carries JSON in ASCII, whose strings hold no character of markup any more.

    Source: HTML Standard, "Restrictions for contents of script elements".
    """
    return f'<script type="application/json" id="landkeeper-report">{json_text.translate(_ESCAPES)}</script>'
