"""What Broom's function does about launches, cases that are due, and audits."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from landkeeper.aws.broom.case_queue import SqsCaseQueue
from landkeeper.aws.sessions import AccountSessions
from landkeeper.broom.dry_run import CollectedReports
from landkeeper.broom.launches import InstanceId, Launch, Untagging
from landkeeper.broom.limits import RunLimit
from landkeeper.broom.new_launches import sweep_first_seen
from landkeeper.broom.policy.file import parse_policy
from landkeeper.broom.policy.rules import Policy
from landkeeper.broom.removed_tags import sweep_untagged
from landkeeper.broom.sweep import sweep_due_cases, sweep_launches
from landkeeper.broom.sweep_result import SweepResult
from landkeeper.org import AccountId
from landkeeper.settings import Settings
from landkeeper.wiring.broom.commands import OpenedBroom, open_outside
from landkeeper.wiring.ledger import open_table
from landkeeper.wiring.texts import read_text

POLICY_KEPT_SECONDS = 60.0
"""How long a warm function goes by the policy that it has read: reading it costs more than judging by it."""


class LaunchProcessor:
    """What deals with launches; made once for as long as the function stays warm."""

    def __init__(self, settings: Settings, sessions: AccountSessions, ledger_table: str, policy: str) -> None:
        """`policy` says where the policy is."""
        ledger, printed = open_table(sessions, ledger_table, settings), CollectedReports()
        self.opened = OpenedBroom(settings, sessions, open_outside(settings, sessions, ledger, printed), printed)
        self._where = policy
        self._policy: tuple[float, Policy] | None = None

    def begin_run(self) -> LaunchProcessorRun:
        """One invocation's dealings. Raises UsageError or PolicyError where the policy cannot be had."""
        return LaunchProcessorRun(self.opened, self._load_policy())

    def _load_policy(self) -> Policy:
        if self._policy is None or time.monotonic() - self._policy[0] > POLICY_KEPT_SECONDS:
            text = read_text(self._where, lambda: self.opened.sessions, what="policy")
            self._policy = time.monotonic(), parse_policy(text, self._where)
        return self._policy[1]


class LaunchProcessorRun:
    """What one invocation does, by one policy and within one limit."""

    def __init__(self, opened: OpenedBroom, policy: Policy) -> None:
        """`policy` holds for all that the invocation does."""
        self._opened = opened
        self._policy = policy
        self._limit = RunLimit(policy.limits.terminations_per_run)
        self._actions_on = opened.settings.actions_on

    def process(
        self,
        launches: Sequence[Launch],
        untaggings: Sequence[Untagging],
        due: Sequence[InstanceId],
        *,
        are_new: bool,
    ) -> Iterator[SweepResult]:
        """Deal with launches, with tags taken off since, and with cases that were put off until now.

        `are_new` says that the launches are most likely heard of for the first time.
        """
        outside, limit, actions_on = self._opened.outside, self._limit, self._actions_on
        if launches:
            sweep = sweep_first_seen if are_new else sweep_launches
            yield sweep(self._policy, launches, outside, actions_on=actions_on, run_limit=limit, untaggings=untaggings)
        if untaggings:
            yield sweep_untagged(self._policy, untaggings, outside, actions_on=actions_on, run_limit=limit)
        if due:
            yield sweep_due_cases(self._policy, due, outside, actions_on=actions_on, run_limit=limit)

    def audit(self, account: AccountId | None) -> Iterator[SweepResult]:
        """Audit one account; or take up what is overdue, and have every account audited by a message of its own."""
        # Here and not above: audits are few, and what they need beside is much.
        from landkeeper.broom.audit import audit_overdue
        from landkeeper.wiring.broom.audit import audit_account, find_accounts

        opened, limit = self._opened, self._limit
        accounts = (account,) if account is not None else find_accounts(opened.settings, opened.sessions)
        if account is None:
            yield audit_overdue(self._policy, opened.outside, actions_on=self._actions_on, run_limit=limit)
            if isinstance(opened.outside.queue, SqsCaseQueue):
                failure = opened.outside.queue.order_audits(accounts)
                if failure is not None:
                    ordered = SweepResult()
                    ordered.fail(f"the account audits could not be queued: {failure}", try_again=True)
                    yield ordered
                return
        for one in accounts:
            yield from (each.swept for each in audit_account(self._policy, one, opened, limit))
