"""Serves the report on this machine alone: a page, and the document that it asks for again."""

from __future__ import annotations

import gzip
import hashlib
import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape
from http import HTTPStatus
from http.client import HTTP_PORT
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

from landkeeper.org import LandkeeperError
from landkeeper.report.document import Document, write_document
from landkeeper.report.page import render_served

LOOPBACK = "127.0.0.1"
FRESH_SECONDS = 10.0
"""How long what was read from the store is served again without looking."""
POLLED_SECONDS = 30
"""How often a page asks whether there is something new."""

_OWN_NAMES = frozenset({"localhost", LOOPBACK, "[::1]"})
_FAILED = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta http-equiv="refresh" content="{seconds}"><title>Landkeeper</title></head>
<body><h1>The report cannot be made</h1><p>{sentence}</p><p>This page looks again every {seconds} seconds.</p></body>
</html>
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent to whoever asks for a path."""

    status: HTTPStatus
    content_type: str
    body: bytes
    etag: str = ""
    packed: bytes = b""
    """The body compressed; empty where that is not worth it."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The answers to both paths, made of one look at the store."""

    page: Answer
    document: Answer
    error: str = ""


class Snapshots:
    """The newest snapshot. Many may ask at once, and the store is asked once."""

    def __init__(
        self, read: Callable[[], Document], page: str, say: Callable[[str], object], *,
        fresh_seconds: float = FRESH_SECONDS,
    ) -> None:  # fmt: skip
        """`read` makes the document, and may raise a LandkeeperError; `say` is told of each that is new."""
        self._read = read
        self._page = page
        self._say = say
        self._fresh_seconds = fresh_seconds
        self._fresh_until = 0.0
        self._lock = threading.Lock()
        self._newest: Snapshot | None = None

    def newest(self) -> Snapshot:
        """What the store holds, or held a few seconds ago."""
        with self._lock:
            if self._newest is None or time.monotonic() >= self._fresh_until:
                self._newest = self._look(self._newest)
                self._fresh_until = time.monotonic() + self._fresh_seconds
            return self._newest

    def _look(self, before: Snapshot | None) -> Snapshot:
        try:
            document = self._read()
        except LandkeeperError as error:
            if before is None or before.error != str(error):
                self._say(str(error))
            return _failed(str(error))
        content = write_document(document)
        # When it was made is no news by itself.
        undated = content.replace(document.generated_at, "", 1)
        # A weak one: it stands for the document, packed or not (RFC 9110, "Weak versus Strong").
        etag = f'W/"{hashlib.sha256(undated.encode()).hexdigest()[:32]}"'
        if before is not None and before.document.etag == etag:
            return before
        page = render_served(document, self._page, POLLED_SECONDS)
        return Snapshot(_answer("text/html; charset=utf-8", page, etag), _answer("application/json", content, etag))


def _answer(content_type: str, text: str, etag: str) -> Answer:
    body = text.encode()
    return Answer(HTTPStatus.OK, content_type, body, etag, gzip.compress(body, 6, mtime=0))


def _failed(sentence: str) -> Snapshot:
    page = _FAILED.format(sentence=escape(sentence), seconds=POLLED_SECONDS)
    status = HTTPStatus.SERVICE_UNAVAILABLE
    return Snapshot(
        Answer(status, "text/html; charset=utf-8", page.encode()),
        Answer(status, "application/json", json.dumps({"error": sentence}).encode()),
        sentence,
    )


class ReportServer(ThreadingHTTPServer):
    """On loopback alone. Raises OSError where the port is taken."""

    daemon_threads = True
    # Another program's port is not to be shared.
    allow_reuse_port = False

    def __init__(self, port: int, snapshots: Snapshots) -> None:
        """`port` 0 takes any that is free."""
        super().__init__((LOOPBACK, port), _Handler)
        self.snapshots = snapshots

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://localhost:{self.server_port}/"


class _Handler(BaseHTTPRequestHandler):
    """Answers GET and HEAD; every other method is refused by the class above it."""

    protocol_version = "HTTP/1.1"
    server_version = "Landkeeper"
    sys_version = ""
    timeout = 60
    server: ReportServer

    _HEADERS: ClassVar[dict[str, str]] = {
        "Cache-Control": "no-cache",
        # The page's own policy, in it, says the rest; this part counts in a header only.
        "Content-Security-Policy": "frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "Vary": "Accept-Encoding",
        "X-Content-Type-Options": "nosniff",
    }

    def do_GET(self) -> None:
        """The page, or the document."""
        self._send(self._answer(), with_body=True)

    def do_HEAD(self) -> None:
        """The same without its content."""
        self._send(self._answer(), with_body=False)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name it has above
        """Nothing: what is wrong with the store is told elsewhere, and who looks is nobody's business."""

    def _answer(self) -> Answer:
        if not self._is_meant():
            return _refused(HTTPStatus.MISDIRECTED_REQUEST, "This server answers to localhost only.")
        match self.path.partition("?")[0]:
            case "/":
                return self.server.snapshots.newest().page
            case "/report.json":
                return self.server.snapshots.newest().document
            case _:
                return _refused(HTTPStatus.NOT_FOUND, "There is / and /report.json.")

    def _is_meant(self) -> bool:
        """Whether the browser means this machine: a name that somebody else's DNS points here is another origin."""
        port = self.server.server_port
        ports = (f":{port}", "") if port == HTTP_PORT else (f":{port}",)
        return self.headers.get("Host", "").lower() in {name + port for name in _OWN_NAMES for port in ports}

    def _send(self, answer: Answer, *, with_body: bool) -> None:
        if answer.etag and answer.etag in self.headers.get("If-None-Match", ""):
            self._begin(HTTPStatus.NOT_MODIFIED, {"ETag": answer.etag})
            return
        about = {"ETag": answer.etag} if answer.etag else {}
        body = answer.body
        if answer.packed and "gzip" in self.headers.get("Accept-Encoding", ""):
            body, about = answer.packed, about | {"Content-Encoding": "gzip"}
        self._begin(answer.status, about | {"Content-Type": answer.content_type, "Content-Length": str(len(body))})
        if with_body:
            self.wfile.write(body)

    def _begin(self, status: HTTPStatus, about: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {**self._HEADERS, **about}.items():
            self.send_header(name, value)
        self.end_headers()


def _refused(status: HTTPStatus, sentence: str) -> Answer:
    return Answer(status, "text/plain; charset=utf-8", f"{sentence}\n".encode())
