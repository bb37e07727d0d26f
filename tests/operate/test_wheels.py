"""Compiled libraries for another processor: what suits Lambda, and wheels from an index that pip is set up for."""

from __future__ import annotations

import io
import sys
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest

from landkeeper.operate.package import make_package
from landkeeper.operate.wheels import WheelError, fetch_files, find_tags, lambda_platforms, runs_on_lambda

OURS = f"cp{sys.version_info.major}{sys.version_info.minor}"


@pytest.mark.parametrize(
    ("tags", "architecture", "python", "suits"),
    [
        (["cp313-cp313-manylinux_2_28_x86_64"], "x86_64", (3, 13), True),
        (["cp313-cp313-manylinux_2_28_x86_64"], "arm64", (3, 13), False),
        (["cp313-cp313-manylinux_2_28_aarch64"], "arm64", (3, 13), True),
        (["cp311-cp311-manylinux_2_27_x86_64", "cp311-cp311-manylinux_2_28_x86_64"], "x86_64", (3, 11), False),
        (["cp311-cp311-manylinux2014_x86_64"], "x86_64", (3, 11), True),
        (["cp313-cp313-manylinux_2_39_x86_64"], "x86_64", (3, 13), False),
        (["cp313-cp313-musllinux_1_2_x86_64"], "x86_64", (3, 13), False),
        (["cp313-cp313-macosx_14_0_arm64"], "arm64", (3, 13), False),
        (["py3-none-any"], "arm64", (3, 11), True),
        ([], "arm64", (3, 11), False),
    ],
)
def test_a_library_suits_lambda_by_processor_and_c_library(
    tags: list[str], architecture: str, python: tuple[int, int], suits: bool
) -> None:
    assert runs_on_lambda(tags, architecture, python) is suits


def test_the_newest_c_library_comes_first() -> None:
    assert lambda_platforms("arm64", (3, 12))[0] == "manylinux_2_34_aarch64"
    assert lambda_platforms("x86_64", (3, 11))[0] == "manylinux_2_26_x86_64"
    assert lambda_platforms("x86_64", (3, 11))[-1] == "manylinux2014_x86_64"


def test_what_is_installed_says_what_it_was_built_for() -> None:
    assert {tag[:2] for tag in find_tags("google-re2")} == {"cp"}
    assert find_tags("six") == ["py2-none-any", "py3-none-any"]


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is the only index pip knows."""
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    return tmp_path


def _build(index: Path, platform: str) -> None:
    release = version("google-re2")
    folder = f"google_re2-{release}.dist-info"
    name = f"google_re2-{release}-{OURS}-{OURS}-{platform}.whl"
    with zipfile.ZipFile(index / name, "w") as wheel:
        wheel.writestr("re2.py", "import _re2\n")
        wheel.writestr(f"_re2.{platform}.so", "machine code")
        wheel.writestr(f"{folder}/METADATA", f"Metadata-Version: 2.1\nName: google-re2\nVersion: {release}\n")
        wheel.writestr(
            f"{folder}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: {OURS}-{OURS}-{platform}\n"
        )
        wheel.writestr(f"{folder}/RECORD", "")


@pytest.mark.parametrize(
    ("architecture", "platform"), [("arm64", "manylinux_2_26_aarch64"), ("x86_64", "manylinux2014_x86_64")]
)
def test_the_package_takes_the_build_for_the_processor_that_is_named(
    index: Path, architecture: str, platform: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for each in ("manylinux_2_26_aarch64", "manylinux2014_x86_64", "musllinux_1_2_x86_64", "win_amd64"):
        _build(index, each)
    # As on a system whose libraries are of no use to Lambda.
    monkeypatch.setattr("landkeeper.operate.package.find_tags", lambda _: ["cp313-cp313-macosx_14_0_arm64"])
    monkeypatch.setattr("platform.system", lambda: "Darwin")
    package = make_package(architecture)
    assert package.architecture == architecture
    names = zipfile.ZipFile(io.BytesIO(package.body)).namelist()
    assert [name for name in names if "_re2" in name] == [f"_re2.{platform}.so"]
    assert make_package(architecture) == package


def test_a_build_that_cannot_be_had_is_named_with_the_way_out(index: Path) -> None:
    _build(index, "win_amd64")
    with pytest.raises(WheelError) as failed:
        fetch_files("google-re2", "arm64", (3, 11))
    assert "google-re2" in str(failed.value)
    assert "python3.11 on arm64, which has glibc 2.26" in str(failed.value)
    assert "--architecture" in str(failed.value)
