"""Settings: the environment, and the flags that beat it."""

from __future__ import annotations

from pathlib import Path

import pytest

from landkeeper.org import AccountId, UsageError
from landkeeper.settings import DEFAULT_FILE, Settings, read_settings
from landkeeper.wiring.texts import read_named_file

FULL = {
    "AWS_REGION": "eu-west-1",
    "LANDKEEPER_VPC_TABLE": "VPCTracker",
    "LANDKEEPER_LEDGER_TABLE": "BroomLedger",
    "LANDKEEPER_FILE": "kept.db",
    "LANDKEEPER_TOPIC_ARN": "arn:aws:sns:eu-west-1:111122223333:reports",
    "LANDKEEPER_POLICY": "s3://bucket/broom.yaml",
    "LANDKEEPER_ROLE_NAME": "reader",
    "LANDKEEPER_EXTERNAL_ID": "x-1",
    "LANDKEEPER_REGIONS": "eu-west-1, us-east-1,",
    "LANDKEEPER_ACCOUNTS": "111122223333,444455556666",
    "LANDKEEPER_QUEUE_URL": "https://queue",
    "LANDKEEPER_REPORT_BUCKET": "landkeeper-report",
    "LANDKEEPER_STACK_BLOCKS_PER_HOUR": "7",
    "LANDKEEPER_BUCKET_OWNER": "111122223333",
    "LANDKEEPER_ACTIONS": " OFF ",
}


def test_an_empty_environment_means_the_file_here_and_every_default() -> None:
    assert read_settings({}) == Settings()
    assert read_settings({}).file == DEFAULT_FILE
    assert read_settings({}).actions_on
    opt_in = read_settings({"LANDKEEPER_ACTIONS": "Opt-In"})
    assert (opt_in.actions_on, opt_in.actions_opt_in, opt_in.actions) == (True, True, "opt-in")
    assert [read_settings({"LANDKEEPER_ACTIONS": word}).actions for word in ("on", "off")] == ["on", "off"]


def test_every_variable_is_read() -> None:
    settings = read_settings(FULL)
    assert settings == Settings(
        region=settings.region,
        region_is_given=True,
        vpc_table="VPCTracker",
        ledger_table="BroomLedger",
        file=Path("kept.db"),
        topic_arn="arn:aws:sns:eu-west-1:111122223333:reports",
        policy="s3://bucket/broom.yaml",
        role_name="reader",
        external_id="x-1",
        regions=settings.regions,
        accounts=settings.accounts,
        queue_url="https://queue",
        report_bucket="landkeeper-report",
        stack_blocks_per_hour=7,
        bucket_owner=AccountId("111122223333"),
        actions_on=False,
    )
    assert settings.region == "eu-west-1"
    assert settings.regions == ("eu-west-1", "us-east-1")
    assert settings.accounts == ("111122223333", "444455556666")


def test_empty_variables_count_as_unset() -> None:
    assert read_settings(dict.fromkeys(FULL, "") | {"LANDKEEPER_ACTIONS": "on"}) == Settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LANDKEEPER_ACTIONS", "maybe"),
        ("LANDKEEPER_REGIONS", "Ireland"),
        ("LANDKEEPER_ACCOUNTS", "123"),
        ("LANDKEEPER_STACK_BLOCKS_PER_HOUR", "many"),
        ("LANDKEEPER_BUCKET_OWNER", "123"),
    ],
)
def test_a_wrong_variable_is_named(name: str, value: str) -> None:
    with pytest.raises(UsageError, match=name) as refused:
        read_settings({name: value})
    assert value in str(refused.value)


def test_a_flag_beats_the_environment() -> None:
    settings = read_settings(FULL)
    assert settings.with_store(table="Other", file=None).vpc_table == "Other"
    by_file = settings.with_store(table=None, file=Path("mine.db"))
    assert (by_file.vpc_table, by_file.file) == (None, Path("mine.db"))
    assert settings.with_store(table=None, file=None) == settings
    changed = settings.with_access(role_name="r", external_id="e", regions=["us-west-2"], accounts=["444455556666"])
    assert (changed.role_name, changed.external_id) == ("r", "e")
    assert (changed.regions, changed.accounts) == (("us-west-2",), ("444455556666",))
    assert settings.with_access() == settings


def test_the_ledger_has_flags_of_its_own() -> None:
    settings = read_settings(FULL)
    assert settings.with_ledger(ledger="Other", file=None).ledger_table == "Other"
    by_file = settings.with_ledger(ledger=None, file=Path("mine.db"))
    assert (by_file.ledger_table, by_file.file) == (None, Path("mine.db"))
    assert settings.with_ledger(ledger=None, file=None) == settings


def test_two_stores_at_once_are_refused() -> None:
    with pytest.raises(UsageError, match="mutually exclusive"):
        Settings().with_store(table="T", file=Path("f"))
    with pytest.raises(UsageError, match="mutually exclusive"):
        Settings().with_ledger(ledger="T", file=Path("f"))


def test_a_named_file_is_read_or_named(tmp_path: Path) -> None:
    path = tmp_path / "broom.yaml"
    path.write_text("version: 1\n", encoding="utf-8")
    assert read_named_file(path, what="policy") == "version: 1\n"
    path.write_bytes(b"\xff")
    with pytest.raises(UsageError, match=r"the policy .*broom.yaml is not text in UTF-8"):
        read_named_file(path, what="policy")
    with pytest.raises(UsageError, match=r"the policy .*none.yaml cannot be read: No such file or directory"):
        read_named_file(tmp_path / "none.yaml", what="policy")


def test_what_lambda_says_about_its_memory_limits_a_log() -> None:
    assert read_settings({"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512"}).log_limit_bytes == 64 * 1024 * 1024


def test_days_in_the_ledger_are_a_number() -> None:
    assert read_settings({"LANDKEEPER_LEDGER_DAYS": "400"}).ledger_days == 400
    assert read_settings({"LANDKEEPER_LOG_BUCKETS": "a, b"}).log_buckets == ("a", "b")
    for text in ("0", "-1", "many", "9999999"):
        with pytest.raises(UsageError, match="LANDKEEPER_LEDGER_DAYS is"):
            read_settings({"LANDKEEPER_LEDGER_DAYS": text})


def test_the_seconds_of_an_account_are_a_number() -> None:
    assert read_settings({}).account_seconds == 600
    assert read_settings({"LANDKEEPER_ACCOUNT_SECONDS": " 90 "}).account_seconds == 90
    for text in ("0", "-1", "1.5", "soon", "9999999"):
        with pytest.raises(UsageError, match=f"LANDKEEPER_ACCOUNT_SECONDS is '{text}': expected a number of seconds"):
            read_settings({"LANDKEEPER_ACCOUNT_SECONDS": text})
