"""Many accounts at the same time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing

import pytest
from tests.strategies import ACCOUNTS
from tests.waiting import HANG_SECONDS, wait_until

from landkeeper.org import Account
from landkeeper.vpctracker.fan_out import fan_out

_FIRST, _SECOND = (Account(account) for account in ACCOUNTS[:2])


def test_every_account_is_worked_on_once() -> None:
    accounts = [Account(_FIRST.id, str(number)) for number in range(40)]
    with closing(fan_out(accounts, lambda account, _: account.name, max_workers=3)) as outcomes:
        assert sorted(outcomes) == sorted(one.name for one in accounts)


def test_an_error_stops_the_run_and_tells_those_who_are_at_work() -> None:
    begun, told = threading.Event(), threading.Event()

    def work(account: Account, is_stopped: Callable[[], bool]) -> None:
        if account == _FIRST:
            assert begun.wait(HANG_SECONDS)
            raise RuntimeError("no way in")
        begun.set()
        wait_until(is_stopped)
        told.set()

    with pytest.raises(RuntimeError, match="no way in"):
        list(fan_out([_FIRST, _SECOND], work, max_workers=2))
    assert told.is_set()


def test_accounts_that_wait_are_left_out_when_nobody_listens_any_more() -> None:
    seen: list[str] = []
    accounts = [Account(_FIRST.id, str(number)) for number in range(100)]
    outcomes = fan_out(accounts, lambda account, _: seen.append(account.name), max_workers=1)
    next(outcomes)
    outcomes.close()
    assert 0 < len(seen) < 10
