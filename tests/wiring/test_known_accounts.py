"""Accounts by their names: what VPC Tracker's store calls them."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from tests.strategies import ACCOUNTS

from landkeeper.embedded.vpc_file import VpcFile
from landkeeper.org import UsageError
from landkeeper.settings import Settings
from landkeeper.vpctracker.coverage import Coverage
from landkeeper.wiring.known_accounts import find_account_id, find_account_ids, refuse_unknown_account


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    with closing(VpcFile(tmp_path / "names.db")) as store:
        store.write_coverage(Coverage(ACCOUNTS[0], "lake"))
        store.write_coverage(Coverage(ACCOUNTS[1], "shop"))
    return Settings(file=tmp_path / "names.db")


def test_names_and_ids_may_be_mixed(settings: Settings) -> None:
    assert find_account_ids(settings, ["shop", "999999999999", "lake"]) == (ACCOUNTS[1], "999999999999", ACCOUNTS[0])
    assert find_account_id(settings, "shop") == ACCOUNTS[1]


def test_for_ids_alone_no_store_is_needed(tmp_path: Path) -> None:
    settings = Settings(file=tmp_path / "absent.db")
    assert find_account_ids(settings, ["999999999999"]) == ("999999999999",)
    assert find_account_ids(settings, []) == ()
    with pytest.raises(UsageError, match="'99' is not an AWS account id: expected twelve digits"):
        find_account_ids(settings, ["99"])
    with pytest.raises(UsageError, match="'shop' is not an account id, and no account has been tracked: pass the id"):
        find_account_ids(settings, ["shop"])
    assert not settings.file.exists()


def test_a_name_that_is_not_known_is_refused_with_a_suggestion(settings: Settings) -> None:
    with pytest.raises(UsageError, match=r"unknown account 'shpo': did you mean 'shop'\?"):
        find_account_ids(settings, ["shpo"])


def test_an_id_is_refused_only_where_the_store_knows_accounts(settings: Settings, tmp_path: Path) -> None:
    refuse_unknown_account(settings, ACCOUNTS[1])
    refuse_unknown_account(Settings(file=tmp_path / "absent.db"), ACCOUNTS[2])
    with pytest.raises(UsageError, match=f"the account {ACCOUNTS[2]} has never been tracked"):
        refuse_unknown_account(settings, ACCOUNTS[2])
