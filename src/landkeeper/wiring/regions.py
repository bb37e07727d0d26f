"""The regions that AWS has, for rooms that know no SDK."""

from __future__ import annotations

from landkeeper.aws.regions import list_known_regions

__all__ = ["list_known_regions"]
