"""Processes that end with whoever started them: in order, by a kill, or not at all."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from tests.processes import group_members
from tests.waiting import HANG_SECONDS, wait_until

from landkeeper.embedded import watchdog
from landkeeper.embedded.process_group import ProcessGroup

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc to look for processes")

_SLEEP = [sys.executable, "-S", "-c", "import time; print('up', flush=True); time.sleep(3600)"]
_HOLDER = """
import subprocess, sys, time
from pathlib import Path
from landkeeper.embedded.process_group import ProcessGroup
group = ProcessGroup(Path(sys.argv[1]))
started = subprocess.Popen(sys.argv[2:], process_group=group.id, stdout=subprocess.PIPE)
started.stdout.readline()
print(group.id, flush=True)
time.sleep(3600)
"""
_FUNCTION = "import time\ndef handler(event, context):\n    time.sleep(3600)\n"
_SIMULATED = """
import sys, time
from pathlib import Path
from landkeeper.embedded.simulators import Simulators, embedded_session
with Simulators(regions=("us-east-1",)) as running:
    functions = embedded_session(running).client("lambda", endpoint_url=running.ministack_url)
    functions.create_function(
        FunctionName="slow", Runtime="python3.11", Role="arn:aws:iam::123456789012:role/slow", Handler="slow.handler",
        Code={"ZipFile": Path(sys.argv[1]).read_bytes()}, Timeout=900,
    )
    functions.invoke(FunctionName="slow", InvocationType="Event")
    print(running.process_ids[0], running.directory, flush=True)
    time.sleep(3600)
"""


def _started(group: ProcessGroup) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(_SLEEP, process_group=group.id, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    return process


def test_what_is_in_it_ends_with_the_context() -> None:
    with ProcessGroup() as group:
        process = _started(group)
        assert len(group_members(group.id)) == 2
    assert process.wait(HANG_SECONDS) == -signal.SIGKILL
    process.communicate()
    assert group_members(group.id) == []


def test_released_it_goes_on(tmp_path: Path) -> None:
    group = ProcessGroup(tmp_path)
    with _started(group) as process:
        group.release()
        assert group_members(group.id) == [process.pid]
        process.kill()
    assert tmp_path.exists()


def test_it_ends_with_a_process_that_is_killed_and_its_folder_goes(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    with subprocess.Popen([sys.executable, "-c", _HOLDER, str(folder), *_SLEEP], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        group = int(holder.stdout.readline())
        assert len(group_members(group)) == 2
        assert folder.exists()
        holder.kill()
    wait_until(lambda: not group_members(group) and not folder.exists())


def test_a_watchdog_that_leads_no_group_ends_nobody() -> None:
    command = [sys.executable, watchdog.__file__]
    run = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (1, "the watchdog does not lead a group of processes\n")


@pytest.mark.embedded
def test_simulators_and_their_functions_end_with_a_process_that_is_killed(tmp_path: Path) -> None:
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("slow.py", _FUNCTION)
    (tmp_path / "slow.zip").write_bytes(package.getvalue())
    command = [sys.executable, "-c", _SIMULATED, str(tmp_path / "slow.zip")]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as holder:
        assert holder.stdout is not None
        moto, directory = holder.stdout.readline().decode().split()
        group = os.getpgid(int(moto))
        # The watchdog, moto, MiniStack, and the function that it runs.
        wait_until(lambda: len(group_members(group)) >= 4)
        holder.kill()
    wait_until(lambda: not group_members(group) and not Path(directory).exists())
