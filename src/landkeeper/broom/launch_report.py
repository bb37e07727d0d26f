"""The report of a launch: the text that a person reads, and the same as JSON for programs.

Names and tags are written by whoever made the launch. Control characters and line breaks in them are escaped, so that
they cannot forge a line of the report.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from landkeeper.broom.case import Case, Outcome
from landkeeper.org import counted, format_time

# SNS takes 256 KB, attributes included (Amazon SNS API Reference, "Publish").
_MOST_TEXT_BYTES = 110_000
_MOST_JSON_BYTES = 110_000
_LONGEST_FIELD = 1_000
_LONGEST_SUBJECT = 99


_SENTENCES = {
    Outcome.DESTROYED: "This instance has been destroyed.",
    Outcome.STOPPED: "This instance has been stopped.",
    Outcome.NOTIFIED: "This instance has not been touched: this is a notice only.",
    Outcome.ALREADY_GONE: "This instance was already gone.",
    Outcome.HELD: "This instance has not been touched: it is held back ({error}).",
    Outcome.PROTECTED: "This instance is still there: it is protected ({error}).",
    Outcome.REFUSED: "This instance is still there: {error}.",
    Outcome.UNKNOWN: "This instance may have been changed: what became of it could not be read ({error}).",
    Outcome.ACTIONS_OFF: "This instance has not been touched: {error}.",
    Outcome.WOULD_TERMINATE: "This instance would be terminated.",
    Outcome.WOULD_STOP: "This instance would be stopped.",
    Outcome.WOULD_REPORT: "This instance would not be touched: this would be a notice only.",
    Outcome.WOULD_HOLD: "This instance would not be touched: it would be held back ({error}).",
}
_ENDED = frozenset({Outcome.DESTROYED, Outcome.STOPPED, Outcome.WOULD_TERMINATE, Outcome.WOULD_STOP})


@dataclass(frozen=True, slots=True)
class Report:
    """A message for one launch."""

    subject: str
    text: str
    json: str
    """The value of the message attribute `landkeeper`."""


def write_report(cases: Sequence[Case]) -> Report:
    """Return the report of the instances of a launch that broke a rule: at least one case, each with an outcome."""
    return Report(_subject(cases), _text(cases), _json(cases))


def describe_outcome(outcome: Outcome, error: str) -> str:
    """Return the sentence that says what happened to an instance that broke a rule."""
    if outcome is Outcome.ACTIONS_OFF:
        error = error or "actions are turned off"
    return _SENTENCES[outcome].format(error=error)


def escaped(text: str) -> str:
    """Return the text on one line, with every unprintable character written as in source code."""
    shown = "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)
    return shown if len(shown) <= _LONGEST_FIELD else f"{shown[:_LONGEST_FIELD]}…"


def _text(cases: Sequence[Case]) -> str:
    blocks: list[str] = []
    size = 0
    for case in cases:
        block = _block(case)
        size += len(block.encode()) + 2
        if size > _MOST_TEXT_BYTES:
            more = counted(
                len(cases) - len(blocks), "more instance of this launch is", "more instances of this launch are"
            )
            blocks.append(f"{more} in the ledger.\n")
            break
        blocks.append(block)
    return "\n".join(blocks)


def _block(case: Case) -> str:
    outcome = describe_outcome(_outcome(case), case.error)
    lines = (
        f"User {case.principal.name} created an instance on region {case.region} without proper tagging.",
        f"Instance id: {case.instance_id}",
        f"Image Id: {case.image_id}",
        f"Instance type: {case.instance_type}",
        *((outcome, case.successor) if _has_successor(case) else (outcome,)),
        f"Account: {case.account}",
        f"Rule: {case.rule} ({case.how})",
        f"Time: {format_time(case.event_time)}",
        f"Event id: {case.event_ids[0]}",
    )
    return "".join(f"{escaped(line)}\n" for line in lines)


def _has_successor(case: Case) -> bool:
    return bool(case.successor) and case.outcome in _ENDED


def _json(cases: Sequence[Case]) -> str:
    first = cases[0]
    head = {
        "EventId": first.event_ids[0],
        "EventTime": format_time(first.event_time),
        "Principal": escaped(first.principal.name),
        "PrincipalArn": escaped(first.principal.arn),
        "AccountId": first.account,
        "Region": first.region,
    }
    instances: list[dict[str, Any]] = []
    size = 0
    for case in cases:
        instance = _instance(case)
        size += len(json.dumps(instance)) + 2
        if size > _MOST_JSON_BYTES:
            break
        instances.append(instance)
    return json.dumps({**head, "Instances": instances, "Omitted": len(cases) - len(instances)})


def _instance(case: Case) -> dict[str, Any]:
    return {
        "InstanceId": case.instance_id,
        "ImageId": case.image_id,
        "InstanceType": case.instance_type,
        "Rule": escaped(case.rule),
        "How": escaped(case.how),
        "Action": str(case.action or ""),
        "Outcome": str(_outcome(case)),
        "Error": escaped(case.error),
        "Successor": escaped(case.successor) if _has_successor(case) else "",
    }


def _subject(cases: Sequence[Case]) -> str:
    first = cases[0]
    where = f"{first.account} {first.region}"
    if len(cases) == 1:
        subject = f"Landkeeper: {first.instance_id} {_outcome(first)} in {where}"
    else:
        subject = f"Landkeeper: {len(cases)} instances without proper tagging in {where}"
    plain = "".join(char if char.isascii() and char.isprintable() else "?" for char in subject)
    return plain[:_LONGEST_SUBJECT]


def _outcome(case: Case) -> Outcome:
    # Only cases with an outcome are reported; this default is the mildest thing to say.
    return case.outcome or Outcome.NOTIFIED
