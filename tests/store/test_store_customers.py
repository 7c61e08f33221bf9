from __future__ import annotations

import threading
from datetime import datetime, timedelta

import pytest

from shopkeeper.core.errors import BadInput, NotFound
from shopkeeper.core.schema import CUSTOMERS, IDENTITIES
from shopkeeper.store.consent.statements import Consent
from shopkeeper.store.customers import Customer, Customers, Identity
from shopkeeper.store.database import Database

HOUR = timedelta(hours=1)


def test_customers_are_merged_not_replaced(database: Database, noon: datetime) -> None:
    customers = Customers(database)
    customers.upsert([Customer("ann", noon, "zh", None, {"city": "上海", "plan": "gold"})])
    customers.upsert(
        [
            {"customer_id": "ann", "first_seen": noon + HOUR, "traits": {"plan": "black"}},
            {"customer_id": "ann", "country": "CN", "traits": {"city": None, "pet": "cat"}},
            {"customer_id": "bob"},
        ]
    )
    assert customers.get("ann") == Customer(
        "ann", noon, "zh", "CN", {"plan": "black", "pet": "cat"}
    )
    customers.upsert([Customer("ann", noon - HOUR)])
    assert customers.get("ann").first_seen == noon - HOUR
    rows = list(customers.all())
    assert [row["customer_id"] for row in rows] == ["ann", "bob"]
    assert set(rows[0]) == set(CUSTOMERS.names) - {"valid_from", "valid_to"}
    with pytest.raises(NotFound, match="No customer 'eve'"):
        customers.get("eve")
    with pytest.raises(BadInput, match="customer_id is empty"):
        customers.upsert([Customer("")])


def test_an_identity_holds_until_another_replaces_it(database: Database, noon: datetime) -> None:
    customers = Customers(database)
    assert customers.customer_of("phone") is None
    assert customers.identify("phone", "ann", "identify", noon)
    assert not customers.identify("phone", "ann", "identify", noon + HOUR)
    assert customers.identify("laptop", "ann", "alias", noon)
    assert customers.sent_ids("ann") == ["ann", "laptop", "phone"]
    assert customers.identify("phone", "bob", "identify", noon + HOUR)
    assert customers.customer_of("phone") == "bob"
    assert customers.sent_ids("ann") == ["ann", "laptop", "phone"]  # it was hers until then
    rows = list(customers.identities())
    assert [tuple(row.values()) for row in rows] == [
        ("laptop", "ann", noon, "alias"),
        ("phone", "bob", noon + HOUR, "identify"),
    ]
    assert set(rows[0]) == set(IDENTITIES.names)


def test_many_links_at_once_are_those_made_one_by_one(database: Database, noon: datetime) -> None:
    customers = Customers(database)
    customers.identify("old", "ann", "identify", noon)
    customers.identify("kept", "bob", "identify", noon)
    links = [
        Identity("new", "ann", "alias", noon),
        Identity("old", "bob", "alias", noon),
        Identity("kept", "bob", "alias", noon),
        Identity("new", "cat", "alias", noon),
    ]
    assert customers.link(links) == 3
    current = {row["sent_id"]: row["customer_id"] for row in customers.identities()}
    assert current == {"new": "cat", "old": "bob", "kept": "bob"}
    assert [row["customer_id"] for row in customers.history("new")] == ["ann", "cat"]


def test_a_link_can_be_undone_step_by_step(database: Database, noon: datetime) -> None:
    customers = Customers(database)
    for number, customer in enumerate(["ann", "bob", "cat"]):
        customers.identify("phone", customer, "identify", noon + number * HOUR)
    assert customers.undo("phone", "owner") == Identity("phone", "bob", "identify", noon + HOUR)
    assert customers.customer_of("phone") == "bob"
    assert customers.undo("phone", "owner") == Identity("phone", "ann", "identify", noon)
    assert customers.undo("phone", "owner") is None
    assert customers.customer_of("phone") is None
    assert list(customers.identities()) == []
    with pytest.raises(NotFound, match="'phone' stands for no customer"):
        customers.undo("phone", "owner")
    history = customers.history("phone")
    assert [row["customer_id"] for row in history] == ["ann", "bob", "cat", "bob", "ann"]
    assert all(row["ended_at"] is not None for row in history)
    assert customers.identify("phone", "dan", "identify", noon)
    assert customers.undo("phone", "owner") is None  # what was undone does not come back


def test_threads_that_change_one_customer_lose_nothing(database: Database, noon: datetime) -> None:
    customers = Customers(database)
    start = threading.Barrier(6)

    def change(number: int) -> None:
        start.wait()
        customers.upsert([Customer("ann", noon, traits={f"trait{number}": "x"})])
        customers.identify("phone", f"customer{number}", "identify", noon)

    threads = [threading.Thread(target=change, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(customers.get("ann").traits) == 6
    assert len(customers.history("phone")) == 6
    assert len(list(customers.identities())) == 1


def test_many_customers_are_read_in_pages(
    database: Database, noon: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shopkeeper.store.customers._PAGE", 7)
    customers = Customers(database)
    ids = [f"c{number:03}" for number in range(50)]
    assert customers.upsert(Customer(one, noon) for one in ids) == 50
    for one in ids:
        customers.identify(f"device {one}", one, "identify", noon)
    assert [row["customer_id"] for row in customers.all()] == ids
    assert [row["customer_id"] for row in customers.identities()] == ids


def test_a_deleted_customer_leaves_no_row(database: Database, noon: datetime) -> None:
    customers, consent = Customers(database), Consent(database)
    customers.upsert([Customer("ann", noon), Customer("bob", noon)])
    customers.identify("phone", "ann", "identify", noon)
    customers.identify("phone", "bob", "identify", noon)
    customers.identify("ann", "ann", "identify", noon)
    consent.record("ann", "marketing", "email", "GRANT", noon, {"form": "checkout"})
    customers.delete("ann")
    assert [row["customer_id"] for row in customers.all()] == ["bob"]
    assert [row["customer_id"] for row in customers.history("phone")] == ["bob"]
    assert customers.history("ann") == []
    assert list(consent.history("ann")) == []
