"""The stand-in for a delegated administrator's CloudTrail on loopback, where the SDK finds it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest
from tests.servers import Answer, answering

from landkeeper.embedded.delegated_trails import DelegatedTrails


@contextmanager
def serving_trails(trails: DelegatedTrails) -> Iterator[str]:
    """Serve it, and let every CloudTrail client that is made meanwhile ask it; yields the address."""

    def answer(call: Mapping[str, str]) -> Answer:
        status, document = trails.answer(call["Action"], json.loads(call["Body"]))
        return status, json.dumps(document)

    with answering(answer) as url, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL_CLOUDTRAIL", url)
        yield url
