"""A newer and useless release of every pinned package, as a folder of wheels: what an index has a month later."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

VERSION = "9999"


def write_newer_releases(pins: Path, folder: Path) -> list[str]:
    """Write a wheel of version 9999, with nothing in it, for every package in the pins; their names."""
    names = re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==", pins.read_text(encoding="utf-8"), re.MULTILINE)
    folder.mkdir(parents=True)
    for name in names:
        stem = f"{re.sub(r'[-_.]+', '_', name).lower()}-{VERSION}"
        info = f"{stem}.dist-info"
        with zipfile.ZipFile(folder / f"{stem}-py3-none-any.whl", "w") as wheel:
            wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {VERSION}\n")
            wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"{info}/RECORD", f"{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
    return names
