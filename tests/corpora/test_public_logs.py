"""Public CloudTrail logs, where they lie beside the project: every file is read, exactly the launches are found."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
CORPORA = (ROOT / ".." / "shared" / "corpora").resolve()
FOLDERS = ("cloudtrail-logs", "cloudtrail-records")

pytestmark = [
    pytest.mark.corpora,
    pytest.mark.skipif(not CORPORA.is_dir(), reason="the corpora of public logs are not beside the project"),
]


@pytest.fixture(scope="module")
def swept() -> dict[str, Any]:
    """What the command says about all of them."""
    command = [sys.executable, "-m", "landkeeper", "broom", "sweep", "--offline", "--format", "json"]
    policy = ["--policy", str(ROOT / "src" / "landkeeper" / "demo" / "broom.yaml")]
    environment = {name: text for name, text in os.environ.items() if not name.startswith(("AWS_", "LANDKEEPER_"))}
    done = subprocess.run(
        [*command, *policy, *(str(CORPORA / folder) for folder in FOLDERS)],
        capture_output=True, text=True, check=False, env=environment,
    )  # fmt: skip
    assert done.returncode == 3, done.stderr
    assert "Traceback" not in done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.fixture(scope="module")
def index() -> list[dict[str, str]]:
    """The rows of the index that are successful launches."""
    with (CORPORA / "INDEX-runinstances.tsv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if row["errorCode"] == "None"]
    assert rows
    return rows


def _relative(source: str) -> str:
    return Path(source).relative_to(CORPORA).as_posix()


def _instance_tags(instance: dict[str, Any], row_tags: str) -> str:
    # The index lists the tags of the answer only; `Tags` has those that the request asked for as well.
    if row_tags in {"", "<absent>"}:
        return row_tags
    return ",".join(f"{key}={value}" for key, value in instance["Tags"].items())


def test_every_file_is_read_or_named(swept: dict[str, Any]) -> None:
    files = [file for folder in FOLDERS for file in (CORPORA / folder).rglob("*") if file.is_file()]
    assert swept["totals"]["files"] == len(files)
    assert {_relative(fault["File"]) for fault in swept["malformed"]} == {
        "cloudtrail-logs/cloudgrappler/bad_cloudtrail.json",
        "cloudtrail-logs/nexthink/sns-event.json",
        "cloudtrail-records/cloud-custodian-cwe/event-config-rule-instance.json",
        "cloudtrail-records/cloud-custodian-cwe/event-config-rule-security-group.json",
        "cloudtrail-records/fivexl-slack/test_events.json",
        "cloudtrail-records/trailscraper/smoke_policy-to-guess.json",
    }


def test_exactly_the_launches_of_the_index_are_found(swept: dict[str, Any], index: list[dict[str, str]]) -> None:
    found = Counter((_relative(launch["Source"]), launch["EventId"], launch["Region"]) for launch in swept["launches"])
    assert found == Counter((row["file"], row["eventID"], row["region"]) for row in index)


def test_instances_images_types_and_tags_are_those_of_the_index(
    swept: dict[str, Any], index: list[dict[str, str]]
) -> None:
    launches = {(_relative(launch["Source"]), launch["EventId"]): launch["Instances"] for launch in swept["launches"]}
    for row in index:
        instances = launches[row["file"], row["eventID"]]
        tags = row["instanceTags"].split("|")
        assert ",".join(each["InstanceId"] for each in instances) == row["instanceIds"]
        assert ",".join(each["ImageId"] for each in instances) == row["imageIds"]
        assert ",".join(each["InstanceType"] for each in instances) == row["types"]
        assert [_instance_tags(each, text) for each, text in zip(instances, tags, strict=True)] == tags


def test_every_principal_has_a_name_that_a_person_knows(swept: dict[str, Any]) -> None:
    names = {launch["Principal"] for launch in swept["launches"]}
    assert names == {
        "bert-jan",
        "GR_Dev_Developer/Radiant",
        "c7nbot",
        "Auto Scaling for root",
        "test",
        "Auto Scaling for AWSServiceRoleForAutoScaling/AutoScaling",
        "DevAdministrator/temp_user",
        "ARole/user.name",
        "SomeRole/person",
    }


def test_each_instance_has_a_verdict_and_what_the_policy_would_do(swept: dict[str, Any]) -> None:
    judged = Counter((each["Verdict"], each["Action"]) for launch in swept["launches"] for each in launch["Instances"])
    assert judged == {("violation", "terminate"): 15, ("exempt", "keep"): 2}
    assert all(each["Because"] for launch in swept["launches"] for each in launch["Instances"])
