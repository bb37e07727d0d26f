"""Where it is asked which regions an account has enabled, when the region at hand does not say."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

import pytest
from tests.ec2_answers import CALLER_IDENTITY, EC2_XML, Enter, ec2_pages
from tests.servers import Answer, answering, ec2_refusal

from landkeeper.aws.enabled_regions import find_regions, find_unknown_regions, order_regions
from landkeeper.aws.vpctracker.vpcs import Ec2VpcReader
from landkeeper.org import Account, Failure, FailureReason, Region, Standing
from landkeeper.vpctracker.differences import Complete, NotRead, Unreadable

HERE, FRANKFURT, IRELAND = Region("us-east-1"), Region("eu-central-1"), Region("eu-west-1")
BY_POLICY = ec2_refusal("UnauthorizedOperation", "no: explicit deny in a service control policy", 403)
_LISTED = "".join(
    f"<item><regionName>{name}</regionName><optInStatus>opt-in-not-required</optInStatus></item>"
    for name in (HERE, FRANKFURT, IRELAND)
)
REGIONS = {HERE: Standing.READ, FRANKFURT: Standing.READ, IRELAND: Standing.READ}


class Aws:
    """EC2 and the account API of an account. `refuse` says which regions of EC2 refuse what."""

    def __init__(self, refuse: Callable[[str], Answer | None], account_api: Answer = (403, "{}")) -> None:
        self.refuse, self.account_api = refuse, account_api
        self.asked: list[str] = []

    def answer(self, call: Mapping[str, str]) -> Answer:
        if call["Action"] == "GetCallerIdentity":
            return 200, CALLER_IDENTITY
        if call["Action"] == "listRegions":
            self.asked.append("account")
            return self.account_api
        if call["Action"] == "DescribeRegions":
            self.asked.append(call["Region"])
        refused = self.refuse(call["Region"])
        if refused is not None:
            return refused
        is_list = call["Action"] == "DescribeRegions"
        return (200, EC2_XML.format("DescribeRegions", f"<regionInfo>{_LISTED}</regionInfo>")) if is_list else (
            ec2_pages(call)
        )  # fmt: skip


def _outside_europe(region: str) -> Answer | None:
    return None if region.startswith("eu-") else BY_POLICY


def test_the_region_at_hand_is_asked_alone_where_it_answers(entered: Enter) -> None:
    aws = Aws(lambda _: None)
    with answering(aws.answer) as url:
        assert find_regions(*entered(url)) == REGIONS
    assert aws.asked == [HERE]


def test_the_account_api_answers_where_the_region_at_hand_is_closed(entered: Enter) -> None:
    statuses = ("ENABLED", "ENABLED_BY_DEFAULT", "DISABLED", "ENABLING", "DISABLING")
    names = ("af-south-1", "eu-west-1", "me-south-1", "mx-central-1", "il-central-1")
    listed = [{"RegionName": name, "RegionOptStatus": status} for name, status in zip(names, statuses, strict=True)]
    aws = Aws(_outside_europe, (200, json.dumps({"Regions": listed})))
    with answering(aws.answer) as url:
        found = find_regions(*entered(url))
    assert aws.asked == [HERE, "account"]
    assert isinstance(found, Mapping)
    assert {region for region, standing in found.items() if standing is Standing.READ} == {"af-south-1", "eu-west-1"}
    assert len(found) == 5


@pytest.mark.parametrize(
    "account_api",
    [
        (403, json.dumps({"__type": "AccessDeniedException", "Message": "no"})),
        (200, json.dumps({"Regions": []})),
        (200, json.dumps({"Regions": [{"RegionName": "Ireland"}]})),
    ],
)
def test_ec2_is_asked_in_other_regions_until_one_answers(entered: Enter, account_api: Answer) -> None:
    aws = Aws(_outside_europe, account_api)
    with answering(aws.answer) as url:
        assert find_regions(*entered(url)) == REGIONS
    assert aws.asked[:2] == [HERE, "account"]
    assert aws.asked[-1].startswith("eu-")
    assert not any(region.startswith("eu-") for region in aws.asked[:-1])


def test_an_account_is_read_without_the_regions_that_a_policy_closes(entered: Enter) -> None:
    with answering(Aws(_outside_europe).answer) as url:
        sessions, credentials = entered(url)
        account = Account(credentials.account)
        reads = Ec2VpcReader(lambda _: sessions).read_account(account)
        governed = Ec2VpcReader(lambda _: sessions, is_governed=lambda _, region: region == HERE)
        known_closed = governed.read_account(account)
    assert not isinstance(reads, Failure)
    closed = reads[HERE]
    assert isinstance(closed, Unreadable)
    assert closed.failure.reason is FailureReason.SCP_DENY
    assert {region for region, read in reads.items() if isinstance(read, Complete)} == {FRANKFURT, IRELAND}
    assert not isinstance(known_closed, Failure)
    assert known_closed[HERE] == NotRead(Standing.GOVERNED)


def test_where_every_region_refuses_the_first_refusal_is_the_answer(entered: Enter) -> None:
    aws = Aws(lambda region: BY_POLICY if region == HERE else ec2_refusal("UnauthorizedOperation", "no policy", 403))
    with answering(aws.answer) as url:
        found = find_regions(*entered(url))
    assert isinstance(found, Failure)
    assert found.reason is FailureReason.SCP_DENY
    assert {"account", "eu-west-1", "ap-south-1"} < set(aws.asked)
    assert "cn-north-1" not in aws.asked


def test_regions_that_give_no_answer_at_all_are_not_asked_one_after_the_other(entered: Enter) -> None:
    aws = Aws(lambda _: ec2_refusal("InvalidAction", "not EC2"))
    with answering(aws.answer) as url:
        found = find_regions(*entered(url))
    assert isinstance(found, Failure)
    assert found.code == "InvalidAction"
    assert len(aws.asked) == 3


def test_with_credentials_that_are_over_nobody_else_is_asked(entered: Enter) -> None:
    aws = Aws(lambda _: ec2_refusal("ExpiredToken"))
    with answering(aws.answer) as url:
        found = find_regions(*entered(url))
    assert isinstance(found, Failure)
    assert found.reason is FailureReason.CREDENTIALS
    assert aws.asked == [HERE]


def test_a_region_newer_than_the_sdk_is_known_where_any_region_lists_it(entered: Enter) -> None:
    newer = Region("eu-atlantis-1")
    listed = json.dumps({"Regions": [{"RegionName": newer, "RegionOptStatus": "ENABLED"}]})
    with answering(Aws(lambda _: BY_POLICY, (200, listed)).answer) as url:
        sessions, _ = entered(url)
        assert find_unknown_regions(sessions, [newer, IRELAND]) == ()
        assert find_unknown_regions(sessions, [Region("eu-west-9")]) == ("eu-west-9",)


def test_the_regions_of_a_partition_are_asked_by_parts_of_the_world_and_closed_ones_last() -> None:
    ordered = order_regions(HERE, lambda region: region in {HERE, IRELAND})
    assert ordered[-2:] == [HERE, IRELAND]
    assert len({region.partition("-")[0] for region in ordered[:8]}) == 8
    assert order_regions(Region("cn-northwest-1"), lambda _: False) == ["cn-northwest-1", "cn-north-1"]
    assert order_regions(Region("eu-atlantis-1"), lambda _: False)[0] == "eu-atlantis-1"
