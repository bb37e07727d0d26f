"""Servers for tests, on free ports of loopback: moto and MiniStack, and one that answers what a test tells it to.

They are fixtures; `tests/conftest.py` makes them known to every suite.
"""

from __future__ import annotations

import threading
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl

import boto3
import botocore.session
import pytest
from tests.waiting import HANG_SECONDS

from landkeeper.aws.sessions import AccountSessions
from landkeeper.embedded.simulators import HOME_ACCOUNT, Embedded, Simulators
from landkeeper.org import Region

HOME_REGION = Region("us-east-1")
EMBEDDED_REGIONS = (HOME_REGION, "us-west-2", "eu-west-1", "eu-central-1", "ap-south-1", "me-south-1")
"""The regions of most suites, the last of which accounts have not enabled. All 38 of moto's take many times as long."""

Answer = tuple[int, str]
"""Status and body."""


@pytest.fixture(scope="session")
def embedded() -> Iterator[Embedded]:
    """Both simulators, started once for all tests; each test takes accounts, tables and buckets of its own."""
    with Simulators(regions=EMBEDDED_REGIONS) as running:
        yield running


@pytest.fixture(scope="module")
def empty_moto(embedded: Embedded) -> Embedded:
    """Both simulators, moto as it was when it started: for a module that needs an organization to itself."""
    reset = urllib.request.Request(f"{embedded.moto_url}/moto-api/reset", method="POST")  # noqa: S310 - loopback
    urllib.request.urlopen(reset, timeout=HANG_SECONDS).close()  # noqa: S310 - loopback
    return embedded


@pytest.fixture
def aws_environment(embedded: Embedded, monkeypatch: pytest.MonkeyPatch) -> Embedded:
    """The simulators, and this process's environment pointing at them and at nothing else."""
    _forget_aws(monkeypatch)
    for name, value in embedded.environment().items():
        monkeypatch.setenv(name, value)
    return embedded


@pytest.fixture
def no_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment without any credentials or settings of AWS's or ours."""
    _forget_aws(monkeypatch)


def _forget_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        *(f"AWS_ENDPOINT_URL{suffix}" for suffix in ("", "_EC2", "_STS", "_ORGANIZATIONS", "_DYNAMODB")),
        *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_REGION"),
        *("AWS_DEFAULT_REGION", "LANDKEEPER_VPC_TABLE", "LANDKEEPER_FILE", "LANDKEEPER_ROLE_NAME"),
        *("LANDKEEPER_EXTERNAL_ID", "LANDKEEPER_REGIONS", "LANDKEEPER_ACCOUNTS", "LANDKEEPER_QUEUE_URL"),
        *("LANDKEEPER_TOPIC_ARN", "LANDKEEPER_CONFIG"),
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent/config")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent/credentials")


def home_session() -> boto3.Session:
    """A session with the credentials at hand of the simulators."""
    return boto3.Session(HOME_ACCOUNT, "embedded", region_name=HOME_REGION)


def home_sessions(role_name: str | None = None) -> AccountSessions:
    """The product's sessions on those credentials."""
    home = botocore.session.Session()
    home.set_credentials(HOME_ACCOUNT, "embedded")
    return AccountSessions(home, role_name=role_name, region=HOME_REGION)


@contextmanager
def answering(answer: Callable[[Mapping[str, str]], Answer]) -> Iterator[str]:
    """A server for which `answer` says status and body; yields its address.

    `answer` is given the parameters of a query-protocol call, with `Action` and `Region`; of a JSON-protocol call
    `Action` and `Body`; of a GET its `Path` and parameters.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            # What is told apart by its path has that in place of an action.
            self._send(*answer({"Action": self.path.strip("/"), **read_call(self.headers, body)}))

        def do_GET(self) -> None:
            path, _, asked = self.path.partition("?")
            self._send(*answer({**dict(parse_qsl(asked)), "Path": path}))

        def _send(self, status: int, text: str) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library's name
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """A client that has hung up is what some tests are about."""

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def read_call(headers: Message, body: str) -> Mapping[str, str]:
    """The parameters of a call, as `answering` describes them."""
    target = headers.get("X-Amz-Target")
    if target is not None:
        return {"Action": target.rsplit(".", 1)[-1], "Body": body}
    scope = headers.get("Authorization", "").partition("Credential=")[2].split("/")
    return {**dict(parse_qsl(body)), "Region": scope[2] if len(scope) > 2 else ""}


def ec2_refusal(code: str, message: str = "refused", status: int = 400) -> Answer:
    """An error as EC2 words it."""
    return (
        status,
        f"<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors></Response>",
    )
