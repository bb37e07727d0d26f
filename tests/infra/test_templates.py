"""The templates: what CloudFormation would say of them, and that they fit the code they deploy."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

import landkeeper.settings
from landkeeper.operate.cost.stack_facts import parse_template
from landkeeper.operate.organization_trail import leaves_trail

INFRA = Path(str(files("landkeeper") / "infra"))
TEMPLATES = sorted(INFRA.glob("*.yaml"))
BODY_LIMIT = 51_200
"""Bytes that a template may have in the call itself (CloudFormation guide, "quotas")."""
OBJECT_LIMIT = 1_000_000
"""Bytes that it may have in S3, where the stack's own is."""


def _text(template: Path) -> str:
    return template.read_text(encoding="utf-8")


def test_there_are_templates_and_nothing_else() -> None:
    assert {path.name for path in INFRA.iterdir()} == {path.name for path in TEMPLATES} != set()


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_it_fits_where_it_goes_and_uses_no_yaml_that_cloudformation_lacks(template: Path) -> None:
    text = _text(template)
    assert len(text.encode()) < (OBJECT_LIMIT if template.name == "landkeeper.yaml" else BODY_LIMIT)
    assert not re.search(r"^\s*[\w-]+:\s+[&*]\w|<<:", text, re.MULTILINE)


def test_every_handler_that_a_template_names_is_there() -> None:
    named = re.findall(r"Handler: (\S+)", "".join(map(_text, TEMPLATES)))
    # `index` is what Lambda calls a file that stands in the template.
    handlers = [each for each in named if not each.startswith("index.")]
    assert handlers
    for handler in handlers:
        module, _, name = handler.rpartition(".")
        assert callable(getattr(import_module(module), name))


def test_every_variable_that_a_template_sets_is_one_that_is_read() -> None:
    settings = Path(landkeeper.settings.__file__).read_text(encoding="utf-8")
    variables = set(re.findall(r"(LANDKEEPER_\w+):", "".join(map(_text, TEMPLATES))))
    assert variables
    assert not {name for name in variables if f'"{name}"' not in settings}


def test_no_statement_allows_everything() -> None:
    everything = re.compile(r"Action: ['\"]?\*|Action: \[?['\"]?\w+:\*['\"]?[\],\s]*$", re.MULTILINE)
    for wide in ("Action: '*'", "Action: s3:*\n  Resource: x", 'Action: ["s3:*"]\n  Resource: x'):
        assert everything.search(wide), wide
    assert TEMPLATES
    for template in TEMPLATES:
        allowing = _allowing(_text(template))
        assert "Action: " in allowing or "Action: " not in _text(template), template
        assert not everything.search(allowing), template


def _allowing(text: str) -> str:
    """The text without its denying statements, which may well name every action."""
    return re.sub(r"- Sid: \w+\n\s+Effect: Deny\n(?:.*\n)*?(?=\s+- Sid|\s*\n)", "", text)


def _holds(condition: Any, conditions: Mapping[str, Any], values: Mapping[str, str]) -> bool:
    """Evaluate a condition as CloudFormation does."""
    ((function, given),) = condition.items()
    if function == "!Condition":
        return _holds(conditions[given], conditions, values)
    if function == "!Equals":
        first, second = (values[part["!Ref"]] if isinstance(part, dict) else str(part) for part in given)
        return first == second
    parts = [_holds(part, conditions, values) for part in given]
    return {"!And": all(parts), "!Or": any(parts), "!Not": not parts[0]}[function]


@pytest.mark.parametrize("organization", ["", "o-example"])
@pytest.mark.parametrize("owner", ["", "111122223333", "444455556666"])
@pytest.mark.parametrize("covers_organization", ["true", "false"])
@pytest.mark.parametrize(("makes", "bucket"), [("true", ""), ("false", ""), ("true", "logs")])
def test_the_template_and_the_command_agree_on_who_makes_the_trail(
    organization: str, owner: str, covers_organization: str, makes: str, bucket: str
) -> None:
    parsed = parse_template(_text(INFRA / "landkeeper.yaml"))
    given = {
        "OrganizationId": organization,
        "ManagementAccountId": owner,
        "OrganizationTrail": covers_organization,
        "CreateTrail": makes,
        "TrailBucketName": bucket,
    }
    values = {**given, "AWS::AccountId": "111122223333"}
    conditions = parsed["Conditions"]
    held = _holds(conditions["HoldsTrail"], conditions, values)
    left = leaves_trail(given, "111122223333")
    assert parsed["Resources"]["Trail"]["Condition"] == "HoldsTrail"
    if makes == "true" and not bucket:
        # An owner elsewhere without an organization is a contradiction, of which nobody makes a trail for all.
        assert held != left
    else:
        assert (held, left) == (False, False)
    if held:
        assert _holds(conditions["IsOwnTrail"], conditions, values), "the bucket's policy lets the own trail write"
