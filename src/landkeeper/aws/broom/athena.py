"""Amazon Athena: a statement run to its end, and its answer read from S3."""

from __future__ import annotations

import csv
import io
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from landkeeper.aws.failures import CALL_ERRORS, failure_of
from landkeeper.org import Failure, FailureReason

if TYPE_CHECKING:
    from mypy_boto3_athena import AthenaClient
    from mypy_boto3_s3 import S3Client

_FIRST_WAIT_SECONDS, _LONGEST_WAIT_SECONDS = 0.2, 3.0


@dataclass(frozen=True, slots=True)
class Answered:
    """A statement that has run to its end."""

    location: str
    """Where its answer is, as `s3://bucket/key`."""
    scanned_bytes: int


@dataclass(frozen=True, slots=True)
class CalledOff:
    """A statement that was stopped before its end."""


class AthenaStatements:
    """Runs statements, one after the other."""

    def __init__(
        self, client: AthenaClient, s3: S3Client, *, database: str, workgroup: str, output: str | None
    ) -> None:
        """`client` is Athena's. `output` is where answers go, `s3://bucket/prefix/`; None for the workgroup's place."""
        self._client = client
        self._s3 = s3
        self._options: dict[str, Any] = {"QueryExecutionContext": {"Database": database}, "WorkGroup": workgroup}
        if output is not None:
            self._options["ResultConfiguration"] = {"OutputLocation": output}

    def run(self, statement: str, is_stopped: Callable[[], bool]) -> Answered | CalledOff | Failure:
        """Run a statement and wait for its end; it is called off once `is_stopped` says so."""
        try:
            id_ = self._client.start_query_execution(QueryString=statement, **self._options)["QueryExecutionId"]
            wait = _FIRST_WAIT_SECONDS
            while True:
                execution = self._client.get_query_execution(QueryExecutionId=id_)["QueryExecution"]
                status = execution["Status"]
                if status["State"] == "SUCCEEDED":
                    scanned = execution.get("Statistics", {}).get("DataScannedInBytes", 0)
                    return Answered(execution["ResultConfiguration"]["OutputLocation"], scanned)
                if status["State"] in {"FAILED", "CANCELLED"}:
                    why = " ".join(str(status.get("StateChangeReason", "")).split())
                    return Failure(FailureReason.OTHER, status["State"], why)
                if is_stopped():
                    self._client.stop_query_execution(QueryExecutionId=id_)
                    return CalledOff()
                time.sleep(wait)
                wait = min(2 * wait, _LONGEST_WAIT_SECONDS)
        except CALL_ERRORS as error:
            return failure_of(error)

    def read_rows(self, answered: Answered) -> Iterator[Mapping[str, str] | Failure]:
        """The rows of an answer, one after the other; a Failure, and then no more, where S3 refuses."""
        bucket, _, key = answered.location.removeprefix("s3://").partition("/")
        # A launch of a thousand instances is one field.
        csv.field_size_limit(sys.maxsize)
        try:
            with closing(self._s3.get_object(Bucket=bucket, Key=key)["Body"]) as body:
                yield from csv.DictReader(
                    io.TextIOWrapper(io.BufferedReader(_Readable(body)), encoding="utf-8", newline="")
                )
        except CALL_ERRORS as error:
            yield failure_of(error)


class _Readable(io.RawIOBase):
    """The body of an object, as the standard library wants to read it."""

    def __init__(self, body: Any) -> None:
        self._body = body

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data: bytes = self._body.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)
