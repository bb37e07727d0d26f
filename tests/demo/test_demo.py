"""`landkeeper demo`, as a person runs it: the whole of it, on simulators of its own."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.waiting import HANG_SECONDS, wait_until

_STATE_OF_CASE = """
import boto3, sys
case = boto3.client("dynamodb").get_item(TableName="BroomLedger", Key={"InstanceId": {"S": sys.argv[1]}})["Item"]
print(case["State"]["S"])
"""

pytestmark = pytest.mark.embedded


def _run(*flags: str, directory: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "TMPDIR": str(directory), "COLUMNS": "100"}
    return subprocess.run(
        [sys.executable, "-m", "landkeeper", "demo", *flags],
        capture_output=True, text=True, check=False, env=environment, timeout=HANG_SECONDS, cwd=directory,
    )  # fmt: skip


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[subprocess.CompletedProcess[str], Path]:
    directory = tmp_path_factory.mktemp("demo")
    return _run("--json", directory=directory), directory


@pytest.fixture
def result(finished: tuple[subprocess.CompletedProcess[str], Path]) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(finished[0].stdout)
    return answer


def test_it_succeeds_prints_one_json_object_and_complains_of_nothing(
    finished: tuple[subprocess.CompletedProcess[str], Path],
) -> None:
    assert (finished[0].returncode, finished[0].stderr) == (0, "")


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


def test_nothing_but_the_report_is_left_behind(finished: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    assert [one.name for one in finished[1].iterdir()] == ["landkeeper-demo.html"]


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


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, dict[str, str]]]:
    """The story as it is told, and the variables it says to export; the embedded AWS is up meanwhile."""
    run = _run("--keep", directory=tmp_path_factory.mktemp("kept"))
    exports = dict(re.findall(r"^  export (\w+)=(.*)$", run.stdout, re.MULTILINE))
    process_ids = [int(each) for each in re.findall(r"kill ([0-9 ]+);", run.stdout)[0].split()]
    try:
        assert run.returncode == 0, run.stderr
        yield run.stdout, exports
    finally:
        for process_id in process_ids:
            os.kill(process_id, signal.SIGTERM)
        wait_until(lambda: not any(Path(f"/proc/{each}").exists() for each in process_ids))


def _with(exports: dict[str, str], *command: str) -> str:
    run = subprocess.run(
        [sys.executable, *command], capture_output=True, text=True, check=True, env={**os.environ, **exports}
    )
    return run.stdout


def test_kept_it_can_be_used_by_other_commands(kept: tuple[str, dict[str, str]]) -> None:
    story, exports = kept
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


def test_it_leaves_a_report_of_what_it_did(
    finished: tuple[subprocess.CompletedProcess[str], Path], result: dict[str, Any]
) -> None:
    page = (finished[1] / result["report"]).read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    for shown in (result["vended"]["VpcId"], *result["destroyed"]):
        assert shown in page
    assert result["deleted_default_vpcs"][0] not in page


def test_the_docs_tell_the_story_as_it_is_printed(kept: tuple[str, dict[str, str]]) -> None:
    story = kept[0].split("\nThe simulated AWS is still running.")[0]
    assert _without_chance(_transcript("docs/demo.md")) == _without_chance(story)


def test_the_readme_has_parts_of_that_story() -> None:
    parts = [line for line in _without_chance(_transcript("README.md")) if line != "…"]
    story = iter(_without_chance(_transcript("docs/demo.md")))
    assert len(parts) > 10
    assert [line for line in parts if line not in story] == []


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
