"""Broom's function as it is deployed: from its package, in the sandbox, on log files as large as CloudTrail's."""

from __future__ import annotations

import gzip
import io
import json
import os
import uuid
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.broom_world import event

from landkeeper.operate.package import make_package

HANDLER = "landkeeper.lambdas.broom.handler"


def unpack_package(directory: Path) -> Path:
    """The function package, made and unpacked; answers where its code is."""
    code = directory / "code"
    zipfile.ZipFile(io.BytesIO(make_package().body)).extractall(code)
    return code


def function_environment() -> dict[str, str]:
    """What this process's environment says about AWS and Landkeeper."""
    return {name: value for name, value in os.environ.items() if name.startswith(("AWS_", "LANDKEEPER_"))}


def log_file(records: int, launches: Sequence[Any] = ()) -> bytes:
    """A log file of so many records, with the launches spread over it; the others are calls of all kinds."""
    sample: dict[str, Any] = event("run_instances.json")
    names = ("DescribeInstances", "AssumeRole", "GetObject", "DescribeVolumes", "PutLogEvents", "Decrypt")
    written: list[Any] = [
        {
            **sample,
            "eventName": names[number % len(names)],
            "eventID": str(uuid.UUID(int=number)),
            "requestID": str(uuid.UUID(int=number << 64)),
            "requestParameters": {"filterSet": {"items": [{"name": "instance-id", "number": number}]}},
            "responseElements": None,
        }
        for number in range(records - len(launches))
    ]
    step = max(1, len(written) // (len(launches) + 1))
    for number, launch in enumerate(launches, 1):
        written.insert(number * step, launch)
    return gzip.compress(json.dumps({"Records": written}, separators=(",", ":")).encode())
