"""Ids and names in the SQLite file, for shells to complete: read with a few queries, and nothing is made or changed."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

Kind = Literal["vpc", "vpc name", "account", "account name", "region", "pool", "reservation", "case"]
Word = tuple[str, str]
"""A word, and what a shell may say about it."""

_TIMEOUT_SECONDS = 0.2
_ASKED = "SELECT DISTINCT word, about FROM words WHERE word <> '' AND substr(word, 1, ?) = ? ORDER BY word"
_QUERIES: Mapping[Kind, str] = {
    "vpc": "SELECT vpc_id, trim(json_extract(item, '$.Name') || ' ' || json_extract(item, '$.CidrBlock')) FROM vpcs",
    "vpc name": "SELECT json_extract(item, '$.Name'), vpc_id FROM vpcs",
    "account": "SELECT account_id, json_extract(item, '$.AccountName') FROM vpc_coverage",
    "account name": "SELECT json_extract(item, '$.AccountName'), account_id FROM vpc_coverage",
    "region": "SELECT json_extract(item, '$.Region'), '' FROM vpcs",
    "pool": "SELECT substr(item_id, 5), json_extract(item, '$.CidrBlock') FROM vpc_pools"
    " WHERE pool_id = 'POOLS' AND item_id LIKE 'RES#%'",
    "reservation": "SELECT substr(item_id, 5), json_extract(item, '$.CidrBlock') FROM vpc_pools"
    " WHERE pool_id <> 'POOLS' AND item_id LIKE 'RES#%'",
    "case": "SELECT instance_id, json_extract(item, '$.State') FROM broom_cases",
}


def read_words(path: Path, kinds: Iterable[Kind], beginning: str) -> list[Word]:
    """The words of these kinds that begin so, in their order. Raises sqlite3.Error where the file cannot tell."""
    # A file with a write-ahead log can be read without making anything beside it only while there is that log, or as
    # one that nobody writes to (SQLite's documentation, "Read-Only Databases" in "Write-Ahead Logging").
    mode = "mode=ro" if os.path.exists(f"{path}-wal") else "mode=ro&immutable=1"  # noqa: PTH110
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?{mode}", uri=True, timeout=_TIMEOUT_SECONDS)
    try:
        return [word for kind in kinds for word in _read(connection, kind, beginning)]
    finally:
        connection.close()


def _read(connection: sqlite3.Connection, kind: Kind, beginning: str) -> Iterable[Word]:
    rows = connection.execute(f"WITH words (word, about) AS ({_QUERIES[kind]}) {_ASKED}", (len(beginning), beginning))
    return [(str(word), str(about or "")) for word, about in rows]
