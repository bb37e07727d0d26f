"""What a person should hear about, once each: new overlaps, new default VPCs, accounts that stay unreadable.

Each thing has a fingerprint for every part of it that would be news. What has a fingerprint that was not told yet is
told, all of it, with what is new marked. What is no longer there is forgotten, and told anew should it come back.
Names are written by whoever made the VPC: what does not print is escaped, so that it cannot forge a line.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from landkeeper.org import Account, AccountId, Membership, counted
from landkeeper.vpctracker.answers.ranking import OverlapKind
from landkeeper.vpctracker.pools.conflicts import describe_holder

if TYPE_CHECKING:
    from landkeeper.vpctracker.answers.overlaps import Claim
    from landkeeper.vpctracker.answers.ranking import Finding
    from landkeeper.vpctracker.coverage import Coverage
    from landkeeper.vpctracker.inventory import StoredVpc, Vpc
    from landkeeper.vpctracker.pools.conflicts import Conflict

FINGERPRINT_BYTES = 6

# SNS takes 256 KB, attributes included, and subjects of less than 100 characters (SNS API Reference, "Publish").
_LONGEST_SUBJECT = 99
_LONGEST_LINE = 300
_MOST_LINES = 100
_MOST_AT_ONCE = 20
"""More news than this goes into one summary: nobody reads the twenty-first message of one minute."""


@dataclass(frozen=True, slots=True)
class Noticed:
    """What was told so far, as fingerprints: a finding whose fingerprint is here is no news."""

    told: frozenset[int] = frozenset()
    """Of `FINGERPRINT_BYTES` each: an organization can have more default VPCs than their ids would fit into an item."""
    version: int = 0
    """0 when nothing was ever told, and one more with every write."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A message for people, and the same for programs."""

    subject: str
    """ASCII, under 100 characters."""
    text: str
    json: str
    """The value of the message attribute `landkeeper`."""
    fingerprints: frozenset[int]
    """What counts as told once this is out."""


@dataclass(frozen=True, slots=True)
class Concerns:
    """All that there is to tell, told or not."""

    findings: Sequence[Finding] = ()
    """Overlaps, in the order of their harm."""
    default_vpcs: Sequence[StoredVpc] = ()
    coverage: Sequence[Coverage] = ()
    """Of accounts that have been unreadable for long enough."""
    conflicts: Sequence[Conflict] = ()
    """Reservations whose addresses others' VPCs have."""


def find_concerns(
    findings: Iterable[Finding],
    vpcs: Iterable[StoredVpc],
    coverage: Iterable[Coverage],
    unreadable_runs: int,
    conflicts: Iterable[Conflict] = (),
) -> Concerns:
    """What is worth telling: collisions, live default VPCs, accounts unreadable for `unreadable_runs` in a row, and
    reservations in conflict."""
    return Concerns(
        [finding for finding in findings if finding.kind is OverlapKind.COLLISION],
        [finding for finding in vpcs if finding.vpc.is_default and finding.is_live],
        [
            finding
            for finding in coverage
            if finding.membership is Membership.ACTIVE and finding.failed_runs >= unreadable_runs
        ],
        list(conflicts),
    )


def decide_notices(concerns: Concerns, noticed: Noticed) -> tuple[Notice, ...]:
    """The notices to send now. The first time ever, and when there are very many, all of them in one."""
    news = tuple(_news(concerns, noticed.told))
    if len(news) > _MOST_AT_ONCE or (news and noticed.version == 0):
        return (_summary(news, is_first=noticed.version == 0),)
    return news


def fingerprints_of(concerns: Concerns) -> frozenset[int]:
    """Those of everything there is to tell: what is stored once all of it was told."""
    everything = _news(concerns, frozenset())
    return frozenset(fingerprint for notice in everything for fingerprint in notice.fingerprints)


def _news(concerns: Concerns, known: frozenset[int]) -> Iterator[Notice]:
    for coverage in concerns.coverage:
        if _unreadable_fingerprint(coverage) not in known:
            yield _unreadable(coverage)
    for finding in concerns.findings:
        marks = {_claim_fingerprint(finding.space, claim): claim for claim in finding.members}
        if not marks.keys() <= known:
            yield _overlap(finding, marks, known)
    for conflict in concerns.conflicts:
        if not _conflict_fingerprints(conflict) <= known:
            yield _conflict(conflict)
    owned: dict[AccountId, list[StoredVpc]] = defaultdict(list)
    for stored in concerns.default_vpcs:
        owned[stored.vpc.owner].append(stored)
    for owner in sorted(owned):
        new = [stored for stored in owned[owner] if _default_fingerprint(stored) not in known]
        if new:
            yield _defaults(new)


def _fingerprint(*parts: str) -> int:
    digest = hashlib.blake2b("\0".join(parts).encode(), digest_size=FINGERPRINT_BYTES).digest()
    return int.from_bytes(digest, "big")


def _claim_fingerprint(space: str, claim: Claim) -> int:
    return _fingerprint("overlap", space, claim.vpc.id, str(claim.block))


def _default_fingerprint(stored: StoredVpc) -> int:
    return _fingerprint("default", stored.vpc.id)


def _conflict_fingerprints(conflict: Conflict) -> frozenset[int]:
    return frozenset(_fingerprint("conflict", conflict.reservation.id, vpc.id) for vpc in conflict.vpcs)


def _unreadable_fingerprint(coverage: Coverage) -> int:
    return _fingerprint("unreadable", coverage.account, *_reasons(coverage))


def _reasons(coverage: Coverage) -> list[str]:
    """Why it is unreadable, each reason once. Not where: a throttled region today and another tomorrow is no news."""
    failures = [coverage.failure, *(region.failure for region in coverage.regions.values())]
    if coverage.failure is not None:
        failures = failures[:1]
    return sorted({failure.reason.name for failure in failures if failure is not None})


def _unreadable(coverage: Coverage) -> Notice:
    label = Account(coverage.account, coverage.account_name).label
    if coverage.failure is not None:
        places = {"all regions": str(coverage.failure)}
    else:
        places = {
            name: str(covered.failure)
            for name, covered in sorted(coverage.regions.items())
            if covered.failure is not None
        }
    return _notice(
        f"account {coverage.account} cannot be read ({coverage.failed_runs} runs in a row)",
        [
            f"Account {label} could not be read completely in {coverage.failed_runs} runs in a row.",
            "Landkeeper keeps its last known state, which becomes outdated.",
            *(f"  {place}: {why}" for place, why in places.items()),
            "`landkeeper vpc coverage` shows every account.",
        ],
        {
            "Kind": "unreadable",
            "AccountId": coverage.account,
            "AccountName": coverage.account_name,
            "FailedRuns": coverage.failed_runs,
            "Failures": {place: _plain(why) for place, why in places.items()},
        },
        {_unreadable_fingerprint(coverage)},
    )


def _overlap(finding: Finding, marks: Mapping[int, Claim], known: frozenset[int]) -> Notice:
    outermost = finding.group.outermost
    # What is new comes first: a long list is cut at its end.
    members = sorted(marks.items(), key=lambda member: member[0] in known)
    is_known = any(mark in known for mark in marks)
    accounts = counted(finding.accounts, "account")
    return _notice(
        f"{'another VPC overlaps' if is_known else 'VPCs overlap'} in {outermost} (space {finding.space})",
        [
            f"VPCs of {accounts} in the space {finding.space} use the same addresses in {outermost}:",
            *(f"  {'' if mark in known else 'new: '}{claim.block} {_where(claim.vpc)}" for mark, claim in members),
            "`landkeeper vpc overlaps` shows every overlap.",
        ],
        {
            "Kind": "overlap",
            "Space": finding.space,
            "CidrBlock": str(outermost),
            "Members": [
                {**_vpc_json(claim.vpc), "CidrBlock": str(claim.block), "IsNew": mark not in known}
                for mark, claim in members[:_MOST_LINES]
            ],
            "Omitted": max(0, len(members) - _MOST_LINES),
        },
        marks,
    )


def _conflict(conflict: Conflict) -> Notice:
    reservation, pool = conflict.reservation, conflict.pool
    meant = f" for {Account(reservation.account).label}" if reservation.account else ""
    purpose = f" ({reservation.purpose})" if reservation.purpose else ""
    return _notice(
        f"VPCs overlap the reservation {reservation.held} in pool {pool.id}",
        [
            f"{reservation.held}, reserved as {reservation.id} in pool {pool.id}{meant}{purpose}, is in conflict with:",
            *(f"  {describe_holder(vpc, reservation.held)}" for vpc in conflict.vpcs),
            f"`landkeeper vpc pool show {pool.id}` shows every reservation.",
        ],
        {
            "Kind": "conflict",
            "PoolId": pool.id,
            "ReservationId": reservation.id,
            "CidrBlock": str(reservation.block),
            "AccountId": reservation.account,
            "Vpcs": [{**_vpc_json(vpc), "CidrBlock": vpc.cidr_block} for vpc in conflict.vpcs[:_MOST_LINES]],
            "Omitted": max(0, len(conflict.vpcs) - _MOST_LINES),
        },
        _conflict_fingerprints(conflict),
    )


def _defaults(vpcs: Sequence[StoredVpc]) -> Notice:
    first = vpcs[0].vpc
    one_or_many = "a new default VPC" if len(vpcs) == 1 else f"{len(vpcs)} new default VPCs"
    return _notice(
        f"{one_or_many} in account {first.owner}",
        [
            f"Account {Account(first.owner, first.account_name).label} has {one_or_many}:",
            *(f"  {stored.vpc.cidr_block} {_where(stored.vpc)}" for stored in vpcs),
            "`landkeeper vpc defaults` shows every default VPC.",
        ],
        {
            "Kind": "default-vpc",
            "AccountId": first.owner,
            "AccountName": _plain(first.account_name),
            "Vpcs": [{**_vpc_json(stored.vpc), "CidrBlock": stored.vpc.cidr_block} for stored in vpcs[:_MOST_LINES]],
            "Omitted": max(0, len(vpcs) - _MOST_LINES),
        },
        map(_default_fingerprint, vpcs),
    )


def _summary(news: Sequence[Notice], *, is_first: bool) -> Notice:
    kinds = [json.loads(item.json)["Kind"] for item in news]
    counts = {kind: kinds.count(kind) for kind in ("unreadable", "overlap", "default-vpc", "conflict")}
    sentence = (
        f"{counts['overlap']} overlapping ranges, {counts['default-vpc']} accounts with default VPCs, "
        f"{counts['unreadable']} unreadable accounts"
    )
    if counts["conflict"]:
        sentence += f", {counts['conflict']} reservations in conflict"
    opening = "This is the first report. Later reports contain only new findings."
    return _notice(
        f"{'found at first' if is_first else 'new'}: {sentence}",
        [
            opening if is_first else "There are many new findings, so this message summarises them.",
            f"{sentence}:",
            *(f"  {item.subject.removeprefix(_SENDER)}" for item in news),
            "`landkeeper vpc overlaps`, `defaults` and `coverage` show all of it.",
        ],
        {"Kind": "summary", "IsFirst": is_first, "Counts": counts},
        (fingerprint for notice in news for fingerprint in notice.fingerprints),
    )


_SENDER = "Landkeeper: "


def _notice(subject: str, lines: Sequence[str], facts: Mapping[str, Any], fingerprints: Iterable[int]) -> Notice:
    ascii_subject = "".join(char if char.isascii() else "?" for char in _plain(_SENDER + subject))
    return Notice(
        ascii_subject[:_LONGEST_SUBJECT],
        "".join(f"{_plain(line)}\n" for line in _cut(lines)),
        json.dumps(facts),
        frozenset(fingerprints),
    )


def _cut(lines: Sequence[str]) -> Sequence[str]:
    """Not too many of them; the last one, which says where to look, stays."""
    if len(lines) <= _MOST_LINES:
        return lines
    return [*lines[: _MOST_LINES - 1], f"  and {len(lines) - _MOST_LINES} more", lines[-1]]


def _where(vpc: Vpc) -> str:
    name = f" '{vpc.name}'" if vpc.name else ""
    return f"{vpc.id}{name} of {Account(vpc.owner, vpc.account_name).label} in {vpc.region}"


def _vpc_json(vpc: Vpc) -> dict[str, Any]:
    return {"VpcId": vpc.id, "OwnerId": vpc.owner, "AccountName": _plain(vpc.account_name), "Region": vpc.region}


def _plain(text: str) -> str:
    shown = "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)
    return shown if len(shown) <= _LONGEST_LINE else f"{shown[:_LONGEST_LINE]}…"
