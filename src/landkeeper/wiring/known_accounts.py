"""Accounts by their names: what VPC Tracker's store calls them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from landkeeper.org import AccountId, UsageError, parse_account_id
from landkeeper.vpctracker.answers.names import find_account, known_accounts

if TYPE_CHECKING:
    from landkeeper.settings import Settings


def find_account_ids(settings: Settings, texts: Sequence[str]) -> tuple[AccountId, ...]:
    """Return the ids of accounts that are given by id or name. The store is read only where there are names.

    Raise UsageError where no account, or more than one, has a name, and where there is no store to look it up in.
    """
    names: Mapping[AccountId, str] | None = None
    found = []
    for text in texts:
        if text.isdecimal():
            found.append(parse_account_id(text))
            continue
        names = read_account_names(settings) if names is None else names
        if not names:
            raise UsageError(f"'{text}' is not an account id, and no account has been tracked: pass the id")
        found.append(find_account(text, names))
    return tuple(found)


def find_account_id(settings: Settings, text: str) -> AccountId:
    """Return the id of one account, as `find_account_ids` does."""
    return find_account_ids(settings, [text])[0]


def refuse_unknown_account(settings: Settings, account: AccountId) -> None:
    """Raise UsageError where the store knows accounts, and this is none of them."""
    names = read_account_names(settings)
    if names:
        find_account(account, names)


def read_account_names(settings: Settings) -> Mapping[AccountId, str]:
    """Return the accounts in the store with their names; none where the settings name no store that exists."""
    if settings.vpc_table is None and not settings.file.exists():
        return {}
    from landkeeper.vpctracker.answers.freshness import by_account
    from landkeeper.wiring.vpc_store import open_store

    with open_store(settings, to_write=False) as store:
        return known_accounts((), by_account(store.read_all_coverage()))
