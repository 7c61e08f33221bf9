from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, delete, select, update

from shopkeeper.core.errors import BadInput, Corrupt
from shopkeeper.core.operation import OWNER, Actor
from shopkeeper.store import tables
from shopkeeper.store.audit.chain import START, Audit, _hash
from shopkeeper.store.database import Database

A = tables.audit
ANN = Actor("person", "ann@example.com", frozenset({"*:*"}))


def _filled(database: Database, entries: int = 6) -> Audit:
    audit = Audit(database)
    for number in range(1, entries + 1):
        assert audit.append(OWNER, "imports.load", {"limit": number}) == number
    assert audit.verify().ok
    return audit


def test_a_log_that_nobody_touched_is_whole(database: Database) -> None:
    assert Audit(database).verify().model_dump() == {
        "ok": True,
        "entries": 0,
        "head": START,
        "first_broken": None,
        "problem": "",
    }
    audit = _filled(database)
    found = audit.verify()
    assert (found.ok, found.entries) == (True, 6)
    page = audit.entries(2)
    assert ([entry.seq for entry in page.entries], page.total) == ([6, 5], 6)
    assert page.entries[0].hash == found.head
    assert page.entries[0].details == {"limit": 6}
    assert [entry.seq for entry in audit.entries(50, before=3).entries] == [2, 1]


@pytest.mark.parametrize(
    "change",
    [
        {"actor": "local:somebody"},
        {"operation": "imports.other"},
        {"details": '{"limit":33}'},
        {"hash": "f" * 64},
        {"previous": "f" * 64},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_changed_entry_is_found(database: Database, change: dict[str, str]) -> None:
    audit = _filled(database)
    with database.begin() as connection:
        connection.execute(update(A).where(A.c.seq == 3).values(**change))
    found = audit.verify()
    assert (found.ok, found.first_broken) == (False, 3)
    assert "entry 3" in found.problem


def test_a_changed_time_is_found(database: Database) -> None:
    audit = _filled(database)
    with database.begin() as connection:
        time = connection.execute(select(A.c.time).where(A.c.seq == 3)).scalar_one()
        later = time + timedelta(microseconds=1)
        connection.execute(update(A).where(A.c.seq == 3).values(time=later))
    assert audit.verify().first_broken == 3


def test_an_entry_changed_with_a_matching_hash_breaks_the_one_after_it(database: Database) -> None:
    audit = _filled(database)
    with database.begin() as connection:
        _rewrite(connection, 3, operation="imports.other")
    found = audit.verify()
    assert (found.ok, found.first_broken) == (False, 4)


def test_an_entry_removed_from_the_middle_is_found(database: Database) -> None:
    audit = _filled(database)
    with database.begin() as connection:
        connection.execute(delete(A).where(A.c.seq == 3))
    found = audit.verify()
    assert (found.ok, found.first_broken, found.problem) == (False, 3, "entry 3 is missing")


@pytest.mark.parametrize("removed", [1, 3, 6])
def test_removed_last_entries_are_found(database: Database, removed: int) -> None:
    audit = _filled(database)
    with database.begin() as connection:
        connection.execute(delete(A).where(A.c.seq > 6 - removed))
    found = audit.verify()
    assert (found.ok, found.first_broken) == (False, 7 - removed)
    assert f"holds {6 - removed} entries, its head counts 6" in found.problem


def test_entries_in_another_order_are_found(database: Database) -> None:
    audit = _filled(database)
    with database.begin() as connection:
        for old, new in ((3, 100), (4, 3), (100, 4)):
            connection.execute(update(A).where(A.c.seq == old).values(seq=new))
    assert audit.verify().first_broken == 3


def test_an_entry_added_behind_the_heads_back_is_found(database: Database) -> None:
    audit = _filled(database)
    with database.begin() as connection:
        last = connection.execute(select(A).where(A.c.seq == 6)).mappings().one()
        row = {**last, "seq": 7, "previous": last["hash"]}
        row["hash"] = _hash(**{k: v for k, v in row.items() if k != "hash"})
        connection.execute(A.insert(), row)
    found = audit.verify()
    assert (found.ok, found.first_broken) == (False, 7)


def test_a_log_rewritten_from_end_to_end_is_shown_only_by_an_anchor(database: Database) -> None:
    audit = _filled(database)
    anchor = audit.verify().head
    audit.append(OWNER, "imports.load", {"limit": 7})
    assert audit.verify(anchor).ok  # it has grown since: that is no tampering
    with database.begin() as connection:
        previous = START
        for seq in range(1, 8):
            previous = _rewrite(connection, seq, operation="imports.other", previous=previous)
        connection.execute(update(tables.audit_head).values(hash=previous))
    assert audit.verify().ok  # what the chain alone cannot show
    found = audit.verify(anchor)
    assert (found.ok, found.problem) == (False, "no entry has the anchor's hash: it was rewritten")
    with pytest.raises(BadInput, match="not a head"):
        audit.verify("abc")


def test_a_lost_head_stops_the_log(database: Database) -> None:
    audit = _filled(database)
    with database.begin() as connection:
        connection.execute(delete(tables.audit_head))
    with pytest.raises(Corrupt, match="lost its head"):
        audit.append(OWNER, "imports.load", {})


def test_processes_that_append_at_once_make_one_chain(
    database: Database, url: str, child: Callable[..., Any]
) -> None:
    writers = [child("audit", url, name, "20") for name in ("one", "two")]
    assert [writer.line() for writer in writers] == ["done", "done"]
    found = Audit(database).verify()
    assert (found.ok, found.entries) == (True, 40)


def test_the_log_holds_no_personal_data(database: Database) -> None:
    audit = Audit(database)
    details: dict[str, Any] = {
        "customer_id": "王小明",
        "customer_ids": ["customer one", 13800138000],
        "body": "Call me at 13800138000",
        "path": "/home/ann/orders.csv",
        "traits": {"email": "ann@example.com"},
        "limit": 20,
        "since": "30d",
        "kind": "browser",
        "dry": True,
        "nothing": None,
        "mapping": "wang@example.com",
    }
    audit.append(ANN, "customers.change", details)
    with database.connect() as connection:
        stored = json.dumps([tuple(row)[2:] for row in connection.execute(select(A))])
        names = connection.execute(select(tables.pseudonyms)).all()
    for personal in ("ann", "13800138000", "王小明", "\\u738b", "customer one", "example.com"):
        assert personal not in stored
        assert personal not in repr(names)
    entry = audit.entries().entries[0]
    assert entry.actor == audit.pseudonym("person", "ann@example.com")
    assert entry.details == {
        "customer_id": audit.pseudonym("customer", "王小明"),
        "customer_ids": [
            audit.pseudonym("customer", "customer one"),
            audit.pseudonym("customer", "13800138000"),
        ],
        "body": "(22 characters)",
        "path": "(20 characters)",
        "traits": {"fields": 1},
        "limit": 20,
        "since": "30d",
        "kind": "browser",
        "dry": True,
        "nothing": None,
        "mapping": "(16 characters)",
    }


def test_a_forgotten_customer_cannot_be_linked_and_the_chain_stays_whole(
    database: Database,
) -> None:
    audit = Audit(database)
    audit.append(OWNER, "customers.change", {"customer_id": "ann"})
    audit.append(OWNER, "customers.change", {"customer_id": "bob"})
    before = audit.pseudonym("customer", "ann")
    assert before is not None
    audit.forget("customer", "ann")
    assert audit.verify().ok
    assert audit.pseudonym("customer", "ann") is None
    assert audit.pseudonym("customer", "bob") is not None
    audit.append(OWNER, "customers.change", {"customer_id": "ann"})
    assert audit.pseudonym("customer", "ann") not in (None, before)


def test_a_log_without_an_entry_forgets_as_well(database: Database) -> None:
    audit = Audit(database)
    audit.forget("customer", "ann")
    assert audit.pseudonym("customer", "ann") is None


def test_machines_are_named_and_people_are_not(database: Database) -> None:
    audit = Audit(database)
    for actor in (OWNER, Actor("server", "web"), ANN, Actor("visitor", "v1")):
        audit.append(actor, "keys.create", {})
    actors = [entry.actor for entry in reversed(audit.entries().entries)]
    assert actors[:2] == ["local:owner", "server:web"]
    assert all(actor.startswith("person-") for actor in actors[2:])


def _rewrite(connection: Connection, seq: int, **change: str) -> str:
    row = dict(connection.execute(select(A).where(A.c.seq == seq)).mappings().one()) | change
    row["hash"] = _hash(**{k: v for k, v in row.items() if k != "hash"})
    connection.execute(update(A).where(A.c.seq == seq).values(**row))
    return str(row["hash"])
