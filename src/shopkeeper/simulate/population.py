"""Customers with hidden tastes and life-cycles, before anything has happened to them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shopkeeper.simulate.chance import stream
from shopkeeper.simulate.goods import HIDDEN
from shopkeeper.simulate.lands import CHANNEL_SHARES, COUNTRIES, DEVICES, VISIT_CHANNELS
from shopkeeper.simulate.products import STYLES
from shopkeeper.simulate.scenario import Scenario

LANGUAGES = ("zh", "en")
LAND_NAMES = tuple(COUNTRIES)
_DEVICE_SHARES = (0.68, 0.26, 0.06)
_SHAPE = 0.75  # of the gamma of purchase rates: how unlike customers are (Fader, Hardie & Lee 2005)
_DROP = (0.9, 6.0)  # of the beta of the chance to leave after an order
_BEFORE = 540  # days before the period within which the older customers came


@dataclass(frozen=True)
class Population:
    """Arrays over customers. ``arrival`` counts days from the first one; below 0 is before it."""

    language: NDArray[np.int8]
    country: NDArray[np.int8]
    city: NDArray[np.int16]
    device: NDArray[np.int8]
    channel: NDArray[np.int8]
    arrival: NDArray[np.int32]
    rate: NDArray[np.float64]
    drop: NDArray[np.float64]
    categories: NDArray[np.float32]
    tastes: NDArray[np.float32]
    price_sensitivity: NDArray[np.float64]
    quality_sensitivity: NDArray[np.float64]
    reviewer: NDArray[np.float32]
    signs_up: NDArray[np.int16]

    @property
    def count(self) -> int:
        return len(self.rate)

    @property
    def favourite(self) -> NDArray[np.int64]:
        return np.asarray(self.categories.argmax(axis=1))


def population(scenario: Scenario, seed: int, categories: int) -> Population:
    """The people who are or may become customers; ``rate`` has a mean of 1 and is scaled later."""
    random = stream(seed, "population")
    count = scenario.customers
    language = _pick(random, [scenario.languages.get(k, 0.0) for k in LANGUAGES], count)
    country, city = _homes(random, scenario, language)
    quality = random.lognormal(-0.1, 0.5, count)
    price = random.lognormal(np.log(1.3), 0.35, count)
    arrival = _arrivals(random, scenario)
    rate = random.gamma(_SHAPE, 1 / _SHAPE, count) + 0.02
    return Population(
        language=language.astype(np.int8),
        country=country.astype(np.int8),
        city=city.astype(np.int16),
        device=_pick(random, _DEVICE_SHARES, count).astype(np.int8),
        channel=_pick(random, CHANNEL_SHARES, count).astype(np.int8),
        arrival=arrival,
        rate=rate,
        drop=random.beta(*_DROP, count),
        categories=_tastes(random, count, categories),
        tastes=_weights(random, count, quality, price),
        price_sensitivity=price,
        quality_sensitivity=quality,
        reviewer=random.gamma(0.6, 1 / 0.6, count).astype(np.float32),
        signs_up=np.minimum(random.geometric(0.75, count), 3).astype(np.int16),
    )


def pick_rows(chance: NDArray[np.float64], weights: NDArray[np.float32]) -> NDArray[np.int64]:
    """One column per row, by that row's weights, from uniform chances."""
    edges = np.cumsum(weights, axis=1, dtype=np.float64)
    found = (edges < chance[:, None] * edges[:, -1:]).sum(axis=1)
    return np.asarray(np.minimum(found, weights.shape[1] - 1))


def devices_of_the_day(
    random: np.random.Generator, usual: NDArray[np.int8], habit: float
) -> NDArray[np.int8]:
    """The usual device with probability ``habit``, otherwise any."""
    other = _pick(random, _DEVICE_SHARES, len(usual))
    return np.where(random.random(len(usual)) < habit, usual, other).astype(np.int8)


def channels_of_the_day(
    random: np.random.Generator, usual: NDArray[np.int8], habit: float
) -> NDArray[np.int8]:
    """The usual channel with probability ``habit``, otherwise any."""
    other = _pick(random, CHANNEL_SHARES, len(usual))
    return np.where(random.random(len(usual)) < habit, usual, other).astype(np.int8)


def _pick(
    random: np.random.Generator, shares: tuple[float, ...] | list[float], count: int
) -> NDArray[np.int64]:
    edges = np.cumsum(shares)
    found = np.searchsorted(edges, random.random(count) * edges[-1], side="right")
    return np.asarray(np.minimum(found, len(edges) - 1))


def _homes(
    random: np.random.Generator, scenario: Scenario, language: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    country = np.zeros(len(language), np.int64)
    for number, name in enumerate(LANGUAGES):
        shares = [
            one.weights[name] * scenario.countries.get(key, 0.0 if scenario.countries else 1.0)
            for key, one in COUNTRIES.items()
        ]
        speak = language == number
        country[speak] = _pick(random, shares, int(speak.sum()))
    sizes = np.array([len(one.cities) for one in COUNTRIES.values()])
    offsets = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    chance = random.random(len(language)) ** 1.5  # the first city of each list is the largest
    return country, offsets[country] + (chance * sizes[country]).astype(np.int64)


def _arrivals(random: np.random.Generator, scenario: Scenario) -> NDArray[np.int32]:
    count = scenario.customers
    new = random.random(count) < scenario.new_customers
    inside = (random.random(count) ** 0.9 * scenario.days).astype(np.int32)
    before = -1 - (random.random(count) * _BEFORE).astype(np.int32)
    return np.where(new, np.minimum(inside, scenario.days - 1), before).astype(np.int32)


def _tastes(random: np.random.Generator, count: int, categories: int) -> NDArray[np.float32]:
    popularity = np.array([1.25, 1.1, 1.0, 0.9, 0.7, 0.95])[:categories]
    weights = random.gamma(0.55, 1.0, (count, categories)) * popularity + 0.02
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), np.float32)


def _weights(
    random: np.random.Generator,
    count: int,
    quality: NDArray[np.float64],
    price: NDArray[np.float64],
) -> NDArray[np.float32]:
    """Per customer the weights of style, hidden tastes, quality and a low price."""
    style = random.normal(0, 0.8, (count, len(STYLES)))
    hidden = random.normal(0, 0.55, (count, HIDDEN))
    low = 0.45 * (price - 1.3)
    columns = [style, hidden, 0.4 * quality[:, None], low[:, None]]
    return np.hstack(columns).astype(np.float32)


CITY_NAMES = tuple(city for one in COUNTRIES.values() for city in one.cities)
assert len(DEVICES) == len(_DEVICE_SHARES)  # noqa: S101 - two lists that must agree
assert len(VISIT_CHANNELS) == len(CHANNEL_SHARES)  # noqa: S101
