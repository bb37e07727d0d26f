"""VPCs as Parquet, through pyarrow. Importing this takes the extra `parquet`."""

from __future__ import annotations

import io
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from landkeeper.cli.output import Row
from landkeeper.vpctracker.attributes import parse_time

_TEXT, _TEXTS = pa.string(), pa.list_(pa.string())
_TIME = pa.timestamp("s", tz="UTC")
_TIMES = ("FirstSeen", "LastChanged", "DeletedAt", "MissingSince", "ReadAt")


def _structs(*names: str, **others: pa.DataType) -> pa.DataType:
    fields = [(name, _TEXT) for name in names] + list(others.items())
    return pa.list_(pa.struct(fields))


SCHEMA = pa.schema([
    ("VpcId", _TEXT), ("OwnerId", _TEXT), ("AccountName", _TEXT), ("Region", _TEXT), ("Name", _TEXT),
    ("CidrBlock", _TEXT), ("CidrBlocks", _TEXTS), ("Ipv6CidrBlocks", _TEXTS), ("IsDefault", pa.bool_()),
    ("State", _TEXT), ("Tags", pa.map_(_TEXT, _TEXT)), ("SharedWith", _TEXTS), ("InstanceTenancy", _TEXT),
    ("DhcpOptionsId", _TEXT), ("CidrAssociations", _structs("AssociationId", "CidrBlock", "State")),
    ("Subnets", _structs("SubnetId", "AvailabilityZoneId", "CidrBlock", AvailableIpAddressCount=pa.int64())),
    ("PeeringConnections", _structs("Id", "State", "PeerVpcId", "PeerOwnerId", "PeerRegion", PeerCidrBlocks=_TEXTS)),
    ("TransitGatewayAttachments", _structs("Id", "TransitGatewayId", "TransitGatewayOwnerId", "State")),
    ("ReadBy", _TEXT), ("FirstSeen", _TIME), ("LastChanged", _TIME), ("DeletedAt", _TIME), ("MissingSince", _TIME),
    ("Version", pa.int64()), ("ReadAt", _TIME), ("Stale", _TEXT),
])  # fmt: skip


def parquet_bytes(rows: Sequence[Row]) -> bytes:
    """A Parquet file of these rows, with the stored attribute names and types of their own for lists and times."""
    columns = {field.name: pa.array([_value(row, field.name) for row in rows], field.type) for field in SCHEMA}
    file = io.BytesIO()
    pq.write_table(pa.table(columns, schema=SCHEMA), file, compression="zstd")
    return file.getvalue()


def _value(row: Row, name: str) -> object:
    value = row.get(name)
    if name in _TIMES and value is not None:
        return parse_time(value)
    return list(dict(value or {}).items()) if name == "Tags" else value
