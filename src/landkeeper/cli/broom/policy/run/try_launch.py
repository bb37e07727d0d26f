"""`landkeeper broom policy try`: the verdict on a launch that the options describe."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Any

from landkeeper.broom.policy.answers import Answer, answer_of
from landkeeper.broom.policy.explain import explain
from landkeeper.broom.policy.trial import DescribedLaunch, Trial, Undecided, try_launch
from landkeeper.broom.policy.warnings import about_region
from landkeeper.cli.broom.given_policy import find_policy
from landkeeper.cli.broom.output import warn
from landkeeper.cli.broom.policy.described_launch import described_launch
from landkeeper.cli.broom.policy.explanation import print_steps, step_attributes
from landkeeper.cli.exit_codes import DONE, USAGE
from landkeeper.cli.output import JSON_VERSION, Column, Format, print_json, print_rows
from landkeeper.cli.terminal import say
from landkeeper.org import format_exact_time
from landkeeper.settings import read_settings
from landkeeper.wiring.broom.policy import list_known_regions

_OPTIONS = {"principal": "--principal with the role's own ARN, which has its path"}


def run_try(policy_file: str | None, format_: Format, **given: Any) -> int:
    """Print the verdict on a launch that the options describe: rule, action and reasons."""
    launch = described_launch(**given)
    policy = find_policy(policy_file, read_settings(os.environ))
    now = launch.at or datetime.now(UTC)
    if launch.region is not None and (unknown := about_region(launch.region, list_known_regions())):
        warn(unknown)
    trial = try_launch(policy, launch, now)
    answer = answer_of(trial)
    if isinstance(trial.verdict, Undecided):
        options = " and ".join(_OPTIONS.get(name, f"--{name}") for name in trial.verdict.missing)
        answer = answer._replace(because=f"{trial.verdict.because}: add {options}")
    steps = step_attributes(explain(policy, trial.subject, launch.tags, now).steps)
    if format_ == "json":
        print_json({"Version": JSON_VERSION, **_attributes(launch, trial, answer, now), "Steps": steps})
    elif format_ == "csv":
        row = _attributes(launch, trial, answer, now)
        print_rows([row], [Column(name, name) for name in row], "csv")
    else:
        _print(answer, trial)
        print_steps(steps)
    return USAGE if isinstance(trial.verdict, Undecided) else DONE


def _print(answer: Answer, trial: Trial) -> None:
    action = f", {answer.action}" if answer.action else ""
    say(f"{answer.verdict}{action}: {answer.because}", "bold")
    for sentence in trial.assumed:
        warn(f"assumed: {sentence}")


def _attributes(launch: DescribedLaunch, trial: Trial, answer: Answer, now: datetime) -> dict[str, Any]:
    subject = trial.subject
    return {
        "Verdict": answer.verdict,
        "Action": answer.action or None,
        "Rule": answer.rule or None,
        "Because": answer.because,
        "Missing": list(trial.verdict.missing) if isinstance(trial.verdict, Undecided) else [],
        "Assumed": list(trial.assumed),
        "Tags": dict(launch.tags),
        "InstanceType": subject.instance_type or None,
        "Region": subject.region or None,
        "AccountId": subject.account or None,
        "PrincipalArn": launch.principal_arn or None,
        "ImageId": launch.image_id or None,
        "EventTime": format_exact_time(now),
    }
