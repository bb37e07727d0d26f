"""The process that serves moto behind `MotoFront` and delivers its trail: into a bucket, and as events.

`python -m landkeeper.embedded.moto_server` binds a free port of 127.0.0.1 and prints it as its first line. The trail
starts when `POST /_landkeeper/trail` has said where to: `{"bucket": …, "prefix": …, "endpoint": …, "events": …}`.
Arguments are the regions that there are; without any, all that moto knows.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

# moto would make 38 regions' worth of images at the first call to each.
os.environ.setdefault("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")

from moto.ec2.models.availability_zones_and_regions import RegionsAndZonesBackend
from werkzeug.serving import WSGIRequestHandler, make_server

from landkeeper.embedded.cloudtrail import now
from landkeeper.embedded.event_bus import EventBus, open_event_bus
from landkeeper.embedded.moto_front import MotoFront
from landkeeper.embedded.moto_trail import MotoTrail
from landkeeper.embedded.trail_files import Record, log_files

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

DELIVERY_SECONDS = 1.0
"""How long records gather before a log file is written; CloudTrail takes five minutes and more."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Target:
    """Where the trail delivers to."""

    bucket: str
    prefix: str
    endpoint: str
    events: bool = False
    """Whether each record goes to the default event bus as well."""


class Trail:
    """Gathers records and delivers them, once somebody has said where to.

    Log files hold what was done before that too. Events are only of what is done after it, as a rule knows nothing of
    the time before it was made.
    """

    def __init__(self) -> None:
        self._records: queue.SimpleQueue[Record] = queue.SimpleQueue()
        self._events: queue.SimpleQueue[Record] = queue.SimpleQueue()
        self._target: Target | None = None
        self._described: MotoTrail | None = None
        self._bus: EventBus | None = None

    def add(self, record: Record) -> None:
        """Take a record for the next delivery; a trail that was stopped misses it for good."""
        if self._described is None or self._described.is_logging:
            self._records.put(record)
        if self._target is not None and self._target.events:
            self._events.put(record)

    def start(self, target: Target) -> None:
        """Deliver there from now on."""
        if self._described is not None:
            self._described.stop()
        self._described = MotoTrail(target.bucket)
        self._bus = open_event_bus(target.endpoint) if target.events else None
        self._target = target

    def deliver_for_ever(self) -> None:
        """Deliver what has gathered, every second; what did not get through is tried again."""
        while True:
            time.sleep(DELIVERY_SECONDS)
            if self._target is not None:
                self._deliver(self._records, partial(self._write, self._target))
            if self._bus is not None:
                self._deliver(self._events, self._bus.deliver)

    def _deliver(self, gathered: queue.SimpleQueue[Record], deliver: Callable[[list[Record]], None]) -> None:
        batch = [gathered.get() for _ in range(gathered.qsize())]
        if not batch:
            return
        try:
            deliver(batch)
        except (ClientError, BotoCoreError) as error:
            _log.warning("trail: not delivered, will try again: %s", error)
            for record in batch:
                gathered.put(record)

    def _write(self, target: Target, batch: list[Record]) -> None:
        s3 = boto3.client("s3", endpoint_url=target.endpoint)
        for key, body in log_files(batch, target.prefix, now()).items():
            s3.put_object(
                Bucket=target.bucket, Key=key, Body=body, ContentType="application/json", ContentEncoding="gzip"
            )


class _Quiet(WSGIRequestHandler):
    def log_request(self, *_: Any, **__: Any) -> None:
        """Requests are not logged: there are thousands in a demo."""


def _with_trail_switch(front: MotoFront, trail: Trail) -> Any:
    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ.get("PATH_INFO") != "/_landkeeper/trail":
            return front(environ, start_response)
        trail.start(Target(**json.loads(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))))
        start_response("204 No Content", [])
        return []

    return application


def main() -> None:
    """Serve until the process is told to end."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    if names := sys.argv[1:]:
        RegionsAndZonesBackend.regions = [region for region in RegionsAndZonesBackend.regions if region.name in names]
    trail = Trail()
    threading.Thread(target=trail.deliver_for_ever, daemon=True).start()
    application = _with_trail_switch(MotoFront(trail.add), trail)
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=_Quiet)
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
