"""A delegated administrator's trail through the API: made, adopted, found and deleted by its ARN alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from tests.delegated_cloudtrail import serving_trails
from tests.servers import HOME_REGION, home_sessions

from landkeeper.aws.sessions import AccountSessions
from landkeeper.aws.stack.data_stores import LeftData
from landkeeper.aws.stack.environment import find_organization_trail
from landkeeper.aws.stack.log_feed import read_trails
from landkeeper.aws.stack.organization_trail import TrailsByArn
from landkeeper.embedded.delegated_trails import DelegatedTrails
from landkeeper.embedded.simulators import HOME_ACCOUNT, Embedded
from landkeeper.operate.destroy import DataKind, Datum
from landkeeper.operate.doctor.facts import Caller, StackParts
from landkeeper.operate.doctor.lines import Verdict
from landkeeper.operate.environment import TrailSeen
from landkeeper.operate.organization_trail import TrailPlan, TrailStep, WantedTrail, bring_trail
from landkeeper.operate.stacks import StackError
from landkeeper.org import AccountId, Failure
from landkeeper.settings import read_settings
from landkeeper.wiring.doctor.deployed_stack import DeployedStack
from landkeeper.wiring.doctor.feed import examine_feed

pytestmark = pytest.mark.embedded

MANAGEMENT = "444455556666"
BUCKET = f"keeper-trail-{HOME_ACCOUNT}-{HOME_REGION}"
WANTED = WantedTrail(f"arn:aws:cloudtrail:{HOME_REGION}:{MANAGEMENT}:trail/keeper", BUCKET)
KEY = "arn:aws:kms:us-east-1:111122223333:key/1"


@pytest.fixture
def cloudtrail(aws_environment: Embedded) -> Iterator[DelegatedTrails]:
    stand_in = DelegatedTrails(management=MANAGEMENT, caller=HOME_ACCOUNT, region=HOME_REGION)
    with serving_trails(stand_in):
        yield stand_in


@pytest.fixture
def sessions(cloudtrail: DelegatedTrails) -> AccountSessions:
    return home_sessions()


@pytest.fixture
def trails(sessions: AccountSessions) -> TrailsByArn:
    return TrailsByArn(sessions.home("cloudtrail"))


def test_it_is_made_once_and_then_found_as_it_is_wanted(
    sessions: AccountSessions, trails: TrailsByArn, cloudtrail: DelegatedTrails
) -> None:
    assert find_organization_trail(sessions, "keeper", MANAGEMENT) is None
    bring_trail("keeper", TrailPlan(WANTED), trails)
    seen = find_organization_trail(sessions, "keeper", MANAGEMENT)
    assert seen == TrailSeen(BUCKET, events="WriteOnly")
    cloudtrail.calls.clear()
    assert bring_trail("keeper", TrailPlan(WANTED, seen), trails) is None
    assert cloudtrail.calls == []


def test_a_trail_whose_creation_was_not_answered_is_completed(trails: TrailsByArn, cloudtrail: DelegatedTrails) -> None:
    assert trails.take(TrailStep.CREATE, WANTED) is None
    bring_trail("keeper", TrailPlan(WANTED), trails)
    assert trails.find(WANTED.arn) == TrailSeen(BUCKET, events="WriteOnly")
    assert list(cloudtrail.trails) == [WANTED.arn]


def test_a_refused_trail_is_made_once_trusted_access_is_on(trails: TrailsByArn, cloudtrail: DelegatedTrails) -> None:
    cloudtrail.is_trusted = False
    with pytest.raises(StackError, match="aws organizations enable-aws-service-access"):
        bring_trail("keeper", TrailPlan(WANTED), trails)
    assert cloudtrail.trails == {}
    cloudtrail.is_trusted = True
    assert bring_trail("keeper", TrailPlan(WANTED), trails) is not None


def test_the_key_comes_and_goes_with_the_parameter(trails: TrailsByArn) -> None:
    encrypted = WantedTrail(WANTED.arn, BUCKET, KEY)
    bring_trail("keeper", TrailPlan(encrypted), trails)
    seen = trails.find(WANTED.arn)
    assert isinstance(seen, TrailSeen)
    assert seen.key_arn == KEY
    bring_trail("keeper", TrailPlan(WANTED, seen), trails)
    assert trails.find(WANTED.arn) == TrailSeen(BUCKET, events="WriteOnly")


@pytest.mark.parametrize(
    ("selectors", "events"),
    [
        ([{"ReadWriteType": "All", "IncludeManagementEvents": True}], "All"),
        ([{"ReadWriteType": "WriteOnly", "IncludeManagementEvents": False}], ""),
        ([{"ExcludeManagementEventSources": ["kms.amazonaws.com"]}], ""),
        ([{"DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}]}], ""),
        ([], ""),
    ],
)
def test_events_that_somebody_chose_are_told_from_the_stacks(
    trails: TrailsByArn, cloudtrail: DelegatedTrails, selectors: list[dict[str, object]], events: str
) -> None:
    trails.take(TrailStep.CREATE, WANTED)
    cloudtrail.trails[WANTED.arn].selectors = selectors
    seen = trails.find(WANTED.arn)
    assert isinstance(seen, TrailSeen)
    assert seen.events == events


def test_without_an_owner_elsewhere_nothing_is_asked(sessions: AccountSessions, cloudtrail: DelegatedTrails) -> None:
    assert find_organization_trail(sessions, "keeper", "") is None
    assert find_organization_trail(sessions, "keeper", HOME_ACCOUNT) is None
    assert cloudtrail.calls == []


def test_what_cannot_be_read_is_no_missing_trail(trails: TrailsByArn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DelegatedTrails, "answer", lambda *_: (400, {"__type": "AccessDeniedException"}))
    assert isinstance(trails.find(WANTED.arn), Failure)
    assert isinstance(LeftData(home_sessions()).find_trail("keeper"), Failure)


def test_destroying_finds_and_deletes_it_by_its_arn(
    sessions: AccountSessions, trails: TrailsByArn, cloudtrail: DelegatedTrails
) -> None:
    stores = LeftData(sessions)
    assert stores.find_trail("keeper") is None
    bring_trail("keeper", TrailPlan(WANTED), trails)
    datum = Datum(DataKind.ORGANIZATION_TRAIL, "keeper")
    assert stores.find_trail("keeper") == stores.find_left("keeper", "keeper") == datum
    assert stores.delete(datum, "keeper") is None
    assert cloudtrail.trails == {}
    failure = stores.delete(datum, "keeper")
    assert isinstance(failure, Failure), "it is gone"


def test_a_trail_of_the_same_name_that_writes_elsewhere_is_not_the_stacks(
    sessions: AccountSessions, trails: TrailsByArn, cloudtrail: DelegatedTrails
) -> None:
    theirs = WantedTrail(WANTED.arn, "keeper-trail-777788889999-us-east-1")
    bring_trail("keeper", TrailPlan(theirs), trails)
    assert LeftData(sessions).find_trail("keeper") is None
    assert isinstance(LeftData(sessions).delete(Datum(DataKind.TRAIL, "keeper"), "keeper"), Failure)
    assert list(cloudtrail.trails) == [WANTED.arn]


def test_an_own_trail_is_told_from_the_organizations(sessions: AccountSessions, cloudtrail: DelegatedTrails) -> None:
    cloudtrail.answer("CreateTrail", {"Name": "keeper", "S3BucketName": BUCKET})
    assert LeftData(sessions).find_trail("keeper") == Datum(DataKind.TRAIL, "keeper")


def test_the_doctor_reads_its_state_by_the_arn(sessions: AccountSessions, trails: TrailsByArn) -> None:
    bring_trail("keeper", TrailPlan(WANTED), trails)
    read = read_trails(sessions.home("cloudtrail"), BUCKET, lambda region: sessions.home("cloudtrail", region))
    assert not isinstance(read, Failure)
    (trail,) = read
    assert (trail.arn, trail.is_logging, trail.is_organization) == (WANTED.arn, True, True)
    assert trail.has_management_writes is True


def test_the_doctor_misses_a_trail_that_deploying_makes(sessions: AccountSessions, trails: TrailsByArn) -> None:
    now = datetime(2026, 5, 1, tzinfo=UTC)
    parts = StackParts(
        name="keeper",
        region=HOME_REGION,
        status="CREATE_COMPLETE",
        status_reason="",
        outputs={"TrailBucket": BUCKET},
        parameters={"OrganizationId": "o-example", "ManagementAccountId": MANAGEMENT},
        resources={},
    )
    caller = Caller("arn:aws:iam::111122223333:user/me", AccountId(HOME_ACCOUNT), now, now)
    patient = DeployedStack(read_settings({}), sessions, caller, parts, lambda: now)
    line = next(examine_feed(patient))
    assert (line.check, line.verdict) == ("trail", Verdict.WRONG)
    assert "run `landkeeper deploy` again" in line.mend
    bring_trail("keeper", TrailPlan(WANTED), trails)
    assert next(examine_feed(patient)).verdict is Verdict.OK
