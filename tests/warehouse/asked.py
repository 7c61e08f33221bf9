"""The same questions to one shop over two engines."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import narwhals as nw
import pyarrow as pa
from bench.spark import difference

from shopkeeper.core import discovery, settings
from shopkeeper.core.errors import BadInput, NotFound
from shopkeeper.core.operation import READ, Context, Operation, of
from shopkeeper.core.schema import DECISIONS, MEMBERSHIPS, READINGS, SCORES, TRAITS
from shopkeeper.core.settings import Settings
from shopkeeper.metrics.definitions import METRICS
from shopkeeper.metrics.dimensions import NAMES
from shopkeeper.shop import Shop
from shopkeeper.simulate.operations import build
from shopkeeper.warehouse.arrow import arrow_schema
from shopkeeper.warehouse.source import Frame, Source

Case = tuple[Operation[Any, Any], dict[str, Any]]

_SCENARIO = """
first_day = 2024-07-01
days = 60
customers = 500
events = 12000
languages = { zh = 0.7, en = 0.3 }
"""
_FRESH = {"file", "bytes", "decision_id"}  # random names, and rows of a file in any order
_MAPS = {"traits.NAME": "traits.city", "properties.NAME": "properties.device"}


def _now() -> datetime:
    return datetime(2024, 8, 30, 3, tzinfo=UTC)  # one clock: replies say when they were made


class Twin:
    """One shop's folder, opened twice: its settings differ in the engine alone."""

    def __init__(self, folder: Path, url: str) -> None:
        known = settings.load(folder)
        remote = known.model_copy(update={"engine": "spark", "spark_url": url})
        self.duckdb = Shop(folder, known, now=_now)
        self.spark = Shop(folder, remote, now=_now)

    def query(
        self, build: Callable[[Source], Frame], *, live: bool = False
    ) -> tuple[pa.Table, pa.Table]:
        return self.duckdb.query(build, live=live), self.spark.query(build, live=live)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.duckdb.close()
        self.spark.close()


def simulated(folder: Path) -> Path:
    """The folder of a shop of two months, some 12,000 events."""
    scenario = folder / "scenario.toml"
    scenario.write_text(_SCENARIO, "utf-8")
    there = Settings(name="Twin", time_zone="Asia/Shanghai", currency="CNY")
    with Shop.create(folder / "shop", there) as shop:
        build(shop, str(scenario), 7)
        _share_a_device(shop)
        _tell_traits(shop)
        _tell_readings(shop)
        _tell_choices(shop)
    return folder / "shop"


def _share_a_device(shop: Shop) -> None:
    """The visitor with most events is one customer's at first, another's from the middle on."""
    visitor = nw.col("anonymous_id")
    seen = shop.query(
        lambda s: (
            s.events()
            .filter(~visitor.is_null(), nw.col("user_id").is_null())
            .group_by("anonymous_id")
            .agg(nw.len().alias("events"), nw.col("time_ms").median().alias("middle"))
            .sort("events", "anonymous_id", descending=True)
            .head(1)
        )
    ).to_pylist()[0]
    since = datetime.fromtimestamp(seen["middle"] / 1000, UTC)
    shop.people.identify(seen["anonymous_id"], "first", "test", since - timedelta(days=90))
    shop.people.identify(seen["anonymous_id"], "second", "test", since)
    with shop.writer("test") as writer:
        writer.snapshot()


def _tell_traits(shop: Shop) -> None:
    rows = [
        {
            "customer_id": f"c{n % 7}",
            "name": name,
            "value": f"{n}",
            "time": _now(),
            "source": "test",
        }
        for n, name in enumerate(("city", "plan", "size") * 7)
    ]
    with shop.writer("test") as writer:
        writer.load("traits", pa.Table.from_pylist(rows, schema=arrow_schema(TRAITS)))


def _tell_readings(shop: Shop) -> None:
    texts = shop.query(lambda s: s.texts().select("text_id", "day").sort("text_id").head(50))
    told = {"position": 0, "answered_by": "test", "model_version": "1", "time": _now()}
    rows = [
        {**row, **told, "task": "sentiment", "label": "positive", "value": 1.0}
        for row in texts.to_pylist()
    ]
    with shop.writer("test") as writer:
        writer.load("readings", pa.Table.from_pylist(rows, schema=arrow_schema(READINGS)))


def _tell_choices(shop: Shop) -> None:
    whom = {"customer_id": "c1", "valid_from": _now(), "valid_to": None, "reasons": "[]"}
    member = {**whom, "segment": "S1", "version": 1}
    score = {**whom, "prediction": "churn_30", "value": 0.5, "low": 0.4, "high": 0.6}
    decision = {"decision_id": "d1", "position": 0, "day": _now().date(), "time": _now()}
    decision |= {"customer_id": "c1", "kind": "recommend", "chosen": "i1", "propensity": 0.5}
    decision |= {"candidates": {"i1": "0.5"}, "policy": "p1", "rules": "[]", "personalised": True}
    with shop.writer("test") as writer:
        for table, row in (
            (MEMBERSHIPS, member),
            (SCORES, {**score, "model_version": "1"}),
            (DECISIONS, decision),
        ):
            writer.load(table.name, pa.Table.from_pylist([row], schema=arrow_schema(table)))


def examples(shop: Shop, capability: str) -> list[Case]:
    """Every operation of the capability that reads, with its example."""
    known = {"customer_id": _first(shop, "customer_id"), "item_id": _first(shop, "item_id")}
    found: list[Case] = []
    for one in of(capability).values():
        if one.effect == READ:
            real = {k: v for k, v in known.items() if v and k in one.example}
            found.append((one, one.example | real))
    return found


def cases(shop: Shop) -> list[Case]:
    """The examples of all capabilities; and all metrics, dimensions and cycles."""
    found = [case for name in discovery.capabilities() for case in examples(shop, name)]
    metrics = of("metrics")
    since = {"since": "30d"}
    for name in METRICS:
        found.append((metrics["rows"], {"metric": name, "size": 40, "page": 2, **since}))
        found.append((metrics["series"], {"metrics": [name], "cycle": "week", **since}))
    for name in NAMES:
        by = _MAPS.get(name, name)
        metric = ("revenue", "orders", "buyers")[len(found) % 3]
        found.append((metrics["breakdown"], {"metric": metric, "by": by, "k": 3, **since}))
    grouped = {"metrics": ["revenue"], "by": "department", "k": 2}
    found += [(metrics["series"], grouped | {"cycle": cycle}) for cycle in ("day", "week", "month")]
    found.append((metrics["retention"], {"cycle": "week", "start": "activity"}))
    found.append((metrics["overview"], {"since": "all"}))
    found.append((metrics["funnel"], {"since": "all"}))
    return found


def disagreements(twin: Twin, asked: Sequence[Case]) -> list[str]:
    """Which questions the two engines answer differently, and where."""
    found = []
    for one, arguments in asked:
        ours, theirs = (_reply(shop, one, arguments) for shop in (twin.duckdb, twin.spark))
        if where := difference(ours, theirs):
            found.append(f"{one.full_name} {arguments}: {where}")
    return found


def _reply(shop: Shop, one: Operation[Any, Any], arguments: Mapping[str, Any]) -> Any:
    try:
        reply = one.run(Context(shop), arguments).model_dump(mode="json")
        return {field: value for field, value in reply.items() if field not in _FRESH}
    except BadInput as error:
        return error.to_json()  # a metric that has no meaning so
    except NotFound as error:
        return error.to_json()  # an example's id that this shop has not


def _first(shop: Shop, column: str) -> Any:
    bought = nw.col("name") == "purchase"
    known = shop.query(
        lambda s: (
            s.events()
            .filter(bought, ~nw.col(column).is_null())
            .select(nw.col(column).min().alias("first"))
        )
    )
    return known["first"][0].as_py()
