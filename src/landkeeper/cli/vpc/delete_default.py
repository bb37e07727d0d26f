"""`vpc delete-default`: delete the default VPCs that nothing uses, and tell how to get one back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from landkeeper.cli.confirmation import agrees, has_terminal, plan_options
from landkeeper.cli.exit_codes import DONE, INCOMPLETE
from landkeeper.cli.failures import details_option, print_failures, print_hint, print_unusable
from landkeeper.cli.options import account_options, format_option, regions_option, role_options
from landkeeper.cli.output import Format
from landkeeper.cli.terminal import aside, say
from landkeeper.cli.vpc.options import config_option, store_options
from landkeeper.cli.vpc.query import settings_of
from landkeeper.cli.vpc.unread import left_out_remarks
from landkeeper.org import UsageError, counted

if TYPE_CHECKING:
    from landkeeper.cli.vpc.default_vpcs_output import Told
    from landkeeper.settings import Settings
    from landkeeper.vpctracker.default_vpcs.plan import Plan
    from landkeeper.vpctracker.default_vpcs.removal import Removal, Survey
    from landkeeper.wiring.vpctracker.commands import Source

_STEPS_OF_AT_MOST = 3
"""Of so many plans each step is printed in a table; JSON always has them."""


@click.command(name="delete-default")
@account_options("Select")
@role_options("landkeeper-network")
@regions_option("Only this region; may be repeated.")
@plan_options
@click.option("--restore", is_flag=True, help="Print the commands that create missing default VPCs.")
@config_option
@store_options
@details_option
@format_option
def delete_default_command(
    *, organization: bool, accounts: tuple[str, ...], profiles: tuple[str, ...], role_name: str | None,
    external_id: str | None, regions: tuple[str, ...], yes: bool, dry_run: bool, restore: bool, config: str | None,
    table: str | None, file: Path | None, details: bool, format_: Format,
) -> int:  # fmt: skip
    """Delete unused default VPCs. Prints the plan; --yes executes it.

    At a terminal it asks, and then deletes only what it has shown. A default VPC in use is kept, and listed with the
    resources that use it. What cannot be checked counts as in use. The default is the account of the current
    credentials. Deletions are recorded in the tracker's table or file.
    """
    if yes and restore:
        raise UsageError("--restore and --yes are mutually exclusive: --restore only prints commands")
    from landkeeper.wiring.known_accounts import find_account_ids
    from landkeeper.wiring.vpctracker.default_vpcs import find_network_source

    settings = settings_of(table, file).with_config(config)
    settings = settings.with_access(regions=regions, accounts=find_account_ids(settings, accounts))
    settings = settings.with_network_access(role_name=role_name, external_id=external_id)
    source = find_network_source(settings, organization=organization, profiles=profiles)
    print_unusable(source.unusable)
    code = _act(
        settings, source, format_, yes=yes, dry_run=dry_run, restore=restore, details=details, profiles=profiles
    )
    return INCOMPLETE if code == DONE and source.unusable else code


def _act(
    settings: Settings, source: Source, format_: Format, *, yes: bool, dry_run: bool, restore: bool, details: bool,
    profiles: Sequence[str],
) -> int:  # fmt: skip
    from landkeeper.cli.vpc.restore_default import print_restoring

    if yes and not dry_run:
        return _delete(settings, source, format_, details=details)
    surveys = _look(settings, source, details=details)
    if restore:
        print_restoring(surveys, format_, profile=profiles[0] if len(profiles) == 1 else "")
        return _code(surveys)
    _print_plan(surveys, format_)
    if format_ != "table" or not _plans(surveys):
        return _code(surveys)
    unused = counted(len(_plans(surveys)), "unused one")
    if not dry_run and has_terminal() and agrees(f"Delete the {unused}?"):
        return _delete(
            settings, source, format_, details=details, shown=frozenset(plan.vpc.id for plan in _plans(surveys))
        )
    say(f"Nothing was changed. Pass --yes to delete the {unused}.")
    return _code(surveys)


def _look(settings: Settings, source: Source, *, details: bool) -> tuple[Survey, ...]:
    from landkeeper.cli.vpc.progress import showing_progress
    from landkeeper.wiring.vpctracker.default_vpcs import survey

    with showing_progress("default VPCs") as on_progress:
        surveys = survey(settings, source, on_progress)
    for remark in left_out_remarks(source.listing.members_left_out):
        aside(remark)
    unreadable = [place for found in surveys for place in found.unreadable]
    print_hint([print_failures("could not be read", unreadable, details=details)])
    return surveys


def _only(surveys: Iterable[Survey], shown: frozenset[str]) -> tuple[Survey, ...]:
    """Return the surveys without the default VPCs that could be deleted and were not shown."""
    from landkeeper.vpctracker.default_vpcs.plan import Plan

    return tuple(
        replace(
            survey, found=tuple(entry for entry in survey.found if not isinstance(entry, Plan) or entry.vpc.id in shown)
        )
        for survey in surveys
    )


def _delete(
    settings: Settings, source: Source, format_: Format, *, details: bool, shown: frozenset[str] | None = None
) -> int:
    """Delete what nothing uses; of what was shown for a question, nothing else."""
    from landkeeper.cli.vpc.default_vpcs_output import print_default_vpcs
    from landkeeper.cli.vpc.progress import showing_progress
    from landkeeper.vpctracker.default_vpcs.removal import Failed
    from landkeeper.wiring.vpctracker.default_vpcs import delete, open_record

    with open_record(settings, source) as record:
        surveys = _look(settings, source, details=details)
        if shown is not None:
            surveys = _only(surveys, shown)
        elif format_ == "table" and _plans(surveys):
            _print_plan(surveys, format_)
        so_far: list[Told] = []
        try:
            with showing_progress("deleted", "failed") as on_progress:
                removals = delete(
                    settings, source, surveys, record, on_progress, on_result=lambda *result: so_far.append(result)
                )
        except KeyboardInterrupt:
            print_default_vpcs(so_far, format_, nothing="Nothing was deleted.")
            raise
        is_recorded = record is not None
    deleted = _after(surveys, removals)
    print_default_vpcs(deleted, format_, nothing=_nothing(surveys))
    _tell_unrecorded(settings, removals, is_recorded=is_recorded)
    is_done = not any(isinstance(default, Failed) or default.vpc.unchecked for _, default in deleted)
    return _code(surveys) if is_done and not any(removal.unrecorded for removal in removals) else INCOMPLETE


def _plans(surveys: Sequence[Survey]) -> list[Plan]:
    from landkeeper.vpctracker.default_vpcs.plan import Plan

    return [found for survey in surveys for found in survey.found if isinstance(found, Plan)]


def _print_plan(surveys: Sequence[Survey], format_: Format) -> None:
    from landkeeper.cli.vpc.default_vpcs_output import print_default_vpcs

    planned: list[Told] = [(survey.account, found) for survey in surveys for found in survey.found]
    print_default_vpcs(planned, format_, nothing=_nothing(surveys))
    plans = _plans(surveys)
    if format_ != "table" or len(plans) > _STEPS_OF_AT_MOST:
        return
    for plan in plans:
        say(f"{plan.vpc.id} in {plan.vpc.region} goes in this order:")
        for number, step in enumerate(plan.steps, 1):
            say(f"  {number}. {step}")


def _after(surveys: Sequence[Survey], removals: Iterable[Removal]) -> list[Told]:
    """What became of each: the results of the plans, and what had none."""
    results = {(removal.account.id, result.vpc.id): result for removal in removals for result in removal.results}
    return [
        (survey.account, results.get((survey.account.id, found.vpc.id), found))
        for survey in surveys
        for found in survey.found
    ]


def _nothing(surveys: Sequence[Survey]) -> str:
    read = sum(all(place.region for place in survey.unreadable) for survey in surveys)
    return f"No default VPC in {counted(read, 'account')} that could be read." if read else "No account could be read."


def _tell_unrecorded(settings: Settings, removals: Sequence[Removal], *, is_recorded: bool) -> None:
    from landkeeper.vpctracker.default_vpcs.removal import Deleted

    for removal in removals:
        if removal.unrecorded:
            line = f"changed in AWS, but not recorded in the store: {removal.account.label}: {removal.unrecorded}"
            aside(line, "red")
    if not is_recorded and any(isinstance(result, Deleted) for removal in removals for result in removal.results):
        remark = (
            f"The change was not recorded: the file {settings.file} does not exist. `landkeeper vpc track` creates it."
        )
        aside(remark, "dim")


def _code(surveys: Sequence[Survey]) -> int:
    """Whether everything could be read and checked; a default VPC that is in use is an answer like any other."""
    is_read = not any(survey.unreadable for survey in surveys)
    is_checked = not any(found.vpc.unchecked for survey in surveys for found in survey.found)
    return DONE if is_read and is_checked else INCOMPLETE
