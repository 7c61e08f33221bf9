"""How customers' texts judge: shares with intervals, corrected where labels allow."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from functools import partial
from typing import Any, Final

import narwhals as nw
import numpy as np

from shopkeeper.core.operation import Context
from shopkeeper.core.period import Days, Period
from shopkeeper.core.settings import Language
from shopkeeper.core.types import CannotSay
from shopkeeper.insight.reading.readers import POLARITY, SENTIMENT, reader, version_of
from shopkeeper.insight.reading.serving import UNSURE, promised
from shopkeeper.insight.themes.listing import asked
from shopkeeper.insight.types import Cycle, Mood, MoodPoint, Moods, Span
from shopkeeper.shop.shop import Shop
from shopkeeper.stats import ppi
from shopkeeper.stats.intervals import proportion
from shopkeeper.stats.ppi import Powered
from shopkeeper.stats.summary import Proportion
from shopkeeper.store.labels import Labels
from shopkeeper.warehouse.source import Frame, Source

NOT_YET: Final = CannotSay(
    reason="The texts of this period have not been read yet.",
    needed="texts, and: shopkeeper insight read",
    code="unread",
)
GROUPS: Final = ("item_id", "category", "brand", "kind", "language")

_ITEM_COLUMNS: Final = ("category", "brand")


def moods(
    ctx: Context, since: Period, by: str | None, cycle: Cycle, k: int, lang: Language
) -> Moods:
    """See the operation ``sentiment``."""
    shop = ctx.shop
    solver = reader(shop, SENTIMENT)
    window = asked(shop, since)
    if isinstance(window, CannotSay):
        return _none(window, solver.name)
    rows = shop.query(partial(_judged, version=version_of(solver), days=window, by=by)).to_pylist()
    if not rows:
        return _none(NOT_YET, solver.name)
    labelled = _labelled(shop)
    groups: dict[Any, list[Mapping[str, Any]]] = {}
    for row in rows if by else ():
        groups.setdefault(row["grp"], []).append(row)
    largest = sorted(groups, key=lambda g: (-len(groups[g]), str(g)))[:k]
    return Moods(
        period=Span(start=window.start, end=window.end),
        answered_by=solver.name,
        unsure=sum(row["answered_by"].endswith(UNSURE) for row in rows),
        promise=promised(solver, lang),
        whole=_mood(None, rows, labelled),
        groups=tuple(_mood(group, groups[group], labelled) for group in largest),
        points=_points(rows, cycle),
    )


def _judged(source: Source, *, version: str, days: Days, by: str | None) -> Frame:
    """One row a text: text_id, day, label and, with ``by``, its group."""
    read = source.readings(days).filter(
        nw.col("task") == SENTIMENT,
        nw.col("model_version") == version,
        ~nw.col("label").is_null(),
    )
    rows = read.select("text_id", "day", "label", "answered_by")
    if by is None:
        return rows
    texts = source.texts(days).select("text_id", "item_id", "kind", "language")
    if by in _ITEM_COLUMNS:
        items = source.items().select("item_id", grp=nw.col(by))
        texts = texts.join(items, on="item_id", how="left")
    else:
        texts = texts.with_columns(grp=nw.col(by))
    return rows.join(texts.select("text_id", "grp"), on="text_id", how="inner")


def _labelled(shop: Shop) -> dict[str, str]:
    """Labels of random samples by text: a person's where there is one, else a teacher's.

    A text that somebody's label taught from is left out: its reader would look better than it is.
    """
    store = Labels(shop.database)
    taught = {one.text_id for one in store.of(SENTIMENT, purpose="train")}
    given = [
        *store.of(SENTIMENT, purpose="calibration", kind="teacher"),
        *store.of(SENTIMENT, purpose="audit", kind="person"),
    ]
    return {
        one.text_id: str(one.value)
        for one in given
        if one.value in POLARITY and one.text_id not in taught
    }


def _mood(group: Any, rows: list[Mapping[str, Any]], labelled: Mapping[str, str]) -> Mood:
    known = [row for row in rows if row["text_id"] in labelled]
    corrected = len(known) >= ppi.LEAST_LABELS
    shares = {}
    for name in POLARITY:
        hits = sum(row["label"] == name for row in rows)
        if corrected:
            said = np.array([labelled[row["text_id"]] == name for row in known], dtype=np.float64)
            read = np.array([row["label"] == name for row in known], dtype=np.float64)
            sample = Powered(labels=said, predicted=read, count=len(rows), mean=hits / len(rows))
            shares[name] = ppi.proportion(sample)
        else:
            shares[name] = proportion(Proportion(len(rows), hits))
    return Mood(
        group=None if group is None else str(group),
        texts=len(rows),
        corrected=corrected,
        labels=len(known),
        **shares,
    )


def _points(rows: list[Mapping[str, Any]], cycle: Cycle) -> tuple[MoodPoint, ...]:
    found: dict[date, dict[str, int]] = {}
    for row in rows:
        counts = found.setdefault(start_of(row["day"], cycle), dict.fromkeys(POLARITY, 0))
        counts[row["label"]] += 1
    return tuple(MoodPoint(start=day, **found[day]) for day in sorted(found))


def start_of(day: date, cycle: Cycle) -> date:
    """The first day of the day's week (Monday), of its month, or itself."""
    if cycle == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if cycle == "month" else day


def _none(why: CannotSay, by: str) -> Moods:
    return Moods(
        period=None, answered_by=by, unsure=0, promise=None, whole=None, groups=(), points=(),
        cannot_say=why,
    )  # fmt: skip
