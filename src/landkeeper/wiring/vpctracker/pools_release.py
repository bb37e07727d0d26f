"""Through which credentials the places are read before a block is released."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from landkeeper.org import AccountId, UnavailableError, UsageError
from landkeeper.wiring.vpctracker.commands import find_source

if TYPE_CHECKING:
    from collections.abc import Collection

    from landkeeper.settings import Settings
    from landkeeper.vpctracker.pools.release import OpenReader
    from landkeeper.vpctracker.ports import VpcReader


def reader_by(settings: Settings) -> OpenReader:
    """Return what opens a reader of accounts with the role that the settings name."""

    def open_reader(accounts: Collection[AccountId]) -> VpcReader | str:
        try:
            source = find_source(replace(settings, accounts=tuple(accounts)))
        except (UsageError, UnavailableError) as error:
            return str(error)
        if source.listing.left_out:
            return f"the configuration skips {', '.join(source.listing.left_out)} (discovery.skip_accounts)"
        return source.reader

    return open_reader
