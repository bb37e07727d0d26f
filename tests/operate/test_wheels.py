"""Compiled libraries for another processor: what suits Lambda, and wheels from an index that pip is set up for."""

from __future__ import annotations

import hashlib
import io
import os
import sys
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest

from landkeeper.operate.package import COMPILED, make_package
from landkeeper.operate.wheels import (
    WheelError,
    fetch_files,
    find_tags,
    lambda_platforms,
    pinned_requirements,
    runs_on_lambda,
)

OURS = sys.version_info[:2]


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
    """A folder that is the only index pip and uv know."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    for tool in ("PIP", "UV"):
        monkeypatch.setenv(f"{tool}_NO_INDEX", "1")
        monkeypatch.setenv(f"{tool}_FIND_LINKS", str(folder))
    monkeypatch.setattr(
        "landkeeper.operate.wheels.pinned_requirements", lambda: (folder / "pins.txt").read_text("utf-8")
    )
    return folder


@pytest.fixture
def without_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in an environment that uv made: no pip, and uv on the PATH."""
    monkeypatch.setattr("landkeeper.operate.wheels.find_spec", lambda _: None)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")


_PLATFORMS = ("manylinux_2_26_aarch64", "manylinux2014_x86_64", "musllinux_1_2_x86_64", "win_amd64")


def _build(index: Path, platform: str, python: tuple[int, int] = OURS) -> None:
    ours = f"cp{python[0]}{python[1]}"
    release = version("google-re2")
    folder = f"google_re2-{release}.dist-info"
    name = f"google_re2-{release}-{ours}-{ours}-{platform}.whl"
    with zipfile.ZipFile(index / name, "w") as wheel:
        wheel.writestr("re2.py", "import _re2\n")
        wheel.writestr(f"_re2.{platform}.so", "machine code")
        wheel.writestr(f"{folder}/METADATA", f"Metadata-Version: 2.1\nName: google-re2\nVersion: {release}\n")
        wheel.writestr(
            f"{folder}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: {ours}-{ours}-{platform}\n"
        )
        wheel.writestr(f"{folder}/RECORD", "")
    known = "".join(f" --hash=sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}" for file in index.glob("*.whl"))
    (index / "pins.txt").write_text(f"google-re2=={release} {known}\n")


@pytest.mark.parametrize(
    ("architecture", "platform"), [("arm64", "manylinux_2_26_aarch64"), ("x86_64", "manylinux2014_x86_64")]
)
def test_the_build_is_taken_for_the_processor_that_is_named(index: Path, architecture: str, platform: str) -> None:
    for each in _PLATFORMS:
        _build(index, each)
    fetched = fetch_files("google-re2", architecture, sys.version_info[:2])
    assert [name for name in fetched if name.endswith(".so")] == [f"_re2.{platform}.so"]


def test_the_package_holds_the_build_of_its_processor_whatever_made_it(
    index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for each in _PLATFORMS:
        _build(index, each)
    # As on a system whose libraries are of no use to Lambda.
    monkeypatch.setattr("landkeeper.operate.package.find_tags", lambda _: ["cp313-cp313-macosx_14_0_arm64"])
    monkeypatch.setattr("platform.system", lambda: "Darwin")
    package = make_package("arm64")
    assert package.architecture == "arm64"
    names = zipfile.ZipFile(io.BytesIO(package.body)).namelist()
    assert [name for name in names if "_re2" in name] == ["_re2.manylinux_2_26_aarch64.so"]
    python = sys.version_info[:2]
    assert fetch_files("google-re2", "arm64", python) == fetch_files("google-re2", "arm64", python)


def _refused(python: tuple[int, int]) -> str:
    with pytest.raises(WheelError) as failed:
        fetch_files("google-re2", "arm64", python)
    return str(failed.value)


def test_the_hashes_that_come_along_are_those_of_the_pinned_release() -> None:
    """`make pins` writes both."""
    runtime = (Path(__file__).parents[2] / "requirements/runtime.txt").read_text("utf-8").splitlines()
    ours = [line.rstrip(" \\") for line in pinned_requirements().splitlines()]
    assert {line.split("==")[0] for line in ours if "==" in line} == set(COMPILED)
    begin = next(number for number, line in enumerate(runtime) if line.startswith(ours[0]))
    assert [line.rstrip(" \\") for line in runtime[begin : begin + len(ours)]] == ours
    assert not runtime[begin + len(ours)].strip().startswith("--hash")


@pytest.mark.parametrize("tool", ["pip", "uv"])
def test_a_file_with_another_hash_is_not_taken(index: Path, tool: str, request: pytest.FixtureRequest) -> None:
    """Whoever can put files into the index cannot put code into the functions."""
    if tool == "uv":
        request.getfixturevalue("without_pip")
    _build(index, "manylinux2014_aarch64", (3, 13))
    with zipfile.ZipFile(next(index.glob("*.whl")), "a") as wheel:
        wheel.writestr("planted.py", "")
    said = _refused((3, 13))
    assert "could not be downloaded" in said


def test_a_release_whose_hashes_are_not_known_is_refused(index: Path) -> None:
    (index / "pins.txt").write_text("google-re2==1.0 --hash=sha256:0\n")
    assert "Landkeeper has the hashes of google-re2==1.0 alone: install that" in _refused((3, 13))


def test_a_build_that_cannot_be_had_is_named_with_the_way_out(index: Path) -> None:
    _build(index, "win_amd64")
    said = _refused((3, 11))
    assert said.startswith(f"google-re2 {version('google-re2')} for Lambda's python3.11 on arm64, which has glibc 2.26")
    assert said.endswith("check the package index, or deploy with a newer Python, or with another --architecture")
    assert _refused((3, 13)).endswith("check the package index, or deploy with another --architecture")


@pytest.mark.usefixtures("without_pip")
@pytest.mark.parametrize(
    ("architecture", "python", "platform"),
    [("arm64", (3, 11), "manylinux2014_aarch64"), ("x86_64", (3, 12), "manylinux_2_34_x86_64")],
)
def test_where_there_is_no_pip_uv_fetches_the_build(
    index: Path, architecture: str, python: tuple[int, int], platform: str
) -> None:
    for each in ("manylinux2014_aarch64", "manylinux_2_34_x86_64", "win_amd64"):
        _build(index, each, python)
    found = fetch_files("google-re2", architecture, python)
    assert found["re2.py"] == b"import _re2\n"
    assert [name for name in found if name.endswith(".so")] == [f"_re2.{platform}.so"]


@pytest.mark.usefixtures("without_pip")
def test_what_uv_cannot_fetch_is_named_with_the_way_out(index: Path) -> None:
    _build(index, "win_amd64")
    assert "for Lambda's python3.11 on arm64, which has glibc 2.26, could not be downloaded" in _refused((3, 11))


@pytest.mark.usefixtures("without_pip")
def test_without_pip_and_uv_the_way_out_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert _refused((3, 12)).endswith("neither is installed: install one")
