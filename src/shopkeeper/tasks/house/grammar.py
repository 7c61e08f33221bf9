"""Composed texts of known verdict and mentions: the practice of the sentiment and aspects readers."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

from shopkeeper.tasks.house import written
from shopkeeper.tasks.house.clauses import (
    NEGATIVE,
    NEUTRAL,
    OTHER,
    POSITIVE,
    Clause,
    Clauses,
    shifted,
)
from shopkeeper.tasks.marks import Mention

_LENGTHS = (1, 1, 1, 2, 2, 3, 3, 4, 5, 6, 8, 10, 14)  # clauses of a text: most reviews are short
_TURNED = {NEGATIVE: 0.20, POSITIVE: 0.15, NEUTRAL: 0.6}
_FACT, _STRAY = 0.18, 0.08
_SLOT = re.compile(r"\{(\w+)\}")
_SLOTS = {"P": POSITIVE, "N": NEGATIVE, "O": NEUTRAL}

Marked = tuple[str, list[Mention]]


class Grammar:
    """Composes texts of one language from its word lists and those of the aspects reader.

    ``known_only``: only from clauses of which it is known what they speak of.
    """

    def __init__(self, language: str, seed: int, *, known_only: bool = False) -> None:
        rules = written.tables("grammar", language)
        self._chance = random.Random(seed)  # noqa: S311 - chance, not secrets
        self._separators: Sequence[str] = rules["grammar"]["separator"]
        self._turns: dict[str, list[str]] = rules["templates"]
        self._slots: dict[str, list[str]] = rules.get("slots", {})
        self._facts: list[str] = rules["clauses"]["fact"]
        whole = {} if known_only else _topics(rules, written.tables("sentiment", language))
        aspects = written.tables("aspects", language)
        self._clauses = Clauses(aspects, whole, rules["grammar"], self._chance)

    def phrases(self, label: str) -> list[str]:
        """Every whole phrase and clause of the label as it was written."""
        return [
            clause.text
            for group in self._clauses.groups
            for clause in group.get(label, [])
            if isinstance(clause, Clause)
        ]

    def text(self, label: str) -> str:
        """One composed text whose overall verdict is ``label``."""
        return self.marked(label)[0]

    def marked(self, label: str) -> Marked:
        """The same, with the mentions in it."""
        parts: list[Marked] = []
        for _ in range(self._chance.choice(_LENGTHS)):
            if self._chance.random() < _FACT:
                parts.append((self._chance.choice(self._facts), []))
            parts.append(self._clause(label))
        if label in OTHER and len(parts) > 3:
            strays = sum(self._chance.random() < _STRAY for _ in parts)
            parts += [self._clause(OTHER[label]) for _ in range(strays)]
            self._chance.shuffle(parts)
        if self._chance.random() < _TURNED[label]:
            parts.insert(0 if label == NEGATIVE else len(parts), self._turn(label))
        return self._joined(parts)

    def _clause(self, label: str) -> Marked:
        clause = self._clauses.any(label)
        return clause.text, [clause.mention] if clause.mention else []

    def _turn(self, label: str) -> Marked:
        """A pattern that sets praise against complaint, filled."""
        pattern = self._chance.choice(self._turns[label])
        text, mentions, last = "", [], 0
        for slot in _SLOT.finditer(pattern):
            text += pattern[last : slot.start()]
            filled, said = self._slot(slot[1])
            mentions += [shifted(mention, len(text)) for mention in said]
            text, last = text + filled, slot.end()
        return text + pattern[last:], mentions

    def _slot(self, name: str) -> Marked:
        if name in _SLOTS:
            return self._clause(_SLOTS[name])
        return self._chance.choice(self._slots[name]), []

    def _joined(self, parts: Sequence[Marked]) -> Marked:
        text, mentions = "", []
        for part, said in parts:
            mentions += [shifted(mention, len(text)) for mention in said]
            text += part + self._chance.choice(self._separators)
        return text.rstrip(), mentions


def _topics(*tables: written.Tables) -> dict[str, dict[str, list[str]]]:
    """Phrases and clauses by topic: a key "positive_books" is of books, "positive" of any."""
    topics: dict[str, dict[str, list[str]]] = {}
    for table in tables:
        for kind in ("phrases", "clauses"):
            for key, texts in table.get(kind, {}).items():
                label, _, topic = key.partition("_")
                if label in _SLOTS.values():
                    topics.setdefault(f"{kind} {topic}", {}).setdefault(label, []).extend(texts)
    return topics
