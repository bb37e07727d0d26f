"""Many processes at once on one pool: no two get the same address, nothing is lost, whoever dies when.

The small form runs always. `make campaign` runs the full one: 16 processes, 200 blocks.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.campaign import IS_CAMPAIGN
from tests.contract.allocating import POOL, open_named
from tests.servers import home_sessions
from tests.strategies import ACCOUNTS, REGIONS, vpc_ids
from tests.waiting import HANG_SECONDS

from landkeeper.aws.vpctracker.vpc_table import create_tables
from landkeeper.embedded.pool_file import PoolFile
from landkeeper.embedded.simulators import HOME_ACCOUNT
from landkeeper.org import Account
from landkeeper.vpctracker.cidr import Block, group_by_containment, parse_block
from landkeeper.vpctracker.differences import Complete, diff_account
from landkeeper.vpctracker.inventory import Vpc
from landkeeper.vpctracker.pools.operations import create_pool, read_named_state
from landkeeper.vpctracker.pools.pool import Pool, Reservation
from landkeeper.wiring.vpctracker.pools import actor_named

_PROCESSES, _BLOCKS = (16, 200) if IS_CAMPAIGN else (4, 26)
_TRACKED = ("10.0.0.0/16", "10.1.64.0/20", "10.3.0.0/24")
pytestmark = pytest.mark.campaign
_names = (f"PoolContention{number}" for number in itertools.count())


class World:
    """A store with a pool in it, and processes that allocate from it."""

    def __init__(self, kind: str, name: str) -> None:
        self.kind = kind
        self.name = name
        store = open_named(kind, name)
        self.pool = create_pool(store, Pool(POOL, parse_block("10.0.0.0/9")), actor_named("test"))
        self.store = store

    def start(self, worker: int, requests: Sequence[str], *, die: int = 0) -> subprocess.Popen[str]:
        environment = {
            **os.environ,
            "DIE_BEFORE_COMMIT": str(die),
            "AWS_ACCESS_KEY_ID": HOME_ACCOUNT,
            "AWS_SECRET_ACCESS_KEY": "embedded",
        }
        command = [sys.executable, "-m", "tests.contract.allocating", self.kind, self.name, str(worker)]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
            cwd=Path(__file__).parents[2],
        )  # fmt: skip
        assert process.stdin is not None
        process.stdin.write("".join(f"{one}\n" for one in requests))
        process.stdin.close()
        process.stdin = None
        return process

    def reservations(self) -> tuple[Reservation, ...]:
        return read_named_state(self.store, POOL)[0].reservations


@pytest.fixture(params=["file", pytest.param("dynamodb", marks=pytest.mark.embedded)])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """A pool in a new store of each kind; the tracker knows some VPCs in its range."""
    vpcs = tuple(Vpc(vpc_ids(at), ACCOUNTS[0], REGIONS[0], block) for at, block in enumerate(_TRACKED))
    if request.param == "file":
        name = str(tmp_path / "landkeeper.db")
        made = World("file", name)
        changed: Any = made.store
    else:
        request.getfixturevalue("aws_environment")
        name = next(_names)
        create_tables(home_sessions().home("dynamodb"), name)
        made = World("dynamodb", name)
        changed = made.store._vpcs  # type: ignore[union-attr]
    changes = diff_account((), {REGIONS[0]: Complete(vpcs)}, Account(ACCOUNTS[0]), actor_named("").clock())
    assert changed.write_changes(changes) == []
    yield made
    if isinstance(made.store, PoolFile):
        made.store.close()


def _requests() -> list[str]:
    """Request ids with prefix lengths from /16 to /28, the same in every run, in no order."""
    wanted = [f"r{at:03} {16 + at % 13}" for at in range(_BLOCKS)]
    random.Random(5).shuffle(wanted)  # noqa: S311 - a story, not a secret
    return wanted


def _said(process: subprocess.Popen[str], *, kill_after: int | None = None) -> list[dict[str, str]]:
    """What it says, to its end; that comes from outside, and at once, when it has said so many lines."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if len(lines) == kill_after:
            process.kill()
    process.stdout.close()
    process.wait(HANG_SECONDS)
    # A process that was killed may have left half a line.
    return [json.loads(line) for line in lines if line.endswith("\n")]


def _check(world: World, wanted: Sequence[str], said: Sequence[dict[str, str]]) -> None:
    """What was given is stored, once for each request; nothing overlaps, nothing is outside or on what is tracked."""
    stored = {one.request_id: one for one in world.reservations()}
    assert len(world.reservations()) == len(stored)
    assert {name: one.block.prefix_length for name, one in stored.items()} == {
        name: int(length) for name, length in map(str.split, wanted)
    }
    assert {(one["request"], one["id"], one["block"]) for one in said} == {
        (name, one.id, str(one.block)) for name, one in stored.items()
    }
    blocks: list[Block] = [one.block for one in stored.values()]
    assert all(world.pool.block.contains(block) for block in blocks)
    everything = [*blocks, *map(parse_block, _TRACKED)]
    assert len(group_by_containment(everything)) == len(everything)


def test_processes_that_allocate_at_once_never_get_the_same_address(world: World) -> None:
    wanted = _requests()
    running = [world.start(at, wanted[at::_PROCESSES]) for at in range(_PROCESSES)]
    said = [one for process in running for one in _said(process)]
    assert [process.returncode for process in running] == [0] * _PROCESSES
    assert len(said) == _BLOCKS
    _check(world, wanted, said)


def test_processes_that_are_killed_leave_every_reservation_right(world: World) -> None:
    """They end themselves between choice and commit, or are killed from outside wherever they are; others take over."""
    wanted = _requests()
    said: list[dict[str, str]] = []
    deaths = 0
    left = wanted
    while left:
        # The short form is over after a second round, in which nobody has to die.
        die = 10 if IS_CAMPAIGN or not said else 0
        running = [world.start(at, share, die=die) for at in range(_PROCESSES) if (share := left[at::_PROCESSES])]
        # A third of them are killed, each after its first block or the second, while the others go on.
        for at, process in enumerate(running):
            said += _said(process, kill_after=1 + at % 2 if die and at < len(running) // 3 else None)
        deaths += sum(process.returncode == -signal.SIGKILL for process in running)
        assert {process.returncode for process in running} <= {0, -signal.SIGKILL}
        done = {one["request"] for one in said}
        left = [one for one in wanted if one.split()[0] not in done]
    assert deaths >= (16 if IS_CAMPAIGN else 1)
    _check(world, wanted, said)
