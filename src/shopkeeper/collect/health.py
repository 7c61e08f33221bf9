"""How far the data can be trusted: what was counted, and what follows from it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import narwhals as nw
import pyarrow as pa
import pyarrow.compute as pc

from shopkeeper.collect import keep
from shopkeeper.collect.findings import Counted, findings
from shopkeeper.collect.gaps import Gaps, gaps
from shopkeeper.collect.types import Health, TableCount
from shopkeeper.core import events
from shopkeeper.core.schema import TABLES

if TYPE_CHECKING:
    from shopkeeper.shop.shop import Shop
    from shopkeeper.warehouse.source import Frame, Source

_ABOUT_ITEMS = (events.VIEW_ITEM, events.ADD_TO_CART, events.PURCHASE, events.REFUND)
_LIVE = "key:"
_DELAY_DAYS = 7
_IMPORTS = 100
_WAITING = 10_000
_SAMPLE = 10_000


def examine(shop: Shop) -> Health:
    """The health of the shop's data as of now."""
    daily = _rows(shop, _by_day)
    per_day: dict[date, int] = {row["day"]: row["rows"] for row in daily}
    total = sum(per_day.values())
    found = gaps(per_day)
    counted = _counted(shop, total, found)
    last = next(iter(shop.imports.list(1)), None)
    return Health(
        as_of=shop.now(),
        counts=tuple(TableCount(table=name, rows=rows) for name, rows in counted.tables.items()),
        first_day=found.first,
        last_day=found.last,
        days=len(per_day),
        days_without_events=tuple(found.missing[:60]),
        without_customer=counted.without_customer,
        without_item=counted.without_item,
        unknown_items=counted.unknown_items,
        refused_waiting=counted.refused_waiting,
        waiting_in_log=counted.waiting_in_log,
        median_delay_s=counted.median_delay_s,
        currencies=counted.currencies,
        last_import=None if last is None else keep.line_of(last),
        findings=findings(counted),
    )


def _counted(shop: Shop, total: int, found: Gaps) -> Counted:
    facts = _rows(shop, _facts)[0] if total else {}
    about = facts.get("about_items") or 0
    moved = shop.warehouse.tables["events"].position("intake")
    currencies = {str(row["currency"]): row["rows"] for row in _rows(shop, _currencies)}
    return Counted(
        today=shop.now().astimezone(shop.settings.zone).date(),
        currency=shop.settings.currency,
        tables=_tables(shop),
        gaps=found,
        events=total,
        without_customer=facts["no_customer"] / total if total else None,
        without_item=facts["no_item"] / about if about else None,
        purchases=facts.get("purchases") or 0,
        unvalued=facts.get("unvalued") or 0,
        unknown_items=_rows(shop, _unknown_items)[0]["rows"],
        repeated=_rows(shop, _repeated)[0]["rows"] or 0,
        currencies=currencies,
        refused_waiting=_refused_waiting(shop),
        unfinished=sum(r.status in ("running", "failed") for r in shop.imports.list(_IMPORTS)),
        waiting_in_log=max(0, shop.log.last() - moved),
        median_delay_s=_delay(shop),
    )


def _rows(shop: Shop, build: Callable[[Source], Frame]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = shop.query(build).to_pylist()
    return rows


def _by_day(source: Source) -> Frame:
    return source.events().group_by("day").agg(rows=nw.len()).sort("day")


def _facts(source: Source) -> Frame:
    about = nw.col("name").is_in(_ABOUT_ITEMS)
    bought = nw.col("name") == events.PURCHASE
    return source.events().select(
        no_customer=nw.col("customer_id").is_null().cast(nw.Int64).sum(),
        about_items=about.cast(nw.Int64).sum(),
        no_item=(about & nw.col("item_id").is_null()).cast(nw.Int64).sum(),
        purchases=bought.cast(nw.Int64).sum(),
        unvalued=(bought & nw.col("value").is_null()).cast(nw.Int64).sum(),
    )


def _currencies(source: Source) -> Frame:
    priced = source.events().filter(~nw.col("currency").is_null())
    return priced.group_by("currency").agg(rows=nw.len()).sort("currency")


def _unknown_items(source: Source) -> Frame:
    sent = source.events().filter(~nw.col("item_id").is_null()).select("item_id").unique()
    return sent.join(source.items().select("item_id"), on="item_id", how="anti").select(
        rows=nw.len()
    )


def _repeated(source: Source) -> Frame:
    """Orders' lines that say exactly what another line of the same order says."""
    keys = ["order_id", "customer_id", "item_id", "quantity", "value", "time_ms"]
    lines = source.events().filter(nw.col("name") == events.PURCHASE)
    counted = lines.filter(~nw.col("order_id").is_null()).group_by(keys).agg(rows=nw.len())
    return counted.select(rows=(nw.col("rows") - 1).sum())


def _delay(shop: Shop) -> float | None:
    """Median seconds from event to acceptance of last week's live events."""
    since = shop.now() - timedelta(days=_DELAY_DAYS)

    def build(source: Source) -> Frame:
        live = source.events().filter(
            nw.col("source").str.starts_with(_LIVE), nw.col("received_at") >= nw.lit(since)
        )
        latest = live.select("received_at", "time").sort("received_at", descending=True)
        return latest.head(_SAMPLE)

    found = shop.query(build)
    if not found.num_rows:
        return None
    # Engines differ in arithmetic on durations, so the subtraction is done here.
    late = pc.subtract(found["received_at"].cast(pa.int64()), found["time"].cast(pa.int64()))
    return float(pc.quantile(late, 0.5)[0].as_py()) / 1e6


def _tables(shop: Shop) -> dict[str, int]:
    counts: dict[str, int] = {}
    for name in TABLES:
        if name == "daily":
            continue

        def build(source: Source, name: str = name) -> Frame:
            frame: Frame = getattr(source, name)()
            return frame.select(rows=nw.len())

        counts[name] = _rows(shop, build)[0]["rows"]
    return counts


def _refused_waiting(shop: Shop) -> int:
    waiting = 0
    for row in shop.imports.list(_IMPORTS):
        if row.refused:
            waiting += len(shop.imports.refused(row.import_id, limit=_WAITING, waiting_only=True))
    return waiting
