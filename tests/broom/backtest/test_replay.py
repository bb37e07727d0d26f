"""What a policy would have done to the launches that a log tells of."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests import past_logs as past
from tests.broom_world import CONFIRMED, STRICT, policy

from landkeeper.broom.backtest.history import Chronicle
from landkeeper.broom.backtest.replay import Fate, HitWarning, PastFate, backtest, unknown_limits, window, with_grace
from landkeeper.broom.backtest.summary import By, compare, tally_by, total
from landkeeper.broom.cloudtrail.records import PAST_EVENTS
from landkeeper.broom.cloudtrail.scan import scan_log
from landkeeper.broom.policy.rules import Policy

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


def fates(under: Policy, *records: Mapping[str, Any], **window_: datetime) -> dict[str, PastFate]:
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
