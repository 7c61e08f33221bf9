"""Hot topics: what more people write of than before, joined where it stands in the same texts."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import Any

import narwhals as nw

from shopkeeper.core.operation import Context
from shopkeeper.core.period import Days
from shopkeeper.core.seeds import bucket
from shopkeeper.core.settings import Language
from shopkeeper.core.text import digest
from shopkeeper.core.types import CannotSay
from shopkeeper.insight.rising import HORIZON, QUARTER, RISE, Alarm, Spoken
from shopkeeper.insight.themes import sample
from shopkeeper.insight.themes.listing import current, named
from shopkeeper.insight.themes.quotes import chosen
from shopkeeper.insight.themes.words import Tongue
from shopkeeper.insight.types import HotTopic, HotTopics
from shopkeeper.shop.shop import Shop
from shopkeeper.stats.changes import times
from shopkeeper.store.themes import Themes
from shopkeeper.warehouse.source import Frame, Source

MOST_TEXTS = 200_000
"""More texts are thinned by person: a share of all people says as well what rises."""

_LEAST_TEXTS = 50
_TOGETHER = 0.5
_QUOTES = 3
_WORDS = 8
_SAID = 2  # texts of the topic, for a word to describe it
_THEME = "theme "
_ASPECTS = "aspects"
_LEVELS = " > "
_CHANCES = 1_000_000


@dataclass(frozen=True)
class Heard:
    """The texts of one language: rows as read, and their words and labels by day and person.

    Labels are what was read in the texts before: their theme, the aspects they judge. There are few of
    them and each gathers many wordings, so they rise clearly where no single word does.
    """

    tongue: Tongue
    rows: list[dict[str, Any]]
    words: Spoken
    labels: Spoken


@dataclass(frozen=True)
class Sign:
    """One word or label that rises, and the texts of its window that have it (places in the rows)."""

    name: str
    label: bool
    alarm: Alarm
    texts: frozenset[int]


@dataclass(frozen=True)
class Topic:
    """Signs that stand in the same texts, strongest first; ``texts`` are all of theirs."""

    signs: tuple[Sign, ...]
    texts: tuple[int, ...]


def hot(ctx: Context, day: date | None, rate: float, k: int, lang: Language) -> HotTopics:
    """See the operation of this name."""
    last = _last_day(ctx.shop)
    asked = day or last
    if asked is None or last is None:
        return _cannot(None, rate, "The shop has no texts by customers yet.", "texts by customers")
    heard = hear(ctx.shop, Days(asked - timedelta(days=HORIZON), asked))
    enough = [one for one in heard if len(one.rows) >= _LEAST_TEXTS]
    if not enough:
        few = sum(len(one.rows) for one in heard)
        reason = f"{few} texts in the {HORIZON} days up to {asked} are too few to compare."
        return _cannot(asked, rate, reason, f"at least {_LEAST_TEXTS} texts in one language")
    found: list[tuple[Topic, Heard]] = []
    tested = 0
    for one in enough:
        risen, number = signs(one, asked, rate / QUARTER / len(enough))
        tested += number
        found += [(topic, one) for topic in topics(risen)]
    found.sort(key=lambda pair: pair[0].signs[0].alarm.p_value)
    names = {t.theme_id: named(t, lang) for t in Themes(ctx.shop.database).all(retired=True)}
    shown = tuple(told(topic, one, asked, names) for topic, one in found[:k])
    return HotTopics(
        day=asked, topics=shown, tested=tested, false_alarms_per_quarter=rate, least_rise=RISE
    )


def hear(shop: Shop, days: Days) -> list[Heard]:
    """The customers' texts of these days, by language; thinned by person where there are very many."""
    rows = shop.query(partial(_texts, days=days))
    labels = _labels(shop, days)
    kept = _CHANCES if rows.num_rows <= MOST_TEXTS else _CHANCES * MOST_TEXTS // rows.num_rows
    texts, every = sample.cleaned(rows), rows.to_pylist()
    found = []
    for one, said in sample.by_tongue(texts).items():
        chosen_rows, chosen_words = [], []
        for place, words in zip(said.places, said.texts, strict=True):
            row = every[place]
            row["wording"] = digest(texts[place])
            row["person"] = row["author"] or row["wording"]
            if bucket(row["person"], "hot", _CHANCES) < kept:
                chosen_rows.append(row)
                chosen_words.append(words)
        marks = [labels.get(row["text_id"], []) for row in chosen_rows]
        found.append(heard(one, chosen_rows, chosen_words, marks))
    return found


def heard(
    tongue: Tongue,
    rows: list[dict[str, Any]],
    words: Sequence[Sequence[str]],
    labels: Sequence[Sequence[str]],
) -> Heard:
    """Rows (with day, item, category, person and wording) as arrays.

    Blame is also counted by item and by each level of its category: a bad batch shows there, and
    hardly in the whole.
    """
    days = [row["day"].toordinal() for row in rows]
    people, wordings = [row["person"] for row in rows], [row["wording"] for row in rows]
    located = [[*marks, *_located(row, marks)] for row, marks in zip(rows, labels, strict=True)]
    spoken = (Spoken.of(days, people, wordings, marks) for marks in (words, located))
    return Heard(tongue, rows, next(spoken), next(spoken))


def _located(row: dict[str, Any], marks: Sequence[str]) -> list[str]:
    path = (row["category"] or "").split(_LEVELS)
    above = [_LEVELS.join(path[: n + 1]) for n in range(len(path)) if path[n]]
    places = [one for one in (row["item_id"], *above) if one]
    blamed = [name for name in marks if name.endswith((" negative", " -"))]
    return [f"{name}: {place}" for name in blamed for place in places]


def _texts(source: Source, days: Days) -> Frame:
    items = source.items().select("item_id", "category")
    return sample.spoken(source, days).join(items, on="item_id", how="left").sort("day", "text_id")


def _labels(shop: Shop, days: Days) -> dict[str, list[str]]:
    """What was read in each text, by whatever reader: see :func:`label`."""
    found: dict[str, list[str]] = {}
    build = partial(_read, versions=current(shop), days=days)
    for row in shop.query(build).to_pylist():
        name = label(row["task"], row["label"], row["value"])
        found.setdefault(row["text_id"], []).append(name)
    return found


def label(task: str, answer: str, value: float | None) -> str:
    """A reading's name among the labels: ``theme T3``, ``sentiment negative``, ``aspects delivery -``."""
    if task != _ASPECTS:
        return f"{task} {answer}"
    polarity = value or 0
    return f"{task} {answer} {'+' if polarity > 0 else '-' if polarity < 0 else '='}"


def _read(source: Source, versions: Sequence[str], days: Days) -> Frame:
    task = nw.col("task")
    current_theme = nw.col("model_version").is_in(list(versions))
    rows = source.readings(days).filter(
        (task != sample.TASK) | current_theme, ~nw.col("label").is_null()
    )
    names = ("text_id", "task", "label", "value")
    return rows.select(*names).sort(*names, nulls_last=True)


def signs(one: Heard, day: date, budget: float) -> tuple[list[Sign], int]:
    """What rises up to that day, strongest first, and how much was tested; half the budget each."""
    found: list[Sign] = []
    tested = 0
    for spoken, label in ((one.words, False), (one.labels, True)):
        look = spoken.look(day.toordinal(), budget / 2)
        tested += look.tested
        for alarm in look.alarms:
            places = spoken.holding(alarm.word)
            age = day.toordinal() - spoken.days[places]
            inside = places[(age >= 0) & (age < alarm.days)]
            found.append(Sign(spoken.names[alarm.word], label, alarm, frozenset(inside.tolist())))
    return sorted(found, key=lambda sign: sign.alarm.p_value), tested


def topics(found: Sequence[Sign]) -> list[Topic]:
    """Signs joined: one belongs to a stronger one where half of the texts of either are the other's."""
    joined: list[tuple[list[Sign], set[int]]] = []
    for sign in found:
        for members, held in joined:
            if len(sign.texts & held) >= _TOGETHER * min(len(sign.texts), len(held)):
                members.append(sign)
                held |= sign.texts
                break
        else:
            joined.append(([sign], set(sign.texts)))
    return [Topic(tuple(members), tuple(sorted(held))) for members, held in joined]


def told(topic: Topic, one: Heard, day: date, names: dict[str, str]) -> HotTopic:
    """The topic as an answer shows it; ``names`` of themes by id."""
    lead = topic.signs[0].alarm
    words = telling(topic, one)
    held = Counter(
        name for n in topic.texts for w in one.labels.of_text(n)
        if (name := one.labels.names[w]).startswith(_THEME)
    )  # fmt: skip
    theme_id = held.most_common(1)[0][0].removeprefix(_THEME) if held else None
    return HotTopic(
        words=words,
        labels=tuple(s.name for s in topic.signs if s.label and not s.name.startswith(_THEME)),
        language=one.tongue,
        theme_id=theme_id,
        theme=names.get(theme_id or ""),
        since=day - timedelta(days=lead.days - 1),
        days=lead.days,
        people=lead.people,
        expected=round(lead.expected, 4),
        times=times(lead.people, lead.before, lead.units),
        p_value=lead.p_value,
        quotes=chosen([one.rows[n] for n in _clearest(topic)], words, _QUOTES),
    )


def telling(topic: Topic, one: Heard) -> tuple[str, ...]:
    """The words that rise; then those that its texts have more often than all texts do, by log odds."""
    risen = [sign.name for sign in topic.signs if not sign.label]
    inside = Counter(w for n in topic.texts for w in one.words.of_text(n))
    share = len(topic.texts) / len(one.rows)
    odds = {
        w: n * math.log(n / max(1e-9, share * one.words.often(w)))
        for w, n in inside.items()
        if n >= _SAID
    }
    more = sorted(odds, key=lambda w: (-odds[w], one.words.names[w]))
    listed = dict.fromkeys([*risen, *(one.words.names[w] for w in more if odds[w] > 0)])
    return tuple(listed)[:_WORDS]


def _clearest(topic: Topic) -> list[int]:
    """The topic's texts: those with most of its signs first, the newest first among equals."""
    hits = Counter(n for sign in topic.signs for n in sign.texts)
    return sorted(topic.texts, key=lambda n: (-hits[n], -n))


def _last_day(shop: Shop) -> date | None:
    rows = shop.query(lambda s: sample.spoken(s).select(last=nw.col("day").max())).to_pylist()
    last: date | None = rows[0]["last"] if rows else None
    return last


def _cannot(day: date | None, rate: float, reason: str, needed: str) -> HotTopics:
    return HotTopics(
        day=day,
        topics=(),
        tested=0,
        false_alarms_per_quarter=rate,
        least_rise=RISE,
        cannot_say=CannotSay(reason=reason, needed=needed),
    )
