"""The files of a folder, with those in the folders that it links to; each folder is walked once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from stat import S_ISREG


@dataclass(frozen=True, slots=True)
class FolderFile:
    """A regular file, or a link to one."""

    name: str


@dataclass(frozen=True, slots=True)
class PassedOver:
    """Something that is no file, or was walked before."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Unlisted:
    """A folder or a file that cannot be read."""

    name: str
    reason: str


FolderEntry = FolderFile | PassedOver | Unlisted

_LINK_TO_NOTHING = "a symbolic link to a file that does not exist"
_WALKED = "a link to a folder that is read already"


def walk_folder(folder: str) -> Iterator[FolderEntry]:
    """Everything below a folder: its files, then those of the folders in it, in the order of names.

    Links to folders come last, so that a file goes by its own path where that is below the folder too.
    """
    walk = _Walk([folder])
    while walk.folders:
        yield from walk.list_folder(walk.folders.pop(0))


def why_unreadable(path: str, error: OSError) -> str:
    """Return why a file cannot be read, in words."""
    if isinstance(error, FileNotFoundError) and os.path.islink(path):  # noqa: PTH114 - a Path takes longer
        return _LINK_TO_NOTHING
    return f"cannot be read: {error.strerror}"


@dataclass(slots=True)
class _Walk:
    folders: list[str]
    """What is to be walked yet: the folder, and links to folders."""
    seen: set[tuple[int, int]] = field(default_factory=set)
    """The devices and inodes of the folders that were walked."""

    def list_folder(self, folder: str) -> Iterator[FolderEntry]:
        """List a folder and those in it."""
        try:
            about = os.stat(folder)  # noqa: PTH116 - a Path for each folder takes longer
            if (about.st_dev, about.st_ino) in self.seen:
                yield PassedOver(folder, _WALKED)
                return
            self.seen.add((about.st_dev, about.st_ino))
            with os.scandir(folder) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            yield Unlisted(folder, why_unreadable(folder, error))
            return
        inner = [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
        for entry in entries:
            if entry.is_file(follow_symlinks=False):
                yield FolderFile(entry.path)
            elif not entry.is_dir(follow_symlinks=False):
                yield from self._look_at(entry)
        for path in inner:
            yield from self.list_folder(path)

    def _look_at(self, entry: os.DirEntry[str]) -> Iterator[FolderEntry]:
        try:
            about = entry.stat()
        except OSError as error:
            yield Unlisted(entry.path, why_unreadable(entry.path, error))
            return
        if entry.is_dir():
            self.folders.append(entry.path)
        else:
            yield FolderFile(entry.path) if S_ISREG(about.st_mode) else PassedOver(entry.path, "not a file")
