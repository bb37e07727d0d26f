"""What Broom itself did to the instances of the past, told by the roles and sessions that it calls EC2 with.

The function assumes a role in each account, and names the session `landkeeper`. Where it acts in its own account alone,
it has the role that CloudFormation named after the stack. A command that was run with somebody's own credentials leaves
nothing that tells it from that person.
Source: AWS CloudFormation User Guide, "Unique name generation" (stack, logical id and random characters).
"""

from __future__ import annotations

import re
from collections.abc import Collection

from landkeeper.broom.launches import End, Termination

BROOM_ROLES = frozenset({"landkeeper-terminate"})
"""The roles in member accounts, by the names that the templates give them."""
BROOM_SESSION = "landkeeper"
"""What Broom calls the sessions of the roles that it assumes."""

_FUNCTION_ROLE = re.compile(r".+-BroomRole-[A-Za-z0-9]+")


def is_own_action(ending: Termination, roles: Collection[str]) -> bool:
    """Return whether Broom did this; `roles` are those it may have had."""
    role, _, session = ending.session.partition("/")
    return session == BROOM_SESSION or role in roles or _FUNCTION_ROLE.fullmatch(role) is not None


def find_own_action(endings: Collection[Termination], roles: Collection[str]) -> Termination | None:
    """Return what Broom did to an instance, of what happened to it in order: its end rather than a stop before that."""
    own = [ending for ending in endings if is_own_action(ending, roles)]
    return next((ending for ending in own if ending.end is End.TERMINATED), own[0] if own else None)


def find_other_ends(
    endings: Collection[Termination], own: Termination | None, roles: Collection[str]
) -> tuple[Termination, ...]:
    """Return how an instance would have ended without Broom: what came after Broom had ended it tells nothing.

    A stop by somebody else is no end.
    """
    ended_at = own.event_time if own is not None and own.end is End.TERMINATED else None
    return tuple(
        ending
        for ending in endings
        if ending.end is not End.STOPPED
        and not is_own_action(ending, roles)
        and (ended_at is None or ending.event_time < ended_at)
    )
