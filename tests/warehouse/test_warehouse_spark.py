"""Every shipped query over Sail equals DuckDB's, and what happens when the server fails."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import narwhals as nw
import pyarrow as pa
import pytest
from bench.spark import difference
from tests.stall import accept, event
from tests.warehouse.asked import Twin, cases, disagreements, examples, simulated
from tests.warehouse.cluster import Sail

from shopkeeper.core import discovery
from shopkeeper.core.errors import BadInput, Unavailable, UnknownName
from shopkeeper.core.period import Days
from shopkeeper.core.schema import EVENTS, TABLES
from shopkeeper.core.settings import Settings
from shopkeeper.shop import Shop
from shopkeeper.warehouse.arrow import arrow_schema
from shopkeeper.warehouse.source import Frame, Source

pytestmark = [
    pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning"),
    pytest.mark.filterwarnings("ignore:.*RETRIES_EXCEEDED:UserWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # its client leaves channels to gc
]

_ANALYTICAL = ("metrics", "customers", "recommend", "collect")


@pytest.fixture(scope="module", autouse=True)
def main_module() -> None:
    """Say which file is the main module while pyspark is imported.

    It takes a process whose main module has none, such as a worker of pytest-xdist, for a run of its
    own doctests, and then looks for a whole Spark.
    """
    main = sys.modules["__main__"]
    with pytest.MonkeyPatch.context() as patch:
        if not hasattr(main, "__file__"):
            patch.setattr(main, "__file__", pytest.__file__, raising=False)
        importlib.import_module("pyspark.sql.connect")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return simulated(tmp_path_factory.mktemp("spark"))


@pytest.fixture(scope="module")
def sail() -> Iterator[Sail]:
    server = Sail("local")
    yield server
    server.kill()


@pytest.fixture
def twin(folder: Path, sail: Sail) -> Iterator[Twin]:
    with Twin(folder, sail.url) as opened:
        yield opened


@pytest.mark.parametrize("capability", discovery.capabilities())
def test_every_operation_that_reads_replies_the_same(twin: Twin, capability: str) -> None:
    assert disagreements(twin, examples(twin.duckdb, capability)) == []


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["local", "local-cluster"])
def test_every_metric_dimension_and_cycle_is_the_same(folder: Path, mode: str) -> None:
    server = Sail(mode)
    try:
        with Twin(folder, server.url) as twin:
            asked = cases(twin.duckdb)
            assert len(asked) > 80
            assert disagreements(twin, asked) == []
    finally:
        server.kill()


@pytest.mark.parametrize("name", TABLES)
def test_every_table_has_the_same_rows_and_types(twin: Twin, name: str) -> None:
    def ordered(source: Source) -> Frame:
        frame = _table(name, source)
        plain = [c for c, t in frame.collect_schema().items() if not isinstance(t, nw.Map)]
        return frame.sort(plain, nulls_last=True)

    ours, theirs = twin.query(ordered)
    assert theirs.schema.names == ours.schema.names
    assert [f.type for f in theirs.schema] == [f.type for f in ours.schema]
    assert ours.num_rows > 0
    assert difference(_plain(ours), _plain(theirs)) == ""


def test_the_query_is_done_by_the_server(twin: Twin) -> None:
    seen: list[str] = []

    def noted(source: Source) -> Frame:
        frame = source.daily()
        seen.append(str(frame.implementation))
        return frame.select(nw.len())

    twin.query(noted)
    assert seen == ["duckdb", "pyspark[connect]"]


def test_days_not_rolled_up_and_events_still_in_the_log_count_the_same(twin: Twin) -> None:
    span = twin.duckdb.span()
    assert span is not None
    late = [
        event(10**6 + n, 0, "purchase", f"late{n % 3}", "i1", value=10.0 + n, order_id=f"late{n}")
        | {"day": span.start + timedelta(days=gap)}
        for n, gap in enumerate((3, 4, 9, 40))  # days that are no one range
    ]
    with twin.duckdb.writer("test") as writer:
        writer.load("events", pa.Table.from_pylist(late, schema=arrow_schema(EVENTS)))
    accept(twin.duckdb, event(2 * 10**6, 0, "view_item", "waiting", "i1") | {"day": span.end})
    keys = ("day", "user_id", "anonymous_id", "customer_id")
    for days in (None, Days(span.start, span.start + timedelta(days=9)), Days(span.end, span.end)):

        def rolled(source: Source, days: Days | None = days) -> Frame:
            return source.daily(days).sort(*keys, nulls_last=True)

        ours, theirs = twin.query(rolled, live=True)
        assert difference(_plain(ours), _plain(theirs)) == ""
    waiting = theirs.filter(pa.compute.equal(theirs["customer_id"], "waiting")).to_pylist()
    assert [row["views"] for row in waiting] == [1]


def test_a_table_as_of_another_time_and_a_table_of_the_callers(twin: Twin) -> None:
    born = twin.duckdb.query(lambda s: s.items().select(nw.col("valid_from").max()))
    moment = born["valid_from"][0].as_py()
    for as_of in (moment - timedelta(days=1), moment):

        def then(source: Source, as_of: datetime = as_of) -> Frame:
            return source.items(as_of).select("item_id").sort("item_id")

        ours, theirs = twin.query(then)
        assert ours.to_pylist() == theirs.to_pylist()
    given = pa.table({"day": [date(2024, 2, 29), None], "n": [1, 2]})
    ours, theirs = twin.query(lambda s: s.arrow(given).sort("n"))
    assert ours.to_pylist() == theirs.to_pylist() == given.to_pylist()


def test_an_empty_shop_answers(tmp_path: Path, sail: Sail) -> None:
    Shop.create(tmp_path / "shop").close()
    with Twin(tmp_path / "shop", sail.url) as twin:
        asked = [case for name in _ANALYTICAL for case in examples(twin.duckdb, name)]
        assert disagreements(twin, asked) == []
        for name in TABLES:
            ours, theirs = twin.query(partial(_table, name))
            assert theirs.num_rows == 0
            assert theirs.schema.names == ours.schema.names


def test_queries_run_at_once_over_one_session(twin: Twin) -> None:
    def counted(_: int) -> Any:
        return twin.spark.query(lambda s: s.events().select(nw.len())).column(0)[0].as_py()

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(counted, range(12)))) == 1


def test_a_server_that_dies_is_unavailable_and_used_again_when_it_is_back(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shopkeeper.warehouse.engines.spark._RETRIES", 2)
    server = Sail("local")
    with Twin(folder, server.url) as twin:
        before = _rows(twin.spark)
        server.kill()
        with pytest.raises(Unavailable, match="Spark server") as caught:
            _rows(twin.spark)
        assert "spark_url" in caught.value.hint
        server.start()
        try:
            assert _rows(twin.spark) == before
        finally:
            server.kill()


def test_files_that_maintenance_removed_are_looked_up_anew(tmp_path: Path, sail: Sail) -> None:
    Shop.create(tmp_path / "shop").close()
    with Twin(tmp_path / "shop", sail.url) as twin:
        for n in range(12):
            accept(twin.duckdb, event(n, 0, "view_item", "u1", "i1"))
            with twin.duckdb.writer("test") as writer:
                writer.drain()
        assert _rows(twin.spark) == 12
        held = twin.spark.warehouse.tables["events"]
        stale = held.snapshot()
        with twin.duckdb.writer("test") as writer:
            writer.maintain()
        assert stale is not None
        for file in stale.files:
            Path(file.uri).unlink()  # as a vacuum would, while the reader holds on to its list
        fresh = held._refresh
        calls = []

        def once_stale() -> Any:
            calls.append(1)
            return held._opened if len(calls) == 1 else fresh()

        held._refresh = once_stale  # type: ignore[method-assign]
        assert _rows(twin.spark, "event_id") == 12
        assert len(calls) > 1


def test_a_file_that_is_lost_is_named(tmp_path: Path, sail: Sail) -> None:
    Shop.create(tmp_path / "shop").close()
    with Twin(tmp_path / "shop", sail.url) as twin:
        accept(twin.duckdb, event(1, 0, "view_item", "u1", "i1"))
        with twin.duckdb.writer("test") as writer:
            writer.drain()
        snapshot = twin.spark.warehouse.tables["events"].snapshot()
        assert snapshot is not None
        Path(snapshot.files[0].uri).unlink()
        with pytest.raises(Unavailable, match=Path(snapshot.files[0].uri).name):
            _rows(twin.spark, "event_id")


@pytest.mark.parametrize(
    ("values", "error", "says"),
    [
        ({"engine": "sprak"}, UnknownName, "Did you mean 'spark'"),
        ({"engine": "spark"}, BadInput, "no server is named"),
        ({"engine": "spark", "spark_url": "sc://:x"}, BadInput, "cannot be read"),
    ],
)
def test_an_engine_that_cannot_be_opened_says_why(
    tmp_path: Path, values: Mapping[str, str], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        Shop.create(tmp_path / "shop", Settings.model_validate(values))


def test_without_the_extra_the_error_is_the_pip_command(tmp_path: Path) -> None:
    script = f"""
import sys
sys.modules["pyspark"] = None
from shopkeeper.core.errors import MissingExtra
from shopkeeper.core.settings import Settings
from shopkeeper.shop import Shop
try:
    Shop.create({str(tmp_path / "shop")!r}, Settings(engine="spark", spark_url="sc://127.0.0.1:1"))
except MissingExtra as error:
    print(error.hint)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "Run: pip install 'shopkeeper[spark]'"


def _table(name: str, source: Source) -> Frame:
    frame: Frame = getattr(source, name)()
    return frame


def _rows(shop: Shop, column: str = "day") -> int:
    return len(shop.query(lambda s: s.events().select(column)))


def _plain(table: pa.Table) -> list[dict[str, Any]]:
    """Rows whose maps have their keys in order."""
    rows: list[dict[str, Any]] = table.to_pylist()
    return [
        {k: dict(sorted(v)) if isinstance(v, list) else v for k, v in row.items()} for row in rows
    ]
