"""The list of files that run first names files that there are."""

from __future__ import annotations

from pathlib import Path

from tests.longest_first import LONGEST_FIRST, UNMEASURED


def test_every_file_of_the_list_is_there_once() -> None:
    assert [name for name in (*LONGEST_FIRST, *UNMEASURED) if not (Path(__file__).parent / name).is_file()] == []
    assert len(set(LONGEST_FIRST)) == len(LONGEST_FIRST)
