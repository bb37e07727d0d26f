"""Deploying as a use case: what is refused, uploaded, asked and executed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pytest
import yaml

from landkeeper.operate.deploy import Declined, Deployed, DeployRequest, RefusedError, deploy
from landkeeper.operate.environment import BucketSeen, Environment, OrganizationSeen, TrailSeen
from landkeeper.operate.organization_trail import TrailStep, WantedTrail
from landkeeper.operate.package import FunctionPackage
from landkeeper.operate.stacks import Change, ChangeSet, StackError, StackEvent, StackResource, StackState
from landkeeper.org import Failure, FailureReason

PACKAGE = FunctionPackage(b"zip", "python3.13", "arm64")
REQUEST = DeployRequest("keeper", "version: 1\n", "version: 1\nspaces: []\n", {"Regions": "eu-west-1"})
ADD = Change("Add", "VpcTracker", "AWS::DynamoDB::Table", replaces=False)
HERE = Environment("111122223333", "eu-west-1")


@dataclass
class Shelf:
    """Artifacts in memory."""

    bucket: str = "shelf"
    held: dict[str, bytes] = field(default_factory=dict)

    def put(self, key: str, body: bytes) -> None:
        self.held[key] = body

    def holds(self, key: str, body: bytes) -> bool:
        return self.held.get(key) == body

    def url(self, key: str) -> str:
        return f"https://shelf/{key}"


@dataclass
class Desk:
    """Stacks in memory: one change set, executed or not."""

    changes: tuple[Change, ...] = (ADD,)
    state: StackState | None = None
    made: Mapping[str, str] = field(default_factory=lambda: {"VpcTable": "VPCTracker"})
    parameters: Mapping[str, str] = field(default_factory=dict)
    template_url: str = ""
    done: list[str] = field(default_factory=list)
    shelf: Shelf = field(default_factory=Shelf)
    reads: str = ""
    """What it reads in place of the template, if anything."""
    code: Mapping[str, str] = field(default_factory=lambda: {"keeper-broom": PACKAGE.digest})

    def read_template(self, change_set: ChangeSet) -> str:
        return self.reads or self.shelf.held[self.template_url.removeprefix("https://shelf/")].decode()

    def read_code_digests(self, stack_name: str) -> dict[str, str]:
        return dict(self.code)

    def find(self, stack_name: str) -> StackState | None:
        return self.state

    def plan(
        self, stack_name: str, template_url: str, parameters: Mapping[str, str], *, state: StackState | None
    ) -> ChangeSet:
        self.parameters, self.template_url = parameters, template_url
        self.done.append("planned as new" if state is None else "planned as update")
        return ChangeSet(stack_name, "one", self.changes)

    def execute(self, change_set: ChangeSet, on_event: Callable[[StackEvent], None]) -> dict[str, str]:
        self.done.append("executed")
        on_event(StackEvent("VpcTracker", "AWS::DynamoDB::Table", "CREATE_COMPLETE", ""))
        return self.outputs(change_set.stack_name)

    def discard(self, change_set: ChangeSet) -> None:
        self.done.append("discarded")

    def outputs(self, stack_name: str) -> dict[str, str]:
        return dict(self.made)

    def resources(self, stack_name: str) -> list[StackResource]:
        return []

    def delete(self, stack_name: str, on_event: Callable[[StackEvent], None]) -> None:
        self.done.append("deleted")


@dataclass
class Bell:
    """Notifications of a bucket in memory."""

    rung: list[tuple[str, ...]] = field(default_factory=list)

    def tell_topic(self, bucket: str, topic_arn: str, prefix: str) -> bool:
        self.rung.append((bucket, topic_arn, prefix))
        return True

    def tell_event_bridge(self, bucket: str) -> bool:
        self.rung.append((bucket,))
        return True


@dataclass
class Switches:
    """The switches of ledgers, in memory: each answers what was prepared, and a table is there once it was made."""

    desk: Desk
    answers: list[Failure | None] = field(default_factory=lambda: [Failure(FailureReason.NOT_FOUND), None])

    def keep_off(self, table: str) -> Failure | None:
        self.desk.done.append(f"{table} off")
        return self.answers.pop(0)


@dataclass
class Ranger:
    """The organization's trails in memory: the steps that were taken, after what the desk had done."""

    desk: Desk
    refusal: Failure | None = None
    taken: list[TrailStep] = field(default_factory=list)

    def find(self, arn: str) -> TrailSeen | Failure | None:
        raise AssertionError

    def take(self, step: TrailStep, trail: WantedTrail) -> Failure | None:
        self.taken.append(step)
        self.desk.done.append(f"trail {trail.name}: {step}")
        return self.refusal


@dataclass
class Scene:
    """A deployment's environment, and what became of them."""

    desk: Desk = field(default_factory=Desk)
    bell: Bell = field(default_factory=Bell)
    environment: Environment = HERE
    refusal: Failure | None = None
    shown: list[ChangeSet] = field(default_factory=list)
    events: list[StackEvent] = field(default_factory=list)

    @property
    def shelf(self) -> Shelf:
        return self.desk.shelf

    def deploy(
        self,
        request: DeployRequest = REQUEST,
        *,
        answer: bool = True,
        recover: bool = True,
        is_plan: bool = False,
        meanwhile: Callable[[], object] = lambda: None,
        answers: Sequence[Failure | None] | None = None,
    ) -> Deployed | Declined:
        def approve(change_set: ChangeSet) -> bool:
            self.shown.append(change_set)
            meanwhile()
            return answer

        return deploy(
            request,
            lambda: PACKAGE,
            self.shelf,
            self.desk,
            inspect_environment=lambda state, _: replace(self.environment, stack=state),
            notifications=self.bell,
            switch=Switches(self.desk) if answers is None else Switches(self.desk, [*answers]),
            trails=Ranger(self.desk, self.refusal),
            approve=approve,
            on_event=self.events.append,
            recover=lambda _: recover,
            is_plan=is_plan,
        )

    def template(self) -> str:
        return self.shelf.held[self.desk.template_url.removeprefix("https://shelf/")].decode()


def test_an_approved_change_set_is_executed_with_the_package_and_the_policy_in_place() -> None:
    scene = Scene()
    done = scene.deploy()
    assert isinstance(done, Deployed)
    assert done.outputs == {"VpcTable": "VPCTracker"}
    assert scene.desk.done == ["planned as new", "BroomLedger off", "executed", "BroomLedger off"]
    assert [event.resource for event in scene.events] == ["VpcTracker"]
    parameters, held = scene.desk.parameters, scene.shelf.held
    assert parameters["Regions"] == "eu-west-1"
    assert (parameters["Runtime"], parameters["Architecture"]) == ("python3.13", "arm64")
    assert held[parameters["CodeKey"]] == b"zip"
    assert held[parameters["PolicyKey"]] == b"version: 1\n"
    assert held[parameters["ConfigKey"]] == b"version: 1\nspaces: []\n"
    assert b"Terminator" in held[parameters["MemberRolesKey"]]
    assert b"Forwarder" in held[parameters["MemberEventsKey"]]


DELEGATE = DeployRequest(
    "keeper", "version: 1\n", parameters={"OrganizationId": "o-example", "ManagementAccountId": "444455556666"}
)
WHOLE = TrailSeen("keeper-trail-111122223333-eu-west-1", events="WriteOnly")
MADE = ["trail keeper: create", "trail keeper: select events", "trail keeper: start logging"]


def test_a_delegates_trail_is_approved_with_the_change_set_and_made_after_it() -> None:
    scene = Scene()
    done = scene.deploy(DELEGATE)
    assert isinstance(done, Deployed)
    assert [change.resource for change in scene.shown[0].changes] == ["VpcTracker", "OrganizationTrail"]
    switched = ["BroomLedger off", "executed", "BroomLedger off"]
    assert scene.desk.done == ["planned as new", *switched, *MADE], "nothing is logged before actions are off"
    assert [event.resource for event in scene.events] == ["VpcTracker", "OrganizationTrail"]


def test_a_delegates_trail_is_not_made_without_approval() -> None:
    scene = Scene()
    assert isinstance(scene.deploy(DELEGATE, answer=False), Declined)
    assert scene.desk.done == ["planned as new", "discarded"]


def test_deploying_again_completes_a_trail_that_was_refused() -> None:
    scene = Scene(refusal=Failure(FailureReason.OTHER, "CloudTrailAccessNotEnabledException"))
    with pytest.raises(StackError, match=r"stack keeper is deployed, but its trail .* run landkeeper deploy again"):
        scene.deploy(DELEGATE)
    again = Scene(Desk(changes=(), state=StackState("CREATE_COMPLETE")))
    done = again.deploy(DELEGATE)
    assert isinstance(done, Deployed)
    assert again.desk.done == ["planned as update", *MADE]
    assert [change.resource for change in again.shown[0].changes] == ["OrganizationTrail"]


def test_a_refused_trail_does_not_hide_that_actions_could_not_be_turned_off() -> None:
    scene = Scene(refusal=Failure(FailureReason.OTHER, "ConflictException"))
    answers = [Failure(FailureReason.NOT_FOUND), Failure(FailureReason.THROTTLED)]
    with pytest.raises(StackError, match=r"ConflictException.* run landkeeper broom actions off"):
        scene.deploy(DELEGATE, answers=answers)


def test_a_whole_trail_takes_no_approval_and_no_change() -> None:
    desk = Desk(changes=(), state=StackState("UPDATE_COMPLETE"))
    scene = Scene(desk, environment=replace(HERE, organization_trail=WHOLE))
    done = scene.deploy(DELEGATE, answer=False)
    assert isinstance(done, Deployed)
    assert (desk.done, scene.shown) == (["planned as update"], [])


def test_a_plan_shows_what_will_happen_to_the_trail_and_changes_nothing() -> None:
    desk = Desk(changes=(), state=StackState("UPDATE_COMPLETE"))
    scene = Scene(desk, environment=replace(HERE, organization_trail=replace(WHOLE, is_logging=False)))
    done = scene.deploy(DELEGATE, answer=False, is_plan=True)
    assert isinstance(done, Declined)
    (change,) = done.change_set.changes
    assert [found.path for found in change.properties] == ["IsLogging"]
    assert desk.done == ["planned as update"]


def test_somebody_elses_trail_of_that_name_is_refused_before_anything_is_done() -> None:
    scene = Scene(environment=replace(HERE, organization_trail=TrailSeen("theirs")))
    with pytest.raises(RefusedError, match="TrailBucketName=theirs"):
        scene.deploy(DELEGATE)
    assert (scene.desk.done, scene.shelf.held) == ([], {})


@pytest.mark.parametrize("kind", ["functions", "policy", "landkeeper-stack", "member-roles", "landkeeper-"])
def test_what_somebody_replaces_before_it_is_used_is_not_deployed(kind: str) -> None:
    """The bucket is looked at again after the approval, however long that took."""
    scene = Scene()

    def replace_it() -> None:
        key = next(key for key in scene.shelf.held if key.startswith(f"keeper/{kind}"))
        scene.shelf.held[key] = b"planted"

    with pytest.raises(StackError, match=f"somebody has replaced what was uploaded .*keeper/{kind}"):
        scene.deploy(meanwhile=replace_it)
    assert scene.desk.done == ["planned as new", "discarded"]


def test_a_template_that_cloudformation_has_read_otherwise_is_not_executed() -> None:
    scene = Scene()
    scene.desk.reads = "Resources: {Planted: {Type: AWS::IAM::Role}}"
    with pytest.raises(StackError, match="the template that CloudFormation has read"):
        scene.deploy()
    assert scene.desk.done == ["planned as new", "discarded"]


def test_a_function_with_other_code_than_the_package_is_named() -> None:
    scene = Scene()
    scene.desk.code = {"keeper-broom": PACKAGE.digest, "keeper-pools": "0" * 64}
    with pytest.raises(StackError, match="the code of keeper-pools is not the package that was uploaded"):
        scene.deploy()


def test_names_in_the_bucket_hold_the_whole_digest() -> None:
    scene = Scene()
    scene.deploy()
    for key, body in scene.shelf.held.items():
        assert hashlib.sha256(body).hexdigest() in key


def test_without_a_configuration_none_is_stored() -> None:
    scene = Scene()
    scene.deploy(DeployRequest("keeper", "version: 1\n"))
    assert "ConfigKey" not in scene.desk.parameters
    assert len(scene.shelf.held) == 5


def test_a_change_set_that_is_not_approved_changes_nothing_and_is_dropped() -> None:
    scene = Scene()
    assert scene.deploy(answer=False) == Declined(ChangeSet("keeper", "one", (ADD,)))
    assert (scene.desk.done, scene.events) == (["planned as new", "discarded"], [])


def test_without_changes_nobody_is_asked() -> None:
    scene = Scene(Desk(changes=(), state=StackState("UPDATE_COMPLETE")))
    done = scene.deploy(answer=False)
    assert isinstance(done, Deployed)
    assert done.outputs == {"VpcTable": "VPCTracker"}
    assert scene.desk.done == ["planned as update"]


def test_the_same_content_is_stored_under_the_same_name() -> None:
    scene = Scene()
    scene.deploy()
    before = dict(scene.shelf.held)
    scene.deploy()
    assert scene.shelf.held == before


def test_an_update_keeps_the_policy_that_is_deployed() -> None:
    known = {"PolicyKey": "keeper/policy-1.yaml", "VpcTable": "Mine"}
    scene = Scene(Desk(state=StackState("CREATE_COMPLETE", known)))
    done = scene.deploy(DeployRequest("keeper"))
    assert isinstance(done, Deployed)
    assert "PolicyKey" not in scene.desk.parameters, "not said again, so it stays"
    assert done.parameters["PolicyKey"] == "keeper/policy-1.yaml"
    assert 'TableName: "MineHistory"' in scene.template()


def test_a_first_deployment_without_a_policy_is_refused_before_anything_is_done() -> None:
    scene = Scene()
    with pytest.raises(RefusedError, match="--policy FILE"):
        scene.deploy(DeployRequest("keeper"))
    assert (scene.desk.done, scene.shelf.held) == ([], {})


def test_every_obstacle_is_named_and_nothing_is_done() -> None:
    scene = Scene(environment=replace(HERE, missing_services=("scheduler",), denied_actions=("iam:CreateRole",)))
    with pytest.raises(RefusedError) as refused:
        scene.deploy()
    assert len(refused.value.obstacles) == 2
    assert (scene.desk.done, scene.shelf.held) == ([], {})


def test_names_of_what_is_kept_stand_in_the_template_as_they_are() -> None:
    scene = Scene()
    scene.deploy(DeployRequest("keeper", "version: 1\n", parameters={"LedgerTable": "Cases"}))
    text = scene.template()
    for line in (
        'TableName: "VPCTracker"', 'TableName: "VPCTrackerPools"', 'TableName: "Cases"', 'TrailName: "keeper"',
        'BucketName: "keeper-trail-111122223333-eu-west-1"', 'Bucket: "keeper-trail-111122223333-eu-west-1"',
    ):  # fmt: skip
        assert line in text
    yaml.compose(text)


@pytest.mark.parametrize("willing", [True, False])
def test_what_a_failed_first_deployment_left_is_deleted_when_the_user_agrees(willing: bool) -> None:
    scene = Scene(Desk(state=StackState("ROLLBACK_COMPLETE", {"PolicyKey": "old"})))
    if willing:
        assert isinstance(scene.deploy(recover=True), Deployed)
        assert scene.desk.done == ["deleted", "planned as new", "BroomLedger off", "executed", "BroomLedger off"]
    else:
        with pytest.raises(StackError, match="landkeeper destroy --stack-name keeper"):
            scene.deploy(recover=False)
        assert (scene.desk.done, scene.shelf.held) == ([], {})


def test_what_a_failed_first_deployment_settled_is_settled_anew() -> None:
    """Its parameters go with it: kept as known, the next deployment would lack them."""
    left = StackState("ROLLBACK_COMPLETE", {"PolicyKey": "old", "OrganizationId": "o-example"})
    organization = OrganizationSeen("o-example", "111122223333")
    scene = Scene(Desk(state=left), environment=replace(HERE, organization=organization))
    scene.deploy(DeployRequest("keeper", "version: 1\n", parameters={"OrganizationTrail": "false"}))
    assert scene.desk.parameters["OrganizationId"] == "o-example"
    with pytest.raises(RefusedError, match="--policy FILE"):
        scene.deploy(DeployRequest("keeper"))


def test_an_existing_bucket_tells_the_topic_that_was_made() -> None:
    topic = {"LogFilesTopicArn": "arn:aws:sns:eu-west-1:111122223333:keeper-log-files"}
    scene = Scene(Desk(made=topic), environment=replace(HERE, bucket=BucketSeen("logs", "eu-west-1")))
    scene.deploy(DeployRequest("keeper", "version: 1\n", parameters={"TrailBucketName": "logs", "TrailPrefix": "o-1/"}))
    assert scene.bell.rung == [("logs", topic["LogFilesTopicArn"], "o-1/AWSLogs/")]


def test_a_plan_without_changes_leaves_an_existing_bucket_alone() -> None:
    topic = {"LogFilesTopicArn": "arn:aws:sns:eu-west-1:111122223333:keeper-log-files"}
    desk = Desk(changes=(), made=topic, state=StackState("UPDATE_COMPLETE"))
    scene = Scene(desk, environment=replace(HERE, bucket=BucketSeen("logs", "eu-west-1")))
    request = DeployRequest("keeper", "version: 1\n", parameters={"TrailBucketName": "logs"})
    scene.deploy(request, answer=False, is_plan=True)
    assert scene.bell.rung == []
    scene.deploy(request, answer=False)
    assert len(scene.bell.rung) == 1


def test_an_existing_bucket_that_tells_event_bridge_is_heard_there() -> None:
    seen = BucketSeen("logs", "eu-west-1", tells_event_bridge=True)
    scene = Scene(environment=replace(HERE, bucket=seen))
    scene.deploy(DeployRequest("keeper", "version: 1\n", parameters={"TrailBucketName": "logs"}))
    assert scene.desk.parameters["TrailBucketEvents"] == "true"
    assert scene.bell.rung == [("logs",)]


GONE = Failure(FailureReason.NOT_FOUND)
DENIED = Failure(FailureReason.MISSING_PERMISSION)


@pytest.mark.parametrize(
    ("actions", "state", "waits"),
    [
        ({}, None, True),
        ({"Actions": "opt-in"}, None, True),
        ({"Actions": "on"}, None, False),
        ({"Actions": "off"}, None, False),
        ({}, StackState("CREATE_COMPLETE", {"PolicyKey": "old", "Actions": "opt-in"}), False),
        ({"Actions": "opt-in"}, StackState("CREATE_COMPLETE", {"PolicyKey": "old", "Actions": "on"}), False),
    ],
)
def test_only_a_first_deployment_that_says_nothing_else_turns_the_ledgers_switch_off(
    actions: Mapping[str, str], state: StackState | None, waits: bool
) -> None:
    scene = Scene(Desk(state=state))
    done = scene.deploy(replace(REQUEST, parameters={"LedgerTable": "Cases", **actions}))
    assert isinstance(done, Deployed)
    assert done.waits_for_consent is waits
    assert scene.desk.done.count("Cases off") == (2 if waits else 0)
    assert scene.desk.parameters.get("Actions") == actions.get("Actions")


def test_a_ledger_that_was_left_and_cannot_be_turned_off_stops_the_deployment() -> None:
    """An earlier stack's ledger may say `on`: it is turned off before there is a function that reads it."""
    scene = Scene()
    with pytest.raises(StackError, match=r"nothing was changed, because actions could not be turned off"):
        scene.deploy(answers=[DENIED])
    assert scene.desk.done == ["planned as new", "BroomLedger off", "discarded"]


def test_a_switch_that_could_not_be_turned_off_afterwards_is_named() -> None:
    done = Scene().deploy(answers=[GONE, DENIED])
    assert isinstance(done, Deployed)
    assert (done.waits_for_consent, done.switch_failure) == (True, DENIED)
