"""Patterns with `*`, the only wildcard that policies know: `us-*`, `p*`, `*/AWSServiceRoleForAutoScaling*/*`."""

from __future__ import annotations


def fits(pattern: str, text: str) -> bool:
    """Return whether the pattern fits the whole text; `*` stands for any characters, none included.

    Each part between two wildcards is taken where it first stands: with no other wildcard there is nothing to go back
    for, so many wildcards cost no more than few.
    """
    first, *rest = pattern.split("*")
    if not rest:
        return pattern == text
    *middle, last = rest
    start, end = len(first), len(text) - len(last)
    if start > end or not text.startswith(first) or not text.endswith(last):
        return False
    for part in middle:
        found = text.find(part, start, end)
        if found < 0:
            return False
        start = found + len(part)
    return True


def fits_any(patterns: tuple[str, ...], text: str) -> bool:
    """Return whether one of the patterns fits; no patterns at all fit everything."""
    return not patterns or any(fits(pattern, text) for pattern in patterns)
