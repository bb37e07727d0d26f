"""The end of CloudFormation's at which custom resources answer: a server that takes what is put to it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class AnswerServer:
    """What was put, and what the next ones are told."""

    url: str = ""
    answers: list[dict[str, Any]] = field(default_factory=list)
    content_types: set[str | None] = field(default_factory=set)
    statuses: list[int] = field(default_factory=list)
    """For one answer each, from the first on; 200 when they are used up."""


@contextmanager
def answer_server() -> Iterator[AnswerServer]:
    """One that listens on loopback."""
    taken = AnswerServer()

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            taken.answers.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            taken.content_types.add(self.headers.get("Content-Type"))
            self.send_response(taken.statuses.pop(0) if taken.statuses else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    taken.url = f"http://127.0.0.1:{server.server_address[1]}/answer?signature=x"
    try:
        yield taken
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
