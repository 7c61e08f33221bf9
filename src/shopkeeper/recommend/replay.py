"""What a candidate would have earned at places that were recorded and left open to chance.

At each such place the candidate takes, of the items that could have stood there, the one that it holds
likeliest for the customer at that moment; what really served takes its first choice. The difference is
estimated doubly robust from the logged chances. Only lists made after the candidate's heads had learned
count: one that had seen what was bought afterwards would look better than it is. (Its few weights were
fitted on choices of the same weeks.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from shopkeeper.core.period import Period
from shopkeeper.core.types import CannotSay, EstimateOrCannotSay
from shopkeeper.recommend.heads.base import Queries
from shopkeeper.recommend.history import DAY_MS, Floats, History, Ints
from shopkeeper.recommend.mixture import Mask, Mixture
from shopkeeper.recommend.value import Places, guesses, log_of, recorded
from shopkeeper.shop.shop import Shop
from shopkeeper.stats import offpolicy

REWARDS: Final = ("purchase", "select_item")
"""What a place earns: the first of these that enough places earned."""
_DAYS: Final = 7
_LEAST: Final = 30
_MOST: Final = 5000
_CHUNK: Final = 256
_NOT_RECORDED: Final = CannotSay(
    reason="No place of a recorded list since the candidate learned was open to chance.",
    needed="lists by `recommend show`, and a published rule of the kind `explore`",
    code="not_explored",
)


@dataclass(frozen=True)
class Replayed:
    """How much more the candidate earns at an open place, of which reward, and what that rests on."""

    gain: EstimateOrCannotSay
    reward: str
    places: int
    effective: float


def replay(shop: Shop, candidate: Mixture, history: History, since: int) -> Replayed:
    """The candidate against what served since then (ms); its items are those of ``history``."""
    now_ms = int(shop.now().timestamp() * 1000)
    span = Period(f"{max(0, now_ms - since) // DAY_MS + 2}d")  # of local days, the first in part
    places = 0
    for reward in REWARDS:
        everything = recorded(shop, span, reward, _DAYS)
        found = None if everything is None else opened(everything, since)
        if found is None:
            return Replayed(_NOT_RECORDED, reward, 0, 0.0)
        places = len(found.reward)
        if found.reward.sum() >= _LEAST:
            return _judged(found, candidate, history, reward)
    why = CannotSay(
        reason=f"Fewer than {_LEAST} of {places} open places earned a {' or a '.join(REWARDS)}.",
        needed="more recorded lists with exploring, or more days",
        code="few_rewarded_places",
        values={"places": places, "least": _LEAST},
    )
    return Replayed(why, REWARDS[-1], places, 0.0)


def _judged(places: Places, candidate: Mixture, history: History, reward: str) -> Replayed:
    target = choice(places, _values(places, candidate, history))
    guessed = guesses(places)
    ours = log_of(places, target, guessed)
    theirs = log_of(places, places.greedy.astype(np.float64), guessed)
    gain = offpolicy.difference(ours, theirs)
    return Replayed(gain, reward, len(places.reward), round(ours.effective, 1))


def opened(places: Places, since: int) -> Places | None:
    """The places that were open to chance since then, of the newest lists; None: there are none."""
    kept = (np.diff(places.starts) > 1) & (places.propensity < 1) & (places.time >= since)
    rows = np.flatnonzero(kept)
    if len(rows) > _MOST:
        rows = np.sort(rows[np.argsort(-places.time[rows], kind="stable")[:_MOST]])
    if not len(rows):
        return None
    lengths = np.diff(places.starts)[rows]
    starts = np.concatenate([[0], np.cumsum(lengths)])
    take = np.repeat(places.starts[rows] - starts[:-1], lengths) + np.arange(starts[-1])
    _, listed = np.unique(places.listed[rows], return_inverse=True)
    by_row = {
        name: getattr(places, name)[rows]
        for name in ("customer", "reward", "propensity", "chosen", "share", "time")
    }
    return replace(
        places,
        **by_row,
        starts=starts,
        item=places.item[take],
        chance=places.chance[take],
        listed=listed,
    )


def choice(places: Places, value: Floats) -> Floats:
    """Chance 1 for the candidate item of each place with the greatest value; equal ones as it was."""
    row, best = places.row, np.maximum.reduceat(value, places.starts[:-1])
    order = np.lexsort((-places.chance, value != best[row], row))
    answer = np.zeros(len(value))
    answer[order[places.starts[:-1]]] = 1.0
    return answer


def _values(places: Places, candidate: Mixture, history: History) -> Floats:
    """The probability that the candidate gives to what could have stood at each place."""
    _, first = np.unique(places.listed, return_index=True)
    queries = _histories(places, first, history)
    known = pc.index_in(pa.array(places.item_ids, pa.string()), value_set=history.item_ids)
    item = np.asarray(known.fill_null(-1).to_numpy(zero_copy_only=False)).astype(np.int64)
    asked, whose = item[places.item], places.listed[places.row]
    everything = Mask(np.ones(len(history.item_ids), dtype=bool))
    value = np.zeros(len(asked))
    for start in range(0, len(first), _CHUNK):
        stop = min(start + _CHUNK, len(first))
        found = candidate.probabilities(queries.part(start, stop), everything)
        mine = np.flatnonzero((whose >= start) & (whose < stop) & (asked >= 0))
        value[mine] = found[whose[mine] - start, asked[mine]]
    return value


def _histories(places: Places, first: Ints, history: History) -> Queries:
    """What was known of each list's customer when it was made; ``first`` is a row of each list."""
    known = pc.index_in(
        pa.array(places.customer_ids, pa.string()), value_set=history.customer_ids
    ).fill_null(-1)
    customer = np.asarray(known.to_numpy(zero_copy_only=False)).astype(np.int64)
    parts: Sequence[slice] = [
        _before(history, int(customer[places.customer[row]]), int(places.time[row]))
        for row in first
    ]
    lengths = np.array([part.stop - part.start for part in parts], dtype=np.int64)
    starts = np.concatenate([[0], np.cumsum(lengths)])
    begins = np.array([part.start for part in parts], dtype=np.int64)
    take = np.repeat(begins - starts[:-1], lengths) + np.arange(starts[-1])
    return Queries(
        starts, history.item[take], history.time[take], history.strength[take], places.time[first]
    )


def _before(history: History, customer: int, moment: int) -> slice:
    """The rows of a customer before a moment; rows lie by customer and time."""
    if customer < 0:
        return slice(0, 0)
    first, last = (int(at) for at in np.searchsorted(history.customer, [customer, customer + 1]))
    return slice(first, first + int(np.searchsorted(history.time[first:last], moment)))
