"""Measure a unit of the functions' work: the figures that `landkeeper cost` multiplies.

`python -m benchmarks.workload`. Each figure comes from its own process that calls the entry point as Lambda does. The
tracker's EC2 and STS are an endpoint on loopback; everything else is the simulators, which answer at once. Only CPU
time is measured; Lambda's duration follows from the memory, and waiting for AWS is extra. Write units are computed
from the requests, as in `benchmarks.store`.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from math import ceil
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.ec2_endpoint import BUNDLE, REGIONS
from benchmarks.results import write_results

ACCOUNTS_A_BATCH = 10
_TURNS, _BATCHES = 9, 4
_ACCOUNTS = 101
"""Of the organization that is listed, the management account included."""
_VPCS = 510
"""Three in each region that a batch of accounts was read in."""
_RECORDS_A_FILE = 100
_LEDGER, _TABLE, _BUCKET, _ROLE = "BroomLedger", "VPCTracker", "workload", "OrganizationAccountAccessRole"
_MEMBER, _REGION = "320000000001", "eu-west-1"
_POLICY = """
version: 1
rules:
  - name: code
    require: {tag: Code, values: [LOL, GGG]}
    action: terminate
confirm_after: 1s
"""
Figures = dict[str, Any]


class Clock:
    """CPU and wall time since it was made, in milliseconds."""

    def __init__(self) -> None:
        self._cpu, self._wall = time.process_time(), time.perf_counter()

    def read(self) -> tuple[float, float]:
        return 1000 * (time.process_time() - self._cpu), 1000 * (time.perf_counter() - self._wall)


def measure_worker() -> Figures:
    """The tracker's worker: batches of ten accounts of 17 regions with three VPCs each, in which nothing changed."""
    clock = Clock()
    from landkeeper.lambdas.tracker import handler  # noqa: PLC0415

    imported, _ = clock.read()
    batch = _batch(
        *({"landkeeper": "track-account", "account": f"{number:012d}", "name": "shop", "organization": "o-example",
           "run": "1"} for number in range(1, ACCOUNTS_A_BATCH + 1))
    )  # fmt: skip
    turns = [_turn(handler, batch) for _ in range(_BATCHES)]
    return _figures(imported, turns[1:]) | {"first_cpu_ms": turns[0][0]}


def measure_broom() -> Figures:
    """Broom's function: log files of a hundred records without a launch, one a message."""
    clock = Clock()
    from landkeeper.lambdas.broom import handler  # noqa: PLC0415

    imported, _ = clock.read()
    record = _sample("run_instances.json")
    for gone in ("responseElements", "requestParameters"):
        record.pop(gone)
    reads = [{**record, "eventName": "DescribeVpcs", "eventID": str(number)} for number in range(_RECORDS_A_FILE)]
    batches = [_batch(_log_file(f"quiet-{number}", reads)) for number in range(_TURNS + 1)]
    turns = [_turn(handler, batch) for batch in batches]
    return _figures(imported, turns[1:]) | {"first_cpu_ms": turns[0][0]}


def measure_launches() -> Figures:
    """Broom's function: launches of one instance, half of which break the policy, with the confirming read at those."""
    from tests.recorded_calls import recorded_calls  # noqa: PLC0415

    from landkeeper.broom.feeds import write_due_cases  # noqa: PLC0415
    from landkeeper.broom.launches import InstanceId  # noqa: PLC0415
    from landkeeper.lambdas.broom import handler  # noqa: PLC0415

    good = [_start({"Code": "LOL"}) for _ in range(_TURNS)]
    bad = [_start({}) for _ in range(_TURNS)]
    handler(_batch(_log_file("warm", [_launch(_start({}))])), None)
    answer: Figures = {}
    batches = {id_: _batch(_log_file(id_, [_launch(id_)])) for id_ in (*good, *bad)}
    with recorded_calls() as calls:
        turns = [_turn(handler, batches[id_]) for id_ in good]
        answer["compliant"] = _figures(0, turns) | _spent(calls, len(good))
        calls.clear()
        first = [_turn(handler, batches[id_]) for id_ in bad]
        time.sleep(1.2)
        second = [_turn(handler, _batch(json.loads(write_due_cases((InstanceId(id_),))))) for id_ in bad]
        both = [(before[0] + after[0], before[1] + after[1]) for before, after in zip(first, second, strict=True)]
        answer["destroyed"] = _figures(0, both) | _spent(calls, len(bad))
    return answer


def measure_dispatcher() -> Figures:
    """The tracker's dispatcher, cold, in an organization of `_ACCOUNTS` accounts."""
    clock = Clock()
    from landkeeper.lambdas.tracker import handler  # noqa: PLC0415

    handler({}, None)
    return {"cold_cpu_ms": clock.read()[0]}


def measure_notices() -> Figures:
    """The notices function, cold, on the VPCs that the worker has read."""
    clock = Clock()
    from landkeeper.lambdas.tracker import handler  # noqa: PLC0415

    handler({"task": "notices"}, None)
    return {"cold_cpu_ms": clock.read()[0]}


def measure_audit() -> Figures:
    """Broom's function: the audit of one account of 17 regions without an instance, cold and then warm."""
    clock = Clock()
    from landkeeper.broom.feeds import write_audit_order  # noqa: PLC0415
    from landkeeper.lambdas.broom import handler  # noqa: PLC0415
    from landkeeper.org import AccountId  # noqa: PLC0415

    imported, _ = clock.read()
    turns = [_turn(handler, _batch(json.loads(write_audit_order(AccountId(_MEMBER))))) for _ in range(_BATCHES)]
    return _figures(imported, turns[1:]) | {"first_cpu_ms": turns[0][0]}


MEASURES: dict[str, Callable[[], Figures]] = {
    "worker": measure_worker,
    "broom": measure_broom,
    "launches": measure_launches,
    "dispatcher": measure_dispatcher,
    "notices": measure_notices,
    "audit": measure_audit,
}


def _turn(handler: Callable[[Any, Any], Mapping[str, Any]], batch: Mapping[str, Any]) -> tuple[float, float]:
    clock = Clock()
    answer = handler(batch, None)
    spent = clock.read()
    if answer != {"batchItemFailures": []}:
        raise SystemExit(f"not done: {answer}")
    return spent


def _figures(imported: float, turns: Sequence[tuple[float, float]]) -> Figures:
    return {
        "import_cpu_ms": imported,
        "cpu_ms": median(cpu for cpu, _ in turns),
        "wall_ms": median(wall for _, wall in turns),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def _spent(calls: Sequence[Any], launches: int) -> Figures:
    from landkeeper.aws.items import count_bytes  # noqa: PLC0415

    counted = Counter(call.operation for call in calls)
    written = [count_bytes(call.parameters["Item"]) for call in calls if call.operation == "PutItem"]
    units = Counter({"UpdateItem": counted["UpdateItem"]})
    for size in written:
        # The table, and the index: a case whose state changed is taken out of it and put back in.
        units["PutItem"] += 3 * ceil(size / 1024)
    return {
        "calls": {name: count / launches for name, count in sorted(counted.items())},
        "write_units": sum(units.values()) / launches,
        "item_bytes": max(written, default=0),
    }


def _batch(*bodies: Mapping[str, Any]) -> dict[str, Any]:
    record = _sample("sqs_batch.json")["Records"][0]
    return {"Records": [{**record, "messageId": str(at), "body": json.dumps(body)} for at, body in enumerate(bodies)]}


def _sample(name: str) -> Any:
    return json.loads((Path(__file__).parents[1] / "tests" / "events" / name).read_text(encoding="utf-8"))


def _log_file(name: str, records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Put a log file into the bucket; return S3's notification."""
    key = f"AWSLogs/{name}.json.gz"
    _home().home("s3").put_object(
        Bucket=_BUCKET, Key=key, Body=gzip.compress(json.dumps({"Records": records}).encode())
    )
    notification: dict[str, Any] = _sample("s3_notification.json")
    notification["Records"][0]["s3"].update(bucket={"name": _BUCKET}, object={"key": key})
    return notification


def _launch(id_: str) -> dict[str, Any]:
    from tests.deployed_broom import record  # noqa: PLC0415

    return record(id_, account=_MEMBER)


def _start(tags: Mapping[str, str]) -> str:
    from tests.member_instances import start_instances  # noqa: PLC0415

    from landkeeper.org import AccountId  # noqa: PLC0415

    (id_,) = start_instances(AccountId(_MEMBER), tags)
    return id_


def _home() -> Any:
    from tests.servers import home_sessions  # noqa: PLC0415

    return home_sessions(_ROLE)


def run() -> None:
    """Measure each figure in a separate process, and write the results to RESULTS.md."""
    from landkeeper.embedded.simulators import Simulators  # noqa: PLC0415

    with Simulators() as simulators:
        environment = _kept() | simulators.environment() | _prepare(simulators.environment())
        worker = _with_endpoint(environment)
        broom = _measured("broom", environment)
        launches = _measured("launches", environment)
        measured = {
            "audit": _measured("audit", environment | {"LANDKEEPER_REGIONS": ",".join(REGIONS)}),
            "dispatcher": _measured("dispatcher", environment),
            "notices": _measured("notices", environment),
        }
    rows = [*_rows(worker, broom, launches), *_more_rows(**measured)]
    write_results("workload", rows)


def _kept() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "LANDKEEPER_"))}
    return kept | {"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": os.devnull}


def _prepare(endpoints: Mapping[str, str]) -> dict[str, str]:
    """Create tables, bucket, policy, topic and queue; return the functions' environment."""
    from tests.ledger_tables import create_ledger_table  # noqa: PLC0415

    from landkeeper.aws.vpctracker.vpc_table import create_tables  # noqa: PLC0415

    os.environ.update(endpoints)
    home = _home().home
    home("organizations").create_organization(FeatureSet="ALL")
    for number in range(1, _ACCOUNTS):
        home("organizations").create_account(AccountName=f"team-{number}", Email=f"team-{number}@example.com")
    create_tables(home("dynamodb"), _TABLE)
    create_ledger_table(home("dynamodb"), _LEDGER)
    home("s3").create_bucket(Bucket=_BUCKET)
    home("s3").put_object(Bucket=_BUCKET, Key="broom.yaml", Body=_POLICY.encode())
    return {
        "LANDKEEPER_VPC_TABLE": _TABLE,
        "LANDKEEPER_LEDGER_TABLE": _LEDGER,
        "LANDKEEPER_POLICY": f"s3://{_BUCKET}/broom.yaml",
        "LANDKEEPER_ROLE_NAME": _ROLE,
        "LANDKEEPER_TOPIC_ARN": home("sns").create_topic(Name="reports")["TopicArn"],
        "LANDKEEPER_QUEUE_URL": home("sqs").create_queue(QueueName="cases")["QueueUrl"],
    }


def _with_endpoint(environment: Mapping[str, str]) -> Figures:
    with tempfile.TemporaryDirectory() as directory:
        command = [sys.executable, "-m", "benchmarks.ec2_endpoint", directory, "50", "17"]
        with subprocess.Popen(  # noqa: S603 - this interpreter
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as server:
            port = server.stdout.readline().strip() if server.stdout else ""
            url = f"https://localhost:{port}"
            pointed = {"AWS_ENDPOINT_URL_EC2": url, "AWS_ENDPOINT_URL_STS": url}
            bundle = {"AWS_CA_BUNDLE": str(Path(directory) / BUNDLE)}
            # The first process fills the table; the second starts as a function does every hour.
            _measured("worker", {**environment, **pointed, **bundle})
            figures = _measured("worker", {**environment, **pointed, **bundle})
            counted, _ = server.communicate()
    return figures | {"ec2_calls": json.loads(counted)}


def _measured(name: str, environment: Mapping[str, str]) -> Figures:
    command = [sys.executable, "-m", "benchmarks.workload", "--measure", name]
    done = subprocess.run(command, env=dict(environment), check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603 - this interpreter
    figures: Figures = json.loads(done.stdout.splitlines()[-1])
    return figures


def _rows(worker: Figures, broom: Figures, launches: Figures) -> list[tuple[str, str]]:
    calls = sum(worker["ec2_calls"].values()) / (2 * _BATCHES * ACCOUNTS_A_BATCH)
    rows = [
        ("tracker: imports, CPU", f"{worker['import_cpu_ms']:.0f} ms"),
        ("tracker: first batch after a cold start, CPU", f"{worker['first_cpu_ms']:.0f} ms"),
        ("tracker: CPU per account of 17 regions", f"{worker['cpu_ms'] / ACCOUNTS_A_BATCH:.0f} ms"),
        ("tracker: a batch of ten accounts, 50 ms latency per call", f"{worker['wall_ms']:.0f} ms"),
        ("tracker: EC2 and STS calls per account", f"{calls:.1f}"),
        ("tracker: peak memory", f"{worker['peak_mb']:.0f} MB"),
        ("broom: imports, CPU", f"{broom['import_cpu_ms']:.0f} ms"),
        ("broom: first log file after a cold start, CPU", f"{broom['first_cpu_ms']:.0f} ms"),
        (f"broom: CPU per log file of {_RECORDS_A_FILE} records without a launch", f"{broom['cpu_ms']:.1f} ms"),
        ("broom: peak memory without a launch", f"{broom['peak_mb']:.0f} MB"),
    ]
    for kind in ("compliant", "destroyed"):
        spent = launches[kind]
        counts = ", ".join(f"{name} {count:g}" for name, count in spent["calls"].items())
        rows += [
            (f"broom: CPU per launch, {kind}", f"{spent['cpu_ms']:.0f} ms"),
            (f"broom: ledger write units per launch, {kind}", f"{spent['write_units']:.1f}"),
            (f"broom: calls per launch, {kind}", counts),
        ]
    return [*rows, ("broom: largest case written", f"{launches['destroyed']['item_bytes']} bytes")]


def _more_rows(audit: Figures, dispatcher: Figures, notices: Figures) -> list[tuple[str, str]]:
    return [
        ("broom: first audit of an account of 17 regions after a cold start, CPU", f"{audit['first_cpu_ms']:.0f} ms"),
        ("broom: CPU per audit of an account of 17 regions", f"{audit['cpu_ms']:.0f} ms"),
        (f"tracker: a dispatcher run for {_ACCOUNTS} accounts, cold start, CPU", f"{dispatcher['cold_cpu_ms']:.0f} ms"),
        (f"tracker: a notices run over {_VPCS} VPCs, cold start, CPU", f"{notices['cold_cpu_ms']:.0f} ms"),
    ]


def main() -> int:
    """Parse the command line and run; this module calls itself with `--measure`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.workload")
    parser.add_argument("--measure", choices=sorted(MEASURES), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        sys.stdout.write("\n" + json.dumps(MEASURES[given.measure]()) + "\n")
    else:
        run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
