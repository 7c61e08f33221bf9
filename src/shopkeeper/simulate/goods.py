"""The catalogue as numbers: true qualities, appeal and prices of every item."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shopkeeper.simulate.chance import stream
from shopkeeper.simulate.products import SHARED_ASPECTS, STYLES, Catalogue

HIDDEN = 3
"""Unnamed tastes: what makes people like the same things without an attribute that says why."""


@dataclass(frozen=True)
class Goods:
    """Arrays over items (rows in catalogue order); `members` lists each category's items, -1 pads."""

    category: NDArray[np.int64]
    sub: NDArray[np.int64]
    price: NDArray[np.float64]
    cost: NDArray[np.float64]
    quality: NDArray[np.float64]
    own: NDArray[np.int64]
    overall: NDArray[np.float64]
    appeal: NDArray[np.float64]
    features: NDArray[np.float32]
    returns: NDArray[np.float64]
    consumable: NDArray[np.bool_]
    upcoming: NDArray[np.bool_]
    members: NDArray[np.int64]
    place: NDArray[np.int64]

    @property
    def count(self) -> int:
        return len(self.price)


def goods(catalogue: Catalogue, seed: int, rate: float) -> Goods:
    """The goods of one world; ``rate`` is what one yuan is in its currency."""
    products = catalogue.products
    random = stream(seed, "goods")
    category = np.array([catalogue.categories.index(p.category) for p in products])
    subs = {pair: n for n, pair in enumerate(dict.fromkeys((p.category, p.sub) for p in products))}
    own = _own(catalogue)
    quality = _quality(random, len(products), len(catalogue.aspects), own)
    overall = np.array([quality[i, own[i][own[i] >= 0]].mean() for i in range(len(products))])
    appeal = random.normal(0, 0.7, len(products)) + 1.6 * (overall - 0.7)
    yuan = np.array([p.price for p in products])
    members, place = _members(category, len(catalogue.categories))
    about = [catalogue.about[key] for key in catalogue.categories]
    base = np.array([one["returns"] for one in about])[category]
    returns = np.clip(base * (0.6 + 8.0 * (1 - overall) ** 2), 0.004, 0.3)
    return Goods(
        category=category,
        sub=np.array([subs[p.category, p.sub] for p in products]),
        price=np.maximum(np.round(yuan * rate, 2), 0.02),
        cost=np.array([np.round(p.cost * rate, 2) for p in products]),
        quality=quality,
        own=own,
        overall=overall,
        appeal=appeal,
        features=_features(random, catalogue, category, overall, yuan),
        returns=returns,
        consumable=np.array([bool(one["consumable"]) for one in about])[category],
        upcoming=np.array([p.upcoming for p in products]),
        members=members,
        place=place,
    )


def _own(catalogue: Catalogue) -> NDArray[np.int64]:
    lists = [catalogue.own_aspects(i) for i in range(len(catalogue.products))]
    width = max(map(len, lists))
    return np.array([one + [-1] * (width - len(one)) for one in lists])


def _quality(
    random: np.random.Generator, items: int, aspects: int, own: NDArray[np.int64]
) -> NDArray[np.float64]:
    """True quality from 0 to 1 by item and aspect; NaN where an aspect does not apply."""
    level = random.beta(6, 2.6, items)
    drawn = np.clip(level[:, None] + random.normal(0, 0.17, (items, aspects)), 0.03, 0.99)
    quality = np.full((items, aspects), np.nan)
    quality[:, : len(SHARED_ASPECTS)] = drawn[:, : len(SHARED_ASPECTS)]
    for item, aspect in zip(*np.nonzero(own >= 0), strict=True):
        quality[item, own[item, aspect]] = drawn[item, own[item, aspect]]
    return quality


def _features(
    random: np.random.Generator,
    catalogue: Catalogue,
    category: NDArray[np.int64],
    overall: NDArray[np.float64],
    price: NDArray[np.float64],
) -> NDArray[np.float32]:
    """What tastes meet: style (one of six), hidden tastes, quality, price level in the category."""
    products = catalogue.products
    style = np.zeros((len(products), len(STYLES)))
    style[np.arange(len(products)), [STYLES.index(p.style) for p in products]] = 1
    hidden = random.normal(0, 1, (len(products), HIDDEN))
    level = np.log(price)
    for key in range(len(catalogue.categories)):
        inside = category == key
        level[inside] = (level[inside] - level[inside].mean()) / level[inside].std()
    columns = [style, hidden, (overall - 0.7)[:, None] * 4, -level[:, None]]
    return np.hstack(columns).astype(np.float32)


def _members(
    category: NDArray[np.int64], categories: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    lists = [np.flatnonzero(category == key) for key in range(categories)]
    members = np.full((categories, max(map(len, lists))), -1)
    place = np.zeros(len(category), np.int64)
    for key, one in enumerate(lists):
        members[key, : len(one)] = one
        place[one] = np.arange(len(one))
    return members, place
