"""What Broom needs from outside."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from landkeeper.broom.case import Case, State
from landkeeper.broom.instance_state import FRESH, ActionResult, LiveInstance
from landkeeper.broom.launch_report import Report
from landkeeper.broom.launches import InstanceId, Tags
from landkeeper.broom.switch import ActionSwitch
from landkeeper.org import AccountId, Failure, Region

Place = tuple[AccountId, Region]


class InstanceReader(Protocol):
    """Sees instances in any account and region."""

    def read_instances(
        self, account: AccountId, region: Region, ids: Sequence[InstanceId]
    ) -> Mapping[InstanceId, LiveInstance] | Failure:
        """Return the instances that exist. An instance that is not in the answer is not in EC2."""

    def find_launched(
        self, account: AccountId, region: Region, client_token: str
    ) -> Mapping[InstanceId, LiveInstance] | Failure:
        """Return the instances that a launch with this client token created."""

    def list_running(self, account: AccountId, region: Region) -> Mapping[InstanceId, LiveInstance] | Failure:
        """Return all instances that are running or pending."""

    def read_group_tags(
        self, account: AccountId, region: Region, groups: Collection[str]
    ) -> Mapping[str, Tags] | Failure:
        """Return the tags that each Auto Scaling group puts on the instances it launches."""


class InstanceActions(Protocol):
    """Acts on instances in any account and region: the only way in which Broom destroys anything."""

    def terminate_instances(
        self, account: AccountId, region: Region, ids: Sequence[InstanceId], *, within: timedelta = FRESH
    ) -> Mapping[InstanceId, ActionResult]:
        """Terminate the instances in one call. Every id is in the answer.

        Later than `within` from now no request is sent: what is known of the instances is too old then.
        """

    def stop_instances(
        self, account: AccountId, region: Region, ids: Sequence[InstanceId], *, within: timedelta = FRESH
    ) -> Mapping[InstanceId, ActionResult]:
        """Stop the instances in one call, as `terminate_instances` terminates them. Every id is in the answer."""


class Ledger(Protocol):
    """Keeps the cases."""

    def find_cases(self, ids: Sequence[InstanceId]) -> Mapping[InstanceId, Case]:
        """Return the stored cases of these instances."""

    def list_cases(
        self, state: State, *, due_after: datetime | None = None, due_before: datetime | None = None
    ) -> Iterator[Case]:
        """Yield the cases in a state, the next due first; with times, only those that are due between them.

        A case that waits is due when it is to be looked at again, one in hand when its lease ends, any other since it
        came into its state.
        """

    def write_case(self, case: Case) -> bool:
        """Write a case and return True if its version follows the stored one; else write nothing and return False."""

    def take(self, counter: str, limit: int, expires_at: datetime) -> bool:
        """Add one to a counter and return True if it stays within `limit`; else add nothing and return False."""

    def read_switch(self) -> ActionSwitch:
        """Return the kill switch; one that was never turned is on. Raise LedgerError where it cannot be read."""

    def write_switch(self, switch: ActionSwitch) -> None:
        """Store the kill switch, whatever is stored now. Raise LedgerError where that fails."""


class Reports(Protocol):
    """Where reports go."""

    def check(self) -> Failure | None:
        """Return a Failure if reports would not arrive. Called before anything is stopped or terminated."""

    def publish_report(self, report: Report) -> Failure | None:
        """Send a report; return a Failure if it was not accepted."""


class UnitReader(Protocol):
    """Knows where accounts stand in the organization."""

    def find_units(self, account: AccountId) -> frozenset[str] | Failure:
        """The ids of the root and of every organizational unit that the account is in; a Failure within seconds where
        they cannot be had."""


class CaseQueue(Protocol):
    """Brings cases back later."""

    def send_due_cases(self, ids: Sequence[InstanceId], delay_seconds: int) -> Failure | None:
        """Bring these cases back after the delay or before it, never much later."""


class AuditScope(Protocol):
    """Knows what an audit looks at."""

    def find_accounts(self) -> Sequence[AccountId]:
        """Return the accounts to audit. Raise UsageError where they cannot be listed."""

    def find_places(self, account: AccountId) -> Sequence[Place] | Failure:
        """Return the regions of an account to audit, or why they are not known."""


def is_unhurried() -> bool:
    """Return that there is time, as there is for whoever is not ended from outside."""
    return True


@dataclass(frozen=True, slots=True)
class SweepPorts:
    """What a sweep reaches outside of this room."""

    reader: InstanceReader
    actions: InstanceActions
    ledger: Ledger
    reports: Reports
    queue: CaseQueue
    clock: Callable[[], datetime]
    units: UnitReader | None = None
    """None where nobody can be asked: every account counts as new then, if the policy has new units."""
    is_dry_run: bool = False
    """Whether all of it are stand-ins: what comes of a case is what would come of it."""
    has_time: Callable[[], bool] = is_unhurried
    """Whether there is time to begin another case, and to bring what has begun to its end."""
