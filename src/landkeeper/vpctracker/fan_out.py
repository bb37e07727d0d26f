"""Many accounts at the same time, their outcomes as they come."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from typing import TypeVar

from landkeeper.org import Account

T = TypeVar("T")


def fan_out(
    accounts: Iterable[Account], work: Callable[[Account, Callable[[], bool]], T], *, max_workers: int
) -> Generator[T, None, None]:
    """What `work` answers for each account, in the order of completion. Raises what it raises.

    `work` is also given a function that says whether the run was stopped, for work that takes long. Few accounts are
    under way at once, so that an error stops the run soon; those that wait for a worker then are left out.
    """
    stopped = threading.Event()
    pool = ThreadPoolExecutor(max_workers=max_workers, thread_name_prefix="account")

    def submit(account: Account) -> Future[T]:
        return pool.submit(work, account, stopped.is_set)

    try:
        yield from _as_they_come(accounts, submit, 2 * max_workers)
    finally:
        stopped.set()
        # Not `with pool`: a run that was stopped must not go on with the accounts that wait for a worker.
        pool.shutdown(cancel_futures=True)


def _as_they_come(
    accounts: Iterable[Account], submit: Callable[[Account], Future[T]], at_once: int
) -> Generator[T, None, None]:
    waiting = iter(accounts)
    running = {submit(account) for account in islice(waiting, at_once)}
    while running:
        done, running = wait(running, return_when=FIRST_COMPLETED)
        running |= {submit(account) for account in islice(waiting, len(done))}
        for future in done:
            yield future.result()
