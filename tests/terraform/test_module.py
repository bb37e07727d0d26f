"""The Terraform module: that it fits the stack's template, and what it makes of the files of `--template-only`.

What needs no provider is evaluated by Terraform itself, where there is one.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import hcl2
import pytest

from landkeeper.operate.cost.stack_facts import parse_template
from landkeeper.operate.deploy import DeployRequest
from landkeeper.operate.package import FunctionPackage
from landkeeper.operate.plain_files import plain_files
from landkeeper.operate.templates import STACK, template

MODULE = Path(__file__).parents[2] / "terraform"
TERRAFORM = shutil.which("terraform")
KEYS = {"CodeKey", "PolicyKey", "ConfigKey", "MemberRolesKey", "MemberEventsKey"}
"""Parameters that name a file in the bucket."""
SETTLED = {*KEYS, "CodeBucket", "Runtime", "Architecture", "VpcTable", "LedgerTable"}
"""Those, and what else the files settle: the names of tables are written into the template."""
needs_terraform = pytest.mark.skipif(TERRAFORM is None, reason="there is no terraform here")


@cache
def _parsed(name: str) -> dict[str, Any]:
    parsed: dict[str, Any] = hcl2.loads((MODULE / name).read_text(encoding="utf-8"))
    return parsed


def _blocks(name: str, kind: str) -> dict[str, dict[str, Any]]:
    return {
        label.strip('"'): body
        for block in _parsed(name)[kind]
        for label, body in block.items()
        if label != "__is_block__"
    }


def _stack() -> dict[str, Any]:
    return parse_template(template(STACK))


def _known_parameters() -> set[str]:
    (validation,) = _blocks("variables.tf", "variable")["parameters"]["validation"]
    return set(re.findall(r'"(\w+)"', str(validation["condition"])))


def test_every_parameter_of_the_template_can_be_given_or_is_settled_by_the_files() -> None:
    assert _known_parameters() == set(_stack()["Parameters"]) - SETTLED
    assert set(_stack()["Parameters"]) >= SETTLED


def test_every_output_of_the_stack_is_one_of_the_module() -> None:
    values = {name: str(body["value"]) for name, body in _blocks("outputs.tf", "output").items()}
    named = {name: re.findall(r'"(\w+)"', value) for name, value in values.items()}
    assert named == {_snake(name): [name] for name in _stack()["Outputs"]}
    sometimes = {_snake(name) for name, output in _stack()["Outputs"].items() if "Condition" in output}
    assert {name for name, value in values.items() if "lookup(" in value} == sometimes


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def test_every_variable_and_output_says_what_it_is() -> None:
    for name, kind in (("variables.tf", "variable"), ("outputs.tf", "output")):
        blocks = _blocks(name, kind)
        assert blocks, name
        for label, body in blocks.items():
            assert body.get("description"), label


def test_the_keys_of_files_are_those_of_the_template() -> None:
    assert {name for name in _stack()["Parameters"] if name.endswith("Key")} == KEYS
    assert set(re.findall(r'"(\w+Key)"', (MODULE / "locals.tf").read_text(encoding="utf-8"))) == KEYS


def test_the_stack_is_handed_over_with_what_it_needs() -> None:
    (given,) = _blocks("main.tf", "resource")["aws_cloudformation_stack"].values()
    assert "CAPABILITY_NAMED_IAM" in str(given["capabilities"])
    assert "CAPABILITY_AUTO_EXPAND" in str(given["capabilities"])
    assert STACK in str(given["template_url"])
    assert len(template(STACK).encode()) > 51_200, "else it could be a body, and needed no bucket"


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """A folder as `landkeeper deploy --template-only` writes it."""
    request = DeployRequest("keeper", "version: 1\n", "version: 1\n", {"LogDays": "7", "Actions": "off"})
    folder = tmp_path / "written"
    folder.mkdir()
    for name, body in plain_files(request, FunctionPackage(b"a package", "python3.13", "arm64")).items():
        (folder / name).write_bytes(body)
    return folder


def _evaluate(written: Path, directory: Path, parameters: dict[str, str]) -> subprocess.CompletedProcess[str]:
    for name in ("locals.tf", "variables.tf"):
        shutil.copy(MODULE / name, directory)
    outputs = "{ stack = local.stack_name, keys = local.keys, parameters = local.parameters }"
    (directory / "outputs.tf").write_text(f'output "all" {{\n  value = {outputs}\n}}\n')
    given = {"files": str(written), "bucket": "our-deployments", "region": "eu-west-1", "parameters": parameters}
    (directory / "terraform.tfvars.json").write_text(json.dumps(given))
    _terraform(directory, "init", "-input=false").check_returncode()
    return _terraform(directory, "apply", "-auto-approve", "-input=false", "-no-color")


def _terraform(directory: Path, *words: str) -> subprocess.CompletedProcess[str]:
    assert TERRAFORM is not None
    return subprocess.run([TERRAFORM, *words], cwd=directory, capture_output=True, text=True, check=False)


@needs_terraform
def test_files_go_under_keys_that_tell_their_content_and_parameters_follow(written: Path, tmp_path: Path) -> None:
    applied = _evaluate(written, tmp_path, {"OrganizationId": "o-exampleorgid", "Actions": "on"})
    assert applied.returncode == 0, applied.stderr
    answer = json.loads(_terraform(tmp_path, "output", "-json").stdout)["all"]["value"]
    assert answer["stack"] == "keeper"
    for name, key in answer["keys"].items():
        assert key == f"keeper/{sha256((written / name).read_bytes()).hexdigest()}-{name}"
    said = json.loads((written / "parameters.json").read_text())
    files = {each["ParameterKey"]: each["ParameterValue"].removeprefix("keeper/") for each in said}
    assert answer["parameters"] == {
        "Architecture": "arm64", "Runtime": "python3.13", "CodeBucket": "our-deployments", "LogDays": "7",
        "OrganizationId": "o-exampleorgid", "Actions": "on",
        **{name: answer["keys"][files[name]] for name in KEYS},
    }  # fmt: skip
    assert set(answer["keys"]) == {STACK, *(files[name] for name in KEYS)}


@needs_terraform
def test_a_parameter_that_there_is_not_is_refused(written: Path, tmp_path: Path) -> None:
    refused = _evaluate(written, tmp_path, {"OrgId": "o-exampleorgid"})
    assert refused.returncode == 1
    assert "parameters has one that the stack's template does not have" in refused.stderr


@needs_terraform
def test_the_files_are_in_terraforms_own_format(tmp_path: Path) -> None:
    files = list(MODULE.glob("*.tf"))
    assert files
    for file in files:
        shutil.copy(file, tmp_path)
    checked = _terraform(tmp_path, "fmt", "-check", "-diff")
    assert (checked.returncode, checked.stdout) == (0, "")
