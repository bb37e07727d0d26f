"""What a policy would have done to the launches that a log tells of."""

from __future__ import annotations

import random
import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import Any

import pytest
from botocore.model import StructureShape
from botocore.session import Session
from hypothesis import given
from hypothesis import strategies as st
from tests import past_logs as past
from tests.broom_world import CONFIRMED, STRICT, policy

from landkeeper.aws.assumed_roles import SESSION_NAME
from landkeeper.broom.backtest.history import Chronicle
from landkeeper.broom.backtest.own_actions import BROOM_ROLES, BROOM_SESSION
from landkeeper.broom.backtest.replay import Fate, HitWarning, PastFate, backtest, unknown_limits, window, with_grace
from landkeeper.broom.backtest.summary import By, compare, tally_by, total
from landkeeper.broom.cloudtrail.records import PAST_EVENTS
from landkeeper.broom.cloudtrail.scan import scan_log
from landkeeper.broom.launches import End
from landkeeper.broom.policy.rules import Policy
from landkeeper.embedded.cloudtrail import Call, record_of
from landkeeper.embedded.trail_files import Caller

READ_AT = datetime(2026, 6, 1, tzinfo=UTC)
GRACEFUL = STRICT.replace("action: terminate", "action: terminate\n    grace: 15m")
LOL = {"Code": "LOL"}


def chronicle(*records: Mapping[str, Any]) -> Chronicle:
    told = Chronicle()
    for number, each in enumerate(records):
        scanned = scan_log(past.log(each), wanted=PAST_EVENTS)
        assert not scanned.faults
        told.add(f"{number}.json.gz", scanned.found)
    return told


def fates(under: Policy, *records: Mapping[str, Any], **window_: Any) -> dict[str, PastFate]:
    found = backtest(under, chronicle(*records).instances(), read_at=READ_AT, **window_)
    return {each.past.case.instance_id: each for each in found}


def fate(text: str, *records: Mapping[str, Any]) -> Fate:
    """What becomes of the instance `i-1`."""
    return fates(policy(text), *records)["i-1"].fate


class TestTagsOfTheLog:
    def test_tags_of_the_answer_and_of_the_request_count(self) -> None:
        assert fate(STRICT, past.launch("i-1", tags=LOL)) is Fate.COMPLIANT
        assert fate(STRICT, past.launch("i-1", asked=LOL)) is Fate.COMPLIANT
        assert fate(STRICT, past.launch("i-1", asked={"Code": "LOL"}, tags={"Code": "no"})) is Fate.TERMINATED

    def test_an_untagged_instance_is_hit_by_the_rule_it_breaks_with_its_reason(self) -> None:
        found = fates(policy(), past.launch("i-1", tags={"code": "LOL"}))["i-1"]
        assert (found.fate, found.rule, found.is_hit) == (Fate.TERMINATED, "code", True)
        assert found.because == "rule code: tag Code is missing (found 'code'; tag keys are case-sensitive)"
        assert (found.tags, found.past.source, found.warnings) == ({"code": "LOL"}, "0.json.gz", ())

    @pytest.mark.parametrize(
        ("at", "expected"),
        [("10:15:00", Fate.COMPLIANT), ("10:15:01", Fate.TERMINATED), ("09:59:59", Fate.TERMINATED)],
    )
    def test_a_tag_counts_that_came_within_the_grace_after_the_launch(self, at: str, expected: Fate) -> None:
        assert fate(GRACEFUL, past.launch("i-1"), past.tagged("i-1", at, LOL)) is expected

    def test_without_grace_a_tag_counts_that_came_before_the_second_look(self) -> None:
        launched = past.launch("i-1")
        assert fate(CONFIRMED, launched, past.tagged("i-1", "10:01:00", LOL)) is Fate.COMPLIANT
        assert fate(CONFIRMED, launched, past.tagged("i-1", "10:01:01", LOL)) is Fate.TERMINATED
        assert fate(STRICT, launched, past.tagged("i-1", "10:00:01", LOL)) is Fate.TERMINATED

    def test_a_tag_that_is_taken_off_again_is_gone(self) -> None:
        launched, put = past.launch("i-1"), past.tagged("i-1", "10:03:00", {**LOL, "Owner": "jane"})
        assert fate(GRACEFUL, launched, put, past.untagged("i-1", "10:05:00", ["Code"])) is Fate.TERMINATED
        assert fate(GRACEFUL, launched, put, past.untagged("i-1", "10:05:00", ["Owner"])) is Fate.COMPLIANT
        assert fate(GRACEFUL, launched, put, past.untagged("i-1", "10:05:00")) is Fate.TERMINATED

    def test_a_tag_stays_whose_value_is_not_the_one_that_is_taken_off(self) -> None:
        launched, put = past.launch("i-1"), past.tagged("i-1", "10:03:00", LOL)
        for pairs, expected in (
            ({"Code": "OLD"}, Fate.COMPLIANT),
            ({"Code": ""}, Fate.COMPLIANT),
            (LOL, Fate.TERMINATED),
        ):
            assert fate(GRACEFUL, launched, put, past.untagged("i-1", "10:05:00", pairs)) is expected

    def test_who_complied_at_the_launch_is_not_looked_at_again(self) -> None:
        launched = past.launch("i-1", tags=LOL)
        assert fate(GRACEFUL, launched, past.untagged("i-1", "10:05:00", ["Code"])) is Fate.COMPLIANT

    def test_a_tag_replaced_within_one_second_is_there_in_whatever_order_the_log_has_it(self) -> None:
        launched = past.launch("i-1")
        put, taken = past.tagged("i-1", "10:03:00", LOL), past.untagged("i-1", "10:03:00", ["Code"])
        assert fate(GRACEFUL, launched, put, taken) is fate(GRACEFUL, taken, put, launched) is Fate.COMPLIANT

    def test_what_its_owner_ended_in_time_is_gone_and_not_hit(self) -> None:
        launched = past.launch("i-1")
        found = fates(policy(GRACEFUL), launched, past.ended(["i-1", "i-9"], "10:14:00"))["i-1"]
        assert (found.fate, found.is_hit, found.rule) == (Fate.GONE, False, "")
        assert fate(GRACEFUL, launched, past.ended("i-1", "10:15:01")) is Fate.TERMINATED
        assert fate(GRACEFUL, past.launch("i-1", tags=LOL), past.ended("i-1", "10:00:00")) is Fate.COMPLIANT

    @pytest.mark.parametrize(
        ("at", "behavior", "expected", "doubts"),
        [
            ("10:06:00", None, Fate.GONE, ()),
            ("10:06:00", "terminate", Fate.GONE, ()),
            ("10:06:00", "stop", Fate.GONE, (HitWarning.INTERRUPTED,)),
            ("10:06:00", "hibernate", Fate.GONE, (HitWarning.INTERRUPTED,)),
            ("10:15:01", None, Fate.TERMINATED, ()),
        ],
    )
    def test_what_ec2_took_back_in_time_is_gone(
        self, at: str, behavior: str | None, expected: Fate, doubts: tuple[HitWarning, ...]
    ) -> None:
        launched = past.launch("i-1")
        launched["requestParameters"]["instanceMarketOptions"] = {
            "spotOptions": {"instanceInterruptionBehavior": behavior}
        }
        found = fates(policy(GRACEFUL), launched, past.interrupted("i-1", at))["i-1"]
        assert (found.fate, found.warnings) == (expected, doubts)
        if doubts:
            ended = fates(policy(GRACEFUL), launched, past.interrupted("i-1", at), past.ended("i-1", "10:10:00"))["i-1"]
            assert (ended.fate, ended.warnings) == (Fate.GONE, ())

    def test_a_warning_of_ec2_that_it_stops_an_instance_leaves_a_doubt(self) -> None:
        announced = {
            "detail-type": "EC2 Spot Instance Interruption Warning", "account": past.ACCOUNT, "region": "eu-west-1",
            "time": f"{past.DAY}T10:05:00Z", "detail": {"instance-id": "i-1", "instance-action": "stop"},
        }  # fmt: skip
        found = fates(policy(GRACEFUL), past.launch("i-1"), announced)["i-1"]
        assert (found.fate, found.warnings) == (Fate.GONE, (HitWarning.INTERRUPTED,))

    def test_an_instance_that_its_owner_stopped_is_hit_all_the_same(self) -> None:
        found = fates(policy(GRACEFUL), past.launch("i-1"), past.stopped("i-1", "10:05:00"))["i-1"]
        assert (found.fate, found.own_action, found.warnings) == (Fate.TERMINATED, None, ())

    def test_a_launch_with_odd_details_is_in_doubt(self) -> None:
        odd = past.launch("i-1")
        odd["responseElements"]["instancesSet"]["items"][0]["tagSet"] = {"items": [{"value": "LOL"}]}
        assert fates(policy(), odd)["i-1"].warnings == (HitWarning.ODD_RECORD,)

    def test_calls_that_failed_change_nothing(self) -> None:
        refused = {"errorCode": "Client.UnauthorizedOperation"}
        launched = past.launch("i-1")
        assert fate(GRACEFUL, launched, past.tagged("i-1", "10:01:00", LOL, **refused)) is Fate.TERMINATED
        assert fate(GRACEFUL, launched, past.ended("i-1", "10:01:00", **refused)) is Fate.TERMINATED
        assert fate(GRACEFUL, launched, past.record("TerminateInstances", "10:01:00", {"x": 1})) is Fate.TERMINATED
        assert (
            fate(GRACEFUL, launched, past.record("TerminateInstances", "10:01:00", {"instancesSet": 1}))
            is Fate.TERMINATED
        )
        assert fate(GRACEFUL, launched, past.record("TerminateInstances", "10:01:00", None)) is Fate.TERMINATED


class TestWhatBroomItselfDid:
    BROOM = past.by_role("landkeeper-terminate", "landkeeper")

    def one(self, text: str, *records: Mapping[str, Any], roles: Collection[str] = BROOM_ROLES) -> PastFate:
        (found,) = backtest(policy(text), chronicle(*records).instances(), read_at=READ_AT, broom_roles=roles)
        return found

    @pytest.mark.parametrize(
        ("role", "session", "is_own"),
        [
            ("landkeeper-terminate", "landkeeper", True),
            ("landkeeper-terminate", "jane", True),
            ("Renamed", "landkeeper", True),
            ("landkeeper-BroomRole-1ABCDEFGHIJKL", "landkeeper-BroomFunction-x", True),
            ("Renamed", "other", False),
            ("Developer", "landkeeper-terminate", False),
        ],
    )
    def test_a_role_or_a_session_of_broom_s_makes_it_what_broom_did(
        self, role: str, session: str, is_own: bool
    ) -> None:
        ended = past.ended("i-1", "10:05:00", **past.by_role(role, session))
        found = self.one(GRACEFUL, past.launch("i-1"), ended)
        assert found.fate is (Fate.TERMINATED if is_own else Fate.GONE)
        assert (found.own_action is not None) is is_own
        renamed = self.one(GRACEFUL, past.launch("i-1"), ended, roles={role})
        assert (renamed.fate, renamed.own_action is not None) == (Fate.TERMINATED, True)

    def test_an_end_by_a_user_named_so_is_not_broom_s(self) -> None:
        user: dict[str, Any] = {
            "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/landkeeper/landkeeper"}
        }
        assert self.one(GRACEFUL, past.launch("i-1"), past.ended("i-1", "10:05:00", **user)).fate is Fate.GONE

    def test_what_broom_ended_is_hit_by_the_same_policy_and_says_when(self) -> None:
        found = self.one(STRICT, past.launch("i-1"), past.ended("i-1", "10:00:30", **self.BROOM))
        assert (found.fate, found.is_hit, found.rule, found.warnings) == (Fate.TERMINATED, True, "code", ())
        assert found.own_action is not None
        assert found.own_action.event_time == datetime(2026, 1, 1, 10, 0, 30, tzinfo=UTC)

    def test_a_policy_that_is_milder_is_asked_as_if_the_instance_still_ran(self) -> None:
        ended = past.ended("i-1", "10:00:30", **self.BROOM)
        patient = self.one(GRACEFUL, past.launch("i-1"), ended)
        assert (patient.fate, patient.warnings) == (Fate.TERMINATED, (HitWarning.ENDED_BY_BROOM,))
        spared = self.one(GRACEFUL, past.launch("i-1", tags=LOL), ended)
        assert (spared.fate, spared.is_hit, spared.warnings) == (Fate.COMPLIANT, False, ())
        assert spared.own_action is not None

    def test_what_follows_broom_s_end_tells_nothing_and_what_comes_before_does(self) -> None:
        ended = past.ended("i-1", "10:05:00", **self.BROOM)
        group = past.ended(
            "i-1", "10:05:30", userIdentity={"type": "AWSService", "invokedBy": "autoscaling.amazonaws.com"}
        )
        assert self.one(GRACEFUL, past.launch("i-1"), ended, group).fate is Fate.TERMINATED
        assert self.one(GRACEFUL, past.launch("i-1"), ended, past.ended("i-1", "10:04:00")).fate is Fate.GONE

    def test_a_stop_by_broom_is_what_broom_did_and_no_end(self) -> None:
        stopped = past.stopped("i-1", "10:05:00", **self.BROOM)
        stop = GRACEFUL.replace("action: terminate", "action: stop")
        found = self.one(stop, past.launch("i-1"), stopped)
        assert (found.fate, found.own_action and found.own_action.end) == (Fate.STOPPED, End.STOPPED)
        assert found.warnings == ()
        assert self.one(stop, past.launch("i-1"), stopped, past.ended("i-1", "10:10:00")).fate is Fate.GONE
        both = self.one(stop, past.launch("i-1"), stopped, past.ended("i-1", "10:10:00", **self.BROOM))
        assert both.own_action is not None
        assert both.own_action.end is End.TERMINATED

    def test_the_names_are_those_of_the_templates_and_of_the_sessions(self) -> None:
        for template in ("landkeeper.yaml", "member-roles.yaml"):
            text = files("landkeeper.infra").joinpath(template).read_text(encoding="utf-8")
            (name,) = re.findall(r"TerminateRoleName:(?:\n    .*)*?\n    Default: (\S+)", text)
            assert {name} == BROOM_ROLES
        assert SESSION_NAME == BROOM_SESSION
        assert "\n  BroomRole:\n    Type: AWS::IAM::Role" in files("landkeeper.infra").joinpath(
            "landkeeper.yaml"
        ).read_text(encoding="utf-8")

    def test_logs_of_the_embedded_aws_show_what_broom_did(self) -> None:
        shape = Session().get_service_model("ec2").operation_model("TerminateInstances").output_shape
        assert isinstance(shape, StructureShape)
        caller = Caller(past.ACCOUNT, self.BROOM["userIdentity"])
        at = datetime(2026, 1, 1, 10, 5, tzinfo=UTC)
        ended = record_of(Call(caller, "eu-west-1", "TerminateInstances", {"InstanceIds": ["i-1"]}, {}, shape, at))
        found = self.one(GRACEFUL, past.launch("i-1"), ended)
        assert (found.fate, found.own_action is not None) == (Fate.TERMINATED, True)


class TestWhatIsDeliveredAnew:
    def test_it_completes_the_launch_in_whatever_order_it_comes(self) -> None:
        first = past.launch("i-1", event_id="first")
        update = past.launch(
            ["i-1", "i-2"], tags=LOL, event_id="second", addendum={"reason": "UPDATED_DATA", "originalEventID": "first"}
        )
        for records in ([first, update], [update, first], [first, update, first, update]):
            told = chronicle(*records)
            assert (told.launches, told.repeats, told.instance_ids) == (1, len(records) - 1, {"i-1", "i-2"})
            found = backtest(policy(), told.instances(), read_at=READ_AT)
            assert {each.past.case.instance_id: each.fate for each in found} == {
                "i-1": Fate.COMPLIANT, "i-2": Fate.COMPLIANT,
            }  # fmt: skip

    def test_it_names_the_instances_that_were_left_out(self) -> None:
        first = {**past.launch("i-1", event_id="first"), "responseElements": None}
        update = past.launch("i-1", event_id="second", addendum={"originalEventID": "first"})
        assert len(chronicle(first).unnamed) == 1
        assert (chronicle(first, update).unnamed, len(list(chronicle(update, first).instances()))) == ([], 1)


class TestThePolicysOwnWords:
    def test_the_milder_rule_waits_for_the_grace_of_the_severer_one(self) -> None:
        both = GRACEFUL.replace(
            "confirm_after", "  - {name: owner, require: {tag: Owner}, action: notify}\nconfirm_after"
        )
        found = fates(policy(both), past.launch("i-1"), past.tagged("i-1", "10:10:00", LOL))["i-1"]
        assert (found.fate, found.rule) == (Fate.NOTIFIED, "owner")
        assert found.at == datetime(2026, 1, 1, 10, 15, tzinfo=UTC)

    def test_exemptions_count_as_of_the_day_and_when_as_of_the_launch(self) -> None:
        text = STRICT + "exempt: [{account: '111122223333', expires: 2026-01-01}]\n"
        assert fate(text, past.launch("i-1")) is Fate.EXEMPT
        assert fate(text, past.launch("i-1", "2026-01-02T10:00:00Z")) is Fate.TERMINATED
        elsewhere = STRICT.replace("action:", "when: {regions: ['us-*']}\n    action:")
        assert fate(elsewhere, past.launch("i-1")) is Fate.COMPLIANT
        assert fate(elsewhere, past.launch("i-1", awsRegion="us-east-1")) is Fate.TERMINATED

    def test_stop_and_notify_are_hits_of_their_own(self) -> None:
        assert fate(STRICT.replace("terminate", "stop"), past.launch("i-1")) is Fate.STOPPED
        assert fate(STRICT.replace("terminate", "notify"), past.launch("i-1")) is Fate.NOTIFIED

    def test_new_units_are_not_asked_for_and_the_doubt_is_said(self) -> None:
        text = STRICT + "onboarding: {ous: [ou-ab12-new], action: notify}\n"
        found = fates(policy(text), past.launch("i-1"))["i-1"]
        assert (found.fate, found.warnings) == (Fate.NOTIFIED, (HitWarning.UNITS_UNKNOWN,))

    def test_what_services_launch_is_in_doubt(self) -> None:
        by_service = {**past.JANE, "type": "AssumedRole", "invokedBy": "autoscaling.amazonaws.com"}
        found = fates(policy(), past.launch("i-1", userIdentity=by_service), past.spot(["i-2"], "10:00:00"))
        assert found["i-1"].warnings == (HitWarning.BY_SERVICE,)
        assert found["i-2"].warnings == (HitWarning.NO_TAGS_LOGGED,)

    def test_what_a_template_may_have_tagged_is_in_doubt(self) -> None:
        launches = []
        for id_, template in (
            ("i-1", {"launchTemplateId": "lt-1", "version": "2"}),
            ("i-2", {"launchTemplateName": "web"}),
        ):
            launches.append(past.launch(id_))
            launches[-1]["requestParameters"]["launchTemplate"] = template
        found = fates(policy(), *launches, past.launch("i-3"))
        assert [each.past.launch_template for each in found.values()] == ["lt-1", "web", ""]
        assert [each.warnings for each in found.values()] == [
            (HitWarning.FROM_TEMPLATE,),
            (HitWarning.FROM_TEMPLATE,),
            (),
        ]

    def test_a_grace_that_was_not_over_when_the_logs_were_read_is_in_doubt(self) -> None:
        told = chronicle(past.launch("i-1")).instances()
        (found,) = backtest(policy(GRACEFUL), told, read_at=datetime(2026, 1, 1, 10, 5, tzinfo=UTC))
        assert (found.fate, found.warnings) == (Fate.TERMINATED, (HitWarning.STILL_DUE,))

    def test_the_window_is_the_longest_wait_and_a_grace_may_be_given_for_all_rules(self) -> None:
        assert window(policy(GRACEFUL)) == timedelta(minutes=15)
        assert window(policy(CONFIRMED)) == timedelta(seconds=60)
        assert window(with_grace(policy(GRACEFUL), timedelta(hours=2))) == timedelta(hours=2)
        assert with_grace(policy(GRACEFUL), None) == policy(GRACEFUL)


class TestLimits:
    HOURLY = STRICT + "limits: {terminations_per_hour: 2, terminations_per_run: 1, terminations_share: 10%}\n"

    def test_what_is_over_the_limit_of_its_hour_is_held_in_the_order_of_time(self) -> None:
        launches = [past.launch(f"i-{minute}", f"10:{minute}:00") for minute in (50, 40, 30)]
        found = fates(policy(self.HOURLY), *launches, past.launch("i-1", "11:00:00"))
        assert {id_: each.fate for id_, each in found.items()} == {
            "i-30": Fate.TERMINATED, "i-40": Fate.TERMINATED, "i-50": Fate.HELD, "i-1": Fate.TERMINATED,
        }  # fmt: skip
        assert found["i-50"].because.endswith("; the limit of 2 terminations in one hour is reached")
        assert (found["i-50"].is_hit, found["i-50"].rule) == (True, "code")

    def test_what_is_over_the_limit_of_its_account_is_held(self) -> None:
        limited = policy(STRICT + "limits: {terminations_per_hour_per_account: 1}\n")
        found = fates(limited, past.launch(["i-1", "i-2"]))
        assert [each.fate for each in found.values()] == [Fate.TERMINATED, Fate.HELD]

    def test_an_auto_scaling_group_is_held_after_two(self) -> None:
        group = {"aws:autoscaling:groupName": "web"}
        found = fates(policy(), *(past.launch(f"i-{at}", f"10:0{at}:00", tags=group) for at in range(4)))
        assert [each.fate for each in found.values()].count(Fate.HELD) == 2

    def test_limits_that_a_log_cannot_tell_of_are_named_and_hold_nothing(self) -> None:
        assert unknown_limits(policy(self.HOURLY)) == ("terminations_per_run", "terminations_share")
        assert unknown_limits(policy()) == ()
        one_a_run = policy(STRICT + "limits: {terminations_per_run: 1}\n")
        found = fates(one_a_run, past.launch(["i-1", "i-2", "i-3"]))
        assert {each.fate for each in found.values()} == {Fate.TERMINATED}


class TestToldTwice:
    def test_repeats_and_shared_events_count_once(self) -> None:
        shared: dict[str, Any] = {"sharedEventID": "shared-1"}
        told = chronicle(
            past.launch("i-1"),
            past.launch("i-1"),
            past.launch("i-2", event_id="a", **shared),
            past.launch("i-2", event_id="b", recipientAccountId=past.OTHER, **shared),
        )
        assert (told.launches, told.repeats) == (2, 2)
        assert [each.case.instance_id for each in told.instances()] == ["i-1", "i-2"]
        assert list(told.instance_ids) == ["i-1", "i-2"]

    def test_a_spot_fulfilment_and_the_call_behind_it_are_one_instance_in_either_order(self) -> None:
        fulfilled, called = past.spot(["i-1"], "10:00:03"), past.launch("i-1", "10:00:00", tags=LOL)
        for records in ([fulfilled, called], [called, fulfilled]):
            (only,) = chronicle(*records).instances()
            assert (only.case.principal.name, only.case.instance_type, only.tags_at(READ_AT)) == (
                "jane",
                "t3.micro",
                LOL,
            )

    def test_launches_whose_answer_was_left_out_are_named(self) -> None:
        silent = past.launch("i-1")
        silent["responseElements"] = None
        told = chronicle(silent)
        assert ([source for source, _ in told.unnamed], list(told.instances())) == (["0.json.gz"], [])

    @given(st.randoms(use_true_random=False))
    def test_the_order_and_repetition_of_files_change_nothing(self, chance: random.Random) -> None:
        records = [
            past.launch(["i-1", "i-2"]), past.launch("i-3", "10:00:30"), past.tagged(["i-1", "i-3"], "10:02:00", LOL),
            past.untagged("i-3", "10:02:00", ["Code"]), past.untagged("i-1", "10:04:00"), past.ended("i-2", "10:05:00"),
            past.ended("i-2", "10:06:00"), past.tagged("i-1", "10:06:00", {"Code": "GGG"}),
            past.spot(["i-3"], "10:00:31"),
        ]  # fmt: skip
        mixed = [*records, *chance.sample(records, 3)]
        chance.shuffle(mixed)
        expected = {id_: (each.fate, each.at, each.tags) for id_, each in fates(policy(GRACEFUL), *records).items()}
        assert {
            id_: (each.fate, each.at, each.tags) for id_, each in fates(policy(GRACEFUL), *mixed).items()
        } == expected
        assert {id_: each[0] for id_, each in expected.items()} == {
            "i-1": Fate.COMPLIANT, "i-2": Fate.GONE, "i-3": Fate.COMPLIANT,
        }  # fmt: skip


class TestTheAnswer:
    RECORDS = (
        past.launch(["i-1", "i-2"], "2026-01-01T23:59:59Z"),
        past.launch("i-3", "2026-01-02T00:00:00Z", tags=LOL),
        past.launch("i-4", "2026-01-03T08:00:00Z", awsRegion="us-east-1", recipientAccountId=past.OTHER,
                    userIdentity={**past.JANE, "userName": "ben", "accountId": past.OTHER}),
    )  # fmt: skip

    def test_since_is_in_and_until_is_out(self) -> None:
        midnight, later = datetime(2026, 1, 2, tzinfo=UTC), datetime(2026, 1, 3, 8, tzinfo=UTC)
        assert list(fates(policy(), *self.RECORDS, since=midnight, until=later)) == ["i-3"]
        assert list(fates(policy(), *self.RECORDS, since=midnight)) == ["i-3", "i-4"]
        assert list(fates(policy(), *self.RECORDS, until=midnight)) == ["i-1", "i-2"]

    def test_it_is_summed_up_by_day_rule_account_region_and_principal(self) -> None:
        found = fates(policy(), *self.RECORDS).values()
        counted = {by: [(each.name, each.instances, each.hit) for each in tally_by(by, found)] for by in By}
        assert counted == {
            By.DAY: [("2026-01-01", 2, 2), ("2026-01-02", 1, 0), ("2026-01-03", 1, 1)],
            By.RULE: [("code", 3, 3)],
            By.ACCOUNT: [("111122223333", 3, 2), ("444455556666", 1, 1)],
            By.REGION: [("eu-west-1", 3, 2), ("us-east-1", 1, 1)],
            By.PRINCIPAL: [("jane", 3, 2), ("ben", 1, 1)],
        }
        assert [each.account for each in tally_by(By.PRINCIPAL, found)] == [past.ACCOUNT, past.OTHER]
        whole = total(found)
        assert (whole.instances, whole.hit, whole.fates) == (4, 3, {Fate.TERMINATED: 3, Fate.COMPLIANT: 1})

    def test_two_policies_are_compared_instance_by_instance(self) -> None:
        told = list(chronicle(*self.RECORDS).instances())
        old = backtest(policy(), told, read_at=READ_AT)
        text = STRICT.replace("action: terminate", "action: notify").replace("LOL, GGG", "BRB")
        new = backtest(policy(text + "exempt: [{account: '444455556666'}]\n"), told, read_at=READ_AT)
        found = compare(new, old)
        assert [each.past.case.instance_id for each in found.newly_hit] == ["i-3"]
        assert [(each.past.case.instance_id, each.fate) for each in found.newly_spared] == [("i-4", Fate.TERMINATED)]
        assert [(now.fate, before.fate) for now, before in found.changed] == [(Fate.NOTIFIED, Fate.TERMINATED)] * 2
        nothing = compare(new, new)
        assert (nothing.newly_hit, nothing.newly_spared, nothing.changed) == ((), (), ())
