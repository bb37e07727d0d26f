"""What of the stack costs something by being there, read from its template: what is deployed is what is counted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import yaml

from landkeeper.operate.deploy import template

Resources = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class PolledQueue:
    """A queue that Lambda polls for a function, whether anything is in it or not."""

    function: str
    event: str
    is_limited: bool
    """Whether a maximum concurrency is set."""
    batch_size: int
    window_seconds: int
    """How long Lambda gathers messages before it calls the function."""


@dataclass(frozen=True, slots=True)
class StackFacts:
    """The stack with the defaults of its parameters."""

    memory_mb: Mapping[str, int]
    """By the function's logical id."""
    queues: tuple[PolledQueue, ...]
    runs_a_day: Mapping[str, float]
    """Of the functions that a schedule calls, by their logical id."""
    alarm_metrics: int
    dashboards: int
    custom_metrics: frozenset[str]
    """Those of no service of AWS's that alarms look at; the functions write them."""
    log_days: int
    """How long logs are kept."""
    provisioned_units: int
    """Write units of all tables and indexes together, and as many read units, where they are provisioned."""
    scaled_capacities: int
    """Capacities that Auto Scaling would track then."""
    is_validated: bool
    """Whether the stack's own trail writes digest files."""
    writes_only: bool
    """Whether the stack's own trail leaves out events that only read."""


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms, as one-key mappings."""


def _short_form(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        return {f"!{suffix}": loader.construct_scalar(node)}
    if isinstance(node, yaml.SequenceNode):
        return {f"!{suffix}": loader.construct_sequence(node, deep=True)}
    assert isinstance(node, yaml.MappingNode)  # noqa: S101 - YAML has no fourth kind
    return {f"!{suffix}": loader.construct_mapping(node, deep=True)}


_Loader.add_multi_constructor("!", _short_form)


def parse_template(text: str) -> dict[str, Any]:
    """A template as plain values; `!Ref X` is `{"!Ref": "X"}`."""
    parsed: dict[str, Any] = yaml.load(text, _Loader)  # noqa: S506 - a SafeLoader
    return parsed


def read_stack_facts(text: str | None = None) -> StackFacts:
    """The facts of a template; without one, of the product's own."""
    parsed = parse_template(text or template("landkeeper.yaml"))
    parameters: Mapping[str, Any] = parsed["Parameters"]
    resources: Resources = parsed["Resources"]

    def settled(value: Any) -> Any:
        return parameters[value["!Ref"]]["Default"] if isinstance(value, dict) and "!Ref" in value else value

    functions = dict(_of_type(resources, "AWS::Serverless::Function"))
    usual_mb = settled(parsed["Globals"]["Function"]["MemorySize"])
    alarms = [properties for _, properties in _of_type(resources, "AWS::CloudWatch::Alarm")]
    retentions = [settled(group["RetentionInDays"]) for _, group in _of_type(resources, "AWS::Logs::LogGroup")]
    trails = [properties for _, properties in _of_type(resources, "AWS::CloudTrail::Trail")]
    return StackFacts(
        memory_mb={name: int(settled(function.get("MemorySize", usual_mb))) for name, function in functions.items()},
        queues=tuple(queue for name, function in functions.items() for queue in _queues(name, function)),
        runs_a_day={
            name: timedelta(days=1) / parse_rate(str(settled(event["Properties"]["Schedule"])))
            for name, function in functions.items()
            for event in function.get("Events", {}).values()
            if event["Type"].startswith("Schedule")
        },
        alarm_metrics=sum(len(alarm.get("Metrics", (1,))) for alarm in alarms),
        dashboards=len(list(_of_type(resources, "AWS::CloudWatch::Dashboard"))),
        custom_metrics=frozenset(str(alarm["MetricName"]) for alarm in alarms if not _is_of_aws(alarm)),
        log_days=max((int(days) for days in retentions), default=365),
        provisioned_units=sum(_units(properties) for _, properties in _of_type(resources, "AWS::DynamoDB::Table")),
        scaled_capacities=len(list(_of_type(resources, "AWS::ApplicationAutoScaling::ScalableTarget"))),
        is_validated=any(trail.get("EnableLogFileValidation") is True for trail in trails),
        writes_only=any(
            settled(selector.get("ReadWriteType")) == "WriteOnly"
            for trail in trails
            for selector in trail.get("EventSelectors", ())
        ),
    )


def parse_rate(text: str) -> timedelta:
    """The time between two runs of `rate(1 hour)`. Raises ValueError for anything else, such as cron."""
    number, _, unit = text.removeprefix("rate(").removesuffix(")").partition(" ")
    return timedelta(**{f"{unit.removesuffix('s')}s": int(number)})


def _of_type(resources: Resources, kind: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    return ((name, resource["Properties"]) for name, resource in resources.items() if resource["Type"] == kind)


def _queues(function: str, properties: Mapping[str, Any]) -> Iterator[PolledQueue]:
    for name, event in properties.get("Events", {}).items():
        if event["Type"] == "SQS":
            given = event["Properties"]
            limited, window = "ScalingConfig" in given, given.get("MaximumBatchingWindowInSeconds", 0)
            yield PolledQueue(function, name, limited, int(given.get("BatchSize", 10)), int(window))


def _units(table: Mapping[str, Any]) -> int:
    provisioned = [table, *table.get("GlobalSecondaryIndexes", ())]
    return sum(_write_units(part.get("ProvisionedThroughput", {})) for part in provisioned)


def _write_units(throughput: Mapping[str, Any]) -> int:
    """Those of `!If [Provisioned, {…}, nothing]`, or of the plain mapping."""
    chosen = throughput["!If"][1] if "!If" in throughput else throughput
    return int(chosen.get("WriteCapacityUnits", 0))


def _is_of_aws(alarm: Mapping[str, Any]) -> bool:
    return str(alarm.get("Namespace", "AWS/")).startswith("AWS/")
