"""`landkeeper broom policy import` and `export`: policies from AWS's own forms, and in them."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import click

from landkeeper.broom.policy.file import parse_policy
from landkeeper.broom.policy.from_aws import import_config_rule, import_tag_policies
from landkeeper.broom.policy.rules import Penalty
from landkeeper.broom.policy.to_aws import export_scp, export_tag_policy
from landkeeper.cli.broom.output import warn
from landkeeper.cli.exit_codes import DONE
from landkeeper.org import UsageError
from landkeeper.settings import read_settings
from landkeeper.wiring.broom.policy import read_policy_text
from landkeeper.wiring.texts import read_named_file


def run_import(
    tag_policies: tuple[str, ...], effective: bool, require_all: bool, config_rule: str | None, action: str
) -> int:
    """Write a policy from what AWS already has, on standard output."""
    if bool(tag_policies) == (config_rule is not None):
        raise UsageError("give --tag-policy FILE or --config-rule FILE, one of the two")
    if config_rule is not None:
        if effective or require_all:
            raise UsageError("--effective and --require-all go with --tag-policy")
        text = import_config_rule(config_rule, read_named_file(config_rule, what="policy"), Penalty(action))
    else:
        files = [(name, read_named_file(name, what="policy")) for name in tag_policies]
        text = import_tag_policies(files, Penalty(action), effective=effective, require_all=require_all)
    click.echo(text, nl=False)
    return DONE


def run_export(file: str, form: str, enforce: bool) -> int:
    """Write a policy in a form of AWS's, on standard output: one JSON document a line."""
    policy = parse_policy(read_policy_text(file, read_settings(os.environ)), file)
    if form == "scp" and enforce:
        raise UsageError("--enforce goes with --as tag-policy: a service control policy always enforces")
    today = datetime.now(UTC).date()
    exported = export_tag_policy(policy, enforce=enforce) if form == "tag-policy" else export_scp(policy, today)
    for document in exported.documents:
        click.echo(document)
    if len(exported.documents) > 1:
        number = len(exported.documents)
        warn(f"{number} documents, one a line; a root, unit or account takes ten of a kind, FullAWSAccess among them")
    warn("What this form cannot say:")
    for sentence in exported.lost:
        warn(f"- {sentence}")
    return DONE
