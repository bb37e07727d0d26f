"""Which files of a trail's bucket can matter, told by their keys."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from tests.past_logs import trail_key

from landkeeper.broom.cloudtrail.keys import Days, Leave, Take, Walk, delivered_on, delivery_days, plan_listing


@pytest.mark.parametrize(
    ("name", "day"),
    [
        (trail_key("2026-01-31"), date(2026, 1, 31)),
        (trail_key("2026-01-31", organization="o-example"), date(2026, 1, 31)),
        ("copies/111122223333_CloudTrail_eu-west-1_20260131T1005Z_abc.json.gz", date(2026, 1, 31)),
        ("AWSLogs/111122223333/CloudTrail/eu-west-1/2026/02/31/x.json.gz", None),
        ("launches.json", None),
    ],
)
def test_folder_or_name_say_when_a_file_was_delivered(name: str, day: date | None) -> None:
    assert delivered_on(name) == day


def test_days_leave_out_what_is_known_to_be_of_others() -> None:
    days = Days(date(2026, 1, 2), date(2026, 1, 3))
    assert [days.hold(trail_key(f"2026-01-0{day}")) for day in (1, 2, 3, 4)] == [False, True, True, False]
    assert days.hold("launches.json")
    assert Days().hold(trail_key("1999-01-01"))


def test_the_days_reach_as_far_as_tags_may_follow_and_a_file_be_late() -> None:
    since, until = datetime(2026, 1, 2, 12, tzinfo=UTC), datetime(2026, 1, 5, 23, 30, tzinfo=UTC)
    assert delivery_days(since, until, timedelta(hours=1)) == Days(date(2026, 1, 2), date(2026, 1, 7))
    assert delivery_days(None, None, timedelta(hours=1)) == Days()
    assert delivery_days(since, datetime.max.replace(tzinfo=UTC), timedelta(days=1)) == Days(date(2026, 1, 2))


@pytest.mark.parametrize(
    ("prefix", "plan"),
    [
        ("", Walk()),
        ("logs/", Walk()),
        ("logs/AWSLogs/", Walk()),
        ("AWSLogs/o-exam", Walk()),
        ("AWSLogs/o-example/", Walk()),
        ("AWSLogs/o-example/111122223333/", Walk()),
        ("AWSLogs/111122223333/CloudTrail/", Walk()),
        ("AWSLogs/111122223333/CloudTrail/eu-", Walk()),
        ("AWSLogs/1/CloudTrail/eu-west-1/", Take("AWSLogs/1/CloudTrail/eu-west-1/")),
        ("x/AWSLogs/o-a/1/CloudTrail/eu-west-1/2026/0", Take("x/AWSLogs/o-a/1/CloudTrail/eu-west-1/")),
        ("AWSLogs/1/CloudTrail/eu-west-1/2026/01/02/1_Cl", Take("AWSLogs/1/CloudTrail/eu-west-1/")),
        ("AWSLogs/1/CloudTrail-Digest/", Leave("below CloudTrail-Digest/, which holds no CloudTrail log files")),
        ("AWSLogs/1/Config/eu-west-1/", Leave("below Config/, which holds no CloudTrail log files")),
    ],
)
def test_a_prefix_may_begin_anywhere(prefix: str, plan: object) -> None:
    assert plan_listing(prefix) == plan


def test_what_is_no_trail_is_listed_whole_at_some_depth() -> None:
    assert plan_listing("a/b/c/", below=2) == Walk()
    assert plan_listing("a/b/c/", below=3) == Take()


def test_a_region_is_listed_from_its_first_day_on() -> None:
    take = Take("AWSLogs/1/CloudTrail/eu-west-1/")
    assert take.start_after(Days(first=date(2026, 1, 2))) == "AWSLogs/1/CloudTrail/eu-west-1/2026/01/02"
    assert take.start_after(Days()) == Take().start_after(Days(first=date(2026, 1, 2))) == ""
