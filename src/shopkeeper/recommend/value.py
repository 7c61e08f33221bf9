"""What lists earned, and what they would have earned otherwise, from the log of decisions alone.

Each place of a recorded list is one choice, made given those above it with a chance that was logged. A
policy's value is the mean reward of a place if it chose there, the places above being as they were: what
stands above is taken not to change what a place earns. Rows of one customer are not taken as independent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import narwhals as nw
import numpy as np

from shopkeeper.core.period import Period
from shopkeeper.core.types import CannotSay
from shopkeeper.decisions.log import RECOMMEND
from shopkeeper.recommend.history import DAY_MS, Floats, Ints
from shopkeeper.recommend.types import PolicyValue, ShownValue
from shopkeeper.shop.shop import Shop
from shopkeeper.stats import offpolicy

_PRIOR: Final = 20.0
"""How many places the mean of all counts as, beside an item's own."""
_LEAST: Final = 10
"""With fewer rewards a normal interval promises too much."""
_FIRST: Final = date(1970, 1, 1)
"""`all` is whatever the log holds: a list may have been recorded before the first event."""
_NOTHING: Final = CannotSay(
    reason="No list was recorded in these days.",
    needed="lists by `recommend show` (or the Personalize route), and a rule `explore`",
    code="no_lists",
)
_NOT_EXPLORED: Final = CannotSay(
    reason="Every place was certain: nothing says what another item would have earned.",
    needed="a published rule of the kind `explore`",
    code="not_explored",
)
LOGGED: Final = "logged"
POLICIES: Final = ("greedy", "half_explored", "uniform")


@dataclass(frozen=True)
class Places:
    """One row per recorded place; candidates of all rows lie one after another from ``starts`` on."""

    customer: Ints
    reward: Floats
    propensity: Floats
    chosen: Ints
    starts: Ints
    item: Ints
    chance: Floats
    share: Floats
    """The share that was explored, by row."""
    time: Ints
    """When each list was made, ms."""
    listed: Ints
    """Which list each row is a place of, from 0 in order."""
    customer_ids: Sequence[str]
    item_ids: Sequence[str]

    @property
    def row(self) -> Ints:
        """The row that each candidate belongs to."""
        return np.repeat(np.arange(len(self.reward)), np.diff(self.starts))

    @property
    def greedy(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Which candidates are the ones that would have stood there without exploring.

        Exploring leaves at most half of a place's chance to chance: the greatest is the greedy one's.
        """
        first = np.zeros(len(self.item), dtype=bool)
        for start, stop in zip(self.starts[:-1], self.starts[1:], strict=True):
            first[start + int(self.chance[start:stop].argmax())] = True
        return first


def value(shop: Shop, since: Period, reward: str, days: int) -> ShownValue:
    """The logged lists' own value and that of other ways to choose, with intervals."""
    places = recorded(shop, since, reward, days)
    if places is None or not len(places.reward):
        return ShownValue(
            reward=reward, days=days, places=0, explored=0.0, policies=(), missing=_NOTHING
        )
    open_ = places.propensity < 1
    if places.reward.sum() < _LEAST:
        return ShownValue(
            reward=reward,
            days=days,
            places=len(places.reward),
            explored=float(open_.mean()),
            policies=(),
            missing=CannotSay(
                reason=f"Only {int(places.reward.sum())} places earned a {reward} in {days} days.",
                needed=f"at least {_LEAST}: more recorded lists, or more days",
                code="few_rewards",
                values={"count": int(places.reward.sum()), "least": _LEAST, "days": days},
            ),
        )
    guessed = guesses(places)

    def policy(name: str, target: Floats) -> PolicyValue:
        log = log_of(places, target, guessed)
        effective = round(log.effective, 1)
        return PolicyValue(policy=name, effective=effective, estimates=offpolicy.estimates(log))

    policies = [policy(LOGGED, places.chance)]
    if open_.any():
        policies += [policy(name, targets(places, name)) for name in POLICIES]
    return ShownValue(
        reward=reward,
        days=days,
        places=len(places.reward),
        explored=float(open_.mean()),
        policies=tuple(policies),
        missing=None if open_.any() else _NOT_EXPLORED,
    )


def targets(places: Places, name: str) -> Floats:
    """The chance that a policy would give each candidate."""
    greedy, row = places.greedy, places.row
    counts = np.diff(places.starts)[row]
    if name == "uniform":
        return np.asarray(1.0 / counts)
    if name == "greedy":
        return greedy.astype(np.float64)
    share = places.share[row]
    with np.errstate(divide="ignore", invalid="ignore"):
        drawn = np.where(share > 0, (places.chance - (1 - share) * greedy) / share, greedy)
    return np.asarray(0.5 * greedy + 0.5 * np.clip(drawn, 0.0, 1.0))


def log_of(places: Places, target: Floats, guessed: Floats) -> offpolicy.Log:
    """The log for a policy that gives each candidate this chance; ``guessed`` is each one's reward."""
    row = places.row
    at = places.item == places.chosen[row]
    of_chosen = np.bincount(row[at], target[at], len(places.reward))
    expected = np.bincount(row, target * guessed, len(places.reward))
    guess = np.bincount(row[at], guessed[at], len(places.reward))
    return offpolicy.Log(
        places.reward,
        places.propensity,
        np.minimum(of_chosen, 1.0),
        guess.astype(np.float64),
        expected.astype(np.float64),
        places.customer,
    )


def guesses(places: Places) -> Floats:
    """Each candidate's reward as the other half of the customers tells it, drawn towards the mean."""
    size = int(places.item.max(initial=0)) + 1
    half = places.customer % 2
    answer = np.zeros(len(places.item))
    for own in (0, 1):
        other = half != own
        overall = float(places.reward[other].mean()) if other.any() else 0.0
        sums = np.bincount(places.chosen[other], places.reward[other], size)
        counts = np.bincount(places.chosen[other], minlength=size)
        rate = (sums + _PRIOR * overall) / (counts + _PRIOR)
        mine = half[places.row] == own
        answer[mine] = rate[places.item[mine]]
    return answer


def recorded(shop: Shop, since: Period, reward: str, days: int) -> Places | None:
    """The places of personal lists that were recorded, and what each earned; None: there are none."""
    today = shop.now().astimezone(shop.settings.zone).date()
    wanted = since.resolve(_FIRST, today)
    rows = shop.query(
        lambda source: (
            source.decisions(wanted)
            .filter(nw.col("kind") == RECOMMEND, nw.col("personalised"))
            .select(
                *("decision_id", "position", "time_ms", "customer_id", "chosen"),
                *("propensity", "candidates", "context"),
            )
        )
    ).sort_by([("decision_id", "ascending"), ("position", "ascending")])
    if not rows.num_rows:
        return None
    told = rows.to_pylist(maps_as_pydicts="strict")
    earned = _earned(shop, reward, min(row["time_ms"] for row in told))
    return _arrays(told, earned, days)


def _earned(shop: Shop, reward: str, first_ms: int) -> dict[tuple[str, str], list[int]]:
    """The times of the rewarded events, by customer and item."""
    first = first_ms - 1
    rows = shop.query(
        lambda source: (
            source.events()
            .filter(
                nw.col("name") == reward,
                nw.col("time_ms") > first,
                ~nw.col("customer_id").is_null(),
                ~nw.col("item_id").is_null(),
            )
            .select("customer_id", "item_id", "time_ms")
        )
    )
    found: dict[tuple[str, str], list[int]] = {}
    for row in rows.to_pylist():
        found.setdefault((row["customer_id"], row["item_id"]), []).append(row["time_ms"])
    return found


def _arrays(
    told: Sequence[Mapping[str, object]], earned: Mapping[tuple[str, str], list[int]], days: int
) -> Places:
    people: dict[object, int] = {}
    items: dict[str, int] = {}
    lists: dict[str, int] = {}
    starts, item, chance = [0], [], []
    reward = np.zeros(len(told))
    for number, row in enumerate(told):
        start = int(str(row["time_ms"]))
        key = (str(row["customer_id"]), str(row["chosen"]))
        hits = (at for at in earned.get(key, ()) if start <= at < start + days * DAY_MS)
        reward[number] = float(any(True for _ in hits))
        candidates = row["candidates"] or {row["chosen"]: "1"}
        assert isinstance(candidates, Mapping)  # noqa: S101 - a column of maps
        for name, told_chance in candidates.items():
            item.append(items.setdefault(str(name), len(items)))
            chance.append(float(told_chance))
        starts.append(len(item))
    contexts = [row["context"] or {} for row in told]
    return Places(
        np.array([people.setdefault(row["customer_id"], len(people)) for row in told]),
        reward,
        np.array([float(str(row["propensity"])) for row in told]),
        np.array([items.setdefault(str(row["chosen"]), len(items)) for row in told]),
        np.array(starts),
        np.array(item),
        np.array(chance),
        np.array([float(c.get("explore", 0.0)) for c in contexts]),  # type: ignore[attr-defined]
        np.array([int(str(row["time_ms"])) for row in told]),
        np.array([lists.setdefault(str(row["decision_id"]), len(lists)) for row in told]),
        [str(one) for one in people],
        list(items),
    )
