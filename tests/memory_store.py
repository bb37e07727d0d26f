"""The tracker's store in memory: for tests of what uses a store, held to the same contract as the real ones."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from landkeeper.org import AccountId
from landkeeper.vpctracker.attributes import Attributes, after_entries_at, history_of, vpc_to_attributes
from landkeeper.vpctracker.coverage import Coverage
from landkeeper.vpctracker.differences import Change
from landkeeper.vpctracker.inventory import StoredVpc, VpcKey
from landkeeper.vpctracker.notices.news import Noticed
from landkeeper.vpctracker.schema import stamped


class MemoryStore:
    """A `VpcStore` that forgets everything when it goes."""

    def __init__(self) -> None:
        self.items: dict[VpcKey, StoredVpc] = {}
        self.history: list[Attributes] = []
        self.coverage: dict[AccountId, Coverage] = {}
        self.noticed = Noticed()
        self._lock = threading.Lock()

    def read_owned(self, account: AccountId) -> Sequence[StoredVpc]:
        with self._lock:
            return [one for key, one in self.items.items() if key.owner == account]

    def read_items(self, keys: Collection[VpcKey]) -> Sequence[StoredVpc]:
        with self._lock:
            return [self.items[key] for key in sorted(keys) if key in self.items]

    def read_all(self) -> Iterable[StoredVpc]:
        with self._lock:
            return sorted(self.items.values(), key=lambda one: (one.vpc.owner, one.vpc.id))

    def read_all_attributes(self) -> Iterable[Attributes]:
        return [stamped(vpc_to_attributes(one)) for one in self.read_all()]

    def write_changes(self, changes: Sequence[Change]) -> Sequence[Change]:
        with self._lock:
            return [change for change in changes if not self._write(change)]

    def _write(self, change: Change) -> bool:
        held = self.items.get(change.after.vpc.key)
        if (held.version if held else 0) != change.expected_version:
            return False
        self.items[change.after.vpc.key] = change.after
        self.history.append(history_of(change))
        return True

    def read_coverage(self, account: AccountId) -> Coverage:
        with self._lock:
            return self.coverage.get(account, Coverage(account))

    def write_coverage(self, coverage: Coverage) -> bool:
        with self._lock:
            held = self.coverage.get(coverage.account)
            if (held.version if held else 0) != coverage.version:
                return False
            self.coverage[coverage.account] = replace(coverage, version=coverage.version + 1)
            return True

    def read_all_coverage(self) -> Iterable[Coverage]:
        with self._lock:
            return [self.coverage[account] for account in sorted(self.coverage)]

    def read_history(self, vpc: str) -> Sequence[Attributes]:
        with self._lock:
            return sorted((entry for entry in self.history if entry["VpcId"] == vpc), key=lambda entry: entry["At"])

    def read_all_history(self, since: datetime | None = None) -> Iterable[Attributes]:
        with self._lock:
            after = "" if since is None else after_entries_at(since)
            return sorted(
                (entry for entry in self.history if entry["At"] > after),
                key=lambda entry: (entry["VpcId"], entry["At"]),
            )

    def read_noticed(self) -> Noticed:
        with self._lock:
            return self.noticed

    def write_noticed(self, noticed: Noticed) -> bool:
        with self._lock:
            if noticed.version != self.noticed.version + 1:
                return False
            self.noticed = noticed
            return True
