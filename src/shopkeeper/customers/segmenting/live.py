"""One customer as of this second: traits and segments from their own events, in memory.

The same code that the engine runs for everybody runs here on Arrow tables of one customer's rows: the
copy of the events by sender, the days it does not hold, and what still waits in the log.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, cast

import narwhals as nw
import pyarrow as pa
import pyarrow.compute as pc

from shopkeeper.core.errors import Conflict, NotFound
from shopkeeper.core.events import PURCHASE
from shopkeeper.core.period import Days
from shopkeeper.core.schema import CUSTOMERS, EVENTS, IDENTITIES, READINGS, SCORES, TEXTS, TRAITS
from shopkeeper.customers.segmenting.compiling import Plan
from shopkeeper.customers.segmenting.definition import Did, Said, Sequence, Trait
from shopkeeper.customers.segmenting.library import Library
from shopkeeper.customers.segments import definitions
from shopkeeper.customers.traits.scene import Scene
from shopkeeper.shop.shop import Shop
from shopkeeper.store.segments import EVERYONE
from shopkeeper.store.timeline import Span
from shopkeeper.warehouse.arrow import arrow_schema, from_rows
from shopkeeper.warehouse.source import Frame, Source
from shopkeeper.warehouse.timelines import COLUMNS
from shopkeeper.warehouse.writer import decode

_MOST_DAYS = 12
_FAR = 3650
_GOODS = ("item_id", "category", "brand", "price")


@dataclass(frozen=True)
class Case:
    """One customer's rows of every table that traits and conditions ask, and the day it is."""

    customer_id: str
    as_of: date
    tables: Mapping[str, pa.Table]


class _Given:
    """Stands for a source: the tables of a case."""

    def __init__(self, case: Case) -> None:
        self._tables = case.tables

    def __getattr__(self, name: str) -> Any:
        table = self._tables[name]
        return lambda *_asked: _lazy(table)

    def arrow(self, table: pa.Table) -> Frame:
        return _lazy(table)


def _lazy(table: pa.Table) -> Frame:
    # Without what the schema says of nulls: tables that differ in it alone could not be joined up.
    plain = pa.Table.from_arrays(table.columns, names=table.column_names)
    return cast("Frame", nw.from_native(plain).lazy())


def case_of(shop: Shop, any_id: str, goods: pa.Table) -> Case:
    """What is known of the customer that the id stands for; ``goods`` is :func:`goods_of`.

    Raises:
        NotFound: nothing is.
        Conflict: the customer's data are restricted: nothing may be worked out of them.
    """
    customer = shop.people.customer_of(any_id) or any_id
    ids = sorted({customer, *shop.people.sent_ids(customer)})
    if any(one.customer_id in ids for one in shop.restrictions.list()):
        raise Conflict(
            "The data of this customer are restricted: nothing is worked out of them.",
            hint="The owner may lift it: governance unrestrict.",
            field="customer_id",
        )
    events = events_of(shop, customer, ids)
    people = _person(shop, customer)
    if not events.num_rows and not people.num_rows:
        raise NotFound(
            f"Nothing is known of {any_id!r}.", hint="See: customers members.", field="customer_id"
        )
    span = shop.span()
    days = [day for day in (pc.max(events["day"]).as_py(), span.end if span else None) if day]
    links = [
        {"sent_id": one, "customer_id": customer, "since": shop.now(), "by": "live"} for one in ids
    ]
    tables = {
        "events": events,
        "items": goods.filter(pc.is_in(goods["item_id"], events["item_id"].combine_chunks())),
        "customers": people,
        "identities": from_rows(links, IDENTITIES),
        **_written(shop, ids),
    }
    return Case(customer, max(days) if days else shop.now().date(), tables)


def table_of(shop: Shop, case: Case, plan: Plan, as_of: date | None = None) -> pa.Table:
    """The one row that the plan asks of this customer; as of today every trait, else what it needs."""
    source = cast("Source", _Given(case))
    events = source.arrow(case.tables["events"])
    day, about = as_of or case.as_of, (case.customer_id,)
    scene = Scene(source, day, shop.settings.zone, given=events, about=about)
    frame = plan.frame(scene, every_trait=as_of is None)
    return scored(shop, frame.collect().to_arrow())


def goods_of(shop: Shop) -> pa.Table:
    """What traits ask of items, with the mean price of each one's category."""
    items = shop.query(lambda source: source.items().select(*_GOODS))
    means = items.group_by("category").aggregate([("price", "mean")])
    means = means.rename_columns(["category", "usual_price"])
    return items.join(means, "category", join_type="left outer").combine_chunks()


def scored(shop: Shop, table: pa.Table) -> pa.Table:
    """The row with the RFM scores that its figures had at the last refresh."""
    newest = shop.segments.newest_sizes().get(EVERYONE)
    edges = newest.figures.get("rfm", {}) if newest else {}
    asked = "r_score" in table.column_names
    if not edges or not asked or not table.num_rows or not table["orders"][0].as_py():
        return table
    scores = {
        "r_score": _score(edges.get("r_score"), table["days_since_order"][0].as_py(), -1),
        "f_score": _score(edges.get("f_score"), table["orders"][0].as_py(), 1),
        "m_score": _score(edges.get("m_score"), table["net_revenue"][0].as_py(), 1),
    }
    r, f, m = scores.values()
    code = None
    if r and f:
        code = next((one.code for one in definitions().values() if one.holds(r, f, m or f)), None)
    for name, value in {**scores, "rfm_segment": code}.items():
        place = table.schema.get_field_index(name)
        kind = pa.string() if name == "rfm_segment" else pa.int64()
        table = table.set_column(place, name, pa.array([value], kind))
    return table


def _score(edges: Mapping[str, float] | None, value: float | None, sign: int) -> int | None:
    """The best score whose edge the value reaches; the worst there is where it reaches none."""
    if not edges or value is None:
        return None
    known = sorted((int(score), edge) for score, edge in edges.items())
    reached = [score for score, edge in known if sign * value >= sign * edge]
    return max(reached, default=known[0][0])


def events_of(shop: Shop, customer: str, ids: list[str]) -> pa.Table:
    """Every event of the customer up to now, with ``customer_id``."""
    # First the log, then the days: what is moved in between makes its day a changed one.
    position = shop.warehouse.tables[EVENTS.name].position("intake")
    waiting = set(decode(shop.log.tail(position, ids), EVENTS.name)["day"].to_pylist())
    same, stale = shop.timelines.fresh_days()
    same, stale = same - waiting, stale | waiting
    old = shop.timelines.read(ids, stale) if same else None
    wanted = Days(min(stale), max(stale)) if stale else Days(date.max, date.max)
    theirs = nw.col("user_id").is_in(ids) | nw.col("anonymous_id").is_in(ids)
    columns = (*COLUMNS, "time_ms")
    fresh = shop.query(
        lambda source: source.events(wanted).filter(theirs).select(*columns, "customer_id"),
        live=ids,
    )
    fresh = fresh.filter(pc.equal(fresh["customer_id"], customer))
    if old is None:
        return fresh
    fresh = fresh.filter(pc.invert(pc.is_in(fresh["day"], pa.array(sorted(same), pa.date32()))))
    told = _told(shop, customer, ids, old)
    return pa.concat_tables([told, fresh.cast(told.schema)]).combine_chunks()


def _told(shop: Shop, customer: str, ids: list[str], old: pa.Table) -> pa.Table:
    """The copy's events that are this customer's: an id that changed hands is theirs for a time."""
    mine = old.append_column("customer_id", pa.array([customer] * old.num_rows, pa.string()))
    periods = shop.people.periods(ids)
    sent = pc.coalesce(mine["user_id"], mine["anonymous_id"])
    for one, spans in periods.items():
        if len(spans) < 2 and all(span.customer_id == customer for span in spans):
            continue
        held = [span for span in spans if span.customer_id == customer]
        keep = pc.or_(pc.not_equal(sent, one), _within(mine["time"], held))
        mine = mine.filter(keep)
        sent = pc.coalesce(mine["user_id"], mine["anonymous_id"])
    return mine


def _within(times: pa.ChunkedArray, spans: list[Span]) -> Any:
    hit = pa.array([False] * len(times))
    for span in spans:
        inside = pa.array([True] * len(times))
        if span.start is not None:
            inside = pc.and_(inside, pc.greater_equal(times, pa.scalar(span.start, times.type)))
        if span.until is not None:
            inside = pc.and_(inside, pc.less(times, pa.scalar(span.until, times.type)))
        hit = pc.or_(hit, inside)
    return hit


def _person(shop: Shop, customer: str) -> pa.Table:
    try:
        known = shop.people.get(customer)
    except NotFound:
        return arrow_schema(CUSTOMERS).empty_table()
    row = {
        "customer_id": customer,
        "first_seen": known.first_seen,
        "language": known.language,
        "country": known.country,
        "valid_from": shop.now(),
    }
    return from_rows([row], CUSTOMERS)


def _written(shop: Shop, ids: list[str]) -> dict[str, pa.Table]:
    """Their texts, what was read in those, and what was told of them."""
    theirs = nw.col("customer_id").is_in(ids)
    tables = shop.warehouse.tables
    found = {
        "texts": arrow_schema(TEXTS).empty_table(),
        "readings": arrow_schema(READINGS).empty_table(),
        "traits": arrow_schema(TRAITS).empty_table(),
        "scores": arrow_schema(SCORES).empty_table(),
    }
    if tables[SCORES.name].snapshot():
        found["scores"] = shop.query(lambda source: source.scores().filter(theirs))
    if tables[TRAITS.name].snapshot():
        found["traits"] = shop.query(lambda source: source.traits().filter(theirs))
    if not tables[TEXTS.name].snapshot():
        return found
    found["texts"] = shop.query(lambda source: source.texts().filter(theirs))
    texts = found["texts"]
    if texts.num_rows and tables[READINGS.name].snapshot():
        days = Days(pc.min(texts["day"]).as_py(), pc.max(texts["day"]).as_py())
        mine = nw.col("text_id").is_in(texts["text_id"].to_pylist())
        found["readings"] = shop.query(lambda source: source.readings(days).filter(mine))
    return found


def changes_on(shop: Shop, case: Case, there: Library, segment: str) -> date | None:
    """The first day on which the customer would leave the segment if nothing more happened; None: none.

    Windows end a whole number of days after an event: only such days can change anything. Scores
    against all other customers (RFM) are taken as they are.
    """
    plan = Plan.of({segment: there.runnable[segment]}, there.lists)
    for day in turning_days(case, plan)[:_MOST_DAYS]:
        if not plan.members(table_of(shop, case, plan, day))[segment][0]:
            return day
    return None


def turning_days(case: Case, plan: Plan) -> list[date]:
    """Days to come on which a condition of the plan may begin or cease to hold, soonest first."""
    found: set[date] = set()
    for leaf in plan.columns:
        match leaf:
            case Did() if leaf.within is not None:
                found |= _later(_days(case, {leaf.step.event}), {leaf.within})
            case Sequence():
                found |= _later(_days(case, {leaf.steps[-1].event}), {leaf.during})
            case Said() if leaf.within is not None:
                found |= _later(set(case.tables["texts"]["day"].to_pylist()), {leaf.within})
            case Trait():
                found |= _of_trait(case, leaf)
            case _:
                pass
    return sorted(day for day in found if day > case.as_of)


def _of_trait(case: Case, leaf: Trait) -> set[date]:
    """Days on which a trait may pass one of its values by time alone."""
    window = leaf.name.rpartition("_")[2]
    if window.isdecimal():
        return _later(_days(case), {int(window)})
    if leaf.name.startswith("days_since") or leaf.name == "tenure_days":
        spans = {int(v) + more for v in leaf.values if isinstance(v, float) for more in (0, 1)}
        days = {max(some) for some in (_days(case), _days(case, {PURCHASE})) if some}
        texts = [day for day in case.tables["texts"]["day"].to_pylist() if day]
        days |= {min(_days(case), default=case.as_of)} | ({max(texts)} if texts else set())
        return _later(days, {span for span in spans if 0 <= span <= _FAR})
    return set()


def _later(days: Collection[date], spans: Collection[int]) -> set[date]:
    return {day + timedelta(days=span) for day in days for span in spans}


def _days(case: Case, names: Collection[str] = ()) -> set[date]:
    events = case.tables["events"]
    if names:
        events = events.filter(pc.is_in(events["name"], pa.array(sorted(names), pa.string())))
    return set(events["day"].to_pylist())
