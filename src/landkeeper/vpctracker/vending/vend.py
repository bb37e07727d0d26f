"""Vend: make the VPC of a plan, or carry on with it, or leave nothing behind.

EC2 knows no client token for VPCs and subnets. So everything has the request's id as a tag from its first moment, each
thing is looked for by it before it is made, and a call without an answer is never simply made again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from landkeeper.org import Failure, FailureReason, UsageError
from landkeeper.vpctracker.inventory import VpcId
from landkeeper.vpctracker.vending.plan import PlannedSubnet, VendPlan
from landkeeper.vpctracker.vending.ports import DnsSetting, MadeSubnet, MadeVpc, Network, Unsure

Answer = TypeVar("Answer")

# EC2 does not know yet what it has just made, or asks to be asked more slowly.
_PASSING = frozenset({FailureReason.NOT_FOUND, FailureReason.THROTTLED})
_DEPENDENCY = "DependencyViolation"
_RIVAL = "another run of the same request created {}"
_NOT_SEEN = Failure(FailureReason.TIMED_OUT, message="EC2 does not show it as available")


@dataclass(frozen=True, slots=True)
class Vended:
    """All of it is there."""

    vpc: VpcId
    subnets: tuple[MadeSubnet, ...]
    is_new: bool = True
    """False where the same request had finished it before; nothing was touched then."""
    unmarked: Failure | None = None
    """Why the tag could not be taken off that says that it is unfinished."""


@dataclass(frozen=True, slots=True)
class Left:
    """Something that could not be undone."""

    id: str
    failure: Failure


@dataclass(frozen=True, slots=True)
class Undone:
    """It did not work, and what was made is gone again, but for what is `left`."""

    step: str
    """What did not work, as in `making the VPC`."""
    failure: Failure
    left: tuple[Left, ...] = ()
    may_turn_up: bool = False
    """Whether a VPC may come to light yet, because a call had no answer or nobody could look."""

    @property
    def is_clean(self) -> bool:
        """Whether it is certain that there is no VPC."""
        return not self.left and not self.may_turn_up


Outcome = Vended | Undone


@dataclass(frozen=True, slots=True)
class _Failed:
    step: str
    failure: Failure


def vend(
    plan: VendPlan,
    network: Network,
    *,
    may_exist: bool,
    pauses: Callable[[], Iterator[bool]],
    tell: Callable[[str], None] = lambda _: None,
) -> Outcome:
    """Make the VPC of the plan, or what is missing of it.

    `may_exist` says that an earlier run may have made it: then it is waited for before one is made. `pauses` are those
    of one wait: True after each, ending when there has been waiting enough. `tell` gets what was done, as it is done.
    Raises UsageError where the request's id has something else already.
    """
    return _Run(plan, network, pauses, tell).vend(may_exist=may_exist)


class _Run:
    def __init__(
        self,
        plan: VendPlan,
        network: Network,
        pauses: Callable[[], Iterator[bool]],
        tell: Callable[[str], None],
    ) -> None:
        self._plan = plan
        self._network = network
        self._pauses = pauses
        self._tell = tell
        self._subnets: dict[str, MadeSubnet] = {}
        """By id, in the order in which they were made or found."""
        self._has_rival = False
        """Whether two runs of the request have made a VPC at once: then the one with the lower id stays."""

    def vend(self, *, may_exist: bool) -> Outcome:
        found = self._find_vpc(waits=may_exist)
        if isinstance(found, Failure):
            return Undone("searching for a VPC of this request", found, may_turn_up=may_exist)
        if found is None:
            made = self._make_vpc()
            return made if isinstance(made, Undone) else self._complete(made)
        return self._carry_on(found)

    def _carry_on(self, found: MadeVpc) -> Outcome:
        # Of a finished one a subnet that is missing was deleted since, unless it is only not seen yet.
        wanted = self._plan.layout.subnets if found.is_finished else ()
        failure = self._look_for(found.id, wanted)
        if failure is not None:
            return Undone(f"reading the subnets of {found.id}", failure, may_turn_up=True)
        self._check_subnets(found.id)
        if found.is_finished:
            return Vended(found.id, self._all_subnets, is_new=False)
        self._tell(f"{found.id} already exists: continuing with it")
        # With the last subnet all is done that may be undone: perhaps it is only not seen yet that it was finished.
        is_whole = all(self._has(planned) for planned in self._plan.layout.subnets)
        return self._finish(found.id) if is_whole else self._complete(found.id)

    def _complete(self, vpc: VpcId) -> Outcome:
        for step in (self._await, self._set_dns, self._make_subnets):
            failed = step(vpc)
            if failed is not None:
                return self._undo(vpc, failed)
        return self._finish(vpc)

    def _finish(self, vpc: VpcId) -> Vended:
        return Vended(
            vpc, self._all_subnets, unmarked=self._patiently(partial(self._network.finish, vpc, [*self._subnets]))
        )

    @property
    def _all_subnets(self) -> tuple[MadeSubnet, ...]:
        places = {str(planned.block): place for place, planned in enumerate(self._plan.layout.subnets)}
        return tuple(sorted(self._subnets.values(), key=lambda subnet: places.get(subnet.block, len(places))))

    def _has(self, planned: PlannedSubnet) -> bool:
        return any(subnet.block == str(planned.block) for subnet in self._subnets.values())

    def _find_vpc(self, *, waits: bool) -> MadeVpc | Failure | None:
        pauses, is_told = self._pauses(), False
        while True:
            found = self._network.find_vpcs(self._plan.request_id)
            if isinstance(found, Failure):
                return found
            if found:
                return self._the_one(found)
            if not waits:
                return None
            if not is_told:
                is_told = True
                self._tell("A VPC of this request may already exist: checking EC2")
            if not next(pauses, False):
                return None

    def _the_one(self, found: Sequence[MadeVpc]) -> MadeVpc:
        request, block = self._plan.request_id, str(self._plan.reservation.block)
        if len(found) > 1:
            named = " and ".join(sorted(f"{made.id} ({made.block})" for made in found))
            raise UsageError(f"the request id '{request}' has {named}: delete the unwanted VPC")
        if found[0].block != block:
            raise UsageError(
                f"the request id '{request}' has {found[0].id} with {found[0].block}, not {block}: use another "
                "request id"
            )
        return found[0]

    def _make_vpc(self) -> VpcId | Undone:
        plan = self._plan
        made = self._patiently(lambda: self._network.make_vpc(plan.reservation.block, plan.vpc_tags))
        if isinstance(made, Unsure):
            found = self._find_vpc(waits=True)
            if not isinstance(found, MadeVpc):
                return Undone("creating the VPC", made.failure, may_turn_up=True)
            made = found.id
        if isinstance(made, Failure):
            return Undone("creating the VPC", made)
        self._tell(f"Created {made}, {plan.reservation.block}")
        return made

    def _await(self, vpc: VpcId) -> _Failed | None:
        """Until EC2 shows it by its tag, and as available."""
        pauses = self._pauses()
        while True:
            found = self._network.find_vpcs(self._plan.request_id)
            if isinstance(found, Failure):
                return _Failed(f"reading {vpc}", found)
            rival = min((made.id for made in found), default=vpc)
            if rival < vpc:
                self._has_rival = True
                return _Failed(f"creating {vpc}", Failure(FailureReason.OTHER, message=_RIVAL.format(rival)))
            if any(made.id == vpc and made.is_available for made in found):
                return None
            if not next(pauses, False):
                return _Failed(f"waiting for {vpc}", _NOT_SEEN)

    def _set_dns(self, vpc: VpcId) -> _Failed | None:
        for setting in DnsSetting:
            failure = self._patiently(partial(self._network.turn_on, vpc, setting))
            if failure is not None:
                return _Failed(f"setting {setting} of {vpc}", failure)
        return None

    def _make_subnets(self, vpc: VpcId) -> _Failed | None:
        for planned in self._plan.layout.subnets:
            failed = None if self._has(planned) else self._make_subnet(vpc, planned)
            if failed is not None:
                return failed
        return None

    def _make_subnet(self, vpc: VpcId, planned: PlannedSubnet) -> _Failed | None:
        zone, tags, block = planned.zone.id, self._plan.subnet_tags(planned), str(planned.block)
        made = self._patiently(lambda: self._network.make_subnet(vpc, planned.block, zone, tags))
        match made:
            # A conflict is one with a subnet that another run of this request has made, or with somebody's own.
            case Unsure(failure) | (Failure(code="InvalidSubnet.Conflict") as failure):
                self._look_for(vpc, [planned])
                if not self._has(planned):
                    return _Failed(f"creating the subnet {block}", failure)
            case Failure():
                return _Failed(f"creating the subnet {block}", made)
            case _:
                self._subnets[made] = MadeSubnet(made, block, zone)
        self._tell(f"Created subnet {block} in {zone}")
        return None

    def _look_for(self, vpc: VpcId, wanted: Sequence[PlannedSubnet]) -> Failure | None:
        """Look until all of them are seen, or there has been waiting enough; at least once."""
        pauses = self._pauses()
        while True:
            failure = self._find_subnets(vpc)
            if failure is not None or all(map(self._has, wanted)) or not next(pauses, False):
                return failure

    def _find_subnets(self, vpc: VpcId) -> Failure | None:
        found = self._network.find_subnets(vpc, self._plan.request_id)
        if isinstance(found, Failure):
            return found
        for subnet in found:
            self._subnets.setdefault(subnet.id, subnet)
        return None

    def _check_subnets(self, vpc: VpcId) -> None:
        planned = {(str(subnet.block), subnet.zone.id) for subnet in self._plan.layout.subnets}
        for subnet in self._subnets.values():
            if (subnet.block, subnet.zone_id) not in planned:
                raise UsageError(
                    f"the request id '{self._plan.request_id}' was used for another request: {subnet.id} of {vpc} is "
                    f"{subnet.block} in {subnet.zone_id}"
                )

    def _undo(self, vpc: VpcId, failed: _Failed) -> Outcome:
        found = self._network.find_vpcs(self._plan.request_id)
        if isinstance(found, Failure):
            # Another run of the same request may have finished it meanwhile: unseen it is not taken away.
            return Undone(failed.step, failed.failure, (Left(vpc, found),))
        if any(made.id == vpc and made.is_finished for made in found):
            return Vended(vpc, self._all_subnets, is_new=False)
        pauses = self._pauses()
        while True:
            left = self._delete(vpc)
            if not left or not _may_pass(left[0].failure) or not next(pauses, False):
                return Undone(failed.step, failed.failure, left, may_turn_up=self._has_rival)

    def _delete(self, vpc: VpcId) -> tuple[Left, ...]:
        """What is left; the last is the VPC."""
        # A subnet that was made without an answer may have turned up.
        self._find_subnets(vpc)
        left: list[Left] = []
        for subnet in reversed(list(self._subnets)):
            failure = self._network.delete_subnet(subnet)
            if failure is None:
                del self._subnets[subnet]
                self._tell(f"Deleted {subnet}")
            else:
                left.append(Left(subnet, failure))
        if left:
            return (*left, Left(vpc, Failure(FailureReason.OTHER, _DEPENDENCY, "its subnets still exist")))
        failure = self._network.delete_vpc(vpc)
        if failure is not None:
            return (Left(vpc, failure),)
        self._tell(f"Deleted {vpc}")
        return ()

    def _patiently(self, call: Callable[[], Answer]) -> Answer:
        pauses = self._pauses()
        while True:
            answer = call()
            if not isinstance(answer, Failure) or answer.reason not in _PASSING or not next(pauses, False):
                return answer


def _may_pass(failure: Failure) -> bool:
    return failure.code == _DEPENDENCY or failure.reason in {FailureReason.THROTTLED, FailureReason.TIMED_OUT}
