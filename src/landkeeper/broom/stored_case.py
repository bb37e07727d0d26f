"""A case as the attributes that the ledger's stores keep, and back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from landkeeper.broom.case import Case, Outcome, State, Step
from landkeeper.broom.launches import InstanceId
from landkeeper.broom.policy.rules import Penalty
from landkeeper.org import AccountId, LandkeeperError, Principal, Region, UsageError, format_exact_time

Record = dict[str, Any]


class LedgerError(LandkeeperError):
    """The ledger cannot be read or written, or holds something that no version of Landkeeper wrote."""


class WrongLedgerError(LedgerError, UsageError):
    """The ledger that was named does not exist, or is not one of ours."""


def case_to_record(case: Case) -> Record:
    """Return the attributes to store: text, numbers, lists and maps. What is not known is left out."""
    principal = case.principal
    record: Record = {
        "InstanceId": case.instance_id,
        "AccountId": case.account,
        "Region": case.region,
        "State": str(case.state),
        "Version": case.version,
        "EventIds": list(case.event_ids),
        "EventTime": format_exact_time(case.event_time),
        "Principal": {
            "Type": principal.kind,
            "Name": principal.name,
            "Arn": principal.arn,
            "AccountId": principal.account_id,
            "InvokedBy": principal.invoked_by,
            "IssuerArn": principal.issuer_arn,
        },
        "ImageId": case.image_id,
        "InstanceType": case.instance_type,
        "LoggedTags": dict(case.logged_tags),
        "LiveTags": None if case.live_tags is None else dict(case.live_tags),
        "Rule": case.rule or None,
        "How": case.how or None,
        "Action": case.action and str(case.action),
        "Outcome": case.outcome and str(case.outcome),
        "Error": case.error or None,
        "Attempts": case.attempts,
        "OpenedAt": format_exact_time(case.opened_at),
        "ChangedAt": format_exact_time(case.changed_at),
        "FirstFaultAt": _write_time(case.first_fault_at),
        # Every case has it: the ledger's index by state and due time holds those items alone that have both.
        "DueAt": format_exact_time(case.next_at),
        "LeaseUntil": _write_time(case.lease_until),
        "ActedAt": _write_time(case.acted_at),
        "ReportedAt": _write_time(case.reported_at),
        "Successor": case.successor or None,
        "ReleasedBy": case.released_by or None,
        "NotifyOnly": case.notify_only or None,
        "ReopenedAt": _write_time(case.reopened_at),
        "ReopenedBecause": case.reopened_because or None,
        "PolicyDigest": case.policy or None,
        "Story": [
            {"At": format_exact_time(step.at), "State": str(step.state), "Because": step.because} for step in case.story
        ],
    }
    return {name: value for name, value in record.items() if value is not None}


def parse_case(record: Mapping[str, Any]) -> Case:
    """Return the stored case. Raise LedgerError, naming the instance, if the record is not a case."""
    try:
        return _parse(record)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        name = record.get("InstanceId", "an item without InstanceId")
        raise LedgerError(f"the ledger's case of {name} cannot be read ({type(error).__name__}: {error})") from error


def _parse(record: Mapping[str, Any]) -> Case:
    who = record["Principal"]
    action, outcome = record.get("Action"), record.get("Outcome")
    return Case(
        instance_id=InstanceId(record["InstanceId"]),
        account=AccountId(record["AccountId"]),
        region=Region(record["Region"]),
        event_ids=tuple(record["EventIds"]),
        event_time=datetime.fromisoformat(record["EventTime"]),
        principal=Principal(who["Type"], who["Name"], who["Arn"], who["AccountId"], who["InvokedBy"], who["IssuerArn"]),
        image_id=record["ImageId"],
        instance_type=record["InstanceType"],
        logged_tags=dict(record["LoggedTags"]),
        opened_at=datetime.fromisoformat(record["OpenedAt"]),
        changed_at=datetime.fromisoformat(record["ChangedAt"]),
        state=State(record["State"]),
        version=int(record["Version"]),
        live_tags=record.get("LiveTags"),
        rule=record.get("Rule", ""),
        how=record.get("How", ""),
        action=Penalty(action) if action else None,
        outcome=Outcome(outcome) if outcome else None,
        error=record.get("Error", ""),
        attempts=int(record["Attempts"]),
        first_fault_at=_read_time(record, "FirstFaultAt"),
        due_at=_read_time(record, "DueAt") if record["State"] == State.WAITING else None,
        lease_until=_read_time(record, "LeaseUntil"),
        acted_at=_read_time(record, "ActedAt"),
        reported_at=_read_time(record, "ReportedAt"),
        successor=record.get("Successor", ""),
        released_by=record.get("ReleasedBy", ""),
        notify_only=record.get("NotifyOnly", ""),
        reopened_at=_read_time(record, "ReopenedAt"),
        reopened_because=record.get("ReopenedBecause", ""),
        policy=record.get("PolicyDigest", ""),
        story=tuple(
            Step(datetime.fromisoformat(step["At"]), State(step["State"]), step["Because"])
            for step in record.get("Story", ())
        ),
    )


def _write_time(moment: datetime | None) -> str | None:
    return format_exact_time(moment) if moment is not None else None


def _read_time(record: Mapping[str, Any], name: str) -> datetime | None:
    text = record.get(name)
    return datetime.fromisoformat(text) if text is not None else None
