"""The policy that somebody starts from."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Sequence

from landkeeper.broom.policy.file import parse_policy_file
from landkeeper.org import UsageError

_TEXT = """\
# The tag policy of Landkeeper's Broom.
# Try it:   landkeeper broom policy try --policy FILE --tag {shown}
# Check it: landkeeper broom policy check FILE
# Test it:  landkeeper broom policy test FILE
version: 1

# What instances must have. Keys and values are case-sensitive.
rules:
  - name: {name}
    require: {require}
    # notify only reports. Change it to stop or terminate once a backtest shows what that would hit.
    action: notify
    # How long after its launch an instance may still be tagged.
    grace: 15m

# Instances that no rule applies to: services that may tag after the launch, or that replace what is terminated.
exempt:
  - {{principal: "*/AWSServiceRoleForAutoScaling*/*"}}
  - {{principal: "*/AWSServiceRoleForAmazonEKSNodegroup*/*"}}
  - {{tag: "aws:autoscaling:groupName"}}
  - {{tag: "aws:eks:cluster-name"}}
  - {{tag: "eks:cluster-name"}}
  - {{tag: "karpenter.sh/nodepool"}}
  - {{tag: "aws:elasticmapreduce:job-flow-id"}}
  # An exception for one account, with whom to ask and the last day (UTC) on which it counts:
  # - {{account: "111122223333", owner: platform@example.com, expires: 2030-12-31}}

# How many instances may be terminated. What is over a limit is held until a person releases it.
limits: {{terminations_per_hour: 20, terminations_per_hour_per_account: 5, terminations_per_run: 10}}

# Launches and the verdicts that they must get. `landkeeper broom policy test` runs them.
tests:
  - name: a launch with the tag
    launch: {{tags: {{{key}: {value}}}}}
    verdict: compliant
  - name: a launch without tags
    launch: {{tags: {{}}}}
    verdict: violation
    action: notify
    rule: {name}
  - name: a launch by Auto Scaling
    launch:
      principal: arn:aws:iam::111122223333:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling
    verdict: exempt
"""


_LONGEST_KEY, _LONGEST_VALUE = 128, 256
"""Characters of a tag. Source: Amazon EC2 User Guide, "Tag your Amazon EC2 resources"."""
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


def starter_policy(key: str, values: Sequence[str] = ()) -> str:
    """Return the text of a policy, with comments, that requires a tag; with `values`, that it has one of these.

    Raises UsageError for what cannot be the key or the value of a tag.
    """
    if not key.strip() or len(key) > _LONGEST_KEY or key.lower().startswith("aws:"):
        raise UsageError(f"'{key}' cannot be the key of a tag: expected up to 128 characters, not beginning with aws:")
    for value in values:
        if len(value) > _LONGEST_VALUE or value.count("*") > 1:
            raise UsageError(
                f"'{value}' cannot be the value of a tag: expected up to 256 characters, with one * at most"
            )
    listed = f", values: [{', '.join(map(_quoted, values))}]" if values else ""
    value = values[0].replace("*", "x") if values else "something"
    text = _TEXT.format(
        name=re.sub(r"[^a-z0-9]+", "-", key.lower()).strip("-") or "tag",
        require=f"{{tag: {_quoted(key)}{listed}}}",
        key=_quoted(key),
        value=_quoted(value),
        shown=shlex.quote(f"{key}={value}") if f"{key}{value}".isprintable() else "KEY=VALUE",
    )
    parse_policy_file(text, "the policy that would be written")
    return text


def _quoted(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=not text.isprintable())
