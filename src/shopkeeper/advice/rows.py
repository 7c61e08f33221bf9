"""The rows behind a line of evidence, read from the tables as they are now."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any, Final

import narwhals as nw
import pyarrow as pa
import pyarrow.compute as pc

from shopkeeper.advice.showing import lines
from shopkeeper.advice.types import Opens, RowsBehind
from shopkeeper.core.errors import NotAllowed, NotFound
from shopkeeper.core.events import PURCHASE
from shopkeeper.core.operation import READ, Context
from shopkeeper.core.period import Days
from shopkeeper.core.settings import Language
from shopkeeper.customers.segmenting.compiling import Plan
from shopkeeper.customers.segmenting.library import library
from shopkeeper.customers.segmenting.parsing import from_json
from shopkeeper.customers.traits.families.opinions import said
from shopkeeper.customers.traits.scene import Scene
from shopkeeper.shop.shop import Shop
from shopkeeper.store.suggestions import Suggestion, Suggestions
from shopkeeper.warehouse.source import Frame, Source

_NEEDS: Final = {
    "customers": "customers",
    "scores": "customers",
    "orders": "metrics",
    "events": "metrics",
    "texts": "insight",
    "items": "metrics",
}
"""Whose data the rows are: who asks needs the right to read them."""

_EVENT: Final = ("time", "name", "customer_id", "item_id", "quantity", "value", "order_id")
_ITEM: Final = ("item_id", "title", "category", "price", "stock", "valid_from", "valid_to")
_MEMBER: Final = ("customer_id", "orders", "revenue", "days_since_order", "days_since_seen")


def rows(
    ctx: Context, suggestion_id: str, number: int, page: tuple[int, int], lang: Language
) -> RowsBehind:
    """See the operation of this name."""
    kept = Suggestions(ctx.shop.database).get(suggestion_id)
    told = lines(kept, lang)
    if not 1 <= number <= len(told):
        raise NotFound(
            f"{suggestion_id} has no line {number}.",
            hint=f"It has lines 1 to {len(told)}.",
            field="line",
        )
    one = told[number - 1]
    opens = one.opens
    if opens is None:
        raise NotFound(f"No rows are behind line {number}.", field="line")
    need = _NEEDS[opens.what]
    if not ctx.actor.may(need, READ):
        raise NotAllowed(
            f"{ctx.actor.name} may not see rows of {need}.",
            hint=f"Ask the owner for the scope {need}:read.",
        )
    table = _READERS[opens.what](ctx.shop, kept, opens)
    offset, limit = page
    shown = table.slice(offset, limit).to_pylist()
    return RowsBehind(
        suggestion_id=suggestion_id,
        line=number,
        text=one.text,
        columns=tuple(table.column_names),
        rows=tuple(tuple(row.values()) for row in shown),
        total=table.num_rows,
    )


def _days(opens: Opens, as_of: date) -> Days:
    return Days(opens.first_day or date.min, opens.last_day or as_of)


def _customers(shop: Shop, kept: Suggestion, opens: Opens) -> pa.Table:
    """Who is meant; with days: who was in that place before them, and whether they bought since."""
    as_of = date.fromisoformat(kept.body["as_of"])
    zone = shop.settings.zone
    plan = Plan.of({"": from_json(kept.body["tree"])}, library(shop).lists)
    day = opens.first_day - timedelta(days=1) if opens.first_day else as_of
    table = shop.query(lambda source: plan.frame(Scene(source, day, zone), also=_MEMBER))
    mine = table.filter(pa.array(plan.members(table)[""])).select(_MEMBER)
    if opens.first_day:
        bought = shop.query(lambda source: _bought(source, _days(opens, as_of)))
        came = pc.is_in(mine["customer_id"], bought["customer_id"].combine_chunks())
        mine = mine.append_column("bought", pc.cast(came, pa.int8()))
    return mine.sort_by([("revenue", "descending"), ("customer_id", "ascending")])


def _bought(source: Source, days: Days) -> Frame:
    return source.events(days).filter(nw.col("name") == PURCHASE).select("customer_id").unique()


def _events(shop: Shop, kept: Suggestion, opens: Opens) -> pa.Table:
    as_of = date.fromisoformat(kept.body["as_of"])
    names = opens.names or (PURCHASE,)

    def build(source: Source) -> Frame:
        found = source.events(_days(opens, as_of)).filter(
            nw.col("name").is_in(list(names)), ~nw.col("customer_id").is_null()
        )
        if opens.item_ids:
            found = found.filter(nw.col("item_id").is_in(list(opens.item_ids)))
        return found.select(*_EVENT)

    return shop.query(build).sort_by([("time", "descending"), ("customer_id", "ascending")])


def _texts(shop: Shop, kept: Suggestion, opens: Opens) -> pa.Table:
    as_of, zone = date.fromisoformat(kept.body["as_of"]), shop.settings.zone

    def build(source: Source) -> Frame:
        wanted = nw.col("task") == ("theme" if opens.theme else "sentiment")
        found = said(Scene(source, as_of, zone)).filter(
            wanted, nw.col("label") == (opens.theme or opens.mood)
        )
        ids = found.select("text_id", who="customer_id").unique()
        texts = source.texts(_days(opens, as_of)).join(ids, on="text_id", how="inner")
        return texts.select("day", "text_id", "item_id", "rating", "body", customer_id="who")

    return shop.query(build).sort_by([("day", "descending"), ("text_id", "ascending")])


def _items(shop: Shop, kept: Suggestion, opens: Opens) -> pa.Table:  # noqa: ARG001 - as all readers
    """Every version of the items, the newest first: what they cost and how many there were when."""

    def build(source: Source) -> Frame:
        then = source.items(shop.now() - timedelta(days=14)).select(*_ITEM)
        now = source.items().select(*_ITEM)
        both = nw.concat([now, then]).unique()
        return both.filter(nw.col("item_id").is_in(list(opens.item_ids)))

    return shop.query(build).sort_by([("item_id", "ascending"), ("valid_from", "descending")])


def _scores(shop: Shop, kept: Suggestion, opens: Opens) -> pa.Table:
    mine = _customers(shop, kept, Opens(what="customers"))["customer_id"].combine_chunks()
    names = list(opens.names)

    def build(source: Source) -> Frame:
        found = source.scores().filter(
            nw.col("prediction").is_in(names), nw.col("valid_to").is_null()
        )
        return found.select("customer_id", "prediction", "value", "low", "high", "model_version")

    table = shop.query(build)
    table = table.filter(pc.is_in(table["customer_id"], mine))
    return table.sort_by([("value", "descending"), ("customer_id", "ascending")])


_READERS: Mapping[str, Callable[[Shop, Suggestion, Opens], Any]] = {
    "customers": _customers,
    "events": _events,
    "orders": _events,
    "texts": _texts,
    "items": _items,
    "scores": _scores,
}
