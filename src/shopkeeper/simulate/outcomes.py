"""Both futures of customers, in expectation: with a message and without it, from the state that is hidden.

The customers are copied many times over; the copies live the same days twice, once with the letters and once
without, with common random numbers. What differs in the mean is the message's true effect (Rubin's potential
outcomes), whoever happened to get it.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from shopkeeper.core import events as names
from shopkeeper.core.seeds import derive
from shopkeeper.simulate.calendar import DAY_US
from shopkeeper.simulate.columns import user_ids
from shopkeeper.simulate.days import Simulation
from shopkeeper.simulate.letters import Letters
from shopkeeper.simulate.population import Population
from shopkeeper.simulate.rows import CODE, Rows
from shopkeeper.simulate.state import State

MEASURES: Final = ("conversion", "orders", "revenue", "margin")


@dataclass(frozen=True)
class Outcomes:
    """Per customer the mean of each measure without and with the message, over the copies."""

    customers: NDArray[np.int64]
    without: dict[str, NDArray[np.float64]]
    given: dict[str, NDArray[np.float64]]
    errors: dict[str, float]
    """Standard error of each measure's mean difference: how well the copies know it."""
    copies: int

    def lift(self, measure: str) -> float:
        """The mean difference that the message makes, over these customers."""
        return float((self.given[measure] - self.without[measure]).mean())

    def table(self) -> pa.Table:
        """A row a customer: ``orders_without``, ``orders_with`` and so on."""
        columns: dict[str, object] = {"customer_id": user_ids(self.customers)}
        for measure in MEASURES:
            columns[f"{measure}_without"] = self.without[measure]
            columns[f"{measure}_with"] = self.given[measure]
        return pa.table(columns)


def outcomes(past: Simulation, number: int, letters: Letters, days: int, copies: int) -> Outcomes:
    """The futures from day ``number`` on; ``past`` is left as it is. One letter a customer."""
    who = letters["customer"].astype(np.int64)
    if len(np.unique(who)) < len(who):
        raise ValueError("one letter a customer")
    many = np.tile(letters, copies)
    many["customer"] = np.arange(len(many))
    until = letters["since"].max() + days * DAY_US if len(letters) else 0
    last = int(past.setting.clock.number_at(np.array([until]))[0])
    sums = {given: _lived(past, (number, last), who, many, days, given) for given in (False, True)}
    shaped = {
        given: {m: values.reshape(copies, len(who)) for m, values in found.items()}
        for given, found in sums.items()
    }
    apart = {m: (shaped[True][m] - shaped[False][m]).mean(axis=1) for m in MEASURES}
    return Outcomes(
        customers=who,
        without={m: shaped[False][m].mean(axis=0) for m in MEASURES},
        given={m: shaped[True][m].mean(axis=0) for m in MEASURES},
        errors={m: float(d.std(ddof=1) / np.sqrt(copies)) for m, d in apart.items()},
        copies=copies,
    )


def _lived(
    past: Simulation,
    span: tuple[int, int],
    who: NDArray[np.int64],
    letters: Letters,
    days: int,
    given: bool,
) -> dict[str, NDArray[np.float64]]:
    """What each copy buys within its window."""
    twin = _twin(past, who, len(letters) // max(len(who), 1))
    assert twin.reactions is not None  # noqa: S101 - _twin gave it some
    of_day = twin.setting.clock.number_at(letters["time"])
    found = {m: np.zeros(len(letters)) for m in MEASURES}
    for number in range(span[0], span[1] + 1):
        mine = letters[of_day == number]
        if given and len(mine):
            twin.reactions.take(twin.setting, twin.state, mine)
        _count(twin.day(number), letters["since"], days * DAY_US, found)
    found["conversion"] = (found["orders"] > 0).astype(float)
    return found


def _count(
    rows: Rows, since: NDArray[np.int64], window: int, found: dict[str, NDArray[np.float64]]
) -> None:
    """Add a day's purchases that lie within their customer's window."""
    bought = rows[(rows["name"] == CODE[names.PURCHASE]) & (rows["customer"] >= 0)]
    after = bought["time"] - since[bought["customer"]]
    bought = bought[(after >= 0) & (after < window)]
    _, first = np.unique(bought["order"], return_index=True)
    np.add.at(found["orders"], bought["customer"][first], 1.0)
    np.add.at(found["revenue"], bought["customer"], bought["value"])
    np.add.at(found["margin"], bought["customer"], bought["value"] - bought["cost"])


def _twin(past: Simulation, who: NDArray[np.int64], copies: int) -> Simulation:
    """A simulation of copies of these customers alone, as they are now, with chances of its own."""
    assert past.reactions is not None  # noqa: S101 - it goes on
    index = np.tile(who, copies)
    people = past.setting.people
    tiled = Population(**{f.name: getattr(people, f.name)[index] for f in fields(people)})
    seed = derive(past.setting.seed, "copies")
    twin = Simulation(replace(past.setting, people=tiled, seed=seed, visitors_a_day=0.0))
    twin.state = State(**{f.name: getattr(past.state, f.name)[index] for f in fields(State)})
    twin.reactions = past.reactions.copied(who, copies)
    return twin
