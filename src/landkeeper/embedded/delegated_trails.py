"""CloudTrail as a delegated administrator of an organization meets it; the simulators know no delegates.

What it holds, and how that is known:

- CreateTrail with IsOrganizationTrail makes the trail in the management account: the ARN in the answer is of that
  account (CloudTrail User Guide, "Organization delegated administrator"; cloudformation-coverage-roadmap, issue 1932).
- Every later call by the trail's *name* looks in the delegate's own account and answers TrailNotFoundException, with
  the ARN that it looked for; DescribeTrails leaves such a name out, as it has no such error. By the ARN all of them
  work (terraform-provider-aws, issues 28440 and 30387, pull request 30758; CloudTrail API Reference, "DescribeTrails").
- A second CreateTrail answers TrailAlreadyExistsException and names the management account as the customer
  (nozaq/terraform-aws-secure-baseline, issue 306).
- Without trusted access CreateTrail answers CloudTrailAccessNotEnabledException, and to an account that is no delegate
  NotOrganizationMasterAccountException (CloudTrail API Reference, "CreateTrail").
- A new trail does not log before StartLogging, and its event selector is that of all management events (CloudTrail API
  Reference, "CreateTrail", "GetEventSelectors").
- In every member account DescribeTrails lists the organization's trails, unless shadow trails are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

_HELD = ("S3BucketName", "IncludeGlobalServiceEvents", "IsMultiRegionTrail", "IsOrganizationTrail", "KmsKeyId")
_LIMIT = 5
"""Trails in a region (CloudTrail User Guide, "Quotas in AWS CloudTrail")."""


class _RefusalError(Exception):
    """An error of CloudTrail's, by its code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(slots=True)
class _Trail:
    description: dict[str, Any]
    selectors: list[dict[str, Any]]
    is_logging: bool = False


@dataclass(slots=True)
class DelegatedTrails:
    """CloudTrail in one region, asked with the credentials of the account `caller`."""

    management: str = "444455556666"
    caller: str = "111122223333"
    region: str = "us-east-1"
    partition: str = "aws"
    is_trusted: bool = True
    """Whether CloudTrail has trusted access to the organization."""
    is_delegate: bool = True
    """Whether the caller is registered as CloudTrail's delegated administrator."""
    trails: dict[str, _Trail] = field(default_factory=dict)
    """By their ARN."""
    calls: list[str] = field(default_factory=list)
    """The actions that were asked for, refused ones included."""

    def answer(self, action: str, parameters: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        """Return status and document of a call of the JSON protocol."""
        self.calls.append(action)
        try:
            return 200, self._actions()[action](parameters)
        except _RefusalError as refusal:
            return 400, {"__type": refusal.code, "message": str(refusal)}

    def _actions(self) -> dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]]:
        return {
            "CreateTrail": self._create,
            "UpdateTrail": self._update,
            "DeleteTrail": self._delete,
            "DescribeTrails": self._describe,
            "GetTrail": lambda given: {"Trail": self._named(given["Name"]).description},
            "GetTrailStatus": lambda given: {"IsLogging": self._named(given["Name"]).is_logging},
            "GetEventSelectors": lambda given: {"EventSelectors": self._named(given["TrailName"]).selectors},
            "PutEventSelectors": self._select,
            "StartLogging": lambda given: self._log(given, starts=True),
            "StopLogging": lambda given: self._log(given, starts=False),
        }

    def _create(self, given: Mapping[str, Any]) -> dict[str, Any]:
        owner = self._owner_of_new(is_organization=bool(given.get("IsOrganizationTrail")))
        arn = self._arn(given["Name"], owner)
        if arn in self.trails:
            raise _RefusalError(
                "TrailAlreadyExistsException", f"Trail {given['Name']} already exists for customer: {owner}"
            )
        if sum(found.split(":")[4] == owner for found in self.trails) >= _LIMIT:
            raise _RefusalError(
                "MaximumNumberOfTrailsExceededException", f"User: {owner} already has {_LIMIT} trails in {self.region}."
            )
        description = {
            "Name": given["Name"],
            "TrailARN": arn,
            "HomeRegion": self.region,
            "LogFileValidationEnabled": bool(given.get("EnableLogFileValidation")),
            **{name: given[name] for name in _HELD if name in given},
        }
        everything = {"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": []}
        self.trails[arn] = _Trail(description, [everything])
        return description

    def _owner_of_new(self, *, is_organization: bool) -> str:
        if not is_organization:
            return self.caller
        if not self.is_trusted:
            raise _RefusalError(
                "CloudTrailAccessNotEnabledException",
                "The request could not be processed because your organization has not enabled CloudTrail access.",
            )
        if not self.is_delegate and self.caller != self.management:
            raise _RefusalError(
                "NotOrganizationMasterAccountException",
                "The request could not be processed because only a management account or a delegated administrator can "
                "create an organization trail.",
            )
        return self.management

    def _update(self, given: Mapping[str, Any]) -> dict[str, Any]:
        description = self._named(given["Name"]).description
        description |= {name: given[name] for name in _HELD if name in given}
        if "EnableLogFileValidation" in given:
            description["LogFileValidationEnabled"] = given["EnableLogFileValidation"]
        if not description.get("KmsKeyId"):
            description.pop("KmsKeyId", None)
        return description

    def _delete(self, given: Mapping[str, Any]) -> dict[str, Any]:
        del self.trails[self._named(given["Name"]).description["TrailARN"]]
        return {}

    def _describe(self, given: Mapping[str, Any]) -> dict[str, Any]:
        asked = {self._arn_of(name) for name in given.get("trailNameList", ())}
        shadows = given.get("includeShadowTrails", True)
        found = (
            trail.description
            for arn, trail in self.trails.items()
            if (arn in asked if asked else shadows or arn.split(":")[4] == self.caller)
        )
        return {"trailList": list(found)}

    def _select(self, given: Mapping[str, Any]) -> dict[str, Any]:
        trail = self._named(given["TrailName"])
        trail.selectors = list(given["EventSelectors"])
        return {"TrailARN": trail.description["TrailARN"], "EventSelectors": trail.selectors}

    def _log(self, given: Mapping[str, Any], *, starts: bool) -> dict[str, Any]:
        self._named(given["Name"]).is_logging = starts
        return {}

    def _named(self, name: str) -> _Trail:
        arn = self._arn_of(name)
        if arn not in self.trails:
            raise _RefusalError("TrailNotFoundException", f"Unknown trail: {arn} for the user: {self.caller}")
        return self.trails[arn]

    def _arn_of(self, name: str) -> str:
        return name if name.startswith("arn:") else self._arn(name, self.caller)

    def _arn(self, name: str, owner: str) -> str:
        return f"arn:{self.partition}:cloudtrail:{self.region}:{owner}:trail/{name}"
