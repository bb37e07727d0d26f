"""Where the log files are that a person names: on disk, on standard input, or in S3."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, assert_never

from landkeeper.broom.cloudtrail.keys import LogObject
from landkeeper.broom.feeds import skip_reason
from landkeeper.org import Failure
from landkeeper.wiring.broom.log_folders import FolderFile, PassedOver, Unlisted, walk_folder, why_unreadable

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
        elif os.path.isdir(path):  # noqa: PTH112 - a Path raises where this says no
            yield from _in_folder(path)
        else:
            yield _on_disk(path)


def _in_folder(folder: str) -> Iterator[Source]:
    is_empty = True
    for entry in walk_folder(folder):
        is_empty = False
        match entry:
            case FolderFile(name):
                reason = skip_reason(Path(name).as_posix())
                yield _on_disk(name) if reason is None else SkippedFile(name, reason)
            case PassedOver(name, reason):
                yield SkippedFile(name, reason)
            case Unlisted(name, reason):
                yield UnreadableFile(name, reason)
            case _:
                assert_never(entry)
    if is_empty:
        yield UnreadableFile(folder, "the folder is empty")


def _on_disk(file: str) -> Source:
    try:
        return LogFile(file, Path(file).read_bytes())
    except OSError as error:
        if isinstance(error, FileNotFoundError) and not os.path.islink(file):  # noqa: PTH114 - as above
            return UnreadableFile(file, "there is no such file or folder", is_missing=True)
        return UnreadableFile(file, why_unreadable(file, error))


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
