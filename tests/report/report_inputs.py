"""Inputs of reports, for several suites."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from functools import lru_cache
from importlib.resources import files
from typing import Any

from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from tests.strategies import START, accounts, blocks, coverages, stored_vpcs, texts

from landkeeper.report.document import Document, write_document
from landkeeper.report.report_input import ReportInput
from landkeeper.vpctracker.answers.listing import Snapshot
from landkeeper.vpctracker.config import Connection, Space, TrackerConfig
from landkeeper.vpctracker.coverage import Coverage
from landkeeper.vpctracker.inventory import StoredVpc

NOW = START + timedelta(days=6)


def report_input(
    *vpcs: StoredVpc, config: TrackerConfig | None = None, coverage: tuple[Coverage, ...] = (), **more: Any
) -> ReportInput:
    """Return the input of a report on these VPCs."""
    known = Snapshot(
        vpcs,
        {account.account: account for account in coverage},
        **{k: more.pop(k) for k in ("left_out", "as_of") if k in more},
    )
    return ReportInput(known, config or TrackerConfig(), more.pop("now", NOW), "file landkeeper.db", "0.1.0", **more)


@st.composite
def report_inputs(draw: st.DrawFn) -> ReportInput:
    """Draw any VPCs and coverage, with or without spaces, for the present or an earlier time."""
    vpcs = {stored.vpc.key: stored for stored in draw(st.lists(stored_vpcs(), max_size=6))}
    spaces = st.builds(Space, st.just("plant"), st.just(()), st.just({"Plant": "*"}), st.tuples(blocks))
    config = TrackerConfig(
        spaces=tuple(draw(st.lists(spaces, max_size=1))),
        connections=tuple(draw(st.lists(st.builds(Connection, accounts, accounts), max_size=2, unique=True))),
    )
    coverage = tuple(draw(st.lists(coverages(), max_size=3)))
    as_of = draw(st.none() | st.just(NOW - timedelta(days=1)))
    backtest = draw(st.none() | st.just(BACKTEST))
    named = draw(texts)
    return report_input(
        *vpcs.values(),
        config=config,
        coverage=coverage,
        as_of=as_of,
        backtest=backtest and {**backtest, "policy": named},
    )


BACKTEST: Mapping[str, Any] = {
    "kind": "landkeeper-backtest", "version": 1, "policy": "broom.yaml", "since": None, "until": "2026-03-01T00:00:00Z",
    "partial": False, "totals": {"Instances": 2, "Hit": 1}, "by": {"day": [{"Day": "2026-02-01", "Hit": 1}]},
    "instances": [{"InstanceId": "i-0123456789abcdef0", "Fate": "terminated"}],
}  # fmt: skip


@lru_cache
def _validator() -> Any:
    schema = json.loads(files("landkeeper.report").joinpath("report.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def checked(document: Document) -> dict[str, Any]:
    """Return the document as a page parses it, after validation by the schema."""
    read: dict[str, Any] = json.loads(write_document(document))
    _validator().validate(read)
    return read
