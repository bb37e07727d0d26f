"""What holds a termination back although the policy asks for it: limits on how many there may be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from landkeeper.broom.case import Case
from landkeeper.broom.instance_state import LiveInstance
from landkeeper.broom.policy.rules import Limits
from landkeeper.broom.ports import Ledger
from landkeeper.org import Failure, counted

MOST_OF_A_GROUP = 2
"""How many instances of one Auto Scaling group are ended within an hour, before the group is held."""


@dataclass(slots=True)
class RunLimit:
    """How many instances this run may still terminate; None for as many as there are."""

    left: int | None = None

    def take(self) -> bool:
        """Take one and return True, if there is one left."""
        if self.left is None:
            return True
        self.left -= 1
        return self.left >= 0


@dataclass(frozen=True, slots=True)
class Gate:
    """Every limit that a termination has to get through."""

    limits: Limits
    run: RunLimit
    ledger: Ledger
    count_running: Callable[[Case], int | Failure]
    """How many instances run in the account and region of a case."""

    def find_hold(self, case: Case, live: LiveInstance, now: datetime) -> str | None:
        """Return the limit that is used up, in words; None after taking one from each.

        What was taken before the limit that holds it stays taken: that errs on the side of ending less.
        """
        hour, expires_at = now.strftime("%Y-%m-%dT%H"), now + timedelta(hours=2)
        per_run = self.limits.terminations_per_run
        if not self.run.take():
            return f"the limit of {counted(per_run or 0, 'termination')} in one run is reached"
        counter = f"GROUP#{case.account}#{case.region}#{live.group}#{hour}"
        if live.group and not self.ledger.take(counter, MOST_OF_A_GROUP, expires_at):
            return f"Auto Scaling group {live.group} has lost {MOST_OF_A_GROUP} instances within this hour already"
        per_account = self.limits.terminations_per_hour_per_account
        # Before the limit of all accounts: what one account has too many takes nothing from the others.
        counter = f"ACCOUNT#{case.account}#{hour}"
        if per_account is not None and not self.ledger.take(counter, per_account, expires_at):
            return (
                f"the limit of {counted(per_account, 'termination')} in one hour in account {case.account} is reached"
            )
        per_hour = self.limits.terminations_per_hour
        if per_hour is not None and not self.ledger.take(f"HOUR#{hour}", per_hour, expires_at):
            return f"the limit of {counted(per_hour, 'termination')} in one hour is reached"
        return self._find_share_hold(case, hour, expires_at)

    def _find_share_hold(self, case: Case, hour: str, expires_at: datetime) -> str | None:
        share = self.limits.terminations_share
        if share is None:
            return None
        running = self.count_running(case)
        if isinstance(running, Failure):
            return f"how many instances run there could not be read, and so not what share of them this is: {running}"
        most = max(1, int(running * share))
        if self.ledger.take(f"SHARE#{case.account}#{case.region}#{hour}", most, expires_at):
            return None
        return f"the limit of {share:.0%} of the {running:,} instances that run in the account and region is reached"
