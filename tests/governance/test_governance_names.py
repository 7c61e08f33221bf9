"""Names: too short or too common to be looked for inside texts, so fields that stand for a person."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from openpyxl import Workbook  # type: ignore[import-untyped]
from tests.governance.conftest import BOB, NOW, World
from tests.governance.test_governance_erase import confirmed

from shopkeeper.core.subject import Needles, Subject
from shopkeeper.governance.operations import verify_erasure
from shopkeeper.shop.personal import naming
from shopkeeper.store.imports import Receipt, Refusal

LI, NAME = "customer-li-2222", "李娜"


@pytest.fixture
def named(world: World) -> World:
    """A customer called by two characters, whose name also stands where it is a word."""
    world.send(8, "identify", userId=LI, traits={"name": NAME, "nickname": "Jasmine"})
    for receiver, item in ((NAME, "p1"), ("Jasmine", "p2"), (BOB, "Jasmine")):
        world.send(
            6, userId=BOB, event="Product Viewed",
            properties={"product_id": item, "receiver": receiver, "taste": "Jasmine"},
        )  # fmt: skip
    world.send(5, userId=BOB, event="Products Searched", properties={"query": NAME})
    world.send(
        4, userId=BOB, event="Product Reviewed",
        properties={"product_id": "tea", "review_body": f"Jasmine tea, a gift for {NAME}"},
    )  # fmt: skip
    world.move()
    world.send(1, userId=BOB, event="Product Viewed", properties={"receiver": NAME})
    world.shop.imports.save(Receipt("imp-2", "table", "people.csv", NOW))
    raw = [{"姓名": NAME, "price": "x"}, {"姓名": "other", "note": NAME}]
    rows = [Refusal(n, "price", "no price", "fix", row) for n, row in enumerate(raw)]
    world.shop.imports.refuse("imp-2", rows)
    return world


def test_a_short_name_goes_from_fields_that_name_people_and_stays_a_word_elsewhere(
    named: World,
) -> None:
    shop = named.shop
    before = {one.where for one in verify_erasure(shop, [LI]).found}
    assert {"tables/events: rows", "store: refused.raw", "store: log.payload"} <= before
    certificate = confirmed(shop, LI)
    assert certificate.clean
    assert certificate.searched_as_whole_values == 2
    assert "tables/events: rows of others cleaned" in {one.where for one in certificate.removed}
    events = [e for e in named.events() if e["customer_id"] == BOB]
    told = [dict(e["properties"] or ()) for e in events]
    assert [t["receiver"] for t in told if "receiver" in t].count("[erased]") == 3
    assert sum(t.get("taste") == "Jasmine" for t in told) == 3  # a taste is nobody
    assert "Jasmine" in {e["item_id"] for e in events}
    assert NAME not in {e["query"] for e in events}
    bodies = shop.query(lambda s: s.texts())["body"].to_pylist()
    assert f"Jasmine tea, a gift for {NAME}" in bodies  # inside a text only telling words go
    left = [row.raw for row in shop.imports.refused("imp-2")]
    assert {"姓名": "other", "note": NAME} in left
    assert {"姓名": NAME, "price": "x"} not in left


def test_a_name_that_others_bear_is_told_and_left_to_them(world: World) -> None:
    world.send(8, "identify", userId=LI, traits={"name": NAME})
    world.send(8, "identify", userId=BOB, traits={"name": NAME})
    world.move()
    certificate = confirmed(world.shop, LI)
    assert certificate.clean
    assert any(note.startswith("1 names") for note in certificate.notes)
    assert world.shop.people.get(BOB).traits["name"] == NAME


def _csv(path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["姓名", "note"], [NAME, "x"], ["other", NAME]])


def _jsonl(path: Path) -> None:
    rows = [{"name": NAME}, {"note": NAME}, {"deep": [{"Recipient": NAME}]}]
    path.write_text("\n".join(json.dumps(row, ensure_ascii=n > 0) for n, row in enumerate(rows)))


def _parquet(path: Path) -> None:
    known = pa.array([[("name", "x")], [("receiver", NAME)]], pa.map_(pa.string(), pa.string()))
    table = pa.table({"Full_Name": [NAME, "other"], "note": [NAME, NAME], "more": known})
    pq.write_table(table, path)


def _xlsx(path: Path) -> None:
    book = Workbook()
    assert book.active is not None
    for row in (["姓名"], [NAME], ["other"]):
        book.active.append(row)
    book.save(path)


@pytest.mark.parametrize(
    ("write", "name", "places"),
    [(_csv, "a.csv", 1), (_jsonl, "a.jsonl", 2), (_parquet, "a.parquet", 2), (_xlsx, "a.xlsx", 1)],
    ids=["csv", "jsonl", "parquet", "xlsx"],
)
def test_names_are_found_in_the_fields_of_files(
    write: object, name: str, places: int, tmp_path: Path
) -> None:
    assert callable(write)
    write(tmp_path / name)
    needles = Needles.of(Subject(LI, "p", (), names=(NAME,)))
    assert naming(tmp_path / name, needles) == places
    assert naming(tmp_path / name, Needles.of(Subject(LI, "p", (), names=("李",)))) == 0


def test_rows_of_files_that_name_them_go_and_the_others_stay(named: World) -> None:
    folder = named.shop.folder / "inbox"
    _csv(folder / "people.csv")
    _jsonl(folder / "people.jsonl")
    _parquet(folder / "people.parquet")
    assert confirmed(named.shop, LI).clean
    assert (folder / "people.csv").read_text("utf-8").splitlines() == ["姓名,note", f"other,{NAME}"]
    assert json.loads((folder / "people.jsonl").read_text()) == {"note": NAME}
    assert pq.read_table(folder / "people.parquet").num_rows == 0  # both rows named her


def test_an_id_that_stands_inside_the_ids_of_others_takes_nothing_of_theirs(world: World) -> None:
    one, other, device = "shopper-1234", "shopper-12345", "shopper-1234-laptop"
    for who in (one, other):
        world.send(8, "identify", userId=who, traits={"city": f"{who}-town"})
        world.send(
            6, userId=who, event="Product Viewed",
            properties={"product_id": "p1", "friend": other, "session_id": f"{other}-1"},
        )  # fmt: skip
    world.send(5, anonymousId=device, event="Product Viewed", properties={"product_id": "p2"})
    world.move()
    world.send(1, userId=other, event="Product Viewed", properties={"product_id": "p3"})
    before = [e for e in world.events() if e["customer_id"] in (other, device)]
    certificate = confirmed(world.shop, one)
    assert certificate.clean
    assert certificate.searched_as_whole_values == 1
    after = {e["event_id"]: e for e in world.events() if e["customer_id"] in (other, device)}
    assert [after[e["event_id"]] for e in before] == before
    assert (len(before), len(after)) == (2, 3)  # the one that waited in the log is there as well
    assert world.shop.people.get(other).traits["city"] == f"{other}-town"
    assert not any(e["customer_id"] == one for e in world.events())
    assert verify_erasure(world.shop, [one]).clean
    assert not verify_erasure(world.shop, [other]).clean
