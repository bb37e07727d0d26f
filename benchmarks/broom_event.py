"""Measure the CPU time of a launch event through EventBridge: Broom, Cloud Custodian and a 15-line handler.

`python -m benchmarks.broom_event [--rounds N]`. Each handler runs warm, in its own process, against the embedded AWS;
Broom runs from the package that `landkeeper deploy` makes. Every event concerns an instance that was just started, and
the handlers take turns in each round. Only the CPU time of the handler's process counts. The policy acts at once
(`confirm_after: 0s`), as the other two do, and all three report over SNS.

Launches are in a member account, which both products enter through a role (`member-role` in Cloud Custodian's policy),
as a central function does. To exclude the cost of roles, launches are also measured in the function's own account,
where the 15-line handler runs too. Cloud Custodian is installed into its own virtual environment under `build/`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import boto3
from tests.ledger_tables import create_ledger_table
from tests.packaged_broom import unpack_package

from benchmarks.results import write_results
from landkeeper.aws.broom.ledger_table import LedgerTable
from landkeeper.broom.case import State
from landkeeper.broom.launches import InstanceId
from landkeeper.embedded.simulators import HOME_ACCOUNT, HOME_REGION, Embedded, Simulators, embedded_session
from landkeeper.org import AccountId

CUSTODIAN = "c7n==0.9.53"
HOME = AccountId(HOME_ACCOUNT)
PLACES = {"in a member account": AccountId("350000000001"), "in Broom's own account": HOME}
ROLE = "OrganizationAccountAccessRole"
BARS = {"complies": 8, "does not comply": 3}
"""Broom's CPU time must be this many times lower than Cloud Custodian's."""
_TAGS: dict[str, dict[str, str]] = {"complies": {"Code": "LOL", "Name": "web"}, "does not comply": {"Name": "web"}}
_ENVIRONMENT = Path("build", "benchmark-custodian")
_POLICY = """
version: 1
rules:
  - name: code
    require: {tag: Code, values: [LOL, GGG]}
    action: terminate
confirm_after: 0s
"""
_WARM_UP = 3
_EC2: dict[AccountId, Any] = {}


@dataclass(frozen=True, slots=True)
class World:
    """The environment of all three handlers."""

    session: boto3.Session
    topic_arn: str
    ledger: LedgerTable
    environment: Mapping[str, str]

    def start_instance(self, tags: Mapping[str, str], account: AccountId = HOME) -> InstanceId:
        """Start an instance with these tags."""
        specification: Any = {
            "ResourceType": "instance",
            "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
        }
        started = self._ec2(account).run_instances(
            ImageId="ami-12345678", MinCount=1, MaxCount=1, TagSpecifications=[specification]
        )
        return InstanceId(started["Instances"][0]["InstanceId"])

    def state_of(self, id_: InstanceId, account: AccountId) -> str:
        """Return the instance's state."""
        (reservation,) = self._ec2(account).describe_instances(InstanceIds=[id_])["Reservations"]
        return str(reservation["Instances"][0]["State"]["Name"])

    def _ec2(self, account: AccountId) -> Any:
        if account not in _EC2:
            role = f"arn:aws:iam::{account}:role/{ROLE}"
            given = self.session.client("sts").assume_role(RoleArn=role, RoleSessionName="bench")["Credentials"]
            keys = (given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
            entered = boto3.Session(*keys, region_name=HOME_REGION)
            _EC2[account] = (self.session if account == HOME_ACCOUNT else entered).client("ec2")
        return _EC2[account]


@contextmanager
def a_world(embedded: Embedded) -> Iterator[World]:
    """Create the ledger, the topic and the policy; return the environment that names them."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "LANDKEEPER_"))}
    os.environ.update(embedded.environment())
    session, name = embedded_session(embedded), f"bench-{uuid.uuid4().hex[:8]}"
    topic = session.client("sns").create_topic(Name=name)["TopicArn"]
    dynamodb = session.client("dynamodb")
    create_ledger_table(dynamodb, name)
    with tempfile.TemporaryDirectory() as directory:
        policy = Path(directory, "broom.yaml")
        policy.write_text(_POLICY, encoding="utf-8")
        environment = {
            **kept,
            **embedded.environment(),
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "LANDKEEPER_LEDGER_TABLE": name,
            "LANDKEEPER_TOPIC_ARN": topic,
            "LANDKEEPER_POLICY": str(policy),
            "LANDKEEPER_ROLE_NAME": ROLE,
        }
        yield World(session, topic, LedgerTable(dynamodb, name), environment)


def launch_event(id_: InstanceId, account: AccountId = HOME) -> dict[str, Any]:
    """The event of a launch of this instance, as EventBridge brings it.

    Source: Amazon EventBridge User Guide, "AWS service events delivered via AWS CloudTrail".
    """
    sample = Path(__file__).parents[1] / "tests" / "events" / "eventbridge_api_call.json"
    event: dict[str, Any] = json.loads(sample.read_text(encoding="utf-8"))
    detail = event["detail"]
    (item,) = detail["responseElements"]["instancesSet"]["items"]
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    detail["responseElements"]["instancesSet"]["items"] = [{**item, "instanceId": id_}]
    detail |= {"eventID": str(uuid.uuid4()), "eventTime": now, "awsRegion": HOME_REGION}
    detail |= {"recipientAccountId": account}
    detail["userIdentity"] |= {"accountId": account}
    return {**event, "id": str(uuid.uuid4()), "account": account, "region": HOME_REGION, "time": now}


class Worker:
    """A handler in a process of its own."""

    def __init__(self, method: str, command: Sequence[str], directory: Path, environment: Mapping[str, str]) -> None:
        self.method = method
        script = Path(__file__).with_name("event_worker.py")
        self._process = subprocess.Popen(  # noqa: S603 - our own script
            [*command, str(script), method],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=directory,
            env=dict(environment),
        )  # fmt: skip

    def handle(self, event: Mapping[str, Any]) -> float:
        """Return the event's CPU time in milliseconds. Ends the program if the handler failed."""
        if self._process.stdin is None or self._process.stdout is None:
            raise SystemExit(f"{self.method} was started without pipes")
        self._process.stdin.write(json.dumps(event) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline() or '{"error": "the process ended"}')
        if "error" in answer:
            raise SystemExit(f"{self.method}: {answer['error']}")
        return float(answer["cpu_ms"])

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


def find_custodian() -> str | None:
    """Return the interpreter with Cloud Custodian, after installing it; None if that fails."""
    python = _ENVIRONMENT / "bin" / "python"
    uv = str(Path(sys.executable).with_name("uv"))
    for command in (
        [uv, "venv", "--quiet", "--allow-existing", "--python", sys.executable, str(_ENVIRONMENT)],
        [uv, "pip", "install", "--quiet", "--python", str(python), CUSTODIAN],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own tool
        if done.returncode:
            sys.stderr.write(f"{CUSTODIAN} cannot be installed, so it is not measured: {done.stderr.strip()[-300:]}\n")
            return None
    return str(python.absolute())


def custodian_policy(topic_arn: str, member_role: Mapping[str, str]) -> dict[str, Any]:
    """The same rule as Cloud Custodian's own deployment writes it into a function's `config.json`."""
    return {
        "execution-options": {"account_id": HOME_ACCOUNT},
        "policies": [
            {
                "name": "code",
                "resource": "aws.ec2",
                "mode": {"type": "cloudtrail", "events": ["RunInstances"], "role": "custodian", **member_role},
                "filters": [{"not": [{"type": "value", "key": "tag:Code", "op": "in", "value": ["LOL", "GGG"]}]}],
                "actions": [
                    "terminate",
                    {"type": "notify", "to": ["someone@example.com"], "transport": {"type": "sns", "topic": topic_arn}},
                ],
            }
        ],
    }


def _start_workers(world: World, directory: Path, place: str) -> Iterator[Worker]:
    """Start the handlers that can handle launches in that account."""
    code = unpack_package(directory) if not (directory / "code").exists() else directory / "code"
    ours = {**world.environment, "PYTHONPATH": str(code)}
    yield Worker("landkeeper", [sys.executable, "-S"], directory, ours)
    is_member = PLACES[place] != HOME_ACCOUNT
    if not is_member:
        yield Worker("boto3", [sys.executable], directory, world.environment)
    python = find_custodian()
    if python is not None:
        role = {"member-role": f"arn:aws:iam::{{account_id}}:role/{ROLE}"} if is_member else {}
        theirs = directory / place.replace(" ", "-")
        theirs.mkdir()
        config = json.dumps(custodian_policy(world.topic_arn, role))
        (theirs / "config.json").write_text(config, encoding="utf-8")
        yield Worker("custodian", [python], theirs, world.environment)


Times = dict[tuple[str, str], float]
"""Milliseconds of CPU by handler and kind of event."""


def measure(world: World, directory: Path, place: str, rounds: int) -> Times:
    """Return the median per handler and kind of event, for launches in that account."""
    spent: dict[tuple[str, str], list[float]] = {}
    with ExitStack() as stack:
        workers = list(_start_workers(world, directory, place))
        for worker in workers:
            stack.callback(worker.close)
        for number in range(rounds + _WARM_UP):
            for worker in workers:
                for kind in BARS:
                    cpu_ms = _measure_one(world, worker, kind, PLACES[place])
                    if number >= _WARM_UP:
                        spent.setdefault((worker.method, kind), []).append(cpu_ms)
    return {which: median(times) for which, times in spent.items()}


def _measure_one(world: World, worker: Worker, kind: str, account: AccountId) -> float:
    id_ = world.start_instance(_TAGS[kind], account)
    cpu_ms = worker.handle(launch_event(id_, account))
    wanted = "running" if kind == "complies" else "terminated"
    if (state := world.state_of(id_, account)) != wanted:
        raise SystemExit(f"{worker.method}: {id_} {kind}, and is {state}")
    if worker.method == "landkeeper":
        written = world.ledger.find_cases([id_])[id_].state
        if written is not (State.COMPLIANT if kind == "complies" else State.REPORTED):
            raise SystemExit(f"the ledger has {id_}, which {kind}, as {written}")
    return cpu_ms


def _rows(place: str, spent: Times) -> Iterator[tuple[str, str]]:
    names = {"landkeeper": "Broom", "custodian": f"Cloud Custodian ({CUSTODIAN})", "boto3": "15 lines of boto3"}
    for kind, bar in BARS.items():
        what = f"an instance {place} that {kind}"
        for method, name in names.items():
            if (method, kind) in spent:
                yield f"{what}: {name}", f"{spent[method, kind]:.2f} ms"
        theirs = spent.get(("custodian", kind))
        ratio = None if theirs is None else theirs / spent["landkeeper", kind]
        yield (
            f"{what}: ratio of Cloud Custodian to Broom (threshold: {bar})",
            f"{ratio:.1f}" if ratio else f"not measured: {CUSTODIAN} is not available",
        )


def run(*, rounds: int = 40) -> None:
    """Measure, and write the results to RESULTS.md."""
    rows = [("events", f"{rounds} of each kind per handler, alternating; median CPU time, warm handlers")]
    with ExitStack() as stack:
        world = stack.enter_context(a_world(stack.enter_context(Simulators())))
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for place in PLACES:
            rows += _rows(place, measure(world, directory, place, rounds))
    write_results("broom", rows)


def main() -> int:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.broom_event")
    parser.add_argument("--rounds", type=int, default=40)
    run(rounds=parser.parse_args().rounds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
