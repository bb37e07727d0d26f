"""Default VPCs' wiring: through which credentials they are looked at and deleted, and where that is recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from landkeeper.aws.vpctracker.default_vpcs import Ec2DefaultVpcs
from landkeeper.vpctracker.default_vpcs.removal import (
    Record,
    Removal,
    Result,
    Survey,
    delete_default_vpcs,
    recording,
    survey_default_vpcs,
)
from landkeeper.wiring.vpc_store import open_store
from landkeeper.wiring.vpctracker.commands import MAX_WORKERS, Source, calls_at_once, find_source

if TYPE_CHECKING:
    from landkeeper.org import Account
    from landkeeper.settings import Settings
    from landkeeper.vpctracker.track import Progress

OnProgress = Callable[["Progress"], None]


def find_network_source(settings: Settings, *, organization: bool = False, profiles: Sequence[str] = ()) -> Source:
    """As `find_source`, with the role that may change networks instead of the one that reads."""
    entered = replace(settings, role_name=settings.network_role_name)
    return find_source(entered, organization=organization, profiles=profiles)


def survey(settings: Settings, source: Source, on_progress: OnProgress) -> tuple[Survey, ...]:
    """Look at the default VPCs of the source's accounts; nothing is changed."""
    vpcs = _default_vpcs(settings, source)
    return survey_default_vpcs(source.accounts, vpcs, max_workers=MAX_WORKERS, on_progress=on_progress)


def delete(
    settings: Settings,
    source: Source,
    surveys: Sequence[Survey],
    record: Record | None,
    on_progress: OnProgress,
    *,
    on_result: Callable[[Account, Result], None] = lambda _account, _result: None,
) -> tuple[Removal, ...]:
    """Carry out the plans of the surveys, each after a fresh look."""
    vpcs = _default_vpcs(settings, source)
    return delete_default_vpcs(
        surveys, vpcs, record, max_workers=MAX_WORKERS, on_progress=on_progress, on_result=on_result
    )


def _default_vpcs(settings: Settings, source: Source) -> Ec2DefaultVpcs:
    return Ec2DefaultVpcs(
        source.sessions_of,
        regions=settings.regions,
        is_governed=source.is_governed,
        calls_at_once=calls_at_once(len(source.accounts)),
    )


@contextmanager
def open_record(settings: Settings, source: Source) -> Iterator[Record | None]:
    """What records deletions in the store that the settings name; None where that is a file that is not there.

    Raises UsageError or StoreError where the store is not one of ours.
    """
    if settings.vpc_table is None and not settings.file.exists():
        yield None
        return
    with open_store(settings, to_write=True) as store:
        yield recording(
            source.reader,
            store,
            lambda account: source.sessions_of(account).home_principal(),
            lambda: datetime.now(UTC),
        )
