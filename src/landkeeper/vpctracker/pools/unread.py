"""Whose ranges nobody knows when a block is asked for, and which of them the request accepts."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date

from landkeeper.org import Account, AccountId, Membership, UsageError
from landkeeper.vpctracker.coverage import Coverage
from landkeeper.vpctracker.pools.tracked import Tracked, is_never_read


@dataclass(frozen=True, slots=True)
class NeverRead:
    """Nothing was reserved: these accounts may use any block, for nobody has seen what they have."""

    accounts: tuple[Coverage, ...]
    expired: Mapping[AccountId, date] = field(default_factory=dict)
    """When the declarations of those among them expired that have one."""


def find_unread(tracked: Tracked, asking: AccountId, accepted: Collection[AccountId], today: date) -> NeverRead | None:
    """Return the accounts of the space that stand in the way, beside those that are accepted; None where there is none.

    The account that asks is among them until it was read. Declared accounts are not while their declaration holds,
    nor are those that the configuration skips. Raises UsageError where an account is accepted that needs no acceptance.
    """
    asked_for = {known.account: known for known in (*tracked.never_read, *_asking(tracked, asking))}
    unread = {account: known for account, known in asked_for.items() if _stands_in_the_way(tracked, account, today)}
    for account in sorted(set(accepted) - unread.keys()):
        raise UsageError(f"--accept-unread names {_label(tracked, account)}: {_why_needless(tracked, account, today)}")
    left = tuple(known for account, known in unread.items() if account not in accepted)
    if not left:
        return None
    declared = {known.account: tracked.declared.get(known.account) for known in left}
    return NeverRead(left, {account: known.expires for account, known in declared.items() if known is not None})


def _asking(tracked: Tracked, asking: AccountId) -> tuple[Coverage, ...]:
    return () if asking in tracked.coverage else (Coverage(asking),)


def _stands_in_the_way(tracked: Tracked, account: AccountId, today: date) -> bool:
    declared = tracked.declared.get(account)
    is_declared = declared is not None and not declared.has_expired(today)
    return account not in tracked.skipped and not is_declared


def _label(tracked: Tracked, account: AccountId) -> str:
    known = tracked.coverage.get(account)
    return Account(account, known.account_name if known else "").label


def _why_needless(tracked: Tracked, account: AccountId, today: date) -> str:
    known = tracked.coverage.get(account)
    if account in tracked.skipped:
        return "the configuration skips it"
    if not _stands_in_the_way(tracked, account, today):
        return "the configuration declares its ranges"
    if known is None:
        return "the tracker does not know the account"
    if known.membership in {Membership.CLOSED, Membership.SKIPPED}:
        return f"the account is {known.membership}"
    if not is_never_read(known):
        return "the account was read, so its ranges are known"
    return "the account is in another space than the pool"
