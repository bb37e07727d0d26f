"""The doctor on a deployed stack: silent where all is well, and each planted fault found and named.

One stack and one small organization serve all of them; each test mends what it broke. The trail is moto's, as
CloudTrail's API shows it; roles and instances are moto's too, everything else is MiniStack's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from tests.broom_world import launch
from tests.privileges.granted import asked_for
from tests.recorded_calls import recorded_calls
from tests.servers import EMBEDDED_REGIONS, answering
from tests.waiting import wait_until

from landkeeper.aws.broom.ledger_table import LedgerTable
from landkeeper.aws.stack.permission_probe import ENDING, READING
from landkeeper.aws.vpctracker.vpc_table import create_tables
from landkeeper.broom.case import open_case
from landkeeper.cli import run
from landkeeper.embedded.observer import invoke, scan
from landkeeper.embedded.simulators import Embedded, Simulators, embedded_session
from landkeeper.operate.deploy import template
from landkeeper.operate.doctor.lines import Line, Verdict
from landkeeper.settings import Settings
from landkeeper.wiring.doctor import Asked, examine

pytestmark = pytest.mark.embedded

STACK, HERE = "keeper", "eu-west-1"
ADMIN, READER, TERMINATOR = "OrganizationAccountAccessRole", "landkeeper-read", "landkeeper-terminate"
POLICY = "version: 1\nrules:\n  - {name: code, require: {tag: Code}, action: notify}\n"
# Where the permission has another name than the call (Service Authorization Reference).
OTHERWISE = {
    "lambda:Invoke": "lambda:InvokeFunction",
    "s3:GetBucketNotificationConfiguration": "s3:GetBucketNotification",
}


@dataclass(frozen=True, slots=True)
class Deployment:
    """The stack, and an organization of a management account and two members."""

    session: boto3.Session
    outputs: Mapping[str, str]
    members: tuple[str, str]

    def client(self, service: str, account: str | None = None, *, endpoint: str | None = None) -> Any:
        """A client in the tooling account, or in a member."""
        make: Callable[..., Any] = self.session.client
        if account is None:
            return make(service)
        role = f"arn:aws:iam::{account}:role/{ADMIN}"
        given = make("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
        return make(
            service,
            region_name=HERE,
            endpoint_url=endpoint,
            aws_access_key_id=given["AccessKeyId"],
            aws_secret_access_key=given["SecretAccessKey"],
            aws_session_token=given["SessionToken"],
        )

    def resource(self, logical_id: str) -> str:
        """The physical id of one of the stack's resources."""
        found = self.client("cloudformation").describe_stack_resource(StackName=STACK, LogicalResourceId=logical_id)
        return str(found["StackResourceDetail"]["PhysicalResourceId"])

    @property
    def trail(self) -> str:
        """The name of the trail that writes into the stack's bucket."""
        told = self.client("cloudtrail").describe_trails()["trailList"]
        return next(str(one["Name"]) for one in told if one["S3BucketName"] == self.outputs["TrailBucket"])


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """Simulators of their own, with the stack in them and at work."""
    with Simulators(regions=EMBEDDED_REGIONS) as embedded, pytest.MonkeyPatch.context() as patch:
        for name, value in embedded.environment().items():
            patch.setenv(name, value)
        policy = tmp_path_factory.mktemp("policy") / "broom.yaml"
        policy.write_text(POLICY)
        yield _deploy(embedded, policy)


def _deploy(embedded: Embedded, policy: Path) -> Deployment:
    session = embedded_session(embedded)
    organizations = session.client("organizations")
    organization = organizations.create_organization(FeatureSet="ALL")["Organization"]["Id"]
    shop, lab = (
        organizations.create_account(AccountName=name, Email=f"{name}@example.com")["CreateAccountStatus"]["AccountId"]
        for name in ("shop", "lab")
    )
    parameters = {
        "CreateTrail": "false", "EventForwarding": "false", "OrganizationId": organization, "Regions": HERE,
        "MemberUnits": "",
        "EventDelaySeconds": "1",
    }  # fmt: skip
    words = ["--as-installed", *(f"--parameter={name}={value}" for name, value in parameters.items())]
    assert run(["deploy", "--policy", str(policy), "--stack-name", STACK, "--yes", *words]) == 0
    described = session.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
    outputs = {one["OutputKey"]: one["OutputValue"] for one in described["Outputs"]}
    made = Deployment(session, outputs, (shop, lab))
    for member in made.members:
        _give_roles(made, member, embedded.moto_url)
    embedded.start_trail(outputs["TrailBucket"], f"AWSLogs/{organization}")
    _set_to_work(made)
    return made


def _give_roles(made: Deployment, member: str, endpoint: str) -> None:
    made.client("cloudformation", member, endpoint=endpoint).create_stack(
        StackName="landkeeper-member",
        TemplateBody=template("member-roles.yaml"),
        Parameters=[
            {"ParameterKey": name, "ParameterValue": made.outputs[name]} for name in ("TrackerRoleArn", "BroomRoleArn")
        ],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )


def _set_to_work(made: Deployment) -> None:
    """A subscriber, a run of the tracker, and a launch that brings a log file."""
    queue = made.client("sqs").create_queue(QueueName="tap")["QueueUrl"]
    arn = made.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    made.client("sns").subscribe(TopicArn=made.outputs["ReportsTopicArn"], Protocol="sqs", Endpoint=arn)
    invoke(made.session, made.outputs["DispatcherFunction"])
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "Code", "Value": "LOL"}]}]
    ec2 = made.client("ec2", made.members[0])
    ec2.run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1, TagSpecifications=tags)
    coverage, s3 = f"{made.outputs['VpcTable']}Coverage", made.client("s3")

    def is_done() -> bool:
        files = s3.list_objects_v2(Bucket=made.outputs["TrailBucket"]).get("KeyCount", 0)
        read = [item for item in scan(made.session, coverage) if "TriedAt" in item]
        return files > 0 and len(read) == 1 + len(made.members)

    wait_until(is_done)


Found = Callable[[], tuple[int, list[dict[str, Any]]]]


@pytest.fixture
def doctor(deployment: Deployment, capsys: pytest.CaptureFixture[str]) -> Found:
    """Runs the command; its exit code, and the lines that are not ok."""

    def look() -> tuple[int, list[dict[str, Any]]]:
        capsys.readouterr()
        code = run(["doctor", "--stack-name", STACK, "--format", "json"])
        shown = capsys.readouterr()
        assert shown.err == ""
        lines = json.loads(shown.out)
        return code, [line for line in lines if line["Verdict"] != "ok"]

    return look


def test_on_a_healthy_stack_every_line_is_ok(deployment: Deployment, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    code = run(["doctor", "--stack-name", STACK, "--format", "json", "--all"])
    lines = json.loads(capsys.readouterr().out)
    assert [line for line in lines if line["Verdict"] != "ok"] == []
    assert code == 0
    assert {line["Check"] for line in lines} >= {
        "credentials", "clock", "stack", "organization", "delegated administrator", "accounts listed", "regions",
        "tracker's role", "Broom's role", "trail", "last log file", "log file read", "bucket notification",
        "topic of log files", "BroomQueue's policy", "queues feed functions", "schedules and rules", "functions",
        "tables", "policy", "last tracker run", "dead letters", "ledger", "actions", "reports",
    }  # fmt: skip
    assert any("(all)" in line["Found"] for line in lines if line["Check"] == "tracker's role")


def test_its_page_lists_the_permissions_that_it_takes(deployment: Deployment) -> None:
    with recorded_calls() as calls:
        assert run(["doctor", "--stack-name", STACK]) == 0
    page = (Path(__file__).parents[2] / "docs" / "doctor.md").read_text(encoding="utf-8")
    told = page.partition("## Permissions")[2].partition("With `--role`")[0]
    listed, service = set(), ""
    for word in re.findall(r"`([A-Za-z0-9:]+)`", told):
        service = word.partition(":")[0] if ":" in word else service
        listed.add(f"{service}:{word.rpartition(':')[2]}")
    asked = {OTHERWISE.get(action, action) for call in calls for action, _ in asked_for(call)}
    # A subscription that waits for its confirmation is looked at once more, and so is a region that nobody knows.
    seldom = {"sns:GetSubscriptionAttributes", "ec2:DescribeRegions"}
    assert asked | seldom | {"sts:GetCallerIdentity"} == listed


@contextmanager
def without_the_role(made: Deployment) -> Iterator[None]:
    iam = made.client("iam", made.members[1])
    for name in iam.list_role_policies(RoleName=READER)["PolicyNames"]:
        iam.delete_role_policy(RoleName=READER, PolicyName=name)
    iam.delete_role(RoleName=READER)
    yield
    iam.create_role(RoleName=READER, AssumeRolePolicyDocument="{}")
    _allow(iam, READER, "read", READING)


@contextmanager
def without_a_permission(made: Deployment) -> Iterator[None]:
    iam, needed = made.client("iam", made.members[0]), {*ENDING, "autoscaling:DescribeAutoScalingGroups"}
    _allow(iam, TERMINATOR, "terminate", needed - {"ec2:TerminateInstances"})
    yield
    _allow(iam, TERMINATOR, "terminate", needed)


def _allow(iam: Any, role: str, policy: str, actions: Iterable[str]) -> None:
    statement = {"Effect": "Allow", "Action": sorted(actions), "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=document)


@contextmanager
def with_the_trail_stopped(made: Deployment) -> Iterator[None]:
    made.client("cloudtrail").stop_logging(Name=made.trail)
    yield
    made.client("cloudtrail").start_logging(Name=made.trail)


@contextmanager
def with_a_trail_of_one_region(made: Deployment) -> Iterator[None]:
    made.client("cloudtrail").update_trail(Name=made.trail, IsMultiRegionTrail=False)
    yield
    made.client("cloudtrail").update_trail(Name=made.trail, IsMultiRegionTrail=True)


@contextmanager
def without_notification(made: Deployment) -> Iterator[None]:
    with _notifying(made, {}):
        yield


@contextmanager
def with_a_notification_in_the_way(made: Deployment) -> Iterator[None]:
    other = made.client("sqs").create_queue(QueueName="somebody-elses")["QueueUrl"]
    arn = made.client("sqs").get_queue_attributes(QueueUrl=other, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    rules = [{"Name": "prefix", "Value": "AWSLogs/"}]
    entry = {"QueueArn": arn, "Events": ["s3:ObjectCreated:*"], "Filter": {"Key": {"FilterRules": rules}}}
    with _notifying(made, {"QueueConfigurations": [entry]}):
        yield


@contextmanager
def _notifying(made: Deployment, configuration: dict[str, Any]) -> Iterator[None]:
    s3, bucket = made.client("s3"), made.outputs["TrailBucket"]
    kept = s3.get_bucket_notification_configuration(Bucket=bucket)
    kept.pop("ResponseMetadata")
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=configuration)
    yield
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=kept)


@contextmanager
def with_a_queue_that_keeps_the_topic_out(made: Deployment) -> Iterator[None]:
    sqs, url = made.client("sqs"), made.outputs["BroomQueueUrl"]
    kept = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]["Policy"]
    policy = json.loads(kept)
    policy["Statement"] = [one for one in policy["Statement"] if one["Principal"] != {"Service": "sns.amazonaws.com"}]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
    yield
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": kept})


@contextmanager
def with_an_unconfirmed_subscription(made: Deployment) -> Iterator[None]:
    # MiniStack has confirmed an e-mail subscription as soon as it is made; one by https waits, as both do on AWS.
    wanted = {"TopicArn": made.outputs["ReportsTopicArn"], "Protocol": "https", "Endpoint": "https://127.0.0.1:9/"}
    made.client("sns").subscribe(**wanted)
    yield
    arn = made.client("sns").subscribe(**wanted)["SubscriptionArn"]
    made.client("sns").unsubscribe(SubscriptionArn=arn)


@contextmanager
def with_a_table_of_the_wrong_key(made: Deployment) -> Iterator[None]:
    dynamodb, table = made.client("dynamodb"), f"{made.outputs['VpcTable']}Pools"
    _drop(dynamodb, table)
    dynamodb.create_table(
        TableName=table,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "Name", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "Name", "KeyType": "HASH"}],
    )
    yield
    _drop(dynamodb, table)
    create_tables(dynamodb, made.outputs["VpcTable"])


def _drop(dynamodb: Any, table: str) -> None:
    dynamodb.update_table(TableName=table, DeletionProtectionEnabled=False)
    dynamodb.delete_table(TableName=table)


@contextmanager
def with_a_tracker_that_rests(made: Deployment) -> Iterator[None]:
    table = made.session.resource("dynamodb").Table(f"{made.outputs['VpcTable']}Coverage")
    kept = [item for item in scan(made.session, table.name) if "TriedAt" in item]
    for item in kept:
        at = datetime.fromisoformat(str(item["TriedAt"])) - timedelta(hours=26)
        table.put_item(Item={**item, "TriedAt": at.strftime("%Y-%m-%dT%H:%M:%SZ")})
    yield
    for item in kept:
        table.put_item(Item=item)


@contextmanager
def with_dead_letters(made: Deployment) -> Iterator[None]:
    url = made.outputs["WorkDeadLettersUrl"]
    made.client("sqs").send_message(QueueUrl=url, MessageBody="nobody could read this")
    yield
    made.client("sqs").purge_queue(QueueUrl=url)


@contextmanager
def with_a_policy(made: Deployment, text: str) -> Iterator[None]:
    s3 = made.client("s3")
    variables = made.client("lambda").get_function_configuration(FunctionName=made.outputs["BroomFunction"])
    where = variables["Environment"]["Variables"]["LANDKEEPER_POLICY"].removeprefix("s3://")
    bucket, _, key = where.partition("/")
    s3.put_object(Bucket=bucket, Key=key, Body=text.encode())
    yield
    s3.put_object(Bucket=bucket, Key=key, Body=POLICY.encode())


@contextmanager
def with_a_policy_that_broke(made: Deployment) -> Iterator[None]:
    # As under a name of a pipeline's own, which says nothing of the content.
    with pytest.MonkeyPatch.context() as patch, with_a_policy(made, POLICY.replace("notify", "vaporise")):
        patch.setattr("landkeeper.aws.texts._DEPLOYED", re.compile("own"))
        yield


@contextmanager
def with_a_policy_that_somebody_replaced(made: Deployment) -> Iterator[None]:
    with with_a_policy(made, POLICY.replace("notify", "terminate")):
        yield


@contextmanager
def with_a_queue_that_feeds_nobody(made: Deployment) -> Iterator[None]:
    client = made.client("lambda")
    mappings = client.list_event_source_mappings(FunctionName=made.outputs["BroomFunction"])["EventSourceMappings"]
    client.update_event_source_mapping(UUID=mappings[0]["UUID"], Enabled=False)
    yield
    client.update_event_source_mapping(UUID=mappings[0]["UUID"], Enabled=True)


@contextmanager
def with_a_schedule_off(made: Deployment) -> Iterator[None]:
    rules = made.client("events").list_rules()["Rules"]
    name = next(one["Name"] for one in rules if "Dispatcher" in one["Name"])
    made.client("events").disable_rule(Name=name)
    yield
    made.client("events").enable_rule(Name=name)


@contextmanager
def without_the_topics_queue(made: Deployment) -> Iterator[None]:
    sns, topic = made.client("sns"), made.resource("LogFiles")
    (held,) = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    sns.unsubscribe(SubscriptionArn=held["SubscriptionArn"])
    yield
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=held["Endpoint"])


@contextmanager
def with_a_case_that_stands_still(made: Deployment) -> Iterator[None]:
    ledger, now = LedgerTable(made.client("dynamodb"), made.outputs["LedgerTable"]), datetime.now(UTC)
    sample = launch("i-0123456789abcdef0")
    case = open_case(sample, sample.instances[0], now - timedelta(days=3))
    assert ledger.write_case(replace(case, version=1, due_at=now - timedelta(days=2, hours=1)))
    yield
    made.client("dynamodb").delete_item(
        TableName=made.outputs["LedgerTable"], Key={"InstanceId": {"S": case.instance_id}}
    )


Plant = Callable[[Deployment], AbstractContextManager[None]]

FAULTS: dict[str, tuple[Plant, str, str, str]] = {
    # What is planted, the check that finds it, words that name it, words of the way out.
    "role not assumable in one account": (
        without_the_role, "tracker's role", "cannot be assumed in lab", "member-roles.yaml"),
    "role without a permission": (
        without_a_permission, "Broom's role", "may not ec2:TerminateInstances in shop", "member-roles.yaml"),
    "trail stopped": (with_the_trail_stopped, "trail", "is stopped since", "start-logging --name arn:aws:cloudtrail"),
    "trail not multi-region": (
        with_a_trail_of_one_region, "trail", "is not multi-region", "--is-multi-region-trail"),
    "bucket notification missing": (
        without_notification, "bucket notification", "send no notifications", "Event notifications"),
    "notification shadowed by another": (
        with_a_notification_in_the_way, "bucket notification", "somebody-elses", "send them to both"),
    "queue policy without S3's topic": (
        with_a_queue_that_keeps_the_topic_out, "BroomQueue's policy", "does not allow sns.amazonaws.com",
        "sqs:SendMessage"),
    "subscription unconfirmed": (
        with_an_unconfirmed_subscription, "reports", "127.0.0.1:9/ (https) is not confirmed", "confirmation link"),
    "table with the wrong key": (
        with_a_table_of_the_wrong_key, "tables", "VPCTrackerPools has the wrong key: Name instead of PoolId and Item",
        "landkeeper deploy"),
    "tracker not run for a day": (
        with_a_tracker_that_rests, "last tracker run", "has not run for 26 hours", "aws lambda invoke"),
    "dead letters waiting": (with_dead_letters, "dead letters", "1 message in WorkDeadLetters", "receive-message"),
    "policy that no longer passes its check": (
        with_a_policy_that_broke, "policy", "vaporise", "broom policy check"),
    "policy that somebody replaced": (
        with_a_policy_that_somebody_replaced, "policy", "is not the one that was deployed", "landkeeper deploy"),
    "queue that feeds nobody": (
        with_a_queue_that_feeds_nobody, "queues feed functions", "does not receive from BroomQueue", "--enabled"),
    "case that stands still": (
        with_a_case_that_stands_still, "ledger", "i-0123456789abcdef0 is waiting and was due 2 days ago",
        "broom case i-0123456789abcdef0"),
    "schedule off": (with_a_schedule_off, "schedules and rules", "DispatcherFunctionSchedule is off", "enable-rule"),
    "queue not subscribed": (
        without_the_topics_queue, "topic of log files", "receives no log file notifications", "aws sns subscribe"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found_and_named_and_nothing_else_is(
    deployment: Deployment, doctor: Found, fault: str
) -> None:
    plant, check, words, way_out = FAULTS[fault]
    with plant(deployment):
        code, lines = doctor()
    assert [(line["Check"], line["Verdict"]) for line in lines] == [(check, "wrong")]
    assert words in lines[0]["Found"]
    assert way_out in lines[0]["Mend"]
    assert code == 4


def test_what_was_mended_is_well_again(doctor: Found) -> None:
    assert doctor() == (0, [])


def test_a_role_can_be_tried_with_the_credentials_at_hand(
    deployment: Deployment, capsys: pytest.CaptureFixture[str]
) -> None:
    codes, told = {}, {}
    for role in (READER, TERMINATOR, "nobody-made-this"):
        capsys.readouterr()
        codes[role] = run(["doctor", "--stack-name", STACK, "--role", role, "--format", "json"])
        (told[role],) = [line for line in json.loads(capsys.readouterr().out) if line["Check"] == f"role {role}"]
    assert list(codes.values()) == [0, 0, 4]
    assert told[READER]["Found"] == f"{READER} works in 3 accounts (all)"
    assert "shop" in told["nobody-made-this"]["Found"]
    assert "(2 of 3 accounts tried)" in told["nobody-made-this"]["Found"]


def test_lines_to_read_fit_the_terminal_but_for_words_that_must_not_be_broken(
    deployment: Deployment, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with with_dead_letters(deployment):
        capsys.readouterr()
        assert run(["doctor", "--stack-name", STACK]) == 4
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if len(line) > 80 and len(line.split()) > 3] == []
    (wrong,) = [line for line in lines if line.startswith("WRONG")]
    assert wrong.split()[:4] == ["WRONG", "dead", "letters", "1"]
    assert any(line.strip().startswith("fix: aws sqs receive-message") for line in lines)
    assert lines[-1].endswith("1 wrong.")


def test_a_clock_that_is_wrong_is_found(deployment: Deployment) -> None:
    lines = examine(Settings(), Asked(STACK), clock=lambda: datetime.now(UTC) + timedelta(minutes=10))
    (line,) = [line for line in _first(lines, 2) if line.check == "clock"]
    assert line.verdict is Verdict.WRONG
    assert "is 10 minutes ahead of AWS's" in line.found or "is 9 minutes ahead of AWS's" in line.found


def _first(lines: Iterator[Line], count: int) -> list[Line]:
    return [next(lines) for _ in range(count)]


def test_a_read_that_is_refused_is_a_line_of_its_own_and_never_ok(
    deployment: Deployment, doctor: Found, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusal = json.dumps({"__type": "AccessDeniedException", "message": "User: x is not authorized"})
    with answering(lambda _: (400, refusal)) as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDTRAIL", address)
        code, lines = doctor()
    assert [(line["Check"], line["Verdict"]) for line in lines] == [("trail", "could not be checked")]
    assert "permission missing" in lines[0]["Found"]
    assert "docs/doctor.md" in lines[0]["Mend"]
    assert code == 3


def test_without_such_a_stack_it_says_where_it_looked(
    deployment: Deployment, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert run(["doctor", "--stack-name", "elsewhere"]) == 4
    shown = capsys.readouterr().out
    assert "there is no stack 'elsewhere' in us-east-1" in shown
    assert "3 checks: 2 ok, 1 wrong." in shown
