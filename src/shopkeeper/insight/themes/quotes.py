"""Quotes: the words of customers, cut from the texts that speak a theme most clearly."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any

import narwhals as nw

from shopkeeper.core.period import Days
from shopkeeper.insight.themes import sample
from shopkeeper.insight.themes.words import clean
from shopkeeper.insight.types import Quote
from shopkeeper.shop.shop import Shop
from shopkeeper.warehouse.source import Frame, Source

_LONGEST = 160
_LOOKED_AT = 12  # candidates for each quote: some are copies, or by the same author
_SENTENCE = re.compile(r"[^。！？!?\n.]+[。！？!?\n.]*")


Row = dict[str, Any]
"""A text as it is quoted from: text_id, theme_id, day, body, author, item_id."""


def of_themes(
    shop: Shop,
    themes: Mapping[str, Sequence[str]],
    versions: Sequence[str],
    days: Days,
    each: int,
) -> dict[str, tuple[Quote, ...]]:
    """Up to ``each`` quotes of every theme (id → its words), by different people, clearest first."""
    found = rows_of_themes(shop, themes, versions, days, each)
    return {one: chosen(rows, themes[one], each) for one, rows in found.items()}


def rows_of_themes(
    shop: Shop, themes: Collection[str], versions: Sequence[str], days: Days, each: int
) -> dict[str, list[Row]]:
    """The texts of every theme that speak it most clearly, enough to choose ``each`` quotes from."""
    build = partial(_clearest, themes=tuple(themes), versions=versions, days=days, each=each)
    found: dict[str, list[Row]] = {one: [] for one in themes}
    for row in shop.query(build).to_pylist():
        found[row["theme_id"]].append(row)
    return found


def chosen(
    rows: Sequence[Mapping[str, Any]], words: Collection[str], each: int
) -> tuple[Quote, ...]:
    """Quotes from these rows in their order: no author and no text twice."""
    quotes: list[Quote] = []
    authors: set[str] = set()
    texts: set[str] = set()
    for row in rows:
        author, same = row["author"] or row["text_id"], clean(row["body"])
        if author in authors or same in texts:
            continue
        authors.add(author)
        texts.add(same)
        quotes.append(quote(row, words))
        if len(quotes) == each:
            break
    return tuple(quotes)


def quote(row: Mapping[str, Any], words: Collection[str]) -> Quote:
    """The run of sentences, at most 160 characters, that has most of the words; verbatim."""
    body: str = row["body"]
    pieces = [(m.start(), m.end()) for m in _SENTENCE.finditer(body)] or [(0, len(body))]
    lowered = body.lower()
    scores = [sum(word in clean(lowered[a:b]) for word in words) for a, b in pieces]
    first = last = max(range(len(pieces)), key=scores.__getitem__)
    while last + 1 < len(pieces) and pieces[last + 1][1] - pieces[first][0] <= _LONGEST:
        last += 1
    while first > 0 and pieces[last][1] - pieces[first - 1][0] <= _LONGEST:
        first -= 1
    start, end = pieces[first][0], min(pieces[last][1], pieces[first][0] + _LONGEST)
    text = body[start:end].strip()
    return Quote(
        text_id=row["text_id"],
        text=text,
        day=row["day"],
        item_id=row["item_id"],
        cut=text != body.strip(),
    )


def _clearest(
    source: Source, themes: Sequence[str], versions: Sequence[str], days: Days, each: int
) -> Frame:
    read = sample.read_rows(source, versions, days).filter(nw.col("theme_id").is_in(list(themes)))
    ranked = read.with_columns(weak=-nw.col("evidence"), one=nw.lit(1)).with_columns(
        place=nw.col("one").cum_sum().over("theme_id", order_by=["weak", "text_id"])
    )
    top = ranked.filter(nw.col("place") <= each * _LOOKED_AT).select("text_id", "theme_id", "place")
    texts = sample.spoken(source, days).select("text_id", "day", "body", "author", "item_id")
    return top.join(texts, on="text_id", how="inner").sort("theme_id", "place")
