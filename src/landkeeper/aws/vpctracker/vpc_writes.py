"""Changes into DynamoDB: each with its history entry in one transaction, many to a call, and what a refusal means.

A transaction is all or nothing, and one action in the way of somebody else cancels a whole call. DynamoDB says of each
action why: what came too late is answered, what was in the way is tried again after a pause, and the rest is sent at
once.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import ClientError

from landkeeper.aws.backoff import Backoff
from landkeeper.aws.failures import failure_of
from landkeeper.aws.items import count_bytes, to_history_item, to_item
from landkeeper.org import FailureReason, join_some
from landkeeper.vpctracker.attributes import history_of, vpc_to_attributes
from landkeeper.vpctracker.ports import StoreError
from landkeeper.vpctracker.schema import stamped

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from landkeeper.vpctracker.differences import Change

Answer = TypeVar("Answer")

# A transaction takes 100 actions and 4 MB (DynamoDB guide, "Managing complex workflows with DynamoDB transactions").
_PAIRS_PER_CALL = 50
_BYTES_PER_CALL = 3_000_000
_ATTEMPTS = 10
BACKOFF = Backoff(0.05, 5.0, attempts=_ATTEMPTS)

# DynamoDB API Reference, "TransactWriteItems": the codes of cancellation reasons.
LATE = "ConditionalCheckFailed"
BUSY = frozenset({"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})
# A first attempt without an answer is still being carried out: the same token gets its answer later.
_IN_PROGRESS = "TransactionInProgressException"


class _Fate(Enum):
    """What became of one change of a call."""

    WRITTEN = auto()
    LATE = auto()
    """Another version is stored than the change is made from."""
    BUSY = auto()
    """Somebody else is writing the same item, or there are too many writes."""
    INNOCENT = auto()
    """The call was cancelled because of another change."""


@dataclass(frozen=True, slots=True)
class _Pair:
    """A change, and the two actions that write it and its history entry."""

    change: Change
    actions: tuple[Mapping[str, Any], Mapping[str, Any]]
    size: int


class VpcWrites:
    """Writes changes to the table of VPCs and to that of their history."""

    def __init__(self, client: DynamoDBClient, table: str, history: str) -> None:
        """`client` is DynamoDB's in the region of both tables."""
        self._client = client
        self._table = table
        self._history = history

    def write_changes(self, changes: Sequence[Change]) -> list[Change]:
        """Write each change with its history entry, both or neither; answers those that came too late.

        Raises StoreError when writes do not get through however long one waits, and ClientError for the rest.
        """
        pairs = [self._pair(change) for change in changes]
        return [late.change for batch in _batches(pairs) for late in self._write_batch(batch)]

    def _write_batch(self, pairs: Sequence[_Pair]) -> list[_Pair]:
        late: list[_Pair] = []
        pauses = BACKOFF.pauses()
        while pairs:
            fates = list(zip(pairs, self._transact(pairs), strict=True))
            late += _of(fates, _Fate.LATE)
            innocent, busy = _of(fates, _Fate.INNOCENT), _of(fates, _Fate.BUSY)
            late += self._write_batch(innocent)
            if busy and not next(pauses, False):
                names = _names([pair.change for pair in busy])
                raise StoreError(f"the DynamoDB table '{self._table}' refused a write of {names} {_ATTEMPTS} times")
            pairs = busy
        return late

    def _transact(self, pairs: Sequence[_Pair]) -> list[_Fate]:
        actions: Any = [action for pair in pairs for action in pair.actions]
        # The same token for every attempt: one that got through although its answer was lost is not written again.
        token = str(uuid.uuid4())
        try:
            retry_throttled(
                self._table,
                lambda: self._client.transact_write_items(TransactItems=actions, ClientRequestToken=token),
            )
        except self._client.exceptions.TransactionCanceledException as error:
            reasons: Sequence[Any] = error.response.get("CancellationReasons", ())
            if len(reasons) != len(actions):
                raise
            return [self._fate(pair.change, reasons[2 * at : 2 * at + 2]) for at, pair in enumerate(pairs)]
        return [_Fate.WRITTEN] * len(pairs)

    def _fate(self, change: Change, reasons: Sequence[Any]) -> _Fate:
        codes = {str(reason.get("Code", "None")) for reason in reasons}
        if LATE in codes:
            return _Fate.LATE
        if codes & BUSY:
            return _Fate.BUSY
        if codes == {"None"}:
            return _Fate.INNOCENT
        why = "; ".join(": ".join(filter(None, (reason.get("Code"), reason.get("Message")))) for reason in reasons)
        raise StoreError(f"the DynamoDB table '{self._table}' does not take {_names([change])}: {why}")

    def _pair(self, change: Change) -> _Pair:
        item = to_item(stamped(vpc_to_attributes(change.after)))
        entry = to_history_item(stamped(history_of(change)))
        put: dict[str, Any] = {"TableName": self._table, "Item": item}
        if change.expected_version == 0:
            put["ConditionExpression"] = "attribute_not_exists(VpcId)"
        else:
            put["ConditionExpression"] = "Version = :expected"
            put["ExpressionAttributeValues"] = {":expected": {"N": str(change.expected_version)}}
        actions = ({"Put": put}, {"Put": {"TableName": self._history, "Item": entry}})
        return _Pair(change, actions, count_bytes(item) + count_bytes(entry))


def retry_throttled(table: str, call: Callable[[], Answer]) -> Answer:
    """Return the answer of the call, made again after a pause while DynamoDB throttles it or carries it out.

    Raises StoreError when it stays throttled, and what the call raises for any other reason.
    """
    pauses = BACKOFF.pauses()
    while True:
        try:
            return call()
        except ClientError as error:
            failure = failure_of(error)
            if failure.reason is not FailureReason.THROTTLED and failure.code != _IN_PROGRESS:
                raise
            if not next(pauses, False):
                raise StoreError(f"the DynamoDB table '{table}' is throttled, {_ATTEMPTS} times: {failure}") from error


def _of(fates: Sequence[tuple[_Pair, _Fate]], wanted: _Fate) -> list[_Pair]:
    return [pair for pair, fate in fates if fate is wanted]


def _names(changes: Sequence[Change]) -> str:
    return join_some([f"{change.after.vpc.id} of {change.after.vpc.owner}" for change in changes], 1)


def _batches(pairs: Sequence[_Pair]) -> Iterator[list[_Pair]]:
    batch: list[_Pair] = []
    size = 0
    for pair in pairs:
        if batch and (len(batch) == _PAIRS_PER_CALL or size + pair.size > _BYTES_PER_CALL):
            yield batch
            batch, size = [], 0
        batch.append(pair)
        size += pair.size
    if batch:
        yield batch
