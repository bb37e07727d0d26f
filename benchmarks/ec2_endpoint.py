"""A TLS endpoint on loopback that answers STS and EC2 after a delay, with the same three VPCs in every region.

`python -m benchmarks.ec2_endpoint DIRECTORY LATENCY_MS REGIONS` creates a certificate in the directory, prints its
port, answers until its standard input ends, and prints the number of calls of each action as JSON.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs

REGIONS = (
    "us-east-1", "us-east-2", "us-west-1", "us-west-2", "eu-west-1", "eu-west-2", "eu-west-3", "eu-central-1",
    "eu-north-1", "ap-south-1", "ap-southeast-1", "ap-southeast-2", "ap-northeast-1", "ap-northeast-2",
    "ap-northeast-3", "ca-central-1", "sa-east-1",
)  # fmt: skip
"""Regions that every account has enabled by default."""
HOME_ACCOUNT = "999988887777"
BUNDLE = "authorities.pem"

_VPCS = (("172.31.0.0/16", "true"), ("10.1.0.0/16", "false"), ("10.2.0.0/20", "false"))
_EC2 = '<{0}Response xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>example</requestId>{1}</{0}Response>'
_ON_STS = frozenset({"GetCallerIdentity", "AssumeRole"})
_IDENTITY = f"<Arn>arn:aws:iam::{HOME_ACCOUNT}:user/jane</Arn>"
_STS = '<{0}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{0}Result>{1}</{0}Result></{0}Response>'


def make_certificate(directory: Path) -> Path:
    """A self-signed certificate for loopback with its key, in one file.

    Beside it `BUNDLE`: the authorities that botocore trusts anyway, and this certificate.
    """
    # Here and not above: the processes that are measured take the names from this module, and not these imports.
    import botocore  # noqa: PLC0415
    from cryptography import x509  # noqa: PLC0415
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415
    from cryptography.x509.oid import NameOID  # noqa: PLC0415

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = certificate.public_bytes(serialization.Encoding.PEM)
    (directory / BUNDLE).write_bytes(Path(botocore.__file__).with_name("cacert.pem").read_bytes() + b"\n" + public)
    path = directory / "certificate.pem"
    path.write_bytes(public + private)
    return path


def answer(scope: Sequence[str], body: str, regions: int) -> tuple[str, str]:
    """The action that was called, and the XML that answers it; `scope` is what the call was signed for."""
    account, region = scope[0][4:], scope[2]
    call = {name: values[0] for name, values in parse_qs(body).items()}
    action = call["Action"]
    if action in _ON_STS:
        text = _credentials(call["RoleArn"].split(":")[4]) if action == "AssumeRole" else _IDENTITY
        return action, _STS.format(action, text)
    texts: dict[str, Callable[[], str]] = {
        "DescribeRegions": lambda: _regions(regions),
        "DescribeVpcs": lambda: _vpcs(account, region),
        "DescribeSubnets": lambda: _subnets(region),
        "DescribeVpcPeeringConnections": lambda: "<vpcPeeringConnectionSet/>",
        "DescribeTransitGatewayAttachments": lambda: "<transitGatewayAttachments/>",
    }
    return action, _EC2.format(action, texts[action]())


def _credentials(account: str) -> str:
    expiry = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return (
        f"<Credentials><AccessKeyId>ASIA{account}</AccessKeyId><SecretAccessKey>{'s' * 40}</SecretAccessKey>"
        f"<SessionToken>{'T' * 600}</SessionToken><Expiration>{expiry}</Expiration></Credentials>"
    )


def _regions(count: int) -> str:
    items = (
        f"<item><regionName>{name}</regionName><optInStatus>opt-in-not-required</optInStatus></item>"
        for name in REGIONS[:count]
    )
    return f"<regionInfo>{''.join(items)}</regionInfo>"


def _vpc_id(region: str, number: int) -> str:
    return f"vpc-{REGIONS.index(region):08x}{number:09x}"


def _vpcs(account: str, region: str) -> str:
    items = (
        f"<item><vpcId>{_vpc_id(region, number)}</vpcId><ownerId>{account}</ownerId><state>available</state>"
        f"<cidrBlock>{block}</cidrBlock><cidrBlockAssociationSet><item><cidrBlock>{block}</cidrBlock>"
        f"<associationId>vpc-cidr-assoc-{number:017x}</associationId><cidrBlockState><state>associated</state>"
        f"</cidrBlockState></item></cidrBlockAssociationSet><dhcpOptionsId>dopt-{number:017x}</dhcpOptionsId>"
        f"<tagSet><item><key>Name</key><value>net-{number}</value></item></tagSet>"
        f"<instanceTenancy>default</instanceTenancy><isDefault>{is_default}</isDefault></item>"
        for number, (block, is_default) in enumerate(_VPCS)
    )
    return f"<vpcSet>{''.join(items)}</vpcSet>"


def _subnets(region: str) -> str:
    items = (
        f"<item><subnetId>subnet-{vpc:08x}{zone:09x}</subnetId><vpcId>{_vpc_id(region, vpc)}</vpcId>"
        f"<state>available</state><cidrBlock>10.{vpc}.{zone}.0/24</cidrBlock><availableIpAddressCount>251</availableIpAddressCount>"
        f"<availabilityZoneId>use1-az{zone}</availabilityZoneId></item>"
        for vpc in range(len(_VPCS))
        for zone in range(1, 4)
    )
    return f"<subnetSet>{''.join(items)}</subnetSet>"


class _Connection(asyncio.Protocol):
    """One kept-alive HTTP connection."""

    def __init__(self, latency_seconds: float, regions: int, calls: Counter[str]) -> None:
        self._latency_seconds = latency_seconds
        self._regions = regions
        self._calls = calls
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]  # a stream, as TLS makes it

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, blank, body = self._received.partition(b"\r\n\r\n")
        headers = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        length = int(headers.get(b"content-length", 0))
        if not blank or len(body) < length:
            return
        self._received = body[length:]
        scope = headers[b"authorization"].decode().partition("credential=")[2].split("/")
        action, text = answer(scope, body[:length].decode(), self._regions)
        self._calls[action] += 1
        reply = f"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: {len(text)}\r\n\r\n{text}".encode()
        asyncio.get_running_loop().call_later(self._latency_seconds, self._transport.write, reply)


async def serve(directory: Path, latency_seconds: float, regions: int) -> None:
    """Answer until standard input ends."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(make_certificate(directory))
    calls: Counter[str] = Counter()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: _Connection(latency_seconds, regions, calls), "127.0.0.1", 0, ssl=context, backlog=1024
    )
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await loop.run_in_executor(None, sys.stdin.read)
    sys.stdout.write(json.dumps(calls) + "\n")
    server.close()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), float(sys.argv[2]) / 1000, int(sys.argv[3])))
