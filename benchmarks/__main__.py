"""`python -m benchmarks [NAME...]`: run these benchmarks, or all of them, one after the other."""

from __future__ import annotations

import sys
from importlib import import_module

BENCHMARKS = (
    "broom",
    "cidr",
    "fanout",
    "lambda",
    "logs",
    "pools",
    "report",
    "kept-report",
    "startup",
    "store",
    "workload",
)
_MODULES = {"broom": "broom_event", "lambda": "broom_function", "kept-report": "report_function"}
"""Benchmarks whose module has another name."""


def main(names: list[str]) -> int:
    """Run the named benchmarks; return the exit code."""
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        sys.stderr.write(f"there is no benchmark '{unknown[0]}'; there are {', '.join(BENCHMARKS)}\n")
        return 2
    for name in names or BENCHMARKS:
        import_module(f"benchmarks.{_MODULES.get(name, name)}").run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
