"""`vpc allocate` and `vpc release`: take a block from a pool, and give it back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal, assert_never

from landkeeper.cli.confirmation import apply_plan, has_terminal
from landkeeper.cli.output import Column, Format, chosen, print_record, print_rows
from landkeeper.cli.terminal import aside, say
from landkeeper.cli.vpc.known import freshness
from landkeeper.cli.vpc.query import settings_of
from landkeeper.org import UsageError, format_time, parse_region
from landkeeper.vpctracker.pools.access import check_account
from landkeeper.vpctracker.pools.allocation import PoolExhausted
from landkeeper.vpctracker.pools.items import reservation_to_item
from landkeeper.vpctracker.pools.operations import (
    Request,
    Reserved,
    Taken,
    allocate,
    find_releasable,
    find_reservation,
    release,
)
from landkeeper.vpctracker.pools.pool import parse_prefix_length, parse_room, parse_time_to_live
from landkeeper.vpctracker.pools.refusals import explain
from landkeeper.vpctracker.pools.unread import NeverRead
from landkeeper.wiring.known_accounts import find_account_id, find_account_ids
from landkeeper.wiring.vpctracker.pools import open_pools

if TYPE_CHECKING:
    from landkeeper.settings import Settings
    from landkeeper.vpctracker.coverage import Coverage
    from landkeeper.vpctracker.pools.pool import Reservation
_ATTRIBUTES = (
    "PoolId", "ReservationId", "CidrBlock", "RoomToGrow", "Kind", "For", "AccountId", "Region", "MadeBy", "MadeAt",
    "ExpiresAt", "RequestId", "Resource",
)  # fmt: skip
_COLUMNS = (
    Column("Block", "CidrBlock", style="yellow"),
    Column("Reservation", "ReservationId", style="cyan"),
    Column("Pool", "PoolId", optional=2),
    Column("Account", "AccountId"),
    Column("Region", "Region", optional=3),
    Column("For", "For", optional=1),
    Column("Room to grow", "RoomToGrow", optional=4),
    Column("Expires", "ExpiresAt", optional=5),
)
_USUAL = {"Region": (None,), "RoomToGrow": (None,), "ExpiresAt": (None,)}


def run_allocate(
    *, pool: str, prefix_length: str, account: str, purpose: str, grow_to: str | None, region: str | None,
    request_id: str, ttl: str | None, accept_unread: bool, accepted_unread: tuple[str, ...], config: str | None,
    table: str | None, file: Path | None, format_: Literal["text"] | Format,
) -> int:  # fmt: skip
    """Reserve the lowest free block of a pool."""
    settings = settings_of(table, file).with_config(config)
    request = Request(
        pool=pool,
        prefix_length=parse_prefix_length(prefix_length, "--prefix-length"),
        account=find_account_id(settings, account),
        purpose=purpose,
        grow_to=None if grow_to is None else parse_room(grow_to, "--grow-to"),
        region=None if region is None else parse_region(region),
        request_id=request_id,
        ttl=None if ttl is None else parse_time_to_live(ttl, "--ttl"),
        accept_unread=accept_unread,
        accepted_unread=frozenset(find_account_ids(settings, accepted_unread)),
    )
    with open_pools(settings, to_write=True) as pools:
        check_account(pools, request.account, pool)
        outcome = allocate(pools.store, request, pools.tracked_of, pools.actor)
        known = list(pools.store.read_all_coverage())
    match outcome:
        case NeverRead() | PoolExhausted() | Taken():
            raise UsageError(explain(outcome, request))
        case Reserved():
            _print_reserved(outcome, known, format_)
        case _:
            assert_never(outcome)
    return 0


def run_release(
    *, reservation: str, role_name: str | None, external_id: str | None, accept_unread: bool, config: str | None,
    table: str | None, file: Path | None, yes: bool, dry_run: bool, format_: Format,
) -> int:  # fmt: skip
    """Release a reservation. Refused while a VPC uses the block."""
    settings = settings_of(table, file).with_config(config).with_access(role_name=role_name, external_id=external_id)
    # No account is changed, and what is in use is refused: pipelines release without a question.
    task = _Release(settings, reservation, accept_unread, format_)
    apply_plan(task, yes=yes or not has_terminal(), dry_run=dry_run, is_table=format_ == "table")
    return 0


@dataclass(frozen=True, slots=True)
class _Release:
    """The release of a reservation."""

    settings: Settings
    id_: str
    accept_unread: bool
    format_: Format

    def rehearse(self) -> Reservation:
        """Return the reservation. Raise UsageError where stored data alone refuse its release."""
        with open_pools(self.settings, to_write=False) as pools:
            if self.accept_unread:
                return find_releasable(pools.store, self.id_, pools.tracked_of)[1]
            return find_reservation(pools.store, self.id_)[1]

    def show(self, plan: Reservation) -> None:
        """Print what would be released."""
        if self.format_ != "table":
            self._print_record(plan, "planned")
            return
        purpose = f" for {plan.purpose}" if plan.purpose else ""
        whose = f" of account {plan.account}" if plan.account else ""
        say(f"{plan.held} in pool {plan.pool} would be released: {plan.id}{purpose}{whose}.")
        if not self.accept_unread:
            say("Its regions are read again first, and it is kept if a VPC uses it.")

    def has_effect(self, plan: Reservation) -> bool:
        """Return True: what was released is released."""
        return bool(plan.id)

    def act(self, plan: Reservation | None) -> Reservation:
        """Release it. Raise UsageError where it is in use."""
        del plan
        with open_pools(self.settings, to_write=True) as pools:
            if self.accept_unread:
                freed = release(pools.store, self.id_, pools.tracked_of, pools.actor)
            else:
                from landkeeper.vpctracker.pools.release import release_after_reading
                from landkeeper.wiring.vpctracker.pools_release import reader_by

                freed = release_after_reading(pools, self.id_, reader_by(self.settings))
        if self.format_ == "table":
            say(f"Released {freed.held} in pool {freed.pool}.")
        else:
            self._print_record(freed, "released")
        return freed

    def _print_record(self, reservation: Reservation, state: str) -> None:
        record = {**reservation_attributes(reservation), "State": state}
        print_record(record, (*_ATTRIBUTES, "State"), self.format_, version=None)


def _print_reserved(reserved: Reserved, known: list[Coverage], format_: Literal["text"] | Format) -> None:
    reservation, used_by = reserved.reservation, [str(vpc.id) for vpc in reserved.used_by]
    record = {**reservation_attributes(reservation), "IsNew": reserved.is_new, "VpcIds": used_by}
    if format_ in {"json", "csv"}:
        print_record(record, (*_ATTRIBUTES, "IsNew", "VpcIds"), format_, version=None)
        return
    if format_ == "table":
        print_rows([record], chosen(_COLUMNS, [record], "table", usual=_USUAL), "table")
    else:
        say(str(reservation.block))
    room = f", with {reservation.room} reserved for growth" if reservation.room else ""
    until = f", expires {format_time(reservation.expires_at)} unless a VPC uses it" if reservation.expires_at else ""
    if used_by:
        until = f", used by {' and '.join(used_by)}"
    again = "" if reserved.is_new else " before by this request id,"
    where = f"as {reservation.id} in pool {reservation.pool}"
    aside(f"Reserved{again} {where}{room}{until}. {freshness(known, datetime.now(UTC))}", "dim")


def reservation_attributes(reservation: Reservation) -> dict[str, object]:
    """The reservation as JSON has it."""
    return {name: value for name, value in reservation_to_item(reservation).items() if name != "Item"}
