"""The packaged function within the original's settings: 128 MB, 20 seconds, and the processor that so much buys."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.deployed_broom import Deployed, record
from tests.lambda_runtime import (
    Invocation,
    Limits,
    Sandbox,
    SandboxError,
    find_cpu_limit_obstacle,
    sandbox,
    share_of,
)
from tests.member_instances import start_instances, state_of
from tests.packaged_broom import HANDLER, function_environment, log_file, unpack_package

from landkeeper.broom.launches import InstanceId
from landkeeper.broom.ledger import State
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


def test_from_a_cold_start_a_log_file_of_3000_records_with_30_launches_is_done_in_128_mb_and_20_seconds(
    deployed: Deployed, code: Path, tmp_path: Path
) -> None:
    """With no more of a processor than 128 MB buy; where that cannot be set, within the memory all the same."""
    obstacle = find_cpu_limit_obstacle()
    limits = Limits(memory_mb=128, timeout_seconds=20, cpu_share=None if obstacle else share_of(128))
    done = run_thirty_launches(deployed, code, tmp_path, limits)
    assert done.peak_mb < 128
    assert done.seconds < 20
    if obstacle is not None:
        pytest.skip(f"in 128 MB it was; a share of a processor cannot be set here: {obstacle}")


def test_the_sandbox_ends_what_takes_too_much_memory_or_time(tmp_path: Path) -> None:
    """Or the tests above could not fail."""
    code = tmp_path / "greedy"
    code.mkdir()
    (code / "greedy.py").write_text(
        "import time\n"
        "def handler(event, context):\n"
        "    kept = bytearray(event['megabytes'] * 1024 * 1024)\n"
        "    time.sleep(event['seconds'])\n"
        "    return len(kept)\n",
        encoding="utf-8",
    )
    limits = Limits(memory_mb=128, timeout_seconds=1)
    with sandbox(code, "greedy.handler", {}, tmp_path, limits) as function:
        assert function.invoke({"megabytes": 1, "seconds": 0}).answer == 1024 * 1024
        with pytest.raises(SandboxError, match="timed out after 1 seconds"):
            function.invoke({"megabytes": 1, "seconds": 5})
    with (
        sandbox(code, "greedy.handler", {}, tmp_path, limits) as function,
        pytest.raises(SandboxError, match=r"out of memory at 128 MB|exited with -9"),
    ):
        function.invoke({"megabytes": 200, "seconds": 0.5})


def test_a_share_of_a_processor_is_what_is_said(tmp_path: Path) -> None:
    obstacle = find_cpu_limit_obstacle()
    if obstacle is not None:
        pytest.skip(f"a share of a processor cannot be set here: {obstacle}")
    (tmp_path / "busy.py").write_text(
        "import time\n"
        "def handler(event, context):\n"
        "    end, spent = time.monotonic() + 1, time.process_time()\n"
        "    while time.monotonic() < end: pass\n"
        "    return time.process_time() - spent\n",
        encoding="utf-8",
    )
    with sandbox(tmp_path, "busy.handler", {}, tmp_path, Limits(cpu_share=0.25)) as function:
        assert 0.15 < function.invoke({}).answer < 0.35
