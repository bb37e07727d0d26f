"""What Broom needs from outside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from landkeeper.broom.launches import InstanceId
from landkeeper.broom.ledger import Case
from landkeeper.broom.live import ActionResult, LiveInstance
from landkeeper.broom.notices import Report
from landkeeper.org import AccountId, Failure, Region


class InstanceReader(Protocol):
    """Sees instances in any account and region."""

    def read_instances(
        self, account: AccountId, region: Region, ids: Sequence[InstanceId]
    ) -> Mapping[InstanceId, LiveInstance] | Failure:
        """Those of the instances that there are. One that is not in the answer is not in EC2."""


class InstanceActions(Protocol):
    """Acts on instances in any account and region: the only way in which Broom destroys anything."""

    def terminate_instances(
        self, account: AccountId, region: Region, ids: Sequence[InstanceId]
    ) -> Mapping[InstanceId, ActionResult]:
        """End the instances. Every id is in the answer."""

    def stop_instances(
        self, account: AccountId, region: Region, ids: Sequence[InstanceId]
    ) -> Mapping[InstanceId, ActionResult]:
        """Stop the instances. Every id is in the answer."""


class Ledger(Protocol):
    """Keeps the cases."""

    def find_cases(self, ids: Sequence[InstanceId]) -> Mapping[InstanceId, Case]:
        """The cases there are of these instances."""

    def write_case(self, case: Case) -> bool:
        """Write a case whose version is one above the stored one. False, and nothing written, where it is not."""

    def take(self, counter: str, limit: int, expires_at: datetime) -> bool:
        """Add one to a counter that may not go above `limit`. False, and nothing added, where it would."""


class Reports(Protocol):
    """Where reports go."""

    def publish_report(self, report: Report) -> Failure | None:
        """Hand over a report; a Failure where it was not accepted."""


class CaseQueue(Protocol):
    """Brings cases back later."""

    def send_due_cases(self, ids: Sequence[InstanceId], delay_seconds: int) -> Failure | None:
        """See to it that these cases turn up again after the delay, 0 to 900 seconds."""
