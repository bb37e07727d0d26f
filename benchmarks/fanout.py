"""Measure the cost of a call when reading many accounts: Landkeeper, and a session per account, a client per region.

`python -m benchmarks.fanout [--accounts N] [--regions N] [--latency-ms N] [--sample N]`. Both methods read from a TLS
endpoint on loopback, each in its own process, in turn: the other method, Landkeeper, the other method. The other method
reads only a sample of the accounts, because each account costs the same. It reads VPCs only; Landkeeper also reads
subnets and connections, so the figures show the cost per region beside the cost per call. Imports do not count.
Certificates are verified as usual: against botocore's authorities and the endpoint's own certificate.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import mean

import boto3
from tests.memory_store import MemoryStore

from benchmarks.ec2_endpoint import BUNDLE, REGIONS
from benchmarks.results import write_results
from landkeeper.aws.sessions import open_sessions
from landkeeper.aws.vpctracker.vpcs import Ec2VpcReader
from landkeeper.org import Account, AccountId, Region
from landkeeper.vpctracker.coverage import Coverage
from landkeeper.vpctracker.differences import Change
from landkeeper.vpctracker.track import track
from landkeeper.wiring.vpctracker.commands import CALLS_AT_ONCE_AMONG_MANY, MAX_WORKERS

RATIO_BAR = 15
MEMORY_BAR_MB = 130
_TIMEOUT_SECONDS = 1200


@dataclass(frozen=True, slots=True)
class Cost:
    """What a process used."""

    cpu_seconds: float
    wall_seconds: float
    peak_mb: float
    vpcs: int


@dataclass(frozen=True, slots=True)
class Measured:
    """The cost of one method, and the calls that the endpoint counted."""

    cost: Cost
    calls: int
    regions: int

    @property
    def cpu_ms_per_call(self) -> float:
        return 1000 * self.cost.cpu_seconds / self.calls

    @property
    def cpu_ms_per_region(self) -> float:
        return 1000 * self.cost.cpu_seconds / self.regions


class CountingStore(MemoryStore):
    """A store that counts what it is given and keeps none of it: the reads are measured, not a store."""

    def __init__(self) -> None:
        super().__init__()
        self.written = 0

    def write_changes(self, changes: Sequence[Change]) -> Sequence[Change]:
        self.written += len(changes)
        return ()

    def write_coverage(self, coverage: Coverage) -> bool:
        return True


def track_all(accounts: int, _regions: int) -> int:
    """Read as `vpc track` does; return the number of VPCs."""
    sessions = open_sessions(Region(REGIONS[0]), role_name="reader")
    store = CountingStore()
    members = [Account(AccountId(account)) for account in _account_ids(accounts)]
    reader = Ec2VpcReader(lambda _: sessions, calls_at_once=CALLS_AT_ONCE_AMONG_MANY)
    outcome = track(members, reader, store, clock=lambda: datetime.now(UTC), max_workers=MAX_WORKERS)
    if not outcome.is_complete:
        raise SystemExit(f"could not be read: {outcome.unreadable[:1] or outcome.unconnected[:1]}")
    return store.written


def session_per_account(accounts: int, regions: int) -> int:
    """Read with a session per account and a client per region; return the number of VPCs."""
    sts = boto3.client("sts", region_name=REGIONS[0])
    found = 0
    for account in _account_ids(accounts):
        role = f"arn:aws:iam::{account}:role/reader"
        given = sts.assume_role(RoleArn=role, RoleSessionName="landkeeper")["Credentials"]
        session = boto3.Session(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
        for region in REGIONS[:regions]:
            found += len(session.client("ec2", region_name=region).describe_vpcs()["Vpcs"])
    return found


METHODS: dict[str, Callable[[int, int], int]] = {"landkeeper": track_all, "session-per-account": session_per_account}


def _account_ids(count: int) -> list[str]:
    return [f"{number:012d}" for number in range(1, count + 1)]


def spend(method: str, accounts: int, regions: int) -> Cost:
    """Run a method in this process."""
    wall, cpu = time.perf_counter(), time.process_time()
    vpcs = METHODS[method](accounts, regions)
    cpu_seconds, wall_seconds = time.process_time() - cpu, time.perf_counter() - wall
    return Cost(cpu_seconds, wall_seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, vpcs)


def measure(method: str, accounts: int, regions: int, latency_ms: float) -> Measured:
    """Run a method in a new process, against a new endpoint."""
    with tempfile.TemporaryDirectory() as directory:
        endpoint = [sys.executable, "-m", "benchmarks.ec2_endpoint", directory, str(latency_ms), str(regions)]
        with subprocess.Popen(  # noqa: S603 - this interpreter
            endpoint, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as server:
            port = server.stdout.readline().strip() if server.stdout else ""
            one_way = [sys.executable, "-m", "benchmarks.fanout", "--method", method]
            one_way += ["--accounts", str(accounts), "--regions", str(regions)]
            environment = _environment(f"https://localhost:{port}", Path(directory) / BUNDLE)
            printed = subprocess.run(  # noqa: S603 - this interpreter
                one_way, env=environment, check=True, capture_output=True, text=True, timeout=_TIMEOUT_SECONDS
            )
            counted, _ = server.communicate()
    cost = Cost(**json.loads(printed.stdout))
    if cost.vpcs != 3 * accounts * regions:
        raise SystemExit(f"{method} found {cost.vpcs} VPCs and not {3 * accounts * regions}")
    return Measured(cost, sum(json.loads(counted).values()), accounts * regions)


def _environment(url: str, bundle: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "LANDKEEPER_"))}
    return kept | {
        "AWS_ENDPOINT_URL": url,
        "AWS_CA_BUNDLE": str(bundle),
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "example",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


def run(*, accounts: int = 500, regions: int = 17, latency_ms: float = 50, sample: int = 4) -> None:
    """Measure both ways and write the figures down."""
    before = measure("session-per-account", sample, regions, latency_ms)
    ours = measure("landkeeper", accounts, regions, latency_ms)
    after = measure("session-per-account", sample, regions, latency_ms)
    theirs = mean((before.cpu_ms_per_call, after.cpu_ms_per_call))
    theirs_a_region = mean((before.cpu_ms_per_region, after.cpu_ms_per_region))
    write_results(
        "fanout",
        [
            ("endpoint", f"TLS on loopback, {latency_ms:g} ms, {accounts:,} accounts x {regions} regions"),
            ("session per account, client per region: CPU per call", f"{theirs:.1f} ms"),
            ("Landkeeper: CPU per call", f"{ours.cpu_ms_per_call:.2f} ms"),
            (f"ratio (threshold: {RATIO_BAR})", f"{theirs / ours.cpu_ms_per_call:.1f}"),
            ("session per account: CPU per region, VPCs only", f"{theirs_a_region:.1f} ms"),
            ("Landkeeper: CPU per region, with subnets and connections", f"{ours.cpu_ms_per_region:.1f} ms"),
            ("Landkeeper: calls", f"{ours.calls:,} in {ours.cost.wall_seconds:.0f} s"),
            (f"Landkeeper: peak memory (threshold: {MEMORY_BAR_MB} MB)", f"{ours.cost.peak_mb:.0f} MB"),
            ("session per account: peak memory", f"{max(before.cost.peak_mb, after.cost.peak_mb):.0f} MB"),
        ],
    )


def main() -> int:
    """Parse the command line and run; this module calls itself with `--method`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fanout")
    parser.add_argument("--accounts", type=int, default=500)
    parser.add_argument("--regions", type=int, default=len(REGIONS))
    parser.add_argument("--latency-ms", type=float, default=50)
    parser.add_argument("--sample", type=int, default=4)
    parser.add_argument("--method", choices=sorted(METHODS), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.method:
        sys.stdout.write(json.dumps(asdict(spend(given.method, given.accounts, given.regions))))
    else:
        run(accounts=given.accounts, regions=given.regions, latency_ms=given.latency_ms, sample=given.sample)
    return 0


if __name__ == "__main__":
    sys.exit(main())
