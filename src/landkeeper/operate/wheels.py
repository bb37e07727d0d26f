"""Compiled libraries for another machine than this one: wheels for Linux, whatever system deploys."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable
from importlib.metadata import distribution
from pathlib import Path

from landkeeper.org import LandkeeperError

_MACHINES = {"x86_64": "x86_64", "arm64": "aarch64"}
_OLDEST_GLIBC = 17
"""What `manylinux2014` stands for; older wheels are not made any more."""


class WheelError(LandkeeperError):
    """A library for the functions' processor could not be had; the text says why."""


def find_tags(name: str) -> list[str]:
    """What the installed library was built for, as in `cp313-cp313-manylinux_2_28_x86_64`; none if it does not say."""
    told = distribution(name).read_text("WHEEL") or ""
    return [line.removeprefix("Tag: ").strip() for line in told.splitlines() if line.startswith("Tag: ")]


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
    """The files of the version of a library that is installed here, built for Lambda; by their place in the package.

    Asks the package index that pip is set up for. Raises WheelError when it has none or cannot be reached.
    """
    version = distribution(name).version
    platforms = [word for each in lambda_platforms(architecture, python) for word in ("--platform", each)]
    with tempfile.TemporaryDirectory() as directory:
        command = [
            sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
            "--only-binary=:all:", "--implementation", "cp", "--python-version", ".".join(map(str, python)),
            *platforms, "--dest", directory, f"{name}=={version}",
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own interpreter
        found = list(Path(directory).glob("*.whl"))
        if done.returncode or not found:
            why = (done.stderr.strip().splitlines() or ["pip gave no reason"])[-1]
            newest = platforms[1].removeprefix("manylinux_").rsplit("_", 2 if architecture == "x86_64" else 1)[0]
            raise WheelError(
                f"{name} {version} for Lambda's python{python[0]}.{python[1]} on {architecture}, which has glibc "
                f"{newest.replace('_', '.')}, could not be had ({why}): deploy with a newer Python, or with another "
                "--architecture"
            )
        with zipfile.ZipFile(found[0]) as wheel:
            return {entry: wheel.read(entry) for entry in wheel.namelist() if not entry.endswith("/")}
