"""One theme over time and through its history; and the names that people give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import narwhals as nw

from shopkeeper.core.errors import BadInput
from shopkeeper.core.operation import Context
from shopkeeper.core.period import Days, Period
from shopkeeper.core.settings import Language
from shopkeeper.core.text import normalise
from shopkeeper.core.types import CannotSay
from shopkeeper.insight.themes import quotes
from shopkeeper.insight.themes.listing import (
    NOT_YET,
    asked,
    current,
    named,
    read_with_author,
    share,
)
from shopkeeper.insight.themes.registering import PERSON
from shopkeeper.insight.types import (
    Cycle,
    Span,
    ThemeChange,
    ThemeChanges,
    ThemeDetail,
    ThemePoint,
)
from shopkeeper.metrics import calendar
from shopkeeper.stats.changes import rate
from shopkeeper.store import themes as store
from shopkeeper.warehouse.source import Frame, Source

_QUOTES = 6
_CHANGES = 20
_MOST_POINTS = 400
_LONGEST_NAME = 60


def detail(ctx: Context, theme_id: str, since: Period, cycle: Cycle, lang: Language) -> ThemeDetail:
    """See the operation ``theme``."""
    themes = store.Themes(ctx.shop.database)
    theme = themes.get(theme_id)
    every = themes.all()
    members = tuple(t.theme_id for t in every if t.parent_id == theme_id)
    versions, window = current(ctx.shop), asked(ctx.shop, since)
    reply = ThemeDetail(
        theme_id=theme.theme_id,
        name=named(theme, lang),
        names=dict(theme.names),
        named_by=theme.named_by,
        words=tuple(theme.words),
        language=theme.tongue,
        status=theme.status,
        members=members,
        period=None,
        points=(),
        quotes=(),
        changes=tuple(_change(c, theme, lang) for c in themes.changes(_CHANGES, theme_id)),
    )
    if isinstance(window, CannotSay) or not versions:
        why = window if isinstance(window, CannotSay) else NOT_YET
        return reply.model_copy(update={"cannot_say": why})
    if len(list(calendar.between(window, cycle))) > _MOST_POINTS:
        raise BadInput(
            f"{window} has more than {_MOST_POINTS} points by {cycle}.",
            hint="Ask by week or month, or for a shorter period.",
            field="cycle",
        )
    wanted = members or (theme_id,)
    said = quotes.of_themes(ctx.shop, dict.fromkeys(wanted, theme.words), versions, window, _QUOTES)
    mixed = [
        q for turn in range(_QUOTES) for q in (s[turn] for s in said.values() if turn < len(s))
    ]
    shown = {
        "period": Span(start=window.start, end=window.end),
        "points": _points(ctx, wanted, (versions, window, cycle)),
        "quotes": tuple(mixed[:_QUOTES]),
    }
    return reply.model_copy(update=shown)


def changes(ctx: Context, k: int, lang: Language) -> ThemeChanges:
    """See the operation ``theme_changes``."""
    themes = store.Themes(ctx.shop.database)
    known = {t.theme_id: t for t in themes.all(retired=True)}
    return ThemeChanges(
        changes=tuple(_change(c, known[c.theme_id], lang) for c in themes.changes(k))
    )


def rename(ctx: Context, theme_id: str, name: str, lang: Language) -> ThemeDetail:
    """See the operation ``rename_theme``."""
    told = normalise(name)
    if not told or len(told) > _LONGEST_NAME:
        raise BadInput(
            f"A name has 1 to {_LONGEST_NAME} characters.", hint="Name it anew.", field="name"
        )
    themes = store.Themes(ctx.shop.database)
    before = themes.get(theme_id).names.get(lang, "")
    what = {"before": before, "now": told, "by": PERSON}
    change = store.Change("", ctx.shop.now(), theme_id, "renamed", what)
    themes.rename(theme_id, {lang: told}, PERSON, change)
    return detail(ctx, theme_id, Period("90d"), "week", lang)


def _change(change: store.Change, theme: store.Theme, lang: Language) -> ThemeChange:
    details = {k: tuple(v) if isinstance(v, list) else v for k, v in change.details.items()}
    return ThemeChange(
        theme_id=change.theme_id,
        name=named(theme, lang),
        time=change.time,
        change=change.change,
        details=details,
    )


def _points(
    ctx: Context, theme_ids: Sequence[str], asked_for: tuple[Sequence[str], Days, Cycle]
) -> tuple[ThemePoint, ...]:
    versions, window, cycle = asked_for
    build = partial(
        _by_cycle, theme_ids=tuple(theme_ids), versions=versions, window=window, cycle=cycle
    )
    rows: Mapping[int, Any] = {r["bucket"]: r for r in ctx.shop.query(build).to_pylist()}
    points = []
    for number in calendar.between(window, cycle):
        whole = calendar.days(number, cycle)
        start, end = max(whole.start, window.start), min(whole.end, window.end)
        row = rows.get(number, {"texts": 0, "authors": 0, "all": 0})
        points.append(
            ThemePoint(
                start=start,
                end=end,
                partial=Days(start, end) != whole,
                texts=row["texts"],
                rate=rate(row["authors"]),
                share=share(row["texts"], row["all"]),
            )
        )
    return tuple(points)


def _by_cycle(
    source: Source, theme_ids: Sequence[str], versions: Sequence[str], window: Days, cycle: Cycle
) -> Frame:
    inside = nw.col("theme_id").is_in(list(theme_ids)).fill_null(value=False)
    rows = read_with_author(source, versions, window).with_columns(
        bucket=calendar.bucket(nw.col("day"), cycle),
        hit=nw.when(inside).then(nw.lit(1)).otherwise(nw.lit(0)),
    )
    # People of the theme alone: a text of another theme counts for nobody.
    whose = nw.when(nw.col("hit") == 1).then(nw.col("person"))
    people = rows.with_columns(whose=whose).filter(~nw.col("whose").is_null())
    counted = people.group_by("bucket").agg(authors=nw.col("whose").n_unique())
    every = rows.group_by("bucket").agg(all=nw.len(), texts=nw.col("hit").sum().cast(nw.Int64))
    joined = every.join(counted, on="bucket", how="left")
    return joined.with_columns(authors=nw.col("authors").fill_null(0)).sort("bucket")
