"""The customers' texts of a shop, read in pieces; and a sample of them for a fit."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from typing import Any

import narwhals as nw
import pyarrow as pa

from shopkeeper.core.period import Days
from shopkeeper.insight.themes.words import TONGUES, Tongue, clean, readable, tongue, words
from shopkeeper.shop.shop import Shop
from shopkeeper.warehouse.source import Frame, Source

KINDS = ("review", "post", "ticket", "chat")
"""Texts that customers write."""

TASK = "theme"
UNREADABLE = "unreadable"
"""In place of a model's version: a text that no version will read."""

MOST = 60_000
"""Texts that a fit looks at; more of them change no theme."""

_EACH = 5  # texts of one author in the sample
_AT_ONCE = 50_000


@dataclass(frozen=True)
class Spoken:
    """Some texts of one language, as lists of words; ``places`` are their rows in the piece."""

    places: list[int]
    texts: list[list[str]]


def spoken(source: Source, days: Days | None = None) -> Frame:
    """What customers wrote on these days: text_id, day, title, body, author (null: nobody known)."""
    role = nw.col("author_role")
    rows = source.texts(days).filter(
        nw.col("kind").is_in(list(KINDS)), role.is_null() | (role == "customer")
    )
    return rows.select(
        "text_id", "day", "time", "title", "body", "item_id",
        author=nw.coalesce("customer_id", "thread_id"),
    )  # fmt: skip


def read_rows(source: Source, versions: Sequence[str], days: Days | None = None) -> Frame:
    """The readings of themes by these versions: text_id, day, theme_id, evidence, read_at."""
    rows = source.readings(days).filter(
        nw.col("task") == TASK, nw.col("model_version").is_in(list(versions))
    )
    return rows.select(
        "text_id", "day", theme_id=nw.col("label"), evidence=nw.col("value"), read_at=nw.col("time")
    )


def unread_days(shop: Shop, versions: Sequence[str]) -> list[tuple[date, int]]:
    """The days with texts that these versions have not read, and how many texts those days have."""
    known = (*versions, UNREADABLE)
    written = dict(_counted(shop, spoken))
    read = dict(_counted(shop, lambda s: read_rows(s, known)))
    return sorted((day, n) for day, n in written.items() if read.get(day, 0) < n)


def all_days(shop: Shop) -> list[tuple[date, int]]:
    """The days with texts, and how many."""
    return sorted(_counted(shop, spoken))


def _counted(shop: Shop, build: Any) -> list[tuple[date, int]]:
    rows = shop.query(lambda s: build(s).group_by("day").agg(nw.len().alias("n")))
    return list(zip(rows["day"].to_pylist(), rows["n"].to_pylist(), strict=True))


def pieces(days: Sequence[tuple[date, int]]) -> Iterator[tuple[Days, int]]:
    """Spans of these days with about 50,000 texts each; no day is cut."""
    start, total, last = None, 0, None
    for day, number in days:
        if start is not None and last is not None and total + number > _AT_ONCE:
            yield Days(start, last), total
            start, total = None, 0
        start, last, total = start or day, day, total + number
    if start is not None and last is not None:
        yield Days(start, last), total


def cleaned(rows: pa.Table) -> list[str]:
    """Title and body of each row in one, cleaned; "" for what is no text."""
    both = zip(rows["title"].to_pylist(), rows["body"].to_pylist(), strict=True)
    joined = (f"{title}\n{body}" if title else body or "" for title, body in both)
    return [clean(text) if readable(text) else "" for text in joined]


def by_tongue(texts: Sequence[str]) -> dict[Tongue, Spoken]:
    """Cleaned texts as words, by the language they are read in."""
    found: dict[Tongue, Spoken] = {one: Spoken([], []) for one in TONGUES}
    for place, text in enumerate(texts):
        if (one := tongue(text)) is not None:
            found[one].places.append(place)
            found[one].texts.append(words(text, one))
    return found


@dataclass
class Sample:
    """Different texts of one language, chosen by their hash: the same shop gives the same sample.

    Copies count once, whoever wrote them, and no author has more than five: a thousand copies by one
    customer are one text.
    """

    tongue: Tongue
    most: int = MOST
    _kept: dict[bytes, tuple[str, str, bool]] = field(default_factory=dict)

    def add(self, text: str, author: str | None, since: bool) -> None:
        """Consider a cleaned text; ``since``: it came after the last fit."""
        key = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).digest()
        known = self._kept.get(key)
        if known is not None:
            since = since and known[2]  # a copy of an old text is no new text
        self._kept[key] = (text, author or key.hex(), since)
        if len(self._kept) > 2 * self.most:
            self._kept = dict(self._chosen())

    def rows(self) -> tuple[list[list[str]], list[str], list[bool]]:
        """Words, author and ``since`` of each chosen text."""
        chosen = [row for _, row in self._chosen()]
        return (
            [words(text, self.tongue) for text, _, _ in chosen],
            [author for _, author, _ in chosen],
            [since for _, _, since in chosen],
        )

    def _chosen(self) -> list[tuple[bytes, tuple[str, str, bool]]]:
        each: Counter[str] = Counter()
        kept = []
        for key in sorted(self._kept):
            author = self._kept[key][1]
            each[author] += 1
            if each[author] <= _EACH:
                kept.append((key, self._kept[key]))
        return kept[: self.most]


def sampled(
    shop: Shop, versions: Sequence[str], made: Mapping[Tongue, datetime]
) -> dict[Tongue, Sample]:
    """A sample of each language from all texts; ``since`` is what was first read after ``made``."""
    found = {one: Sample(one) for one in TONGUES}
    for days, _ in pieces(all_days(shop)):
        rows = shop.query(partial(_with_reading, days=days, versions=versions))
        for text, author, read_at in zip(
            cleaned(rows), rows["author"].to_pylist(), rows["read_at"].to_pylist(), strict=True
        ):
            one = tongue(text)
            if one is not None:
                late = one in made and (read_at is None or read_at > made[one])
                found[one].add(text, author, late)
    return found


def _with_reading(source: Source, days: Days, versions: Sequence[str]) -> Frame:
    read = read_rows(source, versions, days).select("text_id", "read_at")
    return spoken(source, days).join(read, on="text_id", how="left").sort("text_id")
