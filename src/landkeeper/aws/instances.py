"""Instances in any account and region, through EC2: read by filter, ended and stopped with the least batch damage.

One unknown id fails a whole TerminateInstances call, and a protected instance fails its availability zone while
other zones' instances end all the same. So whenever a batch fails, the instances are described again, and those
that are still there are taken one by one.
Source: Amazon EC2 API Reference, "TerminateInstances".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from landkeeper.aws.failures import failure_of
from landkeeper.broom.launches import InstanceId
from landkeeper.broom.live import ActionResult, Done, Gone, LiveInstance, Refused
from landkeeper.org import AccountId, Failure, FailureReason, Region

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

    from landkeeper.aws.sessions import AccountSessions

_MOST_IDS_IN_A_FILTER = 200
_MOST_IDS_IN_A_CALL = 500
_PROTECTED = frozenset({"OperationNotPermitted"})
_NO_SUCH_INSTANCE = frozenset({"InvalidInstanceID.NotFound", "InvalidInstanceID.Malformed"})

_T = TypeVar("_T")
Call = Callable[["EC2Client", Sequence[InstanceId]], object]


class Ec2Instances:
    """Broom's `InstanceReader` and `InstanceActions` on EC2."""

    def __init__(self, sessions: AccountSessions) -> None:
        """`sessions` say how to get into each account."""
        self._sessions = sessions

    def read_instances(
        self, account: AccountId, region: Region, ids: Sequence[InstanceId]
    ) -> Mapping[InstanceId, LiveInstance] | Failure:
        """Those of the instances that EC2 shows; ids it does not know are left out, as the filter has it."""
        return self._in_account(account, region, lambda client: _describe(client, ids))

    def terminate_instances(
        self, account: AccountId, region: Region, ids: Sequence[InstanceId]
    ) -> Mapping[InstanceId, ActionResult]:
        """End the instances. Every id is in the answer."""
        return self._act(account, region, ids, _terminate)

    def stop_instances(
        self, account: AccountId, region: Region, ids: Sequence[InstanceId]
    ) -> Mapping[InstanceId, ActionResult]:
        """Stop the instances. Every id is in the answer."""
        return self._act(account, region, ids, _stop)

    def _act(
        self, account: AccountId, region: Region, ids: Sequence[InstanceId], call: Call
    ) -> Mapping[InstanceId, ActionResult]:
        results = self._in_account(account, region, lambda client: self._act_if_there(client, account, ids, call))
        return dict.fromkeys(ids, Refused(results)) if isinstance(results, Failure) else results

    def _act_if_there(
        self, client: EC2Client, account: AccountId, ids: Sequence[InstanceId], call: Call
    ) -> dict[InstanceId, ActionResult] | Failure:
        caller = self._sessions.caller_account()
        if caller != account:
            return Failure(
                FailureReason.ROLE_NOT_ASSUMABLE, "WrongAccount", f"the credentials are for {caller}, not {account}"
            )
        return _act_on_all(client, ids, call)

    def _in_account(self, account: AccountId, region: Region, work: Callable[[EC2Client], _T]) -> _T | Failure:
        try:
            grant = self._sessions.grant_for(account)
            if isinstance(grant, Failure):
                return grant
            with self._sessions.using(grant):
                return work(self._sessions.ec2(region))
        except (ClientError, BotoCoreError) as error:
            return failure_of(error)


def _describe(client: EC2Client, ids: Sequence[InstanceId]) -> Mapping[InstanceId, LiveInstance]:
    pages = client.get_paginator("describe_instances")
    return {
        InstanceId(raw["InstanceId"]): _live(raw)
        for some in _parts(ids, _MOST_IDS_IN_A_FILTER)
        for page in pages.paginate(Filters=[{"Name": "instance-id", "Values": list(some)}])
        for reservation in page["Reservations"]
        for raw in reservation["Instances"]
    }


def _live(raw: Mapping[str, Any]) -> LiveInstance:
    operator = raw.get("Operator") or {}
    return LiveInstance(
        id=InstanceId(raw["InstanceId"]),
        state=raw["State"]["Name"],
        tags={tag["Key"]: tag.get("Value", "") for tag in raw.get("Tags", ())},
        operator=(operator.get("Principal") or "a service") if operator.get("Managed") else "",
    )


def _act_on_all(client: EC2Client, ids: Sequence[InstanceId], call: Call) -> dict[InstanceId, ActionResult]:
    results: dict[InstanceId, ActionResult] = {}
    for some in _parts(ids, _MOST_IDS_IN_A_CALL):
        results |= _act_on(client, some, call)
    return results


def _act_on(client: EC2Client, ids: Sequence[InstanceId], call: Call) -> dict[InstanceId, ActionResult]:
    try:
        call(client, ids)
    except ClientError as error:
        if len(ids) == 1:
            return {ids[0]: _refusal(error)}
    except BotoCoreError as error:
        # Nobody knows what arrived: whoever tries again looks at the instances first.
        return dict.fromkeys(ids, Refused(failure_of(error)))
    else:
        return dict.fromkeys(ids, Done())
    there = _describe(client, ids)
    return {id_: _one_by_one(client, id_, there.get(id_), call) for id_ in ids}


def _one_by_one(client: EC2Client, id_: InstanceId, live: LiveInstance | None, call: Call) -> ActionResult:
    if live is None:
        return Gone()
    # Part of a failed batch may have worked: what has ended since was ended by it.
    return Done() if live.has_ended else _act_on(client, [id_], call)[id_]


def _refusal(error: ClientError) -> ActionResult:
    code = error.response.get("Error", {}).get("Code", "")
    if code in _NO_SUCH_INSTANCE:
        return Gone()
    failure = failure_of(error)
    if code in _PROTECTED:
        return Refused(Failure(FailureReason.OTHER, failure.code, failure.message), is_protected=True)
    return Refused(failure)


def _terminate(client: EC2Client, ids: Sequence[InstanceId]) -> object:
    return client.terminate_instances(InstanceIds=list(ids))


def _stop(client: EC2Client, ids: Sequence[InstanceId]) -> object:
    return client.stop_instances(InstanceIds=list(ids))


def _parts(ids: Sequence[InstanceId], size: int) -> Iterator[Sequence[InstanceId]]:
    return (ids[start : start + size] for start in range(0, len(ids), size))
