"""What customers praise, object to and wish for: counted by person, told in their own words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any, Final

import narwhals as nw

from shopkeeper.core.operation import Context
from shopkeeper.core.period import Days, Period
from shopkeeper.core.settings import Language
from shopkeeper.core.types import CannotSay
from shopkeeper.insight.reading import aspects
from shopkeeper.insight.reading.moods import NOT_YET
from shopkeeper.insight.reading.readers import ASPECTS, WISHES, reader, version_of
from shopkeeper.insight.reading.wishes import VERSION
from shopkeeper.insight.themes.listing import asked
from shopkeeper.insight.themes.quotes import chosen
from shopkeeper.insight.types import Quote, Span, Voice, Voices
from shopkeeper.warehouse.source import Frame, Source

_QUOTES: Final = 2

Row = Mapping[str, Any]


def voices(
    ctx: Context,
    since: Period,
    item_id: str | None,
    customers: Collection[str],
    k: int,
    lang: Language,
) -> Voices:
    """See the operation ``voices``."""
    window = asked(ctx.shop, since)
    if isinstance(window, CannotSay):
        return _none(window, item_id)
    version = version_of(reader(ctx.shop, ASPECTS))
    build = partial(aspects.opinions, version=version, days=window, item_id=item_id)
    rows: list[Row] = ctx.shop.query(build).to_pylist()
    wished: list[Row] = ctx.shop.query(partial(_wished, days=window, item_id=item_id)).to_pylist()
    if customers:
        rows = [row for row in rows if row["person"] in customers]
        wished = [row for row in wished if row["author"] in customers]
    if not rows and not wished:
        return _none(NOT_YET, item_id)
    praise, objections = (
        _loudest([row for row in rows if (row["value"] or 0) * sign > 0], k) for sign in (1, -1)
    )
    quotable = [row["text_id"] for _, said in (*praise, *objections) for row in said]
    bodies = _bodies(ctx, window, quotable)
    return Voices(
        period=Span(start=window.start, end=window.end),
        item_id=item_id,
        people=len({row["person"] for row in rows} | {row["author"] for row in wished}),
        praise=tuple(_voice(aspect, said, bodies, lang) for aspect, said in praise),
        objections=tuple(_voice(aspect, said, bodies, lang) for aspect, said in objections),
        wishes=_wishes(wished, k),
    )


def _loudest(rows: list[Row], k: int) -> list[tuple[str, list[Row]]]:
    """The ``k`` aspects that most people speak of, with what they say."""
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row["aspect"]].append(row)
    people = {aspect: len({row["person"] for row in said}) for aspect, said in found.items()}
    order = sorted(found, key=lambda aspect: (-people[aspect], aspect))[:k]
    return [(aspect, found[aspect]) for aspect in order]


def _voice(aspect: str, rows: Sequence[Row], bodies: Mapping[str, Row], lang: Language) -> Voice:
    words = aspects.commonest(rows)
    # Who uses the commonest words first: a quote should show what many mean.
    ranked = sorted(rows, key=lambda row: (_place(words, row["opinion"]), row["text_id"]))
    texts = {row["text_id"]: bodies[row["text_id"]] for row in ranked if row["text_id"] in bodies}
    spoken = {word for row in ranked for word in (row["span"], row["opinion"]) if word}
    return Voice(
        aspect=aspect,
        name=aspects.name_of(aspect, lang),
        people=len({row["person"] for row in rows}),
        opinions=words,
        quotes=chosen(list(texts.values()), {word.lower() for word in spoken}, _QUOTES),
    )


def _place(words: Sequence[str], opinion: str | None) -> int:
    said = aspects.folded(opinion)
    return words.index(said) if said in words else len(words)


def _bodies(ctx: Context, days: Days, text_ids: Sequence[str]) -> dict[str, Row]:
    wanted = ctx.shop.query(
        lambda source: (
            source.texts(days)
            .filter(nw.col("text_id").is_in(sorted(set(text_ids))))
            .select(
                "text_id", "day", "body", "item_id", author=nw.coalesce("customer_id", "thread_id")
            )
        )
    )
    return {row["text_id"]: row for row in wanted.to_pylist()}


def _wished(source: Source, *, days: Days, item_id: str | None) -> Frame:
    """Sentences that wish for something, newest first."""
    read = source.readings(days).filter(
        nw.col("task") == WISHES, nw.col("model_version") == VERSION, ~nw.col("span").is_null()
    )
    texts = source.texts(days)
    if item_id is not None:
        texts = texts.filter(nw.col("item_id") == item_id)
    texts = texts.select(
        "text_id", "item_id", "body", author=nw.coalesce("customer_id", "thread_id")
    )
    joined = read.select("text_id", "day", "span").join(texts, on="text_id", how="inner")
    return joined.sort("day", "text_id", descending=[True, False])


def _wishes(rows: Sequence[Row], k: int) -> tuple[Quote, ...]:
    """The newest wishes, one a person."""
    found: dict[str, Quote] = {}
    for row in rows:
        found.setdefault(
            row["author"] or row["text_id"],
            Quote(
                text_id=row["text_id"],
                text=row["span"][:200],
                day=row["day"],
                item_id=row["item_id"],
                cut=row["span"].strip() != row["body"].strip(),
            ),
        )
    return tuple(found.values())[:k]


def _none(why: CannotSay, item_id: str | None) -> Voices:
    return Voices(
        period=None, item_id=item_id, people=0, praise=(), objections=(), wishes=(), cannot_say=why
    )
