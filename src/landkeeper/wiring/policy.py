"""What the commands about policies need from AWS."""

from __future__ import annotations

from landkeeper.aws.regions import list_known_regions

__all__ = ["list_known_regions"]
