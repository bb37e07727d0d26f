"""Words that both products share: accounts, regions, principals, and why a call to AWS did not work."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, NewType, TypeGuard

AccountId = NewType("AccountId", str)
Region = NewType("Region", str)

PartitionOf = Callable[[Region], str]
"""Returns the id of a region's partition, as in `aws` or `aws-cn`. The data behind it is the SDK's."""

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_LENGTHS = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))
_FIRST_MOMENT, _LAST_MOMENT = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
_REGION = r"[a-z]{2,}(-[a-z]+)+-[0-9]+"


class LandkeeperError(Exception):
    """Base of every error that Landkeeper raises on purpose. Its text is one line a person can act on."""


class UsageError(LandkeeperError):
    """A flag, a setting or a file of the user's is wrong, and nothing was done."""


class UnavailableError(LandkeeperError):
    """Something that is needed does not answer, refuses, or cannot be written; the request itself may be right."""


def parse_account_id(text: str) -> AccountId:
    """An AWS account id: twelve digits. Raises UsageError for anything else."""
    if len(text) != 12 or not (text.isascii() and text.isdigit()):
        raise UsageError(f"'{text}' is not an AWS account id: expected twelve digits")
    return AccountId(text)


def parse_region(text: str) -> Region:
    """A region by its code, as in `eu-west-1`. Raises UsageError for what cannot be one."""
    if not re.fullmatch(_REGION, text):
        raise UsageError(f"'{text}' is not a region code such as eu-west-1")
    return Region(text)


def parse_duration(text: str) -> timedelta | None:
    """Return a duration such as `7d`, `12h`, `30m` or `90s`, or None for any other text."""
    number, unit = text[:-1], _UNITS.get(text[-1:])
    if unit is None or not (number.isascii() and number.isdigit()) or len(number) > 6:
        return None
    return timedelta(**{unit: int(number)})


def format_duration(duration: timedelta) -> str:
    """Return a duration as `parse_duration` takes it, in the largest unit that it is a whole number of."""
    seconds = int(duration.total_seconds())
    unit, length = next((unit, length) for unit, length in _LENGTHS if seconds % length == 0)
    return f"{seconds // length}{unit}"


def parse_instant(text: str, what: str, *, is_end: bool = False, now: datetime | None = None) -> datetime:
    """Return the moment in UTC that an ISO 8601 text names. Raise UsageError, naming `what`, for anything else.

    Without an offset it is UTC, in which no hour is missing or comes twice. A date is its first second, and as an end
    that of the next day. What lies outside the years 1 to 9999 is their first or last moment. With `now`, a duration
    such as `7d` is that long ago.
    """
    ago = None if now is None else parse_duration(text)
    if now is not None and ago is not None:
        try:
            return now - ago
        except OverflowError:
            return _FIRST_MOMENT
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        others = "or a date" if now is None else "a date, or 7d (that long ago)"
        raise UsageError(f"{what} is '{text}': expected a time such as 2026-03-01T12:00:00Z, {others}") from None
    is_date = len(text) <= len("2026-03-01")
    try:
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        return moment + timedelta(days=1) if is_end and is_date else moment
    except OverflowError:
        return _FIRST_MOMENT if moment.year == 1 else _LAST_MOMENT


def format_time(moment: datetime) -> str:
    """ISO 8601 in UTC, to the second; they sort as the moments do."""
    # Not by strftime, which writes the year 1 without its zeros.
    return moment.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def format_exact_time(moment: datetime) -> str:
    """ISO 8601 of a moment in UTC, with the fractions of its second where it has any."""
    return moment.isoformat().replace("+00:00", "Z")


def counted(number: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun, in the plural where that is right; thousands are set apart, as in `10,000`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def percentage(part: float, whole: float) -> str:
    """Return a part in whole per cent: more than nothing is never `0%`, nor less than all `100%`."""
    percent = 100 * part / whole
    if 0 < percent < 1:
        return "<1%"
    return f"{min(percent, 99) if part < whole else percent:.0f}%"


def decode_text(content: bytes) -> str:
    """Return the text in a file of UTF-8, or of UTF-16 with a byte order mark, as Windows PowerShell writes it.

    Lines end with a line feed. Raise UnicodeDecodeError for anything else.
    """
    is_wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    return content.decode("utf-16" if is_wide else "utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")


def well_formed(text: str) -> str:
    """Return the text with each lone surrogate written as in source code: JSON can hold them, and no encoder takes
    them."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def join_some(names: Sequence[str], most: int, *, separator: str = ", ") -> str:
    """The first few names, and how many there are beside them."""
    shown, left = separator.join(names[:most]), len(names) - most
    return f"{shown} and {left:,} more" if left > 0 else shown


def is_batch(event: object) -> TypeGuard[dict[str, list[dict[str, Any]]]]:
    """Whether the event is a batch of SQS messages, and its answer has to name those that failed."""
    records = event.get("Records") if isinstance(event, dict) else None
    return bool(isinstance(records, list) and records) and all(
        isinstance(record, dict) and record.get("eventSource") == "aws:sqs" for record in records or ()
    )


@dataclass(frozen=True, slots=True)
class Account:
    """A member of the organization, or an account that was named by its id."""

    id: AccountId
    name: str = ""
    """What Organizations calls it; empty where only the id is known."""
    organizational_units: tuple[str, ...] = ()
    """Ids of the units it is in, outermost first; empty where they were not read."""
    organization: str = ""
    """The id of the organization that lists it, as in `o-exampleorgid`; empty where none did."""

    @property
    def label(self) -> str:
        """Name and id for a person, or the id alone."""
        return f"{self.name} ({self.id})" if self.name else self.id


class Membership(StrEnum):
    """How an account stands to the organization that it was found in. Only active ones are read."""

    ACTIVE = "active"
    """Or in no organization as far as is known: named by its id, or by a profile."""
    SUSPENDED = "suspended"
    PENDING_ACTIVATION = "pending activation"
    PENDING_CLOSURE = "pending closure"
    CLOSED = "closed"
    INACTIVE = "not active"
    """In a state that is none of the others."""
    DEPARTED = "departed"
    """The organization no longer lists it. Its VPCs keep their state, and their blocks stay taken."""
    SKIPPED = "skipped"
    """The configuration leaves it out."""


@dataclass(frozen=True, slots=True)
class Member:
    """An account as Organizations lists it, whatever its state."""

    account: Account
    membership: Membership = Membership.ACTIVE


class Standing(StrEnum):
    """Whether a region of an account is one that is read."""

    READ = "read"
    GOVERNED = "governed"
    """Declared in `landkeeper.yaml` as closed by policy."""
    DISABLED = "disabled"
    """The account has not enabled it, or no longer has."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who made a call, as CloudTrail's `userIdentity` tells it."""

    kind: str
    """CloudTrail's `type`: IAMUser, AssumedRole, Root, FederatedUser, AWSService, …"""
    name: str
    """What a person knows it by: a user name, `Role/session`, `root`, or a service."""
    arn: str = ""
    account_id: str = ""
    invoked_by: str = ""
    """The AWS service that called on the principal's behalf; empty for a direct call."""
    issuer_arn: str = ""
    """The role or user that a temporary session was issued by; empty for permanent credentials."""


class FailureReason(StrEnum):
    """Why AWS did not answer a call. None of them means that there is nothing there."""

    SCP_DENY = "denied by a service control policy"
    MISSING_PERMISSION = "permission missing"
    ROLE_NOT_ASSUMABLE = "role not assumable"
    ACCOUNT_SUSPENDED = "account suspended"
    REGION_DISABLED = "region disabled"
    THROTTLED = "throttled out"
    TIMED_OUT = "timed out"
    CREDENTIALS = "credentials missing or expired"
    NOT_FOUND = "not found"
    OTHER = "error"


@dataclass(frozen=True, slots=True)
class Failure:
    """A call that AWS refused or did not finish. A value: the caller says what that means for its answer."""

    reason: FailureReason
    code: str = ""
    """AWS's error code, or the name of the exception on the client's side."""
    message: str = ""

    def __str__(self) -> str:
        detail = ": ".join(part for part in (self.code, self.message) if part)
        return f"{self.reason} ({detail})" if detail else str(self.reason)
