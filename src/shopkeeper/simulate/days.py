"""The simulation itself: one day after the other, each from its own random streams and the past."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from shopkeeper.core import events as names
from shopkeeper.core.seeds import derive
from shopkeeper.simulate import visits as arrivals
from shopkeeper.simulate.aftermath import aftermath
from shopkeeper.simulate.chance import stream
from shopkeeper.simulate.effects import Today, touches
from shopkeeper.simulate.lands import DEVICES, VISIT_CHANNELS
from shopkeeper.simulate.plans import PLAN, Plans
from shopkeeper.simulate.population import LAND_NAMES
from shopkeeper.simulate.reactions import Reactions
from shopkeeper.simulate.rows import CODE, Rows, blank
from shopkeeper.simulate.scenario import BROWSER_EVENTS
from shopkeeper.simulate.setting import Setting
from shopkeeper.simulate.state import NEVER, State, beginning
from shopkeeper.simulate.visits import Visits
from shopkeeper.simulate.walk import Walk, walk

TALLIES: Final = (
    "visits",
    "visitors",
    "orders",
    "units",
    "revenue",
    "refunds",
    "active_customers",
    "bot_views",
    "lost_events",
)
_BOT_VIEWS = 40
_BOT_VISIT = 130_000_000  # microseconds: they stop before midnight


class Simulation:
    """The world as days go by. ``plans`` are the texts to write, ``tallies`` what truly happened.

    ``reactions`` are what messages bring about; the built period has none.
    """

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.reactions: Reactions | None = None
        self.state: State = beginning(
            setting.people, setting.clock, setting.seed, len(setting.catalogue.categories)
        )
        self.plans: list[Plans] = []
        self.bots: list[NDArray[np.uint64]] = []
        self.tallies = {name: np.zeros(setting.clock.days) for name in TALLIES}
        self._agenda: dict[int, list[Rows]] = defaultdict(list)
        self._beyond: list[Rows] = []

    def day(self, number: int) -> Rows:
        """The events recorded on day ``number``, sorted by time. Days are to be taken in order."""
        setting, state = self.setting, self.state
        today = setting.effects.on(number)
        self._depart(today, number)
        visits = arrivals.of_day(setting, state, today, number)
        walks = [self._happen(setting, today, visits, number)]
        bots = self._bots(today, number, walks[0].views)
        answers = self.reactions.visits(setting, state, number) if self.reactions else None
        if answers is not None:
            # Their chances come from streams of their own, so that nobody else's day is another for them.
            apart = replace(setting, seed=derive(setting.seed, "answers"))
            walks.append(self._happen(apart, today, answers, number))
        own = [row for one in walks for row in one.rows]
        rows = np.concatenate([*own, *self._agenda.pop(number, []), *bots])
        rows = rows[np.argsort(rows["time"], kind="stable")]
        rows["day"] = setting.clock.epoch_day(number)
        rows["number"] = np.arange(len(rows))
        lag = stream(setting.seed, "lag", number).exponential(400, len(rows))
        rows["lag"] = 20 + np.minimum(lag, 30_000)
        self._tally(rows, walks, number)
        self.tallies["visits"][number] = (visits.customer >= 0).sum()
        self.tallies["visitors"][number] = (visits.customer < 0).sum()
        return self._recorded(today, rows, number)

    def extend(self, days: int) -> None:
        """Let the world have so many days more; nothing that was before them changes."""
        clock = self.setting.clock.longer(days)
        self.setting = replace(self.setting, clock=clock)
        for name, tally in self.tallies.items():
            self.tallies[name] = np.concatenate([tally, np.zeros(days)])
        beyond, self._beyond = self._beyond, []
        self._schedule(beyond)

    def planned(self, start: int = 0, end: int = -1) -> Plans:
        """The texts of the days from ``start`` to before ``end`` (all, if not given), in order of time."""
        every = np.concatenate([np.zeros(0, PLAN), *self.plans])
        first, last = self.setting.clock.midnights[[start, end]]
        inside = every[(every["time"] >= first) & (every["time"] < last)]
        return np.asarray(inside[np.lexsort((inside["item"], inside["order"], inside["time"]))])

    def _depart(self, today: Today, number: int) -> None:
        """A churn wave drives customers away at midnight."""
        if today.leaving is None:
            return
        chance = stream(self.setting.seed, "churn", number).random(self.setting.people.count)
        here = self.state.alive & (self.setting.people.arrival < number)
        gone = here & (chance < today.leaving)
        self.state.left_at[gone] = self.setting.clock.midnights[number]

    def _happen(self, setting: Setting, today: Today, visits: Visits, number: int) -> Walk:
        """Let visits of the day take their course, with what follows them."""
        walked = walk(setting, self.state, today, visits, number)
        self._leave_after_orders(setting, walked, number)
        later, plans = aftermath(setting, today, walked.lines, number)
        self._schedule(later)
        self.plans.extend(plans)
        return walked

    def _leave_after_orders(self, setting: Setting, walked: Walk, number: int) -> None:
        """After each order a customer leaves for good with the customer's own probability."""
        lines = walked.lines
        random = stream(setting.seed, "drop", number)
        _, first = np.unique(lines.session, return_index=True)
        customer = lines.customer[first]
        gone = random.random(len(first)) < setting.people.drop[customer]
        self.state.left_at[customer[gone]] = lines.time[first][gone]

    def _schedule(self, later: list[Rows]) -> None:
        """Keep rows of later days for their day; those after the last day, should there be more."""
        if not later:
            return
        rows = np.concatenate(later)
        numbers = self.setting.clock.number_at(rows["time"])
        inside = numbers < self.setting.clock.days
        for number in np.unique(numbers[inside]):
            self._agenda[int(number)].append(rows[numbers == number])
        if not inside.all():
            self._beyond.append(rows[~inside])

    def _bots(self, today: Today, number: int, views: int) -> list[Rows]:
        made = []
        for place, happening in today.of("bot_traffic"):
            random = stream(self.setting.seed, "bots", place, number)
            count = int(random.poisson(happening.size * views))
            which = np.arange(count) // _BOT_VIEWS
            sessions = arrivals.numbered(number, arrivals.PLANTED + place, count // _BOT_VIEWS + 1)
            midnight = int(self.setting.clock.midnights[number])
            start = midnight + random.integers(0, _length(self.setting, number), len(sessions))
            rows = blank(count, names.VIEW_ITEM)
            step = (np.arange(count) % _BOT_VIEWS) * 1_500_000
            rows["time"] = start[which] + step + random.integers(0, 700_000, count)
            rows["session"] = sessions[which]
            rows["anonymous"] = arrivals.unknown_visitors(self.setting.seed, sessions)[which]
            rows["device"] = DEVICES.index("desktop")
            rows["channel"] = VISIT_CHANNELS.index("direct")
            rows["country"] = LAND_NAMES.index((happening.countries or ("US",))[0])
            offered = np.flatnonzero(today.offered)
            rows["item"] = offered[random.integers(0, len(offered), count)]
            price = np.round(self.setting.goods.price * today.price, 2)
            rows["price"] = price[rows["item"]]
            self.bots.append(np.unique(rows["anonymous"]))
            self.tallies["bot_views"][number] += count
            made.append(rows)
        return made

    def _recorded(self, today: Today, rows: Rows, number: int) -> Rows:
        """The rows that no outage of the tracking loses."""
        kept = np.ones(len(rows), bool)
        for place, happening in today.of("tracking_outage"):
            random = stream(self.setting.seed, "outage", place, number)
            codes = [CODE[name] for name in happening.events or BROWSER_EVENTS]
            lost = np.isin(rows["name"], codes) & (random.random(len(rows)) < happening.size)
            language = self.setting.people.language[np.maximum(rows["customer"], 0)]
            language = np.where(rows["customer"] >= 0, language, -1)
            kept &= ~(
                lost
                & touches(
                    happening,
                    country=rows["country"],
                    language=language,
                    device=rows["device"],
                    channel=rows["channel"],
                )
            )
        self.tallies["lost_events"][number] = (~kept).sum()
        return rows[kept]

    def _tally(self, rows: Rows, walks: list[Walk], number: int) -> None:
        tally = self.tallies
        purchases = rows[rows["name"] == CODE[names.PURCHASE]]
        refunds = rows[rows["name"] == CODE[names.REFUND]]
        tally["orders"][number] = sum(len(np.unique(one.lines.session)) for one in walks)
        tally["units"][number] = sum(one.lines.quantity.sum() for one in walks)
        tally["revenue"][number] = purchases["value"].sum()
        tally["refunds"][number] = refunds["value"].sum()
        here = (self.state.left_at == NEVER) & (self.setting.people.arrival <= number)
        tally["active_customers"][number] = here.sum()


def _length(setting: Setting, number: int) -> int:
    """Microseconds of the day within which a bot may start."""
    midnights = setting.clock.midnights
    return int(midnights[number + 1] - midnights[number]) - _BOT_VISIT
