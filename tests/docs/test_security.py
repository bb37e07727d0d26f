"""Each promise of the security model names a test, and that test exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_MODEL = (_ROOT / "docs" / "security.md").read_text(encoding="utf-8")
_NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", _MODEL)))


@pytest.mark.parametrize(("path", "name"), _NAMED)
def test_the_test_of_a_promise_exists(path: str, name: str) -> None:
    tree = ast.parse((_ROOT / path).read_text(encoding="utf-8"))
    assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_each_promise_names_a_test() -> None:
    promises = [line for line in _MODEL.splitlines() if line.startswith("| ") and not line.startswith("| cannot")]
    assert len(promises) > 30
    assert [line for line in promises if "`tests/" not in line] == []
