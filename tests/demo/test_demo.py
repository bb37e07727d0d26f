"""`landkeeper demo`, as a person runs it: the whole of it, on simulators of its own."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.waiting import HANG_SECONDS, wait_until

_STATE_OF_CASE = """
import boto3, sys
case = boto3.client("dynamodb").get_item(TableName="BroomLedger", Key={"InstanceId": {"S": sys.argv[1]}})["Item"]
print(case["State"]["S"])
"""

_STORY_AND_JSON = """
import sys
from contextlib import redirect_stdout
from landkeeper.cli import run
from landkeeper.cli.run import demo as command
from landkeeper.demo import story

run_demo = story.run_demo

def run_and_write_json(*given, keep):
    done = run_demo(*given, keep=keep)
    with open("result.json", "w") as file, redirect_stdout(file):
        command.print_json(command._as_json(done, keep=keep))
    return done

story.run_demo = run_and_write_json
sys.exit(run(sys.argv[1:]))
"""
"""The command, which tells its story, and writes down what it would print with `--json`: a run takes long enough."""

pytestmark = pytest.mark.embedded


@dataclass(frozen=True)
class _Demo:
    """A whole run with `--keep`, whose embedded AWS is up."""

    process: subprocess.CompletedProcess[str]
    directory: Path

    @property
    def exports(self) -> dict[str, str]:
        """The variables that it says to export."""
        return dict(re.findall(r"^  export (\w+)=(.*)$", self.process.stdout, re.MULTILINE))

    @property
    def stopping(self) -> str:
        """The command that it says stops it."""
        found: list[str] = re.findall(r"^  (kill [0-9 ]+; rm -rf \S+)$", self.process.stdout, re.MULTILINE)
        return found[0]

    @property
    def process_ids(self) -> list[int]:
        """The simulators that are up."""
        return [int(word) for word in self.stopping.partition(";")[0].split()[1:]]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Demo]:
    """The one whole run: it tells its story, and what `--json` prints is in a file beside its report."""
    directory = tmp_path_factory.mktemp("demo")
    process = subprocess.run(
        [sys.executable, "-c", _STORY_AND_JSON, "demo", "--keep"], capture_output=True, text=True, check=False,
        env={**os.environ, "TMPDIR": str(directory), "COLUMNS": "100"}, timeout=HANG_SECONDS, cwd=directory,
    )  # fmt: skip
    run = _Demo(process, directory)
    try:
        assert process.returncode == 0, process.stderr
        yield run
    finally:
        for process_id in run.process_ids:
            with suppress(ProcessLookupError):
                os.kill(process_id, signal.SIGTERM)
        wait_until(lambda: not any(Path(f"/proc/{each}").exists() for each in run.process_ids))


@pytest.fixture(scope="module")
def result(demo: _Demo) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads((demo.directory / "result.json").read_text(encoding="utf-8"))
    return answer


def test_it_succeeds_and_complains_of_nothing(demo: _Demo, result: dict[str, Any]) -> None:
    assert (demo.process.returncode, demo.process.stderr) == (0, "")
    assert (result["exports"], result["process_ids"]) == (demo.exports, demo.process_ids)


def test_every_vpc_is_tracked_but_those_of_the_account_that_cannot_be_read(result: dict[str, Any]) -> None:
    assert result["vpcs_tracked"] == result["vpcs_expected"] > 50
    assert (result["accounts"], result["regions"]) == (13, 4)
    assert len(result["unreadable"]) == 1
    assert result["default_vpcs"] > 0
    assert result["overlap_groups"] >= 4


def test_what_broke_the_policy_is_destroyed_and_reported_once_a_launch(result: dict[str, Any]) -> None:
    assert result["launched"] == len(result["destroyed"]) + len(result["kept"])
    assert (len(result["destroyed"]), len(result["kept"])) == (5, 3)
    assert result["reports"] == result["bad_launches"] == 4


def test_ended_in_the_middle_it_leaves_nothing_behind(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "landkeeper", "demo"],
        env={**os.environ, "TMPDIR": str(tmp_path)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert any("MiniStack serves" in line for line in process.stdout)
    assert list(tmp_path.iterdir()) != []
    process.terminate()
    process.communicate(timeout=HANG_SECONDS)
    assert process.returncode == 128 + signal.SIGTERM
    assert list(tmp_path.iterdir()) == []


def _with(exports: dict[str, str], *command: str) -> str:
    run = subprocess.run(
        [sys.executable, *command], capture_output=True, text=True, check=True, env={**os.environ, **exports}
    )
    return run.stdout


def test_kept_it_can_be_used_by_other_commands(demo: _Demo) -> None:
    story, exports = demo.process.stdout, demo.exports
    listed = json.loads(_with(exports, "-m", "landkeeper", "vpc", "list", "--format", "json"))
    assert f"{len(listed)} of {len(listed)} VPCs tracked" in story
    destroyed = re.findall(r"^(i-[0-9a-f]+) .* destroyed", story, re.MULTILINE)
    assert len(destroyed) == 5
    for instance in destroyed:
        assert _with(exports, "-c", _STATE_OF_CASE, instance).strip() == "reported"


def test_a_default_vpc_goes_and_a_new_vpc_gets_a_block_of_its_own(result: dict[str, Any]) -> None:
    assert len(result["deleted_default_vpcs"]) == 1
    assert result["vended"]["VpcId"].startswith("vpc-")
    assert result["vended"]["CidrBlock"] == "10.3.0.0/20"


def test_it_leaves_a_report_of_what_it_did(demo: _Demo, result: dict[str, Any]) -> None:
    page = (demo.directory / result["report"]).read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    for shown in (result["vended"]["VpcId"], *result["destroyed"]):
        assert shown in page
    assert result["deleted_default_vpcs"][0] not in page


def test_the_docs_tell_the_story_as_it_is_printed(demo: _Demo) -> None:
    story = demo.process.stdout.split("\nThe simulated AWS is still running.")[0]
    assert _without_chance(_transcript("docs/demo.md")) == _without_chance(story)


def test_the_readme_has_parts_of_that_story() -> None:
    parts = [line for line in _without_chance(_transcript("README.md")) if line != "…"]
    story = iter(_without_chance(_transcript("docs/demo.md")))
    assert len(parts) > 10
    assert [line for line in parts if line not in story] == []


def test_stopped_as_it_says_nothing_but_the_report_is_left(demo: _Demo) -> None:
    subprocess.run(["sh", "-c", demo.stopping], check=True)
    wait_until(lambda: not any(Path(f"/proc/{each}").exists() for each in demo.process_ids))
    assert sorted(path.name for path in demo.directory.iterdir()) == ["landkeeper-demo.html", "result.json"]


def _transcript(page: str) -> str:
    text = (Path(__file__).parents[2] / page).read_text(encoding="utf-8")
    return text.split("```console\n$ make demo\n", 1)[1].split("```", 1)[0]


def _without_chance(text: str) -> list[str]:
    """The lines of a story, with what differs from run to run left out."""
    for pattern, kind in (
        (r"i-[0-9a-f]{17}", "INSTANCE"),
        (r"\bo-[0-9a-z]{10}", "ORG"),
        (r"vpc-[0-9a-f]{17}", "VPC"),
        (r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "EVENT"),
        (r"\b[0-9]{12}\b", "ACCOUNT"),
        (r"127\.0\.0\.1:[0-9]+", "PLACE"),
        (r"20[0-9-]{8}T[0-9:]{8}Z", "TIME"),
        (r"in [0-9.]+ s", "SECONDS"),
    ):
        text = re.sub(pattern, kind, text)
    return [line.rstrip() for line in text.strip().splitlines()]
