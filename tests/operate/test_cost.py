"""The cost model: each line against a calculation by hand, and the stack's own defaults against what they may cost."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta
from math import exp
from pathlib import Path
from typing import Any

import pytest

from landkeeper.lambdas.log_lines import METRICS
from landkeeper.operate.cost.bill import Bill, Line, make_bill
from landkeeper.operate.cost.figures import read_figures, read_prices
from landkeeper.operate.cost.landscape import Asked, TrailUse
from landkeeper.operate.cost.stack_facts import PolledQueue, StackFacts, parse_rate, read_stack_facts
from landkeeper.operate.cost.usage import METRICS_OF_FUNCTIONS
from landkeeper.org import UsageError

FACTS = StackFacts(
    memory_mb={"DispatcherFunction": 512, "TrackerFunction": 512, "NoticesFunction": 512, "BroomFunction": 512},
    queues=(
        PolledQueue("TrackerFunction", "Accounts", is_limited=True, batch_size=10, window_seconds=0),
        PolledQueue("TrackerFunction", "Changes", is_limited=False, batch_size=100, window_seconds=20),
        PolledQueue("BroomFunction", "Queue", is_limited=False, batch_size=10, window_seconds=10),
    ),
    runs_a_day={"DispatcherFunction": 24, "NoticesFunction": 24, "BroomFunction": 4},
    alarm_metrics=10,
    dashboards=1,
    custom_metrics=frozenset(),
    log_days=30,
    provisioned_units=35,
    scaled_capacities=10,
    is_validated=True,
    writes_only=True,
)
"""A stack that no change of the template touches, so that the calculation stays what it was."""
MIDDLE = Asked(accounts=100, regions=17, launches_a_day=500)
DAYS = 730 / 24
RESULTS = Path(__file__).parents[2] / "benchmarks" / "RESULTS.md"


def _lines(bill: Bill) -> dict[str, Line]:
    return {line.name: line for line in bill.lines}


def test_a_hundred_accounts_by_hand() -> None:
    """Hourly, in 17 regions, with 500 launches a day of which 25 break the policy, beside an existing trail."""
    lines = _lines(make_bill(MIDDLE, FACTS))
    # 288 log files of the one busy region and 16 x 24 of the others; 17 x 24 digest files; by accounts.
    logs, digests = 67_200 * DAYS, 40_800 * DAYS
    broom_messages = logs + digests + (500 + 25) * DAYS + 4 * DAYS * 100
    broom_batches = broom_messages / (1 + broom_messages / 2_628_000 / 2 * 10)
    second = 512 / 1024
    core = 512 / 1769

    requests = 730 + 7_300 + 2 * 10 * DAYS + 730 + broom_batches + 4 * DAYS
    assert lines["lambda_requests"].quantity == pytest.approx(requests)
    assert lines["lambda_requests"].dollars == 0

    gb_seconds = second * (
        730 * (0.8 / core + 1)  # dispatcher
        + 7_300 * (7.3 / core + 3)  # workers, ten accounts each
        + 20 * DAYS * ((0.3 + 7 / 170) / core + 1)  # one region read again
        + 730 * (0.7 / core + 1)  # notices
        + 730 * 1_800 * 0.001 / core  # the report
        + (logs + digests) * (0.003 / core + 0.040)
        + 0.01 * broom_batches * 0.44 / core
        + 475 * DAYS * (0.010 / core + 0.250)
        + 25 * DAYS * (0.036 / core + 1.2)
        + 4 * DAYS * 100 * (0.840 / core + 17 * 0.150)
    )
    assert lines["lambda_gb_seconds_x86_64"].quantity == pytest.approx(gb_seconds)
    assert lines["lambda_gb_seconds_x86_64"].dollars == 0

    assert lines["sqs_requests"].quantity == pytest.approx(
        7_300 + 20 * DAYS + broom_messages  # sent
        + _polls(5, 7_300) + _polls(2, 20 * DAYS) + _polls(2, broom_messages)
        + 7_300 + 20 * DAYS + broom_batches  # deleted
    )  # fmt: skip
    assert lines["sqs_requests"].dollars == pytest.approx((lines["sqs_requests"].quantity - 1e6) * 0.40 / 1e6)

    publishes = logs + digests + 25 * DAYS + 730
    assert lines["sns_publishes"].quantity == pytest.approx(publishes)
    assert lines["sns_publishes"].dollars == pytest.approx((publishes - 1e6) * 0.50 / 1e6)

    assert lines["eventbridge_events"].dollars == pytest.approx((500 + 10 + 25) * DAYS / 1e6)
    assert lines["scheduler_invocations"].quantity == pytest.approx(25 * DAYS)
    assert lines["scheduler_invocations"].dollars == 0

    writes = 730 * 100 * 1 + 10 * DAYS * 8 + 475 * DAYS * 3 + 25 * DAYS * 18
    assert lines["dynamodb_write_units"].quantity == pytest.approx(writes)
    assert lines["dynamodb_write_units"].dollars == pytest.approx(writes * 0.625 / 1e6)
    # 1,800 VPCs of 1,600 bytes are 704 pieces of 4 KB; beside them a consistent read of each account's coverage.
    reads = 730 * (352 + 100) + 730 * (352 + 50) + 2 * 500 * DAYS
    # The report is made of what notices read, and of 30 days of cases.
    reads += 730 * 30 * 25 * 1_100 / 4096 / 2
    assert lines["dynamodb_read_units"].quantity == pytest.approx(reads)
    assert lines["dynamodb_read_units"].dollars == pytest.approx(reads * 0.125 / 1e6)
    stored = (2 * 1_800 * 1_600 + 365 * 10 * 1_600 + 2 * 365 * 500 * 1_100) / 1024**3
    assert lines["dynamodb_storage"].quantity == pytest.approx(stored)
    assert lines["dynamodb_storage"].dollars == 0

    assert lines["s3_gets"].dollars == pytest.approx((logs + 500 * DAYS + 730) * 0.0004 / 1000)
    assert lines["s3_puts"].dollars == pytest.approx(730 * 0.005 / 1000)
    assert (lines["cloudwatch_alarms"].quantity, lines["cloudwatch_alarms"].dollars) == (10, 0)
    assert (lines["cloudwatch_metrics"].quantity, lines["cloudwatch_metrics"].dollars) == (7, 0)
    assert (lines["cloudwatch_dashboards"].quantity, lines["cloudwatch_dashboards"].dollars) == (1, 0)
    ingested = (requests * 700 + 500 * DAYS * 400) / 1024**3
    assert lines["logs_ingested"].quantity == pytest.approx(ingested)
    assert lines["logs_ingested"].dollars == 0
    assert lines["logs_stored"].quantity == pytest.approx(ingested * 0.15 * 30 / DAYS)
    assert set(lines) == {
        "lambda_requests", "lambda_gb_seconds_x86_64", "sqs_requests", "sns_publishes", "eventbridge_events",
        "scheduler_invocations", "dynamodb_write_units", "dynamodb_read_units", "dynamodb_storage", "s3_gets",
        "s3_puts", "cloudwatch_alarms", "cloudwatch_metrics", "cloudwatch_dashboards", "logs_ingested", "logs_stored",
    }  # fmt: skip


def test_the_metrics_that_are_counted_are_those_that_the_functions_write() -> None:
    assert len(METRICS) == METRICS_OF_FUNCTIONS
    looked_at = read_stack_facts().custom_metrics
    assert looked_at
    assert looked_at <= set(METRICS), "an alarm on a metric that nobody writes never rings"


def _polls(pollers: int, messages: float) -> float:
    """Long polls of 20 s, ended by the first message; a month has 2,628,000 seconds."""
    rate = messages / 2_628_000 / pollers
    return pollers * 2_628_000 * rate / (1 - exp(-20 * rate))


def test_a_queue_that_nothing_comes_into_is_polled_every_twenty_seconds_by_each_poller() -> None:
    quiet = replace(MIDDLE, launches_a_day=0, log_files_a_day=0, digests=False, changes_a_day=0)
    parts = _lines(make_bill(quiet, FACTS))["sqs_requests"].parts
    assert parts["changes: polled"] == 2 * 730 * 180
    limited = replace(FACTS, queues=tuple(replace(queue, is_limited=True) for queue in FACTS.queues))
    assert _lines(make_bill(quiet, limited))["sqs_requests"].parts["changes: polled"] == 5 * 730 * 180


def test_workers_without_a_limit_are_polled_for_less() -> None:
    quiet = replace(MIDDLE, launches_a_day=0, log_files_a_day=0, digests=False, changes_a_day=0)
    few = _lines(make_bill(replace(quiet, workers_unlimited=True), FACTS))["sqs_requests"].parts
    assert few["accounts: polled"] == pytest.approx(_polls(2, 7_300))
    assert few["changes: polled"] == 2 * 730 * 180


def test_a_second_trail_by_hand() -> None:
    """The stack's trail leaves reads out: one busy region an account, 300 events a day in it."""
    lines = _lines(make_bill(replace(MIDDLE, trail=TrailUse.SECOND), FACTS))
    assert lines["cloudtrail_second_copy"].dollars == pytest.approx(100 * 300 * DAYS * 2 / 100_000)
    assert lines["s3_puts"].dollars == pytest.approx((730 + (28_800 + 40_800) * DAYS) * 0.005 / 1_000)
    assert lines["s3_storage"].dollars == pytest.approx((28_800 * 4_000 + 40_800 * 1_000) * 90 / 1024**3 * 0.023)
    everything = _lines(make_bill(replace(MIDDLE, trail=TrailUse.SECOND), replace(FACTS, writes_only=False)))
    # 3,000 events of the account's own, and 24 runs of 17 x 4.12 calls.
    assert everything["cloudtrail_second_copy"].quantity == pytest.approx(100 * (3_000 + 1_681) * DAYS)
    first = _lines(make_bill(replace(MIDDLE, trail=TrailUse.FIRST), replace(FACTS, is_validated=False)))
    assert "cloudtrail_second_copy" not in first
    assert first["s3_puts"].quantity == pytest.approx(730 + 28_800 * DAYS)


def test_the_trackers_calls_where_others_record_or_analyze_them_by_hand() -> None:
    """24 runs a day of 17 x 4.12 calls in each of 100 accounts: 5.1 million events a month."""
    lines = _lines(make_bill(replace(MIDDLE, paid_trail_copies=2, guard_duty=True), FACTS))
    events = 100 * 1_681 * DAYS
    assert events == pytest.approx(5_113_042, rel=1e-6)
    assert lines["cloudtrail_paid_copies"].dollars == pytest.approx(2 * events * 2 / 100_000)
    assert lines["guardduty_events"].dollars == pytest.approx(events * 4 / 1_000_000)
    assert not {"cloudtrail_paid_copies", "guardduty_events"} & set(_lines(make_bill(MIDDLE, FACTS)))


def test_control_towers_bucket_tells_event_bridge_of_its_files_by_hand() -> None:
    usual, lines = _lines(make_bill(MIDDLE, FACTS)), _lines(make_bill(replace(MIDDLE, control_tower=True), FACTS))
    more = lines["eventbridge_events"].quantity - usual["eventbridge_events"].quantity
    assert more == pytest.approx((2 * 67_200 + 40_800) * DAYS)
    assert lines["sns_publishes"].quantity == pytest.approx(usual["sns_publishes"].quantity - (67_200 + 40_800) * DAYS)
    assert lines["sqs_requests"].quantity < usual["sqs_requests"].quantity


def test_the_page_shows_what_the_model_says() -> None:
    page = (Path(__file__).parents[2] / "docs" / "cost.md").read_text(encoding="utf-8")
    for accounts in (100, 1_000, 10_000):
        dollars = make_bill(Asked(accounts, 17, 5 * accounts)).dollars
        assert f"| {accounts:,} | {dollars:,.2f} | {dollars / accounts:.3f} |" in page
    question, facts = replace(MIDDLE, paid_trail_copies=1, guard_duty=True), read_stack_facts()
    seldom = replace(facts, runs_a_day={**facts.runs_a_day, "DispatcherFunction": 4.0})
    hourly, six_hourly = _lines(make_bill(question, facts)), _lines(make_bill(question, seldom))
    assert f"these are {hourly['guardduty_events'].quantity:,.0f} events a month" in page
    for row, line in (
        ("in each further paid copy (`--paid-trail-copies 1`)", hourly["cloudtrail_paid_copies"]),
        ("analyzed by GuardDuty (`--guardduty`)", hourly["guardduty_events"]),
        (
            "the same every six hours (`TrackerSchedule=rate(6 hours)`), in each further paid copy",
            six_hourly["cloudtrail_paid_copies"],
        ),
        ("the same every six hours, analyzed by GuardDuty", six_hourly["guardduty_events"]),
    ):
        assert f"| {row} | {line.dollars:.2f} |" in page


def test_provisioned_tables_a_key_and_mails_by_hand() -> None:
    chosen = replace(MIDDLE, provisioned=True, recovery=True, customer_key=True, mails=True, trail=TrailUse.FIRST)
    lines = _lines(make_bill(chosen, FACTS))
    assert "dynamodb_write_units" not in lines
    assert "dynamodb_read_units" not in lines
    assert lines["dynamodb_provisioned_writes"].dollars == pytest.approx(730 * (35 - 25) * 0.00065)
    assert lines["dynamodb_provisioned_reads"].dollars == pytest.approx(730 * (35 - 25) * 0.00013)
    assert lines["cloudwatch_alarms"].dollars == pytest.approx((10 + 40 - 10) * 0.10)
    assert lines["dynamodb_recovery"].dollars == pytest.approx(lines["dynamodb_storage"].quantity * 0.20)
    assert lines["kms_keys"].dollars == 1
    assert lines["kms_requests"].dollars == pytest.approx((2 * 28_800 * DAYS + 40_800 * DAYS - 20_000) * 0.03 / 10_000)
    assert lines["sns_mails"].quantity == pytest.approx(25 * DAYS)


def test_a_free_tier_that_others_used_up_frees_nothing() -> None:
    lines = _lines(make_bill(replace(MIDDLE, free_tier=False, arm=True), FACTS))
    assert {line.free_share for line in lines.values()} == {None}
    assert lines["cloudwatch_alarms"].dollars == pytest.approx(1)
    assert lines["cloudwatch_dashboards"].dollars == pytest.approx(3)
    assert lines["lambda_requests"].dollars == pytest.approx(lines["lambda_requests"].quantity * 0.2 / 1e6)
    gb_seconds = lines["lambda_gb_seconds_arm64"]
    assert gb_seconds.dollars == pytest.approx(gb_seconds.quantity * 0.0000133334)


def test_the_share_of_the_free_tier_is_never_more_than_all_of_it() -> None:
    lines = _lines(make_bill(MIDDLE, FACTS))
    assert lines["sqs_requests"].free_share == 1
    assert lines["cloudwatch_dashboards"].free_share == pytest.approx(1 / 3)
    assert lines["s3_gets"].free_share is None


def test_ipam_asks_by_the_address_and_hour() -> None:
    assert make_bill(MIDDLE, FACTS).ipam_dollars == pytest.approx(5_000 * 730 * 0.00027)
    assert make_bill(replace(MIDDLE, addresses=7), FACTS).ipam_dollars == pytest.approx(7 * 730 * 0.00027)


def test_the_stack_as_it_is_stays_under_five_dollars_for_a_hundred_accounts() -> None:
    assert 1 < make_bill(MIDDLE).dollars < 5


def test_the_stack_as_it_is_costs_next_to_nothing_for_ten_accounts() -> None:
    small = Asked(accounts=10, regions=17, launches_a_day=50)
    assert make_bill(small).dollars < 0.50
    small = replace(small, workers_unlimited=True, log_files_a_day=2_000, digests=False)
    assert make_bill(small).dollars < 0.05


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"accounts": 0}, "one of the accounts at least"),
        ({"regions": 0}, "one of the regions at least"),
        ({"launches_a_day": 3, "broken_a_day": 4}, "of 3 launches a day, 4 cannot break the policy"),
        ({"control_tower": True, "trail": TrailUse.SECOND}, "the trail is an existing one"),
    ],
)
def test_what_cannot_be_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        make_bill(replace(MIDDLE, **changes), FACTS)


def test_the_facts_are_those_of_the_template() -> None:
    facts = read_stack_facts()
    assert set(facts.memory_mb) == {
        "DispatcherFunction", "TrackerFunction", "NoticesFunction", "PoolFunction", "BroomFunction",
    }  # fmt: skip
    assert {(queue.function, queue.event) for queue in facts.queues} == {
        ("TrackerFunction", "Accounts"), ("TrackerFunction", "Changes"), ("BroomFunction", "Queue"),
    }  # fmt: skip
    assert facts.runs_a_day == FACTS.runs_a_day


_TEMPLATE = """
Parameters:
  Memory: {Type: Number, Default: 256}
  Often: {Type: String, Default: rate(30 minutes)}
  Events: {Type: String, Default: WriteOnly}
Globals: {Function: {MemorySize: !Ref Memory}}
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      MemorySize: 128
      Events:
        Q:
          Type: SQS
          Properties: {BatchSize: 7, MaximumBatchingWindowInSeconds: 3, ScalingConfig: {MaximumConcurrency: 2}}
        S: {Type: Schedule, Properties: {Schedule: !Ref Often}}
  G: {Type: AWS::Serverless::Function, Properties: {Events: {}}}
  A: {Type: AWS::CloudWatch::Alarm, Properties: {Namespace: AWS/SQS, MetricName: Age}}
  B: {Type: AWS::CloudWatch::Alarm, Properties: {Namespace: Landkeeper, MetricName: Held}}
  C: {Type: AWS::CloudWatch::Alarm, Properties: {Metrics: [{Id: a}, {Id: b}]}}
  D: {Type: AWS::CloudWatch::Dashboard, Properties: {}}
  L: {Type: AWS::Logs::LogGroup, Properties: {RetentionInDays: 14}}
  T:
    Type: AWS::DynamoDB::Table
    Properties:
      ProvisionedThroughput: !If [Scaled, {ReadCapacityUnits: 5, WriteCapacityUnits: 5}, !Ref AWS::NoValue]
      GlobalSecondaryIndexes: [{ProvisionedThroughput: {ReadCapacityUnits: 4, WriteCapacityUnits: 4}}]
  P: {Type: AWS::DynamoDB::Table, Properties: {BillingMode: PAY_PER_REQUEST}}
  Trail:
    Type: AWS::CloudTrail::Trail
    Properties:
      Name: !Sub "${AWS::StackName}"
      Filter: !Or {x: y}
      EnableLogFileValidation: true
      EventSelectors: [{ReadWriteType: !Ref Events}]
"""


def test_a_template_is_read_with_its_defaults() -> None:
    assert read_stack_facts(_TEMPLATE) == StackFacts(
        memory_mb={"F": 128, "G": 256},
        queues=(PolledQueue("F", "Q", is_limited=True, batch_size=7, window_seconds=3),),
        runs_a_day={"F": 48},
        alarm_metrics=4,
        dashboards=1,
        custom_metrics=frozenset({"Held"}),
        log_days=14,
        provisioned_units=9,
        scaled_capacities=0,
        is_validated=True,
        writes_only=True,
    )


def test_a_rate_is_a_time() -> None:
    assert (parse_rate("rate(1 hour)"), parse_rate("rate(5 minutes)")) == (timedelta(hours=1), timedelta(minutes=5))
    with pytest.raises(ValueError, match="cron"):
        parse_rate("cron(0 10 * * ? *)")


def test_every_price_says_where_it_is_from_and_the_list_when_it_was_made() -> None:
    listed = read_prices()
    assert date.fromisoformat(listed.as_of) > date(2026, 1, 1)
    assert len(listed.prices) > 10
    for price in listed.prices.values():
        assert price.price > 0
        assert price.per > 0
        assert price.page
        assert re.fullmatch(r"20\d\d(-\d\d)?", price.seen)


def test_every_measured_figure_is_that_of_the_results() -> None:
    """Within a factor of two: the machine that measured last need not be the one that measured first."""
    rows = dict(re.findall(r"^\| ([^|]+) \| ([\d.,]+)[^|]*\|$", RESULTS.read_text(encoding="utf-8"), re.MULTILINE))
    compared = 0
    for name, figure in read_figures().items():
        section, colon, what = figure.source.partition(": ")
        if colon and section in {"workload", "store", "report function"}:
            row, _, divisor = what.partition(", divided by ")
            measured = float(rows[row].replace(",", "")) / float(divisor or 1)
            assert measured / 2 <= figure.value <= measured * 2, name
            compared += 1
        else:
            assert figure.source.startswith(("assumed", "AWS ", "Amazon ", "infra/", "the ")), name
    assert compared > 12
