"""What messages bring about, from day to day: visits by their links, visits that they reminded of."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from shopkeeper.simulate import visits as arrivals
from shopkeeper.simulate.chance import stream
from shopkeeper.simulate.lands import VISIT_CHANNELS
from shopkeeper.simulate.letters import Fates, Letters, Temper, fates
from shopkeeper.simulate.setting import Setting
from shopkeeper.simulate.state import NEVER, State
from shopkeeper.simulate.visits import Visits

_FADES: Final = 5.0  # days within which a reminder is forgotten
_TIRES: Final = 14.0  # days within which the number of messages is
_REMINDS: Final = 1.6


@dataclass(frozen=True)
class _Read:
    """Letters that are read on one day: whose, and where there was a click its time and what it was for."""

    customer: NDArray[np.int64]
    clicked: NDArray[np.int64]
    campaign: NDArray[np.int64]
    discount: NDArray[np.int64]
    item: NDArray[np.int64]
    stirs: NDArray[np.float64]
    back: NDArray[np.bool_]

    def only(self, kept: NDArray[np.bool_]) -> _Read:
        return _Read(**{name: getattr(self, name)[kept] for name in self.__dataclass_fields__})


class Reactions:
    """How the customers of one world answer messages. Without messages nothing here does anything."""

    def __init__(self, own: Temper, customers: int) -> None:
        self.temper = own
        self.stirred = np.zeros(customers)
        self.had = np.zeros(customers)
        self._read: dict[int, list[_Read]] = defaultdict(list)

    def copied(self, who: NDArray[np.int64], copies: int) -> Reactions:
        """The same for these customers alone, so many times over: copy k of the i-th is k × len(who) + i."""
        index = np.tile(who, copies)
        place = np.full(len(self.had), -1)
        place[who] = np.arange(len(who))
        made = Reactions(self.temper.of(index), len(index))
        made.stirred, made.had = self.stirred[index], self.had[index]
        for day, read in self._read.items():
            for one in read:
                mine = one.only(place[one.customer] >= 0)
                for copy in range(copies):
                    moved = place[mine.customer] + copy * len(who)
                    made._read[day].append(replace(mine, customer=moved))
        return made

    def take(self, setting: Setting, state: State, letters: Letters) -> Fates:
        """Let the letters of one day reach their readers; what becomes of each. Once for each day."""
        who = letters["customer"]
        found = fates(setting, state, self.temper.of(who), letters, self.had[who])
        np.add.at(self.had, who[found.arrived != NEVER], 1.0)
        read = np.flatnonzero(found.opened != NEVER)
        swayed = self.temper.swayed[who[read]]
        rows = _Read(
            customer=who[read].astype(np.int64),
            clicked=found.clicked[read],
            campaign=letters["campaign"][read].astype(np.int64),
            discount=letters["discount"][read].astype(np.int64),
            item=found.item[read],
            stirs=_REMINDS * swayed * found.interest[read],
            back=found.back[read],
        )
        days = setting.clock.number_at(found.opened[read])
        for day in np.unique(days):
            self._read[int(day)].append(rows.only(days == day))
        return found

    def visits(self, setting: Setting, state: State, number: int) -> Visits | None:
        """The visits of day ``number`` that would not be without messages; who comes back is a customer."""
        self.had *= np.exp(-1 / _TIRES)
        read = self._read.pop(number, [])
        clicks = [one.only(one.clicked != NEVER) for one in read]
        for one in read:
            state.left_at[one.customer[one.back]] = NEVER
        reminded = self._reminded(setting, state, number)
        for one in read:
            np.maximum.at(self.stirred, one.customer, one.stirs)
        persons = np.concatenate([*(one.customer for one in clicks), reminded])
        if not len(persons):
            return None
        visits = arrivals.build(setting, persons, number, arrivals.ANSWERS)
        first = 0
        for one in clicks:
            _by_link(setting, visits, slice(first, first + len(one.customer)), one)
            first += len(one.customer)
        return visits

    def _reminded(self, setting: Setting, state: State, number: int) -> NDArray[np.int64]:
        """Who comes because of a message read on an earlier day."""
        if not self.stirred.any():
            return np.zeros(0, np.int64)
        people = setting.people
        who = np.flatnonzero(self.stirred > 1e-3)
        ready = state.activity(people, number, int(setting.clock.midnights[number]))[who]
        season = setting.seasons(number)[people.country[who]]
        rate = setting.visit_rate * people.rate[who] * season * ready * self.stirred[who]
        chance = stream(setting.seed, "reminded", number).random(people.count)[who]
        self.stirred *= np.exp(-1 / _FADES)
        return who[chance < -np.expm1(-rate)]


def _by_link(setting: Setting, visits: Visits, place: slice, read: _Read) -> None:
    """Let these visits begin at the click, with what the link says."""
    visits.start[place] = read.clicked
    visits.channel[place] = VISIT_CHANNELS.index("email")
    visits.campaign[place] = read.campaign
    visits.discount[place] = np.maximum(visits.discount[place], read.discount)
    named = read.item >= 0
    visits.forced[place] = read.item
    usual = visits.category[place]
    visits.category[place] = np.where(named, setting.goods.category[read.item], usual)
