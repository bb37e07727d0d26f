"""The process that serves moto behind `MotoFront` and delivers its trail into a bucket.

`python -m landkeeper.embedded.moto_server` binds a free port of 127.0.0.1 and prints it as its first line. The trail
starts when `POST /_landkeeper/trail` has said where to: `{"bucket": …, "prefix": …, "endpoint": …}`.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import sys
import threading
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

# moto would make 38 regions' worth of images at the first call to each.
os.environ.setdefault("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")

from werkzeug.serving import WSGIRequestHandler, make_server

from landkeeper.embedded.cloudtrail import Record, log_files, now
from landkeeper.embedded.moto_front import MotoFront

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

DELIVERY_SECONDS = 1.0
"""How long records gather before a log file is written; CloudTrail takes five minutes and more."""

_log = logging.getLogger(__name__)


class Trail:
    """Gathers records and delivers them as log files, once somebody has said into which bucket."""

    def __init__(self) -> None:
        self._records: queue.SimpleQueue[Record] = queue.SimpleQueue()
        self._target: dict[str, str] | None = None

    def add(self, record: Record) -> None:
        """Take a record for the next log file."""
        self._records.put(record)

    def start(self, target: dict[str, str]) -> None:
        """Deliver from now on into `target["bucket"]` at `target["endpoint"]`, under `target["prefix"]`."""
        self._target = target

    def deliver_for_ever(self) -> None:
        """Write what has gathered, every second; what could not be written is tried again."""
        while True:
            time.sleep(DELIVERY_SECONDS)
            if self._target is None:
                continue
            batch = [self._records.get() for _ in range(self._records.qsize())]
            try:
                self._write(batch, self._target)
            except (ClientError, BotoCoreError) as error:
                _log.warning("trail: not delivered, will try again: %s", error)
                for record in batch:
                    self._records.put(record)

    def _write(self, batch: list[Record], target: dict[str, str]) -> None:
        s3 = boto3.client("s3", endpoint_url=target["endpoint"])
        for key, body in log_files(batch, target["prefix"], now()).items():
            s3.put_object(
                Bucket=target["bucket"], Key=key, Body=body, ContentType="application/json", ContentEncoding="gzip"
            )


class _Quiet(WSGIRequestHandler):
    def log_request(self, *_: Any, **__: Any) -> None:
        """Requests are not logged: there are thousands in a demo."""


def _with_trail_switch(front: MotoFront, trail: Trail) -> Any:
    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ.get("PATH_INFO") != "/_landkeeper/trail":
            return front(environ, start_response)
        trail.start(json.loads(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))))
        start_response("204 No Content", [])
        return []

    return application


def main() -> None:
    """Serve until the process is told to end."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    trail = Trail()
    threading.Thread(target=trail.deliver_for_ever, daemon=True).start()
    application = _with_trail_switch(MotoFront(trail.add), trail)
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=_Quiet)
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
