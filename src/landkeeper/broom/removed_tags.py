"""Cases that wait for tags which the log showed, and which were taken off since: they need not wait any longer.

A launch and what took its tags off may be told in two deliveries. A case that waits because the log shows tags that
comply is looked at again as soon as a `DeleteTags` on its instance is told.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from landkeeper.broom.actions import YOUNG
from landkeeper.broom.case import Case, State, untagged
from landkeeper.broom.launches import Tags, Untagging
from landkeeper.broom.policy.requirements import asked_keys
from landkeeper.broom.policy.rules import Policy
from landkeeper.broom.policy.verdict import Violation, evaluate
from landkeeper.broom.policy.wildcards import fits
from landkeeper.broom.sweep import Sweep
from landkeeper.broom.sweep_result import SweepResult


def sweep_untagged(sweep: Sweep, untaggings: Iterable[Untagging]) -> SweepResult:
    """Take the cases as far as they can go now that waited for the tags of their log, which these calls took off.

    The ledger is asked only about calls that took off a tag which the policy speaks of, and that recently.
    """
    policy, now = sweep.policy, sweep.ports.clock()
    telling = [each for each in untaggings if now - each.event_time < YOUNG and _takes_off(policy, each)]
    ids = sorted({id_ for each in telling for id_ in each.instance_ids})
    found = sweep.ports.ledger.find_cases(ids).values() if ids else ()
    cases = [after for case in found if (after := _without(policy, case, telling, now)) is not None]
    return sweep.handle_cases(cases)


def _takes_off(policy: Policy, untagging: Untagging) -> bool:
    """Whether it can have changed what the policy says."""
    if not untagging.keys:
        return True
    asked = {key for rule in policy.rules for key in asked_keys(rule.require)}
    exempting = [exemption.pattern for exemption in policy.exempt if exemption.kind == "tag"]
    return any(key in asked or any(fits(pattern, key) for pattern in exempting) for key in untagging.keys)


def _without(policy: Policy, case: Case, untaggings: Iterable[Untagging], now: datetime) -> Case | None:
    """The case without the tags that were taken off; None where it did not wait for them."""
    after = untagged(case, untaggings)
    waited = case.state is State.WAITING and not _breaks(policy, case, case.logged_tags, now)
    return after if waited and _breaks(policy, after, after.logged_tags, now) else None


def _breaks(policy: Policy, case: Case, tags: Tags, now: datetime) -> bool:
    return isinstance(evaluate(policy, case.subject, tags, now), Violation)
