"""Instances in any account and region, through EC2: read by filter, stopped and terminated in one call.

One unknown id fails a whole TerminateInstances call, and a protected instance fails its availability zone while
other zones' instances end all the same. So when a batch fails, it is left to the caller to read the instances again,
and to act on those that are still there one by one.
Source: Amazon EC2 API Reference, "TerminateInstances".
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import replace
from datetime import timedelta
from math import inf
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from landkeeper.aws.failures import failure_of
from landkeeper.aws.paging import pages
from landkeeper.broom.instance_state import FRESH, ActionResult, BatchFailed, Done, Gone, LiveInstance, Refused, TooLate
from landkeeper.broom.launches import InstanceId, Tags
from landkeeper.org import AccountId, Failure, FailureReason, Region

if TYPE_CHECKING:
    from mypy_boto3_autoscaling import AutoScalingClient
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import FilterTypeDef

    from landkeeper.aws.sessions import AccountSessions

_MOST_IDS_IN_A_FILTER = 200
_SERVER_ERROR = 500
_PROTECTED = frozenset({"OperationNotPermitted"})
# What EC2 says of stopping an instance whose root is an instance store, or one of a one-time Spot request.
_IMPOSSIBLE = frozenset({"UnsupportedOperation"})
_NO_SUCH_INSTANCE = frozenset({"InvalidInstanceID.NotFound", "InvalidInstanceID.Malformed"})

_WILDCARD = re.compile(r"[*?\\]")

_T = TypeVar("_T")
Call = Callable[["EC2Client", Sequence[InstanceId]], object]

_send_before: ContextVar[float] = ContextVar("landkeeper_send_before", default=inf)
"""The time of the monotonic clock after which no request may be sent that stops or terminates instances."""


class _LateError(Exception):
    """A request was about to be sent too late."""


class Ec2Instances:
    """Broom's `InstanceReader` and `InstanceActions` on EC2."""

    def __init__(self, sessions: AccountSessions) -> None:
        """`sessions` say how to get into each account."""
        self._sessions = sessions

    def read_instances(
        self, account: AccountId, region: Region, ids: Sequence[InstanceId]
    ) -> Mapping[InstanceId, LiveInstance] | Failure:
        """Return the instances that EC2 shows; the filter leaves out ids that EC2 does not know."""
        return self._in_account(account, region, lambda client: _describe(client, ids))

    def find_launched(
        self, account: AccountId, region: Region, client_token: str
    ) -> Mapping[InstanceId, LiveInstance] | Failure:
        """Return the instances that a launch with exactly this client token created.

        The launcher chose the token, so the filter takes none of its characters for a wildcard, and an instance counts
        only if EC2 shows the same token for it.
        """
        filters: list[FilterTypeDef] = [{"Name": "client-token", "Values": [_escape(client_token)]}]
        return self._in_account(
            account, region, lambda client: _find(client, filters, lambda raw: raw.get("ClientToken") == client_token)
        )

    def list_running(self, account: AccountId, region: Region) -> Mapping[InstanceId, LiveInstance] | Failure:
        """Return all instances that are running or pending."""
        filters: list[FilterTypeDef] = [{"Name": "instance-state-name", "Values": ["pending", "running"]}]
        return self._in_account(account, region, lambda client: _find(client, filters))

    def read_group_tags(
        self, account: AccountId, region: Region, groups: Collection[str]
    ) -> Mapping[str, Tags] | Failure:
        """Return the tags that each Auto Scaling group puts on the instances it launches."""
        return self._in_account(account, region, lambda _: _group_tags(self._sessions.scaling(region), sorted(groups)))

    def terminate_instances(
        self, account: AccountId, region: Region, ids: Sequence[InstanceId], *, within: timedelta = FRESH
    ) -> Mapping[InstanceId, ActionResult]:
        """Terminate the instances in one call. Every id is in the answer."""
        return self._act(account, region, ids, _terminate, within)

    def stop_instances(
        self, account: AccountId, region: Region, ids: Sequence[InstanceId], *, within: timedelta = FRESH
    ) -> Mapping[InstanceId, ActionResult]:
        """Stop the instances in one call. Every id is in the answer."""
        return self._act(account, region, ids, _stop, within)

    def _act(
        self, account: AccountId, region: Region, ids: Sequence[InstanceId], call: Call, within: timedelta
    ) -> Mapping[InstanceId, ActionResult]:
        token = _send_before.set(time.monotonic() + within.total_seconds())
        try:
            results = self._in_account(account, region, lambda client: self._act_if_there(client, account, ids, call))
        finally:
            _send_before.reset(token)
        return dict.fromkeys(ids, Refused(results)) if isinstance(results, Failure) else results

    def _act_if_there(
        self, client: EC2Client, account: AccountId, ids: Sequence[InstanceId], call: Call
    ) -> dict[InstanceId, ActionResult] | Failure:
        caller = self._sessions.caller_account()
        if caller != account:
            return Failure(
                FailureReason.ROLE_NOT_ASSUMABLE, "WrongAccount", f"the credentials are for {caller}, not {account}"
            )
        return _act_on(client, ids, call)

    def _in_account(
        self, account: AccountId, region: Region, work: Callable[[EC2Client], _T | Failure]
    ) -> _T | Failure:
        return self._sessions.do_in(account, lambda: work(self._sessions.ec2(region)))


def _describe(client: EC2Client, ids: Sequence[InstanceId]) -> dict[InstanceId, LiveInstance]:
    found: dict[InstanceId, LiveInstance] = {}
    for batch in _parts(ids, _MOST_IDS_IN_A_FILTER):
        # A filter by ids honours wildcards as well.
        found |= _find(client, [{"Name": "instance-id", "Values": [_escape(id_) for id_ in batch]}])
    return found


def _escape(value: str) -> str:
    """Return the text for which a filter finds this value and no other.

    Source: Amazon EC2 API Reference, "Filter": `*` and `?` are wildcards, and a backslash makes them, and itself, plain
    characters (`\\*amazon\\?\\\\` finds `*amazon?\\`).
    """
    return _WILDCARD.sub(r"\\\g<0>", value)


def _find(
    client: EC2Client, filters: list[FilterTypeDef], is_wanted: Callable[[Mapping[str, Any]], bool] = lambda _: True
) -> dict[InstanceId, LiveInstance]:
    found = {
        InstanceId(raw["InstanceId"]): _live(raw, client.meta.partition)
        for page in pages(client, "describe_instances", Filters=filters)
        for reservation in page["Reservations"]
        for raw in reservation["Instances"]
        if is_wanted(raw)
    }
    requests = [live.spot_request for live in found.values() if live.spot_request]
    persistent = _persistent(client, requests) if requests else frozenset()
    return {id_: replace(live, is_persistent_spot=live.spot_request in persistent) for id_, live in found.items()}


def _persistent(client: EC2Client, requests: Sequence[str]) -> frozenset[str]:
    """Return the Spot requests that launch another instance when theirs ends.

    A hint for the report only: where it cannot be had the report goes without.
    """
    filters: list[FilterTypeDef] = [
        {"Name": "spot-instance-request-id", "Values": list(requests)},
        {"Name": "type", "Values": ["persistent"]},
    ]
    try:
        answer = client.describe_spot_instance_requests(Filters=filters)
    except ClientError:
        return frozenset()
    return frozenset(request["SpotInstanceRequestId"] for request in answer["SpotInstanceRequests"])


def _live(raw: Mapping[str, Any], partition: str) -> LiveInstance:
    operator = raw.get("Operator") or {}
    return LiveInstance(
        id=InstanceId(raw["InstanceId"]),
        state=raw["State"]["Name"],
        tags={tag["Key"]: tag.get("Value", "") for tag in raw.get("Tags", ())},
        operator=(operator.get("Principal") or "a service") if operator.get("Managed") else "",
        image_id=raw.get("ImageId", ""),
        type=raw.get("InstanceType", ""),
        launched_at=raw.get("LaunchTime"),
        spot_request=raw.get("SpotInstanceRequestId", ""),
        has_instance_store_root=raw.get("RootDeviceType") == "instance-store",
        partition=partition,
    )


def _group_tags(client: AutoScalingClient, groups: Sequence[str]) -> dict[str, Tags]:
    return {
        raw["AutoScalingGroupName"]: {
            tag["Key"]: tag.get("Value", "") for tag in raw.get("Tags", ()) if tag.get("PropagateAtLaunch")
        }
        for page in pages(client, "describe_auto_scaling_groups", AutoScalingGroupNames=list(groups))
        for raw in page["AutoScalingGroups"]
    }


def _act_on(client: EC2Client, ids: Sequence[InstanceId], call: Call) -> dict[InstanceId, ActionResult]:
    for operation in ("TerminateInstances", "StopInstances"):
        event = f"before-send.ec2.{operation}"
        client.meta.events.register_first(event, _refuse_late, unique_id=f"landkeeper-{event}")
    try:
        call(client, ids)
    except _LateError:
        return dict.fromkeys(ids, TooLate())
    except ClientError as error:
        if len(ids) == 1:
            return {ids[0]: _refusal(error)}
        return dict.fromkeys(ids, BatchFailed(failure_of(error)))
    except (BotoCoreError, ResponseParserError) as error:
        # Nobody knows what arrived: whoever tries again looks at the instances first.
        return dict.fromkeys(ids, Refused(failure_of(error), is_unknown=True))
    return dict.fromkeys(ids, Done())


def _refuse_late(**_: object) -> None:
    """Stop a request that would be sent too late, be it the first or a repeated request."""
    if time.monotonic() > _send_before.get():
        raise _LateError


def _refusal(error: ClientError) -> ActionResult:
    code = error.response.get("Error", {}).get("Code", "")
    if code in _NO_SUCH_INSTANCE:
        return Gone()
    failure = failure_of(error)
    if code in _PROTECTED:
        return Refused(Failure(FailureReason.OTHER, failure.code, failure.message), is_protected=True)
    is_unknown = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= _SERVER_ERROR
    return Refused(failure, is_final=code in _IMPOSSIBLE, is_unknown=is_unknown)


def _terminate(client: EC2Client, ids: Sequence[InstanceId]) -> object:
    return client.terminate_instances(InstanceIds=list(ids))


def _stop(client: EC2Client, ids: Sequence[InstanceId]) -> object:
    return client.stop_instances(InstanceIds=list(ids))


def _parts(ids: Sequence[InstanceId], size: int) -> Iterator[Sequence[InstanceId]]:
    return (ids[start : start + size] for start in range(0, len(ids), size))
