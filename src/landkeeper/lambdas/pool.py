"""The pools' function: CloudFormation requests a block, as any other resource of a stack, and gives it back.

Whatever happens, CloudFormation is answered: without an answer a stack would wait for an hour. Only what is no request
of CloudFormation's, and what could not be delivered or written, is an error; Lambda then sends the same event again.
What a stack holds already is changed after CloudFormation has taken the answer: that is what proves the request.
"""

from __future__ import annotations

import os
from typing import Any

from landkeeper.aws.deadlines import Deadline, do_within, within
from landkeeper.lambdas.log_lines import begin_request, log
from landkeeper.lambdas.time_left import deadline_of
from landkeeper.org import Failure, LandkeeperError
from landkeeper.settings import read_settings
from landkeeper.vpctracker.pools.custom_resource import Prepared
from landkeeper.vpctracker.pools.stack_request import (
    StackCall,
    check_response_host,
    check_response_key,
    parse_call,
)
from landkeeper.wiring.vpctracker.pool_function import (
    prepare_for_stack,
    settle_for_stack,
    tell_stack,
)

_SPARE_SECONDS = 30.0
"""How long before its time is over the function gives up: the answer has to be delivered within that."""
_LAST_SECONDS = 2.0
"""How long before its time is over it stops to write."""


def handler(event: object, context: object) -> dict[str, Any]:
    """Do what CloudFormation requests, and answer it.

    Raise UsageError for anything else, UnansweredError where the answer is not taken.
    """
    begin_request(context)
    call = parse_call(event)
    check_response_host(call, _own_endpoint())
    outcome = _outcome_of(call, deadline_of(context, spare_seconds=_SPARE_SECONDS))
    names = {"Request": call.kind, "StackId": call.stack, "LogicalResourceId": call.logical_id}
    tell_stack(call, outcome)
    if isinstance(outcome, str):
        log("WARNING", "answered", {**names, "Reason": outcome})
        return {"Status": "FAILED", "Reason": outcome}
    # What is not written by then is an error, and the same event comes again.
    with within(deadline_of(context, spare_seconds=_LAST_SECONDS)):
        for message in settle_for_stack(read_settings(os.environ), call, outcome):
            log("WARNING", "not sent", {"Message": message.body, "Reason": message.reason})
    result = {"ReservationId": "" if outcome.reservation is None else outcome.reservation.id}
    log("INFO", "answered", {**names, **result})
    return {"Status": "SUCCESS", **result}


def _outcome_of(call: StackCall, deadline: Deadline) -> Prepared | str:
    """The reservation it is about, or why it cannot be done. What takes longer calls AWS no more after that."""
    try:
        done = do_within(deadline, lambda: _do(call))
    except LandkeeperError as error:
        return str(error)
    except Exception as error:  # noqa: BLE001 - CloudFormation waits for an answer
        log("ERROR", "failed", {"StackId": call.stack, "Error": f"{type(error).__name__}: {error}"})
        return f"Landkeeper failed with {type(error).__name__}; its function's log has more"
    return f"it took too long: {done.message}; try again" if isinstance(done, Failure) else done


def _do(call: StackCall) -> Prepared:
    check_response_key(call, _own_endpoint())
    return prepare_for_stack(read_settings(os.environ), call)


def _own_endpoint() -> str:
    return os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""
