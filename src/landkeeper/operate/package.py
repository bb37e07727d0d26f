"""The function package: a zip of the rooms and libraries that the functions import, the same bytes for the same input.

It is made from what is installed beside this module, so it suits the Python that makes it; compiled libraries for
another processor or system than this one come from the package index. What a cold start would do every time is done
here once: the code is compiled, and the SDK's descriptions of services are cut down to what the functions call.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import platform
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path, PurePosixPath

import landkeeper
from landkeeper.operate.models import (
    find_words,
    trim_answers,
    trim_endpoints,
    trim_paginators,
    trim_service,
    write_json,
)
from landkeeper.operate.wheels import fetch_files, find_tags, runs_on_lambda
from landkeeper.org import LandkeeperError, UsageError

DISTRIBUTIONS = (
    "botocore",
    "google-re2",
    "jmespath",
    "python-dateutil",
    "PyYAML",
    "six",
    "urllib3",
)
"""What the functions import beside Landkeeper, dependencies included; a test runs them on nothing else."""

COMPILED = ("google-re2",)
"""Those of them that bring machine code into the package."""

SERVICES = frozenset(
    {
        "account",
        "autoscaling",
        "dynamodb",
        "ec2",
        "events",
        "organizations",
        "s3",
        "scheduler",
        "sns",
        "sqs",
        "ssm",
        "sts",
    }
)
"""The services whose models botocore brings along; the other four hundred stay behind."""

ROOMS = ("vpctracker", "broom", "report", "aws", "wiring", "lambdas")
MODULES = ("__init__.py", "org.py", "causes.py", "documents.py", "settings.py")
OF_COMMANDS = (
    "aws/stack/artifacts.py",
    "aws/stack/bucket_notifications.py",
    "aws/stack/data_stores.py",
    "aws/stack/deployer.py",
    "aws/stack/environment.py",
    "aws/stack/log_feed.py",
    "aws/stack/organization_trail.py",
    "aws/stack/parts.py",
    "aws/vpctracker/default_vpc_holders.py",
    "aws/vpctracker/default_vpcs.py",
    "aws/vpctracker/vending.py",
    "wiring/broom/sample_log.py",
    "wiring/broom/switch.py",
    "wiring/doctor",
    "wiring/known_words.py",
    "wiring/stack.py",
    "wiring/vpctracker/default_vpcs.py",
    "wiring/vpctracker/vending.py",
)
"""Modules and folders that no function enters: what they call would be described to functions too, at every cold start.
"""
DATA = ("report/assets/page.html",)
"""Files that are no code, and that a function reads."""

CODE_ROOT = "/var/task"
"""Where Lambda unpacks the package; tracebacks name files there."""

_EPOCH_OF_ZIP = (1980, 1, 1, 0, 0, 0)
_LEFT_OUT_SUFFIXES = (".pyc", ".pyi", ".typed", ".exe")
_LEFT_OUT_PARTS = frozenset({"__pycache__", "tests", "examples"})
_ARCHITECTURES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}


class PackageError(LandkeeperError):
    """The package cannot be made of what is installed here."""


@dataclass(frozen=True, slots=True)
class FunctionPackage:
    """A finished package."""

    body: bytes
    runtime: str
    """Lambda's name for the Python it was made with, as in `python3.13`."""
    architecture: str
    """Lambda's name for the processor: `x86_64` or `arm64`."""

    @property
    def digest(self) -> str:
        """The SHA-256 of the content in hexadecimal: the same for the same files."""
        return hashlib.sha256(self.body).hexdigest()


def make_package(architecture: str | None = None) -> FunctionPackage:
    """The package of what is installed here: as it is, or fit for Lambda on the processor that is named.

    As it is suits whatever runs functions with this very interpreter. Raises UsageError where a library is missing or
    Lambda has nothing like this machine, WheelError where a compiled library is of no use to Lambda and another build
    of it cannot be had.
    """
    libraries = _library_files(architecture)
    files = _trim({**{name: path.read_bytes() for name, path in _own_files()}, **libraries})
    architecture = architecture or _own_architecture(platform.system())
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name, content in sorted({**files, **compile_files(files)}.items()):
            entry = zipfile.ZipInfo(name, _EPOCH_OF_ZIP)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    return FunctionPackage(body.getvalue(), version, architecture)


def compile_files(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The bytecode of those of the files that are Python, under the names where Python looks for it.

    It is not checked against the source when it is loaded: unpacking changes the time that Python would go by. It is
    made in a process of its own, because it depends on what else a process has done. Raises PackageError where a file
    does not compile.
    """
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        for name, content in files.items():
            if name.endswith(".py"):
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_bytes(content)
        command = [sys.executable, "-I", "-S", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
        done = subprocess.run(  # noqa: S603 - our own interpreter
            [*command, "-s", directory, "-p", CODE_ROOT, directory], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise PackageError(f"the functions' code does not compile: {done.stdout.strip()}")
        return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*.pyc")}


def _trim(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files with the SDK's descriptions cut down to what the code in them names, and to the newest of each API."""
    words = find_words(content.decode() for name, content in files.items() if _is_own_code(name))
    described = [PurePosixPath(name).parts for name in files if name.startswith("botocore/data/")]
    newest = {
        parts[2]: max(other[3] for other in described if other[2] == parts[2]) for parts in described if parts[4:]
    }
    trimmed = {}
    for name, content in files.items():
        parts = PurePosixPath(name).parts
        if not name.startswith("botocore/data/"):
            trimmed[name] = content
        elif not parts[4:] or newest[parts[2]] == parts[3]:
            trimmed[name.removesuffix(".gz")] = _trim_description(parts[-1], content, words)
    return trimmed


def _is_own_code(name: str) -> bool:
    return name.startswith("landkeeper/") and name.endswith(".py")


def _trim_description(name: str, content: bytes, words: Collection[str]) -> bytes:
    plain = gzip.decompress(content) if name.endswith(".gz") else content
    match name.removesuffix(".gz"):
        case "service-2.json":
            trimmed = trim_service(json.loads(plain), words)
            # EC2's answers are the large ones, and in its protocol what is not described is passed over.
            return write_json(trim_answers(trimmed, words) if trimmed["metadata"]["protocol"] == "ec2" else trimmed)
        case "paginators-1.json":
            return write_json(trim_paginators(json.loads(plain), words))
        case "endpoints.json":
            return write_json(trim_endpoints(json.loads(plain), SERVICES))
        case _:
            return plain


def this_processor() -> str:
    """Lambda's name for this machine's processor. Raises UsageError where Lambda has none like it."""
    machine = platform.machine()
    known = _ARCHITECTURES.get(machine.lower())
    if known is None:
        raise UsageError(f"AWS Lambda does not support '{machine}': pass --architecture arm64 or x86_64")
    return known


def _own_architecture(system: str) -> str:
    if system != "Linux":
        raise UsageError(f"AWS Lambda runs Linux: the compiled libraries of {system} do not run there")
    return this_processor()


def _own_files() -> Iterator[tuple[str, Path]]:
    root = Path(landkeeper.__file__).parent
    rooms: Iterable[Path] = (path for room in ROOMS for path in (root / room).rglob("*.py"))
    for path in (*(root / name for name in (*MODULES, *DATA)), *rooms):
        name = path.relative_to(root)
        if not any(name.is_relative_to(left_out) for left_out in OF_COMMANDS):
            yield f"landkeeper/{name.as_posix()}", path


def _library_files(architecture: str | None) -> dict[str, bytes]:
    collected: dict[str, bytes] = {}
    for name in DISTRIBUTIONS:
        try:
            installed = distribution(name).files or ()
        except PackageNotFoundError as error:
            raise UsageError(f"the library {name} is not installed, so the functions cannot be packaged") from error
        python = sys.version_info[:2]
        if name in COMPILED and architecture and not runs_on_lambda(find_tags(name), architecture, python):
            found = fetch_files(name, architecture, python)
            collected |= {file: body for file, body in found.items() if is_packaged(PurePosixPath(file))}
        else:
            collected |= {str(file): Path(str(file.locate())).read_bytes() for file in installed if is_packaged(file)}
    return collected


def is_packaged(file: PurePosixPath) -> bool:
    """Whether a file of an installed library goes into the package.

    Metadata, bytecode and type stubs stay out, and so do the models of services that no function calls and PyYAML's
    compiled half, which its own Python half stands in for.
    """
    if file.parts[0] == ".." or file.parts[0].endswith(".dist-info") or file.name.endswith(_LEFT_OUT_SUFFIXES):
        return False
    if _LEFT_OUT_PARTS.intersection(file.parts) or file.parts[0] == "_yaml":
        return False
    if file.parts[0] == "yaml" and file.suffix == ".so":
        return False
    if file.name.startswith("examples-1.json"):
        return False
    is_model = file.parts[:2] == ("botocore", "data") and len(file.parts) > 3
    return not is_model or file.parts[2] in SERVICES
