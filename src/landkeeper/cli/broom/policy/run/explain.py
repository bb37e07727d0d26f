"""`landkeeper broom policy explain`: why a policy says what it says about an instance."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, assert_never

from landkeeper.broom.cloudtrail.found import Harvest
from landkeeper.broom.cloudtrail.principals.identity import UNKNOWN_PRINCIPAL
from landkeeper.broom.instance_state import Absent, LiveInstance
from landkeeper.broom.launches import InstanceId, Tags
from landkeeper.broom.offline import find_unnamed, subject_of
from landkeeper.broom.policy.explain import Explanation, explain
from landkeeper.broom.policy.verdict import Subject
from landkeeper.broom.sweeping.result import kinds_of
from landkeeper.cli.broom.given_policy import find_policy
from landkeeper.cli.broom.output import warn
from landkeeper.cli.broom.policy.explanation import print_steps, step_attributes
from landkeeper.cli.exit_codes import DONE, INCOMPLETE
from landkeeper.cli.output import Column, Format, print_json, print_rows
from landkeeper.cli.terminal import one_line, say
from landkeeper.org import Failure, Region, UsageError, parse_region
from landkeeper.settings import Settings, read_settings
from landkeeper.wiring.broom.log_sources import LogFile, SkippedFile, UnreadableFile, read_sources
from landkeeper.wiring.known_accounts import find_account_id

if TYPE_CHECKING:
    from landkeeper.broom.policy.rules import Policy
    from landkeeper.org import AccountId

_INSTANCE_ID = re.compile(r"i-[0-9a-f]+")


@dataclass(frozen=True, slots=True)
class _Instance:
    """An instance to explain the verdict on."""

    id: InstanceId
    subject: Subject
    tags: Tags
    tags_from: str


def run_explain(
    target: str,
    policy_file: str | None,
    account: str | None,
    region: str | None,
    role_name: str | None,
    external_id: str | None,
    ledger: str | None,
    file: Path | None,
    format_: Format,
) -> int:
    """Explain the verdict on an instance, exemption by exemption and rule by rule."""
    settings = read_settings(os.environ).with_ledger(ledger=ledger, file=file)
    settings = settings.with_access(role_name=role_name, external_id=external_id)
    policy = find_policy(policy_file, settings)
    if not _INSTANCE_ID.fullmatch(target):
        instances: Sequence[_Instance] | Failure = tuple(_in_log(target, settings))
    elif account is None and region is None:
        instances = (_in_ledger(InstanceId(target), settings),)
    else:
        instances = _live(
            InstanceId(target), find_account_id(settings, account) if account else None,
            parse_region(region) if region else None, settings,
        )  # fmt: skip
    if isinstance(instances, Failure):
        warn(f"{target} cannot be read: {instances}")
        return INCOMPLETE
    _print(policy, _placed(policy, instances, settings), format_)
    return DONE


def _in_log(path: str, settings: Settings) -> Iterator[_Instance]:
    harvest = Harvest()
    for source in read_sources([path], settings):
        match source:
            case LogFile(name, data):
                harvest.add_file(name, data)
            case SkippedFile(_, reason):
                harvest.ignored[reason] += 1
            case UnreadableFile(name, reason):
                raise UsageError(f"{name}: {reason}")
            case _:
                assert_never(source)
    launches = [found.launch for found in harvest.launches if not found.is_repeat]
    faults = [str(fault) for fault in (*harvest.faults, *find_unnamed(harvest.launches))]
    if not any(launch.instances for launch in launches):
        reasons = faults or [f"{path}: {reason}" for reason in harvest.ignored]
        raise UsageError(f"no instance to explain ({'; '.join(reasons[:3]) or path})")
    for fault in faults:
        warn(fault)
    for launch in launches:
        for instance in launch.instances:
            tags = launch.logged_tags(instance)
            yield _Instance(instance.id, subject_of(launch, instance), tags, "in the log")


def _in_ledger(id_: InstanceId, settings: Settings) -> _Instance:
    # Loaded here, so that a file on disk does not wait for boto3.
    from landkeeper.wiring.broom.policy import find_case

    case = find_case(settings, id_)
    if case is None:
        raise UsageError(f"no case for {id_} in the ledger: pass --account and --region to read the live instance")
    if case.live_tags is None:
        return _Instance(id_, case.subject, case.logged_tags, "in the log, as its case has them")
    return _Instance(id_, case.subject, case.live_tags, "it had when its case was last looked at")


def _live(
    id_: InstanceId, account: AccountId | None, region: Region | None, settings: Settings
) -> tuple[_Instance, ...] | Failure:
    from landkeeper.wiring.broom.policy import find_case, see_instance

    account, region, seen = see_instance(settings, account, region, id_)
    match seen:
        case Failure():
            return seen
        case Absent():
            raise UsageError(f"instance {id_} does not exist in account {account}, region {region}")
        case LiveInstance():
            case = find_case(settings, id_)
            if case is None:
                warn(
                    f"no case for {id_} in the ledger: the launching principal is unknown, so principal "
                    "exemptions do not apply"
                )
            principal = UNKNOWN_PRINCIPAL if case is None else case.principal
            return (_Instance(id_, Subject(account, region, seen.type, principal), seen.tags, "it has now"),)
        case _:
            assert_never(seen)


def _placed(policy: Policy, instances: Sequence[_Instance], settings: Settings) -> Sequence[_Instance]:
    """The same with the units that the accounts are in, where the policy speaks of units."""
    if policy.onboarding is None or not policy.onboarding.units:
        return instances
    from landkeeper.wiring.broom.policy import find_units

    find = find_units(settings)
    return [
        replace(instance, subject=replace(instance.subject, units=find(instance.subject.account)))
        for instance in instances
    ]


def _print(policy: Policy, instances: Sequence[_Instance], format_: Format) -> None:
    now = datetime.now(UTC)
    answers = [_answer(instance, explain(policy, instance.subject, instance.tags, now)) for instance in instances]
    if format_ == "json":
        print_json(answers)
    elif format_ == "csv":
        columns = [Column(name, name) for name in ("InstanceId", "Kind", "Name", "Result", "Because", "Decides")]
        rows = [{"InstanceId": answer["InstanceId"], **step} for answer in answers for step in answer["Steps"]]
        print_rows(rows, columns, "csv")
    else:
        for answer in answers:
            _print_table(answer)


def _print_table(answer: dict[str, Any]) -> None:
    tags = ", ".join(f"{key}={value}" for key, value in answer["Tags"].items()) or "none"
    kind = answer["InstanceType"] or "unknown"
    lines = (
        f"{answer['InstanceId']}: {answer['Verdict']}, {answer['Action']}: {answer['Because']}",
        f"account {answer['AccountId']}, region {answer['Region']}, type {kind}, launched by {answer['Principal']}",
        f"the tags {answer['TagsFrom']}: {tags}",
    )
    for line in lines:
        say(one_line(line))
    print_steps(answer["Steps"])


def _answer(instance: _Instance, explanation: Explanation) -> dict[str, Any]:
    verdict, action = kinds_of(explanation.verdict)
    subject = instance.subject
    return {
        "InstanceId": instance.id,
        "AccountId": subject.account,
        "Region": subject.region,
        "InstanceType": subject.instance_type,
        "Principal": subject.principal.name,
        "PrincipalArn": subject.principal.arn,
        "Tags": dict(instance.tags),
        "TagsFrom": instance.tags_from,
        "Verdict": verdict,
        "Action": action,
        "Because": explanation.verdict.because,
        "Steps": step_attributes(explanation.steps),
    }
