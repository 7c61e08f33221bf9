"""The labelled sentences, and how findings are held against them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from shopkeeper.trust.personal import Finding, Patterns, find

DATA = Path(__file__).parent / "data"
ENOUGH = 0.5
"""Share of the union of two spans that both must have in common to be the same piece."""


@dataclass(frozen=True)
class Sentence:
    """A sentence with the personal data in it: ``spans`` are (kind, start, end)."""

    id: str
    language: str
    text: str
    spans: tuple[tuple[str, int, int], ...]
    patterns: tuple[str, ...]

    def findings(self) -> list[Finding]:
        return find(self.text, patterns=Patterns(self.patterns))


@dataclass
class Score:
    """Counts of one kind; ``wrong`` says what to look at."""

    hits: int = 0
    false: int = 0
    missed: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def precision(self) -> float:
        return self.hits / max(1, self.hits + self.false)

    @property
    def recall(self) -> float:
        return self.hits / max(1, self.hits + self.missed)


def sentences(part: str) -> list[Sentence]:
    """One half of the set: ``dev`` or ``test``."""
    lines = (DATA / f"personal-{part}.jsonl").read_text("utf-8").splitlines()
    return [_sentence(json.loads(line)) for line in lines]


def score(of: Iterable[Sentence]) -> dict[str, Score]:
    """Counts by kind. A finding is right where the same kind was labelled on mostly the same characters."""
    scores: dict[str, Score] = {}
    for sentence in of:
        found = [(one.kind, one.start, one.end) for one in sentence.findings()]
        for span in sentence.spans:
            mine = scores.setdefault(span[0], Score())
            if any(_same(span, one) for one in found):
                mine.hits += 1
            else:
                mine.missed += 1
                mine.wrong.append(f"{sentence.id} missed {sentence.text[span[1] : span[2]]!r}")
        for one in found:
            if not any(_same(span, one) for span in sentence.spans):
                mine = scores.setdefault(one[0], Score())
                mine.false += 1
                mine.wrong.append(f"{sentence.id} false {sentence.text[one[1] : one[2]]!r}")
    return dict(sorted(scores.items()))


def _same(one: tuple[str, int, int], other: tuple[str, int, int]) -> bool:
    common = min(one[2], other[2]) - max(one[1], other[1])
    union = max(one[2], other[2]) - min(one[1], other[1])
    return one[0] == other[0] and common >= ENOUGH * union


def _sentence(record: dict[str, object]) -> Sentence:
    spans, patterns = record["spans"], record.get("patterns", [])
    assert isinstance(spans, list)
    assert isinstance(patterns, list)
    return Sentence(
        id=str(record["id"]),
        language=str(record["language"]),
        text=str(record["text"]),
        spans=tuple((span["kind"], span["start"], span["end"]) for span in spans),
        patterns=tuple(patterns),
    )
