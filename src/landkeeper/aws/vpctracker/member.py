"""One account of the organization, asked for by its id."""

from __future__ import annotations

from typing import TYPE_CHECKING

from landkeeper.aws.failures import CALL_ERRORS, STRANGE_ANSWERS, failure_of, strange_answer
from landkeeper.org import AccountId, Failure

if TYPE_CHECKING:
    from mypy_boto3_organizations import OrganizationsClient


def find_member_state(client: OrganizationsClient, account: AccountId) -> str | Failure:
    """The state of the account in the organization, as in `ACTIVE`; a Failure where it has no such account.

    It takes the credentials of the management account or of a delegated administrator. Source: AWS Organizations API
    Reference, "DescribeAccount".
    """
    try:
        found = client.describe_account(AccountId=account)["Account"]
        if found["Id"] != account:
            raise LookupError(f"it is about {found['Id']}, not {account}")
        # `Status` is retired; an endpoint that does not know `State` yet answers it alone.
        return str(found.get("State") or found["Status"])
    except CALL_ERRORS as error:
        return failure_of(error)
    except STRANGE_ANSWERS as error:
        return strange_answer("Organizations", error)
