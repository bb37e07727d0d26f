"""The regions that AWS has, as the SDK's own data lists them; nothing is called."""

from __future__ import annotations

import botocore.session


def list_known_regions() -> frozenset[str]:
    """The codes of all regions of all partitions. A region that is newer than the SDK is not among them."""
    session = botocore.session.get_session()
    return frozenset(
        region
        for partition in session.get_available_partitions()
        for region in session.get_available_regions("ec2", partition)
    )
