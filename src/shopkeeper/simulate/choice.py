"""What a visit is shown, and which items it looks at: softmax choices over the items of a category."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shopkeeper.simulate.effects import Today
from shopkeeper.simulate.setting import Setting
from shopkeeper.simulate.state import State
from shopkeeper.simulate.visits import Visits

SHOWN = 4
SEEN = 6
_SEARCHES, _SHELVES = 0.38, 0.22
_LOST = np.float32(-1e9)
_PLACES = np.array([1.5, 1.1, 0.8, 0.6], np.float32)  # how much being shown there helps


@dataclass
class Looks:
    """Per visit: the list it was shown (``kind`` -1: none), and the items it looked at, -1 pads.

    ``propensity`` is the chance that the slot got this item, given the slots above it.
    """

    kind: NDArray[np.int64]
    query: NDArray[np.int32]
    shown: NDArray[np.int64]
    propensity: NDArray[np.float64]
    viewed: NDArray[np.int64]
    liking: NDArray[np.float32]


def looks(
    setting: Setting, state: State, today: Today, visits: Visits, random: np.random.Generator
) -> Looks:
    """The lists and views of these visits."""
    goods, count = setting.goods, visits.count
    members = goods.members[visits.category]
    offered = (members >= 0) & today.offered[members]
    liking = _liking(setting, state, today, visits)
    liking[~offered] = _LOST
    chance = random.random(count)
    kind = np.where(chance < _SEARCHES, 0, np.where(chance < _SEARCHES + _SHELVES, 1, -1))
    kind[visits.forced >= 0] = -1
    noisy = liking + _gumbel(random, liking.shape)
    target = members[np.arange(count), noisy.argmax(axis=1)]
    query, exact = setting.queries.choose(random, visits.language, visits.category, target)
    shelf = np.where(kind == 1, random.integers(0, len(goods.members), count), visits.category)
    wanted = np.where((kind == 0) & exact, goods.sub[target], -1)
    shown, propensity = _lists(setting, today, shelf, wanted, random)
    rows, slots = np.nonzero(
        (kind >= 0)[:, None] & (shown >= 0) & (shelf == visits.category)[:, None]
    )
    noisy[rows, goods.place[shown[rows, slots]]] += _PLACES[slots]
    forced = np.flatnonzero(visits.forced >= 0)
    noisy[forced, goods.place[visits.forced[forced]]] += 100
    viewed, liked = _views(random, noisy, liking, members, forced)
    return Looks(kind, np.where(kind == 0, query, -1), shown, propensity, viewed, liked)


def _liking(setting: Setting, state: State, today: Today, visits: Visits) -> NDArray[np.float32]:
    """How much each visitor likes each item of the visit's category, before any chance."""
    goods, people = setting.goods, setting.people
    liking = np.zeros((visits.count, goods.members.shape[1]), np.float32)
    level = goods.appeal + today.boost
    for category, members in enumerate(goods.members):
        inside = np.flatnonzero(visits.category == category)
        own = members[members >= 0]
        tastes = people.tastes[visits.person[inside]]
        liking[inside, : len(own)] = tastes @ goods.features[own].T + level[own].astype(np.float32)
    last = state.last_item[visits.person, visits.category]
    again = np.flatnonzero((visits.customer >= 0) & (last >= 0))
    items = last[again]
    # What is used up is bought again; what lasts is not.
    bonus = np.where(goods.consumable[items], 1.8, -1.5).astype(np.float32)
    liking[again, goods.place[items]] += bonus
    return liking


def _lists(
    setting: Setting,
    today: Today,
    shelf: NDArray[np.int64],
    wanted: NDArray[np.int64],
    random: np.random.Generator,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Four items a list, drawn one after the other from the shop's ranking, with their chances."""
    goods = setting.goods
    members = goods.members[shelf]
    score = (0.9 * goods.appeal + today.boost)[members] + 2.0 * (
        goods.sub[members] == wanted[:, None]
    )
    score = np.where((members >= 0) & today.offered[members], score, -np.inf).astype(np.float32)
    drawn = score + _gumbel(random, score.shape)
    order = np.argpartition(-drawn, SHOWN, axis=1)[:, :SHOWN]
    ranks = np.argsort(-np.take_along_axis(drawn, order, 1), axis=1)
    order = np.take_along_axis(order, ranks, 1)
    weight = np.exp(score - score.max(axis=1, keepdims=True)).astype(np.float64)
    weight /= weight.sum(axis=1, keepdims=True)
    own = np.take_along_axis(weight, order, 1)
    before = np.cumsum(own, axis=1) - own
    propensity = own / np.maximum(1 - before, 1e-12)
    shown = np.where(own > 0, np.take_along_axis(members, order, 1), -1)
    return shown, np.clip(propensity, 0.0, 1.0)


def _views(
    random: np.random.Generator,
    noisy: NDArray[np.float32],
    liking: NDArray[np.float32],
    members: NDArray[np.int64],
    forced: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    count = len(noisy)
    many = np.where(random.random(count) < 0.12, 0, 1 + random.poisson(0.95, count))
    many[forced] = np.maximum(many[forced], 1)
    top = np.argpartition(-noisy, SEEN, axis=1)[:, :SEEN]
    ranks = np.argsort(-np.take_along_axis(noisy, top, 1), axis=1)
    top = np.take_along_axis(top, ranks, 1)
    liked = np.take_along_axis(liking, top, 1)
    seen = (np.arange(SEEN) < many[:, None]) & (liked > _LOST / 2)
    return np.where(seen, np.take_along_axis(members, top, 1), -1), liked


def _gumbel(random: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float32]:
    chance = random.random(shape, np.float32)
    noise: NDArray[np.float32] = -np.log(-np.log(np.clip(chance, 1e-7, 1 - 1e-7)))
    return noise
