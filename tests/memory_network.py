"""A network in memory that is as late and as unreliable as EC2 can be: for tests of vending."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from landkeeper.org import Failure, FailureReason
from landkeeper.vpctracker.cidr import Block, parse_block
from landkeeper.vpctracker.inventory import VpcId
from landkeeper.vpctracker.vending.plan import REQUEST_TAG, UNFINISHED_TAG
from landkeeper.vpctracker.vending.ports import DnsSetting, MadeSubnet, MadeVpc, Unsure

Answer = TypeVar("Answer")

DENIED = Failure(FailureReason.MISSING_PERMISSION, "UnauthorizedOperation")
THROTTLED = Failure(FailureReason.THROTTLED, "RequestLimitExceeded")
LOST = Failure(FailureReason.TIMED_OUT, "ReadTimeoutError")
_MISSING = Failure(FailureReason.NOT_FOUND, "InvalidVpcID.NotFound")
_CONFLICT = Failure(FailureReason.OTHER, "InvalidSubnet.Conflict")
_DEPENDENCY = Failure(FailureReason.OTHER, "DependencyViolation")


class ProcessGoneError(BaseException):
    """Nobody is there any more: nothing may catch it."""


class Fault(StrEnum):
    """What happens to a call."""

    DENIED = "denied"
    THROTTLED = "throttled"
    UNSENT = "never arrives"
    LOST = "its answer is lost"
    GONE_BEFORE = "the process ends before it"
    GONE_AFTER = "the process ends after it"


@dataclass(slots=True)
class _Thing:
    tags: dict[str, str]
    block: str
    zone: str = ""
    vpc: str = ""
    dns: set[DnsSetting] = field(default_factory=set)
    unseen: int = 0
    """For how many looks it is not shown yet."""
    is_known: int = 0
    """For how many calls its id is not known yet."""


@dataclass(slots=True)
class MemoryNetwork:
    """A `Network`. What is made turns up after `lag` looks; `faults` are by the number of the call, from 0."""

    lag: int = 0
    faults: dict[int, Fault] = field(default_factory=dict)
    vpcs: dict[str, _Thing] = field(default_factory=dict)
    subnets: dict[str, _Thing] = field(default_factory=dict)
    calls: int = 0
    made: int = 0

    def find_vpcs(self, request_id: str) -> Sequence[MadeVpc] | Failure:
        def look() -> Sequence[MadeVpc]:
            return [
                MadeVpc(VpcId(id_), one.block, is_available=True, is_finished=UNFINISHED_TAG not in one.tags)
                for id_, one in self._shown(self.vpcs)
                if one.tags[REQUEST_TAG] == request_id
            ]

        return self._plainly(look)

    def find_subnets(self, vpc: VpcId, request_id: str) -> Sequence[MadeSubnet] | Failure:
        def look() -> Sequence[MadeSubnet]:
            return [
                MadeSubnet(id_, one.block, one.zone)
                for id_, one in self._shown(self.subnets)
                if one.vpc == vpc and one.tags.get(REQUEST_TAG) == request_id
            ]

        return self._plainly(look)

    def make_vpc(self, block: Block, tags: Mapping[str, str]) -> VpcId | Failure | Unsure:
        return self._once(lambda: VpcId(self._add(self.vpcs, "vpc", _Thing(dict(tags), str(block)))))

    def turn_on(self, vpc: VpcId, setting: DnsSetting) -> Failure | None:
        def turn_on() -> Failure | None:
            unknown = self._known(vpc)
            if unknown is None:
                self.vpcs[vpc].dns.add(setting)
            return unknown

        return self._plainly(turn_on)

    def make_subnet(self, vpc: VpcId, block: Block, zone_id: str, tags: Mapping[str, str]) -> str | Failure | Unsure:
        def make() -> str | Failure:
            unknown = self._known(vpc)
            if unknown is not None:
                return unknown
            if any(one.vpc == vpc and parse_block(one.block).overlaps(block) for one in self.subnets.values()):
                return _CONFLICT
            return self._add(self.subnets, "subnet", _Thing(dict(tags), str(block), zone_id, vpc))

        return self._once(make)

    def finish(self, vpc: VpcId, subnets: Sequence[str]) -> Failure | None:
        def take_off() -> Failure | None:
            unknown = self._known(vpc)
            if unknown is None:
                for finished in (self.vpcs[vpc], *(self.subnets[id_] for id_ in subnets)):
                    finished.tags.pop(UNFINISHED_TAG, None)
            return unknown

        return self._plainly(take_off)

    def delete_subnet(self, subnet: str) -> Failure | None:
        def delete() -> None:
            self.subnets.pop(subnet, None)

        return self._plainly(delete)

    def delete_vpc(self, vpc: VpcId) -> Failure | None:
        def delete() -> Failure | None:
            if any(one.vpc == vpc for one in self.subnets.values()):
                return _DEPENDENCY
            self.vpcs.pop(vpc, None)
            return None

        return self._plainly(delete)

    def _add(self, where: dict[str, _Thing], kind: str, thing: _Thing) -> str:
        self.made += 1
        id_ = f"{kind}-{self.made}"
        thing.unseen = thing.is_known = self.lag
        where[id_] = thing
        return id_

    def _known(self, vpc: VpcId) -> Failure | None:
        thing = self.vpcs.get(vpc)
        if thing is None:
            return _MISSING
        thing.is_known -= 1
        return _MISSING if thing.is_known >= 0 else None

    def _shown(self, things: dict[str, _Thing]) -> Sequence[tuple[str, _Thing]]:
        shown = [(id_, one) for id_, one in things.items() if one.unseen == 0]
        for one in things.values():
            one.unseen = max(0, one.unseen - 1)
        return shown

    def _plainly(self, do: Callable[[], Answer]) -> Answer | Failure:
        answer = self._once(do)
        return answer.failure if isinstance(answer, Unsure) else answer

    def _once(self, do: Callable[[], Answer]) -> Answer | Failure | Unsure:
        fault = self.faults.get(self.calls)
        self.calls += 1
        match fault:
            case Fault.DENIED:
                return DENIED
            case Fault.THROTTLED:
                return THROTTLED
            case Fault.UNSENT:
                return Unsure(LOST)
            case Fault.GONE_BEFORE:
                raise ProcessGoneError
            case _:
                pass
        answer = do()
        if fault is Fault.GONE_AFTER:
            raise ProcessGoneError
        return Unsure(LOST) if fault is Fault.LOST else answer
