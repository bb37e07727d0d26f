"""Settings: what flags and the environment say, checked once, as one frozen value.

A flag beats the environment. The names of the variables are a contract with the deployed stack.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from landkeeper.org import AccountId, Region, UsageError, parse_account_id, parse_region

DEFAULT_FILE = Path("landkeeper.db")
DEFAULT_LOG_LIMIT_BYTES = 256 * 1024 * 1024
DEFAULT_STACK_BLOCKS_PER_HOUR = 50
DEFAULT_REGION = Region("us-east-1")
DEFAULT_ACCOUNT_SECONDS = 600.0
DEFAULT_NETWORK_ROLE = "landkeeper-network"
"""What `member-roles.yaml` calls the role that may change networks."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that a use case or its wiring may be told from outside."""

    region: Region = DEFAULT_REGION
    """`AWS_REGION` or `AWS_DEFAULT_REGION`: where the tables, queues and topics are."""
    region_is_given: bool = False
    """Whether one of them is set; else the region of the profile at hand comes first, and this one last."""
    vpc_table: str | None = None
    """`LANDKEEPER_VPC_TABLE`: the DynamoDB table of VPCs; None means the file."""
    ledger_table: str | None = None
    """`LANDKEEPER_LEDGER_TABLE`: the DynamoDB table of Broom's cases; None means the file."""
    file: Path = DEFAULT_FILE
    """`LANDKEEPER_FILE`: the SQLite file that keeps the same records without a deployment."""
    topic_arn: str | None = None
    """`LANDKEEPER_TOPIC_ARN`: where reports go."""
    policy: str | None = None
    """`LANDKEEPER_POLICY`: a path, `s3://bucket/key`, or `ssm:NAME`."""
    config: str | None = None
    """`LANDKEEPER_CONFIG`: a path, `s3://bucket/key`, or `ssm:NAME`; None: `landkeeper.yaml` if there is one."""
    role_name: str | None = None
    """`LANDKEEPER_ROLE_NAME`: the role assumed in other accounts; None means the own account only."""
    network_role_name: str = DEFAULT_NETWORK_ROLE
    """`LANDKEEPER_NETWORK_ROLE_NAME`: the role in other accounts that makes VPCs, and deletes default ones."""
    external_id: str | None = None
    """`LANDKEEPER_EXTERNAL_ID`: what the trust policies of these roles may ask for."""
    regions: tuple[Region, ...] = ()
    """`LANDKEEPER_REGIONS`: the regions to read; empty means those that an account has enabled."""
    accounts: tuple[AccountId, ...] = ()
    """`LANDKEEPER_ACCOUNTS`: the accounts to read; empty means the organization."""
    account_seconds: float = DEFAULT_ACCOUNT_SECONDS
    """`LANDKEEPER_ACCOUNT_SECONDS`: how long calls in one account may take altogether; what is late is a failure of
    that account."""
    queue_url: str | None = None
    """`LANDKEEPER_QUEUE_URL`: where work for later goes."""
    schedule_role_arn: str | None = None
    """`LANDKEEPER_SCHEDULE_ROLE_ARN`: the role in which EventBridge Scheduler sends cases to the queue when a long
    grace is over; without it a long grace is reached in steps of 15 minutes."""
    log_role_arn: str | None = None
    """`LANDKEEPER_LOG_ROLE_ARN`: the role in which log files are read that lie in another account; None: one's own."""
    log_buckets: tuple[str, ...] = ()
    """`LANDKEEPER_LOG_BUCKETS`: the buckets that the function reads log files from; empty: any that it may read."""
    ledger_days: int | None = None
    """`LANDKEEPER_LEDGER_DAYS`: how long the ledger keeps cases that are settled; None for good."""
    report_bucket: str | None = None
    """`LANDKEEPER_REPORT_BUCKET`: where the function keeps the newest report."""
    stack_blocks_per_hour: int = DEFAULT_STACK_BLOCKS_PER_HOUR
    """`LANDKEEPER_STACK_BLOCKS_PER_HOUR`: how many blocks the stacks of one account may reserve in an hour; 0: any."""
    bucket_owner: AccountId | None = None
    """`LANDKEEPER_BUCKET_OWNER`: the account whose buckets the policy, the configuration and the report are in."""
    log_limit_bytes: int = DEFAULT_LOG_LIMIT_BYTES
    """How large a log file may be when unpacked: an eighth of `AWS_LAMBDA_FUNCTION_MEMORY_SIZE`, which Lambda sets."""
    actions_on: bool = True
    """`LANDKEEPER_ACTIONS`: the kill switch; `off` stops every action, not the reports."""
    actions_opt_in: bool = False
    """`LANDKEEPER_ACTIONS=opt-in`: actions are off until somebody has turned the ledger's switch on."""

    @property
    def actions(self) -> str:
        """`on`, `off` or `opt-in`, as `LANDKEEPER_ACTIONS` says."""
        return "off" if not self.actions_on else "opt-in" if self.actions_opt_in else "on"

    def with_store(self, *, table: str | None, file: Path | None) -> Settings:
        """The same with the store that the flags `--table` and `--file` name; at most one of them."""
        if table is not None and file is not None:
            raise UsageError("--table and --file are mutually exclusive")
        if table is not None:
            return replace(self, vpc_table=table)
        if file is not None:
            return replace(self, vpc_table=None, file=file)
        return self

    def with_ledger(self, *, ledger: str | None, file: Path | None) -> Settings:
        """The same with the ledger that the flags `--ledger` and `--file` name; at most one of them."""
        if ledger is not None and file is not None:
            raise UsageError("--ledger and --file are mutually exclusive")
        if ledger is not None:
            return replace(self, ledger_table=ledger)
        if file is not None:
            return replace(self, ledger_table=None, file=file)
        return self

    def with_config(self, config: str | None) -> Settings:
        """The same with the configuration that the flag `--config` names."""
        return self if config is None else replace(self, config=config)

    def with_access(
        self,
        *,
        role_name: str | None = None,
        external_id: str | None = None,
        regions: Sequence[str] = (),
        accounts: Sequence[str] = (),
    ) -> Settings:
        """The same with the flags that say which accounts and regions to read, and how to get in."""
        return replace(
            self,
            role_name=role_name or self.role_name,
            external_id=external_id or self.external_id,
            regions=tuple(map(parse_region, regions)) or self.regions,
            accounts=tuple(map(parse_account_id, accounts)) or self.accounts,
        )

    def with_network_access(self, *, role_name: str | None, external_id: str | None) -> Settings:
        """The same with the flags `--role` and `--external-id` of commands that change networks."""
        return replace(
            self,
            network_role_name=role_name or self.network_role_name,
            external_id=external_id or self.external_id,
        )


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Settings from environment variables. Raises UsageError naming the variable that is wrong."""
    actions = environ.get("LANDKEEPER_ACTIONS", "on").strip().lower()
    if actions not in {"on", "off", "opt-in"}:
        raise UsageError(f"LANDKEEPER_ACTIONS is '{actions}': expected on, off or opt-in")
    try:
        regions = tuple(map(parse_region, _listed(environ, "LANDKEEPER_REGIONS")))
        accounts = tuple(map(parse_account_id, _listed(environ, "LANDKEEPER_ACCOUNTS")))
    except UsageError as error:
        raise UsageError(f"in LANDKEEPER_REGIONS or LANDKEEPER_ACCOUNTS: {error}") from error
    region = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or None
    return Settings(
        region=Region(region or DEFAULT_REGION),
        region_is_given=region is not None,
        vpc_table=environ.get("LANDKEEPER_VPC_TABLE") or None,
        ledger_table=environ.get("LANDKEEPER_LEDGER_TABLE") or None,
        file=Path(environ.get("LANDKEEPER_FILE") or DEFAULT_FILE),
        topic_arn=environ.get("LANDKEEPER_TOPIC_ARN") or None,
        policy=environ.get("LANDKEEPER_POLICY") or None,
        config=environ.get("LANDKEEPER_CONFIG") or None,
        role_name=environ.get("LANDKEEPER_ROLE_NAME") or None,
        network_role_name=environ.get("LANDKEEPER_NETWORK_ROLE_NAME") or DEFAULT_NETWORK_ROLE,
        external_id=environ.get("LANDKEEPER_EXTERNAL_ID") or None,
        regions=regions,
        accounts=accounts,
        account_seconds=_seconds(environ, "LANDKEEPER_ACCOUNT_SECONDS"),
        queue_url=environ.get("LANDKEEPER_QUEUE_URL") or None,
        schedule_role_arn=environ.get("LANDKEEPER_SCHEDULE_ROLE_ARN") or None,
        log_role_arn=environ.get("LANDKEEPER_LOG_ROLE_ARN") or None,
        log_buckets=tuple(_listed(environ, "LANDKEEPER_LOG_BUCKETS")),
        ledger_days=_days(environ, "LANDKEEPER_LEDGER_DAYS"),
        report_bucket=environ.get("LANDKEEPER_REPORT_BUCKET") or None,
        stack_blocks_per_hour=_number(environ, "LANDKEEPER_STACK_BLOCKS_PER_HOUR", DEFAULT_STACK_BLOCKS_PER_HOUR),
        bucket_owner=_account(environ, "LANDKEEPER_BUCKET_OWNER"),
        log_limit_bytes=_log_limit(environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "")),
        actions_on=actions != "off",
        actions_opt_in=actions == "opt-in",
    )


def _listed(environ: Mapping[str, str], name: str) -> list[str]:
    return [part.strip() for part in environ.get(name, "").split(",") if part.strip()]


def _days(environ: Mapping[str, str], name: str) -> int | None:
    text = environ.get(name, "").strip()
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or not 0 < int(text[:6]) < 100_000:
        raise UsageError(f"{name} is '{text}': expected a number of days")
    return int(text)


def _seconds(environ: Mapping[str, str], name: str) -> float:
    text = environ.get(name, "").strip()
    if not text:
        return DEFAULT_ACCOUNT_SECONDS
    if not text.isascii() or not text.isdigit() or not 0 < int(text[:7]) < 1_000_000:
        raise UsageError(f"{name} is '{text}': expected a number of seconds")
    return float(text)


def _number(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(name, "").strip()
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise UsageError(f"{name} is '{text}': expected a number, or 0 for no limit")
    return int(text)


def _account(environ: Mapping[str, str], name: str) -> AccountId | None:
    text = environ.get(name, "").strip()
    try:
        return parse_account_id(text) if text else None
    except UsageError as error:
        raise UsageError(f"{name}: {error}") from error


def _log_limit(memory_mb: str) -> int:
    # Text and parsed JSON of a file take about six times its size, beside what the function needs in any case.
    return int(memory_mb) * 1024 * 1024 // 8 if memory_mb.isdigit() else DEFAULT_LOG_LIMIT_BYTES
