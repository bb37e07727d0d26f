"""Which account, VPC or region a person means: by id, or by name where only one has it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from landkeeper.org import Account, AccountId, Region, UsageError, join_some, parse_account_id

if TYPE_CHECKING:
    from landkeeper.vpctracker.coverage import Coverage
    from landkeeper.vpctracker.inventory import StoredVpc

VPC_ID = re.compile(r"vpc-[0-9a-f]{8,17}")
_NAMED_AT_MOST = 5
_RANKED = 20
_EXAMPLES = 3
_ALIKE, _TYPO = 0.6, 0.9
"""How alike a name, or an id, has to be for a suggestion: an id is that of something else after two wrong letters."""
_ACCOUNT = "expected the id or the name of a tracked account"
_VPC = "expected the id or the name of a tracked VPC"


def known_accounts(vpcs: Iterable[StoredVpc], coverage: Mapping[AccountId, Coverage]) -> dict[AccountId, str]:
    """Return the accounts that the store knows, with their names; an account without a known name has an empty one."""
    names: dict[AccountId, str] = {}
    for stored in vpcs:
        names[stored.vpc.owner] = stored.vpc.account_name or names.get(stored.vpc.owner, "")
    for account, covered in coverage.items():
        names[account] = covered.account_name or names.get(account, "")
    return names


def known_regions(vpcs: Iterable[StoredVpc], coverage: Mapping[AccountId, Coverage]) -> frozenset[Region]:
    """Return the regions that the store knows: those of VPCs, and those that were read or tried."""
    covered = (region for account in coverage.values() for region in account.regions)
    return frozenset({*covered, *(stored.vpc.region for stored in vpcs)})


def find_account(text: str, names: Mapping[AccountId, str], *, expected: str = _ACCOUNT) -> AccountId:
    """Return the account of that id or name.

    Twelve digits are an id, and never a name: names are chosen by people. Raise UsageError where no account, or more
    than one, is known by it.
    """
    if is_account_id(text) and text in names:
        return AccountId(text)
    found = [] if is_account_id(text) else accounts_named(text, names)
    if len(found) > 1:
        raise UsageError(f"several accounts are called '{text}': {join_some(found, _NAMED_AT_MOST)}; pass the id")
    if found:
        return found[0]
    if text.isdecimal():
        account = parse_account_id(text)
        raise UsageError(f"the account {account} has never been tracked{suggest(account, names, _TYPO)}")
    called = sorted(filter(None, set(names.values())))
    examples = f", such as {', '.join(called[:_EXAMPLES])}" if called else ""
    raise UsageError(f"unknown account '{text}': {_meant(text, called) or expected + examples}")


def accounts_named(text: str, names: Mapping[AccountId, str]) -> list[AccountId]:
    """Return the accounts of that name, in the order of their ids."""
    return sorted(account for account, name in names.items() if name == text and text)


def is_account_id(text: str) -> bool:
    """Return whether the text has the form of an account id."""
    return re.fullmatch("[0-9]{12}", text) is not None


def find_vpc(text: str, vpcs: Sequence[StoredVpc], *, when: str = "") -> tuple[StoredVpc, ...]:
    """Return the items of the VPC of that id or name: one, or several where it has changed its owner.

    A name is that of a live VPC before it is that of a deleted one. `when` ends the sentence about a VPC that is not
    known. Raise UsageError where no VPC, or more than one, is known by it.
    """
    if VPC_ID.fullmatch(text):
        found = tuple(stored for stored in vpcs if stored.vpc.id == text)
        if not found:
            near = suggest(text, {stored.vpc.id for stored in vpcs}, _TYPO)
            raise UsageError(f"VPC '{text}' is not tracked{when}{near}")
        return found
    found = vpcs_named(text, vpcs)
    _refuse_several(text, found)
    if not found:
        meant = _meant(text, {stored.vpc.name for stored in vpcs if stored.vpc.name}) or _VPC
        raise UsageError(f"VPC '{text}' is not tracked{when}: {meant}")
    return found


def vpcs_named(text: str, vpcs: Sequence[StoredVpc]) -> tuple[StoredVpc, ...]:
    """Return the live VPCs of that name, else the deleted ones."""
    named = tuple(stored for stored in vpcs if stored.vpc.name == text and text)
    return tuple(stored for stored in named if stored.is_live) or named


def find_region(text: str, stored: Collection[Region], list_existing: Callable[[], Collection[str]]) -> Region:
    """Return the region: one that the store knows, or that AWS has.

    `list_existing` is called only for a region that the store does not know. Raise UsageError for any other.
    """
    if text in stored or text in (existing := list_existing()):
        return Region(text)
    near = suggest(text, {*stored, *existing}, first=stored)
    raise UsageError(f"unknown region '{text}'{near or ': expected a region code such as eu-west-1'}")


def describe_vpc(stored: StoredVpc) -> str:
    """Return the id of the VPC, with where it is."""
    owner = Account(stored.vpc.owner, stored.vpc.account_name).label
    return f"{stored.vpc.id} of {owner} in {stored.vpc.region}"


def _refuse_several(text: str, found: Sequence[StoredVpc]) -> None:
    if len({stored.vpc.id for stored in found}) > 1:
        candidates = join_some([describe_vpc(stored) for stored in found], _NAMED_AT_MOST)
        raise UsageError(f"several VPCs are called '{text}': {candidates}; pass the id")


def suggest(text: str, words: Iterable[str], cutoff: float = _ALIKE, first: Collection[str] = ()) -> str:
    """Return the end of a sentence that suggests the nearest of the words, of equally near ones one of `first`.

    Empty where none is near.
    """
    meant = _meant(text, words, cutoff, first)
    return f": {meant}" if meant else ""


def _meant(text: str, words: Iterable[str], cutoff: float = _ALIKE, first: Collection[str] = ()) -> str:
    near = difflib.get_close_matches(text, set(words), n=_RANKED, cutoff=cutoff)
    # Of equally near words difflib takes the last one.
    ranked = sorted(
        near, key=lambda word: (-difflib.SequenceMatcher(None, word, text).ratio(), word not in first, word)
    )
    return f"did you mean '{ranked[0]}'?" if ranked else ""
