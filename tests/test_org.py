"""Shared words: what is an account id, what is a region, and how a failure reads."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from landkeeper.org import (
    Account,
    AccountId,
    Failure,
    FailureReason,
    UsageError,
    counted,
    decode_text,
    format_duration,
    format_exact_time,
    format_time,
    join_some,
    parse_account_id,
    parse_duration,
    parse_instant,
    parse_region,
    percentage,
    well_formed,
)


def test_an_account_id_has_twelve_digits() -> None:
    assert parse_account_id("111122223333") == "111122223333"


@pytest.mark.parametrize("text", ["", "11112222333", "1111222233334", "11112222333a", "\uff11" * 12, " 111122223333"])
def test_anything_else_is_refused_by_name(text: str) -> None:
    with pytest.raises(UsageError, match="twelve digits") as refused:
        parse_account_id(text)
    assert f"'{text}'" in str(refused.value)


@pytest.mark.parametrize("text", ["eu-west-1", "us-gov-west-1", "cn-northwest-1", "ap-southeast-2", "us-iso-east-1"])
def test_region_codes_of_every_partition_are_regions(text: str) -> None:
    assert parse_region(text) == text


@pytest.mark.parametrize("text", ["", "Ireland", "eu-west", "EU-WEST-1", "eu-west-1a", "*"])
def test_what_cannot_be_a_region_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="region code"):
        parse_region(text)


def test_an_account_is_called_by_its_name_where_it_has_one() -> None:
    assert Account(AccountId("111122223333"), "lake").label == "lake (111122223333)"
    assert Account(AccountId("111122223333")).label == "111122223333"


def test_a_failure_reads_as_reason_and_detail() -> None:
    assert str(Failure(FailureReason.THROTTLED)) == "throttled out"
    assert str(Failure(FailureReason.SCP_DENY, "AccessDenied", "no")) == (
        "denied by a service control policy (AccessDenied: no)"
    )


@pytest.mark.parametrize(
    ("moment", "text", "exact"),
    [
        ("2026-03-01T12:00:00+00:00", "2026-03-01T12:00:00Z", "2026-03-01T12:00:00Z"),
        ("2026-03-01T12:00:00.250000+00:00", "2026-03-01T12:00:00Z", "2026-03-01T12:00:00.250000Z"),
    ],
)
def test_a_time_is_written_in_utc_to_the_second_or_exactly(moment: str, text: str, exact: str) -> None:
    assert format_time(datetime.fromisoformat(moment)) == text
    assert format_exact_time(datetime.fromisoformat(moment)) == exact


def test_a_time_elsewhere_is_written_in_utc() -> None:
    assert format_time(datetime.fromisoformat("2026-03-01T13:30:00+01:30")) == "2026-03-01T12:00:00Z"


@pytest.mark.parametrize(
    ("names", "text"), [([], ""), (["a"], "a"), (["a", "b"], "a, b"), (["a", "b", "c", "d"], "a, b and 2 more")]
)
def test_some_names_are_named_and_the_others_counted(names: list[str], text: str) -> None:
    assert join_some(names, 2) == text


@pytest.mark.parametrize(
    ("number", "plural", "words"),
    [
        (0, "", "0 VPCs"),
        (1, "", "1 VPC"),
        (2, "", "2 VPCs"),
        (12345, "", "12,345 VPCs"),
        (1, "es", "1 VPC"),
        (3, "es", "3 es"),
    ],
)
def test_a_noun_is_in_the_plural_where_that_is_right_and_thousands_are_set_apart(
    number: int, plural: str, words: str
) -> None:
    assert counted(number, "VPC", plural) == words


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [(0, 7, "0%"), (1, 1000, "<1%"), (1, 2, "50%"), (999, 1000, "99%"), (7, 7, "100%"), (2.5, 1, "250%")],
)
def test_a_percentage_is_nothing_only_for_nothing_and_all_only_for_all(part: float, whole: float, text: str) -> None:
    assert percentage(part, whole) == text


@pytest.mark.parametrize(
    ("text", "first", "end"),
    [
        ("2028-02-29", "2028-02-29T00:00:00Z", "2028-03-01T00:00:00Z"),
        ("2026-12-31", "2026-12-31T00:00:00Z", "2027-01-01T00:00:00Z"),
        ("2026-03-29T02:30:00", "2026-03-29T02:30:00Z", "2026-03-29T02:30:00Z"),
        ("2026-10-25T02:30:00+02:00", "2026-10-25T00:30:00Z", "2026-10-25T00:30:00Z"),
        ("9999-12-31", "9999-12-31T00:00:00Z", "9999-12-31T23:59:59Z"),
        ("9999-12-31T23:59:59-14:00", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"),
        ("0001-01-01", "0001-01-01T00:00:00Z", "0001-01-02T00:00:00Z"),
        ("0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
    ],
)
def test_instants_to_the_ends_of_the_calendar(text: str, first: str, end: str) -> None:
    assert format_time(parse_instant(text, "--since")) == first
    assert format_time(parse_instant(text, "--until", is_end=True)) == end


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("7d", "2026-02-22T12:00:00Z"), ("2w", "2026-02-15T12:00:00Z"), ("12h", "2026-03-01T00:00:00Z"),
        ("30m", "2026-03-01T11:30:00Z"), ("90s", "2026-03-01T11:58:30Z"), ("999999d", "0001-01-01T00:00:00Z"),
        ("2026-01-01", "2026-01-01T00:00:00Z"),
    ],
)  # fmt: skip
def test_a_duration_is_that_long_ago(text: str, moment: str) -> None:
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert format_time(parse_instant(text, "--since", now=now)) == moment


@pytest.mark.parametrize("text", ["7d", "36h", "15m", "61s", "1d"])
def test_a_duration_is_written_as_it_is_read(text: str) -> None:
    duration = parse_duration(text)
    assert duration is not None
    assert format_duration(duration) == text


@pytest.mark.parametrize("text", ["", "d", "7", "-7d", "7 d", "1.5h", "7y", "\u0667d", "9999999d"])
def test_other_texts_are_no_durations(text: str) -> None:
    assert parse_duration(text) is None
    with pytest.raises(UsageError, match="expected a time such as"):
        parse_instant(text, "--since", now=datetime(2026, 3, 1, tzinfo=UTC))


@pytest.mark.parametrize("text", ["2027-02-29", "10000-01-01", "2026-03-01T24:00:01", "0000-01-01", "soon", ""])
def test_what_the_calendar_does_not_have_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=f"--until is '{text}': expected a time such as"):
        parse_instant(text, "--until", is_end=True)


def test_halves_of_pairs_of_surrogates_are_written_as_in_source_code() -> None:
    assert well_formed("caf\udce9 \ud83d\ude00") == "caf\\udce9 \\ud83d\\ude00"
    assert well_formed("caf\u00e9 \U0001f600") == "caf\u00e9 \U0001f600"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_files_of_windows_are_text_too(encoding: str) -> None:
    assert decode_text("a: \u00e9\r\nb\n".encode(encoding)) == "a: \u00e9\nb\n"


@pytest.mark.parametrize("content", [b"\xe9", b"\xff\xfea", "\u00e9".encode("utf-16-le")])
def test_what_is_in_no_known_encoding_is_no_text(content: bytes) -> None:
    with pytest.raises(UnicodeDecodeError):
        decode_text(content)
