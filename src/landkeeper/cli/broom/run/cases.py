"""`landkeeper broom cases`, `case`, `release`: what the ledger knows, and letting go of what it holds."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from landkeeper.broom.case import State
from landkeeper.broom.dry_run import describe_action, planned_actions
from landkeeper.broom.launch_report import describe_outcome, escaped
from landkeeper.broom.launches import InstanceId
from landkeeper.broom.stored_case import case_to_record
from landkeeper.cli.broom.given_policy import find_policy
from landkeeper.cli.broom.output import print_reports, warn
from landkeeper.cli.confirmation import apply_plan
from landkeeper.cli.exit_codes import DONE, INCOMPLETE
from landkeeper.cli.output import Column, Format, chosen, print_json, print_record, print_rows
from landkeeper.cli.tags import tag_filters
from landkeeper.cli.terminal import say
from landkeeper.org import UsageError, counted, format_time
from landkeeper.settings import Settings, read_settings

if TYPE_CHECKING:
    from landkeeper.broom.case import Case
    from landkeeper.broom.policy.rules import Penalty, Policy
    from landkeeper.broom.ports import Ledger
    from landkeeper.broom.sweeping.result import InstanceResult
    from landkeeper.org import AccountId
    from landkeeper.wiring.broom.commands import CommandSweep

_COLUMNS = ("InstanceId", "State", "AccountId", "Region", "Principal", "Rule", "Outcome", "DueAt")
_USUAL = {"Rule": (None,), "Outcome": (None,), "DueAt": ("",)}
"""What says nothing, by the column that may then be left out."""
_RELEASED = ("InstanceId", "Verdict", "Action", "Outcome", "Because", "DryRun")


def _ledger_options(function: Callable[..., Any]) -> Callable[..., Any]:
    ledger = click.option("--ledger", metavar="NAME", help="The DynamoDB table of cases.")
    file = click.option(
        "--file", "file", type=click.Path(path_type=Path), help="A local SQLite file of cases instead of a table."
    )
    return ledger(file(function))


def run_cases(
    state: str | None,
    account: str | None,
    tags: tuple[str, ...],
    ledger: str | None,
    file: Path | None,
    format_: Format,
) -> int:
    """List Broom's cases by state, the next due first."""
    filters = tag_filters(tags)
    settings = _settings(ledger, file)
    # Loaded here and below, so that --help does not wait for boto3.
    from landkeeper.wiring.known_accounts import find_account_id, refuse_unknown_account
    from landkeeper.wiring.ledger import open_cases

    owner = find_account_id(settings, account) if account is not None else None
    with open_cases(settings) as opened:
        found = [
            case
            for listed in ([State(state)] if state else State)
            for case in opened.list_cases(listed)
            if owner in {None, case.account}
        ]
        has_case = owner is None or bool(found) or any(_has_case(opened, owner, listed) for listed in State)
    if owner is not None and not has_case:
        refuse_unknown_account(settings, owner)
    found = [case for case in found if all(fits(_tags(case)) for fits in filters)]
    if format_ == "json":
        print_json([case_to_record(case) for case in found])
    else:
        rows, columns = [_row(case) for case in found], [Column(name, name) for name in _COLUMNS]
        print_rows(rows, chosen(columns, rows, format_, usual=_USUAL), format_, totals=counted(len(rows), "case"))
    return DONE


def _tags(case: Case) -> Mapping[str, str]:
    """Return the tags that the instance had when it was last read; those of the log where it was not."""
    return case.logged_tags if case.live_tags is None else case.live_tags


def _has_case(cases: Ledger, owner: AccountId, state: State) -> bool:
    return any(case.account == owner for case in cases.list_cases(state))


def run_case(instance_id: str, ledger: str | None, file: Path | None, format_: Format) -> int:
    """Show the case of an instance, with its history."""
    from landkeeper.wiring.ledger import open_cases

    with open_cases(_settings(ledger, file)) as opened:
        case = opened.find_cases([InstanceId(instance_id)]).get(InstanceId(instance_id))
    if case is None:
        raise UsageError(f"no case for '{instance_id}' in the ledger")
    if format_ == "json":
        print_json(case_to_record(case))
    elif format_ == "csv":
        rows = [{"At": step.at, "State": step.state, "Because": step.because} for step in case.story]
        print_rows(rows, [Column(name, name) for name in ("At", "State", "Because")], "csv")
    else:
        _tell(case)
    return DONE


def run_release(
    instance_id: str,
    policy_file: str | None,
    role_name: str | None,
    external_id: str | None,
    ledger: str | None,
    file: Path | None,
    yes: bool,
    dry_run: bool,
    format_: Format,
) -> int:
    """Release a held or failed case. It is evaluated again, without limits."""
    settings = _settings(ledger, file).with_access(role_name=role_name, external_id=external_id)
    policy = find_policy(policy_file, settings)
    task = _Release(settings, policy, InstanceId(instance_id), format_)
    done = apply_plan(task, yes=yes, dry_run=dry_run, is_table=format_ == "table")
    return INCOMPLETE if done.swept.failures else DONE


@dataclass(frozen=True, slots=True)
class _Release:
    """The release of a case."""

    settings: Settings
    policy: Policy
    id_: InstanceId
    format_: Format

    def rehearse(self) -> CommandSweep:
        """Return what would become of the case."""
        return self._release(dry_run=True)

    def show(self, plan: CommandSweep) -> None:
        """Print what would become of the case."""
        self._print(plan, is_dry_run=True)

    def _print(self, done: CommandSweep, *, is_dry_run: bool) -> None:
        for failure in done.swept.failures:
            warn(failure)
        note = done.swept.notes[self.id_]
        if self.format_ != "table":
            print_record(_released(note, is_dry_run=is_dry_run), _RELEASED, self.format_)
            return
        say(f"{self.id_}: {describe_action(note.action, note.outcome or '')}, because {escaped(note.because)}")

    def has_effect(self, plan: CommandSweep) -> bool:
        """Return True: a case that is released is not held again."""
        return bool(plan.swept.notes)

    def act(self, plan: CommandSweep | None) -> CommandSweep:
        """Release the case, and act on it; after a plan only as it shows."""
        approved = planned_actions(plan.swept.notes.values()) if plan is not None else None
        done = self._release(dry_run=False, approved=approved)
        print_reports(done.reports)
        self._print(done, is_dry_run=False)
        return done

    def _release(self, *, dry_run: bool, approved: Mapping[InstanceId, Penalty] | None = None) -> CommandSweep:
        from landkeeper.wiring.broom.commands import release_case

        return release_case(self.settings, self.policy, self.id_, dry_run=dry_run, approved=approved)


def _released(result: InstanceResult, *, is_dry_run: bool) -> dict[str, Any]:
    values = (result.instance.id, result.verdict, result.action, result.outcome or "", result.because, is_dry_run)
    return dict(zip(_RELEASED, values, strict=True))


def _settings(ledger: str | None, file: Path | None) -> Settings:
    return read_settings(os.environ).with_ledger(ledger=ledger, file=file)


def _row(case: Case) -> dict[str, Any]:
    is_open = case.state in {State.WAITING, State.ACTING}
    due_at = format_time(case.next_at) if is_open else ""
    return {**case_to_record(case), "Principal": escaped(case.principal.name), "DueAt": due_at}


def _tell(case: Case) -> None:
    lines = [
        f"{case.instance_id} in {case.account} {case.region}: {case.state}",
        f"Launched by {case.principal.name} at {case.event_time:%Y-%m-%dT%H:%M:%SZ}",
        f"Image {case.image_id or '(unknown)'}, type {case.instance_type or '(unknown)'}",
        f"Events: {', '.join(case.event_ids)}",
    ]
    if case.rule:
        lines.append(f"Rule {case.rule}: {case.how}")
    if case.outcome is not None:
        lines.append(describe_outcome(case.outcome, case.error))
    if case.released_by:
        lines.append(f"Released by {case.released_by}")
    lines += [f"  {format_time(step.at)}  {step.state:<9}  {step.because}" for step in case.story]
    for line in lines:
        say(f"{line[: len(line) - len(line.lstrip())]}{escaped(line.lstrip())}")
