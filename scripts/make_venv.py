"""Create the virtual environment with every extra from the pinned packages, or update it.

This script runs before anything is installed, so it uses only the standard library. The pins list every package with
its extras and hashes, and nothing is resolved: later releases have no effect. uv installs the packages; it is itself
pinned, and kept in the cache. If uv has no build for the machine, pip installs them. On failure, print one sentence
that says what went wrong and what to do, and exit with code 2.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import time
import venv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

ALL = Path("requirements/all.txt")
INSTALLER = Path("requirements/installer.txt")
INPUTS = (ALL, INSTALLER, Path("pyproject.toml"), Path("scripts/make_venv.py"))
STAMP = ".landkeeper-setup"
LOG = "setup.log"
UNFINISHED = "unfinished"


@dataclass(frozen=True, slots=True)
class Stamp:
    """What an environment was made from: its folder, the Python version, and a digest of the input files."""

    place: str
    python: str
    inputs: str


class SetupError(Exception):
    """Set-up failed; the message says why and what to do."""


def main() -> int:
    """Create or update the environment, or print why it failed. Return the exit code."""
    parser = argparse.ArgumentParser(description="Create or update the virtual environment.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--this-python", action="store_true", help="Rebuild an environment that another Python made.")
    parser.add_argument("--check", action="store_true", help="Check whether it is up to date; the exit code says.")
    given = parser.parse_args()
    if given.check:
        return 0 if read_stamp(given.folder) == wanted_stamp(given.folder) else 1
    try:
        set_up(given.folder, this_python=given.this_python)
    except SetupError as error:
        sys.stderr.write(f"setup: {error}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("setup: interrupted; the next run starts over\n")
        return 130
    return 0


def set_up(folder: Path, *, this_python: bool) -> None:
    """Bring the environment up to date; do nothing if it already is. Raise SetupError."""
    started = time.monotonic()
    wanted = wanted_stamp(folder)
    found = read_stamp(folder)
    why = reason_to_remake(found, wanted, runs=_runs(folder), this_python=this_python)
    if why is None and found is not None and found.inputs == wanted.inputs:
        return
    _check_writable(folder)
    if why is None and found is not None:
        say(f"the pinned packages changed, updating {folder}")
        wanted = Stamp(wanted.place, found.python, wanted.inputs)
        _write(folder / STAMP, UNFINISHED)
    else:
        _make(folder, why)
    (folder / LOG).unlink(missing_ok=True)
    install(folder)
    _write(folder / STAMP, json.dumps(asdict(wanted)))
    say(f"done in {time.monotonic() - started:.0f} s, the command is {folder}/bin/landkeeper")


def reason_to_remake(found: Stamp | None, wanted: Stamp, *, runs: bool, this_python: bool) -> str | None:
    """Return why the environment must be rebuilt: '' if none was finished, None if it can stay."""
    if found is None:
        return ""
    if found.place != wanted.place:
        return f"it was made in another folder, {found.place}"
    if not runs:
        return f"Python {found.python}, which made it, is gone"
    if this_python and found.python != wanted.python:
        return f"it was made by Python {found.python}"
    return None


def wanted_stamp(folder: Path) -> Stamp:
    """Return the stamp of an environment that this Python would make now."""
    return Stamp(str(folder.absolute()), platform.python_version(), _digest(INPUTS))


def read_stamp(folder: Path) -> Stamp | None:
    """Return the stamp of the finished environment in the folder; None if there is none."""
    try:
        return Stamp(**json.loads((folder / STAMP).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def install(folder: Path) -> None:
    """Install the pinned packages and Landkeeper itself. Raise SetupError."""
    settings = pip_settings(_run(folder, [*_pip(folder), "config", "list"]).stdout)
    sources = sorted(settings.keys() & {"index-url", "extra-index-url", "find-links", "no-index", "proxy"})
    if sources:
        say(f"using the package sources of pip's settings: {', '.join(sources)}")
    index = uv_settings(settings, os.environ)
    count = sum(1 for line in ALL.read_text(encoding="utf-8").splitlines() if "==" in line and not line.startswith(" "))
    if _fetch_uv(folder):
        say(f"installing {count} pinned packages with uv")
        uv = [str(folder / "bin" / "uv"), "pip"]
        python = ["--python", str(folder / "bin" / "python")]
        pinned = [*uv, "sync", *python, "--require-hashes", str(ALL)]
        # Try the cache of an earlier set-up first, online too: the hashes verify its files.
        if _run(folder, [*pinned, "--offline"], index).returncode:
            _must(_run(folder, pinned, index))
        own = [*uv, "install", *python, "--offline", "--no-deps", "--no-build-isolation", "--editable", "."]
        _must(_run(folder, own, index))
    else:
        say(f"no uv build for this machine; installing {count} pinned packages with pip, which takes some minutes")
        pip = [*_pip(folder), "install", "--quiet", "--retries", "2", "--no-compile", "--no-deps"]
        _must(_run(folder, [*pip, "--require-hashes", "--requirement", str(ALL)]))
        _must(_run(folder, [*pip, "--no-build-isolation", "--editable", "."]))


def _fetch_uv(folder: Path) -> bool:
    """Install the pinned uv from the cache, or download it. Return False if the index has no build for this machine."""
    cache = _cache()
    take = [*_pip(folder), "install", "--quiet", "--no-deps", "--require-hashes", "--requirement", str(INSTALLER)]
    from_cache = [*take, "--no-index", "--find-links", cache.as_uri()]
    if cache.is_dir() and _run(folder, from_cache).returncode == 0:
        return True
    shutil.rmtree(cache, ignore_errors=True)
    if os.environ.get("LANDKEEPER_SETUP_INSTALLER") == "pip":
        return False
    say("downloading uv, which installs the rest")
    fetch = [
        *_pip(folder), "download", "--quiet", "--retries", "2", "--no-deps", "--only-binary=:all:", "--require-hashes",
        "--requirement", str(INSTALLER), "--dest", str(cache),
    ]  # fmt: skip
    done = _run(folder, fetch)
    if done.returncode:
        if find_advice(done.stderr) is None and "from versions:" in done.stderr:
            return False
        _must(done)
    _must(_run(folder, from_cache))
    return True


_SETTINGS = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "trusted-host": "UV_INSECURE_HOST",
    "cert": "SSL_CERT_FILE",
    "client-cert": "SSL_CLIENT_CERT",
    "proxy": "ALL_PROXY",
    "timeout": "UV_HTTP_TIMEOUT",
    "default-timeout": "UV_HTTP_TIMEOUT",
    "no-index": "UV_NO_INDEX",
}
"""pip's settings for package sources, and uv's names for them.

Source: pip documentation, "Configuration"; uv documentation, "Environment variables".
"""


def pip_settings(listed: str) -> dict[str, str]:
    """Parse the output of `pip config list` into `name: value`; the environment takes precedence."""
    found: dict[str, str] = {}
    order = {"global": 0, "download": 1, "install": 2, ":env:": 3}
    lines = (re.fullmatch(r"([^.]+)\.([\w-]+)=('.*'|\".*\")", line) for line in listed.splitlines())
    for line in sorted(filter(None, lines), key=lambda line: order.get(line[1], -1)):
        if line[1] in order:
            found[line[2]] = ast.literal_eval(line[3])
    return found


def uv_settings(pip: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment variables that give uv pip's package sources; variables already set for uv stay.

    pip takes a package from any index that has it. uv may do the same here, because the hashes identify the file.
    """
    told = {
        _SETTINGS[name]: ",".join(value.split()) if name == "find-links" else " ".join(value.split())
        for name, value in pip.items()
        if name in _SETTINGS and value.strip() and _SETTINGS[name] not in environment
    }
    if told.get("UV_NO_INDEX", "").lower() in {"0", "no", "off", "false"}:
        del told["UV_NO_INDEX"]
    older = {"UV_DEFAULT_INDEX": "UV_INDEX_URL", "UV_INDEX": "UV_EXTRA_INDEX_URL"}
    told = {name: value for name, value in told.items() if older.get(name, name) not in environment}
    if "UV_INDEX" in told and "UV_INDEX_STRATEGY" not in environment:
        told["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    return told


_AGAIN = "then run the same command again"
_ADVICE = (
    (
        r"hash mismatch|do not match the hashes",
        "the package index has another file than the pinned one (its hash differs). Use another index, or newer pins",
    ),
    (
        r"401 Unauthorized|403 Forbidden|407 Proxy",
        "the package index refuses access. Put valid credentials into PIP_INDEX_URL, pip.conf or ~/.netrc",
    ),
    (r"No space left|ENOSPC|os error 28\b", "the disk is full. Free about 1 GB"),
    (
        r"Permission denied|Read-only file system|os error (13|30)\b",
        "a folder cannot be written. Make the project's folder and the cache writable",
    ),
    (
        r"certificate|SSLError|UnknownIssuer",
        "the package index's certificate is not trusted. Name your CA file with PIP_CERT or `pip config set`",
    ),
    (
        r"connection broken by|error sending request|dns error|timed out|HTTP status server error|network was disabled",
        "the package index does not answer. Check the network, or name a mirror with PIP_INDEX_URL or pip.conf",
    ),
    (
        r"was not found in the package registry|there is no version of|No matching distribution",
        "the package index lacks a pinned package. Check PIP_INDEX_URL and pip.conf, or have the mirror fetch it",
    ),
)
"""Patterns of what pip and uv print, each with the cause and the remedy; the first match applies."""


def find_advice(output: str) -> str | None:
    """Return the cause and the remedy for the output of pip or uv; None if no pattern matches."""
    flags = re.IGNORECASE | re.DOTALL
    return next((f"{advice}, {_AGAIN}" for pattern, advice in _ADVICE if re.search(pattern, output, flags)), None)


def _make(folder: Path, why: str | None) -> None:
    if folder.exists():
        if not _is_environment(folder):
            raise SetupError(f"{folder} exists and is not a virtual environment: move it away, {_AGAIN}")
        say(f"rebuilding {folder}: {why or 'an earlier set-up did not finish'}")
        shutil.rmtree(folder)
    else:
        say(f"creating {folder} with Python {platform.python_version()}")
    try:
        folder.mkdir(parents=True)
        _write(folder / STAMP, UNFINISHED)
        venv.EnvBuilder(with_pip=True, symlinks=os.name != "nt").create(folder)
    except (OSError, subprocess.CalledProcessError) as error:
        raise SetupError(
            f"{folder} could not be created ({error}). Check that {sys.executable} is a complete Python, {_AGAIN}"
        ) from error


def _is_environment(folder: Path) -> bool:
    return any((folder / name).exists() for name in (STAMP, "pyvenv.cfg")) or (
        folder.is_dir() and not any(folder.iterdir())
    )


def _check_writable(folder: Path) -> None:
    there = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.exists())
    probe = there / f".landkeeper-{os.getpid()}"
    try:
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise SetupError(
            f"{there} cannot be written ({error.strerror}). Copy the project to a folder of your own, {_AGAIN}"
        ) from error


def _runs(folder: Path) -> bool:
    try:
        done = subprocess.run([folder / "bin" / "python", "-c", ""], capture_output=True, check=False)
    except OSError:
        return False
    return done.returncode == 0 and (folder / "bin" / "landkeeper").exists()


def _run(
    folder: Path, command: Sequence[str], more: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run an installer and append its output to the log in the environment."""
    # Ignore pip settings that would install for the user or into another folder.
    environment = {**os.environ, **(more or {}), "PIP_USER": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    for name in ("PIP_TARGET", "PIP_PREFIX", "PYTHONPATH", "VIRTUAL_ENV"):
        environment.pop(name, None)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    with (folder / LOG).open("a", encoding="utf-8") as log:
        log.write(f"$ {' '.join(command)}\n{done.stdout}{done.stderr}\n")
    return done


def _must(done: subprocess.CompletedProcess[str]) -> None:
    if done.returncode == 0:
        return
    said = done.stderr or done.stdout
    advice = find_advice(said)
    if advice is None:
        why = [line.strip() for line in said.splitlines() if re.match(r"\s*(error|cause):", line, re.IGNORECASE)]
        advice = f"the packages could not be installed ({'; '.join(why) or 'no reason given'}). Fix that, {_AGAIN}"
    log = next(word for word in done.args if word.endswith(("/bin/python", "/bin/uv"))).rsplit("/bin/", 1)[0]
    raise SetupError(f"{advice}. {log}/{LOG} has the whole message")


def _pip(folder: Path) -> list[str]:
    return [str(folder / "bin" / "python"), "-m", "pip"]


def _cache() -> Path:
    """Return the cache folder for the pinned installer."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base).absolute() / "landkeeper" / "setup" / _digest([INSTALLER])[:16]


def _digest(files: Iterable[Path]) -> str:
    whole = hashlib.sha256()
    for file in files:
        whole.update(file.read_bytes())
    return whole.hexdigest()


def _write(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8")


def say(sentence: str) -> None:
    """Print a progress message."""
    print(f"setup: {sentence}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
