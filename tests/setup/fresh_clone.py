"""A fresh clone of the project on a machine that has never seen it: a HOME and caches of its own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_HANGS = 900
"""Seconds that only a set-up that hangs takes."""


@dataclass(slots=True)
class Clone:
    """A checkout, and the environment that its commands run in."""

    folder: Path
    environment: dict[str, str]

    def setup(self, **more: str) -> subprocess.CompletedProcess[str]:
        """`make setup`, with more variables."""
        return self.run("make", "--no-print-directory", "setup", more=more)

    def run(self, *command: str, more: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command in the checkout."""
        return subprocess.run(
            command, cwd=self.folder, env={**self.environment, **(more or {})}, text=True, capture_output=True,
            check=False, timeout=_HANGS,
        )  # fmt: skip

    def kill_setup_while_it_installs(self) -> None:
        """Start `make setup` and end it with all its processes, without notice, once packages are being installed."""
        process = subprocess.Popen(
            ["make", "setup"], cwd=self.folder, env=self.environment, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        packages = self.folder / ".venv" / "bin" / "uv"
        deadline = time.monotonic() + _HANGS
        while not packages.exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def versions(self) -> list[str]:
        """What is installed in the environment, as `name==version`."""
        listed = self.run(".venv/bin/uv", "pip", "freeze", "--python", ".venv/bin/python")
        assert listed.returncode == 0, listed.stderr
        return listed.stdout.split()

    def copied_to(self, folder: Path) -> Clone:
        """The checkout without its environment, elsewhere, with the same HOME."""
        shutil.copytree(self.folder, folder, ignore=shutil.ignore_patterns(".venv"))
        return Clone(folder, self.environment)


def clone(folder: Path, home: Path, *, find_links: Path | None = None) -> Clone:
    """The files of this project that git knows of, as they are now, for somebody whose HOME has nothing in it."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True).stdout
    for name in filter(None, listed.split("\0")):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).exists():
            shutil.copy2(ROOT / name, target)
    home.mkdir(parents=True)
    left_out = (
        "LANDKEEPER_",
        "COV_",
        "COVERAGE_",
        "PYTEST_",
        "XDG_",
        "UV_",
        "VIRTUAL_ENV",
        "PYTHON",
        "MAKE",
        "MFLAGS",
        "VENV",
    )
    kept = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    links = {"PIP_FIND_LINKS": find_links.as_uri(), "UV_FIND_LINKS": find_links.as_uri()} if find_links else {}
    return Clone(folder, {**kept, "HOME": str(home), "PIP_DEFAULT_TIMEOUT": "60", **links})
