"""What the functions ask of AWS, and what their roles let them: compared both ways.

The functions are called here as Lambda calls them, through everything that they do, and every call of theirs is
recorded. Member roles hold what is asked with an assumed role, the functions' own roles what is asked without one.
"""

from __future__ import annotations

import ast
import gzip
import json
import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore import xform_name
from tests.answer_server import answer_server
from tests.broom_world import STRICT, event
from tests.deployed_broom import batch, notification, record, start_one
from tests.ledger_tables import create_ledger_table
from tests.member_instances import HERE, ROLE
from tests.privileges.granted import TEMPLATES, AllowedAction, asked_for, grants_of, resources_of
from tests.recorded_calls import recorded_calls
from tests.servers import home_session, home_sessions
from tests.waiting import wait_until

import landkeeper.wiring.broom.commands
from landkeeper.aws.sessions import AccountCredentials
from landkeeper.aws.vpctracker.pool_table import PoolTable
from landkeeper.aws.vpctracker.vpc_table import create_tables
from landkeeper.broom.feeds import write_audit_order, write_due_cases
from landkeeper.embedded.simulators import HOME_ACCOUNT, Embedded
from landkeeper.lambdas import broom, pool, tracker
from landkeeper.operate.package import SERVICES
from landkeeper.org import AccountId
from landkeeper.vpctracker.cidr import parse_block
from landkeeper.vpctracker.pools.operations import create_pool
from landkeeper.vpctracker.pools.pool import Pool
from landkeeper.wiring.vpctracker.pools import actor_named

pytestmark = pytest.mark.embedded

MEMBER, HOME = AccountId("330000000001"), AccountId(HOME_ACCOUNT)
GONE = AccountId("330000000009")
_TRACKER, _BROOM, _DISPATCHER, _NOTICES = "TrackerRole", "BroomRole", "DispatcherRole", "NoticesRole"
_POOLS, _FORWARDER = "PoolRole", "PoolForwarderRole"


@dataclass(slots=True)
class World:
    """The functions' surroundings, and what was asked in them, by role."""

    patch: pytest.MonkeyPatch
    name: str
    targets: dict[str, str] = field(default_factory=dict)
    """What the template calls each table, queue and topic, by its name here."""
    asked: dict[str, set[tuple[str, str]]] = field(default_factory=dict)
    """Permission and target, by the logical id of the role that has to have it."""
    called: set[tuple[str, str]] = field(default_factory=set)
    """botocore's service and operation, of all roles."""

    def queue(self, logical_id: str) -> str:
        url: str = home_sessions().home("sqs").create_queue(QueueName=f"{self.name}-{logical_id}")["QueueUrl"]
        self.targets[f"{self.name}-{logical_id}"] = logical_id
        return url

    def put(self, key: str, text: str) -> str:
        home_sessions().home("s3").put_object(Bucket=self.name, Key=key, Body=text.encode())
        return f"s3://{self.name}/{key}"

    def log(self, *records: object) -> str:
        key = f"AWSLogs/{uuid.uuid4()}.json.gz"
        body = gzip.compress(json.dumps({"Records": records}).encode())
        home_sessions().home("s3").put_object(Bucket=self.name, Key=key, Body=body)
        return notification(self.name, key)

    def set(self, **variables: str) -> None:
        for variable, value in variables.items():
            self.patch.setenv(f"LANDKEEPER_{variable}", value)
        broom.open_broom.cache_clear()
        tracker.warm_worker.cache_clear()

    @contextmanager
    def acting_as(self, role: str, member_role: str) -> Iterator[None]:
        """Everything that is asked inside is asked by these two roles."""
        with recorded_calls() as calls:
            yield
        # What the doctor tries out is not what a role is for.
        for call in (each for each in calls if not each.parameters.get("DryRun")):
            self.called.add((call.service, call.operation))
            asker = role if call.access_key == HOME_ACCOUNT else member_role
            self.asked.setdefault(asker, set()).update(
                (action, self.targets.get(target, target)) for action, target in asked_for(call)
            )


@pytest.fixture(scope="module")
def world(embedded: Embedded) -> Iterator[World]:
    """Everything that the functions do, done once."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in embedded.environment().items():
            patch.setenv(name, value)
        for name in (
            "ACTIONS", "REGIONS", "ACCOUNTS", "CONFIG", "LEDGER_DAYS", "LOG_ROLE_ARN", "EXTERNAL_ID", "FILE",
            "REPORT_BUCKET",
        ):  # fmt: skip
            patch.delenv(f"LANDKEEPER_{name}", raising=False)
        made = World(patch, f"privileges-{uuid.uuid4().hex[:8]}")
        _build(made)
        _track(made)
        _give_blocks(made, embedded)
        _sweep(made)
        yield made
        broom.open_broom.cache_clear()
        tracker.warm_worker.cache_clear()


def _build(world: World) -> None:
    home = home_sessions().home
    home("s3").create_bucket(Bucket=world.name)
    create_tables(home("dynamodb"), world.name)
    create_ledger_table(home("dynamodb"), f"{world.name}-ledger")
    topic = home("sns").create_topic(Name=f"{world.name}-reports")["TopicArn"]
    world.targets |= {
        **{f"{world.name}{part}": f"VpcTracker{part}" for part in ("", "History", "Coverage", "Pools")},
        f"{world.name}-ledger": "Ledger", f"{world.name}-reports": "Reports",
    }  # fmt: skip
    world.set(
        VPC_TABLE=world.name, LEDGER_TABLE=f"{world.name}-ledger", TOPIC_ARN=topic, ROLE_NAME=ROLE,
        SCHEDULE_ROLE_ARN=f"arn:aws:iam::{HOME}:role/landkeeper-schedule",
    )  # fmt: skip


def _track(world: World) -> None:
    """VPC Tracker: the dispatcher by units, workers on accounts and on changes, notices."""
    units, skipped = _organization()
    config = world.put(
        "landkeeper.yaml", f"version: 1\ndiscovery: {{include_ous: [{units[0]}], skip_ous: [{units[1]}]}}\n"
    )
    work, changes = world.queue("WorkQueue"), world.queue("EventsQueue")
    world.set(QUEUE_URL=changes)
    _share_a_vpc(HOME, MEMBER)
    with world.acting_as(_TRACKER, "Reader"):
        # An account that the organization does not have: the dispatcher notes that it is not read.
        _work(_account(GONE), _account(skipped))
        _work(_account(HOME))
        world.set(REGIONS=HERE)
        _work(_account(MEMBER))
    with _ec2(MEMBER) as ec2:
        vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    with world.acting_as(_TRACKER, "Reader"):
        _work(_change("vpc_created.json"))
    with _ec2(MEMBER) as ec2:
        ec2.delete_vpc(VpcId=vpc)
    with world.acting_as(_TRACKER, "Reader"):
        # What a read that an event caused does not show is looked for once more.
        _work(_change("vpc_deleted.json"))
        world.set(CONFIG=config)
        _work(_account(MEMBER))
        answer = tracker.handler({"task": "doctor", "accounts": [MEMBER, HOME]}, None)
        assert [trial["refused"] for trial in answer["trials"]] == [{}, {}]
    with world.acting_as(_DISPATCHER, "nobody"):
        world.set(QUEUE_URL=work)
        assert tracker.handler({}, None)["sent"] > 0
        world.patch.delenv("LANDKEEPER_CONFIG")
        assert tracker.handler({}, None)["sent"] > 0
    with world.acting_as(_NOTICES, "nobody"):
        world.set(CONFIG=config, REPORT_BUCKET=world.name)
        told = tracker.handler({"task": "notices"}, None)
        assert min(told["notices"], told["report"]["vpcs"]) > 0
    for name in ("CONFIG", "REPORT_BUCKET"):
        world.patch.delenv(f"LANDKEEPER_{name}")


def _give_blocks(world: World, embedded: Embedded) -> None:
    """The pools' function: a block for a stack, another one, and both back; requests that come by a forwarder."""
    config = world.put("landkeeper.yaml", "version: 1\n")
    world.set(CONFIG=config, QUEUE_URL=world.queue("EventsQueue"))
    table = PoolTable(home_sessions().home("dynamodb"), world.name)
    create_pool(table, Pool("prod", parse_block("10.128.0.0/16")), actor_named("test"))
    stack = {**event("stack_create.json"), "StackId": f"arn:aws:cloudformation:{HERE}:{HOME}:stack/shop/1"}
    wishes = {**stack["ResourceProperties"], "AcceptUnread": "true"}
    with answer_server() as server:

        def ask(kind: str, physical_id: str = "", **others: str) -> dict[str, Any]:
            return {**stack, "RequestType": kind, "PhysicalResourceId": physical_id, "ResponseURL": server.url,
                    "ResourceProperties": {**wishes, **others}}  # fmt: skip

        with world.acting_as(_POOLS, "nobody"):
            made = pool.handler(ask("Create"), None)["ReservationId"]
            other = pool.handler(ask("Update", made, PrefixLength="24", Ttl="1m"), None)["ReservationId"]
            assert pool.handler(ask("Delete", made), None) == {"Status": "SUCCESS", "ReservationId": made}
        # A read counts as later than what is stored only from the next second on.
        released = datetime.now(UTC)
        wait_until(lambda: datetime.now(UTC) >= released + timedelta(seconds=1))
        with world.acting_as(_TRACKER, "Reader"):
            _work(_account(HOME))
        with world.acting_as(_POOLS, "nobody"):
            # What was given back is cleared away, for the tracker has looked since.
            pool.handler(ask("Update", other, PrefixLength="26"), None)
            assert pool.handler(ask("Create", Account="999988887777"), None)["Status"] == "FAILED"
        with world.acting_as(_FORWARDER, "nobody"):
            _forward(ask("Create"))
    assert [answer["Status"] for answer in server.answers] == ["SUCCESS"] * 4 + ["FAILED"] * 2
    world.patch.delenv("LANDKEEPER_CONFIG")


def _forward(request: Mapping[str, Any]) -> None:
    """The forwarder as it stands in its template. There is no function here: it says so to the stack."""
    code = resources_of("pool-forwarder.yaml")["PoolForwarder"]["Properties"]["Code"]["ZipFile"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_REGION", HERE)
        patch.setenv("URL_SUFFIX", "amazonaws.com")
        patch.setenv("POOL_FUNCTION", f"arn:aws:lambda:{HERE}:{HOME}:function:nobody")
        written: dict[str, Any] = {}
        exec(code, written)  # noqa: S102 - our own template
        written["handler"](request, None)


def _sweep(world: World) -> None:
    """Broom: launches of members and of its own account, ended, stopped, put off and held; audits."""
    world.set(QUEUE_URL=world.queue("BroomQueue"), POLICY=world.put("broom.yaml", STRICT))
    limited = f"{STRICT}limits: {{terminations_per_hour: 5, terminations_per_run: 5, terminations_share: 100%}}\n"
    ended = (STRICT, STRICT.replace("action: terminate", "action: stop"))
    others = (
        STRICT.replace("action: terminate", "action: terminate\n    grace: 2h"),
        STRICT.replace("confirm_after: 0s", "confirm_after: 60s"),
        limited,
        f"{STRICT}onboarding: {{ous: [ou-ab12-11111111], action: notify}}\n",
    )
    for account, texts in ((MEMBER, (*ended, *others)), (HOME, ended)):
        for text in texts:
            world.put("broom.yaml", text)
            world.set()
            launched = start_one(account)
            body = world.log(record(launched, account=account))
            with world.acting_as(_BROOM, "Terminator"):
                _deal(body)
                if "60s" in text:
                    with pytest.MonkeyPatch.context() as patch:
                        patch.setattr(
                            landkeeper.wiring.broom.commands, "_now", lambda: datetime.now(UTC) + timedelta(minutes=2)
                        )
                        world.set()
                        _deal(write_due_cases((launched,)))
        world.put("broom.yaml", STRICT)
        grouped = start_one(account, **{"aws:autoscaling:groupName": "web"})
        body = world.log(record(grouped, account=account))
        with world.acting_as(_BROOM, "Terminator"):
            world.set()
            _deal(body)
            world.patch.delenv("LANDKEEPER_REGIONS", raising=False)
            world.set()
            _deal(write_audit_order(account))
    with world.acting_as(_BROOM, "Terminator"):
        broom.handler({"task": "audit"}, None)
        broom.handler({"task": "doctor", "accounts": [MEMBER, HOME], "organization": True}, None)
    quiet = world.log()
    with world.acting_as(_BROOM, "LogReader"):
        world.set(LOG_ROLE_ARN=f"arn:aws:iam::{HOME}:role/{ROLE}")
        _deal(quiet)
    world.patch.delenv("LANDKEEPER_LOG_ROLE_ARN")


def _deal(body: str) -> None:
    assert broom.handler(batch(body), None) == {"batchItemFailures": []}


def _work(*bodies: str) -> None:
    assert tracker.handler(batch(*bodies), None) == {"batchItemFailures": []}


def _account(account: AccountId) -> str:
    return json.dumps(
        {"landkeeper": "track-account", "account": account, "name": "shop", "organization": "", "run": "1"}
    )


def _change(name: str) -> str:
    envelope: dict[str, Any] = event(name)
    now = f"{datetime.now(UTC) + timedelta(seconds=1):%Y-%m-%dT%H:%M:%SZ}"
    envelope |= {"account": MEMBER, "time": now}
    envelope["detail"] |= {"eventTime": now, "recipientAccountId": MEMBER}
    envelope["detail"]["userIdentity"]["accountId"] = MEMBER
    return json.dumps(envelope)


@contextmanager
def _ec2(account: AccountId) -> Iterator[Any]:
    sessions = home_sessions(ROLE)
    grant = sessions.credentials_for(account)
    assert isinstance(grant, AccountCredentials)
    with sessions.signing_as(grant):
        yield sessions.ec2(HERE)


def _share_a_vpc(owner: AccountId, participant: AccountId) -> None:
    with _ec2(owner) as ec2:
        vpc = ec2.create_vpc(CidrBlock="10.10.0.0/16")["Vpc"]["VpcId"]
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.10.1.0/24")["Subnet"]["SubnetId"]
    home_session().client("ram", region_name=HERE).create_resource_share(
        name="shared", resourceArns=[f"arn:aws:ec2:{HERE}:{owner}:subnet/{subnet}"], principals=[participant]
    )


def _organization() -> tuple[tuple[str, str], AccountId]:
    """A unit to read and one to leave out, and the account that is in the second."""
    client = home_session().client("organizations")
    with suppress(client.exceptions.AlreadyInOrganizationException):
        client.create_organization(FeatureSet="ALL")
    root = client.list_roots()["Roots"][0]["Id"]
    units = [
        client.create_organizational_unit(ParentId=root, Name=uuid.uuid4().hex)["OrganizationalUnit"]["Id"]
        for _ in range(2)
    ]
    accounts = []
    for unit in units:
        email = f"{uuid.uuid4().hex}@example.com"
        made = client.create_account(AccountName="shop", Email=email)["CreateAccountStatus"]["AccountId"]
        client.move_account(AccountId=made, SourceParentId=root, DestinationParentId=unit)
        accounts.append(AccountId(made))
    return (units[0], units[1]), accounts[1]


# What the roles have to have although no code of ours asks for it.
_WITHOUT_OUR_ASKING: Mapping[str, str] = {
    "logs:CreateLogStream": "Lambda writes the function's log with its role",
    "logs:PutLogEvents": "Lambda writes the function's log with its role",
    "sqs:DeleteMessage": "Lambda takes messages off the queue with the function's role",
    "sqs:GetQueueAttributes": "Lambda looks at the queue with the function's role",
    "sqs:ReceiveMessage": "Lambda polls the queue with the function's role",
    "s3:ListBucket": "without it S3 does not say that an object is not there",
    "kms:Decrypt": "S3 decrypts a trail's files with the role of who reads them",
    "account:ListRegions": "asked where EC2 refuses to list the regions in the region at hand",
    "ec2:DescribeSpotInstanceRequests": "asked for an instance of a Spot request, which moto does not show on any",
}
_GRANTED = [grant for template in TEMPLATES for grant in grants_of(template)]
_ROLES = (_DISPATCHER, _TRACKER, _NOTICES, _POOLS, _FORWARDER, _BROOM, "Reader", "Terminator", "LogReader")


Asked = set[tuple[str, str]]


def _missing(asked: Asked, granted: Sequence[AllowedAction]) -> Asked:
    return {
        (action, target)
        for action, target in asked
        if not any(grant.action == action and _is_of(grant.resources, target) for grant in granted)
    }


def _idle(asked: Asked, granted: Sequence[AllowedAction]) -> Asked:
    return {
        (grant.action, grant.resources)
        for grant in granted
        if grant.action not in _WITHOUT_OUR_ASKING
        if not any(grant.action == action and _is_of(grant.resources, target) for action, target in asked)
    }


def _is_of(resources: str, target: str) -> bool:
    """Whether a statement's resources name the target; what has no name here is compared by the action alone."""
    return not target or re.search(rf"\b{target}\b", resources) is not None


def _of(role: str) -> list[AllowedAction]:
    return [grant for grant in _GRANTED if grant.role == role]


@pytest.mark.parametrize("role", _ROLES)
def test_everything_that_is_asked_is_granted(world: World, role: str) -> None:
    assert world.asked[role]
    assert _missing(world.asked[role], _of(role)) == set()


@pytest.mark.parametrize("role", _ROLES)
def test_nothing_is_granted_that_is_never_asked(world: World, role: str) -> None:
    assert _idle(world.asked[role], _of(role)) == set()


@pytest.mark.parametrize("role", _ROLES)
def test_each_permission_that_is_taken_away_is_missed_and_each_that_is_added_is_seen(world: World, role: str) -> None:
    asked = world.asked[role]
    assert asked
    for action in {action for action, _ in asked}:
        without = [grant for grant in _of(role) if grant.action != action]
        assert {one for one, _ in _missing(asked, without)} == {action}
    more = AllowedAction(role, "ec2:DeleteVpc", "*", {}, "")
    assert _idle(asked, [*_of(role), more]) == {("ec2:DeleteVpc", "*")}


def test_the_tables_of_a_statement_are_all_used(world: World) -> None:
    """No statement names a table that its role does not ask for anything."""
    granted = [one for one in _GRANTED if one.action.startswith(("dynamodb:", "sns:")) and one.role in world.asked]
    assert len(granted) > 10
    for grant in granted:
        named = set(re.findall(r"'!(?:GetAtt|Ref|Sub)': '(?:\$\{)?(\w+)", grant.resources))
        used = {target for _, target in world.asked[grant.role]}
        assert named, grant
        assert named <= used, grant


# Calls that stand in modules which the functions load, and are not made here; for the most part commands make them.
_NOT_MADE_HERE: Mapping[str, str] = {
    "account:ListRegions": "tests/aws/test_enabled_regions.py has it: EC2 lists the regions here",
    "dynamodb:CreateTable": "`--create-tables` and tests",
    "dynamodb:DescribeTable": "what a command says of a table that is wrong; waiting for one that was made",
    "ec2:DescribeSpotInstanceRequests": "not of commands: tests/aws/broom/test_instances.py has it, moto shows none",
    "s3:ListObjectsV2": "`broom sweep` and `backtest` on s3://bucket/prefix",
    "ssm:GetParameter": "LANDKEEPER_POLICY=ssm:NAME, which the stack does not set",
    "sts:GetCallerIdentity": "everybody may ask",
}


def test_every_call_in_the_code_was_made(world: World) -> None:
    """A call that somebody adds to a module that the functions load has to be exercised here, or explained."""
    made = {f"{service}:{operation}" for service, operation in world.called}
    found = {call for module in _loaded_modules() for call in _calls_in(module)}
    assert len(found) > 20
    assert found - made - set(_NOT_MADE_HERE) == set()
    assert set(_NOT_MADE_HERE) <= found


def _loaded_modules() -> list[Path]:
    """The modules of `aws/` that any function imports, at once or when it needs them."""
    seen, waiting = set[Path](), [_ROOT / "lambdas" / f"{name}.py" for name in ("broom", "tracker", "pool")]
    while waiting:
        module = waiting.pop()
        if module.is_file() and module not in seen:
            seen.add(module)
            waiting += _imported_by(module)
    return [module for module in seen if module.relative_to(_ROOT).parts[0] == "aws"]


def _imported_by(module: Path) -> Iterator[Path]:
    tree = ast.parse(module.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("landkeeper."):
            parts = str(node.module).split(".")[1:]
            yield _ROOT.joinpath(*parts).with_suffix(".py")
            yield from (_ROOT.joinpath(*parts, f"{alias.name}.py") for alias in node.names)
            yield _ROOT.joinpath(*parts, "__init__.py")


_ROOT = Path(landkeeper.__file__).parent
_CALLS = {
    xform_name(operation): f"{service}:{operation}"
    for service in sorted(SERVICES)
    for operation in botocore.session.get_session().get_service_model(service).operation_names
}


def _calls_in(module: Path) -> Iterator[str]:
    """Calls of SDK clients: methods with the name of an operation, and pages of one."""
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and (name := _operation_in(node)) in _CALLS:
            yield _CALLS[name]


def _operation_in(call: ast.Call) -> str:
    match call:
        case ast.Call(
            func=ast.Attribute(attr="get_paginator" | "get_waiter"), args=[ast.Constant(value=str(name)), *_]
        ):
            return _WAITERS.get(name, name)
        case ast.Call(func=ast.Name(id="pages"), args=[_, ast.Constant(value=str(name)), *_]):
            return name
        case ast.Call(func=ast.Attribute(attr=name)):
            return name
        case _:
            return ""


_WAITERS = {"table_exists": "describe_table"}
