"""Regions and partitions, as the SDK's own data lists them; nothing is called."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from typing import Any

_FALLBACK = "aws"
"""Where botocore looks for a region that neither a list nor a pattern has (`endpoint_provider.py`, `aws_partition`)."""


def list_known_regions() -> frozenset[str]:
    """Return the codes of all regions of all partitions, without regions that are newer than the SDK."""
    return frozenset(_partitions_by_region())


def list_regions_beside(region: str) -> tuple[str, ...]:
    """Return the known regions of the partition of `region`, in order."""
    return list_regions_of(partition_of(region))


def list_regions_of(partition: str) -> tuple[str, ...]:
    """Return the known regions of the partition, in order; none of a partition that is newer than the SDK."""
    return tuple(sorted(code for code, own in _partitions_by_region().items() if own == partition))


def partition_of(region: str) -> str:
    """Return the id of the region's partition, as in `aws`, `aws-cn` or `aws-eusc`.

    A region that is newer than the SDK belongs to the partition whose pattern its code fits, else to `aws`.
    """
    listed = _partitions_by_region().get(region)
    if listed is not None:
        return listed
    fitting = (partition["id"] for partition in _partitions() if re.fullmatch(partition["regionRegex"], region))
    return str(next(fitting, _FALLBACK))


@cache
def _partitions_by_region() -> Mapping[str, str]:
    # `aws-global` and its like are where services without regions are called, in the format's own words.
    return {
        region: partition["id"]
        for partition in _partitions()
        for region in partition["regions"]
        if not region.endswith("-global")
    }


@cache
def _partitions() -> list[dict[str, Any]]:
    """Return the partitions of botocore's file: importing botocore for them takes longer than checking a policy."""
    spec = find_spec("botocore")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("No module named 'botocore'", name="botocore")
    # Not by pathlib, which takes longer to import than this file to read.
    with open(f"{spec.submodule_search_locations[0]}/data/partitions.json", "rb") as file:  # noqa: PTH123
        partitions: list[dict[str, Any]] = json.load(file)["partitions"]
        return partitions
