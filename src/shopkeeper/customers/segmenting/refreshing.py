"""Everybody's memberships, brought up to date in one pass; who came and who went is written down."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import narwhals as nw
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from shopkeeper.core.operation import Context
from shopkeeper.core.schema import MEMBERSHIPS
from shopkeeper.customers.segmenting.compiling import Bools, Plan
from shopkeeper.customers.segmenting.definition import Bucket, Definition, Everyone, Leaf, leaves
from shopkeeper.customers.segmenting.library import Library, last_day, library
from shopkeeper.customers.segmenting.printing import written
from shopkeeper.customers.traits.scene import Scene
from shopkeeper.customers.types import Refreshed
from shopkeeper.shop.shop import Shop
from shopkeeper.store.segments import EVERYONE, Size, number_of
from shopkeeper.warehouse.arrow import arrow_schema

_SCORES = {
    "r_score": ("days_since_order", "max"),
    "f_score": ("orders", "min"),
    "m_score": ("net_revenue", "min"),
}
"""By score, the trait that decides it, and which end of those who have it is kept as its edge."""
_STEPS = 4


def refresh(ctx: Context, *, every_trait: bool = False, copy: bool = True) -> Refreshed:
    """See the operation ``refresh_segments``.

    Traits that no segment asks for are computed with ``every_trait`` alone, the copy of the events by
    sender, from which single customers are answered, with ``copy``.
    """
    shop, began = ctx.shop, time.perf_counter()
    started = shop.now()
    as_of, there = last_day(shop), library(shop)
    if as_of is None:
        return Refreshed(
            as_of=None, population=0, segments=0, entered=0, left=0, left_out={},
            problems=dict(there.problems), seconds=0.0,
        )  # fmt: skip
    ctx.progress(0, _STEPS, "copying events by customer")
    if copy:
        shop.timelines.build()
    ctx.progress(1, _STEPS, f"asking {len(there.runnable)} segments")
    table = everybody(shop, there.plan, as_of, every_trait)
    ctx.progress(2, _STEPS, "comparing with the memberships of before")
    inside = there.plan.members(table)
    # Alone, from the look at what was to the writing of what is: the worker follows customers meanwhile.
    with shop.writer("segments") as writer, writer.alone():
        changed = _compared(shop, there, table, inside, started)
        ctx.progress(3, _STEPS, "writing who came and who went")
        _write(shop, changed)
    left_out = doubted(table)
    _sizes(shop, table, inside, changed, left_out)
    return Refreshed(
        as_of=as_of,
        population=table.num_rows,
        segments=len(inside),
        entered=sum(one.entered.num_rows for one in changed.values()),
        left=sum(one.left.num_rows for one in changed.values()),
        left_out=left_out,
        problems=dict(there.problems),
        seconds=round(time.perf_counter() - began, 3),
    )


def everybody(shop: Shop, plan: Plan, as_of: date, every_trait: bool = False) -> pa.Table:
    """What the plan asks of every customer, and the RFM scores, from one query."""
    zone = shop.settings.zone
    return shop.query(
        lambda source: plan.frame(
            Scene(source, as_of, zone), every_trait=every_trait, also=("r_score",)
        )
    )


def doubted(table: pa.Table) -> dict[str, int]:
    """How many accounts no segment holds, by reason."""
    counts = pc.value_counts(table["doubt"]).to_pylist()
    return {one["values"]: one["counts"] for one in counts if one["values"] in ("bot", "test")}


@dataclass(frozen=True)
class Changed:
    """Who entered one segment (rows of the frame), and the open rows of those who left it."""

    version: int
    entered: pa.Table
    left: pa.Table


def _compared(
    shop: Shop,
    there: Library,
    table: pa.Table,
    inside: Mapping[str, Bools],
    started: datetime,
) -> dict[str, Changed]:
    """Who came and who went; who entered since the refresh ``started`` is left where they are."""
    still = nw.col("valid_to").is_null()
    before = shop.query(lambda source: source.memberships().filter(still))
    late = pc.greater(before["valid_from"], pa.scalar(started, before["valid_from"].type))
    changed = {}
    for segment, held in inside.items():
        mine = pc.equal(before["segment"], segment)
        known = before.filter(mine)
        now = table.filter(pa.array(held))
        come = pc.invert(pc.is_in(now["customer_id"], known["customer_id"].combine_chunks()))
        gone = pc.invert(pc.is_in(known["customer_id"], now["customer_id"].combine_chunks()))
        gone = pc.and_(gone, pc.invert(late.filter(mine)))
        entered = _entered(there.plan, there.runnable[segment], now.filter(come))
        changed[segment] = Changed(there.versions[segment].version, entered, known.filter(gone))
    # Of a segment that no longer runs, is a draft or was put away, nobody is a member.
    for segment in set(before["segment"].unique().to_pylist()) - set(inside):
        rest = before.filter(pc.equal(before["segment"], segment))
        changed[segment] = Changed(0, rest.slice(0, 0).select(["customer_id", "reasons"]), rest)
    return changed


def _entered(plan: Plan, definition: Definition, rows: pa.Table) -> pa.Table:
    reasons = told(plan, leaves(definition), rows)
    return pa.table({"customer_id": rows["customer_id"], "reasons": reasons})


def told(plan: Plan, asked: Sequence[Leaf], rows: pa.Table) -> pa.ChunkedArray:
    """For each row, as JSON, what each condition found: its text and the value."""
    parts: list[pa.Array | pa.ChunkedArray | str] = []
    for leaf in dict.fromkeys(asked):
        key = json.dumps(written(leaf), ensure_ascii=False) + ":"
        parts.append(("{" if not parts else ",") + key)
        if isinstance(leaf, Bucket | Everyone):
            parts.append("true")
        else:
            parts.append(_json(rows[plan.columns[leaf]]))
    parts.append("}")
    if not any(isinstance(part, pa.ChunkedArray) for part in parts):
        return pa.chunked_array([pa.array(["".join(map(str, parts))] * rows.num_rows, pa.string())])
    return pc.binary_join_element_wise(*parts, "")


def _json(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Each value as JSON text."""
    if pa.types.is_string(column.type) or pa.types.is_date(column.type):
        coded = column.cast(pa.string()).combine_chunks().dictionary_encode()
        words = [json.dumps(word, ensure_ascii=False) for word in coded.dictionary.to_pylist()]
        texts = pa.DictionaryArray.from_arrays(coded.indices, pa.array(words, pa.string()))
        return pa.chunked_array([pc.fill_null(texts.cast(pa.string()), "null")])
    if pa.types.is_floating(column.type):
        column = pc.round(column, 6)
    return pc.fill_null(column.cast(pa.string()), "null")


def _write(shop: Shop, changed: Mapping[str, Changed]) -> None:
    now = shop.now()
    batches = [rows(segment, one, now) for segment, one in changed.items()]
    full = [batch for batch in batches if batch.num_rows]
    if full:
        with shop.writer("segments") as writer:
            writer.load(MEMBERSHIPS.name, pa.concat_tables(full), check_duplicates=False)


def rows(segment: str, one: Changed, now: datetime) -> pa.Table:
    """The rows that tell the change: new open ones, and those that end an open one."""
    schema = arrow_schema(MEMBERSHIPS)
    stamp = schema.field("valid_from").type
    come, gone = one.entered, one.left
    opened = pa.table(
        {
            "customer_id": come["customer_id"],
            "segment": pa.array([segment] * come.num_rows, pa.string()),
            "version": pa.array(np.full(come.num_rows, one.version)),
            "reasons": come["reasons"],
            "valid_from": pa.array([now] * come.num_rows, stamp),
            "valid_to": pa.nulls(come.num_rows, stamp),
        }
    )
    ended = gone.select(["customer_id", "segment", "version", "reasons", "valid_from"])
    ended = ended.append_column("valid_to", pa.array([now] * gone.num_rows, stamp))
    return pa.concat_tables([opened.cast(schema), ended.cast(schema)])


def _sizes(
    shop: Shop,
    table: pa.Table,
    inside: Mapping[str, Bools],
    changed: Mapping[str, Changed],
    left_out: Mapping[str, int],
) -> None:
    now = shop.now()
    figures = {"rfm": edges(table), "left_out": dict(left_out)}
    sizes = [Size(EVERYONE, 0, now, table.num_rows, 0, 0, figures)]
    for segment, held in inside.items():
        one = changed[segment]
        sizes.append(
            Size(
                segment=number_of(segment),
                version=one.version,
                time=now,
                members=int(held.sum()),
                entered=one.entered.num_rows,
                gone=one.left.num_rows,
            )
        )
    shop.segments.add_sizes(sizes)


def edges(table: pa.Table) -> dict[str, dict[str, float]]:
    """Where each RFM score ends: by it one customer is scored without looking at all the others."""
    found: dict[str, dict[str, float]] = {}
    for score, (trait, end) in _SCORES.items():
        known = table.select([score, trait]).drop_null()
        if known.num_rows:
            grouped = known.group_by(score).aggregate([(trait, end)]).to_pylist()
            found[score] = {str(row[score]): float(row[f"{trait}_{end}"]) for row in grouped}
    return found
