"""The units above an account, as Organizations answers them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import boto3
import botocore.session
import pytest
from tests.servers import Answer, answering

from landkeeper.aws.broom.units import KEPT_SECONDS, AccountUnits
from landkeeper.aws.sessions import AccountSessions
from landkeeper.org import AccountId, Failure, FailureReason

LAKE, APPS = AccountId("111122223333"), AccountId("444455556666")
ABOVE = {
    LAKE: "ou-ab12-22222222", APPS: "ou-ab12-11111111", "ou-ab12-22222222": "ou-ab12-11111111",
    "ou-ab12-11111111": "r-ab12",
}  # fmt: skip


class Organization:
    """Answers ListParents from a tree, counts, and refuses when it is told to."""

    def __init__(self) -> None:
        self.above: dict[str, str] = dict(ABOVE)
        self.asked: Counter[str] = Counter()
        self.refusal: Answer | None = None

    def __call__(self, call: Mapping[str, str]) -> Answer:
        body = json.loads(call["Body"])
        assert call["Action"] == "ListParents"
        self.asked[body["ChildId"]] += 1
        if self.refusal is not None:
            return self.refusal
        if "NextToken" not in body:
            return 200, json.dumps({"Parents": [], "NextToken": "more"})
        parent = self.above.get(body["ChildId"])
        return 200, json.dumps({"Parents": [{"Id": parent, "Type": "ORGANIZATIONAL_UNIT"}] if parent else []})


class Clock:
    """Seconds that pass when a test says so."""

    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@contextmanager
def _client(answer: Callable[[Mapping[str, str]], Answer]) -> Iterator[Any]:
    with answering(answer) as url:
        session = boto3.Session("AKIAIOSFODNN7EXAMPLE", "secret", region_name="us-east-1")
        yield session.client("organizations", endpoint_url=url)


def test_an_account_is_in_every_unit_above_it() -> None:
    with _client(Organization()) as client:
        units = AccountUnits(lambda: client)
        assert units.find_units(LAKE) == frozenset({"ou-ab12-22222222", "ou-ab12-11111111", "r-ab12"})
        assert units.find_units(APPS) == frozenset({"ou-ab12-11111111", "r-ab12"})


def test_what_is_known_is_not_asked_again_until_it_is_old() -> None:
    organization, clock = Organization(), Clock()
    with _client(organization) as client:
        units = AccountUnits(lambda: client, clock=clock)
        for account in (LAKE, APPS, LAKE):
            units.find_units(account)
        assert set(organization.asked.values()) == {2}, "a page that is empty, and one that is not"
        organization.above[LAKE] = "r-ab12"
        clock.seconds = KEPT_SECONDS - 1
        assert units.find_units(LAKE) == frozenset({"ou-ab12-22222222", "ou-ab12-11111111", "r-ab12"})
        clock.seconds = KEPT_SECONDS
        assert units.find_units(LAKE) == frozenset({"r-ab12"})


def test_a_refusal_is_a_failure_that_is_soon_forgotten() -> None:
    organization, clock = Organization(), Clock()
    with _client(organization) as client:
        units = AccountUnits(lambda: client, clock=clock)
        organization.refusal = 400, json.dumps({"__type": "AccessDeniedException", "Message": "no"})
        refused = Failure(FailureReason.MISSING_PERMISSION, "AccessDeniedException", "no")
        assert [units.find_units(LAKE) for _ in range(2)] == [refused, refused]
        assert organization.asked[LAKE] == 1
        organization.refusal = None
        clock.seconds = 60
        assert isinstance(units.find_units(LAKE), frozenset)


def test_an_account_without_a_parent_is_not_one_without_units() -> None:
    organization = Organization()
    organization.above = {LAKE: "ou-ab12-11111111", "ou-ab12-11111111": "ou-ab12-11111111"}
    with _client(organization) as client:
        units = AccountUnits(lambda: client)
        answers = [units.find_units(APPS), units.find_units(LAKE)]
    assert [answer.code for answer in answers if isinstance(answer, Failure)] == ["NoParent", "NoRoot"]


def test_who_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = Counter[str]()

    def busy(call: Mapping[str, str]) -> Answer:
        calls.update([call["Action"]])
        return 503, "{}"

    with answering(busy) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_ORGANIZATIONS", url)
        session = botocore.session.Session()
        session.set_credentials("AKIAIOSFODNN7EXAMPLE", "secret")
        sessions = AccountSessions(session, region="us-east-1")
        failure = AccountUnits(lambda: sessions.short_timeout_client("organizations")).find_units(LAKE)
        config = sessions.short_timeout_client("organizations").meta.config
    assert isinstance(failure, Failure)
    assert calls == {"ListParents": 2}
    assert (config.connect_timeout, config.read_timeout) == (2, 3)
    assert config.user_agent == sessions.home("organizations").meta.config.user_agent
    assert sessions.home("organizations").meta.config.read_timeout == 25
