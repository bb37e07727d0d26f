"""Pools' wiring: which store, who acts, and what AWS is asked besides."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from landkeeper.org import AccountId, Failure, FailureReason, Membership, UsageError
from landkeeper.vpctracker.pools.operations import Actor, read_pools
from landkeeper.vpctracker.pools.pool import find_pool
from landkeeper.vpctracker.pools.ports import PoolStore, TrackedStore
from landkeeper.vpctracker.pools.tracked import Tracked, may_be_in, read_tracked
from landkeeper.wiring.config import read_config
from landkeeper.wiring.sessions import home_sessions

if TYPE_CHECKING:
    from landkeeper.aws.sessions import AccountSessions
    from landkeeper.settings import Settings
    from landkeeper.vpctracker.cidr import Block
    from landkeeper.vpctracker.config import TrackerConfig
    from landkeeper.vpctracker.ports import VpcStore

_PATIENCE_SECONDS = 60.0


class _Both(PoolStore, TrackedStore, Protocol):
    """What keeps pools and what the tracker knows."""


@dataclass(frozen=True, slots=True)
class Pools:
    """Everything that a command on pools needs."""

    store: _Both
    vpcs: VpcStore
    config: TrackerConfig
    actor: Actor
    sessions: AccountSessions | None
    """Those of the table; None where a file keeps the records."""

    def tracked_of(self, space: str, within: Block | None = None) -> Tracked:
        """What the tracker knows of that space, and of its VPCs in that block."""
        return read_tracked(self.store, space, self.config, within)


@contextmanager
def open_pools(settings: Settings, *, to_write: bool, with_new_file: bool = False) -> Iterator[Pools]:
    """The store that the settings name, which has to be there; a file is made only `with_new_file`.

    Raises UsageError or StoreError where it is not there, or is not one of ours.
    """
    config = read_config(settings)
    if settings.vpc_table is not None:
        from landkeeper.aws.vpctracker.pool_table import PoolTable
        from landkeeper.aws.vpctracker.vpc_table import VpcTable

        sessions = home_sessions(settings)
        client = sessions.home("dynamodb")
        table = PoolTable(client, settings.vpc_table)
        table.check()
        by = sessions.home_principal() if to_write else ""
        yield Pools(table, VpcTable(client, settings.vpc_table), config, actor_named(by), sessions)
        return
    if not with_new_file and not settings.file.exists():
        raise UsageError(
            f"the file '{settings.file}' does not exist: `landkeeper vpc track` creates it; pass --file or "
            "--table for another store"
        )
    # Here and not above: the function package comes without the embedded rooms.
    from landkeeper.embedded.pool_file import PoolFile

    with closing(PoolFile(settings.file, to_write=to_write)) as file:
        yield Pools(file, file, config, actor_named(_user() if to_write else ""), None)


def actor_named(by: str) -> Actor:
    """Somebody who acts now, and waits up to a minute for their turn."""
    return Actor(by, lambda: datetime.now(UTC), _new_id, _pauses)


def _new_id() -> str:
    import uuid

    return f"res-{uuid.uuid4().hex[:17]}"


def _pauses() -> Iterator[bool]:
    from landkeeper.aws.backoff import Backoff

    return Backoff(0.02, 2.0, patience_seconds=_PATIENCE_SECONDS).pauses()


def _user() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # A container may run as a user id that has no name.
        return ""


def check_account(pools: Pools, settings: Settings, account: AccountId, pool: str) -> None:
    """Raises UsageError for an account that is not in the organisation, is no longer active in it, or not in the pool's
    space.

    The tracker knows those that it was told of. For any other one Organizations is asked.
    """
    known = pools.vpcs.read_coverage(account)
    space = find_pool(read_pools(pools.store), pool).space
    if not may_be_in(known, space, pools.config):
        raise UsageError(f"the pool '{pool}' is in the space {space}, but the VPCs of account {account} are not")
    if known.tried_at is not None or known.regions:
        if known.membership not in {Membership.ACTIVE, Membership.SKIPPED}:
            raise UsageError(f"no block for account {account}: it is {known.membership}")
        return
    from landkeeper.aws.vpctracker.member import find_member_state

    sessions = pools.sessions or home_sessions(settings)
    state = find_member_state(sessions.home("organizations"), account)
    if isinstance(state, Failure):
        why = "is not in the organisation" if state.reason is FailureReason.NOT_FOUND else (
            f"has never been tracked, and its membership in the organisation cannot be read: {state}"
        )  # fmt: skip
        raise UsageError(f"the account {account} {why}")
    if state != "ACTIVE":
        raise UsageError(f"no block for account {account}: it is {state.lower().replace('_', ' ')}")
