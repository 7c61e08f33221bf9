"""Metrics of UCI Online Retail equal plain SQL over its Parquet file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from shopkeeper.core.period import Period
from shopkeeper.core.schema import EVENTS
from shopkeeper.core.settings import Settings
from shopkeeper.metrics import operations
from shopkeeper.metrics.types import Figure
from shopkeeper.shop import Shop

DATA = Path(os.environ.get("SHOPKEEPER_DATA", Path(__file__).parents[3] / "shared" / "data"))
FILE = DATA / "online-retail" / "online_retail.parquet"
pytestmark = pytest.mark.skipif(not FILE.exists(), reason="needs the data set online-retail")

# Time zone UTC keeps the file's local times as they are. Negative quantities without C are stock
# adjustments; negative prices are bad debt and refused.
EVENTS_OF_FILE = """
    SELECT 'r' || row_number() OVER () AS event_id, CAST(CustomerID AS VARCHAR) AS user_id,
        CASE WHEN InvoiceNo LIKE 'C%' THEN 'refund'
             WHEN Quantity < 0 THEN 'stock_adjustment' ELSE 'purchase' END AS name,
        timezone('UTC', InvoiceDate) AS "time", timezone('UTC', InvoiceDate) AS received_at,
        CAST(InvoiceDate AS DATE) AS "day", StockCode AS item_id,
        CAST(abs(Quantity) AS DOUBLE) AS quantity, UnitPrice AS price,
        CASE WHEN name = 'stock_adjustment' THEN 0 ELSE abs(Quantity) * UnitPrice END AS "value",
        InvoiceNo AS order_id, 'file' AS source
    FROM read_parquet(?) WHERE UnitPrice >= 0
"""


@pytest.fixture(scope="module")
def retail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        found = connection.sql(EVENTS_OF_FILE, params=[str(FILE)]).to_arrow_table()
    columns = {name: found[name] for name in EVENTS.names if name in found.column_names}
    folder = tmp_path_factory.mktemp("retail") / "shop"
    with Shop.create(folder, Settings(time_zone="UTC", currency="GBP")) as shop:
        with shop.writer("test") as writer:
            table = found.select(list(columns))
            writer.load("events", table, check_duplicates=False)
            writer.maintain()
        yield shop


def sql(query: str) -> float:
    with duckdb.connect() as connection:
        (value,) = connection.execute(query, [str(FILE)]).fetchone() or (None,)
    return float(value or 0)


def test_totals_equal_plain_sql(retail: Shop) -> None:
    found: dict[str, Figure] = {
        f.metric: f for f in operations.overview(retail, Period("all")).figures
    }
    sale = "FROM read_parquet(?) WHERE InvoiceNo NOT LIKE 'C%' AND Quantity > 0 AND UnitPrice >= 0"
    back = "FROM read_parquet(?) WHERE InvoiceNo LIKE 'C%'"
    truth = {
        "revenue": sql(f"SELECT sum(Quantity * UnitPrice) {sale}"),
        "refunds": sql(f"SELECT -sum(Quantity * UnitPrice) {back}"),
        "orders": sql(f"SELECT count(DISTINCT InvoiceNo) {sale}"),
        "units": sql(f"SELECT sum(Quantity) {sale}"),
        "buyers": sql(f"SELECT count(DISTINCT CustomerID) {sale}"),
        "repeat_rate": sql(
            "SELECT avg(CAST(n > 1 AS INT)) FROM (SELECT count(DISTINCT InvoiceNo) AS n "
            f"{sale} AND CustomerID IS NOT NULL GROUP BY CustomerID)"
        ),
    }
    truth["net_revenue"] = truth["revenue"] - truth["refunds"]
    truth["average_order_value"] = truth["revenue"] / truth["orders"]
    for name, value in truth.items():
        assert getattr(found[name].value, "value", None) == pytest.approx(value, rel=1e-9), name
    assert truth["net_revenue"] == pytest.approx(9_769_872.054)  # all lines but two


def test_months_add_up_to_the_year_and_lines_without_a_customer_are_stated(retail: Shop) -> None:
    (line,) = operations.series(retail, ("revenue",), Period("all"), "month").lines
    months = [getattr(point.value, "value", 0.0) for point in line.points]
    whole = next(f for f in operations.overview(retail, Period("all")).figures)
    assert sum(months) == pytest.approx(getattr(whole.value, "value", None))
    assert len(months) == 13
    buyers = operations.breakdown(retail, "buyers", "source", Period("all")).all
    assert buyers is not None
    assert buyers.coverage is not None
    known = sql(
        "SELECT avg(CAST(CustomerID IS NOT NULL AS INT)) FROM read_parquet(?) "
        "WHERE InvoiceNo NOT LIKE 'C%' AND Quantity > 0 AND UnitPrice >= 0"
    )
    assert buyers.coverage.share == pytest.approx(known)
