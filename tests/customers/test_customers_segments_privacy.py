"""Who is erased or restricted is in no membership, no list and no copy; an export has them."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conftest import SHANGHAI
from tests.customers.test_customers_segments import NOW
from tests.customers.world import world

from shopkeeper.core.errors import Conflict, NotFound
from shopkeeper.customers import operations as customers
from shopkeeper.governance import operations as governance
from shopkeeper.shop import Shop


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    Shop.create(tmp_path / "shop", SHANGHAI).close()
    with Shop.open(tmp_path / "shop", now=lambda: NOW) as opened:
        world(opened)
        customers.put_on_list(opened, name="vip", customer_ids=("c01", "c02"))
        customers.save_segment(opened, name="seen", definition='events >= 1 or told "x" = "c01"')
        customers.refresh_segments(opened)
        yield opened


def _members(shop: Shop) -> set[str]:
    return {r.customer_id for r in customers.segment_members(shop, segment="S1", limit=1000).rows}


def test_an_export_has_memberships_and_lists(shop: Shop) -> None:
    done = governance.export(shop, customer_id="c01")
    with zipfile.ZipFile(shop.folder / done.file) as archive:
        data = json.loads(archive.read("data.json"))
    assert [row["segment"] for row in data["memberships"]] == ["S1"]
    assert [row["name"] for row in data["store_lists"]] == ["vip"]


def test_erasing_leaves_nothing_and_the_count_of_before(shop: Shop) -> None:
    assert "c01" in _members(shop)
    before = customers.segments(shop).segments[0].members
    plan = governance.erase(shop, who=["c01"]).plan
    assert plan is not None
    assert governance.erase(shop, who=["c01"], confirm=plan.hash).certificate is not None
    assert governance.verify_erasure(shop, who=["c01"]).clean
    assert not shop.timelines.folder.exists()
    assert "c01" not in _members(shop)
    assert customers.lists(shop).lists[0].customers == 1
    assert customers.segments(shop).segments[0].members == before
    with pytest.raises(NotFound):
        customers.profile(shop, customer_id="c01")
    assert customers.refresh_segments(shop).left == 0


def test_a_restricted_customer_is_in_no_segment_and_has_no_profile(shop: Shop) -> None:
    governance.restrict(shop, customer_id="c02")
    assert "c02" not in _members(shop)
    with pytest.raises(Conflict, match="restricted"):
        customers.profile(shop, customer_id="c02")
    governance.unrestrict(shop, customer_id="c02")
    assert "c02" in _members(shop)
