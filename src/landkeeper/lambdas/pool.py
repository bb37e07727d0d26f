"""The pools' function: CloudFormation asks it for a block, as for any other resource of a stack, and gives it back.

Whatever happens, CloudFormation is answered: without an answer a stack would wait for an hour. Only what is no request
of CloudFormation's, and what could not be delivered, is an error; Lambda then tries again, and the same is asked again.
"""

from __future__ import annotations

import os
from typing import Any

from landkeeper.aws.deadlines import Deadline, do_within
from landkeeper.lambdas.log_lines import begin_request, log
from landkeeper.lambdas.time_left import deadline_of
from landkeeper.org import Failure, LandkeeperError
from landkeeper.settings import read_settings
from landkeeper.vpctracker.pools.custom_resource import StackCall, parse_call
from landkeeper.vpctracker.pools.pool import Reservation
from landkeeper.wiring.vpctracker.pool_function import do_for_stack, tell_stack

_SPARE_SECONDS = 30.0
"""How long before its time is over the function gives up: the answer has to be delivered within that."""


def handler(event: object, context: object) -> dict[str, Any]:
    """Do what CloudFormation asks, and tell it. Raises UsageError for anything else, UnansweredError."""
    begin_request(context)
    call = parse_call(event)
    outcome = _outcome_of(call, deadline_of(context, spare_seconds=_SPARE_SECONDS))
    tell_stack(call, outcome)
    failed = isinstance(outcome, str)
    told = {"Request": call.kind, "StackId": call.stack, "LogicalResourceId": call.logical_id}
    what = {"Reason": outcome} if failed else {"ReservationId": outcome.id if isinstance(outcome, Reservation) else ""}
    log("WARNING" if failed else "INFO", "answered", {**told, **what})
    return {"Status": "FAILED" if failed else "SUCCESS", **what}


def _outcome_of(call: StackCall, deadline: Deadline) -> Reservation | str | None:
    """The reservation it is about, or why it cannot be done. What takes longer calls AWS no more after that."""
    try:
        done = do_within(deadline, lambda: _do(call))
    except LandkeeperError as error:
        return str(error)
    except Exception as error:  # noqa: BLE001 - CloudFormation waits for an answer
        log("ERROR", "failed", {"StackId": call.stack, "Error": f"{type(error).__name__}: {error}"})
        return f"Landkeeper failed with {type(error).__name__}; its function's log has more"
    return f"it took too long: {done.message}; try again" if isinstance(done, Failure) else done


def _do(call: StackCall) -> Reservation | None:
    given, unsent = do_for_stack(read_settings(os.environ), call)
    for message in unsent:
        log("WARNING", "not sent", {"Message": message.body, "Reason": message.reason})
    return given
