"""Reads what a text says about what: aspects, the opinion on each, its polarity and its category.

A linear chain tags aspects and opinions; a student decides for every aspect and opinion of a text
whether they belong together (or stand alone); two more give the polarity and the category.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from shopkeeper.core.errors import BadInput, Corrupt
from shopkeeper.core.types import Value
from shopkeeper.tasks import arrays
from shopkeeper.tasks.chain import Chain, fit_chain
from shopkeeper.tasks.features import NgramHasher, batches
from shopkeeper.tasks.marks import FOLLOWS, Mention, Place, places_of, tags_of
from shopkeeper.tasks.pairs import Candidate, candidates, category_text, pair_text, polarity_text
from shopkeeper.tasks.readable import refusals
from shopkeeper.tasks.student import Student, StudentSettings
from shopkeeper.tasks.types import Answer, Span
from shopkeeper.tasks.windows import look

KIND = "spans"
_YES, _NO = "yes", "no"
_POLARITY = {"negative": -1, "neutral": 0, "positive": 1}
_NAMED = {value: name for name, value in _POLARITY.items()}
_BATCH_CHARACTERS = 200_000
_FORGOTTEN = 0.02
"""Features of the chain that weigh less than this for every tag are not kept."""


class SpanSettings(Value):
    """How a span reader is fitted. The defaults were chosen on validation data."""

    bits: int = 20
    rounds: int = 8
    pair: float = 0.5
    """The least probability with which an aspect and an opinion belong together."""
    most: int = 200_000


class SpanReader:
    """A fitted reader of spans; ``answer`` gives tuples of :class:`Span`."""

    def __init__(
        self, name: str, chain: Chain, parts: dict[str, Student], card: dict[str, Any]
    ) -> None:
        self.name = name
        self.card = card
        self._settings = SpanSettings(**card["settings"])
        self._rows = np.flatnonzero(np.abs(chain.emit).max(axis=1) > _FORGOTTEN).astype(np.int32)
        self._kept = chain.emit[self._rows].astype(np.float16)
        emit = np.zeros_like(chain.emit)
        emit[self._rows] = self._kept
        self._chain = Chain(emit, chain.follow)
        self._parts = parts
        versions = [f"{part}:{student.version}" for part, student in sorted(parts.items())]
        setting = self._settings.model_dump_json()
        self.version = arrays.version(setting, *versions, *self._arrays().values())

    @classmethod
    def fit(
        cls,
        name: str,
        texts: Sequence[str],
        mentions: Sequence[Sequence[Mention]],
        *,
        settings: SpanSettings | None = None,
        seed: int = 0,
    ) -> SpanReader:
        """A reader of these mentions (see ``marks``). Raises :class:`BadInput` where nothing is marked."""
        chosen = settings or SpanSettings()
        if len(texts) != len(mentions):
            raise BadInput(f"{len(texts)} texts but {len(mentions)} lists of mentions.")
        if not any(mentions):
            raise BadInput("No mention is marked in any text.", hint="Mark aspects and opinions.")
        seen = look(texts, chosen.bits)
        tags = tags_of(seen, mentions)
        chain = fit_chain(
            seen.rows, tags, FOLLOWS, bits=chosen.bits, rounds=chosen.rounds, seed=seed
        )
        parts: dict[str, Student] = {}
        card = {"texts": len(texts), "settings": chosen.model_dump(mode="json")}
        for part, (shown, labels) in _lessons(texts, mentions).items():
            if len(set(labels)) > 1:
                parts[part] = Student.fit(
                    f"{name}.{part}", shown, labels, settings=_modest(chosen), seed=seed
                )
            else:
                card[part] = labels[0]  # all alike: nothing to learn
        return cls(name, chain, parts, card)

    def answer(self, texts: Sequence[str]) -> list[Answer]:
        """What each text says; a text that cannot be read abstains with the reason.

        The confidence is that of the least sure span, and 1 where there is none.
        """
        refused = refusals(texts)
        readable = [text if place not in refused else "" for place, text in enumerate(texts)]
        found: list[tuple[Span, ...]] = []
        for batch in batches(readable, _BATCH_CHARACTERS):
            found.extend(self._read(batch))
        answers = []
        for place, spans in enumerate(found):
            reason = refused.get(place, "")
            sure = 0.0 if reason else min((span.confidence for span in spans), default=1.0)
            value = None if reason else spans
            answers.append(Answer(value, sure, self.name, self.version, bool(reason), reason))
        return answers

    def places(self, texts: Sequence[str]) -> list[tuple[list[Place], list[Place]]]:
        """The aspects and the opinions of each text, not yet paired."""
        seen = look(texts, self._settings.bits)
        return places_of(seen, self._chain.decode(seen.rows))

    def _read(self, texts: Sequence[str]) -> list[tuple[Span, ...]]:
        seen = look(texts, self._settings.bits)
        marked = places_of(seen, self._chain.decode(seen.rows))
        pool = [
            (place, candidate)
            for place, (aspects, opinions) in enumerate(marked)
            for candidate in candidates(aspects, opinions)
        ]
        spans: list[list[Span]] = [[] for _ in texts]
        if pool:
            sure = self._sure([pair_text(texts[at], one) for at, one in pool])
            kept = [
                (*each, p) for each, p in zip(pool, sure, strict=True) if p >= self._settings.pair
            ]
            for (at, one, p), (polarity, q), category in zip(
                kept,
                self._polarities([polarity_text(texts[at], one) for at, one, _ in kept]),
                self._categories([category_text(texts[at], one) for at, one, _ in kept]),
                strict=True,
            ):
                spans[at].append(_span(texts[at], one, polarity, category, p * q))
        return [tuple(sorted(each, key=lambda span: (span.start, span.end))) for each in spans]

    def _sure(self, pairs: Sequence[str]) -> list[float]:
        if "pair" not in self._parts:
            return [1.0] * len(pairs)
        judge = self._parts["pair"]
        column = judge.labels.index(_YES)
        sure: list[float] = judge.probabilities(pairs)[:, column].tolist()
        return sure

    def _polarities(self, windows: Sequence[str]) -> list[tuple[int, float]]:
        if "polarity" not in self._parts:
            return [(_POLARITY[self.card["polarity"]], 1.0)] * len(windows)
        answers = self._parts["polarity"].answer(windows)
        return [(_POLARITY[str(answer.value)], answer.confidence) for answer in answers]

    def _categories(self, terms: Sequence[str]) -> list[str]:
        if "category" not in self._parts:
            return [str(self.card["category"])] * len(terms)
        return [str(answer.value or "") for answer in self._parts["category"].answer(terms)]

    def save(self, folder: Path) -> None:
        """Write the reader into ``folder``: its chain, and a folder for each of its students."""
        for part, student in self._parts.items():
            student.save(folder / part)
        card = {
            "kind": KIND,
            "name": self.name,
            "version": self.version,
            "parts": sorted(self._parts),
            "card": self.card,
        }
        arrays.save(folder, card, self._arrays())

    @classmethod
    def load(cls, folder: Path) -> SpanReader:
        """The reader saved in ``folder``; raises NotFound or :class:`Corrupt` for a damaged one."""
        card, held = arrays.load(folder, KIND)
        try:
            settings = SpanSettings(**card["card"]["settings"])
            emit = np.zeros((1 << settings.bits, held["follow"].shape[0]), np.float32)
            emit[held["rows"]] = held["emit"]
            chain = Chain(emit, held["follow"])
            parts = {part: Student.load(folder / part) for part in card["parts"]}
            reader = cls(card["name"], chain, parts, card["card"])
            same = reader.version == card["version"]
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise _damaged(folder) from error
        if not same:
            raise _damaged(folder)
        return reader

    def _arrays(self) -> dict[str, arrays.Array]:
        return {"rows": self._rows, "emit": self._kept, "follow": self._chain.follow}


def _lessons(
    texts: Sequence[str], mentions: Sequence[Sequence[Mention]]
) -> dict[str, tuple[list[str], list[str]]]:
    """What each student is shown, and what it shall say."""
    pairs: list[tuple[str, str]] = []
    polarities: list[tuple[str, str]] = []
    categories: list[tuple[str, str]] = []
    for text, marked in zip(texts, mentions, strict=True):
        known = {(m.aspect, m.opinion): m for m in marked}
        aspects = sorted({m.aspect for m in marked if m.aspect is not None})
        opinions = sorted({m.opinion for m in marked if m.opinion is not None})
        for one in candidates(aspects, opinions):
            mention = known.get((one.aspect, one.opinion))
            pairs.append((pair_text(text, one), _NO if mention is None else _YES))
            if mention is not None:
                polarities.append((polarity_text(text, one), _NAMED[mention.polarity]))
                categories.append((category_text(text, one), mention.category))
    lessons = {"pair": pairs, "polarity": polarities, "category": categories}
    return {
        part: ([s for s, _ in rows], [label for _, label in rows]) for part, rows in lessons.items()
    }


def _modest(settings: SpanSettings) -> StudentSettings:
    hasher = NgramHasher(sizes=(1, 2, 3), bits=20)
    return StudentSettings(hasher=hasher, most=settings.most)


def _span(text: str, one: Candidate, polarity: int, category: str, confidence: float) -> Span:
    begin, end = one.aspect or (-1, -1)
    aspect = text[begin:end] if one.aspect else ""
    opinion = text[one.opinion[0] : one.opinion[1]] if one.opinion else ""
    return Span(aspect, category, opinion, polarity, begin, end, confidence)


def _damaged(folder: Path) -> Corrupt:
    return Corrupt(
        f"The model {folder.name!r} is damaged: its card.", hint="Train the model again."
    )
