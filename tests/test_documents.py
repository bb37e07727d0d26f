"""Files that people write: what is more of YAML than anybody would write is refused before it costs a minute."""

from __future__ import annotations

import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from landkeeper.documents import DEEPEST, MOST_CHARACTERS, MOST_VALUES, NodeReader, Problem, compose_document

BOMB = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 30))


def problem(text: str) -> tuple[int, str]:
    found = compose_document(text, "policy.yaml")
    assert isinstance(found, Problem)
    assert found.file == "policy.yaml"
    return found.line, found.text


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        (BOMB, 6, f"more than {MOST_VALUES:,} values, an alias counted as all that it stands for"),
        ("x: 1\na: &a [*a]", 2, "an alias stands inside what it stands for"),
        ("a: &a {b: *a}", 1, "an alias stands inside what it stands for"),
        *(
            pytest.param(text, 1, reason, marks=pytest.mark.no_cover, id=text[:6])
            for text, reason in (
                ("[" * 100_000, f"nested more than {DEEPEST} deep"),
                ("{a: " * 50_000, f"nested more than {DEEPEST} deep"),
                ("- " * 20_000 + "x", f"nested more than {DEEPEST} deep"),
                ("[" + "a," * 60_000 + "]", f"more than {MOST_VALUES:,} values"),
            )
        ),
        ("a" * (MOST_CHARACTERS + 1), 1, f"the file has more than {MOST_CHARACTERS:,} characters"),
        ('a: 1\nb: "\\ud83d"', 2, "half of a pair of surrogates stands for no character"),
        ("*x", 1, "not YAML: found undefined alias 'x'"),
        ("", 1, "the file is empty"),
        ("a: \x07", 1, "not YAML: "),
    ],
    ids=lambda value: value[:12] if isinstance(value, str) else None,
)
def test_what_cannot_be_read_within_the_limits_names_its_line(text: str, line: int, reason: str) -> None:
    found = problem(text)
    assert found[0] == line
    assert found[1].startswith(reason)


def test_aliases_that_nest_are_as_deep_as_what_they_stand_for() -> None:
    chain = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 100))
    assert problem(chain) == (DEEPEST - 1, f"nested more than {DEEPEST} deep")


def test_an_alias_is_what_it_stands_for() -> None:
    root = compose_document("a: &a [x, y]\nb: *a", "policy.yaml")
    assert isinstance(root, yaml.MappingNode)
    (_, first), (_, second) = root.value
    assert first is second


def test_json_may_write_a_character_as_a_pair() -> None:
    root = compose_document(json.dumps({"Owner": "😀é"}), "policy.yaml")
    assert isinstance(root, yaml.MappingNode)
    assert root.value[0][1].value == "😀é"


@given(st.recursive(st.text(max_size=5), lambda inner: st.lists(inner, max_size=3), max_leaves=20))
def test_what_is_within_the_limits_is_composed_as_by_yaml(value: object) -> None:
    text = json.dumps(value, ensure_ascii=False)
    try:
        plain = yaml.compose(text, Loader=yaml.BaseLoader)
    except yaml.YAMLError:
        plain = None
    found = compose_document(text, "policy.yaml")
    assert isinstance(found, Problem) == (plain is None)
    if plain is not None and not isinstance(found, Problem):
        assert yaml.serialize(found) == yaml.serialize(plain)


def test_of_very_many_unknown_words_the_first_are_compared_with_those_that_are_known() -> None:
    root = compose_document("\n".join(f"rule{n}: x" for n in range(100)), "policy.yaml")
    assert not isinstance(root, Problem)
    nodes = NodeReader("policy.yaml")
    nodes.mapping(root, "the policy", ("version", "rules"))
    texts = [found.text for found in nodes.problems]
    assert len(texts) == 100
    assert "did you mean 'rules'?" in texts[0]
    assert texts[99].endswith("is not known: expected one of version, rules")
