"""What the set-up decides: whether an environment can stay, where packages come from, what to say of a failure."""

from __future__ import annotations

from dataclasses import replace

import pytest
from scripts.make_venv import Stamp, find_advice, pip_settings, reason_to_remake, uv_settings

MADE = Stamp(place="/home/ana/landkeeper/.venv", python="3.11.7", inputs="0" * 64)


def test_an_environment_that_is_up_to_date_stays() -> None:
    assert reason_to_remake(MADE, MADE, runs=True, this_python=True) is None


def test_an_environment_of_older_pins_is_brought_up_to_date_and_not_made_anew() -> None:
    assert reason_to_remake(replace(MADE, inputs="1" * 64), MADE, runs=True, this_python=False) is None


def test_an_environment_that_was_not_finished_is_made_anew() -> None:
    assert reason_to_remake(None, MADE, runs=True, this_python=False) == ""


def test_an_environment_that_was_moved_is_made_anew() -> None:
    moved = replace(MADE, place="/home/ana/old/.venv")
    assert reason_to_remake(moved, MADE, runs=True, this_python=False) == (
        "it was made in another folder, /home/ana/old/.venv"
    )


def test_an_environment_whose_python_is_gone_is_made_anew() -> None:
    assert reason_to_remake(MADE, MADE, runs=False, this_python=False) == "Python 3.11.7, which made it, is gone"


@pytest.mark.parametrize(("this_python", "why"), [(True, "it was made by Python 3.11.7"), (False, None)])
def test_another_python_makes_it_anew_only_where_one_is_named(*, this_python: bool, why: str | None) -> None:
    wanted = replace(MADE, python="3.13.0")
    assert reason_to_remake(MADE, wanted, runs=True, this_python=this_python) == why


def test_pips_settings_are_read_and_the_environment_counts_most() -> None:
    listed = (
        ":env:.index-url='https://mirror.example/simple'\n"
        "global.index-url='https://elsewhere.example/simple'\n"
        "install.find-links='/srv/a b'\n"
        "global.extra-index-url='\\nfile:///srv/one\\nfile:///srv/two'\n"
        "wheel.index-url='https://not-for-us.example'\n"
    )
    assert pip_settings(listed) == {
        "index-url": "https://mirror.example/simple",
        "find-links": "/srv/a b",
        "extra-index-url": "\nfile:///srv/one\nfile:///srv/two",
    }


def test_uv_asks_where_pip_asks() -> None:
    pip = {
        "index-url": "https://mirror.example/simple",
        "extra-index-url": "\nfile:///srv/one\nfile:///srv/two",
        "find-links": "/srv/wheels https://wheels.example",
        "trusted-host": "mirror.example",
        "cert": "/etc/ca.pem",
        "timeout": "60",
        "quiet": "1",
    }
    assert uv_settings(pip, {}) == {
        "UV_DEFAULT_INDEX": "https://mirror.example/simple",
        "UV_INDEX": "file:///srv/one file:///srv/two",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_FIND_LINKS": "/srv/wheels,https://wheels.example",
        "UV_INSECURE_HOST": "mirror.example",
        "SSL_CERT_FILE": "/etc/ca.pem",
        "UV_HTTP_TIMEOUT": "60",
    }


@pytest.mark.parametrize("name", ["UV_DEFAULT_INDEX", "UV_INDEX_URL"])
def test_what_is_said_to_uv_itself_stays(name: str) -> None:
    assert uv_settings({"index-url": "https://mirror.example"}, {name: "https://own.example"}) == {}


@pytest.mark.parametrize(("value", "told"), [("1", {"UV_NO_INDEX": "1"}), ("false", {}), ("", {})])
def test_no_index_is_told_to_uv_where_it_is_on(value: str, told: dict[str, str]) -> None:
    assert uv_settings({"no-index": value}, {}) == told


@pytest.mark.parametrize(
    ("output", "begins"),
    [
        ("  cause: Hash mismatch for `blinker==1.9.0`\n\n  Expected: ...", "the package index has another file"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS.", "the package index has another file"),
        ("hint: An index (http://x/simple) returned a 403 Forbidden error.", "the package index refuses access"),
        ("error: Request failed after 3 retries\n  cause: error sending request for url",
         "the package index does not answer"),
        ("cause: HTTP status server error (503 Service Unavailable) for url", "the package index does not answer"),
        ("WARNING: Retrying after connection broken by 'NewConnectionError(…)'\nERROR: No matching distribution",
         "the package index does not answer"),
        ("Because annotated-types was not found in the package registry and you require", "the package index lacks"),
        ("error: failed to write: No space left on device (os error 28)", "the disk is full"),
        ("cause: invalid peer certificate: UnknownIssuer", "the package index's certificate is not trusted"),
        ("OSError: [Errno 30] Read-only file system: '/srv'", "a folder cannot be written"),
    ],
)  # fmt: skip
def test_a_failure_comes_with_what_to_do(output: str, begins: str) -> None:
    advice = find_advice(output)
    assert advice is not None
    assert advice.startswith(begins)
    assert advice.endswith("then run the same command again")


def test_a_failure_that_is_not_known_gets_no_made_up_advice() -> None:
    assert find_advice("error: the moon is full") is None
