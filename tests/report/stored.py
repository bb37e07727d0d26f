"""Stores that hold what a report is made from."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from landkeeper.embedded.ledger_file import LedgerFile
from landkeeper.embedded.pool_file import PoolFile
from landkeeper.report.report_input import ReportInput
from landkeeper.vpctracker.differences import Appeared
from landkeeper.vpctracker.pools.items import LIST, PoolWrite, pool_to_item, reservation_to_item

if TYPE_CHECKING:
    from landkeeper.broom.ports import Ledger
    from landkeeper.vpctracker.pools.ports import PoolStore
    from landkeeper.vpctracker.ports import VpcStore


def keep_in_file(path: Path, made: ReportInput) -> Path:
    """Write everything of a report input into a SQLite file; return its path."""
    with closing(PoolFile(path)) as store, closing(LedgerFile(path)) as ledger:
        keep(made, store, store, ledger)
    return path


def keep(made: ReportInput, vpcs: VpcStore, pools: PoolStore, ledger: Ledger) -> None:
    """Write everything of a report input into these stores."""
    assert not vpcs.write_changes([Appeared(replace(stored, version=1)) for stored in made.known.vpcs])
    for coverage in made.known.coverage.values():
        assert vpcs.write_coverage(coverage)
    for number, state in enumerate(made.pools):
        assert pools.write_pools(PoolWrite({LIST: number}, (pool_to_item(state.pool),)))
        items = tuple(reservation_to_item(reservation) for reservation in state.reservations)
        assert pools.write_pools(PoolWrite({state.pool.id: 0}, items))
    for case in made.ledger.cases if made.ledger is not None else ():
        assert ledger.write_case(replace(case, version=1))
