"""Where a trail puts its files in S3, and which of them can matter: told by their keys, before anything is fetched.

Source: AWS CloudTrail User Guide, "Finding your CloudTrail log files" and "CloudTrail log file examples", which gives
the names of files; for organizations "Creating a trail for an organization".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta

_ROOT = re.compile(r"(?:^|.*/)AWSLogs/")
_FOLDER = re.compile(r"/CloudTrail/[a-z0-9-]+/(\d{4})/(\d{2})/(\d{2})/")
_NAME = re.compile(r"_CloudTrail_[a-z0-9-]+_(\d{4})(\d{2})(\d{2})T\d{4}Z_")
_LATE = timedelta(days=1)
_SEARCHED_LEVELS = 3


@dataclass(frozen=True, slots=True)
class LogObject:
    """A log file to read from S3."""

    bucket: str
    key: str

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


@dataclass(frozen=True, slots=True)
class Days:
    """The days on which files may have been delivered that matter; None where there is no end to them."""

    first: date | None = None
    last: date | None = None

    def hold(self, name: str) -> bool:
        """Whether a file of this name, or key, may matter; one that does not say its day may."""
        day = delivered_on(name)
        return day is None or not (self.is_before(day) or self.is_after(day))

    def is_before(self, day: date) -> bool:
        """Whether they begin later."""
        return self.first is not None and day < self.first

    def is_after(self, day: date | None) -> bool:
        """Whether they end earlier."""
        return self.last is not None and day is not None and day > self.last


@dataclass(frozen=True, slots=True)
class ListedLog:
    """A log file in S3, as a listing shows it."""

    object: LogObject
    size: int
    etag: str


@dataclass(frozen=True, slots=True)
class Walk:
    """List what lies right below, and go on from there."""


@dataclass(frozen=True, slots=True)
class Take:
    """List everything below, in the order of its keys. `region_root` is where the folders of days are, if so."""

    region_root: str = ""

    def start_after(self, days: Days) -> str:
        """The key after which files may matter; empty for all of them."""
        return f"{self.region_root}{days.first:%Y/%m/%d}" if self.region_root and days.first else ""


@dataclass(frozen=True, slots=True)
class Leave:
    """Nothing below is of interest."""

    reason: str


def delivered_on(name: str) -> date | None:
    """The day (UTC) on which a file was delivered, going by its key or its name; None where neither says."""
    return day_of_folder(name) or _day(_NAME.search(name))


def day_of_folder(key: str) -> date | None:
    """The day of the folder that a key is in; None where it is in none."""
    return _day(_FOLDER.search(key))


def _day(found: re.Match[str] | None) -> date | None:
    if found is None:
        return None
    try:
        return date(*map(int, found.groups()))
    except ValueError:
        return None


def delivery_days(since: datetime | None, until: datetime | None, window: timedelta) -> Days:
    """The days whose files tell of launches in that time, and of what was done to their tags within the window.

    CloudTrail delivers within minutes as a rule, and it may take hours: a day is allowed for.
    """
    try:
        last = (until + window + _LATE).date() if until else None
    except OverflowError:
        # Behind the last day that there is.
        last = None
    return Days(since and since.date(), last)


@dataclass(frozen=True, slots=True)
class TrailPlace:
    """A place in a trail's layout."""

    root: str
    """What comes before the folders of accounts: `AWSLogs/`, or `AWSLogs/o-id/`, with all before it."""
    account: str = ""
    """Empty above the folder of one."""
    service: str = ""
    region: str = ""


def find_root(prefix: str) -> TrailPlace | None:
    """Where a prefix is in a trail's layout, going by its whole folders; None above `AWSLogs/`."""
    folder = prefix[: prefix.rfind("/") + 1]
    root = _ROOT.match(folder)
    if root is None:
        return None
    parts = folder[root.end() :].split("/")[:-1]
    organization = f"{parts.pop(0)}/" if parts and parts[0].startswith("o-") else ""
    return TrailPlace(root[0] + organization, *parts[:3])


def plan_listing(prefix: str, below: int = 0) -> Walk | Take | Leave:
    """How to list a prefix, which may begin and end anywhere; `below` says how far down it was found."""
    place = find_root(prefix)
    if place is None:
        return Walk() if below < _SEARCHED_LEVELS else Take()
    if place.service not in {"", "CloudTrail"}:
        return Leave(f"below {place.service}/, which holds no CloudTrail log files")
    return Take(f"{place.root}{place.account}/CloudTrail/{place.region}/") if place.region else Walk()
