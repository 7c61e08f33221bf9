"""A world: one scenario and one seed, from which everything about a shop follows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from shopkeeper.core.schema import TEXTS
from shopkeeper.simulate.calibrate import calibrate
from shopkeeper.simulate.columns import Columns
from shopkeeper.simulate.days import Simulation
from shopkeeper.simulate.known import consents_of, customers_of, identities_of
from shopkeeper.simulate.products import Product
from shopkeeper.simulate.rows import Rows
from shopkeeper.simulate.scenario import Scenario
from shopkeeper.simulate.setting import setting
from shopkeeper.simulate.texts import TRUTH, moment, write
from shopkeeper.simulate.truth import Truth, truth_of
from shopkeeper.store.consent.statements import Decision
from shopkeeper.store.customers import Identity
from shopkeeper.warehouse.arrow import arrow_schema

_CHUNK = 250_000
_SMALLEST = 20_000


class World:
    """A simulated shop. Equal scenarios and seeds give equal worlds, byte for byte.

    ``events`` runs the simulation day by day; ``texts``, ``customers``, ``identities`` and ``truth``
    need its end and run it first if nobody has.
    """

    def __init__(self, scenario: Scenario, seed: int) -> None:
        self.scenario = scenario
        self.seed = seed
        self.setting = setting(scenario, seed)
        calibrate(self.setting)
        self._past: Simulation | None = None
        self._labels: list[pa.RecordBatch] | None = None

    def events(self) -> Iterator[pa.RecordBatch]:
        """The events in chunks of whole local days, sorted by time; a chunk stays within a month."""
        simulation = Simulation(self.setting)
        columns = Columns(self.setting)
        waiting: list[Rows] = []
        clock = self.setting.clock
        for number in range(clock.days):
            waiting.append(simulation.day(number))
            count = sum(map(len, waiting))
            month_ends = clock.day(number).month != clock.day(number + 1).month
            last = number + 1 == clock.days
            if count and (last or count >= _CHUNK or (month_ends and count >= _SMALLEST)):
                yield columns.batch(np.concatenate(waiting))
                waiting = []
        self._past = simulation
        self._labels = None

    def texts(self) -> Iterator[pa.RecordBatch]:
        """Reviews and chats in batches of the TEXTS schema."""
        labels = []
        for rows, truth in write(self.setting, self.past().planned()):
            labels.append(truth)
            yield rows
        self._labels = labels

    def text_table(self) -> pa.Table:
        """All texts as one table."""
        return pa.Table.from_batches(list(self.texts()), schema=arrow_schema(TEXTS))

    def items(self) -> Iterator[dict[str, Any]]:
        """The catalogue as it stands after the last day, in the scenario's main language.

        Title and category path of the other language are attributes (``title_en`` …). Items that
        were never offered have an ``available_from`` after the last day.
        """
        last = self.setting.effects.on(self.setting.clock.days - 1)
        goods, midnights = self.setting.goods, self.setting.clock.midnights
        launches = self.setting.effects.launch_days
        for number, product in enumerate(self.setting.catalogue.products):
            launch = int(launches[number])
            yield {
                **self._described(product),
                "price": float(np.round(goods.price[number] * last.price[number], 2)),
                "cost": float(goods.cost[number]),
                "stock": float(np.floor(product.stock * last.available[number])),
                "currency": self.setting.currency,
                "available_from": moment(int(midnights[launch])) if launch >= 0 else None,
            }

    def facts(self) -> Iterator[dict[str, Any]]:
        """The facts of the catalogue, values in the main language."""
        for product in self.setting.catalogue.products:
            for fact in product.facts:
                yield {
                    "fact_id": f"{product.item_id}.{fact.name}",
                    "item_id": product.item_id,
                    "name": fact.name,
                    "value": fact.value(self.scenario.language),
                    "unit": fact.unit or None,
                    "source": fact.source,
                }

    def customers(self) -> Iterator[dict[str, Any]]:
        """Everybody who signed up, with what the shop can know of them."""
        yield from customers_of(self.past())

    def consents(self) -> Iterator[Decision]:
        """What they said about messages when they signed up."""
        yield from consents_of(self.past())

    def identities(self) -> Iterator[Identity]:
        """Which visitor ids turned out to be which customers, and when."""
        yield from identities_of(self.past())

    def truth(self) -> Truth:
        """What is true of this world and stands in none of the shop's tables."""
        past = self.past()
        if self._labels is None:
            for _ in self.texts():
                pass
        return truth_of(past, pa.Table.from_batches(self._labels or [], schema=TRUTH))

    def write_truth(self, folder: Path) -> None:
        """Write the truth into a folder, which is made."""
        self.truth().write(folder)

    def past(self) -> Simulation:
        """The simulation after its last day; it runs first if nobody has let it."""
        if self._past is None:
            self._past = Simulation(self.setting)
            for number in range(self.setting.clock.days):
                self._past.day(number)
        return self._past

    def _described(self, product: Product) -> dict[str, Any]:
        main = self.scenario.language
        other = "en" if main == "zh" else "zh"
        place = 0 if main == "zh" else 1
        attributes = {key: value[place] for key, value in product.attributes.items()}
        listed = self.setting.catalogue
        return {
            "item_id": product.item_id,
            "kind": "product",
            "title": product.titles[main],
            "description": product.descriptions[main],
            "brand": product.brand,
            "category": listed.path(product, main),
            "attributes": {
                **attributes,
                "style": product.style,
                f"title_{other}": product.titles[other],
                f"description_{other}": product.descriptions[other],
                f"category_{other}": listed.path(product, other),
            },
            "language": main,
        }
