"""What the demo found, and what should have been found: pure values, judged here."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from landkeeper.embedded.launches import Launched
from landkeeper.embedded.observer import SeenInstance, SeenReport

CODES = frozenset({"LOL", "GGG", "BRB", "YLO"})
"""The values of the tag `Code` that the demo's policy allows."""
FEWEST_VPCS = 50


@dataclass(frozen=True, slots=True)
class Observed:
    """What EC2, DynamoDB and the queue held when everything had come to rest."""

    stored: Sequence[Mapping[str, Any]]
    """Items of the table of VPCs."""
    coverage: Sequence[Mapping[str, Any]]
    """Items of the table of coverage."""
    vpcs_by_owner: Mapping[str, Collection[str]]
    """What the accounts that can be read own, by DescribeVpcs."""
    overlap_groups: Sequence[Sequence[str]]
    """The VPC ids of each group that the product found colliding."""
    unreadable: Sequence[str]
    """Ids of the accounts that the product could not read."""
    instances: Sequence[SeenInstance]
    reports: Sequence[SeenReport]
    dead_letters: int


def live(item: Mapping[str, Any]) -> bool:
    """Whether a stored VPC is there."""
    return bool(item["State"] != "deleted")


def breaks_policy(instance: SeenInstance) -> bool:
    """Whether an instance breaks the demo's policy, told plainly and not by the product's own engine."""
    return "aws:autoscaling:groupName" not in instance.tags and instance.tags.get("Code") not in CODES


def result_of(observed: Observed, seconds: float) -> dict[str, Any]:
    """The demo's result as `landkeeper demo --json` prints it."""
    tracked = [item for item in observed.stored if live(item)]
    return {
        "accounts": len(observed.coverage),
        "regions": len({item["Region"] for item in tracked}),
        "vpcs_tracked": len(tracked),
        "vpcs_expected": sum(map(len, observed.vpcs_by_owner.values())),
        "default_vpcs": sum(1 for item in tracked if item["IsDefault"]),
        "overlap_groups": len(observed.overlap_groups),
        "unreadable": list(observed.unreadable),
        "launched": len(observed.instances),
        "bad_launches": len({instance.reservation_id for instance in observed.instances if breaks_policy(instance)}),
        "destroyed": sorted(instance.instance_id for instance in observed.instances if instance.ended),
        "kept": sorted(instance.instance_id for instance in observed.instances if not instance.ended),
        "reports": len(observed.reports),
        "seconds": round(seconds, 1),
    }


def find_faults(
    observed: Observed, result: Mapping[str, Any], launches: Sequence[Launched], unreadable: str
) -> Iterator[str]:
    """Everything that should have happened and did not, a sentence each; nothing when all is well."""
    yield from _tracker_faults(observed, result, unreadable)
    yield from _broom_faults(observed, result, launches)


def _tracker_faults(observed: Observed, result: Mapping[str, Any], unreadable: str) -> Iterator[str]:
    tracked = {(item["OwnerId"], item["VpcId"]) for item in observed.stored if live(item)}
    expected = {(owner, vpc) for owner, vpcs in observed.vpcs_by_owner.items() for vpc in vpcs}
    for owner, vpc in sorted(expected - tracked):
        yield f"{vpc} of account {owner} is not in the table"
    for owner, vpc in sorted(tracked - expected):
        yield f"{vpc} of account {owner} is in the table and not in EC2"
    if result["vpcs_expected"] <= FEWEST_VPCS:
        yield f"the sample organization has {result['vpcs_expected']} VPCs, too few for the demo"
    if list(observed.unreadable) != [unreadable]:
        yield f"unreadable should be account {unreadable} alone, and is {list(observed.unreadable)}"
    if not observed.overlap_groups:
        yield "no overlap was found"


def _broom_faults(observed: Observed, result: Mapping[str, Any], launches: Sequence[Launched]) -> Iterator[str]:
    ended = set(result["destroyed"])
    for launch in launches:
        for instance_id in launch.instance_ids:
            if launch.sample.complies and instance_id in ended:
                yield f"{instance_id} ({launch.sample.story}) should have been kept and was destroyed"
            if not launch.sample.complies and instance_id not in ended:
                yield f"{instance_id} ({launch.sample.story}) should have been destroyed and is still there"
    planted = {instance_id for launch in launches for instance_id in launch.instance_ids}
    for instance in observed.instances:
        if instance.instance_id not in planted:
            yield f"{instance.instance_id} is in EC2 but was not launched by the demo"
    if result["reports"] != result["bad_launches"]:
        yield f"{result['bad_launches']} launches broke the policy and {result['reports']} reports came"
    if observed.dead_letters:
        yield f"{observed.dead_letters} messages lie in the dead-letter queue"
