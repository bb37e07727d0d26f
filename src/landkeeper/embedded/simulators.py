"""Starts and stops the two simulators: moto (Organizations, STS, EC2, …) and MiniStack (everything else)."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import boto3

from landkeeper.embedded.process_group import ProcessGroup
from landkeeper.org import LandkeeperError

HOME_ACCOUNT = "123456789012"
"""The account of the credentials at hand: management account and tooling account in one, as moto has it."""
HOME_REGION = "us-east-1"
ON_MOTO = (
    "EC2", "STS", "ORGANIZATIONS", "RAM", "AUTO_SCALING", "IAM", "CLOUDTRAIL", "SERVICE_QUOTAS", "RDS", "ELASTICACHE",
    "ELASTIC_LOAD_BALANCING", "ELASTIC_LOAD_BALANCING_V2", "ROUTE_53",
)  # fmt: skip
"""The services that moto answers, by the names that `AWS_ENDPOINT_URL_*` has for them."""

# Neither is how long it takes, not even on a machine that is busy: they are for a simulator that hangs.
_START_SECONDS = 300.0
_STOP_SECONDS = 60.0
_ANSWER_SECONDS = 30.0


class SimulatorError(LandkeeperError):
    """A simulator did not start; the text holds the end of what it printed."""


@dataclass(frozen=True, slots=True)
class Embedded:
    """An embedded AWS that is up: where it listens, and the processes that are it."""

    moto_url: str
    ministack_url: str
    process_ids: tuple[int, ...]
    directory: Path
    """Logs of the simulators and what they keep on disk."""

    def environment(self) -> dict[str, str]:
        """The variables that point every AWS SDK, the AWS CLI and Landkeeper at it."""
        return {
            "AWS_ACCESS_KEY_ID": HOME_ACCOUNT,
            "AWS_SECRET_ACCESS_KEY": "embedded",
            "AWS_DEFAULT_REGION": HOME_REGION,
            "AWS_REGION": HOME_REGION,
            "AWS_ENDPOINT_URL": self.ministack_url,
            **moto_endpoints(self.moto_url),
        }

    def start_trail(self, bucket: str, prefix: str, *, events: bool = False) -> None:
        """From now on deliver CloudTrail log files of moto's EC2 calls into a bucket on MiniStack.

        With `events` each call also reaches the queues of those rules of the default event bus that match it.
        """
        target = {"bucket": bucket, "prefix": prefix, "endpoint": self.ministack_url, "events": events}
        request = urllib.request.Request(f"{self.moto_url}/_landkeeper/trail", json.dumps(target).encode())  # noqa: S310 - loopback
        urllib.request.urlopen(request, timeout=_ANSWER_SECONDS).close()  # noqa: S310 - loopback


def embedded_session(embedded: Embedded) -> boto3.Session:
    """A session of the embedded AWS's own account; where it listens comes from the environment."""
    environment = embedded.environment()
    return boto3.Session(
        environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"], region_name=HOME_REGION
    )


def moto_endpoints(moto_url: str) -> dict[str, str]:
    """The endpoint variables of the services that moto answers."""
    return {f"AWS_ENDPOINT_URL_{service}": moto_url for service in ON_MOTO}


class Simulators:
    """Both simulators as a context manager: up inside it, gone after it, whatever happens in between.

    They end with this process even if it is killed, and so do the functions that MiniStack runs.

    `detach` lets them outlive the context. Raises SimulatorError when one does not come up.
    """

    def __init__(self, *, enforce_policies: bool = False, regions: Sequence[str] = ()) -> None:
        """With `enforce_policies` MiniStack refuses what the policies of a function's role do not allow.

        `regions` are those that there are; by default all that moto knows, which are 38.
        """
        self._enforce_policies = enforce_policies
        self._regions = regions
        self._stack = ExitStack()
        self._group: ProcessGroup | None = None

    def __enter__(self) -> Embedded:
        try:
            return self._start()
        except BaseException:
            self._stack.close()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stack.close()

    def detach(self) -> None:
        """Leave the simulators and their directory behind when the context ends."""
        if self._group is not None:
            self._group.release()
        self._stack.pop_all()

    def _start(self) -> Embedded:
        directory = Path(tempfile.mkdtemp(prefix="landkeeper-"))
        self._stack.callback(shutil.rmtree, directory, ignore_errors=True)
        self._group = self._stack.enter_context(ProcessGroup(directory))
        environment = _clean_environment(directory)
        serve = [sys.executable, "-m", "landkeeper.embedded.moto_server", *self._regions]
        moto = self._launch("moto", serve, environment, directory, self._group)
        moto_url = f"http://127.0.0.1:{_first_line(moto, directory / 'moto.log')}"
        with _free_port() as port:
            ministack_url = f"http://127.0.0.1:{port}"
            ministack = self._launch(
                "ministack",
                [sys.executable, "-m", "ministack"],
                {
                    **environment,
                    **_ministack_environment(ministack_url, moto_url, directory),
                    "AUTH": "true" if self._enforce_policies else "false",
                },
                directory,
                self._group,
            )
            _wait_for(f"{ministack_url}/_ministack/health", ministack, directory / "ministack.log")
        return Embedded(moto_url, ministack_url, (moto.pid, ministack.pid), directory)

    def _launch(
        self, name: str, command: list[str], environment: Mapping[str, str], directory: Path, group: ProcessGroup
    ) -> subprocess.Popen[bytes]:
        with (directory / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(  # noqa: S603 - our own interpreter and modules
                command,
                env=dict(environment),
                cwd=directory,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if name == "moto" else log,
                stderr=log,
                # A Ctrl-C at the terminal is for the command, which then stops its simulators in order.
                process_group=group.id,
            )
        self._stack.callback(_stop, process)
        return process


def _clean_environment(directory: Path) -> dict[str, str]:
    """This process's environment without anything that would lead the simulators to a real AWS account."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "LANDKEEPER_"))}
    return {
        **kept,
        "AWS_ACCESS_KEY_ID": HOME_ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": "embedded",
        "AWS_DEFAULT_REGION": HOME_REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "TMPDIR": str(directory),
    }


def _ministack_environment(ministack_url: str, moto_url: str, directory: Path) -> dict[str, str]:
    return {
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_HOST": "127.0.0.1",
        "GATEWAY_PORT": ministack_url.rsplit(":", 1)[1],
        "MINISTACK_ACCOUNT_ID": HOME_ACCOUNT,
        "IOT_MTLS_ENABLED": "0",
        "PERSIST_STATE": "0",
        "STATE_DIR": str(directory / "state"),
        "S3_DATA_DIR": str(directory / "s3"),
        # Functions are subprocesses that inherit these: their EC2, STS and Organizations calls go to moto.
        **moto_endpoints(moto_url),
    }


@contextmanager
def _free_port() -> Iterator[int]:
    """A port that nobody else is given before MiniStack listens on it, within the context.

    Linux lets two sockets have a port that both allow to be used again, as MiniStack's does, while only one listens.
    Elsewhere the port is let go first: somebody else may get it.
    """
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        port: int = held.getsockname()[1]
        if sys.platform != "linux":
            held.close()
        yield port


def _first_line(process: subprocess.Popen[bytes], log: Path) -> str:
    line = process.stdout.readline().decode().strip() if process.stdout else ""
    if not line:
        raise _not_up(log)
    return line


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=_ANSWER_SECONDS).close()  # noqa: S310 - loopback
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
        else:
            return
    raise _not_up(log)


def _not_up(log: Path) -> SimulatorError:
    tail = " ".join(log.read_text(errors="replace").split()[-40:])
    return SimulatorError(f"the simulator {log.stem} did not start: {tail or 'it printed nothing'}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout:
        process.stdout.close()
