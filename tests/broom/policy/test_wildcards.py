"""Patterns with `*`: what they fit, and that many wildcards cost no more than few."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landkeeper.broom.policy.wildcards import fits, fits_any


@pytest.mark.parametrize(
    ("pattern", "text", "is_fit"),
    [
        ("us-*", "us-east-1", True),
        ("us-*", "eu-west-1", False),
        ("*", "", True),
        ("", "", True),
        ("", "x", False),
        ("a*a", "a", False),
        ("a*a", "aa", True),
        ("*/Role/*", "arn:aws:iam::111122223333:role/Role/", True),
        ("*a*b*", "xbxa", False),
        ("?", "x", False),
        ("[a-z]*", "[a-z]\n", True),
    ],
)
def test_a_wildcard_stands_for_any_characters(pattern: str, text: str, *, is_fit: bool) -> None:
    assert fits(pattern, text) is is_fit


def test_no_patterns_fit_everything() -> None:
    assert fits_any((), "x")
    assert fits_any(("y", "x*"), "x")
    assert not fits_any(("y",), "x")


@given(st.text("ab*", max_size=8), st.text("ab*\n", max_size=10))
def test_it_is_what_a_regular_expression_says(pattern: str, text: str) -> None:
    expression = ".*".join(map(re.escape, pattern.split("*")))
    assert fits(pattern, text) == (re.fullmatch(expression, text, re.DOTALL) is not None)


def test_many_wildcards_cost_no_more_than_few() -> None:
    """Going back for each wildcard would take longer than anybody waits."""
    assert not fits("*a" * 40 + "*b*", "a" * 5_000)
    assert fits("*a" * 40 + "*b*", "a" * 5_000 + "b")
