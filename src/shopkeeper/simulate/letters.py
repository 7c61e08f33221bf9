"""Messages to customers as numbers, and how customers take them: hidden, and different for each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from shopkeeper.simulate.calendar import DAY_US
from shopkeeper.simulate.chance import stream
from shopkeeper.simulate.population import Population
from shopkeeper.simulate.setting import Setting
from shopkeeper.simulate.state import NEVER, State

NAMED: Final = 4
"""Items that a message can name for a customer; -1 pads."""

LETTER: Final = np.dtype(
    [
        ("number", "i8"),
        ("customer", "i4"),
        ("time", "i8"),
        ("since", "i8"),
        ("campaign", "i2"),
        ("discount", "i1"),
        ("items", "i2", (NAMED,)),
    ]
)
"""A message that was handed over: its number, to whom, when, since when its window counts, which campaign's,
percent off, what it names."""

Letters = NDArray[Any]

_SECOND: Final = 1_000_000
_HOUR: Final = 3_600 * _SECOND
_ARRIVES, _SOFT = 0.985, 0.3
_OPENS_LATER = (2.5, 1.1)  # hours until a message is opened: median, spread of the logarithm
_LATEST = 60.0  # hours
_PROXY = 0.14  # of messages are opened by a machine as well
_NIGHT = 7  # people sleep until then
_LAST_CLICK = 23.4  # a visit must end before midnight


@dataclass(frozen=True)
class Temper:
    """How each customer takes messages: the chance to read one, how far it sways, how soon it annoys."""

    reads: NDArray[np.float64]
    swayed: NDArray[np.float64]
    annoyed: NDArray[np.float64]

    def of(self, customers: NDArray[np.integer]) -> Temper:
        """The tempers of these customers, in order."""
        return Temper(self.reads[customers], self.swayed[customers], self.annoyed[customers])


def temper(people: Population, seed: int) -> Temper:
    """The tempers of a world's people: who cares for a low price is swayed more easily."""
    random = stream(seed, "temper")
    return Temper(
        reads=random.beta(3.0, 3.2, people.count),
        swayed=random.gamma(1.5, 0.5, people.count) * np.clip(people.price_sensitivity, 0.4, 3),
        annoyed=random.beta(1.0, 24.0, people.count),
    )


@dataclass(frozen=True)
class Fates:
    """What became of each letter. Times are NEVER where it did not happen.

    ``interest`` is how much its content appeals, 0 to 1; ``back``: who had left is a customer again.
    """

    arrived: NDArray[np.int64]
    soft: NDArray[np.bool_]
    opened: NDArray[np.int64]
    clicked: NDArray[np.int64]
    refused: NDArray[np.int64]
    by_machine: NDArray[np.int64]
    interest: NDArray[np.float64]
    back: NDArray[np.bool_]
    item: NDArray[np.int64]


def fates(
    setting: Setting, state: State, own: Temper, letters: Letters, had: NDArray[np.float64]
) -> Fates:
    """What becomes of the letters of one day.

    ``own`` is the temper of each letter's customer, ``had`` how many messages that customer got lately, an
    old one counting less.
    """
    day = int(setting.clock.number_at(letters["time"][:1])[0]) if len(letters) else 0
    random = stream(setting.seed, "letters", day)
    chance = random.random((7, len(letters)))
    who, sent = letters["customer"], letters["time"]
    arrives = chance[0] < _ARRIVES
    interest, item = _interest(setting, state, letters)
    fresh = 0.8**had
    opens = arrives & (chance[1] < own.reads * _attention(state, who, sent) * fresh)
    hours = np.minimum(
        _OPENS_LATER[0] * np.exp(_OPENS_LATER[1] * random.normal(size=len(who))), _LATEST
    )
    opened = _awake(setting, sent + 60 * _SECOND + (hours * _HOUR).astype(np.int64))
    clicks = opens & (chance[2] < 0.5 * interest)
    clicked = opened + ((6 + 90 * chance[3]) * _SECOND).astype(np.int64)
    refuses = opens & (chance[4] < own.annoyed * (1.3 - interest) * (1 + had))
    machine = arrives & (chance[5] < _PROXY)
    soon = sent + (chance[6] * 1.5 * _SECOND).astype(np.int64)
    left = state.left_at[who] != NEVER
    return Fates(
        arrived=np.where(arrives, sent + 1 * _SECOND, NEVER),
        soft=~arrives & (chance[3] < _SOFT),
        opened=np.where(opens, opened, NEVER),
        clicked=np.where(clicks, clicked, NEVER),
        refused=np.where(refuses, opened + 40 * _SECOND, NEVER),
        by_machine=np.where(machine, soon, NEVER),
        interest=interest,
        back=opens & left & (chance[6] < 0.6 * interest * np.minimum(own.swayed, 1.5)),
        item=item,
    )


def _attention(
    state: State, who: NDArray[np.integer], sent: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Who has left for good reads less and less of what the shop writes."""
    left = state.left_at[who]
    gone = left != NEVER
    since = np.where(gone, sent - np.where(gone, left, 0), 0) / DAY_US
    return np.where(gone, 0.15 + 0.45 * np.exp(-np.maximum(since, 0) / 90), 1.0)


def _interest(
    setting: Setting, state: State, letters: Letters
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """How much each letter appeals, and the named item that its reader likes best (-1: names none)."""
    goods, people = setting.goods, setting.people
    who, items = letters["customer"], letters["items"].astype(np.int64)
    named = items >= 0
    safe = np.maximum(items, 0)
    liking = np.einsum("nf,nkf->nk", people.tastes[who], goods.features[safe]) + goods.appeal[safe]
    last = state.last_item[who[:, None], goods.category[safe]]
    again = (last == safe) & named
    liking = liking + np.where(again, np.where(goods.consumable[safe], 1.8, -1.5), 0.0)
    liking = liking + 3.0 * (people.categories[who[:, None], goods.category[safe]] - 0.2)
    liking = np.where(named, liking, -np.inf)
    best = liking.argmax(axis=1)
    rows = np.arange(len(who))
    appeal = np.where(named.any(axis=1), np.clip(liking[rows, best], -4, 4), 0.0)
    cheaper = 3.0 * people.price_sensitivity[who] * letters["discount"] / 100
    interest = 1 / (1 + np.exp(0.9 - 0.55 * appeal - cheaper))
    return interest, np.where(named.any(axis=1), items[rows, best], -1)


def _awake(setting: Setting, times: NDArray[np.int64]) -> NDArray[np.int64]:
    """The times, moved to the morning where they fall into the night of the shop's zone."""
    midnights = setting.clock.midnights
    number = np.minimum(setting.clock.number_at(times), len(midnights) - 1)
    hour = (times - midnights[number]) / _HOUR
    later = np.where(hour < _NIGHT, _NIGHT * _HOUR, np.where(hour > _LAST_CLICK, 9 * _HOUR, 0))
    return times + later
