"""The function package: complete, reproducible, and nothing that is not needed."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path, PurePosixPath

import pytest

from landkeeper.operate import package as packaging
from landkeeper.operate.package import FunctionPackage, is_packaged, make_package
from landkeeper.org import UsageError


@pytest.fixture(scope="module")
def package() -> FunctionPackage:
    return make_package()


def test_the_same_files_make_the_same_bytes(package: FunctionPackage) -> None:
    assert make_package() == package


def test_both_entry_points_run_on_the_package_alone(package: FunctionPackage, tmp_path: Path) -> None:
    """Isolated and without site-packages, so that what is missing from the package cannot come from elsewhere."""
    zipfile.ZipFile(io.BytesIO(package.body)).extractall(tmp_path)
    program = (
        "import sys, json; sys.path.insert(0, sys.argv[1])\n"
        "import landkeeper.lambdas.tracker as tracker, landkeeper.lambdas.broom as broom\n"
        "import boto3\n"
        "[boto3.client(name, region_name='eu-west-1') for name in sys.argv[2:]]\n"
        "homes = {name: getattr(sys.modules[name], '__file__', None) or '' for name in list(sys.modules)}\n"
        "print(json.dumps([callable(tracker.handler), callable(broom.handler), homes]))\n"
    )
    command = [sys.executable, "-I", "-S", "-c", program, str(tmp_path), *sorted(packaging.SERVICES)]
    run = subprocess.run(command, capture_output=True, text=True, check=False, env={"HOME": str(tmp_path)})
    assert run.returncode == 0, run.stderr
    tracker, broom, homes = json.loads(run.stdout)
    assert tracker
    assert broom
    assert homes["boto3"].startswith(str(tmp_path))
    assert not [name for name, home in homes.items() if "site-packages" in home]
    assert not {name for name in homes if name.split(".")[0] in {"rich", "rich_click", "click", "sqlite3", "moto"}}


def test_every_service_that_the_functions_call_comes_along() -> None:
    """Deploying itself calls CloudFormation, and is done by the command alone."""
    root = Path(packaging.__file__).parents[1]
    modules = [path for room in ("aws", "wiring") for path in (root / room).glob("*.py")]
    called = set(
        re.findall(r"""(?:home|_client)\((?:self\._swapped, )?"([a-z0-9-]+)\"""", "".join(map(_text, modules)))
    )
    assert called - {"cloudformation"} == packaging.SERVICES


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def test_it_holds_no_rooms_that_functions_do_not_enter(package: FunctionPackage) -> None:
    names = zipfile.ZipFile(io.BytesIO(package.body)).namelist()
    rooms = {name.split("/")[1] for name in names if name.startswith("landkeeper/")}
    assert rooms == {*packaging.ROOMS, *packaging.MODULES}
    models = {name.split("/")[2] for name in names if name.startswith("botocore/data/") and name.count("/") > 2}
    assert models == packaging.SERVICES


@pytest.mark.parametrize(
    ("file", "goes_in"),
    [
        ("botocore/data/ec2/2016-11-15/service-2.json.gz", True),
        ("botocore/data/iot/2015-05-28/service-2.json.gz", False),
        ("botocore/data/endpoints.json", True),
        ("boto3/data/ec2/2016-11-15/resources-1.json", False),
        ("boto3/session.py", True),
        ("yaml/loader.py", True),
        ("yaml/_yaml.cpython-311-x86_64-linux-gnu.so", False),
        ("_yaml/__init__.py", False),
        ("six.py", True),
        ("six-1.17.0.dist-info/METADATA", False),
        ("../../bin/jp.py", False),
        ("re2/__init__.py", True),
        ("dateutil/__pycache__/parser.cpython-311.pyc", False),
    ],
)
def test_what_goes_in(file: str, *, goes_in: bool) -> None:
    assert is_packaged(PurePosixPath(file)) is goes_in


def test_it_names_the_python_and_the_processor_it_suits(package: FunctionPackage) -> None:
    assert package.runtime == f"python3.{sys.version_info.minor}"
    assert package.architecture in {"x86_64", "arm64"}


def test_another_system_or_processor_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    with pytest.raises(UsageError, match="riscv64"):
        make_package()
    monkeypatch.setattr("platform.system", lambda: "Darwin")
    with pytest.raises(UsageError, match="Linux"):
        make_package()


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packaging, "DISTRIBUTIONS", ("no-such-library",))
    with pytest.raises(UsageError, match="no-such-library"):
        make_package()
