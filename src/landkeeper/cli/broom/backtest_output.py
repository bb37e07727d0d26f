"""How `landkeeper broom backtest` answers: tables to read, JSON or CSV for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from landkeeper.broom.backtest.replay import Fate, HitWarning, PastFate
from landkeeper.broom.backtest.summary import By, Comparison, Tally, tally_by, total
from landkeeper.broom.launches import InstanceId
from landkeeper.cli.output import Column, Format, print_json, print_rows, print_table
from landkeeper.cli.tables import Heading, Line
from landkeeper.cli.terminal import one_line, say
from landkeeper.org import counted, format_exact_time

if TYPE_CHECKING:
    from landkeeper.wiring.broom.backtest import Past

_SHOWN_INSTANCES, _SHOWN_LINES, _SHOWN_DAYS = 20, 10, 31
_VERSION = 2
_ATTRIBUTES = (
    "InstanceId", "Fate", "AccountId", "Region", "LaunchedAt", "DecidedAt", "Principal", "PrincipalArn", "InstanceType",
    "ImageId", "Rule", "Because", "Tags", "Doubts", "BroomAction", "BroomActionAt", "Change", "EventId",
    "Source",
)  # fmt: skip
_COUNTS = (Fate.TERMINATED, Fate.HELD, Fate.STOPPED, Fate.NOTIFIED)
_STYLES = {Fate.TERMINATED: "red", Fate.HELD: "yellow", Fate.STOPPED: "magenta"}


@dataclass(frozen=True, slots=True)
class Answer:
    """Everything that a backtest found out."""

    fates: tuple[PastFate, ...]
    past: Past
    policy: str
    since: datetime | None
    until: datetime | None
    read_at: datetime
    grace: timedelta | None = None
    """The grace that was tried in place of the rules' own."""
    unknown_limits: tuple[str, ...] = ()
    against: str = ""
    comparison: Comparison | None = None
    other_fates: tuple[PastFate, ...] = ()
    """What the other policy would have done."""

    @property
    def own_actions(self) -> list[PastFate]:
        """The instances that Broom itself stopped or terminated at the time, oldest launch first."""
        return [fate for fate in self.fates if fate.own_action is not None]

    @property
    def hits(self) -> list[PastFate]:
        """The instances that the policy would have hit, oldest launch first."""
        return [fate for fate in self.fates if fate.is_hit]


def print_answer(answer: Answer, format_: Format) -> None:
    """Print it."""
    if format_ == "json":
        print_json(_as_json(answer))
    elif format_ == "csv":
        columns = [Column(name, name) for name in _ATTRIBUTES if name != "Change" or answer.comparison is not None]
        print_rows(list(_csv_rows(answer)), columns, "csv")
    else:
        _print_tables(answer)


def _print_tables(answer: Answer) -> None:
    if answer.comparison is not None:
        _print_comparison(answer, answer.comparison)
    elif answer.hits:
        _print_instances("Instances the policy would have acted on", answer.hits)
    titles = {By.DAY: "Day", By.RULE: "Rule", By.ACCOUNT: "Account", By.REGION: "Region", By.PRINCIPAL: "Hit most"}
    for by, title in titles.items():
        _print_tallies(title, tally_by(by, answer.fates), by)
    for line in _closing(answer):
        say(line)


def _print_instances(title: str, fates: Sequence[PastFate], notes: Mapping[InstanceId, str] | None = None) -> None:
    headings = (Heading("Instance, time", style="cyan"), Heading("Principal, account"), Heading("Result, reason"))
    lines = [_instance_line(fate, notes or {}) for fate in fates[:_SHOWN_INSTANCES]]
    print_table(headings, lines, f"{title} ({len(fates):,})")
    if len(fates) > _SHOWN_INSTANCES:
        say(f"and {len(fates) - _SHOWN_INSTANCES:,} more: use --format csv or json for all")


def _instance_line(fate: PastFate, notes: Mapping[InstanceId, str]) -> Line:
    case = fate.past.case
    what = (case.instance_id, f"{case.event_time:%Y-%m-%d %H:%M} {case.instance_type}")
    who = (case.principal.name, f"{case.account} {case.region}")
    warnings = (f"in doubt: {warning}" for warning in fate.warnings)
    own = (_own_action(fate),) if fate.own_action is not None else ()
    why = (notes.get(case.instance_id, str(fate.fate)), fate.because, *own, *warnings)
    texts = ["\n".join(map(one_line, cell)) for cell in (what, who, why)]
    return Line(texts, _STYLES.get(fate.fate, ""))


def _own_action(fate: PastFate) -> str:
    own = fate.own_action
    return f"Broom {own.end} it at {own.event_time:%Y-%m-%d %H:%M:%S}" if own is not None else ""


def _print_comparison(answer: Answer, comparison: Comparison) -> None:
    against = f"{answer.policy}, compared with {answer.against}"
    if comparison.newly_hit:
        _print_instances(f"Newly hit by {against}", comparison.newly_hit)
    if comparison.newly_spared:
        was = {fate.past.case.instance_id: f"was {fate.fate}" for fate in comparison.newly_spared}
        _print_instances(f"Newly spared by {against}", comparison.newly_spared, was)
    if comparison.changed:
        was = {now.past.case.instance_id: f"{now.fate}, was {before.fate}" for now, before in comparison.changed}
        _print_instances(f"Hit with another action by {against}", [now for now, _ in comparison.changed], was)


def _print_tallies(title: str, tallies: Sequence[Tally], by: By) -> None:
    hit = [tally for tally in tallies if tally.hit]
    if not hit:
        return
    most = _SHOWN_DAYS if by is By.DAY else _SHOWN_LINES
    shown = hit[-most:] if by is By.DAY else hit[:most]
    used = [fate for fate in _COUNTS if any(tally.fates[fate] for tally in hit)]
    heads = ("Broken" if by is By.RULE else "Launched", "Hit", *(str(fate).capitalize() for fate in used))
    account = [Heading("Account")] if by is By.PRINCIPAL else []
    headings = [Heading(title), *account, *(Heading(head, right=True) for head in heads)]
    print_table(headings, [Line(_tally_cells(tally, by, used)) for tally in shown])
    if len(hit) > len(shown):
        say(f"and {len(hit) - len(shown):,} more with hits: use --format json for all")


def _tally_cells(tally: Tally, by: By, used: Sequence[Fate]) -> list[str]:
    account = [tally.account] if by is By.PRINCIPAL else []
    numbers = (tally.instances, tally.hit, *(tally.fates[fate] for fate in used))
    return [*map(one_line, (tally.name, *account)), *(f"{number:,}" if number else "" for number in numbers)]


def _closing(answer: Answer) -> Iterator[str]:
    """The last lines: what was read, what it comes to, and what it does not tell."""
    past, whole = answer.past, total(answer.fates)
    progress = past.progress
    notes = [f"{past.kept:,} from the cache"] if past.kept else []
    notes += [f"{counted(len(past.copies), 'copy', 'copies')} ignored"] if past.copies else []
    notes += [f"{len(past.skipped):,} other files skipped"] if past.skipped else []
    notes += [f"{past.pruned.total():,} outside the period"] if past.pruned else []
    notes += [f"{counted(len(past.faults), 'fault')}"] if past.faults else []
    beside = f" ({', '.join(notes)})" if notes else ""
    events = counted(progress.events, "event")
    yield f"{counted(progress.files_done, 'file')}{beside}, {progress.bytes_done:,} bytes, {events}"
    if past.is_partial:
        yield f"Partial result: interrupted, {past.unread:,} files not read."
    if not past.chronicle.launches:
        yield "No launches found."
        return
    repeats = f", {counted(past.chronicle.repeats, 'duplicate record')} ignored" if past.chronicle.repeats else ""
    yield f"{counted(past.chronicle.launches, 'launch', 'launches')}{repeats}; {_words(whole)}"
    if answer.comparison is not None:
        found = answer.comparison
        yield (
            f"Compared with {answer.against}: {len(found.newly_hit):,} newly hit, {len(found.newly_spared):,} "
            "newly spared, "
            f"{len(found.changed):,} hit with another action"
        )
    yield from _own(answer)
    yield from _unknown(answer)


def _own(answer: Answer) -> Iterator[str]:
    """What Broom itself did at the time, and how the policy judges it."""
    if not answer.own_actions:
        return
    hit = sum(fate.is_hit for fate in answer.own_actions)
    ends = Counter(str(fate.own_action.end) for fate in answer.own_actions if fate.own_action is not None)
    did = ", ".join(f"{number:,} {end}" for end, number in sorted(ends.items()))
    spared = len(answer.own_actions) - hit
    yield (
        f"Broom itself acted on {counted(len(answer.own_actions), 'instance')} ({did}): "
        f"this policy hits {hit:,} and spares {spared:,} of them."
    )


def _words(whole: Tally) -> str:
    counts = {fate: whole.fates[fate] for fate in Fate}
    kinds = ", ".join(f"{counts[fate]:,} {fate}" for fate in _COUNTS if counts[fate])
    hit = f"{whole.hit:,} hit ({kinds})" if whole.hit else "none hit"
    gone = f", {counts[Fate.GONE]:,} already gone" if counts[Fate.GONE] else ""
    exempt = f", {counts[Fate.EXEMPT]:,} exempt" if counts[Fate.EXEMPT] else ""
    return f"of {counted(whole.instances, 'instance')} {hit}{gone}, {counts[Fate.COMPLIANT]:,} compliant{exempt}"


def _unknown(answer: Answer) -> Iterator[str]:
    """What the log does not tell and may change the answer."""
    if answer.past.chronicle.unnamed:
        silent = counted(len(answer.past.chronicle.unnamed), "launch", "launches")
        yield f"Not evaluated: {silent} whose instances CloudTrail omitted because of their number."
    if answer.unknown_limits:
        yield f"Not applied: {', '.join(answer.unknown_limits)}; they cannot be computed from logs."
    for warning in HitWarning:
        number = _count_warned(answer, warning)
        if number:
            of = "instances already gone" if warning is HitWarning.INTERRUPTED else "hits"
            yield f"In doubt: {number:,} of the {of}: {warning}."


def _count_warned(answer: Answer, warning: HitWarning) -> int:
    return sum(warning in fate.warnings for fate in answer.fates)


def _as_json(answer: Answer) -> dict[str, Any]:
    """The shape is documented in docs/backtest.md; whoever takes a key away, or changes what it means, counts it up."""
    past = answer.past
    found: dict[str, Any] = {
        "kind": "landkeeper-backtest", "Version": _VERSION,
        "policy": answer.policy,
        "grace": answer.grace and int(answer.grace.total_seconds()),
        "since": answer.since and format_exact_time(answer.since),
        "until": answer.until and format_exact_time(answer.until),
        "read_at": format_exact_time(answer.read_at.replace(microsecond=0)),
        "partial": past.is_partial,
        "totals": _totals(answer),
        "by": {str(by): [_tally(tally, by) for tally in tally_by(by, answer.fates)] for by in By},
        "instances": [_row(fate) for fate in answer.hits],
        "broom_actions": [_row(fate) for fate in answer.own_actions],
        "doubts": [
            {"Doubt": str(warning), "Instances": count}
            for warning in HitWarning
            if (count := _count_warned(answer, warning))
        ],
        "not_applied": list(answer.unknown_limits),
        "not_judged": [{"EventId": launch.event_id, "Source": source} for source, launch in past.chronicle.unnamed],
        "skipped": [{"File": file.name, "Reason": file.reason} for file in past.skipped],
        "left_out": dict(past.pruned),
        "copies": [{"File": name, "Of": first} for name, first in past.copies],
        "unreadable": [{"File": fault.source, "Record": fault.where, "Reason": fault.reason} for fault in past.faults],
    }  # fmt: skip
    if answer.comparison is not None:
        found["comparison"] = _comparison(answer, answer.comparison)
    return found


def _totals(answer: Answer) -> dict[str, int]:
    past, progress = answer.past, answer.past.progress
    return {
        "launches": past.chronicle.launches,
        "repeats": past.chronicle.repeats,
        "unnamed": len(past.chronicle.unnamed),
        **_fates(total(answer.fates)),
        "broom_actions": len(answer.own_actions),
        "files": progress.files_done,
        "files_kept": past.kept,
        "files_unread": past.unread,
        "bytes": progress.bytes_done,
        "events": progress.events,
    }


def _comparison(answer: Answer, compared: Comparison) -> dict[str, Any]:
    return {
        "against": answer.against,
        "totals": _fates(total(answer.other_fates)),
        "newly_hit": [_row(fate) for fate in compared.newly_hit],
        "newly_spared": [_row(fate) for fate in compared.newly_spared],
        "changed": [{**_row(now), "Was": str(before.fate)} for now, before in compared.changed],
    }


def _fates(whole: Tally) -> dict[str, int]:
    others = {str(fate): whole.fates[fate] for fate in (Fate.GONE, Fate.COMPLIANT, Fate.EXEMPT)}
    return {**{name.lower(): number for name, number in _counts(whole).items()}, **others}


def _counts(tally: Tally) -> dict[str, int]:
    fates = {str(fate).capitalize(): tally.fates[fate] for fate in _COUNTS}
    return {"Instances": tally.instances, "Hit": tally.hit, **fates}


def _tally(tally: Tally, by: By) -> dict[str, Any]:
    account = {"AccountId": tally.account} if by is By.PRINCIPAL else {}
    return {str(by).capitalize(): tally.name, **account, **_counts(tally)}


def _csv_rows(answer: Answer) -> Iterator[dict[str, Any]]:
    """A row for each instance that is hit, and with another policy for each that it would have hit."""
    compared = answer.comparison
    changes: dict[str, str] = {}
    if compared is not None:
        changes |= {fate.past.case.instance_id: "newly hit" for fate in compared.newly_hit}
        changes |= {now.past.case.instance_id: f"was {before.fate}" for now, before in compared.changed}
    for fate in answer.hits:
        yield {**_row(fate), "Change": changes.get(fate.past.case.instance_id, "")}
    for fate in compared.newly_spared if compared is not None else ():
        yield {**_row(fate), "Change": "newly spared"}


def _row(fate: PastFate) -> dict[str, Any]:
    case, own = fate.past.case, fate.own_action
    return {
        "InstanceId": case.instance_id,
        "Fate": str(fate.fate),
        "AccountId": case.account,
        "Region": case.region,
        "LaunchedAt": format_exact_time(case.event_time),
        "DecidedAt": format_exact_time(fate.at),
        "Principal": case.principal.name,
        "PrincipalArn": case.principal.arn,
        "InstanceType": case.instance_type,
        "ImageId": case.image_id,
        "Rule": fate.rule,
        "Because": fate.because,
        "Tags": dict(fate.tags),
        "Doubts": [str(warning) for warning in fate.warnings],
        "BroomAction": str(own.end) if own is not None else "",
        "BroomActionAt": format_exact_time(own.event_time) if own is not None else "",
        "EventId": case.event_ids[0],
        "Source": fate.past.source,
    }
