"""Handle events in this process, one after the other, and report the CPU time of each.

`python event_worker.py METHOD` reads an event per line from standard input and writes an answer per line to standard
output: the milliseconds of CPU time, or the error. Of this project, it imports only what it measures, so it also runs
in a virtual environment that contains only Cloud Custodian.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

Handler = Callable[[Any, Any], Any]


class Context:
    """The part of Lambda's context that the handlers use."""

    aws_request_id = "6bc28136-xmpl-4365-b021-0ce6b2e64ab0"
    function_name = "broom"
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:broom"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        """Return ample time."""
        return 60_000


def landkeeper() -> Handler:
    """Return Broom's handler."""
    from landkeeper.lambdas.broom import handler  # noqa: PLC0415 - in its own environment

    return handler


def custodian() -> Handler:
    """Return Cloud Custodian's handler, with the policy in `config.json` of the working directory."""
    from c7n.handler import dispatch_event  # noqa: PLC0415 - in its own environment

    handle: Handler = dispatch_event
    return handle


def boto3_alone() -> Handler:
    """Return a simple handler: no ledger, no confirming read, no protection against repeats."""
    import boto3  # noqa: PLC0415 - no part of what the others load

    ec2, sns = boto3.client("ec2"), boto3.client("sns")

    def handle(event: Any, _context: object) -> None:
        items = event["detail"]["responseElements"]["instancesSet"]["items"]
        found = ec2.describe_instances(InstanceIds=[item["instanceId"] for item in items])
        instances = [instance for reservation in found["Reservations"] for instance in reservation["Instances"]]
        bad = [
            instance["InstanceId"]
            for instance in instances
            if {tag["Key"]: tag["Value"] for tag in instance.get("Tags", ())}.get("Code") not in {"LOL", "GGG"}
        ]
        if bad:
            ec2.terminate_instances(InstanceIds=bad)
            who = event["detail"]["userIdentity"].get("userName", "somebody")
            sns.publish(TopicArn=os.environ["LANDKEEPER_TOPIC_ARN"], Message=f"{who} created {bad}: destroyed.")

    return handle


METHODS = {"landkeeper": landkeeper, "custodian": custodian, "boto3": boto3_alone}


def main(method: str) -> None:
    """Answer events until standard input ends."""
    answers, handle = os.fdopen(os.dup(1), "w"), METHODS[method]()
    # What the handlers print is a log, and not an answer.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    for line in sys.stdin:
        event = json.loads(line)
        start = time.process_time()
        try:
            handle(event, Context())
        except Exception as error:  # noqa: BLE001 - whatever it was is the answer
            answers.write(json.dumps({"error": f"{type(error).__name__}: {error}"}) + "\n")
        else:
            answers.write(json.dumps({"cpu_ms": 1000 * (time.process_time() - start)}) + "\n")
        answers.flush()


if __name__ == "__main__":
    main(sys.argv[1])
