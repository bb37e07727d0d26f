"""Files that are written: never through a link that somebody put there, and for their owner alone."""

from __future__ import annotations

import os
import resource
import stat
import threading
from pathlib import Path

import pytest

from landkeeper.org import UsageError
from landkeeper.wiring.texts import check_writable, replace_file, write_new_file


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def test_a_new_file_is_for_its_owner_alone_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    replace_file(path, b"new")
    assert (path.read_bytes(), _mode(path)) == (b"new", 0o600)
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_is_replaced_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_bytes(b"old")
    path.chmod(0o644)
    replace_file(path, b"new")
    assert (path.read_bytes(), _mode(path)) == (b"new", 0o644)


@pytest.mark.parametrize("name", ["report.html", ".report.html.part"])
def test_nothing_is_written_through_a_link(tmp_path: Path, name: str) -> None:
    victim, path = tmp_path / "victim", tmp_path / "report.html"
    victim.write_bytes(b"theirs")
    victim.chmod(0o666)
    (tmp_path / name).symlink_to(victim)
    replace_file(path, b"new")
    assert victim.read_bytes() == b"theirs"
    assert (path.is_symlink(), path.read_bytes(), _mode(path)) == (False, b"new", 0o600)


def test_what_cannot_be_written_is_named_and_nothing_is_left_behind(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(UsageError, match="taken cannot be written: Is a directory"):
        replace_file(tmp_path / "taken", b"new")
    assert [file.name for file in tmp_path.iterdir()] == ["taken"]


def test_a_new_file_replaces_nothing_and_follows_no_link(tmp_path: Path) -> None:
    path = tmp_path / "broom.yaml"
    write_new_file(path, b"new")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for taken in (path, tmp_path / "link", tmp_path):
        with pytest.raises(UsageError, match="exists and is not overwritten"):
            write_new_file(taken, b"other")
    assert path.read_bytes() == b"new"
    assert not (tmp_path / "nowhere").exists()


def test_a_new_file_that_does_not_fit_leaves_nothing_behind(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, before[1]))
    try:
        with pytest.raises(UsageError, match="cannot be written: File too large"):
            write_new_file(tmp_path / "broom.yaml", b"new")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(tmp_path.iterdir()) == []


def test_whether_a_file_can_be_written_is_known_before_and_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "old.txt").write_bytes(b"old")
    check_writable(tmp_path / "old.txt")
    check_writable(tmp_path / "new.txt")
    check_writable(Path("/dev/null"))
    with pytest.raises(UsageError, match="taken cannot be written: Is a directory"):
        check_writable(tmp_path / "taken")
    with pytest.raises(UsageError, match="absent/x cannot be written: No such file or directory"):
        check_writable(tmp_path / "absent" / "x")
    with pytest.raises(UsageError, match=r"old\.txt/x cannot be written: Not a directory"):
        check_writable(tmp_path / "old.txt" / "x")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["old.txt", "taken"]
    assert (tmp_path / "old.txt").read_bytes() == b"old"


def test_what_is_no_file_is_written_to_and_stays(tmp_path: Path) -> None:
    pipe, got = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
    reader.start()
    check_writable(pipe)
    replace_file(pipe, b"new")
    reader.join()
    assert got == [b"new"]
    assert pipe.is_fifo()


def test_a_pipe_of_the_shell_is_written_to() -> None:
    reading, writing = os.pipe()
    replace_file(Path(f"/dev/fd/{writing}"), b"new")
    os.close(writing)
    assert os.read(reading, 99) == b"new"
    os.close(reading)


def test_a_link_to_what_is_no_file_is_replaced_too(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "theirs")
    (tmp_path / "answer.txt").symlink_to(tmp_path / "theirs")
    check_writable(tmp_path / "answer.txt")
    replace_file(tmp_path / "answer.txt", b"new")
    assert (tmp_path / "answer.txt").is_symlink() is False
    assert (tmp_path / "answer.txt").read_bytes() == b"new"
