"""Records what is asked of AWS, whoever asks: every call of every botocore client in this process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from botocore.client import BaseClient


@dataclass(frozen=True, slots=True)
class Call:
    """One call, as the code made it."""

    service: str
    """botocore's name of the service, as in `ec2`."""
    operation: str
    """As in `DescribeVpcs`."""
    parameters: Mapping[str, Any]
    access_key: str
    """Of the credentials that it was signed with; an assumed role has its own."""


@contextmanager
def recorded_calls() -> Iterator[list[Call]]:
    """While this lasts, the calls come into the list, in their order, whether they succeed or not."""
    calls: list[Call] = []
    # Its stubs leave out the one method that every call goes through.
    clients: Any = BaseClient
    make_api_call = clients._make_api_call

    def recording(self: Any, operation_name: str, api_params: Mapping[str, Any]) -> Any:
        key = self._request_signer._credentials.get_frozen_credentials().access_key
        calls.append(Call(self.meta.service_model.service_name, operation_name, api_params, key))
        return make_api_call(self, operation_name, api_params)

    clients._make_api_call = recording
    try:
        yield calls
    finally:
        clients._make_api_call = make_api_call
