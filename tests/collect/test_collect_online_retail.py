"""The real file: every row accounted for, totals equal to plain SQL over the Parquet file."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import narwhals as nw
import pytest

from shopkeeper.collect import operations as collect
from shopkeeper.collect.types import Receipt
from shopkeeper.core.settings import Settings
from shopkeeper.shop import Shop

DATA = Path(os.environ.get("SHOPKEEPER_DATA", Path(__file__).parents[3] / "shared/data"))
FILE = DATA / "online-retail" / "online_retail.parquet"
BEAUTY = DATA / "amazon-beauty"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Shop, Receipt]]:
    if not FILE.exists():
        pytest.skip("the set online-retail is absent")
    settings = Settings(name="Online Retail", time_zone="Europe/London", currency="GBP")
    with Shop.create(tmp_path_factory.mktemp("retail") / "shop", settings) as shop:
        yield shop, collect.import_file(shop, str(FILE), mapping="online-retail")


def plain(query: str) -> dict[str, Any]:
    with duckdb.connect() as connection:
        relation = connection.sql(query.replace("FILE", f"read_parquet('{FILE}')"))
        row: dict[str, Any] = relation.to_arrow_table().to_pylist()[0]
        return row


def close(a: float, b: float) -> bool:
    return math.isclose(a, b, rel_tol=1e-12, abs_tol=1e-4)


def test_every_row_is_accounted_for(imported: tuple[Shop, Receipt]) -> None:
    _, receipt = imported
    told = plain("SELECT count(*) AS n, count(*) FILTER (UnitPrice < 0) AS bad FROM FILE")
    assert receipt.rows_read == told["n"] == 541_909
    assert receipt.refused == told["bad"] == 2
    assert receipt.new == 541_907
    assert any("5268 rows are word for word" in note for note in receipt.notes)


CASES = {
    "purchase": "NOT starts_with(InvoiceNo, 'C') AND Quantity >= 0 AND UnitPrice >= 0",
    "refund": "starts_with(InvoiceNo, 'C')",
    "stock_adjustment": "NOT starts_with(InvoiceNo, 'C') AND Quantity < 0",
    "refused": "UnitPrice < 0",
}


@pytest.mark.parametrize("outcome", sorted(CASES))
def test_the_money_of_each_outcome_is_that_of_plain_sql(
    imported: tuple[Shop, Receipt], outcome: str
) -> None:
    line = next(m for m in imported[1].money if m.outcome == outcome)
    told = plain(
        "SELECT count(*) AS rows, sum(Quantity * UnitPrice) AS value, "
        "count(*) FILTER (CustomerID IS NULL) AS nobody, "
        "coalesce(sum(abs(Quantity) * UnitPrice) FILTER (CustomerID IS NULL), 0) AS nobody_value "
        f"FROM FILE WHERE {CASES[outcome]}"
    )
    assert line.rows == told["rows"]
    assert close(line.file_value, told["value"])
    if outcome != "refused":
        assert line.without_customer == told["nobody"]
        assert close(line.without_customer_value, told["nobody_value"])
        assert close(line.value, abs(told["value"]))


def test_the_outcomes_sum_to_the_file(imported: tuple[Shop, Receipt]) -> None:
    _, receipt = imported
    told = plain("SELECT count(*) AS n, sum(Quantity * UnitPrice) AS total FROM FILE")
    assert sum(line.rows for line in receipt.money) == told["n"]
    assert close(sum(line.file_value for line in receipt.money), told["total"])


def test_the_tables_hold_what_the_receipt_says(imported: tuple[Shop, Receipt]) -> None:
    shop, receipt = imported
    rows = shop.query(
        lambda s: s.events().group_by("name").agg(rows=nw.len(), value=nw.col("value").sum())
    ).to_pylist()
    money = {m.outcome: m for m in receipt.money}
    for row in rows:
        assert row["rows"] == money[row["name"]].rows
        assert close(row["value"], money[row["name"]].value)
    told = plain(
        "SELECT count(DISTINCT StockCode) AS items, count(DISTINCT CustomerID) AS customers, "
        "min(InvoiceDate)::DATE AS first, max(InvoiceDate)::DATE AS last FROM FILE"
    )
    assert receipt.loaded["items"] == told["items"]
    assert receipt.loaded["customers"] == told["customers"]
    assert (receipt.first_day, receipt.last_day) == (told["first"], told["last"])


def test_a_second_import_adds_nothing(imported: tuple[Shop, Receipt]) -> None:
    again = collect.import_file(imported[0], str(FILE), mapping="online-retail")
    assert (again.new, again.duplicate, again.refused) == (0, 541_907, 2)


def test_health_says_what_the_file_is_like(imported: tuple[Shop, Receipt]) -> None:
    health = collect.health(imported[0])
    codes = {finding.code for finding in health.findings}
    assert {"without_customer", "repeated_lines", "refused_rows", "stale"} <= codes
    assert health.without_customer == pytest.approx(135_080 / 541_909, abs=1e-5)
    assert health.unknown_items == 0


def test_the_sequences_and_items_of_amazon_beauty_are_read_whole(tmp_path: Path) -> None:
    if not BEAUTY.exists():
        pytest.skip("the set amazon-beauty is absent")
    with Shop.create(tmp_path / "shop", Settings()) as shop:
        events = collect.import_file(shop, str(BEAUTY / "sequences.txt"), mapping="sequences")
        items = collect.import_file(shop, str(BEAUTY / "items.csv"), mapping="amazon-items")
        assert (events.new, events.refused) == (198_502, 0)
        assert (items.new, items.refused) == (12_101, 0)
        assert collect.health(shop).unknown_items == 0
        rows = shop.query(
            lambda s: s.events().filter(nw.col("user_id") == "4").sort("time").select("item_id")
        )
        line = (BEAUTY / "sequences.txt").read_text().splitlines()[3]
        assert rows["item_id"].to_pylist() == line.split()[1:]
