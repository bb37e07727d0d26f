"""The page with the document in it: untrusted text stays data."""

from __future__ import annotations

import json
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.report.report_inputs import report_input
from tests.strategies import ACCOUNTS, START, vpc_ids

from landkeeper.org import Region
from landkeeper.report.document import Document, as_json
from landkeeper.report.page import PLACEHOLDER, PageError, render, render_served
from landkeeper.report.view import view_report
from landkeeper.vpctracker.inventory import StoredVpc, Vpc
from landkeeper.wiring.report import read_page

PAGE = f"""<!doctype html>
<html lang="en"><head><meta http-equiv="Content-Security-Policy" content="default-src 'none'; connect-src 'none'">
<script>"connect-src 'none'"</script></head><body>{PLACEHOLDER}<div id="app"></div></body></html>
"""
_HOSTILE = (
    "</script><script>alert(1)</script>", "<!--<script>", "]]>", "<!--landkeeper-report-->", "&lt;b&gt;",
    "\u2028\u2029", "\u202eevil", "=cmd|' /C calc'!A0", '"><img src=x onerror=alert(1)>', "\\u003c/script>", "\ud800",
    "\x00", "a" * 256,
)  # fmt: skip
_HELD = '<script type="application/json" id="landkeeper-report">'
hostile = st.sampled_from(_HOSTILE) | st.text(st.characters(), max_size=20)


class _Tree(HTMLParser):
    """Collects every tag, attribute, comment and declaration in order, and the text of the data element."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[object] = []
        self.data: list[str] = []
        self._is_in = False
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, tuple(attrs)))
        self._is_in = ("id", "landkeeper-report") in attrs

    def handle_endtag(self, tag: str) -> None:
        self.found.append(f"/{tag}")
        self._is_in = False

    def handle_comment(self, data: str) -> None:
        self.found.append(f"comment {data}")

    def handle_decl(self, decl: str) -> None:
        self.found.append(f"declaration {decl}")

    def handle_data(self, data: str) -> None:
        if self._is_in:
            self.data.append(data)


def _document(key: str = "Team", value: str = "blue", name: str = "shop") -> Document:
    vpc = Vpc(
        vpc_ids(1), ACCOUNTS[0], Region("eu-west-1"), "10.0.0.0/16", account_name=name, name=value, tags={key: value}
    )
    return view_report(report_input(StoredVpc(vpc, START, START, 1)))


@given(hostile, hostile, hostile)
def test_no_value_becomes_markup_and_every_value_arrives(key: str, value: str, name: str) -> None:
    document = _document(key, value, name)
    tree = _Tree(render(document, PAGE))
    assert tree.found == _Tree(render(_document(), PAGE)).found
    assert json.loads("".join(tree.data)) == json.loads(json.dumps(as_json(document)))


@given(hostile)
@settings(max_examples=30)
def test_the_same_holds_in_the_page_that_comes_with_landkeeper(value: str) -> None:
    page = read_page()
    written = render(_document(value=value), page)
    before, after = page.split(PLACEHOLDER)
    assert written.startswith(before + _HELD)
    assert written.endswith("</script>" + after)
    data = written[len(before + _HELD) : -len("</script>" + after)]
    assert not set("<>&").intersection(data)
    assert data.isascii()
    assert json.loads(data)["vpcs"][0].get("name", "") == value


def test_only_a_served_page_may_contact_a_server() -> None:
    served = render_served(_document(), PAGE, 30)
    assert "content=\"default-src 'none'; connect-src 'self'\"" in served
    assert "<script>\"connect-src 'none'\"</script>" in served, "what a hash stands for stays as it is"
    assert f'<meta name="landkeeper-serve" content="30">{_HELD}' in served
    assert "landkeeper-serve" not in render(_document(), PAGE)


def test_the_page_of_landkeeper_can_be_served() -> None:
    before = read_page().split(PLACEHOLDER)[0]
    assert before.count("connect-src 'none'") == 1


@pytest.mark.parametrize("page", ["", "<html></html>", PLACEHOLDER * 2])
def test_a_page_without_exactly_one_placeholder_is_refused(page: str) -> None:
    with pytest.raises(PageError, match="times instead of once"):
        render(_document(), page)


def test_fields_with_their_default_are_left_out_and_all_others_written() -> None:
    document = _document()
    assert as_json(replace(document, vpcs=()))["vpcs"] == []
    assert as_json(document)["version"] == 1
    assert "is_default" not in as_json(document)["vpcs"][0]
    assert as_json(replace(document.vpcs[0], is_default=True))["default"] is True
