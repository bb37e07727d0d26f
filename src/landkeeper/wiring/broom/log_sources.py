"""Where the log files are that a person names: on disk, on standard input, or in S3."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from landkeeper.broom.cloudtrail.keys import LogObject
from landkeeper.broom.feeds import skip_reason
from landkeeper.org import Failure

if TYPE_CHECKING:
    from landkeeper.settings import Settings


@dataclass(frozen=True, slots=True)
class LogFile:
    """A file with its content."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class SkippedFile:
    """A file that holds no launches, going by its name."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class UnreadableFile:
    """A file, folder or prefix that could not be read. `is_missing` where there is no such thing."""

    name: str
    reason: str
    is_missing: bool = False


Source = LogFile | SkippedFile | UnreadableFile


def read_sources(paths: Sequence[str], settings: Settings) -> Iterator[Source]:
    """Every file that the paths name: `-` for standard input, `s3://bucket/prefix`, a file, or a folder."""
    for path in paths:
        if path == "-":
            yield LogFile("standard input", sys.stdin.buffer.read())
        elif path.startswith("s3://"):
            yield from _in_s3(path, settings)
        elif Path(path).is_dir():
            yield from _in_folder(Path(path))
        elif Path(path).exists():
            yield _on_disk(Path(path))
        else:
            yield UnreadableFile(path, "there is no such file or folder", is_missing=True)


def _in_folder(folder: Path) -> Iterator[Source]:
    files = sorted(file for file in folder.rglob("*") if not file.is_dir())
    if not files:
        yield UnreadableFile(str(folder), "the folder is empty")
    for file in files:
        reason = skip_reason(file.name)
        yield _on_disk(file) if reason is None else SkippedFile(str(file), reason)


def _on_disk(file: Path) -> Source:
    try:
        return LogFile(str(file), file.read_bytes())
    except OSError as error:
        return UnreadableFile(str(file), f"cannot be read: {error.strerror}")


def _in_s3(url: str, settings: Settings) -> Iterator[Source]:
    # Imported where it is needed: reading files on disk does not wait for boto3.
    from landkeeper.wiring.broom.commands import open_log_objects

    objects = open_log_objects(settings)
    bucket, _, prefix = url.removeprefix("s3://").partition("/")
    for listed in objects.list_objects(bucket, prefix):
        match listed:
            case Failure():
                yield UnreadableFile(url, str(listed))
            case LogObject(key=key):
                reason = skip_reason(key)
                yield _from_s3(objects.read_object(listed), str(listed)) if reason is None else SkippedFile(key, reason)


def _from_s3(data: bytes | Failure, name: str) -> Source:
    return UnreadableFile(name, str(data)) if isinstance(data, Failure) else LogFile(name, data)
