"""What notices need from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from landkeeper.org import Failure
from landkeeper.vpctracker.ports import VpcStore

if TYPE_CHECKING:
    from landkeeper.vpctracker.notices.news import Notice, Noticed


class NoticeStore(VpcStore, Protocol):
    """A store that also keeps what the topic was told. Every method may raise StoreError."""

    def read_noticed(self) -> Noticed:
        """What the topic was told so far; an empty Noticed where nothing ever was."""

    def write_noticed(self, noticed: Noticed) -> bool:
        """Replace what is stored if that is of the version before; False when somebody else wrote meanwhile."""


class NoticeTopic(Protocol):
    """Where people listen."""

    def publish_notice(self, notice: Notice) -> Failure | None:
        """Tell it; a Failure where that did not work."""
