"""The tutorial, run as a reader runs it: every command in its order, in one shell."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.docs.pages import ROOT, fenced
from tests.waiting import HANG_SECONDS, wait_until

PAGE = ROOT / "docs" / "tutorial.md"
SET_UP = 'make setup\nexport PATH="$PWD/.venv/bin:$PATH"\n'
"""The one block that is not run here: `tests/setup` runs `make setup`, and the command of this environment is used."""

pytestmark = pytest.mark.embedded


def _environment(folder: Path) -> dict[str, str]:
    """Return an environment that leads to no AWS, in which the command is on the path and all files go to `folder`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "LANDKEEPER_", "XDG_"))}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**kept, "PATH": path, "HOME": str(folder), "TMPDIR": str(folder), "COLUMNS": "100"}


def _left_up(story: str) -> list[int]:
    """Return the processes that the demo says it left up."""
    return [int(number) for told in re.findall(r"^  kill ([0-9 ]+);", story, re.MULTILINE) for number in told.split()]


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[subprocess.CompletedProcess[str], Path]]:
    """The shell in which all blocks ran, and its folder."""
    folder = tmp_path_factory.mktemp("tutorial")
    (folder / "examples").symlink_to(ROOT / "examples")
    set_up, *blocks = fenced(PAGE.read_text(encoding="utf-8"), "sh", "console")
    assert set_up == SET_UP
    # The last block removes what the others wrote, so what there was is listed before it.
    script = "".join([*blocks[:-1], "find . -type f -size +0\n", *blocks[-1:]])
    try:
        yield (
            subprocess.run(
                ["bash", "-e", "-u", "-o", "pipefail", "-c", script],
                cwd=folder, env=_environment(folder), capture_output=True, text=True, check=False, timeout=HANG_SECONDS,
            ),
            folder,
        )  # fmt: skip
    finally:
        # The story is there only if the last block did not run.
        story = folder / "build" / "tutorial" / "demo.txt"
        for process_id in _left_up(story.read_text(encoding="utf-8")) if story.exists() else ():
            os.kill(process_id, signal.SIGTERM)


def test_every_command_works(shell: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    run, _ = shell
    assert run.returncode == 0, run.stderr
    assert "exit code 3" in run.stdout.splitlines()


def test_the_answers_contain_what_the_tutorial_shows(shell: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    lines = [line.split() for line in shell[0].stdout.splitlines()]
    rows = re.findall(r"^\| ([i\d].*) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(rows) == 7
    for row in rows:
        cells = row.split(" | ")
        assert any(all(cell in line for cell in cells) for line in lines), row


def test_it_writes_the_files_that_it_names(shell: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    listed = shell[0].stdout.splitlines()
    for name in ("landkeeper.db", "backtest.json", "report.html", "landkeeper-demo.html"):
        assert f"./{name}" in listed


def test_it_leaves_nothing_behind(shell: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    run, folder = shell
    stopped = _left_up(run.stdout)
    assert len(stopped) == 2
    wait_until(lambda: not any(Path(f"/proc/{number}").exists() for number in stopped))
    assert not (folder / "build" / "tutorial").exists()
    assert not list(folder.glob("landkeeper-*"))
