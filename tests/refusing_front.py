"""Stands in front of the simulator for EC2 and STS, to refuse what AWS would refuse."""

from __future__ import annotations

import http.client
import re
import threading
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from tests.servers import Answer
from tests.waiting import HANG_SECONDS

from landkeeper.embedded.simulators import HOME_ACCOUNT


@dataclass
class Front:
    """Stands in front of moto and answers some calls itself, as AWS would refuse them."""

    moto_url: str
    refuse: Callable[[str, str, str], Answer | None] = lambda *_: None
    """Given action, account and region: the refusal, or None to let moto answer."""
    accounts: dict[str, str] = field(default_factory=dict)
    """Accounts by the access key that their role was given."""
    calls: list[tuple[str, str, str]] = field(default_factory=list)

    def answer(self, headers: Mapping[str, str], body: bytes) -> Answer:
        scope = headers.get("Authorization", "").partition("Credential=")[2].split("/")
        call = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        action = call.get("Action", "")
        role = call.get("RoleArn", "::::").split(":")[4]
        account = role or self.accounts.get(scope[0], HOME_ACCOUNT)
        self.calls.append((action, account, scope[2]))
        refusal = self.refuse(action, account, scope[2])
        if refusal is not None:
            return refusal
        status, text = self._forward(headers, body)
        if action == "AssumeRole":
            found = re.search(r"<AccessKeyId>(.*?)</AccessKeyId>", text)
            assert found is not None
            self.accounts[found[1]] = account
        return status, text

    def _forward(self, headers: Mapping[str, str], body: bytes) -> Answer:
        with closing(http.client.HTTPConnection(urlsplit(self.moto_url).netloc, timeout=HANG_SECONDS)) as moto:
            moto.request("POST", "/", body, dict(headers))
            answer = moto.getresponse()
            return answer.status, answer.read().decode()


class serving:  # noqa: N801 - a context manager that reads as a verb
    """The front as a server."""

    def __init__(self, front: Front) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                status, text = front.answer(self.headers, body)  # type: ignore[arg-type]
                self.send_response(status)
                self.send_header("Content-Length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library's name
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def __enter__(self) -> str:
        self._thread.start()
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
