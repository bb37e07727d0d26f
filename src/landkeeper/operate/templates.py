"""The product's own templates: their text, and the names in it written out where CloudFormation has to read them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from importlib.resources import files

STACK = "landkeeper.yaml"
MEMBER_ROLES = "member-roles.yaml"
MEMBER_EVENTS = "member-events.yaml"
LOG_ARCHIVE = "log-archive.yaml"
POOL_FORWARDER = "pool-forwarder.yaml"

_NAMES = re.compile(r'^(\s+(?:TableName|BucketName|Bucket|TrailName): )(?:!Ref ([\w:]+)|!Sub "([^"]+)")$', re.MULTILINE)
_DEFAULTS = re.compile(r"^  (\w+):\n    Type: \w+\n    Default: \"?([^\"\n]*)\"?$", re.MULTILINE)
_PLACE = re.compile(r"\$\{([\w:]+)\}")


def template(name: str) -> str:
    """The text of one of the product's own templates, as in `landkeeper.yaml`."""
    return (files("landkeeper") / "infra" / name).read_text(encoding="utf-8")


def parameter_names() -> list[str]:
    """The parameters of the stack's template, in its order."""
    section = template(STACK).partition("\nParameters:\n")[2].partition("\nMappings:\n")[0]
    return re.findall(r"^  (\w+):$", section, re.MULTILINE)


def stack_template(values: Mapping[str, str]) -> str:
    """The stack's template with the names of what it keeps written out.

    A later stack adopts what an earlier one left behind only where its name stands in the template as it is, neither
    from a parameter nor from a function (CloudFormation guide, "Import AWS resources into a stack automatically").
    `values` are the parameters that are not at their defaults, and the pseudo parameters `AWS::StackName`,
    `AWS::AccountId` and `AWS::Region`; a name that takes more than is known stays as it is.
    """
    text = template(STACK)
    known = {**dict(_DEFAULTS.findall(text)), **values}

    def written_out(found: re.Match[str]) -> str:
        before, reference, pattern = found.groups()
        pattern = pattern if reference is None else f"${{{reference}}}"
        if any(name not in known for name in _PLACE.findall(pattern)):
            return found.group()
        return before + json.dumps(_PLACE.sub(lambda place: known[place[1]], pattern))

    return _NAMES.sub(written_out, text)
