"""Which opinion is about which aspect: the candidates, and what a student is shown of each.

A student reads rows of units, so what stands between two spans is written as one: marks for the
order, the distance and the other spans between, then the words themselves.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from shopkeeper.tasks.marks import Place

_AROUND = 8
_FAR = 60
_STOPS = re.compile(r"[。！？!?.;；\n]")
_PAUSES = re.compile(r"[，、,:：]")


class Candidate(NamedTuple):
    """An aspect and an opinion that may belong together, or one of them alone; and those between."""

    aspect: Place | None
    opinion: Place | None
    between: int = 0
    rivals: int = 0


def candidates(aspects: Sequence[Place], opinions: Sequence[Place]) -> list[Candidate]:
    """Every aspect with every opinion near it, every opinion alone, every aspect alone."""
    pool = [
        Candidate(aspect, opinion, _between(aspect, opinion, [*aspects, *opinions]))
        for aspect in aspects
        for opinion in opinions
        if _gap(aspect, opinion) <= _FAR
    ]
    pool += [Candidate(None, opinion, rivals=len(aspects)) for opinion in opinions]
    pool += [Candidate(aspect, None, rivals=len(opinions)) for aspect in aspects]
    return pool


def pair_text(text: str, one: Candidate) -> str:
    """What tells whether the two belong together."""
    if one.opinion is None or one.aspect is None:
        return _alone(text, one)
    first, second = sorted((one.aspect, one.opinion))
    middle = text[first[1] : second[0]]
    gap = len(middle)
    stops, pauses = len(_STOPS.findall(middle)), len(_PAUSES.findall(middle))
    order = "ao" if first == one.aspect else "oa"
    shape = f"{order}s{min(stops, 2)}p{min(pauses, 2)}b{min(one.between, 3)}"
    width = f"{order}g{min(gap, 12) if gap < 12 else min(gap // 6 + 10, 18)}"
    kept = middle if gap <= 2 * _AROUND else f"{middle[:_AROUND]} … {middle[-_AROUND:]}"
    return f"{shape} {width} {shape}{width} | {_of(text, one.aspect)} | {kept} | {_of(text, one.opinion)}"


def polarity_text(text: str, one: Candidate) -> str:
    """What tells whether the opinion is good or bad: its words, those around it, the aspect."""
    place = one.opinion or one.aspect or (0, 0)
    before = text[max(0, place[0] - _AROUND) : place[0]]
    after = text[place[1] : place[1] + _AROUND]
    aspect = _of(text, one.aspect) if one.aspect else "none"
    return f"{before}[{_of(text, place)}]{after} | {aspect}:{_of(text, place)}"


def category_text(text: str, one: Candidate) -> str:
    """What tells the category: the aspect's words and the opinion's; of an opinion alone, its clause."""
    if one.aspect is not None:
        aspect = _of(text, one.aspect)
        return f"[{aspect}] {aspect} | {_of(text, one.opinion) if one.opinion else ''}"
    place = one.opinion or (0, 0)
    start = max((found.end() for found in _CLAUSES.finditer(text, 0, place[0])), default=0)
    return f"none [{_of(text, place)}] {text[start : place[1] + _AROUND]}"


_CLAUSES = re.compile(r"[。！？!?.;；\n，、,:：]")


def _alone(text: str, one: Candidate) -> str:
    place = one.aspect or one.opinion or (0, 0)
    kind = "alonea" if one.aspect else "aloneo"
    rivals = f"{kind}r{min(one.rivals, 3)}"
    before = text[max(0, place[0] - _AROUND) : place[0]]
    after = text[place[1] : place[1] + _AROUND]
    return f"{rivals} {kind} | {before}[{_of(text, place)}]{after}"


def _of(text: str, place: Place) -> str:
    return text[place[0] : place[1]]


def _gap(first: Place, second: Place) -> int:
    return max(second[0] - first[1], first[0] - second[1], 0)


def _between(first: Place, second: Place, every: Sequence[Place]) -> int:
    low, high = min(first[1], second[1]), max(first[0], second[0])
    return sum(low <= begin and end <= high for begin, end in every)
