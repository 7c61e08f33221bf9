"""What a customer thinks of a purchase: experiences by aspect, which are worth a word, the stars."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shopkeeper.simulate.plans import MENTIONS, Plans
from shopkeeper.simulate.products import SHARED_ASPECTS
from shopkeeper.simulate.setting import Setting

PRICE, DELIVERY, PACKAGING, SERVICE = range(len(SHARED_ASPECTS))
_GOOD, _BAD = 0.58, 0.45
_TALK = np.array([0.6, 0.5, 0.45, 0.25])  # how readily people mention the shared aspects
_HOW_MANY = np.cumsum([0.32, 0.36, 0.22, 0.1])


def opinions(setting: Setting, plans: Plans, random: np.random.Generator) -> None:
    """Fill in aspects (-1 pads), polarities (-1, 0, 1) and ratings of planned reviews."""
    goods, count = setting.goods, len(plans)
    own = goods.own[plans["item"]]
    shared = np.broadcast_to(np.arange(len(SHARED_ASPECTS)), (count, len(SHARED_ASPECTS)))
    aspects = np.hstack([shared, own])
    felt = goods.quality[plans["item"][:, None], np.maximum(aspects, 0)]
    felt = felt + random.normal(0, 0.13, aspects.shape)
    felt[:, DELIVERY] = 0.8 - 0.14 * plans["late"] + random.normal(0, 0.12, count)
    felt[:, PRICE] -= 0.9 * np.maximum(plans["rise"], 0)
    faulty = aspects == plans["fault"][:, None]
    felt[faulty] = 0.08
    felt = np.where(aspects >= 0, np.clip(felt, 0, 1), np.nan)
    ready = np.hstack([np.broadcast_to(_TALK, shared.shape), np.ones(own.shape)])
    ready = ready * (0.2 + 2 * np.abs(felt - 0.55))
    ready = np.where(faulty, 50.0, ready)
    ready[:, DELIVERY] += 0.35 * np.minimum(plans["late"], 8)
    many = 1 + np.searchsorted(_HOW_MANY, random.random(count), side="right").clip(0, 3)
    noise = random.random(aspects.shape)
    score = np.where(aspects >= 0, np.log(np.nan_to_num(ready, nan=1) + 1e-9), -np.inf)
    order = np.argsort(-(score - np.log(-np.log(noise.clip(1e-9, 1 - 1e-9)))), axis=1)[:, :MENTIONS]
    chosen = np.take_along_axis(aspects, order, 1)
    said = np.take_along_axis(felt, order, 1)
    spoken = (np.arange(MENTIONS) < many[:, None]) & (chosen >= 0)
    plans["aspects"] = np.where(spoken, chosen, -1)
    polarity = np.where(said > _GOOD, 1, np.where(said < _BAD, -1, 0))
    plans["polarity"] = np.where(spoken, polarity, 0)
    plans["rating"] = _stars(felt, said, spoken, polarity, random)


def _stars(
    felt: NDArray[np.float64],
    said: NDArray[np.float64],
    spoken: NDArray[np.bool_],
    polarity: NDArray[np.int64],
    random: np.random.Generator,
) -> NDArray[np.int64]:
    """One to five stars: mostly what is said, partly the rest."""
    weight = spoken.sum(axis=1)
    words = np.where(spoken, 0.75 * (polarity + 1) / 2 + 0.25 * np.nan_to_num(said), 0).sum(axis=1)
    level = 0.15 * np.nanmean(felt, axis=1) + 0.85 * words / np.maximum(weight, 1)
    stars = 0.75 + 4.45 * level + random.normal(0, 0.3, len(level))
    return np.asarray(np.clip(np.round(stars), 1, 5), np.int64)
