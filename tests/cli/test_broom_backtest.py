"""`landkeeper broom backtest`, as somebody types it."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests import past_logs as past
from tests.broom_world import STRICT
from tests.processes import group_members
from tests.waiting import HANG_SECONDS, wait_until

from landkeeper.cli import run

LOL = {"Code": "LOL"}
ROOT = Path(__file__).parents[2]
POLICY = STRICT.replace("action: terminate", "action: terminate\n    grace: 15m")
Backtest = Callable[..., tuple[int, str, str]]


@pytest.fixture
def policy_file(tmp_path: Path) -> Path:
    path = tmp_path / "broom.yaml"
    path.write_text(POLICY, encoding="utf-8")
    return path


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """Three days of a trail: two hits, one that was tagged in time, one that complied."""
    return past.write_logs(
        tmp_path / "logs",
        {
            past.trail_key("2026-01-01"): past.log(
                past.launch(["i-1", "i-2"]), past.record("DescribeTags", "10:00:00", {})
            ),
            past.trail_key("2026-01-01", number=1): past.log(past.tagged("i-2", "10:05:00", LOL)),
            past.trail_key("2026-01-02"): past.log(past.launch("i-3", "2026-01-02T10:00:00Z", tags=LOL)),
            past.trail_key("2026-01-03", account=past.OTHER, region="us-east-1"): past.log(
                past.launch("i-4", "2026-01-03T10:00:00Z", awsRegion="us-east-1", recipientAccountId=past.OTHER)
            ),
        },
    )


@pytest.fixture
def backtest(
    no_aws: None, tmp_path: Path, policy_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Backtest:
    """Runs the command, with a cache of the test's own; answers code, standard output and standard error."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "100")

    def start(*arguments: str | Path, policy: Path | None = None) -> tuple[int, str, str]:
        code = run(["broom", "backtest", "--policy", str(policy or policy_file), *map(str, arguments)])
        return code, *capsys.readouterr()

    return start


def answer_of(result: tuple[int, str, str]) -> Any:
    return json.loads(result[1])


class TestAnswers:
    def test_the_table_says_who_would_have_lost_what_and_why(self, backtest: Backtest, logs: Path) -> None:
        code, out, err = backtest(logs)
        assert (code, err) == (0, "")
        for words in (
            *("Instances the policy would have acted on (2)", "i-1", "i-4", "2026-01-01 10:00 t3.micro", "jane"),
            *("444455556666 us-east-1", "terminated", "rule code: tag Code is missing"),
            "4 files, ",
            " bytes, 5 events",
            "3 launches; of 4 instances 2 hit (2 terminated), 2 compliant",
        ):
            assert words in out
        assert "i-3" not in out
        assert max(map(len, out.splitlines())) <= 100

    def test_json_has_totals_each_count_and_each_instance(self, backtest: Backtest, logs: Path) -> None:
        began = datetime.now(UTC)
        answer = answer_of(backtest(logs, "--format", "json"))
        assert [each["InstanceId"] for each in answer["instances"]] == ["i-1", "i-4"]
        first = answer["instances"][0]
        assert first.items() >= {
            "Fate": "terminated", "AccountId": past.ACCOUNT, "Region": "eu-west-1",
            "LaunchedAt": "2026-01-01T10:00:00Z", "DecidedAt": "2026-01-01T10:15:00Z",
            "Principal": "jane", "Rule": "code", "EventId": "launch-i-1-i-2",
            "Because": "rule code: tag Code is missing", "Source": str(logs / past.trail_key("2026-01-01")),
        }.items()  # fmt: skip
        assert answer["totals"].items() >= {"launches": 3, "instances": 4, "hit": 2, "terminated": 2, "compliant": 2,
                                            "files": 4, "events": 5, "files_kept": 0}.items()  # fmt: skip
        assert answer["by"]["day"] == [
            {"Day": day, "Instances": there, "Hit": hit, "Terminated": hit, "Held": 0, "Stopped": 0, "Notified": 0}
            for day, there, hit in (("2026-01-01", 2, 1), ("2026-01-02", 1, 0), ("2026-01-03", 1, 1))
        ]
        assert [(one["Principal"], one["AccountId"], one["Hit"]) for one in answer["by"]["principal"]] == [
            ("jane", past.ACCOUNT, 2)
        ]
        assert set(answer["by"]) == {"day", "rule", "account", "region", "principal"}
        assert answer["partial"] is False
        assert (answer["kind"], answer["Version"], answer["grace"]) == ("landkeeper-backtest", 2, None)
        assert answer["doubts"] == []
        assert answer["totals"]["files_unread"] == 0
        assert began.replace(microsecond=0) <= datetime.fromisoformat(answer["read_at"]) <= datetime.now(UTC)

    def test_every_key_of_the_json_is_documented(self, backtest: Backtest, logs: Path, policy_file: Path) -> None:
        answer = answer_of(backtest(logs, "--against", policy_file, "--grace", "2h", "--format", "json"))
        assert answer["grace"] == 7200
        page = (ROOT / "docs" / "backtest.md").read_text(encoding="utf-8")
        documented = set(re.findall(r"`(\w+)`", page.partition("## JSON output")[2].partition("## Input")[0]))
        rows = [*answer["instances"], *(row for rows in answer["by"].values() for row in rows)]
        keys = {key for value in (answer, answer["totals"], answer["by"], answer["comparison"], *rows) for key in value}
        assert keys - documented == set()

    def test_csv_has_a_line_for_each_instance_that_is_hit(self, backtest: Backtest, logs: Path) -> None:
        rows = list(csv.DictReader(io.StringIO(backtest(logs, "--format", "csv")[1])))
        assert [(row["InstanceId"], row["Fate"], row["Rule"]) for row in rows] == [
            ("i-1", "terminated", "code"), ("i-4", "terminated", "code"),
        ]  # fmt: skip
        assert "Change" not in rows[0]

    def test_another_policy_is_compared_with(self, backtest: Backtest, logs: Path, tmp_path: Path) -> None:
        old = tmp_path / "old.yaml"
        old.write_text(POLICY.replace("LOL, GGG", "BRB") + "exempt: [{account: '444455556666'}]\n")
        answer = answer_of(backtest(logs, "--against", old, "--format", "json"))["comparison"]
        assert answer["against"] == str(old)
        assert answer["totals"].items() >= {"instances": 4, "hit": 3, "exempt": 1, "compliant": 0}.items()
        assert [each["InstanceId"] for each in answer["newly_hit"]] == ["i-4"]
        assert [each["InstanceId"] for each in answer["newly_spared"]] == ["i-2", "i-3"]
        out = backtest(logs, "--against", old)[1]
        assert "Newly hit by" in out
        assert "2 newly spared" in " ".join(out.split())
        milder = tmp_path / "milder.yaml"
        milder.write_text(POLICY.replace("terminate", "notify"))
        answer = answer_of(backtest(logs, "--against", milder, "--format", "json"))["comparison"]
        assert [(each["Fate"], each["Was"]) for each in answer["changed"]] == [("terminated", "notified")] * 2
        assert "terminated, was notified" in backtest(logs, "--against", milder)[1]
        rows = list(csv.DictReader(io.StringIO(backtest(logs, "--against", old, "--format", "csv")[1])))
        assert [(row["InstanceId"], row["Change"]) for row in rows] == [
            ("i-1", ""), ("i-4", "newly hit"), ("i-2", "newly spared"), ("i-3", "newly spared"),
        ]  # fmt: skip

    def test_tags_and_ends_count_wherever_they_were_logged(
        self, backtest: Backtest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Files in which there is no launch are read to the end where one of another file has to do with them."""
        files = {
            "1.json.gz": past.log(
                past.tagged("i-2", "10:05:00", LOL, event_id="e-1"), past.tagged("i-9", "10:05:00", LOL, event_id="e-2")
            ),
            "2.json.gz": past.log(
                past.ended("i-3", "10:06:00", event_id="e-3"), past.ended("i-8", "10:06:00", event_id="e-4")
            ),
            "3.json.gz": past.log(past.tagged("i-7", "10:05:00", LOL, event_id="e-5")),
            "4.json.gz": past.log(past.launch(["i-1", "i-2", "i-3"])),
        }
        logs = past.write_logs(tmp_path / "logs", files)
        first = answer_of(backtest(logs, "--format", "json"))
        assert [each["InstanceId"] for each in first["instances"]] == ["i-1"]
        assert first["totals"].items() >= {"files": 4, "events": 6, "gone": 1, "compliant": 1}.items()
        # What was left out of a file that is kept is read once another file makes it matter.
        past.write_logs(logs, {"5.json.gz": past.log(past.launch("i-7"))})
        again = answer_of(backtest(logs, "--format", "json"))
        assert again["totals"].items() >= {"files_kept": 4, "gone": 1, "compliant": 2, "hit": 1}.items()
        monkeypatch.setattr("landkeeper.wiring.broom.backtest.CHANGE_EVENTS", frozenset())
        whole = answer_of(backtest(logs, "--no-cache", "--format", "json"))
        assert {**again, "read_at": "", "totals": {**again["totals"], "files_kept": 0}} == {**whole, "read_at": ""}

    def test_files_that_only_look_alike_both_count(self, backtest: Backtest, tmp_path: Path) -> None:
        first, second = (past.log(past.launch(id_)) for id_ in ("i-1", "i-2"))
        # The same length and the same last bytes: not the checksum of what is in it, which costs the file and no more.
        forged = second[: len(first) - 8].ljust(len(first) - 8, b"\0") + first[-8:]
        logs = past.write_logs(tmp_path / "logs", {"a.json.gz": first, "b.json.gz": forged, "c.json.gz": first})
        code, out, _ = backtest(logs, "--format", "json")
        answer = json.loads(out)
        assert code == 3
        assert [Path(each["File"]).name for each in answer["unreadable"]] == ["b.json.gz"]
        assert [Path(each["File"]).name for each in answer["copies"]] == ["c.json.gz"]

    def test_since_and_until_choose_launches_and_files(self, backtest: Backtest, logs: Path) -> None:
        early = answer_of(backtest(logs, "--until", "2026-01-01", "--format", "json"))
        assert [each["InstanceId"] for each in early["instances"]] == ["i-1"]
        assert (early["until"], early["left_out"]) == ("2026-01-02T00:00:00Z", {})
        late = answer_of(backtest(logs, "--since", "2026-01-03T00:00:00+00:00", "--format", "json"))
        assert [each["InstanceId"] for each in late["instances"]] == ["i-4"]
        assert late["left_out"] == {"outside the days asked for": 3}
        assert late["totals"]["files"] == 1
        nothing = backtest(logs, "--until", "2025-01-01T00:00:00Z")
        assert (nothing[0], "No launches" in nothing[1]) == (0, True)

    def test_a_grace_may_be_tried_out(self, backtest: Backtest, logs: Path) -> None:
        answer = answer_of(backtest(logs, "--grace", "1m", "--format", "json"))
        assert [each["InstanceId"] for each in answer["instances"]] == ["i-1", "i-2", "i-4"]

    def test_what_a_log_cannot_tell_is_said(self, backtest: Backtest, tmp_path: Path) -> None:
        policy = tmp_path / "other.yaml"
        policy.write_text(
            POLICY + "limits: {terminations_per_run: 1}\nonboarding: {ous: [ou-ab12-new], action: notify}\n"
        )
        silent = past.launch("i-9", event_id="silent")
        silent["responseElements"] = None
        logs = past.write_logs(tmp_path / "logs", {"a.json.gz": past.log(past.spot(["i-1"], "10:00:00"), silent)})
        code, out, err = backtest(logs, policy=policy)
        words = " ".join(out.split())
        assert code == 0
        assert "the accounts' organizational units are unknown" in err
        assert "Not evaluated: 1 launch whose instances CloudTrail omitted" in words
        assert "Not applied: terminations_per_run; they cannot be computed from logs." in words
        assert "In doubt: 1 of the hits: launched for a Spot request whose tags the log does not show." in words

    def test_what_broom_itself_did_is_told_and_judged_as_if_it_had_not(
        self, backtest: Backtest, tmp_path: Path
    ) -> None:
        broom, renamed = past.by_role("landkeeper-terminate", "landkeeper"), past.by_role("Sweeper", "nightly")
        logs = past.write_logs(tmp_path / "logs", {"a.json.gz": past.log(
            past.launch(["i-1", "i-3"]), past.launch("i-2", tags=LOL), past.ended(["i-1", "i-2"], "10:05:00", **broom),
            past.ended("i-3", "10:06:00", **renamed),
        )})  # fmt: skip
        code, out, _ = backtest(logs)
        words = " ".join(out.split())
        assert code == 0
        assert "of 3 instances 1 hit (1 terminated), 1 already gone, 1 compliant" in words
        assert "Broom terminated it at 2026-01-01 10:05:00" in words
        assert "Broom itself acted on 2 instances (2 terminated): this policy hits 1 and spares 1 of them." in words
        assert "In doubt: 1 of the hits: Broom terminated it before this policy's time was over" in words
        answer = answer_of(backtest(logs, "--broom-role", "Sweeper", "--format", "json"))
        assert answer["totals"].items() >= {"hit": 2, "gone": 0, "compliant": 1, "broom_actions": 3}.items()
        assert [(row["InstanceId"], row["Fate"], row["BroomAction"]) for row in answer["broom_actions"]] == [
            ("i-1", "terminated", "terminated"), ("i-2", "compliant", "terminated"),
            ("i-3", "terminated", "terminated"),
        ]  # fmt: skip
        assert answer["instances"][0]["BroomActionAt"] == "2026-01-01T10:05:00Z"
        rows = list(csv.DictReader(io.StringIO(backtest(logs, "--format", "csv")[1])))
        assert [(row["InstanceId"], row["BroomAction"]) for row in rows] == [("i-1", "terminated")]

    def test_an_interruption_and_an_instance_without_an_id_are_told(self, backtest: Backtest, tmp_path: Path) -> None:
        odd = past.launch(["i-1", ""])
        odd["requestParameters"]["instanceMarketOptions"] = {"spotOptions": {"instanceInterruptionBehavior": "stop"}}
        logs = past.write_logs(tmp_path / "logs", {"a.json.gz": past.log(odd, past.interrupted("i-1", "10:05:00"))})
        code, out, err = backtest(logs)
        words = " ".join(out.split())
        assert code == 3
        assert "of 1 instance none hit, 1 already gone" in words
        assert "In doubt: 1 of the instances already gone: EC2 interrupted it" in words
        assert "items[1].instanceId is empty: it has to be text; only an audit finds that instance" in err


class TestFiles:
    def test_no_launches_at_all_is_said_and_well(self, backtest: Backtest, tmp_path: Path) -> None:
        logs = past.write_logs(tmp_path / "logs", {"a.json.gz": past.log(past.record("DescribeTags", "10:00:00", {}))})
        code, out, err = backtest(logs)
        assert (code, err) == (0, "")
        assert "No launches found." in out
        assert answer_of(backtest(logs, "--format", "json"))["instances"] == []

    def test_a_name_that_is_not_utf_8_is_shown_escaped_and_its_file_kept(
        self, backtest: Backtest, tmp_path: Path
    ) -> None:
        name = os.fsdecode(b"caf\xe9.json.gz")
        logs = past.write_logs(tmp_path / "logs", {name: past.log(past.launch("i-1")), f"{name}.json": b"x"})
        shown = "caf\\udce9.json.gz"
        for kept in (0, 2):
            code, out, err = backtest(logs, "--format", "json")
            assert (code, json.loads(out)["totals"]["files_kept"]) == (3, kept)
            assert f'/{shown}"' in out
            assert f"/{shown}.json: not JSON" in err
        assert f"/{shown}\n" in backtest(logs, "--format", "csv")[1]
        assert "i-1" in backtest(logs)[1]

    def test_other_files_are_skipped_copies_count_once_and_bad_ones_are_a_line_each(
        self, backtest: Backtest, tmp_path: Path
    ) -> None:
        log = past.log(past.launch("i-1"))
        logs = past.write_logs(tmp_path / "logs", {
            "a.json.gz": log, "b/copy.json.gz": log, "cut.json.gz": log[:-9], "picture.png": b"x",
            "c.json": json.dumps({"Records": [past.launch("i-1"), past.launch("i-2")]}).encode(),
            "AWSLogs/1/CloudTrail-Digest/eu-west-1/2026/01/01/d.json.gz": b"x", "e.json": b"{}",
        })  # fmt: skip
        (logs / "loop.json").symlink_to("loop.json")
        code, out, err = backtest(logs, "--format", "json")
        answer = json.loads(out)
        assert code == 3
        assert [line.removeprefix(f"{logs}/") for line in err.splitlines()] == [
            "loop.json: cannot be read: Too many levels of symbolic links",
            "cut.json.gz: the gzip data ends early: the file is truncated",
            "e.json: no Records, and not a CloudTrail record itself",
        ]
        assert [(Path(each["File"]).name, each["Reason"]) for each in answer["skipped"]] == [
            ("picture.png", "not named like a log file"), ("d.json.gz", "a CloudTrail digest file"),
        ]  # fmt: skip
        assert [(Path(one["File"]).name, Path(one["Of"]).name) for one in answer["copies"]] == [
            ("copy.json.gz", "a.json.gz")
        ]
        assert [each["InstanceId"] for each in answer["instances"]] == ["i-1", "i-2"]
        assert answer["totals"].items() >= {"launches": 2, "repeats": 1, "files": 5}.items()
        assert [Path(each["File"]).name for each in answer["unreadable"]] == ["loop.json", "cut.json.gz", "e.json"]
        assert "(1 copy ignored, 2 other files skipped, 3 faults)" in " ".join(backtest(logs, "--no-cache")[1].split())

    def test_what_is_not_there_is_wrong_usage_and_an_empty_folder_is_named(
        self, backtest: Backtest, tmp_path: Path
    ) -> None:
        assert backtest(tmp_path / "nowhere")[0] == 2
        (tmp_path / "empty").mkdir()
        code, _, err = backtest(tmp_path / "empty", tmp_path / "nowhere")
        assert code == 3
        assert err.splitlines() == [
            f"{tmp_path}/empty: the folder is empty", f"{tmp_path}/nowhere: there is no such file or folder",
        ]  # fmt: skip

    @pytest.mark.parametrize(
        ("arguments", "line"),
        [
            (
                ["--since", "yesterday"],
                "--since is 'yesterday': expected a time such as 2026-03-01T12:00:00Z, a date, or 7d (that long ago)",
            ),
            (
                ["--since", "2026-02-01", "--until", "2026-01-01"],
                "--since 2026-02-01T00:00:00Z is not before --until 2026-01-02T00:00:00Z",
            ),
            (["--grace", "soon"], "--grace is 'soon': expected a number with s, m, h or d, for example 15m"),
            (
                ["--broom-role", "a/b"],
                "--broom-role is 'a/b': expected the name of a role, without its ARN and path",
            ),
            (["--against", "nowhere.yaml"], "the policy nowhere.yaml cannot be read: No such file or directory"),
        ],
    )
    def test_wrong_usage_is_one_line(self, backtest: Backtest, logs: Path, arguments: list[str], line: str) -> None:
        assert backtest(logs, *arguments) == (2, "", f"landkeeper: {line}\n")

    def test_a_policy_that_fails_its_check_ends_it_before_anything_is_read(
        self, backtest: Backtest, tmp_path: Path
    ) -> None:
        bad = tmp_path / "bad.yaml"
        bad.write_text("version: 1\nruls: []\n")
        code, out, err = backtest(tmp_path / "nowhere", policy=bad)
        assert (code, out) == (2, "")
        assert len(err.splitlines()) == 1
        assert "bad.yaml:2: in the policy the key 'ruls' is not known" in err
        assert not (tmp_path / "cache").exists()


class TestTheCache:
    def test_the_second_policy_reads_only_what_is_new_or_changed(
        self, backtest: Backtest, logs: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first = answer_of(backtest(logs, "--format", "json"))
        again = answer_of(backtest(logs, "--format", "json"))
        assert (first["totals"].pop("files_kept"), again["totals"].pop("files_kept")) == (0, 4)
        assert {**again, "read_at": first["read_at"]} == first
        changed = logs / past.trail_key("2026-01-02")
        changed.write_bytes(past.log(past.launch("i-5", "2026-01-02T10:00:00Z")))
        (logs / "new.json.gz").write_bytes(past.log(past.launch("i-6", "2026-01-02T10:00:00Z")))
        monkeypatch.chdir(logs)
        third = answer_of(backtest(".", "--format", "json"))
        assert third["totals"]["files_kept"] == 3
        assert [each["InstanceId"] for each in third["instances"]] == ["i-1", "i-5", "i-6", "i-4"]
        assert answer_of(backtest(logs, "--no-cache", "--format", "json"))["totals"]["files_kept"] == 0

    def test_what_was_unreadable_is_named_from_the_cache_as_well(self, backtest: Backtest, tmp_path: Path) -> None:
        logs = past.write_logs(tmp_path / "logs", {"cut.json.gz": past.log(past.launch("i-1"))[:-9]})
        assert backtest(logs, "--format", "csv") == backtest(logs, "--format", "csv")
        assert backtest(logs)[0] == 3

    @pytest.mark.parametrize("damage", ["broken", "folder", "file in the way"])
    def test_a_cache_that_is_of_no_use_breaks_nothing(
        self, backtest: Backtest, logs: Path, tmp_path: Path, damage: str
    ) -> None:
        file = tmp_path / "cache" / "landkeeper" / "backtest.db"
        if damage == "file in the way":
            (tmp_path / "cache").write_text("")
        else:
            file.parent.mkdir(parents=True)
            file.mkdir() if damage == "folder" else file.write_bytes(b"SQLite format 3\0" + b"\xff" * 4096)
        code, out, err = backtest(logs)
        assert code == 0
        assert "2 hit (2 terminated)" in out
        assert ("the cache could not be written: " in err) is (damage != "broken")


def many_logs(folder: Path, number: int, *, padding: int = 3000) -> Path:
    """Files with a launch each, of some kilobytes each that do not get smaller."""
    noise = os.urandom(padding).hex()
    return past.write_logs(
        folder,
        {
            f"{at:05}.json.gz": gzip.compress(
                json.dumps(
                    {"Records": [past.launch(f"i-{at:05}", userAgent=f"{at}{noise}")]}, separators=(",", ":")
                ).encode()
            )
            for at in range(number)
        },
    )


def test_several_processes_find_what_one_finds_in_the_same_order(backtest: Backtest, tmp_path: Path) -> None:
    from landkeeper.broom.cloudtrail.found import Harvest  # noqa: PLC0415 - the other way to the same launches

    logs = many_logs(tmp_path / "logs", 400, padding=10_000)
    (logs / "00200.json.gz").write_bytes(b"\x1f\x8bnothing")
    code, out, err = backtest(logs, "--format", "json")
    answer, plain = json.loads(out), Harvest()
    for file in sorted(logs.iterdir()):
        plain.add_file(str(file), file.read_bytes())
    assert code == 3
    assert err.count("\n") == 1
    assert sum(file.stat().st_size for file in logs.iterdir()) > 4 * 1024 * 1024
    assert {each["EventId"] for each in answer["instances"]} == {found.launch.event_id for found in plain.launches}
    assert [each["Source"] for each in answer["instances"]] == sorted(each["Source"] for each in answer["instances"])


@pytest.mark.usefixtures("no_aws")
@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is a signal here")
def test_ctrl_c_gives_the_answer_so_far_says_so_and_the_next_run_goes_on(tmp_path: Path, policy_file: Path) -> None:
    logs = many_logs(tmp_path / "logs", 1200)
    # The last one is a pipe that nobody writes to: reading does not come to an end by itself.
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    command = [sys.executable, "-m", "landkeeper", "broom", "backtest", str(logs), "--policy", str(policy_file)]
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    running = subprocess.Popen(
        [*command, str(pipe), "--format", "json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    cache = tmp_path / "cache" / "landkeeper" / "backtest.db-wal"
    wait_until(lambda: running.poll() is not None or (cache.exists() and cache.stat().st_size > 100_000))
    assert running.poll() is None
    running.send_signal(signal.SIGINT)
    # Whoever waits for the pipe is let go, as a disk that answers in the end would do.
    with suppress(OSError):
        os.close(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))
    out, err = running.communicate(timeout=HANG_SECONDS)
    answer = json.loads(out)
    assert running.returncode == 3
    assert "interrupted: partial result" in err
    assert answer["partial"] is True
    assert answer["totals"]["files_unread"] > 0
    assert 0 < answer["totals"]["launches"] == answer["totals"]["files"] < 1200
    done = subprocess.run([*command, "--format", "json"], capture_output=True, text=True, check=False, env=environment)
    again = json.loads(done.stdout)
    assert (done.returncode, again["partial"], again["totals"]["launches"]) == (0, False, 1200)
    assert again["totals"]["files_kept"] > 0


@pytest.mark.usefixtures("no_aws")
@pytest.mark.skipif(sys.platform != "linux" or len(os.sched_getaffinity(0)) == 1, reason="needs /proc, two processors")
def test_killed_it_leaves_no_process_behind(tmp_path: Path, policy_file: Path) -> None:
    logs = many_logs(tmp_path / "logs", 1200)
    # Reading does not come to an end by itself.
    os.mkfifo(tmp_path / "pipe")
    command = [sys.executable, "-m", "landkeeper", "broom", "backtest", str(logs), str(tmp_path / "pipe")]
    with subprocess.Popen(
        [*command, "--policy", str(policy_file), "--no-cache"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        process_group=0,
    ) as running:
        wait_until(lambda: running.poll() is not None or len(group_members(running.pid)) > 1)
        assert running.poll() is None, "there was nothing to kill"
        running.kill()
    assert wait_until(lambda: not group_members(running.pid))
