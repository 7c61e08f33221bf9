"""Memberships of customers who have just done something, brought up to date one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import narwhals as nw
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from shopkeeper.core.errors import Conflict, NotFound
from shopkeeper.core.schema import EVENTS, MEMBERSHIPS
from shopkeeper.customers.profile.making import goods
from shopkeeper.customers.segmenting.definition import leaves
from shopkeeper.customers.segmenting.library import Library, library
from shopkeeper.customers.segmenting.live import case_of, table_of
from shopkeeper.customers.segmenting.refreshing import Changed, rows, told
from shopkeeper.shop.shop import Shop
from shopkeeper.warehouse.arrow import arrow_schema

_AT_ONCE = 100
_READ = 5_000


def follow(shop: Shop, after: int) -> tuple[int, int]:
    """Look at who is in the log beyond that position: the position reached, and how many rows changed.

    Nothing is done before the first refresh, which makes the copy of the events that this reads. Where
    more customers wait than can be looked at one by one, the last of them are taken: the next refresh
    finds the others.
    """
    waiting = shop.log.read(after, _READ)
    there = library(shop) if waiting and shop.timelines.days() else None
    if there is None or not there.runnable:
        return (waiting[-1][0] if waiting else after), 0
    sent: dict[str, None] = {}
    for _, table, payload in waiting:
        if table == EVENTS.name:
            event = orjson.loads(payload)
            if one := event.get("user_id") or event.get("anonymous_id"):
                sent.pop(one, None)
                sent[one] = None
    ids = {shop.people.customer_of(one) or one: None for one in list(sent)[-_AT_ONCE:]}
    return waiting[-1][0], bring_up(shop, there, list(ids))


def bring_up(shop: Shop, there: Library, customers: Sequence[str]) -> int:
    """Write down which segments these customers have entered and left; how many rows that took."""
    theirs = nw.col("customer_id").is_in(list(customers)) & nw.col("valid_to").is_null()
    with shop.writer("segments") as writer, writer.alone():
        before = shop.query(lambda source: source.memberships().filter(theirs))
        now = shop.now()
        found: list[pa.Table] = []
        for customer in customers:
            mine = before.filter(pc.equal(before["customer_id"], customer))
            changes = _changes(shop, there, customer, mine)
            found += (rows(segment, change, now) for segment, change in changes.items())
        full = [batch for batch in found if batch.num_rows]
        if full:
            writer.load(MEMBERSHIPS.name, pa.concat_tables(full), check_duplicates=False)
    return sum(batch.num_rows for batch in full)


def _changes(shop: Shop, there: Library, customer: str, before: pa.Table) -> Mapping[str, Changed]:
    try:
        case = case_of(shop, customer, goods(shop))
    except (NotFound, Conflict):  # erased or restricted meanwhile
        return {}
    plan = there.plan
    table = table_of(shop, case, plan)
    known = set(before["segment"].to_pylist())
    nobody = arrow_schema(MEMBERSHIPS).empty_table().select(["customer_id", "reasons"])
    changed = {}
    for segment, mask in plan.members(table).items():
        if bool(mask[0]) == (segment in known):
            continue
        entered = nobody
        if mask[0]:
            why = told(plan, leaves(there.runnable[segment]), table)
            entered = pa.table({"customer_id": table["customer_id"], "reasons": why})
        left = before.filter(pc.equal(before["segment"], segment))
        changed[segment] = Changed(there.versions[segment].version, entered, left)
    return changed
