"""The page and `landkeeper vpc connect` give the same answers."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from itertools import combinations

from tests.browser.conftest import Open
from tests.browser.reader import Reader
from tests.browser.stores import CHINA, IRELAND, LAKE, PLANT, SHOP, VIRGINIA, make_vpc, vpc_id

from landkeeper.aws.regions import partition_of
from landkeeper.org import AccountId
from landkeeper.report.report_input import ReportInput
from landkeeper.vpctracker.answers.connect import Pairing, Possible, pair_up
from landkeeper.vpctracker.answers.endpoints import find_endpoint
from landkeeper.vpctracker.answers.listing import Snapshot
from landkeeper.vpctracker.answers.spaces import Spaces, spaces_of
from landkeeper.vpctracker.cidr import block_at
from landkeeper.vpctracker.config import Space, TrackerConfig
from landkeeper.vpctracker.inventory import CidrAssociation, Peering, StoredVpc, TransitGatewayAttachment, Vpc

_NOW = datetime(2026, 10, 5, 12, tzinfo=UTC)
_CONFIG = TrackerConfig(spaces=(Space("plants", accounts=(PLANT.id,)), Space("odd", tags={"Space": "odd"})))
_STATES = ("active", "pending-acceptance", "provisioning")
_COMING = ("associating", "associated", "disassociating", "disassociated", "failed")


def _some(chance: random.Random, count: int) -> tuple[StoredVpc, ...]:
    """Return VPCs with blocks so close together that they collide in every possible way."""
    return tuple(StoredVpc(_one(number, chance, count), _NOW, _NOW, 1) for number in range(count))


def _one(number: int, chance: random.Random, count: int) -> Vpc:
    is_default = chance.random() < 0.15
    primary = "172.31.0.0/16" if is_default else _four(chance)
    blocks = [primary, *(_four(chance) for _ in range(chance.choice((0, 0, 1))))]
    blocks += [_six(chance) for _ in range(chance.choice((0, 0, 1)))]
    states = ["associated", *(chance.choice(_COMING) for _ in blocks[1:])]
    associations = zip(blocks, states, strict=True)
    peerings = [
        Peering(
            f"pcx-{chance.randrange(99)}", chance.choice(_STATES), vpc_id(chance.randrange(count)), SHOP.id, IRELAND
        )
        for _ in range(chance.choice((0, 1, 3)))
    ]
    state = chance.choice(("available", "pending"))
    gateway = TransitGatewayAttachment("tgw-attach-1", f"tgw-{chance.randrange(3)}", LAKE.id, state)
    return make_vpc(
        number, chance.choice((LAKE, LAKE, SHOP, SHOP, PLANT)), *blocks, is_default=is_default,
        region=chance.choice((IRELAND, IRELAND, VIRGINIA, CHINA)),
        tags={"Space": "odd"} if chance.random() < 0.1 else {},
        cidr_associations=tuple(CidrAssociation(f"a-{at}", *block) for at, block in enumerate(associations)),
        peerings=tuple(peerings), transit_gateways=(gateway,) if chance.random() < 0.5 else (),
    )  # fmt: skip


def _four(chance: random.Random) -> str:
    return str(block_at(4, (10 << 24) + chance.getrandbits(18), chance.randint(16, 20)))


def _six(chance: random.Random) -> str:
    return str(block_at(6, (0x20010DB8 << 96) + (chance.getrandbits(3) << 72), chance.choice((52, 56))))


def _row_of(pair: Pairing) -> tuple[str, ...]:
    """Return the texts that the page's table must show for a pair."""
    if pair.peering.because == pair.routing.because:
        why = pair.peering.because
    else:
        parts = (("peering: ", pair.peering.because), ("transit gateway: ", pair.routing.because))
        why = "; ".join(name + because for name, because in parts if because)
    ends = sorted((pair.source.vpc.id, pair.target.vpc.id))
    return (
        *ends,
        pair.peering.possible,
        pair.routing.possible,
        ", ".join(map(str, pair.obstacles)),
        ", ".join(map(str, pair.links)),
        why,
    )


_READ = """() => [...document.querySelectorAll('[aria-labelledby="answer"] tbody tr')].map(row => {
  const heads = [...row.closest('table').querySelectorAll('thead th')].map(cell => cell.textContent);
  const cells = Object.fromEntries([...row.cells].map((cell, at) => [heads[at], cell]));
  const ids = [...row.querySelectorAll('a')].map(link => link.textContent).sort();
  const text = name => cells[name] ? cells[name].textContent : '';
  return [...ids, text('Peering'), text('Transit gateway'), text('Conflicts'), text('Already connected'), text('Why')];
})"""


def test_the_page_answers_every_pair_like_the_command(
    open_report: Callable[..., AbstractContextManager[Reader]],
) -> None:
    vpcs = _some(random.Random(3), 24)  # noqa: S311 - sample data
    spaces = spaces_of(_CONFIG)
    seen: set[Possible] = set()
    with open_report(
        ReportInput(Snapshot(vpcs, {}), _CONFIG, _NOW, "file landkeeper.db", "0.1.0", partition_of=partition_of),
        "connect",
    ) as reader:
        owners = sorted({stored.vpc.owner for stored in vpcs})
        endpoints: list[tuple[str, str]] = [
            (first.vpc.id, second.vpc.id) for first, second in combinations(vpcs[:9], 2)
        ]
        endpoints += [*combinations(owners, 2), *((owner, owner) for owner in owners)]
        for a, b in endpoints:
            pairs = pair_up(find_endpoint(a, vpcs, {}), find_endpoint(b, vpcs, {}), spaces, partition_of)
            reader.page.evaluate("([a, b]) => { location.hash = `#/connect?a=${a}&b=${b}` }", [a, b])
            reader.page.locator("#answer", has_text=a).filter(has_text=b).wait_for()
            shown = {tuple(row) for row in reader.page.evaluate(_READ)}
            expected = {_row_of(pair) for pair in pairs}
            assert shown <= expected
            assert len(shown) == min(50, len(expected))
            seen |= {pair.routing.possible for pair in pairs}
    assert seen == {Possible.YES, Possible.PARTLY, Possible.NO}


def test_a_cell_of_the_matrix_has_the_counts_of_the_command(
    open_report: Callable[..., AbstractContextManager[Reader]],
) -> None:
    vpcs = _some(random.Random(5), 40)  # noqa: S311 - sample data
    spaces = spaces_of(_CONFIG)
    with open_report(
        ReportInput(Snapshot(vpcs, {}), _CONFIG, _NOW, "file landkeeper.db", "0.1.0", partition_of=partition_of),
        "connect",
    ) as reader:
        canvas = reader.page.get_by_role("application")
        canvas.focus()
        for row, source in enumerate((SHOP, LAKE, PLANT)):
            for column, target in enumerate((SHOP, LAKE, PLANT)):
                for key in (
                    "ArrowUp",
                    "ArrowUp",
                    "ArrowLeft",
                    "ArrowLeft",
                    *("ArrowDown",) * row,
                    *("ArrowRight",) * column,
                ):
                    canvas.press(key)
                assert (
                    reader.page.locator(".matrix .summary")
                    .inner_text()
                    .split(": ", 1)[1]
                    .startswith(_count(vpcs, source.id, target.id, spaces))
                )


def _count(vpcs: tuple[StoredVpc, ...], a: AccountId, b: AccountId, spaces: Spaces) -> str:
    pairs = [
        pair
        for pair in pair_up(find_endpoint(a, vpcs, {}), find_endpoint(b, vpcs, {}), spaces, partition_of)
        if not pair.has_default
    ]
    peerable = sum(pair.peering.possible is Possible.YES for pair in pairs)
    return f"{peerable} of {len(pairs)} pairs of VPCs can be peered"


def test_a_pair_can_be_chosen_by_typing_and_from_the_matrix(shop: Open) -> None:
    with shop("connect") as reader:
        reader.page.get_by_role("combobox", name="From").fill("data")
        reader.page.get_by_role("option", name="data-lake").wait_for()
        reader.page.keyboard.press("Enter")
        reader.page.get_by_role("combobox", name="To").fill("plant 7777")
        reader.page.keyboard.press("Enter")
        reader.arrive("connect?a=111122223333&b=777788889999")
        assert any("in different spaces: " in why for why in reader.cells("Pairs of VPCs", "Why"))
        reader.page.get_by_role("application").focus()
        for key in ("ArrowUp", "ArrowUp", "ArrowLeft", "ArrowLeft", "ArrowRight", "Enter"):
            reader.page.keyboard.press(key)
        reader.arrive("connect?a=444455556666&b=111122223333")
        assert "already connected" in reader.page.locator(".answer").inner_text()


def test_the_matrix_can_be_of_units_or_spaces(shop: Open) -> None:
    with shop("connect") as reader:
        reader.page.get_by_label("Rows and columns").select_option("space")
        reader.arrive("connect?by=space")
        reader.page.get_by_role("application").focus()
        reader.page.keyboard.press("ArrowRight")
        assert "in different spaces or partitions" in reader.page.locator(".matrix .summary").inner_text()
