"""Pages of what AWS lists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import PaginationError


def pages(
    client: Any, operation: str, *, page_size: int | None = None, **parameters: Any
) -> Iterator[Mapping[str, Any]]:
    """Every page that the operation answers with. Raises what botocore raises.

    botocore stops where the same token comes twice in a row; this stops also where an earlier token comes again, as in
    A, B, A, B.
    """
    sized = {} if page_size is None else {"PaginationConfig": {"PageSize": page_size}}
    seen: set[str] = set()
    for page in client.get_paginator(operation).paginate(**parameters, **sized):
        yield page
        token = page.get("NextToken")
        if token in seen:
            raise PaginationError(message=f"an earlier token came again: {token}")
        if token:
            seen.add(token)
