"""What `insight` can do."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from shopkeeper.core.operation import READ, WRITE, Context, operation
from shopkeeper.core.period import Period
from shopkeeper.core.settings import Language
from shopkeeper.insight.types import (
    AspectMatrix,
    Creatives,
    Cycle,
    HotTopics,
    LabelCard,
    LabelStatus,
    Marked,
    Moods,
    Named,
    Personas,
    Queued,
    Read,
    Taught,
    TextDetail,
    ThemeChanges,
    ThemeDetail,
    Themes,
    Updated,
    Voices,
)

_MONTH = Period("30d")
_QUARTER = Period("90d")
_ALL = Period("all")

Few = Annotated[int, Field(ge=1, le=200)]
Share = Annotated[float, Field(gt=0, lt=0.5)]
Labels = Annotated[int, Field(ge=0, le=20_000)]
MarkedSpans = Annotated[tuple[Marked, ...], Field(max_length=50)]
Rate = Annotated[float, Field(gt=0, le=50)]


@operation(effect=WRITE, example={}, job=True)
def update_themes(ctx: Context, afresh: bool = False) -> Updated:
    """Read the texts that are new; where they no longer fit, find the themes anew and keep the ids.

    A text that was read is not read again until the themes are fitted again. ``afresh`` looks for
    all themes anew, as if there were none, and matches them with those there were.
    """
    from shopkeeper.insight.themes.updating import update

    return update(ctx, afresh=afresh)


@operation(effect=READ, example={"since": "30d", "k": 10})
def themes(
    ctx: Context, since: Period = _MONTH, k: Few = 20, lang: Language = "en", quotes: bool = True
) -> Themes:
    """The themes customers write about, with their share, change and quotes."""
    from shopkeeper.insight.themes.listing import listed

    return listed(ctx, since, k, lang, quotes=quotes)


@operation(effect=READ, example={"theme_id": "T1"})
def theme(
    ctx: Context,
    theme_id: str,
    since: Period = _QUARTER,
    cycle: Cycle = "week",
    lang: Language = "en",
) -> ThemeDetail:
    """One theme or group of themes over time, with its words, quotes and history."""
    from shopkeeper.insight.themes.detail import detail

    return detail(ctx, theme_id, since, cycle, lang)


@operation(effect=READ, example={"k": 20})
def theme_changes(ctx: Context, k: Few = 50, lang: Language = "en") -> ThemeChanges:
    """What became of themes from fit to fit: new, renamed, split, merged, retired; newest first."""
    from shopkeeper.insight.themes.detail import changes

    return changes(ctx, k, lang)


@operation(effect=WRITE, example={"theme_id": "T1", "name": "Late parcels", "lang": "en"})
def rename_theme(ctx: Context, theme_id: str, name: str, lang: Language = "en") -> ThemeDetail:
    """Give a theme a name of your own in one language; later fits keep it."""
    from shopkeeper.insight.themes.detail import rename

    return rename(ctx, theme_id, name, lang)


@operation(effect=WRITE, example={}, job=True)
def name_themes(ctx: Context, model: str = "", again: bool = False) -> Named:
    """Let the shop's language model (or the one named) give themes a name in Chinese and in English.

    Names that a person gave stay; ``again`` also renews those that a model gave.
    """
    from shopkeeper.insight.themes.titling import name_themes as verb

    return verb(ctx, model, again=again)


@operation(effect=READ, example={})
def hot(
    ctx: Context,
    day: date | None = None,
    false_alarms_per_quarter: Rate = 1.0,
    k: Few = 10,
    lang: Language = "en",
) -> HotTopics:
    """What more people write about than in the weeks before, with a stated rate of false alarms."""
    from shopkeeper.insight.hot import hot as verb

    return verb(ctx, day, false_alarms_per_quarter, k, lang)


@operation(effect=WRITE, example={}, job=True)
def read(ctx: Context, escalate: Labels = 0) -> Read:
    """Read the texts that are new: how they judge, what of, what they wish for and what they ask.

    By the shop's own students where it has trained some, else by the shipped readers. Yesterday's texts
    are not read again unless their reader has changed. Of the texts that a student is not sure enough of
    for its promise, at most ``escalate`` a task go to the shop's language model, and some wait for a person.
    """
    from shopkeeper.insight.reading.run import read as verb

    return verb(ctx, escalate)


@operation(effect=READ, example={"since": "90d", "by": "category"})
def sentiment(
    ctx: Context,
    since: Period = _QUARTER,
    by: Literal["item_id", "category", "brand", "kind", "language"] | None = None,
    cycle: Cycle = "week",
    k: Few = 20,
    lang: Language = "en",
) -> Moods:
    """How customers' texts judge: shares with intervals, corrected for the reader's errors by labels."""
    from shopkeeper.insight.reading.moods import moods

    return moods(ctx, since, by, cycle, k, lang)


@operation(effect=READ, example={"since": "90d", "k": 5})
def aspects(
    ctx: Context,
    since: Period = _QUARTER,
    item_id: str | None = None,
    k: Few = 20,
    lang: Language = "en",
) -> AspectMatrix:
    """What is praised and blamed, aspect by aspect, for the shop and each product."""
    from shopkeeper.insight.reading.aspects import matrix

    return matrix(ctx, since, item_id, k, lang)


@operation(effect=READ, example={"since": "90d", "k": 5})
def voices(
    ctx: Context,
    since: Period = _QUARTER,
    item_id: str | None = None,
    customers: tuple[str, ...] = (),
    k: Few = 5,
    lang: Language = "en",
) -> Voices:
    """What customers praise, object to and wish for, in their own words; of a product or some people."""
    from shopkeeper.insight.reading.voices import voices as verb

    return verb(ctx, since, item_id, frozenset(customers), k, lang)


@operation(effect=READ, example={"text_id": "t1"})
def text(ctx: Context, text_id: str, lang: Language = "en") -> TextDetail:
    """One text with its author, its item, and what was read in it."""
    from shopkeeper.insight.reading.detail import detail

    return detail(ctx, text_id, lang)


@operation(effect=WRITE, example={"task": "sentiment", "count": 20})
def queue_labels(
    ctx: Context, task: str = "sentiment", since: Period = _QUARTER, count: Few = 50
) -> Queued:
    """Choose texts that a person should label next: some at random, some that the reader is unsure of."""
    from shopkeeper.insight.labelling.queue import fill

    return fill(ctx, task, since, count)


@operation(effect=WRITE, example={"task": "sentiment"})
def next_label(ctx: Context, task: str = "sentiment") -> LabelCard:
    """The next text to label, with the question and the labels; it is yours for ten minutes."""
    from shopkeeper.insight.labelling.queue import claim

    return claim(ctx, task)


@operation(effect=WRITE, example={"task": "sentiment", "text_id": "t1", "label": "positive"})
def give_label(ctx: Context, text_id: str, label: str, task: str = "sentiment") -> LabelStatus:
    """Label the text that you hold."""
    from shopkeeper.insight.labelling.queue import give

    return give(ctx, task, text_id, label)


_SPANS = [{"aspect": "物流", "opinion": "很快", "category": "delivery", "polarity": "positive"}]


@operation(effect=WRITE, example={"text_id": "t1", "spans": _SPANS})
def give_spans(
    ctx: Context, text_id: str, spans: MarkedSpans, task: str = "aspects"
) -> LabelStatus:
    """Mark what the text that you hold judges: which words, of which aspect, and how.

    No span at all says that it judges nothing.
    """
    from shopkeeper.insight.labelling.queue import give_spans as give_them

    return give_them(ctx, task, text_id, spans)


@operation(effect=WRITE, example={"task": "sentiment", "text_id": "t1"})
def skip_label(ctx: Context, text_id: str, task: str = "sentiment") -> LabelStatus:
    """Put the text that you hold aside: it cannot be labelled."""
    from shopkeeper.insight.labelling.queue import skip

    return skip(ctx, task, text_id)


@operation(effect=WRITE, example={"task": "sentiment"})
def undo_label(ctx: Context, task: str = "sentiment") -> LabelCard:
    """Take back your last label or skip, and see that text again."""
    from shopkeeper.insight.labelling.queue import undo

    return undo(ctx, task)


@operation(effect=READ, example={"task": "sentiment"})
def label_status(ctx: Context, task: str = "sentiment") -> LabelStatus:
    """How many texts wait and are labelled, by whom, and what models cost."""
    from shopkeeper.insight.labelling.queue import status

    return status(ctx, task)


@operation(effect=WRITE, example={"task": "sentiment", "count": 0}, job=True)
def teach(
    ctx: Context,
    task: str = "sentiment",
    since: Period = _ALL,
    count: Labels = 1000,
    model: str = "",
    alpha: Share = 0.05,
    delta: Share = 0.05,
) -> Taught:
    """Train the shop's own reader: a language model labels a sample, a student learns to read like it.

    At most ``alpha`` of what the student answers alone differs from its teacher, with confidence
    1 - ``delta``. With ``count`` 0 it learns from the labels there are, people's too.
    """
    from shopkeeper.insight.labelling.teaching import teach as verb

    return verb(ctx, task, since, count, model, alpha, delta)


@operation(effect=READ, example={})
def creatives(ctx: Context, since: Period = _ALL) -> Creatives:
    """The elements of advertising creatives and how they go with the click-through rate, within tests."""
    from shopkeeper.insight.creatives import creatives as verb

    return verb(ctx, since)


@operation(effect=READ, example={"since": "90d"})
def personas(ctx: Context, since: Period = _ALL) -> Personas:
    """Groups of customers by what they do and say, what sets each apart, or that there are no clear ones."""
    from shopkeeper.insight.personas import personas as verb

    return verb(ctx, since)


@operation(effect=WRITE, example={"since": "90d"})
def name_personas(ctx: Context, since: Period = _ALL, model: str = "") -> Personas:
    """The personas with names by the shop's language model, or by the one named.

    It is shown what sets each apart, and no text or id of a customer. What it was asked before is answered
    from memory.
    """
    from shopkeeper.insight.personas import personas as verb
    from shopkeeper.insight.titles import by_model

    return by_model(ctx, verb(ctx, since), model)
