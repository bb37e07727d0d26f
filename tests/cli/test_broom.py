"""`landkeeper broom`: what it prints, what it exits with, and what it leaves behind."""

from __future__ import annotations

import csv
import gzip
import io
import json
import uuid
from pathlib import Path
from typing import Any

import pytest
from tests.broom_world import EVENTS, STRICT, event
from tests.member_instances import ROLE, start_instances, state_of
from tests.servers import home_sessions
from tests.typed_answers import type_answer

from landkeeper.broom.launches import InstanceId
from landkeeper.cli import run
from landkeeper.cli.broom.run.sweep import offline_remark
from landkeeper.org import AccountId

LOG = str(EVENTS / "log_file.json")
MEMBER = AccountId("330000000001")


@pytest.fixture
def policy_file(tmp_path: Path) -> str:
    path = tmp_path / "broom.yaml"
    path.write_text(STRICT + "exempt: [{tag: 'aws:autoscaling:groupName'}]\n", encoding="utf-8")
    return str(path)


def offline(*arguments: str, policy: str) -> int:
    return run(["broom", "sweep", "--offline", "--policy", policy, *arguments])


@pytest.mark.usefixtures("no_aws")
class TestOffline:
    def test_the_table_says_who_where_what_and_what_the_policy_would_do(
        self, policy_file: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert offline(LOG, policy=policy_file) == 0
        out, err = capsys.readouterr()
        for word in (
            *("What the policy would do, based on the tags in the log", "Developer/jane@example.com"),
            *("111122223333", "eu-west-1", "i-0aaaaaaaaaaaaaaa2", "t3.micro", "terminate"),
            "rule code: tag Code is missing",
            "Auto Scaling for AWSServiceRoleForAutoScaling/AutoScaling",
            "1 file, 3 launches; instances: 1 compliant, 1 exempt, 2 violations; 2 records ignored, 0 unreadable",
        ):
            assert word in out
        assert err == "offline: no AWS calls; instances are evaluated by the tags in the log\n"
        assert [line.split()[0][:2] for line in out.splitlines()[4:-2]] == ["i-"] * 4
        assert LOG not in out

    def test_the_details_of_a_launch_say_where_it_is_logged(
        self, policy_file: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert offline(LOG, "--details", policy=policy_file) == 0
        out = capsys.readouterr().out
        rows = [line for line in out.splitlines() if line.startswith(" i-")]
        assert len(rows) == 4
        assert all(LOG in row for row in rows)
        assert "ami-0abcdef1234567890" in out

    def test_json_has_an_entry_for_each_record(self, policy_file: str, capsys: pytest.CaptureFixture[str]) -> None:
        assert offline(LOG, LOG, "--format", "json", policy=policy_file) == 0
        answer = json.loads(capsys.readouterr().out)
        assert [launch["Repeat"] for launch in answer["launches"]] == [False] * 3 + [True] * 3
        first = answer["launches"][0]
        assert (first["EventId"], first["EventTime"]) == (
            "aaaaaaaa-0000-0000-0000-000000000002",
            "2026-01-01T10:00:00Z",
        )
        assert (first["Principal"], first["AccountId"], first["Region"], first["Source"]) == (
            "Developer/jane@example.com", "111122223333", "eu-west-1", LOG,
        )  # fmt: skip
        assert first["Instances"][1] == {
            "InstanceId": "i-0aaaaaaaaaaaaaaa3",
            "ImageId": "ami-0abcdef1234567890",
            "InstanceType": "p4d.24xlarge",
            "Tags": {"code": "LOL"},
            "Verdict": "violation",
            "Action": "terminate",
            "Because": "rule code: tag Code is missing (found 'code'; tag keys are case-sensitive)",
            "Outcome": "",
        }
        assert answer["totals"] == {
            "files": 2, "launches": 6, "repeats": 3, "instances": 8, "compliant": 2, "exempt": 2, "violation": 4,
            "unknown": 0, "ignored": 4, "malformed": 0,
        }  # fmt: skip

    def test_csv_has_a_line_for_each_instance(self, policy_file: str, capsys: pytest.CaptureFixture[str]) -> None:
        assert offline(LOG, "--format", "csv", policy=policy_file) == 0
        rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
        assert [(row["InstanceId"][-1], row["Action"]) for row in rows] == [
            ("2", "terminate"), ("3", "terminate"), ("4", "keep"), ("1", "keep"),
        ]  # fmt: skip

    def test_bad_files_are_a_line_each_and_the_rest_is_done(
        self, tmp_path: Path, policy_file: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        logs = tmp_path / "logs" / "deep"
        logs.mkdir(parents=True)
        (logs / "a.json.gz").write_bytes(gzip.compress(json.dumps(event("log_file.json")).encode()))
        (logs / "b.json.gz").write_bytes(gzip.compress(b"{}" * 99)[:-9])
        (logs / "c.json").write_text('{"Records": ["x"]}')
        (logs / "d_CloudTrail-Digest_e.json").write_text("{}")
        assert offline(str(tmp_path / "logs"), str(tmp_path / "no\nwhere"), policy=policy_file) == 3
        out, err = capsys.readouterr()
        assert err.splitlines()[:3] == [
            f"{logs}/b.json.gz: the gzip data ends early: the file is truncated",
            f"{logs}/c.json: record 1: the record is text, not an object",
            f"{tmp_path}/no\\nwhere: there is no such file or folder",
        ]
        assert "3 files, 3 launches" in out
        assert "3 unreadable" in out

    def test_nothing_but_missing_paths_is_wrong_usage(
        self, policy_file: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert offline("nowhere.json", policy=policy_file) == 2
        assert "nowhere.json: there is no such file or folder" in capsys.readouterr().err

    def test_an_empty_folder_and_a_file_that_may_not_be_read_are_named(
        self, tmp_path: Path, policy_file: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "empty").mkdir()
        (tmp_path / "odd").mkdir()
        (tmp_path / "odd" / "link.json").symlink_to("link.json")
        assert offline(str(tmp_path / "empty"), str(tmp_path / "odd"), policy=policy_file) == 3
        err = capsys.readouterr().err
        assert "empty: the folder is empty" in err
        assert "link.json: cannot be read: Too many levels of symbolic links" in err

    def test_standard_input_is_read(
        self, policy_file: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(Path(LOG).read_bytes())))
        assert offline("-", "--format", "json", policy=policy_file) == 0
        assert {launch["Source"] for launch in json.loads(capsys.readouterr().out)["launches"]} == {"standard input"}

    @pytest.mark.parametrize(
        ("text", "line"),
        [
            (None, "cannot be read: No such file or directory"),
            ("\xff", "is not text in UTF-8"),
            (
                "version: 1\nruls: []\n",
                "policy.yaml:2: in the policy the key 'ruls' is not known: did you mean 'rules'?",
            ),
        ],
    )
    def test_a_policy_that_cannot_be_used_is_one_line(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str | None, line: str
    ) -> None:
        path = tmp_path / "policy.yaml"
        if text is not None:
            path.write_bytes(text.encode("latin-1"))
        assert offline(LOG, policy=str(path)) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert line in err
        assert len(err.splitlines()) == 1

    def test_a_sweep_takes_a_policy_and_one_way_of_not_acting(
        self, policy_file: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.delenv("LANDKEEPER_POLICY", raising=False)
        assert run(["broom", "sweep", "--offline", LOG]) == 2
        assert "pass --policy FILE or set LANDKEEPER_POLICY" in capsys.readouterr().err
        assert offline("--dry-run", LOG, policy=policy_file) == 2
        monkeypatch.setenv("LANDKEEPER_POLICY", policy_file)
        assert run(["broom", "sweep", "--offline", LOG]) == 0

    def test_without_credentials_a_live_sweep_is_one_line(
        self, policy_file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        code = run(["broom", "sweep", "--dry-run", "--policy", policy_file, "--file", str(tmp_path / "x.db"), LOG])
        err = capsys.readouterr().err
        assert code == 1
        assert "the AWS credentials at hand do not work: credentials missing or expired" in err
        assert not (tmp_path / "x.db").exists()


@pytest.mark.usefixtures("no_aws")
def launched(**tags: str) -> InstanceId:
    """An instance that runs in the member account."""
    (started,) = start_instances(MEMBER, tags)
    return started


def log_of(*ids: str) -> bytes:
    record: dict[str, Any] = event("run_instances.json")
    (instance,) = record["responseElements"]["instancesSet"]["items"]
    record["responseElements"]["instancesSet"]["items"] = [{**instance, "instanceId": id_, "tagSet": {}} for id_ in ids]
    record["requestParameters"].pop("tagSpecificationSet")
    return gzip.compress(json.dumps({"Records": [{**record, "recipientAccountId": MEMBER}]}).encode())


@pytest.mark.embedded
@pytest.mark.usefixtures("aws_environment")
class TestLive:
    def test_a_dry_run_changes_nothing_and_the_real_one_ends_what_it_said(
        self, tmp_path: Path, policy_file: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        bad, good = launched(), launched(Code="LOL")
        log = tmp_path / "log.json.gz"
        log.write_bytes(log_of(bad, good))
        command = ["broom", "sweep", "--policy", policy_file, "--role", ROLE, "--format", "json", str(log)]
        ledger = ["--file", str(tmp_path / "ledger.db")]
        assert run([*command, *ledger, "--dry-run"]) == 0
        out, err = capsys.readouterr()
        rehearsed = json.loads(out)["launches"][0]["Instances"]
        assert [(each["Verdict"], each["Action"]) for each in rehearsed] == [
            ("violation", "terminate"),
            ("compliant", "keep"),
        ]
        assert [each["Tags"] for each in rehearsed] == [{}, {"Code": "LOL"}]
        assert "Dry run: nothing is changed." in err
        assert json.loads(out)["DryRun"] is True
        assert "destroyed" not in out + err
        assert run([*command, *ledger]) == 2
        planned, err = capsys.readouterr()
        assert (planned, "Not a terminal: pass --yes to apply." in err) == (out, True)
        type_answer(monkeypatch, "n")
        assert run([*command, *ledger]) == 0
        out, err = capsys.readouterr()
        assert (out, "would be terminated" in err, "Nothing was changed." in err) == ("", True, True)
        assert state_of(MEMBER, bad) == "running"
        assert not (tmp_path / "ledger.db").exists()
        type_answer(monkeypatch, "y")
        assert run([*command, *ledger]) == 0
        out, err = capsys.readouterr()
        assert json.loads(out)["DryRun"] is False
        assert json.loads(out)["launches"][0]["Instances"][0]["Outcome"] == "destroyed"
        assert "This instance has been destroyed." in err
        assert (state_of(MEMBER, bad), state_of(MEMBER, good)) == ("terminated", "running")
        assert run([*command, *ledger, "--yes"]) == 0
        out, err = capsys.readouterr()
        assert "the ledger has it as reported since" in json.loads(out)["launches"][0]["Instances"][0]["Because"]
        assert "This instance" not in err

    def test_log_files_are_read_from_s3(
        self, tmp_path: Path, policy_file: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        bucket = f"logs-{uuid.uuid4().hex[:10]}"
        s3 = home_sessions().home("s3")
        s3.create_bucket(Bucket=bucket)
        s3.put_object(Bucket=bucket, Key="AWSLogs/a.json.gz", Body=log_of("i-0123456789abcdef0"))
        s3.put_object(Bucket=bucket, Key="AWSLogs/CloudTrail-Digest/b.json.gz", Body=b"")
        s3.put_object(Bucket=bucket, Key="broom.yaml", Body=STRICT.encode())
        url = f"s3://{bucket}/AWSLogs/"
        assert (
            offline(url, "s3://nobody-made-this-bucket/x", "--format", "json", policy=f"s3://{bucket}/broom.yaml") == 3
        )
        out, err = capsys.readouterr()
        answer = json.loads(out)
        assert [launch["Source"] for launch in answer["launches"]] == [f"{url}a.json.gz"]
        assert answer["ignored"] == {"a CloudTrail digest file": 1}
        assert "s3://nobody-made-this-bucket/x: not found (NoSuchBucket" in err

    def test_an_account_that_cannot_be_entered_is_named_and_the_exit_code_says_so(
        self, tmp_path: Path, policy_file: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        log = tmp_path / "log.json.gz"
        log.write_bytes(log_of("i-0123456789abcdef0"))
        ledger = str(tmp_path / "ledger.db")
        assert run(["broom", "sweep", "--yes", "--policy", policy_file, "--file", ledger, str(log)]) == 3
        out, err = capsys.readouterr()
        assert f"i-0123456789abcdef0 in {MEMBER} eu-west-1: the instance could not be read: role not assumable" in err
        assert "1 violation" in out

    def test_a_policy_may_be_a_parameter(self, capsys: pytest.CaptureFixture[str]) -> None:
        name = f"/landkeeper/{uuid.uuid4().hex[:8]}"
        home_sessions().home("ssm").put_parameter(Name=name, Value=STRICT, Type="String")
        assert offline(LOG, policy=f"ssm:{name}") == 0
        assert offline(LOG, policy="ssm:/nobody/made/this") == 2
        assert "the policy ssm:/nobody/made/this cannot be read: not found" in capsys.readouterr().err

    def test_what_waits_is_said(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        path = tmp_path / "graceful.yaml"
        path.write_text(STRICT.replace("action: terminate", "action: terminate\n    grace: 9999d"))
        log = tmp_path / "log.json.gz"
        log.write_bytes(log_of(launched()))
        ledger = str(tmp_path / "ledger.db")
        assert run(["broom", "sweep", "--yes", "--policy", str(path), "--role", ROLE, "--file", ledger, str(log)]) == 0
        assert "1 instance waits for a later check: run the same command again" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("paths", "policy", "calls"),
    [
        (["log.json", "-"], "broom.yaml", "no AWS calls"),
        (["log.json", "s3://trail/AWSLogs/"], "", "AWS is called only to read the log files"),
        (["log.json"], "ssm:/policy", "AWS is called only to read the policy"),
        (["s3://trail/AWSLogs/"], "s3://b/p.yaml", "AWS is called only to read the log files and the policy"),
    ],
)
def test_an_answer_from_the_log_says_what_aws_was_called_for(paths: list[str], policy: str, calls: str) -> None:
    assert offline_remark(paths, policy) == f"offline: {calls}; instances are evaluated by the tags in the log"
