"""Importing an IPAM. No simulator has one: a server answers as the EC2 API Reference words it, over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from tests.servers import Answer, answering, ec2_refusal

from landkeeper.cli import run
from landkeeper.embedded.pool_file import PoolFile
from landkeeper.vpctracker.pools.operations import read_named_state, read_pools

_EVENTS = Path(__file__).parents[2] / "events" / "ipam"


class Ipam:
    """The answers of EC2 for one IPAM, which lives in eu-west-1 and has a pool for eu-central-1."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str]] = []
        self.refused = ""

    def answer(self, call: Mapping[str, str]) -> Answer:
        action, region, pool = call["Action"], call["Region"], call.get("IpamPoolId", "")
        self.asked.append((action, region, pool))
        if action == self.refused:
            return ec2_refusal("UnauthorizedOperation", "not today", 403)
        page = "-next" if call.get("NextToken") else ""
        file = _EVENTS / "-".join(filter(None, (action, pool)))
        file = file.with_name(f"{file.name}{page}.xml")
        if action == "DescribeIpams" and region != "eu-west-1":
            file = _EVENTS / "DescribeIpams-none.xml"
        return 200, file.read_text(encoding="utf-8")


@pytest.fixture
def ipam(no_aws: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Ipam]:
    """The server, and an environment that points to it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    made = Ipam()
    with answering(made.answer) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_EC2", url)
        yield made


def test_pools_and_allocations_are_imported_and_a_second_time_nothing(
    ipam: Ipam, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["vpc", "pool", "import", "--ipam"]) == 3
    printed = capsys.readouterr()
    assert printed.out == "2 pools and 6 reservations imported, 0 already present, 4 skipped.\n"
    assert printed.err.splitlines() == [
        "skipped: ipam-pool-0cccccccccccccccc: it is of IPv6",
        "skipped: ipam-pool-0eeeeeeeeeeeeeeee: it is being deleted",
        "skipped: ipam-pool-0ffffffffffffffff: its range is that of vpc-0123456789abcdef9, whose subnets it plans",
        "skipped: 10.24.0.0/13 of frankfurt (ipam-pool-0bbbbbbbbbbbbbbbb): it is in the state pending-provision",
    ]
    store = PoolFile(Path("landkeeper.db"))
    try:
        assert [(pool.id, str(pool.block), pool.parent, pool.region) for pool in read_pools(store)] == [
            ("top", "10.0.0.0/8", None, None),
            ("frankfurt", "10.8.0.0/13", "top", "eu-central-1"),
        ]
        top = read_named_state(store, "top")[0].reservations
        assert [(str(one.block), one.kind, one.purpose) for one in top] == [
            ("10.8.0.0/13", "pool", "frankfurt"),
            ("10.24.0.0/13", "elsewhere", "IPAM pool frankfurt (ipam-pool-0bbbbbbbbbbbbbbbb)"),
            ("10.200.0.0/16", "elsewhere", "data centre"),
            ("10.250.0.0/16", "elsewhere", "IPAM pool ipam-pool-0eeeeeeeeeeeeeeee"),
            ("10.251.0.0/20", "allocation", "IPAM pool ipam-pool-0ffffffffffffffff"),
        ]  # fmt: skip
        given = read_named_state(store, "frankfurt")[0].reservations
        assert [(str(one.block), one.account, one.region, one.resource) for one in given] == [
            ("10.8.0.0/20", "111122223333", "eu-central-1", "vpc-0123456789abcdef0"),
            ("10.8.16.0/20", "444455556666", "eu-central-1", "vpc-0123456789abcdef1"),
        ]
    finally:
        store.close()
    assert run(["vpc", "pool", "import", "--ipam", "ipam-0123456789abcdef0", "--region", "eu-west-1"]) == 3
    assert capsys.readouterr().out == "0 pools and 0 reservations imported, 8 already present, 4 skipped.\n"


def test_allocations_are_asked_for_in_the_region_that_a_pool_is_for(ipam: Ipam) -> None:
    assert run(["vpc", "pool", "import", "--ipam"]) == 3
    allocations = {(region, pool) for action, region, pool in ipam.asked if action == "GetIpamPoolAllocations"}
    assert ("eu-west-1", "ipam-pool-0aaaaaaaaaaaaaaaa") in allocations
    assert ("eu-central-1", "ipam-pool-0bbbbbbbbbbbbbbbb") in allocations
    assert "ap-south-1" not in {region for _, region, _ in ipam.asked}, "pools that are left out are not asked about"


def test_an_ipam_that_is_not_there_or_may_not_be_read_is_named(ipam: Ipam, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["vpc", "pool", "import", "--ipam", "ipam-0ffffffffffffffff"]) == 2
    assert "whose home is eu-west-1: there are ipam-0123456789abcdef0" in capsys.readouterr().err
    assert run(["vpc", "pool", "import", "--ipam", "--region", "us-east-1"]) == 2
    assert "whose home is us-east-1: there is none; --region names another home" in capsys.readouterr().err
    for refused in ("DescribeIpamPools", "GetIpamPoolAllocations"):
        ipam.refused = refused
        assert run(["vpc", "pool", "import", "--ipam"]) == 1
        assert "the IPAM ipam-0123456789abcdef0 cannot be read: permission missing" in capsys.readouterr().err
    assert not Path("landkeeper.db").exists()
