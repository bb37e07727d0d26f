"""What the commands about policies need from AWS and from the ledger."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from landkeeper.aws.regions import list_known_regions
from landkeeper.org import Failure
from landkeeper.wiring.ledger import open_ledger
from landkeeper.wiring.sessions import member_sessions
from landkeeper.wiring.texts import read_text

if TYPE_CHECKING:
    from landkeeper.broom.case import Case
    from landkeeper.broom.instance_state import Seen
    from landkeeper.broom.launches import InstanceId
    from landkeeper.org import AccountId, Region
    from landkeeper.settings import Settings

__all__ = ["find_case", "find_units", "list_known_regions", "read_policy_text", "see_instance"]


def find_units(settings: Settings) -> Callable[[AccountId], frozenset[str] | Failure]:
    """What tells the root and the units that an account is in, by the credentials at hand."""
    from landkeeper.wiring.broom.commands import open_units

    return open_units(member_sessions(settings)).find_units


def read_policy_text(where: str, settings: Settings) -> str:
    """The text at a path, `s3://bucket/key` or `ssm:NAME`. Raises UsageError."""
    return read_text(where, lambda: member_sessions(settings), what="policy", owner=settings.bucket_owner)


def find_case(settings: Settings, id_: InstanceId) -> Case | None:
    """The case that the ledger has of an instance; None where it has none."""
    with open_ledger(settings, lambda: member_sessions(settings), to_write=False) as ledger:
        return ledger.find_cases([id_]).get(id_)


def see_instance(
    settings: Settings, account: AccountId | None, region: Region | None, id_: InstanceId
) -> tuple[AccountId, Region, Seen]:
    """The instance as EC2 shows it now, and where it was looked for.

    Without an account it is that of the credentials at hand, without a region that of the settings.
    """
    from landkeeper.aws.broom.instances import Ec2Instances
    from landkeeper.broom.instance_state import Absent

    sessions = member_sessions(settings)
    account, region = account or sessions.home_account(), region or sessions.region
    read = Ec2Instances(sessions).read_instances(account, region, [id_])
    return account, region, read if isinstance(read, Failure) else read.get(id_, Absent())
