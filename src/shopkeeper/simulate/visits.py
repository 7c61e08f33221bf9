"""Who comes to the shop on a day, when, from where, and what for."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from shopkeeper.core.errors import Corrupt
from shopkeeper.simulate.calendar import festivity
from shopkeeper.simulate.chance import stream
from shopkeeper.simulate.effects import Today, touches
from shopkeeper.simulate.lands import COUNTRIES, STANDING, VISIT_CHANNELS
from shopkeeper.simulate.population import (
    channels_of_the_day,
    devices_of_the_day,
    pick_rows,
)
from shopkeeper.simulate.rows import visitor_ids
from shopkeeper.simulate.scenario import Happening
from shopkeeper.simulate.setting import Setting
from shopkeeper.simulate.state import State

LONGEST = 1_400_000_000  # microseconds of a visit: it never runs over midnight
_UNKNOWN = 1 << 50  # where the numbers of visitors start, after those of customers' devices
_SLOTS = 1 << 24  # visits of one kind in a day that ids have room for
CUSTOMERS, VISITORS, PLANTED, ANSWERS = 0, 1, 2, 255
"""Kinds of visits by number; those of happening n are PLANTED + n, those that a message brought ANSWERS."""
_HABIT = 0.85


@dataclass
class Visits:
    """Arrays over the visits of one day. ``customer`` is -1 for visitors, whose tastes are ``person``'s.

    ``forced`` is the item that the visitor came for, or -1.
    """

    customer: NDArray[np.int64]
    person: NDArray[np.int64]
    country: NDArray[np.int8]
    language: NDArray[np.int8]
    device: NDArray[np.int8]
    channel: NDArray[np.int8]
    campaign: NDArray[np.int16]
    anonymous: NDArray[np.uint64]
    session: NDArray[np.int64]
    start: NDArray[np.int64]
    category: NDArray[np.int64]
    forced: NDArray[np.int64]
    discount: NDArray[np.int64]

    @property
    def count(self) -> int:
        return len(self.customer)

    def only(self, kept: NDArray[np.bool_]) -> Visits:
        return Visits(**{f.name: getattr(self, f.name)[kept] for f in fields(self)})

    def joined(self, other: Visits) -> Visits:
        pairs = {f.name: (getattr(self, f.name), getattr(other, f.name)) for f in fields(self)}
        return Visits(**{name: np.concatenate(pair) for name, pair in pairs.items()})

    def touched(self, happening: Happening) -> NDArray[np.bool_]:
        return touches(
            happening,
            country=self.country,
            language=self.language,
            device=self.device,
            channel=self.channel,
        )


def of_day(setting: Setting, state: State, today: Today, number: int) -> Visits:
    """The visits of day ``number``: customers, visitors, and those who come for a viral item."""
    seasons = setting.seasons(number)
    random = stream(setting.seed, "customers", number)
    people = setting.people
    ready = state.activity(people, number, int(setting.clock.midnights[number]))
    rate = setting.visit_rate * people.rate * seasons[people.country] * ready
    if today.visits is not None:
        rate = rate * today.visits
    chance = random.random(people.count)
    comes = (chance < -np.expm1(-rate)) | (people.arrival == number)
    visits = build(setting, np.flatnonzero(comes), number, CUSTOMERS)
    _attribute(setting, visits, today, number)

    crowd = stream(setting.seed, "crowd", number)
    twins = crowd.integers(
        0, people.count, 1 + int(3 * setting.visitors_a_day * seasons.max() + 50)
    )
    expected = setting.visitors_a_day * seasons[people.country].mean()
    count = min(int(crowd.poisson(expected)), len(twins))
    visits = visits.joined(build(setting, twins[:count], number, VISITORS))
    visits = visits.only(_kept(setting, visits, today, number))
    for place, happening in today.of("viral"):
        extra = _viral(setting, today, number, place)
        fits = extra.touched(happening)
        visits = visits.joined(extra.only(fits))
    return visits


def numbered(number: int, kind: int, count: int) -> NDArray[np.int64]:
    """Session numbers of one kind of visits of a day."""
    return (number << 32) + (kind << 24) + np.arange(count)


def unknown_visitors(seed: int, sessions: NDArray[np.int64]) -> NDArray[np.uint64]:
    """A visitor id of its own for each session."""
    return visitor_ids(seed, _UNKNOWN + sessions)


def build(setting: Setting, persons: NDArray[np.int64], number: int, kind: int) -> Visits:
    """Visits of these persons: as themselves (``CUSTOMERS``) or as unknown visitors like them."""
    if len(persons) >= _SLOTS:
        raise Corrupt(f"{len(persons):,} visits on one day are more than ids have room for.")
    random = stream(setting.seed, "visits", kind, number)
    people = setting.people
    count = len(persons)
    device = devices_of_the_day(random, people.device[persons], _HABIT)
    channel = channels_of_the_day(random, people.channel[persons], 0.65)
    start = setting.clock.spread(number, random.random(count))
    last = setting.clock.midnights[number + 1] - LONGEST
    weights = people.categories[persons] * setting.category_year(number)
    known = kind in (CUSTOMERS, ANSWERS)
    numbers = numbered(number, kind, count)
    own = visitor_ids(setting.seed, persons * 4 + device)
    return Visits(
        customer=persons if known else np.full(count, -1),
        person=persons,
        country=people.country[persons],
        language=people.language[persons],
        device=device,
        channel=channel,
        campaign=_standing(setting, channel),
        anonymous=own if known else unknown_visitors(setting.seed, numbers),
        session=numbers,
        start=np.minimum(start, last),
        category=pick_rows(random.random(count), weights),
        forced=np.full(count, -1),
        discount=_festival_discount(setting, people.country[persons], number),
    )


def _standing(setting: Setting, channel: NDArray[np.int8]) -> NDArray[np.int16]:
    codes = np.full(len(VISIT_CHANNELS), -1, np.int16)
    for name, campaign in STANDING.items():
        codes[VISIT_CHANNELS.index(name)] = setting.campaigns.index(campaign)
    return codes[channel]


def _festival_discount(
    setting: Setting, country: NDArray[np.int8], number: int
) -> NDArray[np.int64]:
    day = setting.clock.day(number)
    by_country = [festivity(day, one.festivals).discount for one in COUNTRIES.values()]
    return np.array(by_country)[country]


def _attribute(setting: Setting, visits: Visits, today: Today, number: int) -> None:
    """Mark the share of the segment's visits that a campaign brought."""
    for place, happening in today.of("campaign"):
        random = stream(setting.seed, "campaign", place, number)
        share = happening.size / (1 + happening.size)
        inside = setting.effects.segment(place)[visits.person]
        brought = (random.random(visits.count) < share) & inside
        channel = happening.channels[0] if happening.channels else "email"
        visits.channel[brought] = VISIT_CHANNELS.index(channel)
        visits.campaign[brought] = setting.campaigns.index(happening.name)
        percent = round(happening.discount * 100)
        visits.discount[brought] = np.maximum(visits.discount[brought], percent)


def _kept(setting: Setting, visits: Visits, today: Today, number: int) -> NDArray[np.bool_]:
    """The visits that no competitor takes away."""
    kept = np.ones(visits.count, bool)
    for place, happening in today.of("competitor"):
        random = stream(setting.seed, "competitor", place, number)
        lost = random.random(visits.count) < happening.size
        inside = setting.effects.in_category(happening, visits.category)
        kept &= ~(lost & inside & visits.touched(happening))
    return kept


def _viral(setting: Setting, today: Today, number: int, place: int) -> Visits:
    """Visitors who come for the happening's items, in proportion to the items' usual views."""
    random = stream(setting.seed, "viral", place, number)
    items, size = setting.effects.items(place), setting.scenario.happenings[place].size
    level = float(setting.seasons(number)[setting.people.country].mean())
    expected = size * setting.views_a_day[items] * level * today.offered[items]
    counts = random.poisson(expected)
    persons = random.integers(0, setting.people.count, int(counts.sum()))
    visits = build(setting, persons, number, PLANTED + place)
    visits.forced = np.repeat(items, counts)
    visits.category = setting.goods.category[visits.forced]
    visits.channel[:] = VISIT_CHANNELS.index("social")
    visits.campaign[:] = -1
    return visits
