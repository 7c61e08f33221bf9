from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from tests.governance.conftest import ANN, BOB, MAIL, NAMES, PHONE, TABLET, World

from shopkeeper.core.errors import Conflict, NotAllowed, NotFound
from shopkeeper.core.operation import Actor, Context
from shopkeeper.governance.operations import certificates, erase, verify_erasure
from shopkeeper.governance.types import Certificate
from shopkeeper.shop import Shop


def confirmed(shop: Shop, *who: str) -> Certificate:
    asked = erase(shop, list(who))
    assert asked.plan is not None
    done = erase(shop, list(who), confirm=asked.plan.hash)
    assert done.certificate is not None
    return done.certificate


def traces(folder: Path, *names: str) -> list[str]:
    """Where the names stand, by a search of this test's own: bytes of every file, cells, rows."""
    found = []
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        content = path.read_bytes()
        if path.suffix == ".parquet":
            content += str(pq.read_table(path, partitioning=None).to_pylist()).encode()
        if content.startswith(b"SQLite format 3"):
            with closing(sqlite3.connect(path)) as connection:
                for (name,) in connection.execute(
                    "SELECT name FROM sqlite_master WHERE type='table'"
                ):
                    content += str(connection.execute(f"SELECT * FROM {name}").fetchall()).encode()
        found += [
            f"{path.relative_to(folder)}: {name}" for name in names if name.encode() in content
        ]
    return found


def test_an_erased_customer_is_found_everywhere_before_and_nowhere_after(world: World) -> None:
    shop = world.shop
    places = {one.split(":")[0].split("/")[0] for one in traces(shop.folder, *NAMES)}
    assert {"tables", "reports", "inbox", "truth"} <= places
    assert places & {"shop.sqlite", "shop.sqlite-wal"}
    certificate = confirmed(shop, ANN)
    assert certificate.clean
    assert certificate.after == ()
    found = {one.where for one in certificate.before}
    assert {
        "tables/events: rows", "tables/traits: rows", "tables/customers: rows",
        "store: customers.traits", "store: log.payload", "store: refused.raw", "store: jobs.result",
        "store: imports.source", "store: consent.customer_id", "reports/with.html",
        "inbox/orders.csv", "inbox/calls.jsonl", "truth/people.parquet",
    } <= found  # fmt: skip
    shop.close()
    assert traces(shop.folder, *NAMES) == []
    assert traces(shop.folder, BOB)


def test_orders_stay_for_their_term_under_a_pseudonym_and_older_ones_without(world: World) -> None:
    revenue, before = world.revenue(), {e["order_id"]: e for e in world.events()}
    certificate = confirmed(world.shop, ANN)
    assert world.revenue() == revenue == 100.0
    after = {e["order_id"]: e for e in world.events() if e["order_id"]}
    assert set(after) == {"A-0", "A-1", "B-1"}
    kept = after["A-1"]
    assert kept["user_id"].startswith("retained-")
    for column in ("event_id", "value", "time", "item_id", "order_id", "currency"):
        assert kept[column] == before["A-1"][column]
    assert kept["properties"] is None
    assert (after["A-0"]["user_id"], after["A-0"]["customer_id"]) == (None, None)
    assert after["B-1"]["user_id"] == BOB
    assert [(k.rows, "Art. 31" in k.why) for k in certificate.kept] == [(1, True), (1, False)]


def test_others_lose_nothing_but_the_mention(world: World) -> None:
    bobs = [e for e in world.events() if e["customer_id"] == BOB]
    confirmed(world.shop, ANN)
    after = {e["event_id"]: e for e in world.events() if e["customer_id"] == BOB}
    assert set(after) == {e["event_id"] for e in bobs}
    assert {e["query"] for e in after.values()} == {None, "gift for [erased]"}
    assert all(e["anonymous_id"] in (None, TABLET) for e in after.values())
    seen = {e["item_id"] for e in world.events() if e["anonymous_id"] == TABLET}
    assert seen == {"bobs"}  # what Ann saw on the shared tablet went with her
    assert world.shop.people.get(BOB).traits["email"] == "bob@example.cn"
    assert world.shop.consent.may(BOB, "marketing", "email")
    people = pq.read_table(world.shop.folder / "truth" / "people.parquet")
    assert people["customer_id"].unique().to_pylist() == [BOB]
    assert (world.shop.folder / "inbox" / "orders.csv").read_text() == f"id,note\n{BOB},x\n"
    assert (world.shop.folder / "reports" / "without.html").exists()
    assert not (world.shop.folder / "reports" / "with.html").exists()


def test_the_plan_says_what_would_happen_and_does_nothing(world: World) -> None:
    before = traces(world.shop.folder, *NAMES)
    plan = erase(world.shop, [PHONE]).plan  # any id of hers means her
    assert plan is not None
    steps = {(s.where, s.what.split(" ")[0]): s.count for s in plan.steps}
    assert steps["tables/events", "orders"] == 1
    assert steps["tables/events", "older"] == 1
    assert steps["store: consent.customer_id", "cells"] == 1
    assert steps["reports/with.html", "rows"] == 1
    assert traces(world.shop.folder, *NAMES) == before
    assert plan.hash in plan.confirm


def test_a_confirmation_of_something_else_is_refused(world: World) -> None:
    plan = erase(world.shop, [ANN]).plan
    assert plan is not None
    world.send(0.5, userId=ANN, event="Product Viewed", properties={"product_id": "tea"})
    with pytest.raises(Conflict, match="no longer"):
        erase(world.shop, [ANN], confirm=plan.hash)
    with pytest.raises(Conflict, match="no longer"):
        erase(world.shop, [BOB], confirm=plan.hash)
    with pytest.raises(NotFound, match="Nothing is known"):
        erase(world.shop, ["nobody-at-all"])
    assert world.shop.restrictions.list() == []


def test_a_key_gets_the_plan_and_cannot_confirm_it(world: World) -> None:
    key = Context(world.shop, Actor("server", "shop", frozenset({"*:*"})))
    plan = erase(key, [ANN]).plan
    assert plan is not None
    with pytest.raises(NotAllowed, match="only a person"):
        erase(key, [ANN], confirm=plan.hash)
    assert world.shop.people.get(ANN)


def test_the_audit_log_stays_whole_and_no_longer_knows_the_customer(world: World) -> None:
    assert world.shop.audit.pseudonym("customer", ANN)
    confirmed(world.shop, ANN)
    assert world.shop.audit.pseudonym("customer", ANN) is None
    assert world.shop.audit.verify().ok
    assert world.shop.audit.entries(1).entries[0].operation == "governance.erase"


def test_two_customers_go_in_one_pass(world: World) -> None:
    certificate = confirmed(world.shop, ANN, BOB)
    assert (certificate.customers, certificate.clean) == (2, True)
    assert {e["user_id"] for e in world.events()} == {None, *{
        e["user_id"] for e in world.events() if (e["user_id"] or "").startswith("retained-")
    }}  # fmt: skip
    assert len({e["user_id"] for e in world.events() if e["user_id"]}) == 2
    world.shop.close()
    assert traces(world.shop.folder, *NAMES, BOB, TABLET) == []


def test_as_of_ends_at_an_erasure_and_readers_go_on(world: World) -> None:
    with Shop.open(world.shop.folder) as other:
        count = other.query(lambda s: s.events().select("event_id")).num_rows
        confirmed(world.shop, ANN)
        fewer = other.query(lambda s: s.events().select("event_id")).num_rows
        assert 0 < fewer < count
        log = world.shop.folder / "tables" / "events" / "_delta_log"
        assert len(list(log.glob("*.json"))) == 1
        past = other.query(lambda s: s.customers(datetime(2100, 1, 1, tzinfo=UTC)))
        assert past["customer_id"].to_pylist() == [BOB]
        world.send(0.1, userId=BOB, event="Product Viewed", properties={"product_id": "tea"})
        world.move()
        assert other.query(lambda s: s.events().select("event_id")).num_rows == fewer + 1


def test_the_certificate_is_kept_and_the_search_can_be_repeated(world: World) -> None:
    assert not verify_erasure(world.shop, [ANN]).clean
    certificate = confirmed(world.shop, ANN)
    assert certificates(world.shop).certificates == (certificate,)
    [file] = (world.shop.folder / "certificates").iterdir()
    assert Certificate.model_validate_json(file.read_text()) == certificate
    assert verify_erasure(world.shop, [ANN, PHONE, MAIL]).clean
    world.send(0.1, userId=ANN, event="Product Viewed", properties={"product_id": "tea"})
    again = verify_erasure(world.shop, [ANN])
    assert "store: log.subject" in {one.where for one in again.found}
    assert world.shop.people.customer_of(TABLET) == BOB


def test_a_short_id_is_looked_for_as_a_whole_value(world: World) -> None:
    world.send(2, userId="C1", event="Product Viewed", properties={"product_id": "C12"})
    world.send(2, "identify", userId="C1", traits={"city": "C1-town"})
    world.move()
    found = {one.where for one in verify_erasure(world.shop, ["C1"]).found}
    assert {"tables/events: rows", "store: customers.customer_id", "store: log.subject"} <= found
    certificate = confirmed(world.shop, "C1")
    assert certificate.searched_as_whole_values == 1
    assert certificate.clean
    assert ANN in {event["customer_id"] for event in world.events()}
