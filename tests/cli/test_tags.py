"""Tags on the command line."""

from __future__ import annotations

import pytest

from landkeeper.cli.tags import parse_tags, tag_filters
from landkeeper.org import UsageError


def test_a_tag_has_a_key_and_a_value_that_may_be_empty() -> None:
    assert parse_tags(["Code=LOL", "Url=https://x/?a=b", "Empty="]) == {
        "Code": "LOL", "Url": "https://x/?a=b", "Empty": "",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("texts", "why"),
    [
        (["Code"], "--tag is 'Code': expected KEY=VALUE, for example Code=LOL"),
        (["=LOL"], "--tag is '=LOL': expected KEY=VALUE, for example Code=LOL"),
        (["a=1", "a=2"], "--tag has a twice"),
    ],
)
def test_what_is_no_tag_is_named(texts: list[str], why: str) -> None:
    with pytest.raises(UsageError) as raised:
        parse_tags(texts)
    assert str(raised.value) == why


@pytest.mark.parametrize(
    ("text", "fitting"),
    [("Code", [True, True, False]), ("Code=LOL", [True, False, False]), ("Code=", [False, True, False])],
)
def test_a_filter_asks_for_a_key_or_for_a_value_too(text: str, fitting: list[bool]) -> None:
    (fits,) = tag_filters([text])
    assert [fits(tags) for tags in ({"Code": "LOL"}, {"Code": ""}, {"code": "LOL"})] == fitting


def test_a_filter_without_a_key_is_refused() -> None:
    with pytest.raises(UsageError, match="--tag is '=x': expected Key or Key=Value"):
        tag_filters(["=x"])
