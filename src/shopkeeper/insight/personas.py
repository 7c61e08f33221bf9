"""Groups of customers who bought, by what they do and say: k-means over a few plain features.

A clustering always finds groups. Here they count only when they are clearly better separated (mean
silhouette, Rousseeuw 1987) than the best grouping of customers who have no groups: the same table with
each column shuffled by itself, which keeps every feature's spread and breaks what goes together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

import narwhals as nw
import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.metrics import silhouette_score
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from shopkeeper.core.events import PURCHASE, VIEW_ITEM
from shopkeeper.core.operation import Context
from shopkeeper.core.period import Days, Period
from shopkeeper.core.types import CannotSay
from shopkeeper.insight import naming
from shopkeeper.insight.reading.readers import ASPECTS, reader, version_of
from shopkeeper.insight.types import Persona, Personas, Quote, Trait
from shopkeeper.warehouse.source import Frame, Source

Floats = NDArray[np.float64]
_LEAST: Final = 100
_MOST: Final = 20_000
_GROUPS: Final = range(2, 7)
_SHUFFLES: Final = 3
_CLEARLY: Final = 0.05
_CATEGORIES, _ASPECTS = 6, 4
_TRAITS, _EXAMPLES, _QUOTES = 4, 3, 2
_LOOKED: Final = 1_000  # customers whose silhouette is worked out: it costs their square
_SEED: Final = 7


class _Table(NamedTuple):
    ids: list[str]
    names: list[str]
    values: Floats


def personas(ctx: Context, since: Period) -> Personas:
    """See the operation ``personas``."""
    span = ctx.shop.span()
    days = since.resolve(span.start, span.end) if span else None
    table = _table(ctx, days) if days else None
    if days is None or table is None or len(table.ids) < _LEAST:
        count = len(table.ids) if table else 0
        return Personas(customers=count, personas=(), separation=None, by_chance=None, cannot_say=CannotSay(
            reason=f"{count} customers bought something.", needed=f"at least {_LEAST}", code="few_customers",
            values={"count": count, "least": _LEAST},
        ))  # fmt: skip
    spread = table.values.std(axis=0)
    scaled = (table.values - table.values.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    groups, separation = _grouped(scaled)
    random = np.random.default_rng(_SEED)
    by_chance = max(_grouped(random.permuted(scaled, axis=0))[1] for _ in range(_SHUFFLES))
    if separation < by_chance + _CLEARLY:
        why = CannotSay(
            reason="There are no clear groups: customers differ by degrees.",
            needed="more customers, or other features",
            code="no_clusters",
        )
        return Personas(
            customers=len(table.ids), personas=(), separation=separation, by_chance=by_chance,
            cannot_say=why,
        )  # fmt: skip
    order = [int(one) for one, _ in Counter(groups.tolist()).most_common()]
    found = [
        _persona(ctx, days, table, scaled, groups == one, place)
        for place, one in enumerate(order, 1)
    ]
    names = naming.by_traits([one.traits for one in found])
    return Personas(
        customers=len(table.ids),
        personas=tuple(
            one.model_copy(update={"names": name}) for one, name in zip(found, names, strict=True)
        ),
        separation=separation,
        by_chance=by_chance,
    )


def _grouped(values: Floats) -> tuple[NDArray[np.int64], float]:
    """The grouping of the best silhouette among two to six groups."""
    best: tuple[NDArray[np.int64], float] = (np.zeros(len(values), np.int64), -1.0)
    for count in _GROUPS:
        with threadpool_limits(1):  # a small table: threads that wait for each other cost more
            groups = KMeans(count, n_init=2, random_state=_SEED).fit_predict(values)
        score = _separation(values, groups)
        if score > best[1]:
            best = (groups.astype(np.int64), score)
    return best


def _separation(values: Floats, groups: NDArray[Any]) -> float:
    looked = np.random.default_rng(_SEED).permutation(len(values))[:_LOOKED]
    if not 1 < len(np.unique(groups[looked])) < len(looked):
        return -1.0
    return float(silhouette_score(values[looked], groups[looked]))


def _persona(
    ctx: Context, days: Days, table: _Table, scaled: Floats, inside: NDArray[np.bool_], place: int
) -> Persona:
    middle = scaled[inside].mean(axis=0)
    means, of_all = table.values[inside].mean(axis=0), table.values.mean(axis=0)
    members = np.flatnonzero(inside)
    near = members[np.argsort(((scaled[members] - middle) ** 2).sum(axis=1), kind="stable")]
    ids = [table.ids[one] for one in near]
    return Persona(
        persona=place,
        names={},
        named_by=naming.TRAITS,
        customers=len(members),
        share=len(members) / len(table.ids),
        traits=tuple(
            Trait(
                feature=table.names[one],
                mean=round(float(means[one]), 4),
                of_all=round(float(of_all[one]), 4),
                distance=round(float(middle[one]), 3),
                names=naming.feature(table.names[one]),
            )
            for one in np.argsort(-np.abs(middle), kind="stable")[:_TRAITS]
        ),
        examples=tuple(ids[:_EXAMPLES]),
        quotes=_quotes(ctx, days, ids),
    )


def _quotes(ctx: Context, days: Days, ids: Sequence[str]) -> tuple[Quote, ...]:
    """What those nearest to the middle wrote."""
    wanted = {one: place for place, one in enumerate(ids[:500])}
    rows = ctx.shop.query(
        lambda source: (
            source.texts(days)
            .filter(nw.col("customer_id").is_in(sorted(wanted)), nw.col("kind") == "review")
            .select("text_id", "day", "body", "item_id", "customer_id")
            .sort("text_id")
        )
    ).to_pylist()
    rows.sort(key=lambda row: wanted[row["customer_id"]])
    return tuple(
        Quote(
            text_id=row["text_id"],
            text=row["body"][:200],
            day=row["day"],
            item_id=row["item_id"],
            cut=len(row["body"]) > 200,
        )
        for row in rows[:_QUOTES]
    )


def _table(ctx: Context, days: Days) -> _Table:
    """Per customer who bought: orders, spend, views, days since, and shares of categories and aspects."""
    bought = ctx.shop.query(partial(_behaviour, days=days)).to_pylist()
    bought = [row for row in bought if row["orders"]]
    bought = sorted(bought, key=lambda row: str(row["customer_id"]))[:_MOST]
    ids = [row["customer_id"] for row in bought]
    place = {one: n for n, one in enumerate(ids)}
    columns: dict[str, Floats] = {
        naming.ORDERS: np.log1p([row["orders"] for row in bought]),
        naming.SPEND: np.log1p([max(row["spend"] or 0.0, 0.0) for row in bought]),
        naming.VIEWS: np.log1p([row["views"] for row in bought]),
        naming.AWAY: np.array([float((days.end - row["last"]).days) for row in bought]),
    }
    looked = ctx.shop.query(partial(_categories, days=days)).to_pylist()
    columns |= _shares(looked, naming.CATEGORY, place, _CATEGORIES)
    version = version_of(reader(ctx.shop, ASPECTS))
    judged = ctx.shop.query(partial(_judged, days=days, version=version)).to_pylist()
    columns |= _shares(judged, naming.SPEAKS, place, _ASPECTS)
    names = [name for name, values in columns.items() if len(ids) and np.ptp(values) > 0]
    values = np.column_stack([columns[name] for name in names]) if names else np.zeros((0, 0))
    return _Table(ids, names, values)


def _shares(
    rows: Sequence[Mapping[str, Any]], what: str, place: Mapping[str, int], most: int
) -> dict[str, Floats]:
    """Each customer's share of the commonest groups; nought for who has none."""
    sizes: Counter[str] = Counter()
    totals = np.zeros(len(place))
    known = [row for row in rows if row["customer_id"] in place and row["grp"]]
    for row in known:
        sizes[row["grp"]] += row["n"]
        totals[place[row["customer_id"]]] += row["n"]
    largest = sorted(sizes, key=lambda group: (-sizes[group], group))[:most]
    found = {group: np.zeros(len(place)) for group in largest}
    for row in known:
        if row["grp"] in found:
            found[row["grp"]][place[row["customer_id"]]] += row["n"]
    return {f"{what} {group}": part / np.maximum(totals, 1.0) for group, part in found.items()}


def _behaviour(source: Source, *, days: Days) -> Frame:
    name = nw.col("name")
    rows = source.events(days).filter(
        name.is_in([PURCHASE, VIEW_ITEM]), ~nw.col("customer_id").is_null()
    )
    bought = name == PURCHASE
    flagged = rows.with_columns(
        order=nw.when(bought).then(nw.col("order_id")),
        worth=nw.when(bought).then(nw.col("value")).otherwise(0.0),
        viewed=nw.when(bought).then(0.0).otherwise(1.0),
    )
    return flagged.group_by("customer_id").agg(
        orders=nw.col("order").n_unique() - nw.col("order").is_null().any().cast(nw.Int64),
        spend=nw.col("worth").sum(),
        views=nw.col("viewed").sum(),
        last=nw.col("day").max(),
    )


def _categories(source: Source, *, days: Days) -> Frame:
    rows = source.events(days).filter(
        nw.col("name").is_in([PURCHASE, VIEW_ITEM]), ~nw.col("customer_id").is_null()
    )
    items = source.items().select("item_id", grp=nw.col("category"))
    joined = rows.select("customer_id", "item_id").join(items, on="item_id", how="inner")
    return joined.group_by("customer_id", "grp").agg(n=nw.len())


def _judged(source: Source, *, days: Days, version: str) -> Frame:
    read = source.readings(days).filter(
        nw.col("task") == ASPECTS, nw.col("model_version") == version, ~nw.col("label").is_null()
    )
    texts = source.texts(days).select("text_id", "customer_id")
    texts = texts.filter(~nw.col("customer_id").is_null())
    joined = read.select("text_id", grp=nw.col("label")).join(texts, on="text_id", how="inner")
    return joined.group_by("customer_id", "grp").agg(n=nw.len())
