"""A trail's bucket: its log files listed no further than they can matter, and read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, assert_never

from landkeeper.aws.broom.log_objects import LogObjects
from landkeeper.aws.failures import CALL_ERRORS, failure_of
from landkeeper.broom.cloudtrail.keys import Days, Leave, ListedLog, LogObject, Take, Walk, day_of_folder, plan_listing
from landkeeper.org import Failure


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something that is not listed any further."""

    name: str
    reason: str


class TrailBuckets(LogObjects):
    """Lists what trails wrote, and no further than it can matter."""

    def list_logs(self, bucket: str, prefix: str, days: Days) -> Iterator[ListedLog | LeftOut | Failure]:
        """The files below a prefix that may be of these days; a Failure, and then no more, where S3 refuses.

        The prefix may begin and end anywhere in the layout of a trail or of an organization's trail. Folders of other
        days, of digests and of other services are not listed.
        """
        try:
            yield from self._list(bucket, prefix, days, below=0)
        except CALL_ERRORS as error:
            yield failure_of(error)

    def read(self, listed: ListedLog) -> bytes | Failure:
        """The content of a file; a Failure where S3 refuses, or it is above the limit."""
        return self._refuse(listed.size) or self.read_object(listed.object)

    def list_folders(self, bucket: str, prefix: str) -> list[str] | Failure:
        """The names of the folders right below a prefix, which ends in a slash."""
        try:
            pages = self._pages(bucket, prefix, Delimiter="/")
            found = [entry["Prefix"] for page in pages for entry in page.get("CommonPrefixes", ())]
        except CALL_ERRORS as error:
            return failure_of(error)
        return [folder.removeprefix(prefix).rstrip("/") for folder in found]

    def _list(self, bucket: str, prefix: str, days: Days, below: int) -> Iterator[ListedLog | LeftOut]:
        plan = plan_listing(prefix, below)
        match plan:
            case Leave(reason):
                yield LeftOut(f"s3://{bucket}/{prefix}", reason)
            case Take():
                yield from self._take(bucket, prefix, days, plan)
            case Walk():
                for page in self._pages(bucket, prefix, Delimiter="/"):
                    yield from (_listed(bucket, raw) for raw in page.get("Contents", ()) if days.hold(raw["Key"]))
                    for folder in page.get("CommonPrefixes", ()):
                        yield from self._list(bucket, folder["Prefix"], days, below + 1)
            case _:
                assert_never(plan)

    def _take(self, bucket: str, prefix: str, days: Days, take: Take) -> Iterator[ListedLog]:
        start = take.start_after(days)
        for page in self._pages(bucket, prefix, **({"StartAfter": start} if start else {})):
            for raw in page.get("Contents", ()):
                # Keys come in order: behind the folder of the last day are only those of later ones.
                if take.region_root and days.is_after(day_of_folder(raw["Key"])):
                    return
                if days.hold(raw["Key"]):
                    yield _listed(bucket, raw)


def _listed(bucket: str, raw: Any) -> ListedLog:
    return ListedLog(LogObject(bucket, raw["Key"]), raw["Size"], raw["ETag"].strip('"'))
