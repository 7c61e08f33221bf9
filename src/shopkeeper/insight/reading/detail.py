"""One text: whose it is, what it is about, and what was read in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

import narwhals as nw

from shopkeeper.core.errors import NotFound
from shopkeeper.core.operation import Context
from shopkeeper.core.settings import Language
from shopkeeper.insight.reading.readers import SENTIMENT, TASKS
from shopkeeper.insight.reading.run import current
from shopkeeper.insight.themes import listing, sample
from shopkeeper.insight.types import TextDetail, TextReading
from shopkeeper.store.themes import Themes
from shopkeeper.tasks.house import written
from shopkeeper.warehouse.source import Frame, Source

_COLUMNS = (
    "text_id", "kind", "author_role", "customer_id", "thread_id", "item_id", "day", "language",
    "title", "body", "rating", "source", "url",
)  # fmt: skip


_ORDER: Final = {task: place for place, task in enumerate((SENTIMENT, sample.TASK, *TASKS))}
"""The judgement of the whole first, then its theme, then the rest."""


def detail(ctx: Context, text_id: str, lang: Language) -> TextDetail:
    """See the operation ``text``. It names nobody whose data are restricted.

    Raises:
        NotFound: there is no such text.
    """
    found = ctx.shop.query(partial(_text, text_id=text_id)).to_pylist()
    if not found:
        raise NotFound(f"There is no text {text_id!r}.", hint="Check the id.", field="text_id")
    row = found[0]
    read = ctx.shop.query(
        lambda source: source.readings().filter(
            nw.col("text_id") == text_id, ~nw.col("label").is_null() | ~nw.col("span").is_null()
        )
    ).to_pylist()
    now = current(ctx.shop, TASKS)
    themes = set(listing.current(ctx.shop))
    read.sort(key=lambda one: (_ORDER.get(one["task"], len(_ORDER)), one["position"]))
    counted = [
        one
        for one in read
        if one["model_version"] == now.get(one["task"])
        or (one["task"] == sample.TASK and one["model_version"] in themes)
    ]
    return TextDetail(
        **{name: row[name] for name in _COLUMNS},
        item=row["item"],
        readings=tuple(_readings(ctx, counted, lang)),
    )


def _text(source: Source, *, text_id: str) -> Frame:
    items = source.items().select("item_id", item="title")
    texts = source.texts().filter(nw.col("text_id") == text_id).select(*_COLUMNS)
    return texts.join(items, on="item_id", how="left")


def _readings(ctx: Context, rows: Sequence[Mapping[str, Any]], lang: Language) -> list[TextReading]:
    themes = {one.theme_id: one for one in Themes(ctx.shop.database).all()}
    found = []
    for row in rows:
        label = row["label"]
        name = _named(row["task"], label, lang)
        if row["task"] == sample.TASK and label in themes:
            name = listing.named(themes[label], lang)
        found.append(
            TextReading(
                task=row["task"],
                label=label,
                name=name,
                span=row["span"],
                opinion=row["opinion"],
                value=row["value"],
                confidence=row["confidence"],
                answered_by=row["answered_by"],
            )
        )
    return found


def _named(task: str, label: str | None, lang: Language) -> str:
    """What a label is called, or the label itself."""
    if label is None:
        return ""
    known = written.labels(task) if (written.DATA / task).is_dir() else {}
    return str(known.get(label, {}).get(lang, label))
