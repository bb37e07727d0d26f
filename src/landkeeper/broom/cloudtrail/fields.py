"""Fields of CloudTrail records: each is what it has to be, or a `FieldError` that says what it is instead.

Whatever goes from a record into a request to AWS, or into the ledger, has to have the form that AWS gives it.
So neither the writer of a record nor the caller whom it records can put a wildcard, part of an ARN, or more than a
store takes into its place.

Source: Amazon EC2 User Guide, "Resource IDs" and "Tag your Amazon EC2 resources" (restrictions); Amazon EC2 API
Reference, "RunInstances" (`ClientToken`: 64 ASCII characters at most); IAM User Guide, "IAM and AWS STS quotas" (names)
and "IAM identifiers" (ARNs); AWS CloudTrail User Guide, "CloudTrail record contents".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from landkeeper.broom.launches import Tags
from landkeeper.org import well_formed


class FieldError(Exception):
    """A field of a record is not what it has to be; its sentence says which and why."""


class Form(NamedTuple):
    """What a text has to look like, and what it is called in messages."""

    what: str
    pattern: re.Pattern[str]

    def fits(self, text: str) -> bool:
        """Whether the whole text has this form."""
        return self.pattern.fullmatch(text) is not None


ACCOUNT = Form("an AWS account id", re.compile(r"[0-9]{12}"))
REGION = Form("a region code", re.compile(r"[a-z]{2,8}(-[a-z]{2,12}){1,3}-[0-9]{1,2}"))
EVENT_ID = Form("an event id", re.compile(r"[A-Za-z0-9._:-]{1,128}"))
# EC2's ids have 8 or 17 hexadecimal digits. Published logs hold stand-ins for them, which name nothing and do no harm.
INSTANCE_ID = Form("an instance id", re.compile(r"i-[A-Za-z0-9_-]{1,64}"))
IMAGE_ID = Form("an image id", re.compile(r"ami-[A-Za-z0-9_-]{1,64}"))
INSTANCE_TYPE = Form("an instance type", re.compile(r"[a-z0-9-]{1,32}\.[a-z0-9-]{1,32}"))
RESOURCE_ID = Form("an id or a name", re.compile(r"[A-Za-z0-9()./_-]{1,128}"))
CLIENT_TOKEN = Form("a client token", re.compile(r"[\x20-\x7e]{1,64}"))
# Published logs drop digits of accounts, which then are nobody's.
PRINCIPAL_ARN = Form(
    "the ARN of a principal", re.compile(r"arn:aws[a-z-]{0,16}:(iam|sts)::[0-9]{1,12}:[A-Za-z0-9_+=,.@/:-]{1,1900}")
)

_FIRST_YEAR, _LAST_YEAR = 2013, 2999
"""CloudTrail began in 2013; and with the longest grace and everything else that is added to it, a time before the year
3000 is still one that Python has."""
_MOST_TAGS = 200
"""EC2 allows 50 on a resource, beside those of AWS's own."""
_LONGEST_KEY, _LONGEST_VALUE = 128, 256
_SHOWN = 60


def find_listed(request: Mapping[str, Any], name: str, field: str) -> frozenset[str]:
    """That field of each item under `name` that has it. Raises FieldError where nothing is listed there at all."""
    items = parse_items(request.get(name), name)
    values = (item.get(field) for item in items if isinstance(item, dict))
    return frozenset(well_formed(value) for value in values if isinstance(value, str) and value)


def parse_time(record: Mapping[str, Any]) -> datetime:
    """When it happened, in UTC. Raises FieldError."""
    text = parse_text(record, "eventTime")
    try:
        moment = datetime.fromisoformat(text)
        # Exports of logs drop the zone; CloudTrail itself writes UTC.
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise FieldError(f"eventTime {_shown(text)} is not a time") from None
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        raise FieldError(f"eventTime {_shown(text)} is not a time at which CloudTrail can have recorded a call")
    return moment


def parse_items(value: object, path: str) -> list[Any]:
    """The items of what is listed as CloudTrail does, none where it is missing or null. Raises FieldError."""
    if value is None:
        return []
    items = parse_object(value, path).get("items")
    if items is None:
        return []
    if not isinstance(items, list):
        raise FieldError(f"{path}.items is {kind_of(items)}, not a list")
    return items


def read_tags(items: list[Any], path: str, warnings: list[str]) -> Tags:
    """The tags in items with `key` and `value`. What is wrong with one costs that tag alone, and is a warning."""
    tags: dict[str, str] = {}
    for index, item in enumerate(items[:_MOST_TAGS]):
        try:
            key, value = _parse_tag(item, f"{path}[{index}]")
        except FieldError as error:
            warnings.append(str(error))
        else:
            tags[key] = value
    if len(items) > _MOST_TAGS:
        warnings.append(f"{path} has more than {_MOST_TAGS} tags, and EC2 allows fewer: the others are left out")
    return tags


def find_tags(value: object, path: str, warnings: list[str]) -> Tags:
    """The same for what is listed as CloudTrail does; none where it is missing."""
    try:
        items = parse_items(value, path)
    except FieldError as error:
        warnings.append(str(error))
        return {}
    return read_tags(items, f"{path}.items", warnings)


def tag_text(value: object) -> str:
    """A tag's value as text: null is an empty value."""
    return "" if value is None else well_formed(str(value))


def _parse_tag(item: object, path: str) -> tuple[str, str]:
    fields = parse_object(item, path)
    key, value = parse_text(fields, "key", path), fields.get("value")
    if isinstance(value, dict | list):
        raise FieldError(f"{path}.value is {kind_of(value)}: it has to be text")
    text = tag_text(value)
    if len(key) > _LONGEST_KEY or len(text) > _LONGEST_VALUE:
        raise FieldError(f"{path} has a tag {_shown(key)} with a longer key or value than EC2 allows")
    return key, text


def parse_object(value: object, path: str) -> dict[str, Any]:
    """The value, which has to be an object. Raises FieldError."""
    if not isinstance(value, dict):
        raise FieldError(f"{path} is {kind_of(value)}, not an object")
    return value


def parse_text(fields: Mapping[str, Any], name: str, path: str = "") -> str:
    """The text under that name, which may not be empty. Raises FieldError."""
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        raise FieldError(f"{path}{'.' if path else ''}{name} is {kind_of(value)}: it has to be text")
    return well_formed(value)


def parse_form(fields: Mapping[str, Any], name: str, form: Form, path: str = "") -> str:
    """The text under that name, which has to have this form. Raises FieldError."""
    text = parse_text(fields, name, path)
    if not form.fits(text):
        raise FieldError(f"{path}{'.' if path else ''}{name} {_shown(text)} is not {form.what}")
    return text


def find_form(fields: Mapping[str, Any], name: str, form: Form) -> str:
    """The text under that name; empty for anything that does not have this form."""
    value = fields.get(name)
    return value if isinstance(value, str) and form.fits(value) else ""


def _shown(text: str) -> str:
    """The text as a message can show it: not all of it where it is long, and nothing that a terminal obeys."""
    return ascii(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...")


def kind_of(value: object) -> str:
    """What a value is, in words."""
    match value:
        case None:
            return "missing or null"
        case bool():
            return "true or false"
        case str():
            return "empty" if not value else "text"
        case int() | float():
            return "a number"
        case list():
            return "a list" if value else "an empty list"
        case _:
            return "an object"
