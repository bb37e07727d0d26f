"""AWS Lambda's sandbox on this machine: the function package, run by AWS's own runtime client, within its limits.

`awslambdaric` is what Lambda runs a Python function with. Here it asks a Runtime API of this module's for events, on
nothing but its own libraries and the unpacked package. Memory is held to the limit by a cgroup where one can be made,
and by looking at the process every few milliseconds in any case; the share of a processor by a cgroup alone.

Source: AWS Lambda Developer Guide, "Using the Lambda runtime API", "Configure Lambda function memory" (1,769 MB buy one
processor).
"""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

from landkeeper.embedded.process_group import ProcessGroup

MB_OF_A_PROCESSOR = 1769
_RUNTIME = ("awslambdaric", "simplejson", "snapshot-restore-py")
_CGROUPS = Path("/sys/fs/cgroup")
PERIOD_MICROSECONDS = 20_000
_LOOK_EVERY_SECONDS = 0.005


class SandboxError(Exception):
    """The function ended or gave no answer; the text says what Lambda would say."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a function is given."""

    memory_mb: int = 128
    timeout_seconds: float = 20
    cpu_share: float | None = None
    """Of one processor; None for all of it."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """What came of one event."""

    answer: Any
    is_error: bool
    seconds: float
    cpu_seconds: float
    """Since the process began or the invocation before ended, whichever was later."""
    peak_mb: float
    """The most that the process had in memory since it began."""


@dataclass(frozen=True, slots=True)
class Periods:
    """What the kernel has counted for a process with a share of a processor (cgroups(7), "cpu")."""

    count: int
    """Periods in which it had something to do."""
    held_back: int
    """Those of them in which it would have done more than its share."""


def share_of(memory_mb: int) -> float:
    """The share of a processor that so much memory buys."""
    return memory_mb / MB_OF_A_PROCESSOR


class RuntimeApi:
    """Lambda's Runtime API for one function, on a free port of loopback."""

    def __init__(self) -> None:
        self.events: queue.Queue[tuple[str, bytes, float]] = queue.Queue()
        self.answers: queue.Queue[tuple[bool, bytes]] = queue.Queue()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(self))
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        """Host and port, as `AWS_LAMBDA_RUNTIME_API` wants them."""
        return f"127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()


def _handler_of(api: RuntimeApi) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle(self) -> None:
            # A function that is ended hangs up.
            with suppress(ConnectionError):
                super().handle()

        def do_GET(self) -> None:
            request_id, event, deadline = api.events.get()
            headers = {
                "Content-Type": "application/json",
                "Lambda-Runtime-Aws-Request-Id": request_id,
                "Lambda-Runtime-Deadline-Ms": str(int(deadline * 1000)),
                "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:us-east-1:123456789012:function:broom",
            }
            self._answer(200, event, headers)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            # .../invocation/ID/response, .../invocation/ID/error, or .../init/error
            api.answers.put((self.path.endswith("/error"), body))
            self._answer(202, b"", {})

        def _answer(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    return Handler


class Sandbox:
    """One running function. It is cold until the first invocation has begun."""

    def __init__(
        self, process: subprocess.Popen[bytes], api: RuntimeApi, limits: Limits, log: Path, groups: Sequence[Path]
    ) -> None:
        self._process = process
        self._groups = groups
        self._api = api
        self._limits = limits
        self._log = log
        self._killed_for = ""
        self._cpu_seconds = 0.0
        self._began = time.monotonic()
        self._is_cold = True
        threading.Thread(target=self._watch, daemon=True).start()

    def invoke(self, event: object) -> Invocation:
        """Hand over an event, and wait for the answer. The first one's time includes that of starting.

        Raises SandboxError where there is none in time, or memory ran out.
        """
        began = self._began if self._is_cold else time.monotonic()
        self._is_cold = False
        self._api.events.put(
            (str(uuid.uuid4()), json.dumps(event).encode(), time.time() + self._limits.timeout_seconds)
        )
        is_error, body = self._wait(began + self._limits.timeout_seconds)
        seconds, cpu_seconds = time.monotonic() - began, _cpu_seconds(self._process.pid)
        spent, self._cpu_seconds = cpu_seconds - self._cpu_seconds, cpu_seconds
        peak_mb = _memory_mb(self._process.pid, "VmHWM")
        return Invocation(json.loads(body or b"null"), is_error, seconds, spent, peak_mb)

    def log(self) -> str:
        """What the function has printed so far."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def periods(self) -> Periods:
        """How its share of a processor was dealt out so far. It has to have one."""
        (stat,) = [file for group in self._groups if (file := group / "cpu.stat").exists()]
        counts = dict(line.split() for line in stat.read_text(encoding="ascii").splitlines())
        return Periods(int(counts["nr_periods"]), int(counts["nr_throttled"]))

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()

    def _wait(self, deadline: float) -> tuple[bool, bytes]:
        while time.monotonic() < deadline:
            with suppress(queue.Empty):
                return self._api.answers.get(timeout=0.05)
            if self._process.poll() is not None:
                why = self._killed_for or f"the runtime exited with {self._process.returncode}"
                raise SandboxError(f"{why}: {self.log()[-500:]}")
        self._process.kill()
        raise SandboxError(f"timed out after {self._limits.timeout_seconds:g} seconds: {self.log()[-500:]}")

    def _watch(self) -> None:
        while self._process.poll() is None:
            with suppress(OSError, IndexError):
                if _memory_mb(self._process.pid, "VmRSS") > self._limits.memory_mb:
                    self._killed_for = f"out of memory at {self._limits.memory_mb} MB"
                    self._process.send_signal(signal.SIGKILL)
            time.sleep(_LOOK_EVERY_SECONDS)


def _memory_mb(process_id: int, field: str) -> float:
    status = Path(f"/proc/{process_id}/status").read_text(encoding="ascii", errors="replace")
    return int(status.split(f"{field}:")[1].split()[0]) / 1024


def _cpu_seconds(process_id: int) -> float:
    """What all threads of the process have run for (proc(5), "/proc/pid/schedstat")."""
    threads = Path(f"/proc/{process_id}/task").iterdir()
    return sum(int((thread / "schedstat").read_text(encoding="ascii").split()[0]) for thread in threads) / 1e9


@contextmanager
def sandbox(
    code: Path, handler: str, environment: Mapping[str, str], directory: Path, limits: Limits | None = None
) -> Iterator[Sandbox]:
    """A function in `code`, an unpacked package, within its limits; `directory` takes its log and the runtime.

    Raises SandboxError where a share of a processor is asked for and no cgroup can be made.
    """
    given = limits or Limits()
    with ExitStack() as stack:
        groups = stack.enter_context(_cgroups(given))
        api = RuntimeApi()
        stack.callback(api.close)
        group = stack.enter_context(ProcessGroup())
        log = directory / f"{uuid.uuid4().hex}.log"
        command = [*_entering(groups), sys.executable, "-S", "-m", "awslambdaric", handler]
        with log.open("wb") as output:
            process = subprocess.Popen(
                command, cwd=code, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                process_group=group.id,
                env=_environment(code, handler, given, api) | {"HOME": str(directory), **environment}
                | {"PYTHONPATH": f"{code}{os.pathsep}{_runtime(directory)}"},
            )  # fmt: skip
        running = Sandbox(process, api, given, log, groups)
        stack.callback(running.close)
        yield running


def _environment(code: Path, handler: str, limits: Limits, api: RuntimeApi) -> dict[str, str]:
    """What Lambda sets for a function (AWS Lambda Developer Guide, "Defined runtime environment variables")."""
    return {
        "PATH": os.environ["PATH"],
        "TZ": ":UTC",
        "PYTHONDONTWRITEBYTECODE": "1",
        "LAMBDA_TASK_ROOT": str(code),
        "_HANDLER": handler,
        "AWS_LAMBDA_RUNTIME_API": api.address,
        "AWS_LAMBDA_FUNCTION_NAME": "broom",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(limits.memory_mb),
        "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/broom",
        "AWS_LAMBDA_LOG_STREAM_NAME": "local",
        "AWS_EXECUTION_ENV": f"AWS_Lambda_python{sys.version_info.major}.{sys.version_info.minor}",
    }


def _runtime(directory: Path) -> Path:
    """A folder with the runtime client and nothing else of what is installed here, as Lambda's `/var/runtime` is."""
    runtime = directory / "runtime"
    runtime.mkdir(exist_ok=True)
    for name in _RUNTIME:
        found = distribution(name)
        tops = {file.parts[0] for file in found.files or () if file.parts[0] != ".."}
        for top in tops - {"__pycache__"}:
            with suppress(FileExistsError):
                (runtime / top).symlink_to(Path(str(found.locate_file(top))))
    return runtime


def find_cpu_limit_obstacle() -> str | None:
    """Why no share of a processor can be set here; None where it can."""
    try:
        with _cgroups(Limits(cpu_share=0.5)):
            return None
    except SandboxError as error:
        return str(error)


def _entering(groups: list[Path]) -> list[str]:
    """The beginning of a command that enters the cgroups, and becomes the rest of it."""
    if not groups:
        return []
    script = "; ".join(f"echo $$ > {group}/cgroup.procs" for group in groups)
    return ["/bin/sh", "-ec", f'{script}; exec "$@"', "sh"]


@contextmanager
def _cgroups(limits: Limits) -> Iterator[list[Path]]:
    """The cgroups that hold a process to its limits, by either version of the kernel's interface."""
    with ExitStack() as stack:
        is_v2 = (_CGROUPS / "cgroup.controllers").exists()
        groups = []
        if limits.cpu_share is not None:
            quota = int(limits.cpu_share * PERIOD_MICROSECONDS)
            settings = (
                {"cpu.max": f"{quota} {PERIOD_MICROSECONDS}"}
                if is_v2
                else {"cpu.cfs_period_us": str(PERIOD_MICROSECONDS), "cpu.cfs_quota_us": str(quota)}
            )
            groups.append(_make_cgroup(stack, _CGROUPS if is_v2 else _CGROUPS / "cpu", settings))
        limit = {"memory.max" if is_v2 else "memory.limit_in_bytes": str(limits.memory_mb * 1024 * 1024)}
        # Without this one the process is still looked at.
        with suppress(SandboxError):
            if is_v2 and groups:
                _write_settings(groups[0], limit)
            else:
                groups.append(_make_cgroup(stack, _CGROUPS if is_v2 else _CGROUPS / "memory", limit))
        yield groups


def _make_cgroup(stack: ExitStack, parent: Path, settings: Mapping[str, str]) -> Path:
    group = parent / f"landkeeper-{uuid.uuid4().hex[:8]}"
    try:
        group.mkdir()
    except OSError as error:
        raise SandboxError(f"no cgroup can be made here: {error}") from error
    stack.callback(_remove_cgroup, group)
    _write_settings(group, settings)
    return group


def _write_settings(group: Path, settings: Mapping[str, str]) -> None:
    try:
        for name, value in settings.items():
            # Not write_text: in a cgroup no file may be made that is not there.
            with (group / name).open("r+", encoding="ascii") as file:
                file.write(value)
    except OSError as error:
        raise SandboxError(f"the cgroup takes no limit: {error}") from error


def _remove_cgroup(group: Path) -> None:
    # A process that was just killed leaves its group a moment later.
    for _ in range(100):
        with suppress(OSError):
            group.rmdir()
            return
        time.sleep(0.02)
