"""Handles one event after the other in this process, and tells what each cost in CPU time.

`python event_worker.py METHOD`, with an event a line on standard input and an answer a line on standard output: the
milliseconds of CPU, or what went wrong. It imports nothing of this project's own but what it measures, so that it runs
in a virtual environment that holds nothing but Cloud Custodian as well.
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
    """As much of Lambda's context as the handlers ask for."""

    aws_request_id = "6bc28136-xmpl-4365-b021-0ce6b2e64ab0"
    function_name = "broom"
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:broom"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        """Time is not what is scarce here."""
        return 60_000


def landkeeper() -> Handler:
    """Broom's own."""
    from landkeeper.lambdas.broom import handler  # noqa: PLC0415 - in its own environment

    return handler


def custodian() -> Handler:
    """Cloud Custodian's, with the policy in `config.json` of the working directory."""
    from c7n.handler import dispatch_event  # noqa: PLC0415 - in its own environment

    handle: Handler = dispatch_event
    return handle


def boto3_alone() -> Handler:
    """What people write first: no ledger, no second thought, nothing that is done only once."""
    import boto3  # noqa: PLC0415 - no part of what the others load

    ec2, sns = boto3.client("ec2"), boto3.client("sns")

    def handle(event: Any, _context: object) -> None:
        items = event["detail"]["responseElements"]["instancesSet"]["items"]
        found = ec2.describe_instances(InstanceIds=[item["instanceId"] for item in items])
        instances = [one for reservation in found["Reservations"] for one in reservation["Instances"]]
        bad = [
            one["InstanceId"]
            for one in instances
            if {tag["Key"]: tag["Value"] for tag in one.get("Tags", ())}.get("Code") not in {"LOL", "GGG"}
        ]
        if bad:
            ec2.terminate_instances(InstanceIds=bad)
            who = event["detail"]["userIdentity"].get("userName", "somebody")
            sns.publish(TopicArn=os.environ["LANDKEEPER_TOPIC_ARN"], Message=f"{who} created {bad}: destroyed.")

    return handle


METHODS = {"landkeeper": landkeeper, "custodian": custodian, "boto3": boto3_alone}


def main(method: str) -> None:
    """Answer events until there are no more."""
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
