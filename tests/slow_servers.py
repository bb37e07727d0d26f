"""A server that answers like the one in `tests/servers.py`, but for calls that it never gets to the end of."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.servers import Answer, read_call
from tests.waiting import HANG_SECONDS

from landkeeper.aws.deadlines import THREAD_NAME

_BYTE_EVERY_SECONDS = 0.02


def wait_for_late_work() -> None:
    """Wait until work that nobody waits for any more has come to its end."""
    for thread in threading.enumerate():
        if thread.name == THREAD_NAME:
            thread.join(HANG_SECONDS)


class Drip:
    """An answer of which a byte comes from time to time, so that no wait is long, and that never ends."""


class Hang:
    """An answer of which nothing comes."""


@contextmanager
def answering_slowly(answer: Callable[[Mapping[str, str]], Answer | Drip | Hang]) -> Iterator[str]:
    """A server for which `answer` says status and body, or how there never is one; yields its address."""
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            match answer(read_call(self.headers, body)):
                case Hang():
                    over.wait()
                case Drip():
                    self._send_headers(200, 1_000_000)
                    while not over.wait(_BYTE_EVERY_SECONDS):
                        self.wfile.write(b" ")
                        self.wfile.flush()
                case status, text:
                    self._send_headers(status, len(text.encode()))
                    self.wfile.write(text.encode())

        def _send_headers(self, status: int, length: int) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(length))
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library's name
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """A client that has hung up is what these tests are about."""

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        over.set()
        server.shutdown()
        thread.join()
        server.server_close()
