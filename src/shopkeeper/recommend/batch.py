"""The lists of all customers, written to a Parquet file: for mailings, data warehouses and caches.

One row per place: customer_id, rank, item_id, probability, personalised. Items that may not be offered, or
that a rule of the shop takes away everywhere, are in no list; rules that arrange one page do not apply. Who
refuses personalisation gets what is popular, without a probability.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from shopkeeper.core.operation import Progress
from shopkeeper.core.types import CannotSay
from shopkeeper.recommend.blocked import Blocked, Lists
from shopkeeper.recommend.cases import only
from shopkeeper.recommend.heads.base import Queries, past
from shopkeeper.recommend.histories import aligned
from shopkeeper.recommend.history import Ints
from shopkeeper.recommend.lists import CHANNEL, PURPOSE, refuses
from shopkeeper.recommend.model import fitted
from shopkeeper.recommend.rules.book import published as rules_of
from shopkeeper.recommend.rules.plan import Ask
from shopkeeper.recommend.serving import Serving, serving
from shopkeeper.recommend.types import Batch
from shopkeeper.shop.shop import Shop

FOLDER: Final = "lists"
_KEPT: Final = 2
_ROWS: Final = 20_000
"""Customers between two words of progress."""

SCHEMA: Final = pa.schema(
    [
        ("customer_id", pa.string()),
        ("rank", pa.int16()),
        ("item_id", pa.string()),
        ("probability", pa.float32()),
        ("personalised", pa.bool_()),
    ]
)


def batch(shop: Shop, k: int, progress: Progress) -> Batch:
    """Write the list of every customer with a history; the two newest files are kept."""
    known = fitted(shop)
    who = serving(shop, known)
    if isinstance(who, CannotSay):
        return Batch(file=None, customers=0, rows=0, seconds=0.0, model=None, missing=who)
    started = time.perf_counter()
    plan = rules_of(shop, known).compiled(who.published.item_ids)
    allowed = plan.plan(plan.active(Ask("", None, shop.now()))).allowed
    # A later look at the same histories than the fit's: the customers' own events since then count.
    history = only(known.history, known.history.known[known.history.customer])
    queries, customer = past(aligned(history, who.published.item_ids))
    now = np.full(len(queries), int(shop.now().timestamp() * 1000), dtype=np.int64)
    queries = replace(queries, now=now)
    ids = known.history.customer_ids.take(pa.array(customer))
    against = pa.array(sorted(_refusing(shop)), pa.string())
    refused = np.asarray(pa.compute.is_in(ids, against).to_numpy(zero_copy_only=False), dtype=bool)
    folder = Path(shop.folder) / FOLDER
    folder.mkdir(exist_ok=True, mode=0o700)
    target = folder / f"recommend-{shop.now():%Y%m%dT%H%M%S}.parquet"
    partial = target.with_suffix(".part")
    rows = 0
    with pq.ParquetWriter(partial, SCHEMA) as writer:
        for done, table in _tables(who, (queries, ids, refused), allowed, k):
            writer.write_table(table)
            rows += len(table)
            progress(done, len(queries), f"{done:,} customers")
    partial.replace(target)
    for old in sorted(folder.glob("recommend-*.parquet"), reverse=True)[_KEPT:]:
        old.unlink()
    return Batch(
        file=f"{FOLDER}/{target.name}",
        customers=len(queries),
        rows=rows,
        seconds=round(time.perf_counter() - started, 2),
        model=who.published.version,
        missing=None,
    )


def _tables(
    who: Serving, whose: tuple[Queries, pa.Array, Any], allowed: Any, k: int
) -> Iterator[tuple[int, pa.Table]]:
    queries, ids, refused = whose
    blocked = Blocked(who.published.mixture, allowed, who.published.again)
    for start in range(0, len(queries), _ROWS):
        stop = min(start + _ROWS, len(queries))
        for span, found in blocked.lists(queries.part(start, stop), k):
            rows = slice(start + span.start, start + span.stop)
            yield rows.stop, _table(who, ids[rows.start : rows.stop], found, refused[rows], allowed)


def _table(who: Serving, ids: pa.Array, found: Lists, refused: Any, allowed: Any) -> pa.Table:
    """The places of some customers; a list that has fewer is shorter."""
    item, chance = found.item, found.probability.copy()
    if refused.any():
        item = item.copy()
        popular = _popular(who, allowed, item.shape[1])
        item[np.ix_(refused, np.arange(len(popular)))] = popular
        chance[refused] = 0.0
        chance[np.ix_(refused, np.arange(len(popular)))] = 1.0
    row, rank = np.nonzero(chance > 0)
    personal = ~refused[row]
    return pa.table(
        [
            ids.take(pa.array(row)).cast(pa.string()),
            pa.array((rank + 1).astype(np.int16)),
            who.published.item_ids.take(pa.array(item[row, rank])),
            pa.array(chance[row, rank].astype(np.float32), mask=~personal),
            pa.array(personal),
        ],
        schema=SCHEMA,
    )


def _popular(who: Serving, allowed: Any, k: int) -> Ints:
    weights = next(iter(who.published.mixture.heads.values())).weights  # type: ignore[attr-defined]  # popularity comes first
    order = np.argsort(-np.asarray(weights), kind="stable")
    return np.asarray(order[allowed[order]][:k])


def _refusing(shop: Shop) -> set[str]:
    """Whose latest word on personalisation is no."""
    said = shop.consent.against(PURPOSE, CHANNEL)
    meant = {span.customer_id for spans in shop.people.periods(said).values() for span in spans}
    return {one for one in {*said, *meant} if refuses(shop, one)}
