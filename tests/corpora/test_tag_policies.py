"""Public tag policies and service control policies, where they lie beside the project: imported, exported, round."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from landkeeper.broom.policy.file import parse_policy
from landkeeper.broom.policy.from_aws import import_tag_policies
from landkeeper.broom.policy.rules import Penalty
from landkeeper.broom.policy.tag_policy import TagPolicyError, merge_tag_policies
from landkeeper.broom.policy.to_aws import export_tag_policy

FOLDER = (Path(__file__).parents[2] / ".." / "shared" / "corpora" / "tag-policies").resolve()

pytestmark = pytest.mark.corpora

if not FOLDER.is_dir():
    pytest.skip("the corpora of tag policies are not beside the project", allow_module_level=True)

FILES = sorted(FOLDER.rglob("*.json"))
TAG_POLICIES = [file for file in FILES if '"tags"' in file.read_text(encoding="utf-8")]
OTHERS = [file for file in FILES if '"Statement"' in file.read_text(encoding="utf-8")]


def name_of(file: Path) -> str:
    return str(file.relative_to(FOLDER))


def test_both_kinds_are_among_them() -> None:
    assert len(TAG_POLICIES) >= 10
    assert len(OTHERS) >= 10


@pytest.mark.parametrize("file", TAG_POLICIES, ids=name_of)
def test_every_key_of_a_tag_policy_goes_round(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    statements = merge_tag_policies([(file.name, json.loads(text))]).statements
    assert statements
    imported = import_tag_policies([(file.name, text)], Penalty.NOTIFY, require_all=True)
    (exported,) = export_tag_policy(parse_policy(imported, "imported")).documents
    again = merge_tag_policies([("exported", json.loads(exported))]).statements
    assert [(one.key, one.values) for one in again] == [(one.key, one.values) for one in statements]
    assert (
        import_tag_policies([(file.name, exported)], Penalty.NOTIFY).partition("version")[2]
        == (imported.partition("version")[2])
    )


@pytest.mark.parametrize("file", TAG_POLICIES, ids=name_of)
def test_without_requiring_all_the_values_go_round(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    statements = merge_tag_policies([(file.name, json.loads(text))]).statements
    checked = [one for one in statements if one.values]
    if not checked:
        with pytest.raises(TagPolicyError, match="nothing in it applies to instances"):
            import_tag_policies([(file.name, text)], Penalty.NOTIFY)
        return
    imported = import_tag_policies([(file.name, text)], Penalty.NOTIFY)
    (exported,) = export_tag_policy(parse_policy(imported, "imported")).documents
    again = merge_tag_policies([("exported", json.loads(exported))]).statements
    assert [(one.key, one.values, one.is_required) for one in again] == [
        (one.key, one.values, one.is_required) for one in checked
    ]


@pytest.mark.parametrize("file", OTHERS, ids=name_of)
def test_what_is_no_tag_policy_is_refused_in_a_line(file: Path) -> None:
    with pytest.raises(TagPolicyError, match=r"a tag policy has one key at its top, 'tags'"):
        import_tag_policies([(file.name, file.read_text(encoding="utf-8"))], Penalty.NOTIFY)
