"""landkeeper.yaml: what it means, what is said of a wrong one, and that the published schema agrees."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from landkeeper.org import AccountId, Region
from landkeeper.vpctracker.cidr import parse_block
from landkeeper.vpctracker.config import (
    SHARED_ADDRESS_SPACE,
    Connection,
    DeclaredAccount,
    Discovery,
    Governed,
    Notices,
    Space,
    TrackerConfig,
)
from landkeeper.vpctracker.config_file import ConfigError, parse_config, read_schema

_EXAMPLE = Path(__file__).parents[2] / "examples" / "landkeeper.yaml"


_DECLARED = "{account: '111122223333', blocks: [10.9.0.0/16], owner: network-team"


def _parsed(body: str) -> TrackerConfig:
    return parse_config(f"version: 1\n{body}", "landkeeper.yaml")


def _problems(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse_config(text, "landkeeper.yaml")
    return [str(problem) for problem in caught.value.problems]


def _is_valid(text: str) -> bool:
    # Editors read YAML 1.2, in which a date is text.
    document: Any = json.loads(json.dumps(yaml.safe_load(text), default=str))
    return bool(jsonschema.Draft202012Validator(read_schema()).is_valid(document))


def test_the_example_is_understood_whole() -> None:
    text = _EXAMPLE.read_text()
    config = parse_config(text, "landkeeper.yaml")
    assert config == TrackerConfig(
        spaces=(
            Space("factory", ("plant-north", "plant-south", "111122223333")),
            Space("isolated", tags={"Network": "isolated"}, repeated=(parse_block("10.0.0.0/16"),)),
            Space("default", repeated=(SHARED_ADDRESS_SPACE,)),
        ),
        connections=(Connection("web-shop", "data-lake"), Connection("444455556666", "vpc-0123456789abcdef0")),
        governed=(
            Governed((Region("ap-east-1"), Region("me-south-1"))),
            Governed((Region("us-west-1"),), (AccountId("777788889999"),)),
        ),
        discovery=Discovery(
            ("Workloads", "Platform/Network"),
            ("Workloads/Sandbox", "ou-ab12-cdefgh34"),
            (AccountId("999999999999"),),
        ),
        declared_accounts=(
            DeclaredAccount(
                AccountId("888899990000"), (parse_block("10.200.0.0/16"),), "network-team", date(2099, 12, 31)
            ),
        ),
        notices=Notices(3),
    )
    assert _is_valid(text)


def test_a_version_alone_declares_nothing() -> None:
    assert _parsed("") == TrackerConfig()


def test_governed_may_be_one_mapping_and_then_holds_for_all_accounts_or_those_it_names() -> None:
    config = _parsed("governed: {regions: [us-west-1], accounts: ['777788889999']}")
    assert config.is_governed(AccountId("777788889999"), Region("us-west-1"))
    assert not config.is_governed(AccountId("111122223333"), Region("us-west-1"))
    assert not config.is_governed(AccountId("777788889999"), Region("us-west-2"))
    everywhere = _parsed("governed: {regions: [us-west-1]}")
    assert everywhere.is_governed(AccountId("111122223333"), Region("us-west-1"))


def test_an_empty_list_of_repeated_blocks_means_that_nothing_may_repeat() -> None:
    (space,) = _parsed("spaces: [{name: default, repeated: []}]").spaces
    assert space.repeated == ()


@pytest.mark.parametrize(
    "body",
    [
        "spaces: [{name: lab, tags: {Network: lab, Zone: 7}}]",
        "spaces: [{name: v6, accounts: [a], repeated: ['fd00::/8']}]",
        "discovery: {skip_ous: [r-and-d, /Workloads/Prod/]}",
        "notices: {unreadable_runs: 1}",
        "governed: [{regions: [us-gov-west-1]}]",
        "declared_accounts: [{account: '111122223333', blocks: [], owner: x, expires: '2028-02-29'}]",
    ],
)
def test_what_the_parser_takes_the_schema_takes(body: str) -> None:
    assert isinstance(_parsed(body), TrackerConfig)
    assert _is_valid(f"version: 1\n{body}")


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("spacse: [{name: a, accounts: [b]}]", "in the configuration the key 'spacse' is not known: did you mean"),
        ("spaces: {name: a}", "spaces is a mapping: expected a list"),
        ("spaces: [a]", "a space is text: expected keys such as name, accounts, tags"),
        ("spaces: []", "spaces is an empty list"),
        ("spaces: [{accounts: [a]}]", "a space has no name"),
        ("spaces: [{name: a, acounts: [b]}]", "in a space the key 'acounts' is not known: did you mean 'accounts'?"),
        ("spaces: [{name: a}]", "the space 'a' has neither accounts nor tags, so it is empty"),
        ("spaces: [{name: default, accounts: [a]}]", "the space default contains all remaining VPCs"),
        ("spaces: [{name: a, accounts: ['11112222333']}]", "'11112222333' is not an AWS account id"),
        ("spaces: [{name: a, accounts: [[b]]}]", "an account is a list: expected a word or a number"),
        ("spaces: [{name: a, tags: [b]}]", "tags takes keys with their values, as in Network: isolated"),
        ("spaces: [{name: a, tags: {b: []}}]", "the value of a tag is a list"),
        ("spaces: [{name: a, accounts: [b], repeated: [ten]}]", "'ten' is not a CIDR block"),
        ("spaces: [{name: a, accounts: [b], repeated: [[]]}]", "a block is a list"),
        ("connections: [a]", "a connection is text"),
        ("connections: [{from: a}]", "a connection has no to"),
        ("connections: [{from: a, to: ''}]", "to is empty"),
        ("connections: [{from: '', to: b}]", "from is empty"),
        ("governed: {accounts: ['111122223333']}", "governed has no regions"),
        ("governed: [eu]", "governed is text"),
        ("governed: {regions: [Ireland]}", "'Ireland' is not a region code such as eu-west-1"),
        ("governed: {regions: [eu-west-1], accounts: [lake]}", "'lake' is not an AWS account id"),
        ("discovery: [a]", "discovery is a list"),
        ("discovery: {skip_ous: [ou-AB]}", "'ou-AB' is not an id such as ou-ab12-cdefgh34"),
        ("discovery: {skip_ous: [[]]}", "an organizational unit is a list"),
        ("discovery: {skip_accounts: [lake]}", "'lake' is not an AWS account id: expected twelve digits"),
        (f"declared_accounts: [{_DECLARED}, expires: 'soon'}}]", "expires is 'soon': expected a date such as"),
        (f"declared_accounts: [{_DECLARED}, expires: '20300101'}}]", "expires is '20300101': expected a date"),
        (f"declared_accounts: [{_DECLARED}, expires: []}}]", "expires is a list"),
        (f"declared_accounts: [{_DECLARED}}}]", "a declared account has no expires"),
        ("declared_accounts: [{account: a, blocks: [], owner: b, expires: '2030-01-01'}]", "'a' is not an AWS account"),
        ("declared_accounts: [{blocks: x}]", "a declared account has no account"),
        (
            "declared_accounts: [{account: '111122223333', blocks: [x], owner: b, expires: '2030-01-01'}]",
            "'x' is not a CIDR block",
        ),
        ("declared_accounts: [{account: '111122223333', owner: b, expires: '2030-01-01'}]", "has no blocks"),
        ("declared_accounts: ['111122223333']", "a declared account is text"),
        ("notices: {unreadable_runs: 0}", "unreadable_runs is '0': expected a whole number from 1"),
        ("notices: {unreadable_runs: []}", "unreadable_runs is a list"),
        ("notices: []", "notices is a list"),
    ],
)
def test_what_is_wrong_is_named_with_its_line_and_the_schema_agrees(body: str, problem: str) -> None:
    found = _problems(f"version: 1\n{body}")
    assert found[0].startswith("landkeeper.yaml:2: ")
    assert problem in found[0]
    assert not _is_valid(f"version: 1\n{body}")


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("spaces:\n  - {name: a, accounts: [b]}\n  - {name: a, accounts: [c]}", "4: there is another space named 'a'"),
        ("spaces:\n  - {name: a, accounts: [c]}\n  - {name: b, accounts: [c]}", "4: the account c is in the space 'a'"),
        ("spaces:\n  - name: a\n    tags: {b: c, b: d}", "4: tags has b twice"),
        ("connections:\n  - {from: a, to: a}", "3: the connection leads from a to itself"),
        ("spaces:\n  - {name: a, accounts: [b], repeated: [10.0.0.1/24]}", "3: '10.0.0.1/24' is not a CIDR block"),
        (f"declared_accounts:\n  - {_DECLARED}, expires: 2030-02-29}}", "3: expires is '2030-02-29': expected a date"),
        (
            f"declared_accounts:\n  - {_DECLARED}, expires: 2030-01-01}}\n  - {_DECLARED}, expires: 2031-01-01}}",
            "4: the account 111122223333 is declared twice",
        ),
        ("notices: {}\nnotices: {}", "3: the configuration has notices twice"),
    ],
)
def test_what_a_schema_cannot_say_is_found_by_the_parser(body: str, problem: str) -> None:
    assert any(f"landkeeper.yaml:{problem}" in one for one in _problems(f"version: 1\n{body}"))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "landkeeper.yaml:1: the file is empty"),
        ("[1]", "landkeeper.yaml:1: the configuration is a list: expected keys such as version, spaces, connections"),
        ("version: 2", "landkeeper.yaml:1: version is '2': 1 is the only one there is"),
        ("notices: {unreadable_runs: 2}", "landkeeper.yaml:1: the configuration has no version"),
        ("a: [", "landkeeper.yaml:1: not YAML: "),
    ],
)
def test_a_file_that_is_none_is_named(text: str, problem: str) -> None:
    assert _problems(text)[0].startswith(problem)


def test_everything_that_is_wrong_is_told_at_once_and_counted_in_the_one_line() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config("version: 2\nspaces: {}\nnotices: []\n", "a.yaml")
    assert [problem.line for problem in caught.value.problems] == [1, 2, 3]
    assert str(caught.value).endswith("(and 2 more)")


def test_a_declaration_holds_to_the_end_of_its_last_day() -> None:
    known = DeclaredAccount(AccountId("111122223333"), (), "ops", date(2028, 2, 29))
    config = TrackerConfig(declared_accounts=(known,))
    assert config.expired_declarations(date(2028, 2, 29)) == ()
    assert config.expired_declarations(date(2028, 3, 1)) == (known,)
