"""Interrupts this process's calls to AWS, at a chosen one, through botocore's own hook `before-send`.

Retries, parsing and errors are botocore's; an attempt counts, not a call.
"""

from __future__ import annotations

import io
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from unittest.mock import patch

import botocore.session
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ReadTimeoutError
from botocore.httpsession import URLLib3Session


class Interruption(StrEnum):
    """What becomes of an attempt."""

    REFUSED = "it is refused"
    LOST = "it is carried out, and its answer is lost"
    GONE_BEFORE = "the process ends before it"
    GONE_AFTER = "the process ends when it was carried out"
    KILLED_AFTER = "the process gets SIGKILL when it was carried out"


class GoneError(BaseException):
    """Stands for the end of the process: nothing may catch it."""


@dataclass(slots=True)
class Watch:
    """The attempts of all clients that were made while it was there, and which of them is interrupted how."""

    attempts: list[str] = field(default_factory=list)
    """As in `ec2:CreateVpc`."""
    at: int = -1
    how: Interruption = Interruption.REFUSED
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, at: int = -1, how: Interruption = Interruption.REFUSED) -> None:
        """Count from 0 again; attempt `at` is interrupted, -1 is none."""
        self.attempts, self.at, self.how = [], at, how

    def __call__(self, request: AWSPreparedRequest, event_name: str, **_: Any) -> AWSResponse | None:
        with self._lock:
            number = len(self.attempts)
            self.attempts.append(":".join(event_name.split(".")[1:]))
        return self._interrupt(request) if number == self.at else None

    def _interrupt(self, request: AWSPreparedRequest) -> AWSResponse:
        if self.how is Interruption.GONE_BEFORE:
            raise GoneError
        if self.how is not Interruption.REFUSED:
            URLLib3Session().send(request)
        match self.how:
            case Interruption.LOST:
                raise ReadTimeoutError(endpoint_url=request.url)
            case Interruption.GONE_AFTER:
                raise GoneError
            case Interruption.KILLED_AFTER:
                os.kill(os.getpid(), signal.SIGKILL)
            case _:
                pass
        return _refusal(request)


def _refusal(request: AWSPreparedRequest) -> AWSResponse:
    if any(name.lower() == "x-amz-target" for name in request.headers):
        body = '{"__type": "AccessDeniedException", "message": "refused"}'
    else:
        body = "<Code>UnauthorizedOperation</Code><Message>refused</Message>"
        # EC2's errors are wrapped in another way than those of the other services.
        ec2 = f"<Response><Errors><Error>{body}</Error></Errors></Response>"
        body = ec2 if b"2016-11-15" in _bytes_of(request) else f"<ErrorResponse><Error>{body}</Error></ErrorResponse>"
    return AWSResponse(str(request.url), 403, HTTPHeaders(), _Raw(body.encode()))


def _bytes_of(request: AWSPreparedRequest) -> bytes:
    body = request.body
    return body if isinstance(body, bytes) else str(body).encode()


class _Raw(io.BytesIO):
    def stream(self) -> Iterator[bytes]:
        yield self.read()


@contextmanager
def watching() -> Iterator[Watch]:
    """Watches over the calls of every client that is made while this lasts."""
    hook = Watch()
    make = botocore.session.Session.create_client

    def watched(self: botocore.session.Session, *arguments: Any, **named: Any) -> Any:
        client: Any = make(self, *arguments, **named)
        client.meta.events.register("before-send", hook)
        return client

    with patch.object(botocore.session.Session, "create_client", watched):
        yield hook
