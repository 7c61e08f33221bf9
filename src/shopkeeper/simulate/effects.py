"""What the planted happenings do on one day, as factors over items and customers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from shopkeeper.decisions.assignment import Arm, choose
from shopkeeper.simulate.calendar import Clock
from shopkeeper.simulate.goods import Goods
from shopkeeper.simulate.lands import DEVICES, VISIT_CHANNELS
from shopkeeper.simulate.population import LAND_NAMES, LANGUAGES, Population
from shopkeeper.simulate.products import Catalogue
from shopkeeper.simulate.scenario import Happening

ARMS: Final = (Arm("control", 0.5), Arm("treatment", 0.5))
"""The halves of every planted experiment."""


@dataclass
class Today:
    """The state of the world on one day: factors that are 1 or 0 where nothing happens.

    ``happening`` lists of (number, happening) concern visits; they are matched visit by visit.
    """

    price: NDArray[np.float64]
    available: NDArray[np.float64]
    offered: NDArray[np.bool_]
    boost: NDArray[np.float64]
    defect: NDArray[np.float64]
    faulty: NDArray[np.int64]
    cause: NDArray[np.int64]
    visits: NDArray[np.float64] | None = None
    leaving: NDArray[np.float64] | None = None
    active: dict[str, list[tuple[int, Happening]]] = field(default_factory=dict)

    def of(self, kind: str) -> list[tuple[int, Happening]]:
        return self.active.get(kind, [])


class Effects:
    """The happenings of one scenario, ready to be asked about any day."""

    def __init__(
        self,
        happenings: tuple[Happening, ...],
        clock: Clock,
        catalogue: Catalogue,
        goods: Goods,
        people: Population,
    ) -> None:
        self._happenings = happenings
        self._clock = clock
        self._goods = goods
        self._people = people
        self._catalogue = catalogue
        self._items = [np.array([catalogue.index[i] for i in h.items], int) for h in happenings]
        self._masks = {
            number: self._segment(h)
            for number, h in enumerate(happenings)
            if h.kind in ("campaign", "churn_wave")
        }
        self._treated = {
            number: _treated(h.name, people.count)
            for number, h in enumerate(happenings)
            if h.kind == "experiment"
        }
        self._launch = np.full(goods.count, -1)
        self._launch[goods.upcoming] = clock.days  # never, unless a happening says otherwise
        for number, happening in enumerate(happenings):
            if happening.kind == "new_launch":
                self._launch[self._items[number]] = clock.number(happening.start)

    @property
    def launch_days(self) -> NDArray[np.int64]:
        """Per item the number of the first day on which it is offered; -1: always was."""
        return self._launch

    def on(self, number: int) -> Today:
        """The effects on day ``number``."""
        day = self._clock.day(number)
        count = self._goods.count
        today = Today(
            price=np.ones(count),
            available=np.ones(count),
            offered=self._launch <= number,
            boost=np.zeros(count),
            defect=np.zeros(count),
            faulty=np.full(count, -1),
            cause=np.full(count, -1),
        )
        for place, happening in enumerate(self._happenings):
            if happening.holds(day):
                today.active.setdefault(happening.kind, []).append((place, happening))
                self._apply(today, place, happening)
        return today

    def items(self, place: int) -> NDArray[np.int64]:
        """The item numbers of one happening."""
        return self._items[place]

    def segment(self, place: int) -> NDArray[np.bool_]:
        """Which customers a campaign or a churn wave is about."""
        return self._masks[place]

    def treated(self, place: int) -> NDArray[np.bool_]:
        """Which customers are in the treated half of an experiment."""
        return self._treated[place]

    def _apply(self, today: Today, place: int, happening: Happening) -> None:
        items, size = self._items[place], happening.size
        match happening.kind:
            case "price_rise":
                today.price[items] *= 1 + size
            case "price_cut":
                today.price[items] *= 1 - size
            case "stock_out":
                today.available[items] *= 1 - size
                today.boost[items] -= 1.0 * size
            case "quality_defect":
                self._spoil(today, place, happening)
            case "new_launch":
                today.boost[items] += size
            case "campaign":
                today.visits = np.ones(self._people.count) if today.visits is None else today.visits
                today.visits[self._masks[place]] *= 1 + size
            case "churn_wave":
                self._drive_away(today, place, happening)

    def _spoil(self, today: Today, place: int, happening: Happening) -> None:
        items = self._items[place]
        today.defect[items] += happening.size
        today.cause[items] = place
        for item in items:
            own = self._catalogue.own_aspects(int(item))
            wanted = self._catalogue.aspect_index.get(happening.aspect, -1)
            today.faulty[item] = wanted if wanted in own else own[0]

    def _drive_away(self, today: Today, place: int, happening: Happening) -> None:
        length = (happening.end - happening.start).days + 1
        daily = 1 - (1 - happening.size) ** (1 / length)
        stays = np.ones(self._people.count) if today.leaving is None else 1 - today.leaving
        stays[self._masks[place]] *= 1 - daily
        today.leaving = 1 - stays

    def _segment(self, happening: Happening) -> NDArray[np.bool_]:
        people = self._people
        fits = touches(
            happening,
            country=people.country,
            language=people.language,
            device=people.device,
            channel=np.full(people.count, -1),
        )
        return fits & self.in_category(happening, people.favourite)

    def in_category(self, happening: Happening, category: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether each category number is among those the happening names; all, if it names none."""
        if not happening.categories:
            return np.ones(len(category), bool)
        wanted = [self._catalogue.categories.index(name) for name in happening.categories]
        return np.isin(category, wanted)


def _treated(name: str, count: int) -> NDArray[np.bool_]:
    """As the shop would have assigned them: by the hash of their id under the experiment's name."""
    units = (f"c{number:07d}" for number in range(count))
    return np.array([choose(name, ARMS, unit) is ARMS[1] for unit in units], bool)


def touches(
    happening: Happening,
    *,
    country: NDArray[np.integer],
    language: NDArray[np.integer],
    device: NDArray[np.integer],
    channel: NDArray[np.integer],
) -> NDArray[np.bool_]:
    """Whether each visit or person is of the countries, languages, devices, channels it names."""
    fits = np.ones(len(country), bool)
    # A campaign names the channel that it uses, which is not a target.
    channels = () if happening.kind == "campaign" else happening.channels
    for wanted, codes, known in (
        (happening.countries, country, LAND_NAMES),
        (happening.languages, language, LANGUAGES),
        (happening.devices, device, DEVICES),
        (channels, channel, VISIT_CHANNELS),
    ):
        if wanted:
            fits &= np.isin(codes, [known.index(name) for name in wanted])
    return fits
