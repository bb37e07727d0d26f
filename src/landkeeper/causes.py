"""Failures told by their cause: what went wrong for one reason in many accounts and regions is one line.

What AWS says of a refused call names the account, the session and the request; a cause is what is left without them.
Source: IAM User Guide, "Troubleshoot access denied error messages".
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from landkeeper.org import Account, AccountId, Failure, FailureReason, Region, join_some

_ACTION = re.compile(r"not authorized to perform:? ([a-z0-9-]+:[A-Za-z0-9*]+)")
_CALLER = re.compile(r"User: arn:[a-z-]+:(?:iam|sts)::[0-9]{12}:(?P<kind>[a-z-]+)(?:/(?P<path>\S+))?")
_ROLE = re.compile(r"on resource: arn:[a-z-]+:iam::[0-9]{12}:role/(\S+?)[.,;]?(?:\s|$)")
_DENIED_BY = re.compile(r"explicit deny in (?:an? |the )?([a-z -]+?(?:policy|boundary))")
_SECRETS = re.compile(
    r"\s*(?:Encoded authorization failure message: \S+|\(?\b(?:Request ?I[dD]|Host ?I[dD])[:=] ?[\w/+=-]+[,;)]*)"
)
_PARTICULARS = (
    (re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", re.IGNORECASE), "…"),
    (re.compile(r"\b[0-9]{12}\b"), "…"),
    (re.compile(r"\b[a-z]{2,}(?:-[a-z]+)+-[0-9]\b"), "…"),
    (re.compile(r"\b([a-z]{1,20})-[0-9a-f]{8,17}\b"), r"\1-…"),
)
"""What differs from place to place: request ids, accounts, regions, ids of resources."""
_KINDS = {"assumed-role": "role", "role": "role", "user": "user", "federated-user": "federated user"}
_ACCOUNTS_NAMED = 3
_REGIONS_NAMED = 5


class FailedPlace(Protocol):
    """An account, or one region of it, with what failed there."""

    @property
    def account(self) -> Account:
        """The account."""

    @property
    def region(self) -> Region | None:
        """The region; None where the whole account failed."""

    @property
    def failure(self) -> Failure:
        """What AWS answered."""


Place = TypeVar("Place", bound=FailedPlace)


@dataclass(frozen=True, slots=True)
class Cause(Generic[Place]):
    """A cause, and where it was met."""

    text: str
    places: tuple[Place, ...]

    @property
    def where(self) -> str:
        """The accounts, by name where they are few, and the regions."""
        labels = list(dict.fromkeys(place.account.label for place in self.places))
        regions = list(dict.fromkeys(place.region for place in self.places if place.region))
        if len(labels) == 1:
            return f"{labels[0]} {join_some(regions, _REGIONS_NAMED)}".rstrip()
        accounts = ", ".join(labels) if len(labels) <= _ACCOUNTS_NAMED else f"{len(labels):,} accounts"
        if not regions:
            return accounts
        return f"{accounts} in {regions[0] if len(regions) == 1 else f'{len(regions)} regions'}"

    def __str__(self) -> str:
        return f"{self.where}: {self.text}"


def group_failures(places: Iterable[Place]) -> tuple[Cause[Place], ...]:
    """Return the causes, the most accounts first, and of those with equally many in the order of the places."""
    groups: defaultdict[tuple[FailureReason, str], list[Place]] = defaultdict(list)
    for place in places:
        groups[place.failure.reason, _without_particulars(describe_cause(place.failure))].append(place)
    causes = [Cause(_common(group), tuple(group)) for group in groups.values()]
    return tuple(sorted(causes, key=lambda cause: -_accounts_of(cause.places)))


def list_failures(places: Iterable[FailedPlace]) -> tuple[str, ...]:
    """Return every failure in AWS's words: a line for each account and message, with its regions."""
    groups: defaultdict[tuple[AccountId, str], list[FailedPlace]] = defaultdict(list)
    for place in places:
        groups[place.account.id, str(place.failure)].append(place)
    return tuple(_full_line(group, text) for (_, text), group in groups.items())


def describe_cause(failure: Failure) -> str:
    """Return the cause of a failure in a few words; the failure's own words where they do not name caller and action.

    What AWS adds for its own support is left out.
    """
    if failure.reason is FailureReason.ROLE_NOT_ASSUMABLE:
        return _not_assumable(failure)
    if failure.reason not in {FailureReason.MISSING_PERMISSION, FailureReason.SCP_DENY}:
        return _own_words(failure)
    action = _ACTION.search(failure.message)
    if action is None:
        return _own_words(failure)
    caller = _caller(failure.message)
    denied_by = _DENIED_BY.search(failure.message)
    if failure.reason is FailureReason.SCP_DENY:
        return f"a service control policy denies {action[1]}" + (f" to {caller}" if caller else "")
    if denied_by is not None:
        return f"{caller or 'the caller'} is denied {action[1]} by the {denied_by[1]}"
    return f"{caller or 'the caller'} lacks {action[1]}"


def _not_assumable(failure: Failure) -> str:
    role = _ROLE.search(failure.message)
    if role is None:
        return _own_words(failure)
    caller = _caller(failure.message) or "the caller"
    # AWS does not say which of the three it is.
    return f"role {role[1]} cannot be assumed by {caller}: no such role, no trust, or no permission"


def _caller(message: str) -> str:
    found = _CALLER.search(message)
    if found is None:
        return ""
    if found["path"] is None:
        return "the root user" if found["kind"] == "root" else ""
    parts = found["path"].split("/")
    # A session's ARN is assumed-role/role/session, without the role's path (IAM User Guide, "IAM identifiers").
    name = parts[0] if found["kind"] == "assumed-role" else parts[-1]
    return f"{_KINDS.get(found['kind'], found['kind'])} {name}"


def _own_words(failure: Failure) -> str:
    return str(Failure(failure.reason, failure.code, _SECRETS.sub("", failure.message).strip()))


def _without_particulars(text: str) -> str:
    for pattern, instead in _PARTICULARS:
        text = pattern.sub(instead, text)
    return text


def _common(places: Sequence[FailedPlace]) -> str:
    texts = {describe_cause(place.failure) for place in places}
    return texts.pop() if len(texts) == 1 else _without_particulars(texts.pop())


def _accounts_of(places: Iterable[FailedPlace]) -> int:
    return len({place.account.id for place in places})


def _full_line(places: Sequence[FailedPlace], text: str) -> str:
    regions = ", ".join(place.region for place in places if place.region)
    return f"{f'{places[0].account.label} {regions}'.rstrip()}: {text}"
