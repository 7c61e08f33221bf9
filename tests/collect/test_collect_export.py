from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from tests.collect.conftest import SALES

from shopkeeper.collect import operations as collect
from shopkeeper.core.errors import BadInput, Conflict, UnknownName
from shopkeeper.core.operation import Context
from shopkeeper.core.schema import TABLES
from shopkeeper.shop import Shop
from shopkeeper.warehouse.arrow import arrow_schema


@pytest.fixture
def filled(shop: Shop, tmp_path: Path) -> Shop:
    rows = ["u1,2026-01-05 10:00:00,tea,2,9.5", ",2026-01-06 10:00:00,tea,1,9.5",
            "u2,2026-03-06 10:00:00,cup,1,4"]  # fmt: skip
    (tmp_path / "s.csv").write_text("user,at,item,n,price\n" + "\n".join(rows) + "\n", "utf-8")
    (tmp_path / "m.toml").write_text(SALES, "utf-8")
    collect.import_file(shop, str(tmp_path / "s.csv"), str(tmp_path / "m.toml"))
    shop.catalogue.upsert_items(
        [{"item_id": "tea", "category": "Tea > Green > Leaf", "price": 9.5, "title": "+cmd|' /C'!A1"},
         {"item_id": "cup"}]
    )  # fmt: skip
    shop.people.upsert([{"customer_id": "u1", "country": "CN"}, {"customer_id": "u2"}])
    with shop.writer("test") as writer:
        writer.snapshot()
    return shop


def read(shop: Shop, folder: str, name: str) -> list[dict[str, Any]]:
    with (shop.folder / folder / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_personalize_is_given_three_csvs_with_their_schemas(filled: Shop) -> None:
    done = collect.export(filled, "personalize", "p1")
    assert {f.name: f.rows for f in done.files if f.name.endswith(".csv")} == {
        "interactions.csv": 2, "items.csv": 2, "users.csv": 2,
    }  # fmt: skip
    rows = read(filled, done.folder, "interactions.csv")
    assert rows[0] == {"USER_ID": "u1", "ITEM_ID": "tea", "TIMESTAMP": "1767578400",
                       "EVENT_TYPE": "Purchase", "EVENT_VALUE": "19"}  # fmt: skip
    items = {row["ITEM_ID"]: row for row in read(filled, done.folder, "items.csv")}
    assert [items["tea"][f"CATEGORY_L{n}"] for n in (1, 2, 3)] == ["Tea", "Green", "Leaf"]
    assert items["tea"]["PRODUCT_DESCRIPTION"].startswith("'+cmd")
    assert {row["USER_ID"]: row["COUNTRY"] for row in read(filled, done.folder, "users.csv")} == {
        "u1": "CN", "u2": "",
    }  # fmt: skip
    schema = json.loads((filled.folder / done.folder / "interactions.avsc").read_text("utf-8"))
    assert [field["name"] for field in schema["fields"]] == list(rows[0])
    assert {(filled.folder / done.folder / f.name).stat().st_mode & 0o777 for f in done.files} == {
        0o600
    }


def test_what_personalize_was_given_can_be_imported_again(filled: Shop, tmp_path: Path) -> None:
    done = collect.export(filled, "personalize")
    with Shop.create(tmp_path / "other", filled.settings) as other:
        for name in ("interactions.csv", "items.csv", "users.csv"):
            path = str(filled.folder / done.folder / name)
            assert collect.import_file(other, path, importer="personalize").new == 2
        assert other.catalogue.item("tea")["price"] == 9.5


def test_parquet_holds_every_row_of_every_table(filled: Shop) -> None:
    done = collect.export(filled, "parquet", "all")
    assert {f.name: f.rows for f in done.files} == {
        "events.parquet": 3, "texts.parquet": 0, "traits.parquet": 0, "items.parquet": 2,
        "facts.parquet": 0, "customers.parquet": 2,
    }  # fmt: skip
    for file in done.files:
        table = pq.read_table(filled.folder / done.folder / file.name)
        assert table.schema == arrow_schema(TABLES[file.name.removesuffix(".parquet")])
        assert table.num_rows == file.rows
    kept = pq.read_table(filled.folder / done.folder / "events.parquet").sort_by("time")
    stored = filled.query(lambda s: s.events().select(*TABLES["events"].names).sort("time"))
    assert kept.to_pylist() == stored.to_pylist()


def test_an_export_appears_whole_or_not_at_all(filled: Shop) -> None:
    collect.export(filled, "parquet", "all")
    with pytest.raises(Conflict, match="an export named"):
        collect.export(filled, "parquet", "all")

    def stop(done: float, total: float | None, message: str) -> None:
        if "items" in message:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        collect.export(Context(filled, progress=stop), "parquet", "half")
    assert [path.name for path in (filled.folder / "exports").iterdir()] == ["all"]


@pytest.mark.parametrize("name", ["../up", "/tmp/x", ".hidden", "a/b", "a b", "x" * 65, "a\x00"])
def test_a_name_that_leads_elsewhere_is_refused(shop: Shop, name: str) -> None:
    with pytest.raises(BadInput, match="no name for an export"):
        collect.export(shop, "parquet", name)
    with pytest.raises(UnknownName, match="kind of export"):
        collect.export(shop, "parquets")
