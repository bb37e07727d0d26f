"""What Broom's function does about launches, cases that are due, and audits."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from landkeeper.aws.broom.case_queue import SqsCaseQueue
from landkeeper.aws.sessions import AccountSessions
from landkeeper.broom.dry_run import CollectedReports
from landkeeper.broom.launches import InstanceId, Launch, Untagging
from landkeeper.broom.limits import RunLimit
from landkeeper.broom.new_launches import sweep_first_seen
from landkeeper.broom.policy.file import parse_policy
from landkeeper.broom.policy.rules import Policy
from landkeeper.broom.removed_tags import sweep_untagged
from landkeeper.broom.sweeping.result import SweepResult
from landkeeper.broom.sweeping.sweep import Sweep
from landkeeper.org import AccountId
from landkeeper.settings import Settings
from landkeeper.wiring.broom.commands import OpenedBroom, open_ports
from landkeeper.wiring.ledger import open_table
from landkeeper.wiring.texts import read_text

POLICY_KEPT_SECONDS = 60.0
"""How long a warm function goes by the policy that it has read: reading it costs more than judging by it."""


class LaunchProcessor:
    """Handles launches; created once for as long as the function stays warm."""

    def __init__(self, settings: Settings, sessions: AccountSessions, ledger_table: str, policy: str) -> None:
        """`policy` says where the policy is."""
        ledger, printed = open_table(sessions, ledger_table, settings), CollectedReports()
        self.opened = OpenedBroom(settings, sessions, open_ports(settings, sessions, ledger, printed), printed)
        self._where = policy
        self._policy: tuple[float, Policy] | None = None

    def begin_run(self, has_time: Callable[[], bool]) -> LaunchProcessorRun:
        """Return what one invocation works with. Raise UsageError or PolicyError if the policy cannot be read."""
        return LaunchProcessorRun(self.opened, self._load_policy(), has_time)

    def _load_policy(self) -> Policy:
        if self._policy is None or time.monotonic() - self._policy[0] > POLICY_KEPT_SECONDS:
            owner = self.opened.settings.bucket_owner
            text = read_text(self._where, lambda: self.opened.sessions, what="policy", owner=owner)
            self._policy = time.monotonic(), parse_policy(text, self._where)
        return self._policy[1]


class LaunchProcessorRun:
    """What one invocation does, by one policy and within one limit."""

    def __init__(self, opened: OpenedBroom, policy: Policy, has_time: Callable[[], bool]) -> None:
        """`policy` holds for all that the invocation does; no case is begun once it no longer `has_time`."""
        self._opened = opened
        limit = RunLimit(policy.limits.terminations_per_run)
        settings = opened.settings
        self._sweep = Sweep(
            policy,
            replace(opened.ports, has_time=has_time),
            limit,
            settings.actions_on,
            is_opt_in=settings.actions_opt_in,
        )

    def process(
        self,
        launches: Sequence[Launch],
        untaggings: Sequence[Untagging],
        due: Sequence[InstanceId],
        *,
        are_new: bool,
    ) -> Iterator[SweepResult]:
        """Handle launches, tags taken off since, and cases that were put off until now.

        `are_new` says that the launches are most likely heard of for the first time.
        """
        if launches and are_new:
            yield sweep_first_seen(self._sweep, launches, untaggings)
        elif launches:
            yield self._sweep.handle_launches(launches, untaggings)
        if untaggings:
            yield sweep_untagged(self._sweep, untaggings)
        if due:
            yield self._sweep.resume_cases(due)

    def audit(self, account: AccountId | None) -> Iterator[SweepResult]:
        """Audit one account; without one, resume overdue cases and queue an audit for every account."""
        # Here and not above: audits are few, and what they need beside is much.
        from landkeeper.broom.actions import ACT_SINCE
        from landkeeper.broom.audit import audit_account, audit_overdue
        from landkeeper.wiring.broom.audit import SettingsScope

        queue, scope = self._opened.ports.queue, SettingsScope(self._opened.settings, self._opened.sessions)
        accounts = (account,) if account is not None else scope.find_accounts()
        if account is None:
            yield audit_overdue(self._sweep)
            if isinstance(queue, SqsCaseQueue):
                failure = queue.order_audits(accounts)
                if failure is not None:
                    ordered = SweepResult()
                    ordered.fail(f"the account audits could not be queued: {failure}", try_again=True)
                    yield ordered
                return
        for audited in accounts:
            yield from (place.swept for place in audit_account(self._sweep, scope, audited, act_since=ACT_SINCE))
