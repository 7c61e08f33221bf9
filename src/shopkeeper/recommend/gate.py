"""Whether a newly fitted mixture may take the place of the one that serves, and what it would change.

Both are judged by NDCG@10 on choices that neither has seen. Where the window held back begins after the
serving version had learned, both answer the same choices and the difference is paired; where it had seen
part of the window that would favour it, so its own figure of its own window stands in for it. Beside that
stands what the candidate would have earned at recorded places that were explored
(:mod:`~shopkeeper.recommend.replay`). The gate refuses what is surely worse by either: where the interval of
the difference lies below zero. Where the log of decisions is too thin it says so, and ranking alone decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pyarrow.compute as pc

from shopkeeper.core.types import CannotSay, Estimate
from shopkeeper.recommend.cases import Cases, owned
from shopkeeper.recommend.fitting import Weighing, mask
from shopkeeper.recommend.heads.base import Queries
from shopkeeper.recommend.history import Floats, History
from shopkeeper.recommend.mixture import Mask
from shopkeeper.recommend.published import Published
from shopkeeper.recommend.ranking import ranked
from shopkeeper.recommend.replay import Replayed
from shopkeeper.stats import bootstrap

_Z: Final = 1.959964
_MOST: Final = 2000


@dataclass(frozen=True)
class Judged:
    """The candidate's NDCG@10 by choice held back, and when the window began and the data ended."""

    ndcg: Floats
    cases: Cases
    since: int
    until: int

    @property
    def note(self) -> dict[str, Any]:
        """What is remembered of it."""
        error = float(self.ndcg.std() / max(len(self.ndcg), 1) ** 0.5)
        return {
            "ndcg10": round(float(self.ndcg.mean()), 6),
            "error": round(error, 6),
            "cases": len(self.ndcg),
            "until": self.until,
        }


@dataclass(frozen=True)
class Verdict:
    """``gain`` is the candidate's NDCG@10 less that of the serving version."""

    passed: bool
    gain: Estimate | None
    paired: bool
    why: str
    replayed: Replayed | None = None

    @property
    def note(self) -> dict[str, Any]:
        """What is remembered of it."""
        gain = None if self.gain is None else self.gain.model_dump(mode="json")
        note = {"passed": self.passed, "gain": gain, "paired": self.paired, "why": self.why}
        if self.replayed is not None:
            told = {one: getattr(self.replayed, one) for one in ("reward", "places", "effective")}
            note["replay"] = told | {"gain": self.replayed.gain.model_dump(mode="json")}
        return note


def judged(found: Weighing, history: History) -> Judged:
    """How the candidate's heads, fitted on what came before, rank the choices held back."""
    cases = found.cases
    if len(cases.chosen) > _MOST:
        drawn = np.random.default_rng(0).permutation(len(cases.chosen))[:_MOST]
        cases = cases.part(np.sort(drawn))
    shown = mask(cases.learned, cases.queries)
    ndcg = ranked(found.judged, cases.queries, cases.chosen, shown).ndcg
    since = cases.learned.end + 1
    return Judged(ndcg, cases, since, history.end)


def verdict(
    candidate: Judged, serving: Published | None, note: Mapping[str, Any], history: History
) -> Verdict:
    """Whether the candidate may serve; ``note`` is what was remembered of the serving version."""
    if serving is None or not {"ndcg10", "error", "cases", "until"} <= note.keys():
        return Verdict(True, None, False, "no version serves that it could be compared with")
    if candidate.since > note["until"]:
        before = _ndcg(serving, candidate.cases, history)
        gain = bootstrap.mean(candidate.ndcg - before, of=candidate.cases.customer)
        if isinstance(gain, Estimate):
            return _decided(gain, paired=True)
    mean, error = float(candidate.ndcg.mean()), float(candidate.note["error"])
    difference = mean - float(note["ndcg10"])
    half = _Z * (error**2 + float(note["error"]) ** 2) ** 0.5
    gain = Estimate(
        value=difference, low=difference - half, high=difference + half, n=len(candidate.ndcg)
    )
    return _decided(gain, paired=False)


def beside(ranking: Verdict, replayed: Replayed) -> Verdict:
    """The verdict on the ranking with what recorded lists say: either can refuse."""
    gain = replayed.gain
    if isinstance(gain, CannotSay):
        told = f"{ranking.why}; recorded lists cannot say, so ranking alone decides: {gain.reason}"
        return replace(ranking, why=told, replayed=replayed)
    if gain.high < 0:
        told = f"recorded lists would surely have earned less ({replayed.reward}); {ranking.why}"
        return replace(ranking, passed=False, why=told, replayed=replayed)
    told = f"{ranking.why}; recorded lists would not surely have earned less ({replayed.reward})"
    return replace(ranking, why=told, replayed=replayed)


def _decided(gain: Estimate, *, paired: bool) -> Verdict:
    if gain.high < 0:
        return Verdict(False, gain, paired, "surely worse on choices that neither has seen")
    return Verdict(True, gain, paired, "not surely worse on choices that neither has seen")


def _ndcg(serving: Published, cases: Cases, history: History) -> Floats:
    """The serving version on the same choices; what it does not know it cannot show."""
    found = pc.index_in(history.item_ids, value_set=serving.item_ids).fill_null(-1)
    place = np.asarray(found.to_numpy(zero_copy_only=False)).astype(np.int64)
    chosen = place[cases.chosen]
    queries = known(cases.queries, place)
    everything = np.ones(len(serving.item_ids), dtype=bool)
    shown = Mask(everything, owned(queries, serving.again))
    answer = ranked(serving.mixture, queries, np.maximum(chosen, 0), shown).ndcg
    return np.where(chosen >= 0, answer, 0.0)


def known(queries: Queries, place: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Queries:
    """The same queries by another model's positions; rows of items that it has not met are left out."""
    item = place[queries.item]
    met = item >= 0
    lengths = np.bincount(queries.query[met], minlength=len(queries))
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return Queries(starts, item[met], queries.time[met], queries.strength[met], queries.now)
