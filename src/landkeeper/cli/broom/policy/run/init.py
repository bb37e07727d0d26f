"""`landkeeper broom policy init`: a policy to start from."""

from __future__ import annotations

from pathlib import Path

from landkeeper.broom.policy.starter import starter_policy
from landkeeper.cli.broom.output import warn
from landkeeper.cli.exit_codes import DONE
from landkeeper.cli.terminal import say_text
from landkeeper.org import UsageError
from landkeeper.wiring.texts import write_new_file


def run_init(key: str, codes: str | None, out: Path | None) -> int:
    """Write a policy to start from, with comments and tests."""
    values = tuple(dict.fromkeys(filter(None, (code.strip() for code in (codes or "").split(",")))))
    if codes is not None and not values:
        raise UsageError(f"--codes is '{codes}': expected values separated by commas, for example LOL,GGG")
    text = starter_policy(key, values)
    if out is None or str(out) == "-":
        say_text(text)
        return DONE
    write_new_file(out, text.encode())
    warn(f"{out} is written; next: landkeeper broom policy check {out}")
    return DONE
