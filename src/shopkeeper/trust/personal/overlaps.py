"""Which candidate holds where several claim the same characters."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable

from shopkeeper.trust.personal.finding import Candidate


def resolve(candidates: Iterable[Candidate]) -> list[Candidate]:
    """The candidates that hold, in order: the surer wins, then the longer, then the earlier."""
    ranked = sorted(candidates, key=lambda c: (-c.confidence, c.start - c.end, c.start, c.kind))
    if len(ranked) < 2:
        return ranked
    held: list[Candidate] = []
    starts: list[int] = []
    taken: set[int] = set()
    for one in ranked:
        if one.start in taken or one.end - 1 in taken:
            continue
        at = bisect_left(starts, one.start)
        if at < len(held) and held[at].start < one.end:
            continue  # a surer one lies inside
        starts.insert(at, one.start)
        held.insert(at, one)
        taken.update(range(one.start, one.end))
    return held
