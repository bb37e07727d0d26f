"""AWS as a test scripts it: in front of a simulator, a script says of each call what answers it, and when.

The script is called in a thread of its own for every call, so it may wait for events, run commands and change the
simulator before it answers: that is how a test puts two runs in an order.
"""

from __future__ import annotations

import http.client
import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TypeAlias
from urllib.parse import parse_qsl, urlsplit

from tests.servers import Answer
from tests.waiting import HANG_SECONDS

from landkeeper.aws.deadlines import THREAD_NAME
from landkeeper.embedded.simulators import HOME_ACCOUNT


@dataclass(frozen=True, slots=True)
class Call:
    """A call as it arrives."""

    action: str
    account: str
    """The account whose credentials sign it; of AssumeRole the account of the role."""
    region: str
    parameters: Mapping[str, object]
    """Of the query protocol the form, of the JSON protocol the document."""


@dataclass(frozen=True, slots=True)
class LostAnswer:
    """The call is carried out, and the connection breaks before its answer arrives."""


@dataclass(frozen=True, slots=True)
class Hang:
    """No answer ever: the connection stays open until the client gives up or the test ends."""


@dataclass(frozen=True, slots=True)
class Trickle:
    """Bytes without end, one at a time: a read timeout that begins anew with each byte is never reached."""

    byte_seconds: float = 0.05


@dataclass(frozen=True, slots=True)
class OtherAccount:
    """AssumeRole answers with the credentials of the same role in another account."""

    account: str


Reaction: TypeAlias = Answer | LostAnswer | Hang | Trickle | OtherAccount | None
"""What a call meets; None: the simulator answers."""


@dataclass
class ScriptedAws:
    """The server in front of a simulator, and what it has seen."""

    backend_url: str
    script: Callable[[Call], Reaction] = lambda _: None
    url: str = ""
    calls: list[Call] = field(default_factory=list)
    """Every call, in the order of arrival."""
    answered: list[Call] = field(default_factory=list)
    """Those whose answers have been sent, in that order."""
    accounts: dict[str, str] = field(default_factory=dict)
    """Accounts by the access key that their role was given."""
    ended: threading.Event = field(default_factory=threading.Event)

    def count(self, action: str) -> int:
        """How many calls of that action have arrived."""
        return sum(call.action == action for call in self.calls)

    def react(self, call: Call, headers: Mapping[str, str], body: bytes) -> Answer | LostAnswer | Hang | Trickle:
        """What the call meets, once the script lets it."""
        self.calls.append(call)
        reaction = self.script(call)
        if isinstance(reaction, (tuple, Hang, Trickle)):
            return reaction
        account = reaction.account if isinstance(reaction, OtherAccount) else call.account
        answer = self._forward(headers, body.replace(call.account.encode(), account.encode()))
        if call.action == "AssumeRole":
            self._remember(answer[1], account)
        return reaction if isinstance(reaction, LostAnswer) else answer

    def read(self, headers: Mapping[str, str], body: bytes) -> Call:
        """The call of a request."""
        scope = headers.get("Authorization", "").partition("Credential=")[2].split("/")
        target = headers.get("X-Amz-Target")
        parameters = json.loads(body) if target else dict(parse_qsl(body.decode()))
        action = target.rsplit(".", 1)[-1] if target else parameters.get("Action", "")
        role = parameters.get("RoleArn", "::::").split(":")[4] if action == "AssumeRole" else ""
        account = role or self.accounts.get(scope[0], HOME_ACCOUNT)
        return Call(action, account, scope[2] if len(scope) > 2 else "", parameters)

    def _remember(self, text: str, account: str) -> None:
        found = re.search(r"<AccessKeyId>(.*?)</AccessKeyId>", text)
        if found is not None:
            self.accounts[found[1]] = account

    def _forward(self, headers: Mapping[str, str], body: bytes) -> Answer:
        with closing(http.client.HTTPConnection(urlsplit(self.backend_url).netloc, timeout=HANG_SECONDS)) as backend:
            backend.request("POST", "/", body, {**headers, "Content-Length": str(len(body))})
            answer = backend.getresponse()
            return answer.status, answer.read().decode()


@contextmanager
def scripted_aws(backend_url: str) -> Iterator[ScriptedAws]:
    """The server on loopback, in front of the simulator at that address."""
    aws = ScriptedAws(backend_url)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = dict(self.headers.items())
            call = aws.read(headers, body)
            reaction = aws.react(call, headers, body)
            self.close_connection = True
            # A client that has given up is what some tests are about.
            with suppress(ConnectionError):
                self._meet(reaction)
                aws.answered.append(call)

        def _meet(self, reaction: Answer | LostAnswer | Hang | Trickle) -> None:
            match reaction:
                case LostAnswer():
                    return
                case Hang():
                    aws.ended.wait(HANG_SECONDS)
                case Trickle(byte_seconds):
                    self._start(200, 1_000_000)
                    while not aws.ended.wait(byte_seconds):
                        self.wfile.write(b" ")
                case (status, text):
                    self._start(status, len(text.encode()))
                    self.wfile.write(text.encode())

        def _start(self, status: int, length: int) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(length))
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    aws.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield aws
    finally:
        aws.ended.set()
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def answering_slowly(answer: Callable[[Mapping[str, str]], Answer | Trickle | Hang]) -> Iterator[str]:
    """A server without a simulator, for which `answer` says what a call meets; yields its address.

    It gets the parameters of the call, with its `Action` and `Region`.
    """
    with scripted_aws("") as aws:
        aws.script = lambda call: answer(
            {
                **{name: str(value) for name, value in call.parameters.items()},
                "Action": call.action,
                "Region": call.region,
            }
        )
        yield aws.url


def _texts(parameters: Mapping[str, object]) -> dict[str, str]:
    return {name: str(value) for name, value in parameters.items()}


def wait_for_late_work() -> None:
    """Wait until work that nobody waits for any more has come to its end."""
    for thread in threading.enumerate():
        if thread.name == THREAD_NAME:
            thread.join(HANG_SECONDS)
