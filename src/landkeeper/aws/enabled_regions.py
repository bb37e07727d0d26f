"""Which regions an account has enabled, asked where an answer is to be had.

EC2 lists all of them in any one region, but a policy may close that region: EC2 is asked in the region at hand, then
the account API, which has no regions, then EC2 in the other regions of the partition.
Sources: Amazon EC2 API Reference, "DescribeRegions"; AWS Account Management Reference, "ListRegions" and "Region";
AWS Control Tower guide, "Region deny control applied to the OU".
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from itertools import chain, zip_longest
from typing import TYPE_CHECKING, Any

from landkeeper.aws.failures import CALL_ERRORS, STRANGE_ANSWERS, empty_answer, failure_of, strange_answer
from landkeeper.aws.paging import pages
from landkeeper.aws.regions import list_regions_beside, list_regions_of
from landkeeper.org import Failure, FailureReason, Region, Standing, parse_region

if TYPE_CHECKING:
    from landkeeper.aws.sessions import AccountCredentials, AccountSessions

Standings = Mapping[Region, Standing]
IsClosed = Callable[[Region], bool]

_ENABLED = frozenset({"opt-in-not-required", "opted-in", "ENABLED", "ENABLED_BY_DEFAULT"})
"""Of EC2's `OptInStatus` and the account API's `RegionOptStatus`."""
_REFUSED_THERE = frozenset({FailureReason.SCP_DENY, FailureReason.MISSING_PERMISSION, FailureReason.REGION_DISABLED})
"""What may be otherwise in another region: a policy of any kind can have a condition on the region."""
_MOST_SILENT = 2
"""Regions that give no answer at all, after which no other is asked: the network is at fault, or EC2 as a whole."""


def find_regions(
    sessions: AccountSessions, credentials: AccountCredentials, is_closed: IsClosed = lambda _: False
) -> Standings | Failure:
    """Return every region there is, and whether the account has enabled it; a Failure where nobody says.

    Regions that are known to be closed are asked last. The Failure is that of the first region that was asked.
    """
    here, *others = order_regions(sessions.region, is_closed)
    with sessions.signing_as(credentials):
        first = _ask_ec2(sessions, here)
        if not isinstance(first, Failure) or first.reason is FailureReason.CREDENTIALS:
            return first
        listed = _ask_account_api(sessions)
        if not isinstance(listed, Failure):
            return listed
        silent = int(first.reason not in _REFUSED_THERE)
        for region in others:
            found = _ask_ec2(sessions, region)
            if not isinstance(found, Failure):
                return found
            silent += found.reason not in _REFUSED_THERE
            if silent >= _MOST_SILENT:
                break
    return first


def order_regions(here: Region, is_closed: IsClosed) -> list[Region]:
    """Return the regions of the partition in the order in which they are asked.

    The one at hand is first, then one of each part of the world, as a policy usually opens or closes whole parts, and
    those that are known to be closed are last.
    """
    parts: defaultdict[str, list[str]] = defaultdict(list)
    for region in list_regions_beside(here):
        parts[region.partition("-")[0]].append(region)
    mixed = (Region(region) for region in chain.from_iterable(zip_longest(*parts.values())) if region is not None)
    return sorted(dict.fromkeys((here, *mixed)), key=is_closed)


def find_unknown_regions(sessions: AccountSessions, regions: Collection[Region]) -> tuple[Region, ...]:
    """Return those of the regions that AWS does not have in the partition of the credentials at hand.

    The SDK's own list answers for most; EC2 is asked only about what is newer, and then has the last word.
    """
    unknown = sorted(set(regions) - set(list_regions_of(sessions.partition())))
    if not unknown:
        return ()
    credentials = sessions.credentials_for(sessions.home_account())
    known = credentials if isinstance(credentials, Failure) else find_regions(sessions, credentials)
    return tuple(region for region in unknown if isinstance(known, Failure) or region not in known)


def _ask_ec2(sessions: AccountSessions, region: Region) -> Standings | Failure:
    return _ask("EC2", "OptInStatus", lambda: sessions.ec2(region).describe_regions(AllRegions=True)["Regions"])


def _ask_account_api(sessions: AccountSessions) -> Standings | Failure:
    def list_regions() -> Iterable[Mapping[str, Any]]:
        client = sessions.member_short_timeout("account", sessions.region)
        return (raw for page in pages(client, "list_regions") for raw in page["Regions"])

    return _ask("the account API", "RegionOptStatus", list_regions)


def _ask(service: str, status: str, list_regions: Callable[[], Iterable[Mapping[str, Any]]]) -> Standings | Failure:
    """Return what a service lists. A list without an enabled region is none.

    Those that need no opt-in always are enabled (Account Management Reference Guide, "Enable or disable AWS Regions in
    your account").
    """
    try:
        listed = {parse_region(raw["RegionName"]): raw.get(status, "opted-in") in _ENABLED for raw in list_regions()}
    except CALL_ERRORS as error:
        return failure_of(error)
    except STRANGE_ANSWERS as error:
        return strange_answer(service, error)
    if not any(listed.values()):
        return empty_answer(service, "enabled regions")
    return {region: Standing.READ if listed[region] else Standing.DISABLED for region in sorted(listed)}
