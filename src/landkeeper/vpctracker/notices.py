"""What a person should hear about, once each: new overlaps, new default VPCs, accounts that stay unreadable."""

from __future__ import annotations

from dataclasses import dataclass

FINGERPRINT_BYTES = 6


@dataclass(frozen=True, slots=True)
class Noticed:
    """What was told so far, as fingerprints: a finding whose fingerprint is here is no news."""

    told: frozenset[int] = frozenset()
    """Of `FINGERPRINT_BYTES` each: an organisation can have more default VPCs than their ids would fit into an item."""
    version: int = 0
    """0 when nothing was ever told, and one more with every write."""
