"""What a deployment meets, as the simulators show it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import botocore.session
import pytest
from tests.servers import EMBEDDED_REGIONS, HOME_REGION, home_session, home_sessions

from landkeeper.aws.sessions import AccountSessions
from landkeeper.aws.stack.environment import (
    check_region,
    find_delegated_services,
    find_denied_actions,
    find_enabled_regions,
    find_key_policy,
    find_missing_services,
    find_organization,
    find_table_keys,
    find_trail_bucket,
    find_unreserved_concurrency,
    inspect_environment,
)
from landkeeper.embedded.simulators import HOME_ACCOUNT, Embedded, Simulators
from landkeeper.operate.environment import BucketSeen, BucketUnseen
from landkeeper.operate.preflight import ACTIONS, SERVICES
from landkeeper.org import Region, UsageError

pytestmark = pytest.mark.embedded


@pytest.fixture(scope="module")
def organized() -> Iterator[tuple[Embedded, str, str]]:
    """Simulators of their own: an organization, and a member account."""
    with Simulators(regions=EMBEDDED_REGIONS) as embedded, pytest.MonkeyPatch.context() as patch:
        for name, value in embedded.environment().items():
            patch.setenv(name, value)
        client = home_session().client("organizations")
        organization = client.create_organization(FeatureSet="ALL")["Organization"]["Id"]
        made = client.create_account(AccountName="tooling", Email="tooling@example.com")["CreateAccountStatus"]
        yield embedded, organization, made["AccountId"]


def _as_member(account: str) -> AccountSessions:
    role = f"arn:aws:iam::{account}:role/OrganizationAccountAccessRole"
    given = home_session().client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    return _sessions(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])


def _sessions(*credentials: str, region: str = HOME_REGION) -> AccountSessions:
    session = botocore.session.Session()
    session.set_credentials(*credentials)
    return AccountSessions(session, region=region)


def test_the_concurrency_that_nobody_reserved_is_read(organized: tuple[Embedded, str, str]) -> None:
    unreserved = find_unreserved_concurrency(home_sessions())
    assert unreserved is not None
    assert unreserved > 0


def test_the_management_account_may_make_everything(organized: tuple[Embedded, str, str]) -> None:
    seen = find_organization(home_sessions())
    assert seen is not None
    assert (seen.id, seen.management_account) == (organized[1], HOME_ACCOUNT)
    assert seen.root_id.startswith("r-")
    assert (seen.administers_trails, seen.administers_stack_sets) == (True, True)


def test_a_member_may_make_nothing_for_the_organization(organized: tuple[Embedded, str, str]) -> None:
    seen = find_organization(_as_member(organized[2]))
    assert seen is not None
    assert (seen.id, seen.administers_trails, seen.administers_stack_sets) == (organized[1], False, False)


def test_what_a_member_is_a_delegated_administrator_of_is_read(organized: tuple[Embedded, str, str]) -> None:
    """moto takes only some services for delegation, and shows them to the management account alone."""
    client = home_session().client("organizations")
    client.enable_aws_service_access(ServicePrincipal="ssm.amazonaws.com")
    client.register_delegated_administrator(AccountId=organized[2], ServicePrincipal="ssm.amazonaws.com")
    assert find_delegated_services(home_sessions(), organized[2]) == {"ssm.amazonaws.com"}


def test_all_of_it_at_once(organized: tuple[Embedded, str, str]) -> None:
    seen = inspect_environment(
        home_sessions(), None, stack_name="keeper", parameters={}, tables=["None"], services=SERVICES, actions=ACTIONS
    )
    assert (seen.account, seen.region, seen.partition) == (HOME_ACCOUNT, HOME_REGION, "aws")
    assert (seen.missing_services, seen.tables, seen.bucket) == ((), {}, None)
    assert HOME_REGION in seen.enabled_regions


def test_a_region_that_is_none_is_named() -> None:
    with pytest.raises(UsageError, match="there is no region 'eu-west-9'"):
        check_region(Region("eu-west-9"))
    for region in ("eu-west-1", "cn-north-1", "us-gov-west-1"):
        check_region(Region(region))


def test_services_that_a_region_lacks_are_named(organized: tuple[Embedded, str, str]) -> None:
    everywhere = home_session().get_available_regions("ec2")
    lacking = sorted(set(everywhere) - set(home_session().get_available_regions("mturk")))[0]
    sessions = _sessions(HOME_ACCOUNT, "embedded", region=lacking)
    assert find_missing_services(sessions, ("s3", "mturk")) == ("mturk",)


def test_regions_that_the_account_has_enabled(organized: tuple[Embedded, str, str]) -> None:
    regions = find_enabled_regions(home_sessions())
    assert len(regions) > 4
    assert list(regions) == sorted(regions)


def test_what_the_caller_may_not_do_is_what_iam_simulates(
    organized: tuple[Embedded, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """MiniStack evaluates policies; moto, which has IAM otherwise, does not."""
    embedded = organized[0]
    for service in ("IAM", "STS"):
        monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", embedded.ministack_url)
    iam = home_session().client("iam")
    allowed = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": ["cloudformation:*"], "Resource": "*"}],
    }
    iam.create_user(UserName="deployer")
    iam.put_user_policy(UserName="deployer", PolicyName="some", PolicyDocument=json.dumps(allowed))
    key = iam.create_access_key(UserName="deployer")["AccessKey"]
    sessions = _sessions(key["AccessKeyId"], key["SecretAccessKey"])
    assert sessions.home_principal().endswith(":user/deployer")
    denied = find_denied_actions(sessions, ("cloudformation:CreateChangeSet", "iam:CreateRole", "iam:PassRole"))
    assert denied == ("iam:CreateRole", "iam:PassRole")


def test_where_iam_does_not_say_nothing_counts_as_denied(organized: tuple[Embedded, str, str]) -> None:
    assert find_denied_actions(home_sessions(), ACTIONS) == ()


def test_a_tables_keys_and_a_keys_policy(organized: tuple[Embedded, str, str]) -> None:
    session = home_session()
    session.client("dynamodb").create_table(
        TableName="Odd",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("Sort", "Id")],
        KeySchema=[{"AttributeName": "Id", "KeyType": "HASH"}, {"AttributeName": "Sort", "KeyType": "RANGE"}],
    )
    assert find_table_keys(home_sessions(), "Odd") == ("Id", "Sort")
    assert find_table_keys(home_sessions(), "None") == ()
    key = session.client("kms").create_key()["KeyMetadata"]["Arn"]
    assert json.loads(find_key_policy(home_sessions(), key))["Statement"]
    assert find_key_policy(home_sessions(), "") == ""
    assert find_key_policy(home_sessions(), f"{key}0") == ""


def test_only_a_bucket_of_this_account_is_looked_at(organized: tuple[Embedded, str, str]) -> None:
    home_session().client("s3").create_bucket(Bucket="own-logs")
    sessions = home_sessions()
    assert find_trail_bucket(sessions, {"TrailBucketName": "own-logs"}) == BucketSeen("own-logs", HOME_REGION)
    assert find_trail_bucket(sessions, {"TrailBucketName": "own-logs", "TrailBucketAccount": "444455556666"}) is None
    assert isinstance(find_trail_bucket(sessions, {"TrailBucketName": "none-such"}), BucketUnseen)
    assert find_trail_bucket(sessions, {}) is None
