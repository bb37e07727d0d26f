"""What the functions print: a JSON object a line, with the id of the request it belongs to, and metrics among them.

CloudWatch takes metrics out of lines in its embedded metric format, so none of them takes a call.
Source: Amazon CloudWatch User Guide, "Specification: Embedded metric format"; AWS Lambda Developer Guide, "Configuring
advanced logging controls for Lambda functions", for the name `requestId`.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping

NAMESPACE = "Landkeeper"
METRICS = (
    "InstancesJudged",
    "InstancesDestroyed",
    "InstancesHeld",
    "InstancesKept",
    "Failures",
    "VpcsRead",
    "AccountsUnreadable",
)
"""Every metric of the functions; each is billed, beyond CloudWatch's ten free ones."""

_request = {"requestId": ""}


def begin_request(context: object) -> None:
    """From now on lines belong to the request of this Lambda context; to none where it has no id."""
    _request["requestId"] = str(getattr(context, "aws_request_id", "") or "")


def log(level: str, message: str, fields: Mapping[str, object] | None = None) -> None:
    """Print one line."""
    _print({"level": level, "message": message, **(fields or {})})


def put_metrics(counts: Mapping[str, int]) -> None:
    """Print counts, those in METRICS, for CloudWatch to take as metrics without dimensions; nothing where all are 0."""
    if any(counts.values()):
        metrics = [{"Name": name, "Unit": "Count"} for name in METRICS if name in counts]
        directive = {"Namespace": NAMESPACE, "Dimensions": [[]], "Metrics": metrics}
        metric_data = {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]}
        log("INFO", "metrics", {**counts, "_aws": metric_data})


def _print(fields: Mapping[str, object]) -> None:
    # In one piece: threads write side by side.
    request = _request if _request["requestId"] else {}
    sys.stdout.write(json.dumps({**fields, **request}) + "\n")
