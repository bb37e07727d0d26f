"""Where a record came from, and whether it says the same of itself.

A trail delivers the records of each account and region into a folder of their own, and EventBridge notes beside an
event which account, region and service sent it. So a record that names another account or region than that is refused.
A key without folders of accounts, as that of a file that somebody copied, proves nothing and refuses nothing: who may
write where is granted by folder, and a file's name is chosen by its writer.

Source: AWS CloudTrail User Guide, "Finding your CloudTrail log files", "CloudTrail log file examples" (names of files),
and "Creating a trail for an organization"; AWS Control Tower User Guide, "About logging" (`o-id/AWSLogs/o-id/`);
Amazon EventBridge User Guide, "Events in Amazon EventBridge" (envelope); EventBridge API Reference, "PutEvents": nobody
but AWS sends events whose source begins with `aws.`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from landkeeper.broom.cloudtrail.fields import ACCOUNT, REGION, find_form
from landkeeper.broom.launches import Launch, SpotRequest, Tagging, Termination, Untagging

EC2_SOURCE = "aws.ec2"

_FOLDERS = re.compile(
    r"(?:.*/)?AWSLogs/(?:o-[a-z0-9]+/)?(?P<account>[0-9]{12})/(?P<service>[^/]+)/(?:(?P<region>[^/]+)/)?", re.DOTALL
)
_TRAIL_FOLDERS = re.compile(
    r"(?:.*/)?AWSLogs/(?:o-[a-z0-9]+/)?(?:[^/]+/)?(?P<service>CloudTrail(?:-[A-Za-z]+)?)/", re.DOTALL
)
"""The folders of trails in a copy that has no account, or another word in its place."""
_SERVICE_NAME = re.compile(
    r"(?:.*/)?(?:[^/_]+_(?P<trail>CloudTrail-[A-Za-z]+)|[0-9]{12}_(?P<service>[A-Za-z][A-Za-z0-9-]*))_[^/]*", re.DOTALL
)
_NAME = re.compile(r"(?:.*/)?([0-9]{12})_CloudTrail_([a-z0-9-]+)_[0-9]{8}T[0-9]{4}Z_[^/]*", re.DOTALL)

Bound = Launch | SpotRequest | Tagging | Termination | Untagging


@dataclass(frozen=True, slots=True)
class Origin:
    """The account and region that a record has to be of; empty ones may be any."""

    what: str = ""
    """What names them, as in `the key of its file`."""
    account: str = ""
    region: str = ""
    contradiction: str = ""
    """Why no record from here is believed; empty where the origin is of one piece."""

    def find_fault(self, entry: Bound) -> str | None:
        """Return why what a record tells is not believed; None where it agrees with its origin."""
        if self.contradiction:
            return f"it is refused: {self.contradiction}"
        for word, here, named in (("account", self.account, entry.account), ("region", self.region, entry.region)):
            if here and here != named:
                return f"it is refused: {self.what} names {word} {here}, the record {named or 'none'}"
        return None


ANYWHERE = Origin()
"""The origin of a record of which nothing tells where it came from."""


def find_origin(key: str) -> Origin:
    """Return the account and region that the key of a log file, or its path, names in its folders.

    Its name must not contradict them.
    """
    folders, name = _FOLDERS.match(key), _NAME.fullmatch(key)
    if folders is None:
        return ANYWHERE
    in_folders = (folders["account"], _region(folders["region"]))
    in_name = (name[1], _region(name[2])) if name is not None else ("", "")
    clash = next(
        ((folder, other) for folder, other in zip(in_folders, in_name, strict=True) if folder and other != folder), None
    )
    if clash is not None and clash[1]:
        return Origin(contradiction=f"its file is named after {clash[1]} and lies in a folder of {clash[0]}")
    return Origin("the key of its file", in_folders[0], in_folders[1] or in_name[1])


def find_service(key: str) -> str:
    """Return the service that wrote a file, as in `CloudTrail`; empty where its key does not tell.

    That is the one whose folder of an account the key is in, and only without such a folder the one in the file's name.
    """
    folders = _FOLDERS.match(key) or _TRAIL_FOLDERS.match(key)
    if folders is not None:
        return folders["service"]
    name = _SERVICE_NAME.fullmatch(key)
    return name["trail"] or name["service"] if name is not None else ""


def read_envelope(event: Mapping[Any, Any], detail: Mapping[str, Any]) -> Origin | None:
    """Return the origin that EventBridge notes beside a record; None where it does not."""
    account, region = find_form(event, "account", ACCOUNT), find_form(event, "region", REGION)
    source = event.get("source")
    if not account or not region or not isinstance(source, str):
        return None
    if (source == EC2_SOURCE) != (detail.get("eventSource", "ec2.amazonaws.com") == "ec2.amazonaws.com"):
        return Origin(contradiction="the source of the event and that of its record are not of one service")
    return Origin("the event around it", account, region)


def _region(text: str | None) -> str:
    return text if text is not None and REGION.fits(text) else ""
