"""Public CloudTrail logs, where they lie beside the project: each engine finds in them what the whole parse finds."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from landkeeper.broom.cloudtrail.engine import STANDARD, Engine
from landkeeper.broom.cloudtrail.fast_engine import FastEngine, find_reader
from landkeeper.broom.cloudtrail.records import Malformed, read_log
from landkeeper.broom.cloudtrail.scan import scan_log
from landkeeper.broom.cloudtrail.text import is_packed
from landkeeper.broom.launches import Launch

CORPORA = (Path(__file__).parents[2] / ".." / "shared" / "corpora").resolve()
FILES = sorted(file for folder in ("cloudtrail-logs", "cloudtrail-records") for file in (CORPORA / folder).rglob("*.*"))

pytestmark = [
    pytest.mark.corpora,
    pytest.mark.skipif(not CORPORA.is_dir(), reason="the corpora of public logs are not beside the project"),
]


@pytest.mark.parametrize(
    "engine", [STANDARD, FastEngine(find_reader()), FastEngine()], ids=["standard", "fast", "fast, by msgspec"]
)
@pytest.mark.parametrize("packed", [False, True], ids=["as they are", "packed"])
def test_each_engine_finds_what_the_whole_parse_finds(engine: Engine, *, packed: bool) -> None:
    assert FILES
    launches = 0
    for file in FILES:
        data = file.read_bytes()
        if packed and not is_packed(data):
            data = gzip.compress(data)
        entries, scanned = list(read_log(data)), scan_log(data, engine=engine)
        found = [entry for entry in entries if isinstance(entry, Launch)]
        assert [(each, each.where) for each in scanned.found if isinstance(each, Launch)] == [
            (each, each.where) for each in found
        ], file
        assert list(scanned.faults) == [entry for entry in entries if isinstance(entry, Malformed)], file
        assert scanned.records >= len(found), file
        launches += len(found)
    assert launches == len({row for row in _index() if row}) > 0, "the launches of the index"


def _index() -> list[str]:
    lines = (CORPORA / "INDEX-runinstances.tsv").read_text(encoding="utf-8").splitlines()
    column = lines[0].split("\t").index("errorCode")
    return [line for line in lines[1:] if line.split("\t")[column] == "None"]
