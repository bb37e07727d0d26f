"""What the Tab key offers, in the shells themselves."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from benchmarks.landscape import make_report_input

from landkeeper.cli import run
from landkeeper.embedded.ledger_file import LedgerFile
from landkeeper.embedded.pool_file import PoolFile
from landkeeper.vpctracker.differences import Appeared
from landkeeper.vpctracker.pools.items import PoolWrite, pool_to_item, reservation_to_item

_REPORT_INPUT = make_report_input(vpcs=12, accounts=4, cases=2)
_VPC_NAMES = sorted({vpc.vpc.name for vpc in _REPORT_INPUT.known.vpcs if vpc.vpc.name})
_VPCS = sorted(one.vpc.id for one in _REPORT_INPUT.known.vpcs)
_SHOWN = [*_VPCS, *_VPC_NAMES]
_ACCOUNTS = sorted(_REPORT_INPUT.known.coverage)
_NAMES = sorted(one.account_name for one in _REPORT_INPUT.known.coverage.values())
_CASES = sorted(case.instance_id for case in _REPORT_INPUT.ledger.cases) if _REPORT_INPUT.ledger else []
_BIN = Path(sys.executable).parent
Tab = Callable[..., list[str]]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with VPCs, pools and cases, which no process has open."""
    path = tmp_path_factory.mktemp("store") / "landkeeper.db"
    vpcs = PoolFile(path)
    vpcs.write_changes([Appeared(one) for one in _REPORT_INPUT.known.vpcs])
    for coverage in _REPORT_INPUT.known.coverage.values():
        vpcs.write_coverage(coverage)
    for state in _REPORT_INPUT.pools:
        items = (pool_to_item(state.pool), *map(reservation_to_item, state.reservations))
        vpcs.write_pools(PoolWrite({state.pool.id: 0}, items))
    vpcs.close()
    ledger = LedgerFile(path)
    for case in _REPORT_INPUT.ledger.cases if _REPORT_INPUT.ledger else ():
        assert ledger.write_case(replace(case, version=1))
    ledger.close()
    return path


@pytest.fixture
def here(store: Path, tmp_path: Path) -> Path:
    """A working directory with that file under the name that commands look for."""
    shutil.copy(store, tmp_path / "landkeeper.db")
    return tmp_path


def _environment(home: Path, given: Mapping[str, str]) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("LANDKEEPER_", "AWS_"))}
    return {**inherited, "HOME": str(home), "PATH": f"{_BIN}:{os.environ['PATH']}", **given}


@pytest.fixture
def tab(here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Tab:
    """What bash is told when somebody presses Tab at the end of a line."""

    def press(line: str, **environment: str) -> list[str]:
        words = {"COMP_WORDS": line, "COMP_CWORD": str(line.count(" ")), "_LANDKEEPER_COMPLETE": "bash_complete"}
        with monkeypatch.context() as patch:
            for name in (name for name in os.environ if name.startswith(("LANDKEEPER_", "AWS_"))):
                patch.delenv(name)
            for name, value in {"HOME": str(here), **words, **environment}.items():
                patch.setenv(name, value)
            patch.chdir(here)
            with pytest.raises(SystemExit) as done:
                run([])
        printed = capsys.readouterr()
        assert (done.value.code, printed.err) == (0, "")
        return [word.partition(",")[2] for word in printed.out.split()]

    return press


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("landkeeper vp", ["vpc"]),
        ("landkeeper vpc li", ["list"]),
        ("landkeeper vpc pool re", ["reserve"]),
        ("landkeeper vpc list --acc", ["--account"]),
        ("landkeeper vpc list --format ", ["table", "json", "csv"]),
        ("landkeeper vpc show ", _SHOWN),
        (f"landkeeper vpc show {_VPCS[0][:9]}", [id_ for id_ in _VPCS if id_.startswith(_VPCS[0][:9])]),
        ("landkeeper vpc history vpc-", _VPCS),
        ("landkeeper vpc connect ", [*_ACCOUNTS, *_NAMES, *_VPCS, *_VPC_NAMES]),
        (f"landkeeper vpc connect {_ACCOUNTS[0]} {_ACCOUNTS[1]}", [_ACCOUNTS[1]]),
        ("landkeeper vpc list --account ", [*_ACCOUNTS, *_NAMES]),
        ("landkeeper vpc track --account ", [*_ACCOUNTS, *_NAMES]),
        ("landkeeper vpc list --region ", sorted({one.vpc.region for one in _REPORT_INPUT.known.vpcs})),
        ("landkeeper vpc allocate --pool ", ["company", "workloads"]),
        ("landkeeper vpc pool show w", ["workloads"]),
        ("landkeeper vpc pool delete c", ["company"]),
        ("landkeeper vpc release res-0000000000000000", [f"res-{number:017x}" for number in range(16)]),
        ("landkeeper broom case ", _CASES),
        ("landkeeper broom release i-", _CASES),
        ("landkeeper completion ", ["bash", "zsh", "fish"]),
    ],
)
def test_a_tab_offers_what_fits(line: str, expected: list[str], tab: Tab) -> None:
    assert tab(line) == expected


def test_the_file_is_that_of_the_flag_or_of_the_environment(tab: Tab, here: Path, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere.db"
    (here / "landkeeper.db").rename(moved)
    assert tab("landkeeper vpc show ") == []
    assert tab("landkeeper vpc show --file elsewhere.db ") == _SHOWN
    assert tab("landkeeper vpc show ", LANDKEEPER_FILE=str(moved)) == _SHOWN


@pytest.mark.parametrize(
    ("line", "environment"),
    [
        ("landkeeper vpc show --table VPCTracker ", {}),
        ("landkeeper vpc show ", {"LANDKEEPER_VPC_TABLE": "VPCTracker"}),
        ("landkeeper broom case --ledger BroomLedger ", {}),
        ("landkeeper broom case ", {"LANDKEEPER_LEDGER_TABLE": "BroomLedger"}),
    ],
)
def test_for_a_table_nothing_is_offered(line: str, environment: dict[str, str], tab: Tab) -> None:
    assert tab(line, **environment) == []


def test_a_file_beats_a_table_of_the_environment(tab: Tab) -> None:
    assert tab("landkeeper vpc show --file landkeeper.db ", LANDKEEPER_VPC_TABLE="VPCTracker") == _SHOWN


@pytest.mark.parametrize("content", [b"", b"no store at all", b"SQLite format 3\x00" + b"\xff" * 4096])
def test_a_file_that_is_no_store_offers_nothing_and_stays_as_it_is(content: bytes, tab: Tab, here: Path) -> None:
    (here / "landkeeper.db").write_bytes(content)
    assert tab("landkeeper vpc show ") == []
    assert (here / "landkeeper.db").read_bytes() == content


def test_a_tab_makes_and_changes_no_file(tab: Tab, here: Path) -> None:
    before = (here / "landkeeper.db").read_bytes()
    assert tab("landkeeper vpc show ") == _SHOWN
    assert [path.name for path in here.iterdir()] == ["landkeeper.db"]
    assert (here / "landkeeper.db").read_bytes() == before
    (here / "landkeeper.db").unlink()
    assert tab("landkeeper vpc show ") == []
    assert list(here.iterdir()) == []


def test_what_another_process_has_just_written_is_offered_too(tab: Tab, here: Path) -> None:
    writer = PoolFile(here / "landkeeper.db")
    try:
        first = _REPORT_INPUT.known.vpcs[0]
        new = replace(first, vpc=replace(first.vpc, id=type(first.vpc.id)("vpc-fffffffffffffffff")))
        assert writer.write_changes([Appeared(new)]) == []
        assert tab("landkeeper vpc show vpc-ffff") == ["vpc-fffffffffffffffff"]
    finally:
        writer.close()


def test_what_is_said_about_a_word_is_on_one_line_and_steers_nothing(here: Path) -> None:
    writer = PoolFile(here / "landkeeper.db")
    first = _REPORT_INPUT.known.vpcs[0]
    hostile = replace(first.vpc, id=type(first.vpc.id)("vpc-fffffffffffffffff"), name="a\nplain\nrm -rf ~\n\x9b\u202eb")
    assert writer.write_changes([Appeared(replace(first, vpc=hostile))]) == []
    writer.close()
    words = {"COMP_WORDS": "landkeeper vpc show vpc-ffff", "COMP_CWORD": "3", "_LANDKEEPER_COMPLETE": "zsh_complete"}
    done = subprocess.run(
        [_BIN / "landkeeper"], capture_output=True, text=True, check=True, cwd=here, env=_environment(here, words)
    )
    assert done.stdout.splitlines() == [
        "plain", "vpc-fffffffffffffffff", f"a\\nplain\\nrm -rf ~\\n\\x9b\\u202eb {hostile.cidr_block}",
    ]  # fmt: skip


def test_profiles_come_from_both_files_of_the_aws_cli(tab: Tab, here: Path) -> None:
    (here / ".aws").mkdir()
    (here / ".aws" / "config").write_text("[default]\nregion = eu-west-1\n[profile audit]\n[sso-session main]\n")
    (here / ".aws" / "credentials").write_text("[network]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\n")
    assert tab("landkeeper vpc track --profile ") == ["audit", "default", "network"]
    other = here / "config"
    other.write_text("[profile other]\n[profile other]\n")
    given = {"AWS_CONFIG_FILE": str(other), "AWS_SHARED_CREDENTIALS_FILE": str(here / "none")}
    assert tab("landkeeper vpc track --profile ", **given) == ["other"]
    other.write_text("this is no configuration")
    assert tab("landkeeper vpc track --profile ", **given) == []


_SHELLS = {
    "bash": """
eval "$(landkeeper completion bash)"
complete -p landkeeper > /dev/null || exit 1
COMP_WORDS=(landkeeper vpc show {word}); COMP_CWORD=3
_landkeeper_completion landkeeper
printf '%s\\n' "${{COMPREPLY[@]}}"
""",
    # Outside of a line that is being edited zsh has no list to add to: it is printed instead.
    "zsh": """
autoload -U compinit; compinit -D -u
eval "$(landkeeper completion zsh)"
(( $+_comps[landkeeper] )) || exit 1
_describe() {{ print -l -- "${{completions_with_descriptions[@]%%:*}}" }}
compadd() {{ print -l -- "${{completions[@]}}" }}
words=(landkeeper vpc show {word}); CURRENT=4
_landkeeper_completion
""",
    "fish": """
landkeeper completion fish | source
complete -C 'landkeeper vpc show {word}' | string split -f 1 \\t
""",
}


@pytest.mark.parametrize("shell", _SHELLS)
def test_the_script_of_a_shell_completes_in_that_shell(shell: str, here: Path) -> None:
    where = shutil.which(shell)
    if where is None:
        pytest.skip(f"{shell} is not installed here (apt-get install {shell})")
    done = subprocess.run(
        [where, "-c", _SHELLS[shell].format(word="vpc-")],
        capture_output=True, text=True, check=True, cwd=here, env=_environment(here, {}),
    )  # fmt: skip
    assert sorted(done.stdout.split()) == _VPCS


@pytest.mark.parametrize("shell", _SHELLS)
def test_script_and_help_say_how_to_install_it(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["completion", shell]) == 0
    script = capsys.readouterr().out
    line = next(line.removeprefix("# To install it: ") for line in script.splitlines() if line.startswith("# To"))
    assert run(["completion", "--help"]) == 0
    assert f"{shell:<4}  {line}\n" in capsys.readouterr().out


def test_the_script_of_zsh_can_lie_in_a_folder_of_functions(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["completion", "zsh"]) == 0
    assert capsys.readouterr().out.startswith("#compdef landkeeper\n")
