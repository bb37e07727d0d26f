"""`landkeeper broom policy import` and `export`: policies from AWS's own forms, and in them."""

from __future__ import annotations

from datetime import UTC, datetime

from landkeeper.broom.policy.config_rules import import_config_rule
from landkeeper.broom.policy.file import parse_policy
from landkeeper.broom.policy.from_aws import import_tag_policies
from landkeeper.broom.policy.rules import Penalty
from landkeeper.broom.policy.to_aws import export_scp, export_tag_policy
from landkeeper.cli.broom.given_policy import read_file_or_stdin, read_policy, shown_name
from landkeeper.cli.broom.output import warn
from landkeeper.cli.exit_codes import DONE
from landkeeper.cli.terminal import say_text
from landkeeper.org import UsageError


def run_import(
    tag_policies: tuple[str, ...], effective: bool, require_all: bool, config_rule: str | None, action: str
) -> int:
    """Convert an AWS tag policy or AWS Config rule to a policy."""
    if bool(tag_policies) == (config_rule is not None):
        raise UsageError("pass either --tag-policy FILE or --config-rule FILE")
    if config_rule is not None:
        if effective or require_all:
            raise UsageError("--effective and --require-all require --tag-policy")
        text = import_config_rule(shown_name(config_rule), read_file_or_stdin(config_rule), Penalty(action))
    else:
        files = [(shown_name(name), read_file_or_stdin(name)) for name in tag_policies]
        text = import_tag_policies(files, Penalty(action), effective=effective, require_all=require_all)
    say_text(text)
    return DONE


def run_export(file: str, form: str, enforce: bool) -> int:
    """Convert a policy to AWS tag policies or service control policies."""
    policy = parse_policy(read_policy(file), shown_name(file))
    if form == "scp" and enforce:
        raise UsageError("--enforce requires --as tag-policy: a service control policy always enforces")
    today = datetime.now(UTC).date()
    exported = export_tag_policy(policy, enforce=enforce) if form == "tag-policy" else export_scp(policy, today)
    for document in exported.documents:
        say_text(f"{document}\n")
    if len(exported.documents) > 1:
        number = len(exported.documents)
        warn(
            f"{number} documents, one per line; a root, unit or account can have ten of each type, including "
            "FullAWSAccess"
        )
    warn("Not expressed in this form:")
    for sentence in exported.lost:
        warn(f"- {sentence}")
    return DONE
