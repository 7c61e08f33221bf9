from __future__ import annotations

import json
import os
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from tests.governance.conftest import ANN, BOB, MAIL, NOW, PHONE, TABLET, World
from tests.governance.test_governance_erase import confirmed

from shopkeeper.core.errors import Conflict, NotAllowed, NotFound
from shopkeeper.core.operation import Actor, Context
from shopkeeper.core.period import Period
from shopkeeper.customers.operations import rfm
from shopkeeper.governance.operations import export, restrict, restrictions, sweep, unrestrict
from shopkeeper.metrics.operations import overview
from shopkeeper.recommend.model import fitted
from shopkeeper.recommend.operations import items
from shopkeeper.shop import Shop


def _customers(shop: Shop, live: bool = False) -> set[str | None]:
    rows = shop.query(lambda s: s.events().select("customer_id"), live=live)
    return set(rows["customer_id"].to_pylist())


def test_a_restricted_customer_counts_nowhere_by_name_and_at_once(world: World) -> None:
    shop = world.shop
    with Shop.open(shop.folder) as other:  # as another process would
        assert ANN in _customers(other)
        assert ANN in fitted(other).history.customer_ids.to_pylist()
        members = rfm(other).customers
        revenue = world.revenue()
        restrict(shop, PHONE)
        assert [one.customer_id for one in restrictions(other).restrictions] == [ANN]
        for live in (False, True):
            assert _customers(other, live) == {BOB, None}
        assert ANN not in fitted(other).history.customer_ids.to_pylist()
        assert rfm(other).customers == members - 1
        assert world.revenue() == revenue
        assert other.query(lambda s: s.customers())["customer_id"].to_pylist() == [BOB]
        assert set(other.query(lambda s: s.traits())["customer_id"].to_pylist()) == {BOB}
        assert other.query(lambda s: s.texts())["customer_id"].to_pylist() == [None]
        unrestrict(shop, ANN)
        assert ANN in _customers(other)
        assert ANN in fitted(other).history.customer_ids.to_pylist()
        with pytest.raises(NotFound, match="not restricted"):
            unrestrict(shop, ANN)


def test_restriction_follows_a_customer_who_is_merged(world: World) -> None:
    restrict(world.shop, ANN)
    world.send(0.2, "alias", previousId=ANN, userId="customer-ann-new")
    world.move()
    assert _customers(world.shop) == {BOB, None}


def test_figures_and_lists_work_while_somebody_is_restricted(world: World) -> None:
    before = {f.metric: f.value for f in overview(world.shop, since=Period("30d")).figures}
    restrict(world.shop, ANN)
    after = {f.metric: f.value for f in overview(world.shop, since=Period("30d")).figures}
    assert after["revenue"] == before["revenue"]
    assert after["active_customers"] != before["active_customers"]
    assert items(world.shop, ANN).history == 0


def test_an_export_holds_everything_of_one_customer_and_what_the_fields_mean(world: World) -> None:
    done = export(world.shop, PHONE)
    path = world.shop.folder / done.file
    assert ANN not in done.file
    assert path.stat().st_mode & 0o077 == 0
    with zipfile.ZipFile(path) as archive:
        data = json.loads(archive.read("data.json"))
        fields = json.loads(archive.read("fields.json"))
    assert {name: len(rows) for name, rows in data.items() if rows} == done.rows
    assert {e["item_id"] for e in data["events"]} >= {"tea", "p0", "anns"}
    assert not {e["item_id"] for e in data["events"]} & {"bobs", "x"}
    assert {e["order_id"] for e in data["events"]} >= {"A-0", "A-1"}
    assert [t["body"] for t in data["texts"]] == ["Lovely tea, writes Ann"]
    assert MAIL in {t["value"] for t in data["traits"]}
    assert data["store_customers"][0]["traits"]["city"] == "上海"
    assert {i["sent_id"] for i in data["store_identities"]} == {PHONE, TABLET}
    assert "waits in the log" in data["store_log"][0]["payload"]
    assert data["store_refused"][0]["raw"]["id"] == ANN
    assert [c["status"] for c in data["store_consent"]] == ["GRANT"]
    assert BOB not in json.dumps(data)
    for name, rows in data.items():
        if name in fields and rows:
            assert set(rows[0]) <= set(fields[name])
    with pytest.raises(NotFound, match="Nothing is known"):
        export(world.shop, "nobody-at-all")


def test_an_export_goes_with_its_customer(world: World) -> None:
    file = export(world.shop, ANN).file
    both = export(world.shop, BOB).file  # holds Bob's search for a gift for Ann
    other = world.shop.folder / "exports" / "other.json"
    other.write_text(json.dumps({"customer_id": BOB}))
    assert confirmed(world.shop, ANN).clean
    assert not (world.shop.folder / file).exists()
    assert not (world.shop.folder / both).exists()
    assert other.exists()


def swept(shop: Shop) -> dict[str, int]:
    """What a confirmed sweep removed; the plan has to say the same before."""
    plan = sweep(shop).plan
    assert plan is not None
    done = sweep(shop, confirm=plan.hash)
    removed = {one.where: one.places for one in done.removed}
    assert removed == {step.where: step.count for step in plan.steps}
    return removed


def test_the_sweep_removes_what_is_past_its_term_and_nothing_else(world: World) -> None:
    shop = world.shop
    confirmed(shop, ANN)
    file = shop.folder / export(shop, BOB).file
    assert swept(shop) == {}
    os.utime(file, (0, 0))
    asked = sweep(shop)
    assert file.exists()
    assert asked.plan is not None
    key = Context(shop, Actor("server", "nightly", frozenset({"*:*"})))
    with pytest.raises(NotAllowed, match="only a person"):
        sweep(key, confirm=asked.plan.hash)
    with pytest.raises(Conflict, match="no longer"):
        sweep(shop, confirm="0" * 16)
    assert file.exists()
    assert list(swept(shop)) == [str(file.relative_to(shop.folder))]
    years = timedelta(days=1100)
    with Shop.open(shop.folder, now=lambda: NOW + years) as later:
        done = swept(later)
        assert done == {"tables/events: pseudonyms of orders": 1, "store: refused rows": 1}
        rows = later.query(lambda s: s.events()).to_pylist()
        assert {e["order_id"] for e in rows if e["order_id"]} == {"A-0", "A-1", "B-1"}
        assert not [e for e in rows if (e["user_id"] or "").startswith("retained-")]
        assert sum(later.query(lambda s: s.daily())["revenue"].to_pylist()) == 100.0
        assert swept(later) == {}


def test_old_events_and_texts_go_when_the_owner_sets_a_term(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOPKEEPER_KEEP_EVENTS_DAYS", "5")
    monkeypatch.setenv("SHOPKEEPER_KEEP_TEXTS_DAYS", "1")
    with Shop.open(world.shop.folder) as shop:
        swept(shop)
        left = shop.query(lambda s: s.events()).to_pylist()
        assert {e["name"] for e in left if e["time"] < NOW - timedelta(days=6)} == {"purchase"}
        assert shop.query(lambda s: s.texts()).num_rows == 0
        files = list(Path(shop.folder / "tables" / "texts").rglob("*.parquet"))
        assert all("_delta_log" in str(path) for path in files)
