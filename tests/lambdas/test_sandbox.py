"""The packaged function in the 128 MB of the original's settings; `python -m benchmarks lambda` tells its time."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.deployed_broom import Deployed, record
from tests.lambda_runtime import (
    PERIOD_MICROSECONDS,
    Invocation,
    Limits,
    Sandbox,
    SandboxError,
    find_cpu_limit_obstacle,
    sandbox,
)
from tests.member_instances import start_instances, state_of
from tests.packaged_broom import HANDLER, function_environment, log_file, unpack_package
from tests.waiting import HANG_SECONDS

from landkeeper.broom.case import State
from landkeeper.broom.launches import InstanceId
from landkeeper.org import AccountId

pytestmark = pytest.mark.embedded

ACCOUNTS = [AccountId(f"38000000000{number}") for number in (1, 2, 3)]
BAD, GOOD = 7, 3
"""Launches of each kind in each account: thirty together."""
RECORDS = 3000


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpack_package(tmp_path_factory.mktemp("function"))


def run_thirty_launches(deployed: Deployed, code: Path, directory: Path, limits: Limits) -> Invocation:
    """From a cold start through one log file; what came of every instance is checked."""
    started: list[tuple[AccountId, InstanceId, bool]] = []
    for account in ACCOUNTS:
        started += [(account, id_, True) for id_ in start_instances(account, count=BAD)]
        started += [(account, id_, False) for id_ in start_instances(account, {"Code": "LOL"}, count=GOOD)]
    launches = [record(id_, account=account) for account, id_, _ in started]
    notice = json.loads(deployed.put(log_file(RECORDS, launches)))
    with sandbox(code, HANDLER, function_environment(), directory, limits) as function:
        invocation = function.invoke(notice)
        assert (invocation.answer, invocation.is_error) == ({"done": True}, False), function.log()[-2000:]
        judged = [line for line in map(json.loads, _json_lines(function)) if line["message"] == "judged"]
    assert len(judged) == len(started)
    for account, id_, is_bad in started:
        assert state_of(account, id_) == ("terminated" if is_bad else "running")
        assert deployed.case_state(id_) is (State.REPORTED if is_bad else State.COMPLIANT)
    assert len(deployed.reports()) == BAD * len(ACCOUNTS)
    return invocation


def _json_lines(function: Sandbox) -> list[str]:
    return [line for line in function.log().splitlines() if line.startswith("{")]


def test_from_a_cold_start_a_log_file_of_3000_records_with_30_launches_is_done_in_128_mb(
    deployed: Deployed, code: Path, tmp_path: Path
) -> None:
    done = run_thirty_launches(deployed, code, tmp_path, Limits(memory_mb=128, timeout_seconds=HANG_SECONDS))
    assert 0 < done.peak_mb < 128


_GREEDY = """
import threading
def handler(event, context):
    kept = bytearray(event['megabytes'] * 1024 * 1024)
    if not event['answers']:
        threading.Event().wait()
    return len(kept)
"""


@pytest.fixture
def greedy(tmp_path: Path) -> Path:
    """A function that takes as much memory as it is told, and answers or never does."""
    code = tmp_path / "greedy"
    code.mkdir()
    (code / "greedy.py").write_text(_GREEDY, encoding="utf-8")
    return code


def test_the_sandbox_ends_what_takes_too_much_memory(greedy: Path, tmp_path: Path) -> None:
    """Or the test above could not fail."""
    limits = Limits(memory_mb=128, timeout_seconds=HANG_SECONDS)
    with sandbox(greedy, "greedy.handler", {}, tmp_path, limits) as function:
        assert function.invoke({"megabytes": 1, "answers": True}).answer == 1024 * 1024
        with pytest.raises(SandboxError, match=r"out of memory at 128 MB|exited with -9"):
            function.invoke({"megabytes": 200, "answers": False})


def test_the_sandbox_ends_what_takes_too_long(greedy: Path, tmp_path: Path) -> None:
    with (
        sandbox(greedy, "greedy.handler", {}, tmp_path, Limits(timeout_seconds=0.5)) as function,
        pytest.raises(SandboxError, match=r"timed out after 0\.5 seconds"),
    ):
        function.invoke({"megabytes": 1, "answers": False})


_BUSY = """
import time
def handler(event, context):
    while time.process_time() < event['cpu_seconds']:
        pass
"""


def test_a_share_of_a_processor_is_what_is_said(tmp_path: Path) -> None:
    """By the kernel's count of the periods that some work takes; a machine with other work makes them more."""
    obstacle = find_cpu_limit_obstacle()
    if obstacle is not None:
        pytest.skip(f"a share of a processor cannot be set here: {obstacle}")
    (tmp_path / "busy.py").write_text(_BUSY, encoding="utf-8")
    share, cpu_seconds = 0.1, 0.5
    limits = Limits(timeout_seconds=HANG_SECONDS, cpu_share=share)
    with sandbox(tmp_path, "busy.handler", {}, tmp_path, limits) as function:
        assert not function.invoke({"cpu_seconds": cpu_seconds}).is_error
        periods = function.periods()
    assert periods.held_back > 0
    assert periods.count >= 0.9 * cpu_seconds / (share * PERIOD_MICROSECONDS / 1_000_000)
