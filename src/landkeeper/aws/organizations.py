"""The accounts of an organisation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from landkeeper.aws.failures import failure_of
from landkeeper.org import Account, AccountId, Failure

if TYPE_CHECKING:
    from mypy_boto3_organizations import OrganizationsClient


def list_accounts(client: OrganizationsClient) -> tuple[Account, ...] | Failure:
    """Every active account of the organisation; a Failure when there is none, or its list may not be read.

    It takes the credentials of the management account or of a delegated administrator. A page may be empty and still
    not be the last. Source: AWS Organizations API Reference, "ListAccounts".
    """
    found: list[Account] = []
    try:
        for page in client.get_paginator("list_accounts").paginate():
            found += [Account(AccountId(one["Id"]), one.get("Name", "")) for one in page["Accounts"] if _is_active(one)]
    except (ClientError, BotoCoreError) as error:
        return failure_of(error)
    return tuple(found)


def _is_active(account: Mapping[str, Any]) -> bool:
    # `Status` is retired; an endpoint that does not know `State` yet answers it alone.
    return bool(account.get("State", account.get("Status")) == "ACTIVE")
