"""A world after its built period, day by day: what happens anyway, and what messages bring about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from shopkeeper.core.schema import TEXTS
from shopkeeper.simulate.columns import Columns
from shopkeeper.simulate.days import Simulation
from shopkeeper.simulate.known import consents_of, customers_of, identities_of
from shopkeeper.simulate.letters import LETTER, NAMED, Fates, Letters, temper
from shopkeeper.simulate.outcomes import Outcomes, outcomes
from shopkeeper.simulate.reactions import Reactions
from shopkeeper.simulate.state import NEVER
from shopkeeper.simulate.texts import moment, write
from shopkeeper.simulate.world import World
from shopkeeper.store.consent.statements import Decision
from shopkeeper.store.customers import Identity
from shopkeeper.warehouse.arrow import arrow_schema

BROWSER: Final = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148"
)
PROXY: Final = (
    "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
)

What = Literal["delivered", "bounced", "opened", "clicked", "unsubscribed"]


@dataclass(frozen=True)
class Letter:
    """A message that was handed over: what it names and takes off decides how it is answered.

    ``since`` is from when on its outcome counts; the time it was handed over, if not given.
    """

    message_id: str
    customer_id: str
    time: datetime
    campaign_id: str
    items: tuple[str, ...] = ()
    discount: float = 0.0
    since: datetime | None = None


@dataclass(frozen=True)
class Reaction:
    """What the provider has to tell of one message at a time; ``agent`` is who fetched it."""

    message_id: str
    what: What
    time: datetime
    agent: str = ""
    hard: bool = False


@dataclass(frozen=True)
class Day:
    """What one day brings to the shop. Reactions are to that day's letters and may come days later."""

    day: date
    events: pa.RecordBatch
    texts: pa.Table
    customers: list[dict[str, Any]]
    consents: list[Decision]
    identities: list[Identity]
    reactions: list[Reaction]


class Onward:
    """The days after a world's built period, in order. It takes the world over: nothing else may run it.

    Without letters they are the world's natural continuation: same people, tastes and life-cycles, the
    same streams; nobody new is born into it. Equal letters give equal days.
    """

    def __init__(self, world: World, days: int) -> None:
        self._past: Simulation = world.past()
        self.first = self._past.setting.clock.days
        """The number of the first day after the built period."""
        self._past.extend(days)
        setting = replace(self._past.setting, campaigns=[*self._past.setting.campaigns])
        self._past.setting = setting
        own = temper(setting.people, setting.seed)
        self._past.reactions = Reactions(own, setting.people.count)
        self._next = self.first

    def date(self, number: int) -> date:
        """The local date of a day."""
        return self._past.setting.clock.day(number)

    @property
    def zone(self) -> ZoneInfo:
        """The shop's time zone."""
        return self._past.setting.clock.zone

    def day(self, letters: Sequence[Letter] = ()) -> Day:
        """The next day, with what was handed over to its people on it."""
        past, number = self._past, self._next
        self._next += 1
        rows = _numbers(past, letters)
        assert past.reactions is not None  # noqa: S101 - the constructor made them
        found = past.reactions.take(past.setting, past.state, rows) if len(rows) else None
        events = Columns(past.setting).batch(past.day(number))
        start, end = past.setting.clock.midnights[[number, number + 1]].tolist()
        texts = [batch for batch, _ in write(past.setting, past.planned(number, number + 1))]
        return Day(
            day=self.date(number),
            events=events,
            texts=pa.Table.from_batches(texts, schema=arrow_schema(TEXTS)),
            customers=list(customers_of(past, start, end)),
            consents=list(consents_of(past, start, end)),
            identities=list(identities_of(past, start, end)),
            reactions=sorted(_told(found, rows, letters), key=_in_order) if found else [],
        )

    def outcomes(self, letters: Sequence[Letter], days: int, copies: int) -> Outcomes:
        """What each of these customers buys on average, with the letter and without it.

        Asked before the day of the letters is played; each counts from its letter's ``since`` on, for
        ``days`` times 24 hours. One letter a customer.
        """
        return outcomes(self._past, self._next, _numbers(self._past, letters), days, copies)


def _numbers(past: Simulation, letters: Sequence[Letter]) -> Letters:
    """The letters as rows, in an order of their own; campaigns that are new get a number."""
    rows = np.zeros(len(letters), LETTER)
    rows["items"] = -1
    campaigns, index = past.setting.campaigns, past.setting.catalogue.index
    for name in dict.fromkeys(one.campaign_id for one in letters):
        if name not in campaigns:
            campaigns.append(name)
    for place, one in enumerate(letters):
        named = [index[item] for item in one.items if item in index][:NAMED]
        row = rows[place]
        row["number"], row["customer"] = place, int(one.customer_id[1:])
        row["time"] = _microseconds(one.time)
        row["since"] = _microseconds(one.since or one.time)
        row["campaign"] = campaigns.index(one.campaign_id)
        row["discount"] = round(100 * one.discount)
        row["items"][: len(named)] = named
    return np.asarray(rows[np.lexsort((rows["time"], rows["customer"]))])


def _microseconds(at: datetime) -> int:
    return round((at - _EPOCH).total_seconds() * 1_000_000)


_EPOCH: Final = moment(0)


def _told(found: Fates, rows: Letters, letters: Sequence[Letter]) -> Iterator[Reaction]:
    """The fates as a provider reports them."""
    for place, row in enumerate(rows):
        name = letters[int(row["number"])].message_id
        if found.arrived[place] == NEVER:
            at = moment(int(row["time"]) + 5_000_000)
            yield Reaction(name, "bounced", at, hard=not found.soft[place])
            continue
        yield Reaction(name, "delivered", moment(int(found.arrived[place])))
        told: Iterable[tuple[What, int, str]] = (
            ("opened", int(found.by_machine[place]), PROXY),
            ("opened", int(found.opened[place]), BROWSER),
            ("clicked", int(found.clicked[place]), BROWSER),
            ("unsubscribed", int(found.refused[place]), ""),
        )
        for what, at_us, agent in told:
            if at_us != NEVER:
                yield Reaction(name, what, moment(at_us), agent)


def _in_order(one: Reaction) -> tuple[datetime, str, str]:
    return one.time, one.message_id, one.what
