"""`make setup` in a fresh clone with a fresh HOME, a month after the pins were written, and where things are wrong.

Run by `make try-setup`: it fetches every package once, and takes minutes.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from tests.setup.fresh_clone import ROOT, Clone, clone
from tests.setup.newer_releases import VERSION, write_newer_releases

pytestmark = [pytest.mark.setup, pytest.mark.timeout(1800)]

NO_NETWORK = dict.fromkeys(
    ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"), "http://127.0.0.1:9"
)
"""Every address lies behind a proxy that is not there."""


@pytest.fixture(scope="module")
def newer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a newer release of every pinned package."""
    folder = tmp_path_factory.mktemp("index") / "newer"
    names = write_newer_releases(ROOT / "requirements" / "all.txt", folder)
    assert len(names) > 100
    return folder


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, newer: Path) -> Clone:
    """A clone that was set up from cold caches, with newer releases at hand, in a folder with a space in its name."""
    base = tmp_path_factory.mktemp("fresh")
    fresh = clone(base / "my projects" / "landkeeper", base / "home", find_links=newer)
    done = fresh.setup()
    assert done.returncode == 0, done.stderr + done.stdout
    return fresh


@pytest.fixture
def bare(tmp_path: Path, newer: Path) -> Clone:
    """A clone that nobody has set up, with caches that are cold."""
    return clone(tmp_path / "landkeeper", tmp_path / "home", find_links=newer)


def _works(fresh: Clone) -> bool:
    return fresh.run(".venv/bin/landkeeper", "--version").stdout.startswith("landkeeper ")


def _one_line(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 2
    (line,) = [line for line in done.stderr.splitlines() if not line.startswith("make")]
    return line


def test_newer_releases_change_nothing(made: Clone) -> None:
    assert _works(made)
    versions = made.versions()
    assert len(versions) > 100
    assert [line for line in versions if line.endswith(f"=={VERSION}")] == []


def test_the_second_run_finds_nothing_to_do(made: Clone) -> None:
    done = made.setup()
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_it_works_without_a_network_once_the_caches_are_warm(made: Clone, tmp_path: Path) -> None:
    other = made.copied_to(tmp_path / "landkeeper")
    done = other.setup(**NO_NETWORK)
    assert done.returncode == 0, done.stderr
    assert _works(other)


def test_after_a_kill_in_the_middle_the_next_run_starts_over(made: Clone, tmp_path: Path) -> None:
    other = made.copied_to(tmp_path / "landkeeper")
    other.kill_setup_while_it_installs()
    assert (other.folder / ".venv").exists()
    done = other.setup()
    assert done.returncode == 0, done.stderr
    assert "an earlier set-up did not finish" in done.stdout
    assert _works(other)


def test_another_environment_may_lie_deeper(made: Clone, tmp_path: Path) -> None:
    other = made.copied_to(tmp_path / "landkeeper")
    done = other.run("make", "setup", "VENV=build/venvs/other")
    assert done.returncode == 0, done.stderr
    assert other.run("build/venvs/other/bin/landkeeper", "--version").returncode == 0


def test_a_moved_environment_is_made_anew(made: Clone, tmp_path: Path) -> None:
    shutil.copytree(made.folder, tmp_path / "moved", symlinks=True)
    moved = Clone(tmp_path / "moved", made.environment)
    done = moved.setup()
    assert done.returncode == 0, done.stderr
    assert f"it was made in another folder, {made.folder}/.venv" in done.stdout
    assert _works(moved)


def test_pip_alone_does_as_well(made: Clone, tmp_path: Path) -> None:
    """Where the index has no build of uv for the machine, pip installs the same pins."""
    other = made.copied_to(tmp_path / "landkeeper")
    cache = Path(other.environment["HOME"]) / ".cache" / "landkeeper"
    shutil.rmtree(cache)
    done = other.setup(LANDKEEPER_SETUP_INSTALLER="pip")
    assert done.returncode == 0, done.stderr
    assert "with pip" in done.stdout
    assert _works(other)
    assert [line for line in other.versions() if line.endswith(f"=={VERSION}")] == []


def test_changed_pins_bring_the_environment_up_to_date(made: Clone, tmp_path: Path) -> None:
    other = made.copied_to(tmp_path / "landkeeper")
    pins = other.folder / "requirements" / "all.txt"
    whole = pins.read_text()
    # The set-up of a day on which nobody had pinned a package that nothing else here needs.
    pins.write_text(re.sub(r"(?ms)^python-hcl2==.*?(?=^\S)", "", whole, count=1))
    assert other.setup().returncode == 0
    assert not any(line.startswith("python-hcl2==") for line in other.versions())
    pins.write_text(whole)
    done = other.setup()
    assert done.returncode == 0, done.stderr
    assert "updating .venv" in done.stdout
    assert any(line.startswith("python-hcl2==") for line in other.versions())


def test_a_hash_that_does_not_match_is_named_and_mending_it_is_enough(made: Clone, tmp_path: Path) -> None:
    other = made.copied_to(tmp_path / "landkeeper")
    pins = other.folder / "requirements" / "all.txt"
    whole = pins.read_text()
    pins.write_text(re.sub(r"sha256:[0-9a-f]{8}", "sha256:00000000", whole))
    assert "its hash differs" in _one_line(other.setup())
    pins.write_text(whole)
    assert other.setup().returncode == 0
    assert _works(other)


def test_no_network_and_cold_caches(bare: Clone) -> None:
    line = _one_line(bare.setup(**NO_NETWORK))
    assert line.startswith("setup: the package index does not answer. Check the network, or name a mirror")


class _Broken(BaseHTTPRequestHandler):
    """A mirror that answers everything with the status that its address begins with, as in `/503/simple/`."""

    def do_GET(self) -> None:
        self.send_response(int(self.path.split("/")[1]))
        self.end_headers()

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def mirror() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Broken)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("status", "says"),
    [("503", "the package index does not answer"), ("404", "the package index lacks a pinned package")],
)
def test_a_broken_mirror(made: Clone, tmp_path: Path, mirror: str, status: str, says: str) -> None:
    """The installer is in the cache; what it installs is asked of the mirror that pip is set to."""
    other = made.copied_to(tmp_path / "landkeeper")
    settings = {"UV_CACHE_DIR": str(tmp_path / "cold"), "UV_HTTP_RETRIES": "0", "PIP_CONFIG_FILE": os.devnull}
    line = _one_line(other.setup(PIP_INDEX_URL=f"{mirror}/{status}/simple", **settings))
    assert line.startswith(f"setup: {says}")
    assert line.endswith("then run the same command again. .venv/setup.log has the whole message")


def test_a_python_that_is_too_old(bare: Clone, tmp_path: Path) -> None:
    old = tmp_path / "python3.9"
    old.write_text(
        f'#!/bin/sh\n[ "$1" = --version ] && echo "Python 3.9.18" && exit\n'
        f'[ -z "$2" ] && exit\nexec {sys.executable} -c "import sys; sys.version_info = (3, 9, 18); $2"\n'
    )
    old.chmod(0o755)
    line = _one_line(bare.setup(PYTHON=str(old)))
    assert line == (
        f"setup: {old} is Python 3.9.18, and Landkeeper needs 3.11 to 3.13: install Python 3.11, 3.12 or 3.13, "
        "or name one: make setup PYTHON=/path/to/python3.12"
    )


def test_a_python_that_is_not_there(bare: Clone) -> None:
    assert _one_line(bare.setup(PYTHON="python3.99")).startswith("setup: 'python3.99' does not run: install Python")


def test_a_folder_that_is_no_environment_is_left_alone(bare: Clone) -> None:
    (bare.folder / ".venv").mkdir()
    (bare.folder / ".venv" / "thesis.txt").write_text("all of it")
    assert "is not a virtual environment: move it away" in _one_line(bare.setup())
    assert (bare.folder / ".venv" / "thesis.txt").read_text() == "all of it"


def test_a_read_only_folder(bare: Clone) -> None:
    """A mount that is read-only stops root as well, in a mount namespace of its own."""
    try_it = ["unshare", "--mount", "true"]
    if shutil.which("unshare") is None or subprocess.run(try_it, capture_output=True, check=False).returncode:
        pytest.skip("no mount namespaces here")
    script = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && cd "$0" && make --no-print-directory setup'
    line = _one_line(bare.run("unshare", "--mount", "sh", "-c", script, str(bare.folder)))
    assert line.startswith(f"setup: {bare.folder} cannot be written (Read-only file system). Copy the project to")
