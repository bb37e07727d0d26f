"""Pools as the document has them: how full each is, and what is reserved in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from landkeeper.org import format_time
from landkeeper.report.document import PoolView, ReservationView
from landkeeper.vpctracker.answers.spaces import spaces_of
from landkeeper.vpctracker.pools.growth import Growth, Usage, measure_growth, measure_usage
from landkeeper.vpctracker.pools.pool import Kind, PoolState, Reservation, ancestors
from landkeeper.vpctracker.pools.tracked import Tracked, tracked_in

if TYPE_CHECKING:
    from landkeeper.report.report_input import ReportInput


def view_pools(report_input: ReportInput) -> tuple[PoolView, ...]:
    """Every pool, by space and address."""
    known, states = report_input.known, {state.pool.id: state for state in report_input.pools}
    live = [one.vpc for one in known.vpcs if one.is_live]
    spaces = {state.pool.space for state in report_input.pools}
    tracked = {space: tracked_in(space, live, known.coverage, report_input.config) for space in spaces}
    return tuple(_view_pool(state, states, tracked[state.pool.space], report_input) for state in report_input.pools)


def _view_pool(
    state: PoolState, states: Mapping[str, PoolState], tracked: Tracked, report_input: ReportInput
) -> PoolView:
    pool = state.pool
    usage = measure_usage(state, _around(state, states), tracked, report_input.now)
    growth = _growth(state, usage, report_input)
    return PoolView(
        id=pool.id,
        cidr=str(pool.block),
        parent=pool.parent,
        space=pool.space,
        region=pool.region,
        min=pool.shortest,
        max=pool.longest,
        used=usage.used,
        reserved=usage.reserved,
        in_pools=usage.delegated,
        free=usage.free,
        largest_free=None if usage.largest_free is None else str(usage.largest_free),
        full_on=None if growth is None or growth.full_at is None else format_time(growth.full_at)[:10],
        reservations=tuple(_view_reservation(one, usage, tracked) for one in state.reservations),
    )


def _around(state: PoolState, states: Mapping[str, PoolState]) -> Iterable[Reservation]:
    outer = ancestors(state.pool, [one.pool for one in states.values()])
    return [one for each in outer for one in states[each.id].reservations]


def _growth(state: PoolState, usage: Usage, report_input: ReportInput) -> Growth | None:
    space_of, known = spaces_of(report_input.config).space_of, report_input.known
    vpcs = [one for one in known.vpcs if space_of(one.vpc).name == state.pool.space]
    first = min((one.first_seen for one in known.vpcs), default=None)
    return measure_growth(state, usage, vpcs, first, report_input.now)


def _view_reservation(one: Reservation, usage: Usage, tracked: Tracked) -> ReservationView:
    using = tracked.find_overlapping(one.held) if one.kind is Kind.ALLOCATION else ()
    state = one.kind.value
    if one.kind is Kind.ALLOCATION:
        state = "over" if one.id in usage.over else "used" if using else "reserved"
    return ReservationView(
        id=one.id,
        cidr=str(one.block),
        room=None if one.room is None else str(one.room),
        account=one.account,
        region=one.region,
        state=state,
        purpose=one.purpose,
        expires=None if one.expires_at is None else format_time(one.expires_at),
        vpcs=tuple(vpc.id for vpc in using),
    )
