"""The store that VPC Tracker keeps its records in: tables, or a file on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from landkeeper.org import UsageError
from landkeeper.wiring.sessions import home_sessions

if TYPE_CHECKING:
    from landkeeper.settings import Settings
    from landkeeper.vpctracker.ports import VpcStore


@contextmanager
def open_store(settings: Settings, *, to_write: bool, with_new_tables: bool = False) -> Iterator[VpcStore]:
    """The store that the settings name. A file is created or changed only `to_write`, tables only `with_new_tables`.

    Raises UsageError or StoreError when there is no such store, or it does not belong to Landkeeper.
    """
    if settings.vpc_table is not None:
        from landkeeper.aws.vpctracker.vpc_table import VpcTable, check_table, create_tables

        client = home_sessions(settings).home("dynamodb")
        if with_new_tables:
            create_tables(client, settings.vpc_table)
        check_table(client, settings.vpc_table)
        yield VpcTable(client, settings.vpc_table)
        return
    if with_new_tables:
        raise UsageError("--create-tables requires --table NAME")
    if not to_write and not settings.file.exists():
        raise UsageError(
            f"the file '{settings.file}' does not exist: `landkeeper vpc track` creates it; pass --file or "
            "--table for another store"
        )
    # Here and not above: the function package comes without the embedded rooms.
    from landkeeper.embedded.vpc_file import VpcFile

    with closing(VpcFile(settings.file, to_write=to_write)) as store:
        yield store
