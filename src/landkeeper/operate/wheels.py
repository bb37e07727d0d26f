"""Compiled libraries for Lambda: wheels for Linux, taken by their hashes, whatever system deploys."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable
from importlib.metadata import distribution
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

from landkeeper.org import LandkeeperError

_MACHINES = {"x86_64": "x86_64", "arm64": "aarch64"}
_OLDEST_GLIBC = 17
"""What `manylinux2014` stands for; older wheels are not made any more."""


class WheelError(LandkeeperError):
    """A library for the functions' processor could not be had; the text says why."""


def find_tags(name: str) -> list[str]:
    """What the installed library was built for, as in `cp313-cp313-manylinux_2_28_x86_64`; none if it does not say."""
    metadata = distribution(name).read_text("WHEEL") or ""
    return [line.removeprefix("Tag: ").strip() for line in metadata.splitlines() if line.startswith("Tag: ")]


def runs_on_lambda(tags: Iterable[str], architecture: str, python: tuple[int, int]) -> bool:
    """Whether a library that was built for this runs on Lambda's processor and on its C library."""
    platforms = {tag.rsplit("-", 1)[-1] for tag in tags}
    return not platforms.isdisjoint({"any", *lambda_platforms(architecture, python)})


def lambda_platforms(architecture: str, python: tuple[int, int]) -> list[str]:
    """The platforms whose wheels run on Lambda, the newest first.

    Runtimes from Python 3.12 on are Amazon Linux 2023 with glibc 2.34, older ones Amazon Linux 2 with 2.26.
    Source: AWS Lambda Developer Guide, "Lambda runtimes"; PEP 600.
    """
    machine = _MACHINES[architecture]
    newest = 34 if python >= (3, 12) else 26
    numbered = [f"manylinux_2_{minor}_{machine}" for minor in range(newest, _OLDEST_GLIBC - 1, -1)]
    return [*numbered, f"manylinux2014_{machine}"]


def fetch_files(name: str, architecture: str, python: tuple[int, int]) -> dict[str, bytes]:
    """Return the files of the installed version of a library, built for Lambda, by their place in the package.

    Ask the package index that pip is set up for, or uv where the environment has no pip, as in those that uv makes.
    Only a file with one of the hashes that came with Landkeeper is taken. Raise WheelError when there is neither, when
    the index has no such build or another file, or when it cannot be reached.
    """
    version = distribution(name).version
    pinned = pinned_requirements()
    if f"{name}=={version} " not in pinned:
        known = next((line.split()[0] for line in pinned.splitlines() if line.startswith(f"{name}==")), "no version")
        raise WheelError(
            f"{name} {version} for Lambda on {architecture} must be downloaded, and Landkeeper has the hashes of "
            f"{known} alone: install that, or deploy from a machine like Lambda's"
        )
    with tempfile.TemporaryDirectory() as directory, tempfile.TemporaryDirectory() as other:
        place, requirements = Path(directory), Path(other) / "requirements.txt"
        requirements.write_text(pinned, encoding="utf-8")
        command = _find_command(requirements, architecture, python, place)
        if command is None:
            raise WheelError(
                f"{name} {version} for Lambda on {architecture} must be downloaded with pip or uv, and neither is "
                "installed: install one"
            )
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - pip or uv, by a list of words
        found = _files_in(place)
        if done.returncode or not found:
            raise WheelError(_describe_failure(f"{name} {version}", architecture, python, done.stderr))
        return found


def pinned_requirements() -> str:
    """Return the compiled libraries with the hashes of their files, as pip and uv take them."""
    return files("landkeeper.operate").joinpath("wheels.txt").read_text(encoding="utf-8")


def _find_command(requirements: Path, architecture: str, python: tuple[int, int], place: Path) -> list[str] | None:
    """Return the command that brings the library into the folder: pip's where there is pip, else uv's, else None."""
    version = ".".join(map(str, python))
    if find_spec("pip") is not None:
        platforms = [
            word for wheel_platform in lambda_platforms(architecture, python) for word in ("--platform", wheel_platform)
        ]
        return [
            sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
            "--only-binary=:all:", "--implementation", "cp", "--python-version", version, *platforms,
            "--dest", str(place),
            "--require-hashes", "--requirement", str(requirements),
        ]  # fmt: skip
    uv = shutil.which("uv")
    if uv is None:
        return None
    # uv downloads only by installing. Of the C libraries that it knows, 2.17 is the newest that Amazon Linux 2 has too.
    platform = f"{_MACHINES[architecture]}-manylinux_2_{34 if python >= (3, 12) else _OLDEST_GLIBC}"
    return [
        uv, "pip", "install", "--quiet", "--no-deps", "--only-binary=:all:", "--python-version", version,
        "--python-platform", platform, "--target", str(place),
        "--require-hashes", "--requirement", str(requirements),
    ]  # fmt: skip


def _files_in(place: Path) -> dict[str, bytes]:
    """Return the files of the wheel that pip left in the folder, or what uv unpacked there."""
    wheel = next(place.glob("*.whl"), None)
    if wheel is None:
        return {path.relative_to(place).as_posix(): path.read_bytes() for path in place.rglob("*") if path.is_file()}
    with zipfile.ZipFile(wheel) as archive:
        return {entry: archive.read(entry) for entry in archive.namelist() if not entry.endswith("/")}


def _describe_failure(library: str, architecture: str, python: tuple[int, int], said: str) -> str:
    why = (said.strip().splitlines() or ["no reason given"])[-1].strip()
    glibc = "2.34" if python >= (3, 12) else "2.26"
    newer = "a newer Python, or with " if python < (3, 12) else ""
    return (
        f"{library} for Lambda's python{python[0]}.{python[1]} on {architecture}, which has glibc {glibc}, "
        f"could not be downloaded ({why}): check the package index, or deploy with {newer}another --architecture"
    )
