"""A process that allocates block after block from one pool, and may be told to die between choice and commit.

`python -m tests.contract.allocating STORE NAME WORKER`: STORE is `file` or `dynamodb`, NAME its path or table. Standard
input has a request a line, `request-id prefix-length`; what was given goes to standard output, a JSON object a line.
`DIE_BEFORE_COMMIT` is the chance, in per cent, that the process ends itself by SIGKILL instead of a commit.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
from pathlib import Path

from tests.servers import home_sessions
from tests.strategies import ACCOUNTS
from tests.waiting import HANG_SECONDS

import landkeeper.wiring.vpctracker.pools
from landkeeper.aws.vpctracker.pool_table import PoolTable
from landkeeper.embedded.pool_file import PoolFile
from landkeeper.vpctracker.config import TrackerConfig
from landkeeper.vpctracker.pools.items import PoolWrite
from landkeeper.vpctracker.pools.operations import Request, Reserved, allocate
from landkeeper.vpctracker.pools.tracked import read_tracked
from landkeeper.wiring.vpctracker.pools import actor_named

POOL = "shared"


class DyingTable(PoolTable):
    """One that ends the process when a block is chosen and not yet committed, now and then."""

    def write_pools(self, write: PoolWrite) -> bool:
        die_by_chance()
        return super().write_pools(write)


class DyingFile(PoolFile):
    """The same in a file."""

    def write_pools(self, write: PoolWrite) -> bool:
        die_by_chance()
        return super().write_pools(write)


def die_by_chance() -> None:
    """End this process as a power cut would."""
    if random.randrange(100) < int(os.environ.get("DIE_BEFORE_COMMIT", "0")):  # noqa: S311 - chance, not a secret
        os.kill(os.getpid(), signal.SIGKILL)


def open_named(kind: str, name: str) -> DyingTable | DyingFile:
    """The store that the arguments name."""
    if kind == "file":
        return DyingFile(Path(name), lock_timeout_seconds=HANG_SECONDS)
    return DyingTable(home_sessions().home("dynamodb"), name)


def main(kind: str, name: str, worker: str) -> None:
    """Work through the requests."""
    landkeeper.wiring.vpctracker.pools._PATIENCE_SECONDS = HANG_SECONDS
    store = open_named(kind, name)
    for line in sys.stdin:
        request_id, length = line.split()
        request = Request(POOL, int(length), ACCOUNTS[0], f"test {worker}", request_id=request_id, accept_unread=True)
        outcome = allocate(
            store, request, lambda *of: read_tracked(store, of[0], TrackerConfig(), of[1]), actor_named(worker)
        )
        assert isinstance(outcome, Reserved), outcome
        given = outcome.reservation
        sys.stdout.write(json.dumps({"request": request_id, "id": given.id, "block": str(given.block)}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
