"""The stack and what it is made of: whose it is, tables, functions, what feeds them, schedules, the clock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from landkeeper.operate.doctor.facts import Caller, Function, Mapped, Rule, StackParts, Table
from landkeeper.operate.doctor.lines import Line, lasting, named, ok, unchecked, wrong
from landkeeper.org import Failure, FailureReason, counted

MOST_SKEW = timedelta(minutes=1)
_WELL = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"})

FUNCTIONS = ("DispatcherFunction", "TrackerFunction", "NoticesFunction", "BroomFunction")
QUEUES = ("BroomQueue", "WorkQueue", "EventsQueue")


@dataclass(frozen=True, slots=True)
class Keys:
    """What a table's key and indexes must be."""

    keys: tuple[tuple[str, str], ...]
    indexes: frozenset[str] = frozenset()


def judge_caller(caller: Caller | Failure, advice: str = "") -> Line:
    """Whether AWS accepts the credentials at hand. `advice` is what to do about a failure, where that is known."""
    if isinstance(caller, Failure):
        mend = advice or "sign in (aws sso login, or aws configure), or set AWS_PROFILE"
        return wrong("credentials", str(caller), mend)
    return ok("credentials", f"{caller.arn}, in the account {caller.account}")


def judge_clock(caller: Caller | Failure) -> Line:
    """Whether this machine's clock agrees with AWS's; from five minutes on, signatures are refused."""
    if isinstance(caller, Failure) or caller.told_at is None or caller.asked_at is None:
        return unchecked("clock", "AWS's response had no date")
    skew = caller.asked_at - caller.told_at
    if abs(skew) <= MOST_SKEW:
        return ok("clock", "within a minute of AWS's clock")
    direction = "ahead of" if skew > timedelta(0) else "behind"
    return wrong(
        "clock",
        f"this machine's clock is {lasting(abs(skew))} {direction} AWS's; AWS rejects signatures from 5 minutes on",
        "set the clock: timedatectl set-ntp true (Linux), or the system's settings for date and time",
    )


def judge_stack(parts: StackParts | Failure, name: str, region: str) -> Line:
    """Whether the stack is there and complete."""
    if isinstance(parts, Failure):
        if parts.reason is FailureReason.NOT_FOUND:
            mend = "run landkeeper deploy --policy FILE, or check --stack-name and AWS_REGION"
            return wrong("stack", f"there is no stack '{name}' in {region}", mend)
        return unchecked("stack", parts)
    if parts.status in _WELL:
        back = "; its last update was rolled back" if parts.status == "UPDATE_ROLLBACK_COMPLETE" else ""
        return ok("stack", f"{name} in {region} is {parts.status}{back}")
    mend = "run `landkeeper deploy` again, and see the stack's events in the CloudFormation console"
    if parts.status.endswith("_IN_PROGRESS"):
        mend = "wait until the deployment has finished, then run doctor again"
    reason = f": {parts.status_reason}" if parts.status_reason else ""
    return wrong("stack", f"{name} in {region} is {parts.status}{reason}", mend)


def judge_parts(parts: StackParts) -> list[Line]:
    """What a stack of this Landkeeper has and this one has not."""
    wanted = {
        **{name: parts.find(name, name) for name in FUNCTIONS},
        **{name: parts.find(f"{name}Url", name) for name in QUEUES},
        "Reports": parts.find("ReportsTopicArn", "Reports"),
        "VpcTracker": parts.find("VpcTable", "VpcTracker"),
        "Ledger": parts.find("LedgerTable", "Ledger"),
        "TrailBucket": parts.find("TrailBucket", "TrailBucket") or parts.parameters.get("TrailBucketName", ""),
    }
    missing = [name for name, found in wanted.items() if not found]
    if not missing:
        return []
    mend = "run `landkeeper deploy` again; missing resources were not checked"
    return [wrong("stack", f"the stack {parts.name} has no {named(missing)}", mend, missing)]


def judge_tables(tables: Mapping[str, Table | Failure], wanted: Mapping[str, Keys]) -> Iterator[Line]:
    """Whether each table is there, active, and has the keys that Landkeeper writes with."""
    good = []
    for name, table in tables.items():
        line = _judge_table(name, table, wanted[name])
        if line is None:
            good.append(name)
        else:
            yield line
    if good:
        yield ok("tables", f"{', '.join(good)}: keys and indexes are correct")


def _judge_table(name: str, table: Table | Failure, wanted: Keys) -> Line | None:
    again = f"back up the table {name}, delete it, and run `landkeeper deploy` again"
    if isinstance(table, Failure):
        if table.reason is FailureReason.NOT_FOUND:
            return wrong("tables", f"there is no table {name}", "run `landkeeper deploy` again", [name])
        return unchecked("tables", f"{name}: {table}")
    if table.keys != wanted.keys:
        found = f"the table {name} has the wrong key: {_words_of(table.keys)} instead of {_words_of(wanted.keys)}"
        return wrong("tables", found, again, [name])
    lacking = sorted(wanted.indexes - table.indexes)
    if lacking:
        return wrong("tables", f"the table {name} has no index {named(lacking)}", again, [name])
    if table.status not in {"ACTIVE", "UPDATING"}:
        mend = "wait a minute and run doctor again; see the table in the DynamoDB console"
        return wrong("tables", f"the table {name} is {table.status}", mend, [name])
    return None


def _words_of(keys: Sequence[tuple[str, str]]) -> str:
    return " and ".join(name for name, _ in keys)


def judge_functions(functions: Mapping[str, Function | Failure], versions: Mapping[str, str], own: str) -> list[Line]:
    """Whether each function is ready, runs the same package as the others, and the Landkeeper that asks.

    `versions` are what functions that were asked said of themselves, by logical id.
    """
    lines = [line for name, function in functions.items() if (line := _judge_function(name, function)) is not None]
    found_functions = {name: function for name, function in functions.items() if isinstance(function, Function)}
    packages = {function.code_sha256 for function in found_functions.values()}
    if len(packages) > 1:
        lines.append(wrong("functions", "they run different packages", "run `landkeeper deploy` again"))
    other = {name: version for name, version in versions.items() if version != own}
    if other:
        said = ", ".join(f"{name} {version}" for name, version in sorted(other.items()))
        found = f"they run another version than this one, {own}: {said}"
        lines.append(wrong("functions", found, "run `landkeeper deploy` with the newer version", sorted(other)))
    if not lines and found_functions:
        runtimes = ", ".join(sorted({function.runtime for function in found_functions.values()}))
        release = f"Landkeeper {own} " if versions else ""
        lines.append(ok("functions", f"{counted(len(found_functions), 'function')} ready, {release}on {runtimes}"))
    return lines


def _judge_function(name: str, function: Function | Failure) -> Line | None:
    if isinstance(function, Failure):
        if function.reason is FailureReason.NOT_FOUND:
            return wrong("functions", f"{name} does not exist", "run `landkeeper deploy` again", [name])
        return unchecked("functions", f"{name}: {function}")
    if function.state not in {"Active", "Inactive"}:
        # Lambda puts functions to sleep that were not called for weeks; the next call wakes them.
        mend = f"aws lambda get-function --function-name {function.name}; then run `landkeeper deploy` again"
        return wrong("functions", f"{name} is {function.state}: {function.state_reason}".rstrip(": "), mend, [name])
    if function.last_update == "Failed":
        found = f"the last update of {name} failed: {function.last_update_reason}".rstrip(": ")
        return wrong("functions", found, "run `landkeeper deploy` again", [name])
    return None


def judge_mappings(
    feeds: Mapping[str, tuple[str, str]], mapped: Mapping[str, Sequence[Mapped] | Failure], region: str
) -> list[Line]:
    """Whether the queues feed their functions.

    `feeds` has the ARN of each queue and the logical id of its function by the queue's logical id, `mapped` the event
    source mappings of each function by its logical id.
    """
    lines = []
    for queue, (arn, function) in feeds.items():
        line = _judge_mapping(queue, arn, function, mapped[function], region)
        if line is not None:
            lines.append(line)
    return lines or [ok("queues feed functions", f"{counted(len(feeds), 'queue')}: {', '.join(feeds)}")]


def _judge_mapping(queue: str, arn: str, function: str, mapped: Sequence[Mapped] | Failure, region: str) -> Line | None:
    check = "queues feed functions"
    if isinstance(mapped, Failure):
        return unchecked(check, f"{function}: {mapped}")
    found = next((mapping for mapping in mapped if mapping.queue_arn == arn), None)
    if found is None:
        return wrong(check, f"{queue} has no event source mapping to {function}", "run `landkeeper deploy` again")
    if found.state in {"Enabled", "Enabling", "Creating", "Updating"}:
        return None
    mend = f"aws lambda update-event-source-mapping --uuid {found.uuid} --enabled --region {region}"
    return wrong(check, f"{function} does not receive from {queue}: the mapping is {found.state}", mend, [queue])


def judge_rules(rules: Mapping[str, Rule | Failure], meant_to_be_off: frozenset[str], region: str) -> list[Line]:
    """Whether the stack's schedules and event rules are on. By logical id."""
    lines = [
        unchecked("schedules and rules", f"{name}: {rule}") for name, rule in rules.items() if isinstance(rule, Failure)
    ]
    for name, rule in rules.items():
        if isinstance(rule, Rule) and not rule.is_enabled and name not in meant_to_be_off:
            mend = f"aws events enable-rule --name {rule.name} --region {region}"
            lines.append(wrong("schedules and rules", f"the rule {name} is off", mend, [name]))
    on = [name for name, rule in rules.items() if isinstance(rule, Rule) and rule.is_enabled]
    return lines or ([ok("schedules and rules", f"{len(on)} on: {named(on)}")] if on else [])
