"""The backtest on public CloudTrail logs, where they lie beside the project: each launch of the index, once."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
CORPORA = (ROOT / ".." / "shared" / "corpora").resolve()
FOLDERS = ("cloudtrail-logs", "cloudtrail-records")
EVERYTHING = "version: 1\nrules:\n  - {name: never, require: {all: [{tag: a}, {not: {tag: a}}]}, action: terminate}\n"

pytestmark = [
    pytest.mark.corpora,
    pytest.mark.skipif(not CORPORA.is_dir(), reason="the corpora of public logs are not beside the project"),
]


def run_backtest(tmp_path: Path, *, without_fast: bool = False) -> tuple[int, Any]:
    """The answer of a policy that nothing can comply with, at once."""
    policy = tmp_path / "never.yaml"
    policy.write_text(EVERYTHING + "confirm_after: 0s\n")
    environment = {name: text for name, text in os.environ.items() if not name.startswith(("AWS_", "LANDKEEPER_"))}
    environment["XDG_CACHE_HOME"] = str(tmp_path / f"cache-{without_fast}")
    # A module that is None cannot be imported: the extra `fast` is as if it were not there.
    hidden = "import sys; sys.modules['deflate'] = None; " if without_fast else "import sys; "
    code = f"{hidden}from landkeeper.cli import run; sys.exit(run(sys.argv[1:]))"
    folders = [str(CORPORA / folder) for folder in FOLDERS]
    done = subprocess.run(
        [sys.executable, "-c", code, "broom", "backtest", *folders, "--policy", str(policy), "--format", "json"],
        capture_output=True, text=True, check=False, env=environment,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    answer = json.loads(done.stdout)
    # Two runs read the logs at two times.
    del answer["read_at"]
    return done.returncode, answer


def test_each_launch_of_the_index_is_hit_once_with_the_extra_and_without(tmp_path: Path) -> None:
    with (CORPORA / "INDEX-runinstances.tsv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if row["errorCode"] == "None"]
    expected = {id_ for row in rows for id_ in row["instanceIds"].split(",")}
    assert expected
    code, answer = run_backtest(tmp_path)
    assert code == 3
    assert {each["InstanceId"] for each in answer["instances"]} == expected
    assert {each["EventId"] for each in answer["instances"]} <= {row["eventID"] for row in rows}
    # What is hit is in a file that the index names, and no file is left out.
    files = {row["file"] for row in rows}
    assert {Path(each["Source"]).relative_to(CORPORA).as_posix() for each in answer["instances"]} <= files
    there = sum(file.is_file() for folder in FOLDERS for file in (CORPORA / folder).rglob("*"))
    assert answer["totals"]["files"] + len(answer["skipped"]) == there
    assert run_backtest(tmp_path, without_fast=True) == (code, answer)
    again = run_backtest(tmp_path)[1]
    assert again["totals"].pop("files_kept") == answer["totals"]["files"]
    assert answer["totals"].pop("files_kept") == 0
    assert again == answer
