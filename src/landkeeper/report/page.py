"""The page: one file with markup, style and script, and the document in it as data."""

from __future__ import annotations

from landkeeper.org import LandkeeperError
from landkeeper.report.document import Document, write_document

PLACEHOLDER = "<!--landkeeper-report-->"
"""The place in the page where the document goes."""

_ESCAPES = {ord(character): f"\\u{ord(character):04x}" for character in "<>&"}
_ALONE, _WITH_SERVER = "connect-src 'none'", "connect-src 'self'"


class PageError(LandkeeperError):
    """The page that comes with Landkeeper is missing or damaged."""


def render(document: Document, page: str) -> str:
    """Return the page with the document in it, as one file that sends no requests.

    Nothing in the document can close its element or open another. Raises PageError unless the page has exactly one
    placeholder.
    """
    before, after = _halves(page)
    return f"{before}{_data_element(write_document(document))}{after}"


def render_served(document: Document, page: str, polled_seconds: int) -> str:
    """Return the page for `landkeeper serve`: it requests the document from its server every `polled_seconds`."""
    before, after = _halves(page)
    meta = f'<meta name="landkeeper-serve" content="{polled_seconds}">'
    allowed = before.replace(_ALONE, _WITH_SERVER, 1)
    return f"{allowed}{meta}{_data_element(write_document(document))}{after}"


def _halves(page: str) -> list[str]:
    halves = page.split(PLACEHOLDER)
    if len(halves) != 2:
        raise PageError(f"the report's page contains {PLACEHOLDER} {len(halves) - 1} times instead of once")
    return halves


def _data_element(json_text: str) -> str:
    """Return a script element with the ASCII JSON, in which every markup character is escaped.

    Source: HTML Standard, "Restrictions for contents of script elements".
    """
    return f'<script type="application/json" id="landkeeper-report">{json_text.translate(_ESCAPES)}</script>'
