"""Which partition a region is in, for the rooms that know no SDK."""

from __future__ import annotations

from landkeeper.aws.regions import partition_of

__all__ = ["partition_of"]
