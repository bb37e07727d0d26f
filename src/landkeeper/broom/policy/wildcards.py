"""Patterns with `*`, the only wildcard that policies know: `us-*`, `p*`, `*/AWSServiceRoleForAutoScaling/*`."""

from __future__ import annotations

import re
from functools import lru_cache


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, pattern.split("*"))), re.DOTALL)


def fits(pattern: str, text: str) -> bool:
    """Whether the whole text is what the pattern says; `*` stands for any characters, none included."""
    return _compiled(pattern).fullmatch(text) is not None


def fits_any(patterns: tuple[str, ...], text: str) -> bool:
    """Whether one of the patterns fits; no patterns at all fit everything."""
    return not patterns or any(fits(pattern, text) for pattern in patterns)
