"""Which processes there are, for tests on what is left running."""

from __future__ import annotations

from pathlib import Path


def group_members(group: int) -> list[int]:
    """The processes of a group, without those that have ended and were not waited for (proc(5), "/proc/pid/stat")."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            state, _, member_of = (entry / "stat").read_text().rpartition(")")[2].split()[:3]
        except (OSError, ValueError):
            continue
        if int(member_of) == group and state != "Z":
            found.append(int(entry.name))
    return found
