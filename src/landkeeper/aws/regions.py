"""The regions that AWS has, as the SDK's own data lists them; nothing is called."""

from __future__ import annotations

import json
from importlib.util import find_spec


def list_known_regions() -> frozenset[str]:
    """The codes of all regions of all partitions. A region that is newer than the SDK is not among them.

    They are read from botocore's file of partitions: importing botocore for them takes longer than checking a policy.
    """
    spec = find_spec("botocore")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("No module named 'botocore'", name="botocore")
    # Not by pathlib, which takes longer to import than this file to read.
    with open(f"{spec.submodule_search_locations[0]}/data/partitions.json", "rb") as file:  # noqa: PTH123
        data = json.load(file)
    regions = {region for partition in data["partitions"] for region in partition["regions"]}
    # `aws-global` and its like are where services without regions are called, in the format's own words.
    return frozenset(region for region in regions if not region.endswith("-global"))
