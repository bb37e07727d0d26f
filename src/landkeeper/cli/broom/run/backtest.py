"""`landkeeper broom backtest`: what a policy would have done to the launches of the past."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime, timedelta

from landkeeper.broom.backtest.own_actions import BROOM_ROLES
from landkeeper.broom.backtest.replay import PastFate, backtest, unknown_limits, window, with_grace
from landkeeper.broom.backtest.summary import compare
from landkeeper.broom.cloudtrail.keys import Days, delivery_days
from landkeeper.broom.policy.rules import Policy
from landkeeper.cli.broom.backtest_athena import EngineChoice, read_by_athena
from landkeeper.cli.broom.backtest_output import Answer, print_answer
from landkeeper.cli.broom.backtest_progress import showing_progress
from landkeeper.cli.broom.given_policy import find_policy
from landkeeper.cli.broom.interruption import interruptible
from landkeeper.cli.broom.output import warn
from landkeeper.cli.exit_codes import DONE, INCOMPLETE, USAGE
from landkeeper.cli.output import Format
from landkeeper.org import UsageError, format_time, parse_duration
from landkeeper.settings import Settings, read_settings
from landkeeper.wiring.broom.backtest import Past, Reading, default_cache_file, read_past

_ROLE = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)


def run_backtest(
    paths: tuple[str, ...],
    policy_file: str | None,
    against: str | None,
    since: datetime | None,
    until: datetime | None,
    grace: str | None,
    broom_roles: tuple[str, ...],
    requester_pays: bool,
    no_cache: bool,
    engine: EngineChoice,
    format_: Format,
) -> int:
    """Simulate a policy on past launches from CloudTrail log files."""
    settings = read_settings(os.environ)
    override = _parse_grace(grace)
    policy = with_grace(find_policy(policy_file, settings), override)
    other = with_grace(find_policy(against, settings), override) if against is not None else None
    if since is not None and until is not None and since >= until:
        raise UsageError(f"--since {format_time(since)} is not before --until {format_time(until)}")
    roles = find_roles(broom_roles, settings)
    days = delivery_days(since, until, max(window(chosen) for chosen in (policy, other) if chosen is not None))
    engine.check(paths, days)
    past = _read(paths, settings, days, engine, requester_pays=requester_pays, no_cache=no_cache)
    if past is None:
        return DONE
    _remark(past, policy)
    read_at, instances = datetime.now(UTC), tuple(past.chronicle.instances())

    def judge(by: Policy) -> tuple[PastFate, ...]:
        return backtest(by, instances, since=since, until=until, read_at=read_at, broom_roles=roles)

    fates, others = judge(policy), judge(other) if other is not None else ()
    answer = Answer(
        fates=fates,
        past=past,
        policy=policy_file or settings.policy or "",
        since=since,
        until=until,
        read_at=read_at,
        grace=override,
        unknown_limits=unknown_limits(policy),
        against=against or "",
        comparison=compare(fates, others) if other is not None else None,
        other_fates=others,
    )
    print_answer(answer, format_)
    if past.missing == len(paths):
        return USAGE
    return INCOMPLETE if past.faults or past.is_partial else DONE


def find_roles(named: tuple[str, ...], settings: Settings) -> frozenset[str]:
    """Return the names of the roles that Broom may have acted with. Raises UsageError for what is no name."""
    for name in named:
        if not _ROLE.fullmatch(name):
            raise UsageError(f"--broom-role is '{name}': expected the name of a role, without its ARN and path")
    return BROOM_ROLES.union(named, filter(None, [settings.role_name]))


def _read(
    paths: tuple[str, ...],
    settings: Settings,
    days: Days,
    engine: EngineChoice,
    *,
    requester_pays: bool,
    no_cache: bool,
) -> Past | None:
    """What the logs tell; None where only Athena's statements were asked for."""
    with interruptible() as interruption, showing_progress() as show:

        def is_stopped() -> bool:
            return interruption.is_asked

        if engine.is_athena:
            return read_by_athena(
                paths[0], engine, settings, days, requester_pays=requester_pays, is_stopped=is_stopped, show=show
            )
        cache = None if no_cache else default_cache_file(os.environ)
        reading = Reading(days, requester_pays, cache, is_stopped, show, lambda fault: warn(str(fault)))
        return read_past(paths, settings, reading)


def _remark(past: Past, policy: Policy) -> None:
    if past.cache_trouble:
        warn(f"the cache could not be written: {past.cache_trouble}")
    if policy.onboarding is not None and policy.onboarding.units:
        mild = f"at most {policy.onboarding.action} is shown"
        warn(f"the accounts' organizational units are unknown, so {mild} (onboarding)")


def _parse_grace(text: str | None) -> timedelta | None:
    if text is None:
        return None
    grace = parse_duration(text)
    if grace is None:
        raise UsageError(f"--grace is '{text}': expected a number with s, m, h or d, for example 15m")
    return grace
