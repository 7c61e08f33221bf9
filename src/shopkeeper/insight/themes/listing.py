"""The themes of a period, with their share, how it changed, and quotes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import narwhals as nw

from shopkeeper.core.operation import Context
from shopkeeper.core.period import Days, Period
from shopkeeper.core.settings import Language
from shopkeeper.core.types import CannotSay, Estimate
from shopkeeper.insight.themes import quotes as quoting
from shopkeeper.insight.themes import sample
from shopkeeper.insight.themes.words import TONGUES
from shopkeeper.insight.types import Quote, Span, ThemeLine, Themes
from shopkeeper.shop.shop import Shop
from shopkeeper.stats.intervals import difference, proportion
from shopkeeper.stats.summary import Proportion
from shopkeeper.store import themes as store
from shopkeeper.warehouse.source import Frame, Source

_QUOTES = 2
_SOONER = CannotSay(
    reason="There are no texts from the period before.",
    needed="an earlier text",
    code="no_texts_before",
)
NOT_YET = CannotSay(
    reason="The themes of this shop have not been looked for yet.",
    needed="texts, and: shopkeeper insight update-themes",
    code="no_themes_yet",
)

Tally = dict[str | None, tuple[int, int]]
"""By theme (None: none), how many texts have it and how many people wrote them."""


def listed(ctx: Context, since: Period, k: int, lang: Language, *, quotes: bool) -> Themes:
    """See the operation ``themes``."""
    versions = current(ctx.shop)
    window = asked(ctx.shop, since)
    why = window if isinstance(window, CannotSay) else None if versions else NOT_YET
    if why is not None or isinstance(window, CannotSay):
        return Themes(period=None, texts=0, without_theme=0, themes=(), cannot_say=why)
    now, then = (tally(ctx.shop, days, versions) for days in (window, window.before()))
    known = {t.theme_id: t for t in store.Themes(ctx.shop.database).all()}
    order = sorted((one for one in now if one in known), key=lambda one: (-now[one][0], one))[:k]
    said: dict[str, tuple[Quote, ...]] = {}
    if quotes:
        wanted = {one: known[one].words for one in order if one is not None}
        said = quoting.of_themes(ctx.shop, wanted, versions, window, _QUOTES)
    totals = sum(n for n, _ in now.values()), sum(n for n, _ in then.values())
    lines = tuple(
        _line(known[one], known, (now[one], then.get(one, (0, 0))), totals, lang).model_copy(
            update={"quotes": said.get(one, ())}
        )
        for one in order
        if one is not None
    )
    without = now.get(None, (0, 0))[0]
    span = Span(start=window.start, end=window.end)
    return Themes(period=span, texts=totals[0], without_theme=without, themes=lines)


def current(shop: Shop) -> list[str]:
    """The versions by which texts are read now, one for each language that has themes."""
    themes = store.Themes(shop.database)
    return [fit.version for one in TONGUES if (fit := themes.current(one)) is not None]


def asked(shop: Shop, since: Period) -> Days | CannotSay:
    """The days meant by ``since``, where customers' texts run from the first to the last."""
    days = shop.query(
        lambda s: sample.spoken(s).select(first=nw.col("day").min(), last=nw.col("day").max())
    ).to_pylist()
    if not days or days[0]["first"] is None:
        return CannotSay(
            reason="The shop has no texts by customers yet.",
            needed="reviews, posts, chats or tickets",
            code="no_texts",
        )
    first, last = days[0]["first"], days[0]["last"]
    meant = since.resolve(first, last)
    start, end = max(meant.start, first), min(meant.end, last)
    if start > end:
        return CannotSay(
            reason=f"There are no texts for {meant}: they run from {first} to {last}.",
            needed="a period within those days",
            code="no_texts_then",
            values={"first": str(first), "last": str(last)},
        )
    return Days(start, end)


def tally(shop: Shop, days: Days, versions: Sequence[str]) -> Tally:
    """How often each theme is spoken of on these days."""
    rows = shop.query(partial(_tallied, days=days, versions=versions)).to_pylist()
    return {row["theme_id"]: (row["texts"], row["authors"]) for row in rows}


def read_with_author(source: Source, versions: Sequence[str], days: Days | None) -> Frame:
    """One row a text that was read: text_id, day, theme_id, person (the text's own id: nobody known)."""
    texts = sample.spoken(source, days).select("text_id", "author")
    read = sample.read_rows(source, versions, days).join(texts, on="text_id", how="inner")
    return read.with_columns(person=nw.coalesce("author", "text_id"))


def _tallied(source: Source, days: Days, versions: Sequence[str]) -> Frame:
    return (
        read_with_author(source, versions, days)
        .group_by("theme_id")
        .agg(texts=nw.len(), authors=nw.col("person").n_unique())
    )


def share(hits: int, total: int) -> Estimate | CannotSay:
    """A share of texts with its interval."""
    return proportion(Proportion(n=total, hits=hits))


def named(theme: store.Theme, lang: Language) -> str:
    """The theme's name in that language, or in the one its words are in."""
    return str(theme.names.get(lang) or theme.names.get(theme.tongue) or theme.theme_id)


def _line(
    theme: store.Theme,
    known: dict[str, store.Theme],
    counted: tuple[tuple[int, int], tuple[int, int]],
    totals: tuple[int, int],
    lang: Language,
) -> ThemeLine:
    (texts, authors), (before, _) = counted
    parent = known.get(theme.parent_id or "")
    now, then = share(texts, totals[0]), share(before, totals[1]) if totals[1] else _SOONER
    change: Any = _SOONER
    if isinstance(now, Estimate) and isinstance(then, Estimate):
        change = difference(now, then)
    return ThemeLine(
        theme_id=theme.theme_id,
        name=named(theme, lang),
        words=tuple(theme.words),
        language=theme.tongue,
        group_id=parent.theme_id if parent else None,
        group=named(parent, lang) if parent else None,
        texts=texts,
        authors=authors,
        share=now,
        before=then,
        change=change,
        stability=theme.stability,
    )
