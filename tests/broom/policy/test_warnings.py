"""What a policy's author is warned about, and where the warning points."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from landkeeper.broom.policy.file import parse_policy_file
from landkeeper.broom.policy.warnings import find_warnings

EXAMPLES = Path(__file__).parents[3] / "examples"
REGIONS = {"eu-west-1", "us-east-1"}
TODAY = date(2026, 6, 1)

RULE = "version: 1\nrules:\n- name: code\n  action: notify\n  require: "
NOTIFY = RULE + "{tag: Code}\n"
SAFE = "limits: {terminations_per_run: 5}\nexempt: [{tag: eks:cluster-name}]\n"
END = NOTIFY.replace("notify", "terminate")


def warnings(text: str) -> list[str]:
    return [f"{one.line}: {one.text}" for one in find_warnings(parse_policy_file(text, "p"), REGIONS, TODAY)]


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("broom*.yaml")), ids=lambda path: path.name)
def test_the_examples_are_above_suspicion(path: Path) -> None:
    assert warnings(path.read_text(encoding="utf-8")) == []


def test_a_policy_that_only_notifies_needs_no_limits_and_no_exemptions() -> None:
    assert warnings(NOTIFY + "confirm_after: 0s\nreport: optional\n") == []


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        (END, "3: rules terminate without limits: a mistake in a rule costs every instance that it applies to"),
        (END, "3: no service is exempt: Auto Scaling, EKS, Karpenter and EMR may tag instances after their launch"),
        (END + "exempt: [{tag: eks:cluster-name}]\nlimits: {terminations_per_hour: 20}",
         "7: without terminations_per_hour_per_account, one account can use up the limit of all accounts"),
        (END + "exempt: [{account: '444455556666'}, {tag: Ok}, {principal: x}]", "6: no service is exempt"),
        (END + SAFE + "confirm_after: 0s", "8: confirm_after is 0s: EC2 may show tags some seconds late"),
        (END + SAFE + "report: optional", "8: report is optional: Broom applies terminate even if it cannot report it"),
        (END.replace("terminate", "stop"), "3: no service is exempt"),
        (END + SAFE + "onboarding: {ous: [a], action: terminate}", "8: onboarding has no effect: no rule has a more"),
        (END + SAFE + "onboarding: {ous: [ou-ab12-cdefgh34, Sandbox], action: notify}",
         "8: onboarding names 'Sandbox', which is not the id of an organizational unit: it matches no account"),
        (NOTIFY + "exempt: [{principal: '*'}]", "6: principal '*' exempts every instance: no rule applies"),
        (NOTIFY + "exempt: [{account: '**'}]", "6: account '**' exempts every instance"),
        (NOTIFY + "exempt:\n- {tag: '*'}", "7: tag '*' exempts every instance with a tag: no rule applies to it"),
        (NOTIFY + "exempt: [{tag: Co*}]", "6: tag Co* exempts every instance that has it, and rule code"),
        (NOTIFY + "exempt: [{principal: '*/AWSServiceRoleForAutoScaling/*'}]",
         "6: principal */AWSServiceRoleForAutoScaling/* does not exempt service-linked roles with a suffix"),
        (NOTIFY + "exempt: [{principal: '*:role/aws-service-role/*/AWSServiceRoleForAutoScaling'}]",
         "6: principal *:role/aws-service-role/*/AWSServiceRoleForAutoScaling does not exempt service-linked roles"),
        (NOTIFY + "exempt: [{principal: jane}]", "6: principal jane exempts nobody: it is compared with ARNs"),
        (NOTIFY + "exempt: [{principal: '/CI/*'}]",
         "6: principal /CI/* exempts nobody: it is compared with ARNs; write */CI/*"),
        (NOTIFY + "exempt: [{tag: a}, {tag: a}]", "6: the exemption of tag a is listed twice"),
        (NOTIFY + "exempt: [{tag: a, owner: jo, expires: 2026-05-31}]",
         "6: the exemption of tag a (owner: jo) expired on 2026-05-31 and has no effect"),
        (NOTIFY + "  when: {regions: [eu-west1]}",
         "3: rule code never applies there: 'eu-west1' is not a known region: did you mean 'eu-west-1'?"),
        (NOTIFY + "  when: {regions: ['us-*', 'qq-*']}",
         "3: rule code never applies there: 'qq-*' is not a known region"),
        (NOTIFY + "tests:\n- {name: a, launch: {region: eu-wst-1}, verdict: violation}",
         "7: test a: 'eu-wst-1' is not a known region: did you mean 'eu-west-1'?"),
        (NOTIFY + "  when: {instance_types: [t3]}",
         "3: rule code names 't3', which is not an instance type: did you mean 't3.*'?"),
        (NOTIFY + "  when: {accounts: ['111122223333']}\nexempt: [{account: '1111*'}]",
         "3: rule code never applies: all its accounts are exempt"),
        (RULE + "{tag: aws:x}", "3: rule code can only be met by AWS: nobody else may set the tag aws:x"),
        (RULE + f"{{tag: {'k' * 129}}}", "3: rule code can never be met: no tag has a key of 129 characters"),
        (RULE + f"{{tag: k, values: [{'v' * 257}]}}", "3: rule code can never be met: no tag has a value of more"),
        (RULE + "{tag: k, values: [a, b], matches: '[0-9]+'}",
         "3: rule code can never be met: none of the values of k matches [0-9]+"),
        (RULE + "{all: [{tag: k, values: [a]}, {tag: k, values: [b]}]}",
         "3: rule code can never be met: it requires two different values of k at once"),
        (RULE + "{all: [{not: {tag: k}}, {tag: k}]}", "3: rule code can never be met: it requires a condition and its"),
        (RULE + "{any: [{tag: aws:x}, {tag: aws:y}]}", "3: rule code can only be met by AWS"),
        (NOTIFY + "- {name: more, action: terminate, require: {tag: Code}}\n" + SAFE,
         "3: rule code never decides: rule more requires the same wherever it applies"),
        (NOTIFY + "- {name: again, action: notify, require: {tag: Code}}", "6: rule again never decides: rule code"),
        (NOTIFY + "- {name: some, action: notify, require: {tag: Code}, when: {regions: [eu-west-1]}}",
         "6: rule some never decides: rule code"),
        (NOTIFY + "  when: {regions: ['eu-*']}\n"
         "- {name: some, action: notify, require: {tag: Code}, when: {regions: [eu-west-1]}}",
         "7: rule some never decides: rule code"),
    ],
)  # fmt: skip
def test_what_can_hardly_be_meant_is_said_with_its_line(text: str, warning: str) -> None:
    found = warnings(text)
    assert any(each.startswith(warning) for each in found), found


@pytest.mark.parametrize(
    "text",
    [
        END + SAFE,
        END + SAFE.replace("tag: eks:cluster-name", "principal: '*/AWSServiceRoleForAutoScaling*/*'"),
        NOTIFY + "exempt: [{principal: '*/AWSServiceRoleForAutoScaling_web/*'}, {tag: AWSServiceRoleForAutoScaling}]",
        END + SAFE.replace("per_run: 5", "share: 10%"),
        NOTIFY + "exempt: [{tag: Ok, expires: 2026-06-01}]",
        NOTIFY + "  when: {regions: ['eu-*'], instance_types: ['p*', t3.micro], accounts: ['111122223333']}",
        NOTIFY + "  when: {accounts: ['1111*']}\nexempt: [{account: '111122223333'}]",
        NOTIFY + "  when: {accounts: ['111122223333']}\nexempt: [{account: '111122223333', expires: 2027-01-01}]",
        END + SAFE + "onboarding: {ous: [ou-ab12-cdefgh34, r-ab12], accounts: ['4444*'], action: notify}",
        RULE + "{any: [{tag: aws:x}, {tag: y}]}",
        RULE + "{not: {tag: aws:x}}",
        RULE + "{all: [{tag: k, values: [a, b]}, {tag: k, values: [b, c]}, {tag: k, values: ['*']}, {not: {tag: j}}]}",
        RULE + "{tag: k, values: [a, '1'], matches: '[0-9]+'}",
        RULE + "{tag: k, values: ['a*'], matches: '[0-9]+'}",
        NOTIFY + "  grace: 1h\n- {name: sooner, action: notify, require: {tag: Other}}",
        NOTIFY + "  when: {regions: [eu-west-1]}\n"
        "- {name: rest, action: notify, require: {tag: Code}, when: {regions: [us-east-1]}}",
        NOTIFY + "exempt: [{tag: Ok}]\ntests: [{name: a, launch: {region: eu-west-1}, verdict: violation}]\n",
        RULE + "{not: {tag: Code}}\nexempt: [{tag: Code}]\n",
    ],
)
def test_what_may_well_be_meant_is_not_warned_about(text: str) -> None:
    assert warnings(text) == []
