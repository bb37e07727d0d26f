"""Tags that a `DeleteTags` took off: what complied by them is judged again.

A launch and what took its tags off may come in two deliveries. A case that waits because the log shows tags that comply
need not wait any longer, and one that was settled as compliant or exempt is opened again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from landkeeper.broom.actions import ACT_SINCE
from landkeeper.broom.case import Case, State, reopen, untagged
from landkeeper.broom.launches import Tags, Untagging
from landkeeper.broom.policy.requirements import asked_keys
from landkeeper.broom.policy.rules import Policy
from landkeeper.broom.policy.verdict import Violation, evaluate
from landkeeper.broom.policy.wildcards import fits
from landkeeper.broom.sweeping.result import SweepResult
from landkeeper.broom.sweeping.sweep import Sweep


def sweep_untagged(sweep: Sweep, untaggings: Iterable[Untagging]) -> SweepResult:
    """Judge again, by live tags, the instances that complied by tags which these calls took off.

    The ledger is read only for calls of the last day that took off a tag which the policy speaks of. An instance that
    is older than a day is reported, and nothing else is done to it.
    """
    policy, now = sweep.policy, sweep.ports.clock()
    relevant = [
        untagging
        for untagging in untaggings
        if now - untagging.event_time < ACT_SINCE and _takes_off(policy, untagging)
    ]
    ids = sorted({id_ for untagging in relevant for id_ in untagging.instance_ids})
    found = sweep.ports.ledger.find_cases(ids).values() if ids else ()
    cases = [after for case in found if (after := _judged_anew(policy, case, relevant, now)) is not None]
    return sweep.handle_cases(cases)


def _takes_off(policy: Policy, untagging: Untagging) -> bool:
    """Return whether it can have changed what the policy says."""
    if untagging.takes_all:
        return True
    required = {key for rule in policy.rules for key in asked_keys(rule.require)}
    exempting = [exemption.pattern for exemption in policy.exempt if exemption.kind == "tag"]
    return any(key in required or any(fits(pattern, key) for pattern in exempting) for key in untagging.named_keys)


def _judged_anew(policy: Policy, case: Case, untaggings: Iterable[Untagging], now: datetime) -> Case | None:
    """Return the case without the tags that were taken off; None where they make no difference to it."""
    if case.state is State.WAITING:
        after = untagged(case, untaggings)
        waited = not _breaks(policy, case, case.logged_tags, now)
        return after if waited and _breaks(policy, after, after.logged_tags, now) else None
    if case.state not in {State.COMPLIANT, State.EXEMPT}:
        return None
    left = untagged(replace(case, logged_tags=case.live_tags or {}), untaggings).logged_tags
    if not _breaks(policy, case, left, now):
        return None
    is_old = now - case.event_time > ACT_SINCE
    notify_only = "it is older than a day, and complied until then" if is_old else ""
    return reopen(case, now, "tags were taken off after it was settled", notify_only=notify_only)


def _breaks(policy: Policy, case: Case, tags: Tags, now: datetime) -> bool:
    return isinstance(evaluate(policy, case.subject, tags, now), Violation)
