"""Measure Broom's function as Lambda runs it: cold starts, and a log file with thirty launches in 128 MB.

`python -m benchmarks.broom_function [--rounds N]`. AWS's runtime client (`awslambdaric`) runs the package that
`landkeeper deploy` makes, with only its own libraries, against the embedded AWS. It is compared with a typical function
(`plain_function.py`: five clients and a resource at import) on the boto3 that Lambda provides. A cold start is the CPU
time of the process from its start to the first answer; runs alternate, and the figures are medians.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import uuid
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path
from statistics import median
from typing import Any

import botocore.session
from tests.lambda_runtime import Invocation, Limits, find_cpu_limit_obstacle, sandbox, share_of
from tests.ledger_tables import create_ledger_table
from tests.packaged_broom import HANDLER, log_file, unpack_package

from benchmarks.broom_event import ROLE, World, a_world, launch_event
from benchmarks.results import write_results
from landkeeper.aws.sessions import AccountCredentials, AccountSessions
from landkeeper.broom.launches import InstanceId
from landkeeper.embedded.simulators import HOME_ACCOUNT, HOME_REGION, Simulators
from landkeeper.org import AccountId, Region

BARS = {"no launch": 0.7, "a launch that complies": 0.9, "a launch that does not comply": 0.9}
"""The share of a typical boto3 function's CPU that Broom's cold start may take, by content of the log file."""
MEMORY_MB, SECONDS = 128, 20
_RECORDS, _ACCOUNTS, _BAD, _GOOD = 3000, 3, 7, 3
_OF_BOTO3 = ("boto3", "botocore", "jmespath", "python-dateutil", "s3transfer", "six", "urllib3")
_ONE_AT_A_TIME = Limits(memory_mb=1769, timeout_seconds=60)


@dataclass(frozen=True, slots=True)
class Function:
    """Code, and how to call it."""

    code: Path
    handler: str
    environment: Mapping[str, str]


class Bench:
    """The functions, the bucket they read from, and the account that instances are started in."""

    def __init__(self, world: World, directory: Path) -> None:
        self._world = world
        self._directory = directory
        self.bucket = f"bench-{uuid.uuid4().hex[:8]}"
        world.session.client("s3").create_bucket(Bucket=self.bucket)
        variables = {name: value for name, value in world.environment.items() if name.startswith(("AWS_", "LANDK"))}
        other = f"{self.bucket}-plain"
        create_ledger_table(world.session.client("dynamodb"), other)
        self.broom = Function(unpack_package(directory), HANDLER, variables)
        self.plain = Function(
            _plain_code(directory / "plain"), "plain_function.handler", variables | {"LANDKEEPER_LEDGER_TABLE": other}
        )

    def notice(self, body: bytes) -> dict[str, Any]:
        """Put a log file into the bucket; return S3's notification."""
        key = f"AWSLogs/{uuid.uuid4()}.json.gz"
        self._world.session.client("s3").put_object(Bucket=self.bucket, Key=key, Body=body)
        placed = {"bucket": {"name": self.bucket}, "object": {"key": key}}
        return {"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": placed}]}

    def log_with(self, content: str) -> bytes:
        """Return a log file of 300 records with this content."""
        if content == "no launch":
            return log_file(300)
        id_ = self._world.start_instance({"Code": "LOL"} if content.endswith("complies") else {"Name": "web"})
        return log_file(300, [launch_event(id_)["detail"]])

    def start_cold(self, function: Function, body: bytes, limits: Limits = _ONE_AT_A_TIME) -> Invocation:
        """Run a new process up to its first answer. Ends the program if that is an error."""
        with sandbox(function.code, function.handler, function.environment, self._directory, limits) as running:
            done = running.invoke(self.notice(body))
            if done.is_error:
                raise SystemExit(f"{function.handler}: {done.answer}: {running.log()[-1000:]}")
            return done

    def thirty_launches(self) -> bytes:
        """A log file of 3,000 records, with thirty launches in three member accounts, of which 21 break the policy."""
        launches = []
        home = botocore.session.Session()
        home.set_credentials(HOME_ACCOUNT, "embedded")
        sessions = AccountSessions(home, role_name=ROLE, region=HOME_REGION)
        for account in (AccountId(f"34{uuid.uuid4().int % 10**10:010d}") for _ in range(_ACCOUNTS)):
            grant = sessions.credentials_for(account)
            if not isinstance(grant, AccountCredentials):
                raise SystemExit(f"{account} cannot be entered: {grant}")
            with sessions.signing_as(grant):
                for count, tags in ((_BAD, {"Name": "web"}), (_GOOD, {"Code": "LOL"})):
                    started = sessions.ec2(Region(HOME_REGION)).run_instances(
                        ImageId="ami-12345678", MinCount=count, MaxCount=count,
                        TagSpecifications=[
                            {"ResourceType": "instance", "Tags": [{"Key": k, "Value": v} for k, v in tags.items()]}
                        ],
                    )  # fmt: skip
                    for instance in started["Instances"]:
                        detail = launch_event(InstanceId(instance["InstanceId"]))["detail"]
                        launches.append({**detail, "recipientAccountId": account})
        return log_file(_RECORDS, launches)


def _plain_code(directory: Path) -> Path:
    """Package the typical boto3 function with boto3 and its dependencies as installed here: complete and compiled."""
    directory.mkdir()
    (directory / "plain_function.py").write_bytes(Path(__file__).with_name("plain_function.py").read_bytes())
    for name in _OF_BOTO3:
        found = distribution(name)
        tops = {file.parts[0] for file in found.files or () if file.parts[0] not in {"..", "__pycache__"}}
        for top in tops:
            (directory / top).symlink_to(Path(str(found.locate_file(top))))
    return directory


def measure_cold_starts(bench: Bench, rounds: int) -> list[tuple[str, str]]:
    """Return the rows on cold starts."""
    rows = []
    ways: dict[str, Function] = {"Broom": bench.broom, "typical boto3 function": bench.plain}
    for content, bar in BARS.items():
        taken: dict[str, list[Invocation]] = {way: [] for way in ways}
        for _ in range(rounds):
            for way, function in ways.items():
                taken[way].append(bench.start_cold(function, bench.log_with(content)))
        cpu = {way: median(invocation.cpu_seconds for invocation in done) for way, done in taken.items()}
        peak = {way: max(invocation.peak_mb for invocation in done) for way, done in taken.items()}
        rows += [(f"cold start, {content}: {way}", f"{1000 * cpu[way]:.0f} ms, {peak[way]:.0f} MB") for way in ways]
        share = cpu["Broom"] / cpu["typical boto3 function"]
        rows.append((f"cold start, {content}: Broom's share (threshold: {bar})", f"{share:.2f}"))
    return rows


def measure_limits(bench: Bench) -> list[tuple[str, str]]:
    """Return the rows on 128 MB and the share of a processor that it buys."""
    what = f"{_RECORDS:,} records with {_ACCOUNTS * (_BAD + _GOOD)} launches, {MEMORY_MB} MB, from a cold start"
    whole = bench.start_cold(bench.broom, bench.thirty_launches(), Limits(MEMORY_MB, timeout_seconds=60))
    rows = [
        (f"{what}: peak memory (threshold: {MEMORY_MB} MB)", f"{whole.peak_mb:.0f} MB"),
        (f"{what}: CPU", f"{1000 * whole.cpu_seconds:.0f} ms"),
    ]
    share = share_of(MEMORY_MB)
    at_share = f"{what}, {share:.1%} of a processor (threshold: {SECONDS} s)"
    obstacle = find_cpu_limit_obstacle()
    if obstacle is not None:
        return [*rows, (at_share, f"not measured: {obstacle}")]
    limits = Limits(MEMORY_MB, timeout_seconds=60, cpu_share=share)
    taken = [bench.start_cold(bench.broom, bench.thirty_launches(), limits).seconds for _ in range(3)]
    return [*rows, (at_share, f"{median(taken):.1f} s, at most {max(taken):.1f} s of {len(taken)}")]


def run(*, rounds: int = 11) -> None:
    """Measure, and write the results to RESULTS.md."""
    with ExitStack() as stack:
        world = stack.enter_context(a_world(stack.enter_context(Simulators())))
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        bench = Bench(world, directory)
        rows = [("cold starts", f"{rounds} of each, alternating; median CPU time, including interpreter and runtime")]
        rows += measure_cold_starts(bench, rounds)
        rows += measure_limits(bench)
    write_results("lambda", rows)


def main() -> int:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.broom_function")
    parser.add_argument("--rounds", type=int, default=11)
    run(rounds=parser.parse_args().rounds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
