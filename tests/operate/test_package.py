"""The function package: complete, reproducible, and nothing that is not needed."""

from __future__ import annotations

import ast
import gzip
import importlib.util
import io
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path, PurePosixPath

import botocore
import pytest
from botocore import xform_name

from landkeeper.operate import package as packaging
from landkeeper.operate.package import FunctionPackage, PackageError, compile_files, is_packaged, make_package
from landkeeper.org import UsageError


@pytest.fixture(scope="module")
def package() -> FunctionPackage:
    return make_package()


@pytest.fixture(scope="module")
def archive(package: FunctionPackage) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(package.body))


def test_the_same_files_make_the_same_bytes(package: FunctionPackage) -> None:
    """In another process, and with names hashed another way, as well."""
    program = "from landkeeper.operate.package import make_package; print(make_package().digest)"
    command = [sys.executable, "-c", program]
    made = subprocess.run(command, capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": "7"})
    assert made.stdout.strip() == package.digest


def test_all_code_is_compiled_and_stays_so_whatever_time_unpacking_gives_it(archive: zipfile.ZipFile) -> None:
    names = set(archive.namelist())
    sources = [name for name in names if name.endswith(".py")]
    assert len(sources) > 200
    for name in sources:
        compiled = archive.read(importlib.util.cache_from_source(name))
        assert compiled[:4] == importlib.util.MAGIC_NUMBER
        # PEP 552: a hash that nobody checks.
        assert int.from_bytes(compiled[4:8], "little") == 0b01
        assert compiled[8:16] == importlib.util.source_hash(archive.read(name))


def test_code_that_does_not_compile_is_named() -> None:
    with pytest.raises(PackageError, match=r"broken\.py"):
        compile_files({"landkeeper/broken.py": b"def"})


def test_every_operation_that_is_called_is_described(archive: zipfile.ZipFile) -> None:
    """Whatever the code names that is an operation of a service in botocore's own description is in the package's."""
    called = {
        word
        for name in archive.namelist()
        if name.startswith("landkeeper/") and name.endswith(".py")
        for word in _names_in(archive.read(name).decode())
    }
    found: set[str] = set()
    for service in packaging.SERVICES:
        newest = max((Path(botocore.__file__).parent / "data" / service).iterdir())
        whole = json.loads(gzip.decompress((newest / "service-2.json.gz").read_bytes()))["operations"]
        ours = json.loads(archive.read(f"botocore/data/{service}/{newest.name}/service-2.json"))["operations"]
        wanted = {operation for operation in whole if xform_name(operation) in called}
        assert wanted <= ours.keys(), service
        assert ours.keys() <= whole.keys()
        found |= wanted
    assert {"DescribeInstances", "TerminateInstances", "PutItem", "AssumeRole", "GetObject", "Publish"} <= found


def _names_in(source: str) -> set[str]:
    """Attributes, and texts such as those that paginators are asked for by."""
    nodes = list(ast.walk(ast.parse(source)))
    attributes = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    return attributes | {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def test_both_entry_points_run_on_the_package_alone(package: FunctionPackage, tmp_path: Path) -> None:
    """Isolated and without site-packages, so that what is missing from the package cannot come from elsewhere."""
    zipfile.ZipFile(io.BytesIO(package.body)).extractall(tmp_path)
    program = (
        "import sys, json; sys.path.insert(0, sys.argv[1])\n"
        "import landkeeper.lambdas.tracker as tracker, landkeeper.lambdas.broom as broom\n"
        "from botocore.session import Session\n"
        "[Session().create_client(name, region_name='eu-west-1') for name in sys.argv[2:]]\n"
        "homes = {name: getattr(sys.modules[name], '__file__', None) or '' for name in list(sys.modules)}\n"
        "print(json.dumps([callable(tracker.handler), callable(broom.handler), homes]))\n"
    )
    command = [sys.executable, "-I", "-S", "-c", program, str(tmp_path), *sorted(packaging.SERVICES)]
    run = subprocess.run(command, capture_output=True, text=True, check=False, env={"HOME": str(tmp_path)})
    assert run.returncode == 0, run.stderr
    tracker, broom, homes = json.loads(run.stdout)
    assert tracker
    assert broom
    assert homes["botocore"].startswith(str(tmp_path))
    assert not [name for name, home in homes.items() if "site-packages" in home]
    assert not {name for name in homes if name.split(".")[0] in {"boto3", "rich", "click", "sqlite3", "moto"}}


def test_every_service_that_the_functions_call_comes_along() -> None:
    """Modules that only the command enters are in the package too, and may call other services."""
    root = Path(packaging.__file__).parents[1]
    modules = [path for path in _reached() if path.relative_to(root).parts[0] in {"aws", "wiring"}]
    called = re.findall(
        r"""(?:home|\w*short_timeout\w*|\w*_client)\((?:self\._swapped, )?"([a-z0-9-]+)\"""",
        "".join(path.read_text(encoding="utf-8") for path in modules),
    )
    assert set(called) == packaging.SERVICES


def _reached() -> set[Path]:
    """The modules that the entry points import, at once or later."""
    root = Path(packaging.__file__).parents[1]
    reached, ahead = set[Path](), sorted((root / "lambdas").glob("*.py"))
    while ahead:
        module = ahead.pop()
        if module not in reached and module.is_file():
            reached.add(module)
            nodes = ast.walk(ast.parse(module.read_text(encoding="utf-8")))
            names = (node.module or "" for node in nodes if isinstance(node, ast.ImportFrom))
            places = [root.joinpath(*name.split(".")[1:]) for name in names if name.startswith("landkeeper.")]
            ahead += [path for place in places for path in (place.with_suffix(".py"), place / "__init__.py")]
    return reached


def test_what_only_commands_enter_stays_behind(package: FunctionPackage) -> None:
    names = zipfile.ZipFile(io.BytesIO(package.body)).namelist()
    root, reached = Path(packaging.__file__).parents[1], _reached()
    for name in packaging.OF_COMMANDS:
        left_out = {root / name} if name.endswith(".py") else set((root / name).rglob("*.py"))
        assert left_out, name
        assert all(path.is_file() for path in left_out), name
        assert not left_out & reached, name
        assert not {f"landkeeper/{path.relative_to(root).as_posix()}" for path in left_out} & set(names), name


def test_every_module_in_it_finds_there_what_it_imports(archive: zipfile.ZipFile) -> None:
    names = [name for name in archive.namelist() if name.startswith("landkeeper/") and name.endswith(".py")]
    inside = {name.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for name in names}
    missing = {
        (name, node.module)
        for name in names
        for node in ast.parse(archive.read(name)).body
        if isinstance(node, ast.ImportFrom)
        and (node.module or "").startswith("landkeeper.")
        and node.module not in inside
    }
    assert not missing


def test_it_holds_no_rooms_that_functions_do_not_enter(package: FunctionPackage) -> None:
    names = zipfile.ZipFile(io.BytesIO(package.body)).namelist()
    rooms = {name.split("/")[1] for name in names if name.startswith("landkeeper/")}
    assert rooms == {*packaging.ROOMS, *packaging.MODULES, "__pycache__"}
    models = {name.split("/")[2] for name in names if name.startswith("botocore/data/") and name.count("/") > 2}
    assert models == packaging.SERVICES


@pytest.mark.parametrize(
    ("file", "goes_in"),
    [
        ("botocore/data/ec2/2016-11-15/service-2.json.gz", True),
        ("botocore/data/iot/2015-05-28/service-2.json.gz", False),
        ("botocore/data/endpoints.json", True),
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
