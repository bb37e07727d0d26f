"""Pools in the document: usage and reservations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from landkeeper.org import format_time
from landkeeper.report.document import PoolView, ReservationView
from landkeeper.vpctracker.answers.spaces import spaces_of
from landkeeper.vpctracker.pools.conflicts import find_holders, name_state
from landkeeper.vpctracker.pools.growth import Growth, Usage, measure_growth, measure_usage
from landkeeper.vpctracker.pools.pool import Pool, PoolState, Reservation, ancestors
from landkeeper.vpctracker.pools.tracked import Tracked, tracked_in

if TYPE_CHECKING:
    from landkeeper.report.report_input import ReportInput


def view_pools(report_input: ReportInput) -> tuple[PoolView, ...]:
    """Return every pool, by space and address."""
    known, states = report_input.known, {state.pool.id: state for state in report_input.pools}
    live = [stored.vpc for stored in known.vpcs if stored.is_live]
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
        reservations=tuple(_view_reservation(reservation, pool, usage, tracked) for reservation in state.reservations),
    )


def _around(state: PoolState, states: Mapping[str, PoolState]) -> Iterable[Reservation]:
    outer = ancestors(state.pool, [other.pool for other in states.values()])
    return [reservation for pool in outer for reservation in states[pool.id].reservations]


def _growth(state: PoolState, usage: Usage, report_input: ReportInput) -> Growth | None:
    space_of, known = spaces_of(report_input.config).space_of, report_input.known
    vpcs = [stored for stored in known.vpcs if space_of(stored.vpc).name == state.pool.space]
    first = min((stored.first_seen for stored in known.vpcs), default=None)
    return measure_growth(state, usage, vpcs, first, report_input.now)


def _view_reservation(reservation: Reservation, pool: Pool, usage: Usage, tracked: Tracked) -> ReservationView:
    holders = find_holders(reservation, pool, tracked)
    return ReservationView(
        id=reservation.id,
        cidr=str(reservation.block),
        room=None if reservation.room is None else str(reservation.room),
        account=reservation.account,
        region=reservation.region,
        state=name_state(reservation, holders, is_over=reservation.id in usage.over),
        purpose=reservation.purpose,
        expires=None if reservation.expires_at is None else format_time(reservation.expires_at),
        vpcs=tuple(vpc.id for vpc in holders.others or holders.own),
    )
