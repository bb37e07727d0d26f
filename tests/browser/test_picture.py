"""The README's picture of the address map."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser
from tests.browser.picture import PICTURE, write_picture

_PNG_HEADER = b"\x89PNG\r\n\x1a\n"


def test_the_command_draws_the_picture_in_the_size_of_the_committed_one(chromium: Browser, tmp_path: Path) -> None:
    out = tmp_path / "address-map.png"
    write_picture(chromium, out)
    drawn, kept = out.read_bytes(), PICTURE.read_bytes()
    assert drawn.startswith(_PNG_HEADER)
    assert len(drawn) > 50_000
    # Width and height are the first two fields of the header (PNG specification, "IHDR Image header").
    assert drawn[16:24] == kept[16:24]
