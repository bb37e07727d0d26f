"""Which files of a folder are read, and what is said of the others."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from landkeeper.broom.cloudtrail.keys import Days
from landkeeper.settings import read_settings
from landkeeper.wiring.broom.log_folders import FolderFile, PassedOver, Unlisted, walk_folder
from landkeeper.wiring.broom.log_sources import LogFile, SkippedFile, UnreadableFile, read_sources
from landkeeper.wiring.broom.past_files import Found, PastFile, find_files

LINK_TO_NOTHING = "a symbolic link to a file that does not exist"
WALKED = "a link to a folder that is read already"


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """A folder with what people link into one."""
    for name in ("logs/a.json", "logs/z/b.log", "elsewhere/c.jsonl.gz", "elsewhere/deep/d.ndjson"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("{}")
    logs = tmp_path / "logs"
    (logs / "gone.json").symlink_to("nothing.json")
    (logs / "linked").symlink_to(tmp_path / "elsewhere")
    (logs / "again").symlink_to(tmp_path / "elsewhere")
    (logs / "y").symlink_to("z")
    (tmp_path / "elsewhere" / "up").symlink_to(logs)
    (logs / "e.json").symlink_to(tmp_path / "elsewhere" / "c.jsonl.gz")
    os.mkfifo(logs / "pipe.json")
    return logs


def test_linked_folders_are_walked_once_and_loops_noticed(logs: Path) -> None:
    entries = {str(Path(entry.name).relative_to(logs)): entry for entry in walk_folder(str(logs))}
    files = [name for name, entry in entries.items() if isinstance(entry, FolderFile)]
    assert files == ["a.json", "e.json", "z/b.log", "again/c.jsonl.gz", "again/deep/d.ndjson"]
    passed = {name: entry.reason for name, entry in entries.items() if isinstance(entry, PassedOver)}
    assert passed == {"pipe.json": "not a file", "linked": WALKED, "y": WALKED, "again/up": WALKED}
    unlisted = {name: entry.reason for name, entry in entries.items() if isinstance(entry, Unlisted)}
    assert unlisted == {"gone.json": LINK_TO_NOTHING}


def found_at(*paths: Path) -> Found:
    return find_files([str(path) for path in paths], Days(), NotImplemented, lambda: False)


def test_a_link_to_nothing_is_one_file_unread(logs: Path) -> None:
    found = found_at(logs, logs / "gone.json", logs / "nowhere.json")
    assert [Path(file.name).name for file in found.files] == ["a.json", "e.json", "b.log", "c.jsonl.gz", "d.ndjson"]
    assert [(Path(fault.source).name, fault.reason) for fault in found.faults] == [
        ("gone.json", LINK_TO_NOTHING),
        ("gone.json", LINK_TO_NOTHING),
        ("nowhere.json", "there is no such file or folder"),
    ]
    assert found.missing == 1


def test_a_sweep_reads_the_same_files(logs: Path) -> None:
    paths = [str(logs), str(logs / "gone.json"), str(logs / "nowhere.json")]
    sources = list(read_sources(paths, read_settings({})))
    read = [Path(source.name).name for source in sources if isinstance(source, LogFile)]
    assert read == ["a.json", "e.json", "b.log", "c.jsonl.gz", "d.ndjson"]
    skipped = [Path(source.name).name for source in sources if isinstance(source, SkippedFile)]
    assert skipped == ["pipe.json", "linked", "y", "up"]
    unread = [(Path(each.name).name, each.is_missing) for each in sources if isinstance(each, UnreadableFile)]
    assert unread == [("gone.json", False), ("gone.json", False), ("nowhere.json", True)]


def test_names_tell_logs_from_archives_and_the_rest(tmp_path: Path) -> None:
    firehose = "trail-1-2026-01-01-10-00-00-0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f"
    names = ["a.LOG", firehose, "b.log.gz", "x.zip", "y.tar.gz", "z.json.bz2", "notes.txt", "aws-logs-write-test"]
    for name in names:
        (tmp_path / name).write_text("{}")
    found = found_at(tmp_path)
    assert [Path(file.name).name for file in found.files] == ["a.LOG", "b.log.gz", firehose]
    assert [(Path(fault.source).name, fault.reason) for fault in found.faults] == [
        ("x.zip", "a ZIP archive, which is not unpacked here"),
        ("y.tar.gz", "a tar archive, which is not unpacked here"),
        ("z.json.bz2", "a bzip2 file, which is not unpacked here"),
    ]
    assert [(Path(each.name).name, each.reason) for each in found.skipped] == [
        ("aws-logs-write-test", "a test file of CloudWatch Logs"),
        ("notes.txt", "not named like a log file"),
    ]


def test_a_name_that_is_not_utf_8_is_kept_as_its_bytes() -> None:
    odd = os.fsdecode(b"/logs/caf\xe9.json")
    assert PastFile(odd, 1, "1:1").key == "bytes:" + b"/logs/caf\xe9.json".hex()
    assert PastFile("/logs/café.json", 1, "1:1").key == "/logs/café.json"


def test_what_may_not_be_looked_at_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "closed").mkdir()

    def refuse(path: str) -> object:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert list(walk_folder(str(tmp_path))) == [Unlisted(str(tmp_path), "cannot be read: Permission denied")]
    too_long = "x" * 5000
    assert [fault.reason for fault in found_at(Path(too_long)).faults] == ["cannot be read: File name too long"]
