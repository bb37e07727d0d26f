"""Delete default VPCs: look at all of them, decide, and take each plan's steps after a fresh look.

Several accounts go at the same time, the regions of one after another. A plan is only ever carried out as the fresh
look has it, and stops at the first step that does not work; what is left then is carried on with by the next run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, assert_never

from landkeeper.org import Account, AccountId, Failure, Region
from landkeeper.vpctracker.default_vpcs.plan import (
    DefaultVpc,
    InUse,
    Look,
    NoDefaultVpc,
    Plan,
    Reason,
    Step,
    Unknown,
    decide,
)
from landkeeper.vpctracker.differences import NotRead, Unreadable
from landkeeper.vpctracker.fan_out import fan_out
from landkeeper.vpctracker.ports import StoreError, VpcReader, VpcStore
from landkeeper.vpctracker.track import Progress, UnreadablePlace, track_account

_NEEDED_AFTER_ALL = "DependencyViolation"

RegionDefault = DefaultVpc | NoDefaultVpc | Unreadable


class DefaultVpcs(Protocol):
    """Default VPCs where they are. Called from several threads at once."""

    def read_account(self, account: Account) -> Mapping[Region, RegionDefault | NotRead] | Failure:
        """The default VPC of every region; a Failure when there is no way in, or the regions are not known."""

    def read_region(self, account: Account, region: Region) -> RegionDefault:
        """The default VPC of one region as it is right now."""

    def rehearse(self, account: Account, plan: Plan) -> Failure | None:
        """Why the plan cannot be carried out: other credentials than the account's own, a permission that is missing.

        Nothing is changed by it.
        """

    def take(self, account: Account, region: Region, step: Step) -> Failure | None:
        """Do that; None also where it was done before."""


@dataclass(frozen=True, slots=True)
class Deleted:
    """The default VPC is gone, by these steps."""

    vpc: DefaultVpc
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Gone:
    """The default VPC was there when it was planned, and no longer when its turn came."""

    vpc: DefaultVpc


@dataclass(frozen=True, slots=True)
class Failed:
    """The plan was not carried out to its end."""

    vpc: DefaultVpc
    failure: Failure
    done: tuple[Step, ...] = ()
    left: tuple[Step, ...] = ()
    """What another run will do; the first of them is the step that failed. Empty where nothing was begun."""


Record = Callable[[Account, "Sequence[Result]"], str]
"""Tells the tracker of default VPCs that are gone or half gone; answers why it could not, or nothing."""

Found = Plan | InUse | Unknown
Result = Deleted | Gone | InUse | Unknown | Failed


@dataclass(frozen=True, slots=True)
class Survey:
    """The default VPCs of one account, and what may be done about each."""

    account: Account
    found: tuple[Found, ...] = ()
    without: tuple[Region, ...] = ()
    """Regions that were read and have no default VPC."""
    unreadable: tuple[UnreadablePlace, ...] = ()


@dataclass(frozen=True, slots=True)
class Removal:
    """What deleting the default VPCs of one account came to."""

    account: Account
    results: tuple[Result, ...] = ()
    unrecorded: str = ""
    """Why the tracker does not know yet of those that are gone."""


def survey_default_vpcs(
    accounts: Sequence[Account],
    vpcs: DefaultVpcs,
    *,
    max_workers: int = 16,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> tuple[Survey, ...]:
    """Look at the default VPCs of these accounts, and change nothing. In the order of the accounts' ids.

    `on_progress` is called in the caller's thread, once at the start and after every account.
    """
    surveys: list[Survey] = []
    found = unreadable = 0
    on_progress(Progress(0, len(accounts), 0, 0))
    with closing(fan_out(accounts, lambda account, _: _survey(account, vpcs), max_workers=max_workers)) as looks:
        for survey in looks:
            surveys.append(survey)
            found += len(survey.found)
            unreadable += len(survey.unreadable)
            on_progress(Progress(len(surveys), len(accounts), found, unreadable))
    return tuple(sorted(surveys, key=lambda looked: looked.account.id))


def _survey(account: Account, vpcs: DefaultVpcs) -> Survey:
    reads = vpcs.read_account(account)
    if isinstance(reads, Failure):
        return Survey(account, unreadable=(UnreadablePlace(account, None, reads),))
    found: list[Found] = []
    without: list[Region] = []
    unreadable: list[UnreadablePlace] = []
    for region, read in sorted(reads.items()):
        match read:
            case Unreadable(failure):
                unreadable.append(UnreadablePlace(account, region, failure))
            case NotRead():
                pass
            case DefaultVpc() | NoDefaultVpc():
                decision = decide(read, account.id)
                if isinstance(decision, NoDefaultVpc):
                    without.append(region)
                else:
                    found.append(decision)
            case _:
                assert_never(read)
    return Survey(account, tuple(found), tuple(without), tuple(unreadable))


def delete_default_vpcs(
    surveys: Sequence[Survey],
    vpcs: DefaultVpcs,
    record: Record | None,
    *,
    max_workers: int = 16,
    on_progress: Callable[[Progress], None] = lambda _: None,
    on_result: Callable[[Account, Result], None] = lambda _account, _result: None,
) -> tuple[Removal, ...]:
    """Carry out the plans of the surveys, as a fresh look at each has it. In the order of the accounts' ids.

    An account without a plan is left out. Without `record` nothing is recorded. When the run is stopped, the VPC
    that is being deleted is the last one of its account. `on_result` is told of each at once, from several threads.
    """
    planned = {
        looked.account.id: looked for looked in surveys if any(isinstance(found, Plan) for found in looked.found)
    }
    removals: list[Removal] = []
    kinds: Counter[type[Result]] = Counter()
    on_progress(Progress(0, len(planned), 0, 0))

    def work(account: Account, is_stopped: Callable[[], bool]) -> Removal:
        return _delete(planned[account.id], vpcs, record, is_stopped, on_result)

    with closing(fan_out([looked.account for looked in planned.values()], work, max_workers=max_workers)) as outcomes:
        for removal in outcomes:
            removals.append(removal)
            kinds.update(map(type, removal.results))
            on_progress(Progress(len(removals), len(planned), kinds[Deleted], kinds[Failed]))
    return tuple(sorted(removals, key=lambda done: done.account.id))


def _delete(
    survey: Survey,
    vpcs: DefaultVpcs,
    record: Record | None,
    is_stopped: Callable[[], bool],
    on_result: Callable[[Account, Result], None],
) -> Removal:
    results: list[Result] = []
    for plan in (result for result in survey.found if isinstance(result, Plan)):
        if is_stopped():
            break
        results.append(delete_default_vpc(survey.account, plan.vpc, vpcs))
        on_result(survey.account, results[-1])
    changed = [
        result
        for result in results
        if isinstance(result, Deleted | Gone) or (isinstance(result, Failed) and result.done)
    ]
    return Removal(survey.account, tuple(results), record(survey.account, changed) if changed and record else "")


def delete_default_vpc(account: Account, vpc: DefaultVpc, vpcs: DefaultVpcs) -> Result:
    """Look at the default VPC of that region once more, and delete it if it is that one and still unused."""
    read = vpcs.read_region(account, vpc.region)
    if isinstance(read, Unreadable):
        return Failed(vpc, read.failure)
    decision = decide(read, account.id)
    match decision:
        case Plan():
            # Another one than was planned for: somebody has made it since, and nobody has seen its plan.
            return _carry_out(account, decision, vpcs) if decision.vpc.id == vpc.id else Gone(vpc)
        case NoDefaultVpc():
            return Gone(vpc)
        case InUse() | Unknown():
            return decision
        case _:
            assert_never(decision)


def _carry_out(account: Account, plan: Plan, vpcs: DefaultVpcs) -> Result:
    refused = vpcs.rehearse(account, plan)
    if refused is not None:
        return Failed(plan.vpc, refused)
    for number, step in enumerate(plan.steps):
        failure = vpcs.take(account, plan.vpc.region, step)
        if failure is None:
            continue
        if number == 0 and failure.code == _NEEDED_AFTER_ALL:
            return InUse(plan.vpc, (Reason(Look.UNKNOWN, step.id, str(failure)),))
        return Failed(plan.vpc, failure, plan.steps[:number], plan.steps[number:])
    return Deleted(plan.vpc, plan.steps)


def recording(
    reader: VpcReader, store: VpcStore, principal_of: Callable[[AccountId], str], clock: Callable[[], datetime]
) -> Record:
    """Records by tracking the regions once more: what a complete read does not show is gone.

    `principal_of` says in whose name an account is entered; history remembers it of what was deleted.
    """

    def record(account: Account, changed: Sequence[Result]) -> str:
        by = principal_of(account.id)
        deleted_by = {result.vpc.id: by for result in changed if isinstance(result, Deleted)}
        regions = {result.vpc.region for result in changed}
        try:
            outcome = track_account(account, reader, store, clock=clock, regions=regions, deleted_by=deleted_by)
        except StoreError as error:
            return str(error)
        return "; ".join(
            f"{result.region}: {result.failure}" if result.region else str(result.failure)
            for result in outcome.unreadable
        )

    return record
