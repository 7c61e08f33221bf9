"""Aspects by product: what is praised and blamed, with the words that judge."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

import narwhals as nw

from shopkeeper.core.operation import Context
from shopkeeper.core.period import Days, Period
from shopkeeper.core.settings import Language
from shopkeeper.core.types import CannotSay
from shopkeeper.insight.reading.moods import NOT_YET
from shopkeeper.insight.reading.readers import ASPECTS, reader, version_of
from shopkeeper.insight.themes.listing import asked
from shopkeeper.insight.types import AspectCell, AspectMatrix, AspectRow, Span
from shopkeeper.stats.intervals import proportion
from shopkeeper.stats.summary import Proportion
from shopkeeper.tasks.house.written import labels
from shopkeeper.warehouse.source import Frame, Source

_LONGEST = 24
_AROUND = re.compile(r"^[\W_]+|[\W_]+$")
_CLAUSE = re.compile(r"[，。；！？、,;!?…]|\d")
_OPINIONS = 4
_GENERAL = "general"


def matrix(
    ctx: Context, since: Period, item_id: str | None, k: int, lang: Language
) -> AspectMatrix:
    """See the operation ``aspects``."""
    solver = reader(ctx.shop, ASPECTS)
    window = asked(ctx.shop, since)
    if isinstance(window, CannotSay):
        return AspectMatrix(period=None, answered_by=solver.name, rows=(), cannot_say=window)
    build = partial(opinions, version=version_of(solver), days=window, item_id=item_id)
    rows = ctx.shop.query(build).to_pylist()
    span = Span(start=window.start, end=window.end)
    if not rows:
        return AspectMatrix(period=span, answered_by=solver.name, rows=(), cannot_say=NOT_YET)
    by_item: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        if row["item_id"] is not None:
            by_item[row["item_id"]].append(row)
    spoken = {one: len({row["text_id"] for row in said}) for one, said in by_item.items()}
    order = sorted(spoken, key=lambda one: (-spoken[one], one))[:k]
    titles = _titles(ctx, order)
    whole = () if item_id is not None else (_row(None, None, rows, lang),)
    lines = tuple(_row(one, titles.get(one), by_item[one], lang) for one in order)
    return AspectMatrix(period=span, answered_by=solver.name, rows=(*whole, *lines))


def opinions(source: Source, *, version: str, days: Days, item_id: str | None) -> Frame:
    """One row an opinion: text_id, item_id, person, aspect, span, opinion, value."""
    read = source.readings(days).filter(
        nw.col("task") == ASPECTS, nw.col("model_version") == version, ~nw.col("label").is_null()
    )
    texts = source.texts(days)
    if item_id is not None:
        texts = texts.filter(nw.col("item_id") == item_id)
    texts = texts.select(
        "text_id", "item_id", person=nw.coalesce("customer_id", "thread_id", "text_id")
    )
    said = read.select(
        "text_id", "span", "opinion", "span_start", "span_end", "value", aspect=nw.col("label")
    )
    return said.join(texts, on="text_id", how="inner").sort("text_id", "span_start")


def name_of(aspect: str, lang: Language) -> str:
    """The aspect in words."""
    known = labels(ASPECTS).get(aspect, {})
    return str(known.get(lang, aspect))


def commonest(rows: Iterable[Mapping[str, Any]], most: int = _OPINIONS) -> tuple[str, ...]:
    """The words of judgement that most texts use, folded; where some recur, those alone, short ones first."""
    said = {(row["text_id"], word) for row in rows if (word := folded(row["opinion"]))}
    counts = Counter(word for _, word in said)
    least = min(2, max(counts.values(), default=0))
    ranked = sorted(counts, key=lambda one: (-counts[one], len(one), one))
    return tuple(word for word in ranked if counts[word] >= least)[:most]


def folded(opinion: str | None) -> str:
    """A judgement as it is counted: lower case, without signs around it; empty where it is no word.

    Readers also mark clauses: what has a sign inside, is long, or holds a number is left to the quotes.
    """
    word = _AROUND.sub("", (opinion or "").lower())
    return "" if len(word) > _LONGEST or _CLAUSE.search(word) else word


def _row(
    item_id: str | None, title: str | None, rows: list[Mapping[str, Any]], lang: Language
) -> AspectRow:
    by_aspect: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        by_aspect[row["aspect"] or _GENERAL].append(row)
    cells = [_cell(aspect, said, lang) for aspect, said in by_aspect.items()]
    cells.sort(key=lambda cell: (-cell.texts, cell.aspect))
    return AspectRow(
        item_id=item_id,
        title=title,
        texts=len({row["text_id"] for row in rows}),
        cells=tuple(cells),
    )


def _cell(aspect: str, rows: list[Mapping[str, Any]], lang: Language) -> AspectCell:
    # A text counts once: it blames when its judgements of the aspect sum to below nought.
    sums: Counter[str] = Counter()
    for row in rows:
        sums[row["text_id"]] += int(row["value"] or 0)
    positive = sum(total > 0 for total in sums.values())
    negative = sum(total < 0 for total in sums.values())
    return AspectCell(
        aspect=aspect,
        name=name_of(aspect, lang),
        texts=len(sums),
        positive=positive,
        negative=negative,
        blame=proportion(Proportion(positive + negative, negative)),
        opinions=commonest(rows),
    )


def _titles(ctx: Context, item_ids: list[str]) -> dict[str, str]:
    rows = ctx.shop.query(
        lambda source: (
            source.items().filter(nw.col("item_id").is_in(item_ids)).select("item_id", "title")
        )
    )
    return {row["item_id"]: row["title"] for row in rows.to_pylist() if row["title"]}
