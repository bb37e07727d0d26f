"""Where an account stands in the organization: the units above it, asked from the bottom up and kept for a while."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from landkeeper.aws.failures import CALL_ERRORS, STRANGE_ANSWERS, failure_of, strange_answer
from landkeeper.org import AccountId, Failure, FailureReason

if TYPE_CHECKING:
    from mypy_boto3_organizations import OrganizationsClient

KEPT_SECONDS = 900.0
"""How long it is believed where an account or a unit stands."""
_FAILURE_KEPT_SECONDS = 60.0
# Units nest five deep below the root (AWS Organizations User Guide, "Quotas").
_MOST_STEPS = 10


class AccountUnits:
    """Broom's `UnitReader` on AWS Organizations: one call for an account, and one for each unit not met before.

    It takes the credentials of the management account or of a delegated administrator.
    Source: AWS Organizations API Reference, "ListParents".
    """

    def __init__(
        self, client: Callable[[], OrganizationsClient], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`client` is asked for when it is needed, which for most policies is never. `clock` counts seconds."""
        self._client = client
        self._clock = clock
        self._parents: dict[str, tuple[float, str | Failure]] = {}

    def find_units(self, account: AccountId) -> frozenset[str] | Failure:
        """The ids of the root and of every unit above the account; a Failure where a call was not answered."""
        units: list[str] = []
        child: str = account
        while not child.startswith("r-"):
            parent = self._find_parent(child)
            if isinstance(parent, Failure):
                return parent
            units.append(parent)
            child = parent
            if len(units) > _MOST_STEPS:
                return Failure(FailureReason.OTHER, "NoRoot", f"{account} is under more units than there can be")
        return frozenset(units)

    def _find_parent(self, child: str) -> str | Failure:
        kept = self._parents.get(child)
        if kept is not None and self._clock() < kept[0]:
            return kept[1]
        parent = self._ask(child)
        lasts = _FAILURE_KEPT_SECONDS if isinstance(parent, Failure) else KEPT_SECONDS
        self._parents[child] = (self._clock() + lasts, parent)
        return parent

    def _ask(self, child: str) -> str | Failure:
        try:
            pages = self._client().get_paginator("list_parents").paginate(ChildId=child)
            # A child has one parent; a page may be empty and still not be the last.
            parent = next((raw["Id"] for page in pages for raw in page["Parents"]), None)
        except CALL_ERRORS as error:
            return failure_of(error)
        except STRANGE_ANSWERS as error:
            return strange_answer("Organizations", error)
        return parent or Failure(FailureReason.NOT_FOUND, "NoParent", f"Organizations knows no parent of {child}")
