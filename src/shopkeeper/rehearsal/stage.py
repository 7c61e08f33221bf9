"""A simulated shop on its own time: its clock, its people, and how far they have been played."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Final

from shopkeeper.contact.dispatch import LEASE
from shopkeeper.contact.telling import tell
from shopkeeper.core.errors import Conflict
from shopkeeper.rehearsal.answering import Provider
from shopkeeper.rehearsal.clock import Clock
from shopkeeper.rehearsal.sending import items_of, send_due, written
from shopkeeper.rehearsal.truth import drawn, true_effects, work_out
from shopkeeper.shop.shop import Shop
from shopkeeper.simulate.again import again, truth_folder
from shopkeeper.simulate.onward import Day, Letter, Onward, Reaction
from shopkeeper.store.campaigns import Campaigns, Stored
from shopkeeper.store.lease import Leases
from shopkeeper.warehouse.writer import Writer

MOST: Final = 120
"""Days that a shop can be played beyond its built period."""

_OPENS: Final = 9  # o'clock on the first morning


@dataclass
class Stage:
    """A shop that is being played; :func:`staged` makes one."""

    shop: Shop
    clock: Clock
    onward: Onward
    writer: Writer
    played: int = 0
    """Days that lie behind."""
    _waiting: list[Reaction] = field(default_factory=list)
    _provider: Provider = field(init=False)

    def __post_init__(self) -> None:
        self._provider = Provider(self.shop)

    @property
    def today(self) -> date:
        """The simulated day that is next to be played."""
        return self.onward.date(self.onward.first + self.played)

    def at(self, day: date, hour: int) -> datetime:
        """That hour of that local day."""
        return datetime.combine(day, time(hour), self.shop.settings.zone)

    def act(self) -> None:
        """Let what is due now leave."""
        send_due(self.shop)

    def day(self) -> Day:
        """Let the rest of today happen: messages leave hour by hour, customers live and react."""
        today = self.today
        for hour in range(24):
            if self.at(today, hour) >= self.clock():
                self.clock.to(self.at(today, hour))
                self.act()
        self._find_truth()
        lived = self.onward.day(self._letters(today))
        self._load(lived)
        end = self.at(today + timedelta(days=1), 0)
        self.clock.to(end)
        self._waiting += lived.reactions
        self._report(end)
        self.played += 1
        remember(self.shop, self.played)
        return lived

    def again(self, days: int) -> None:
        """Live days that were played before once more, so that their people are as they were."""
        for _ in range(days):
            lived = self.onward.day(self._letters(self.today))
            self._waiting += lived.reactions
            self.played += 1
        # Some may have been told when it broke off: a report that was there changes nothing.
        self._report(self.at(self.today, 0))

    def _campaigns(self) -> list[Stored]:
        return [one for one in Campaigns(self.shop.database).all() if one.launched_at is not None]

    def _letters(self, day: date) -> list[Letter]:
        """What was handed over on a day, in order."""
        start, end = self.at(day, 0), self.at(day + timedelta(days=1), 0)
        return [
            Letter(one.message_id, one.customer_id, one.sent_at, campaign.id, items_of(one.labels))
            for campaign in self._campaigns()
            for one in written(self.shop, campaign.id)
            if one.sent_at is not None and start <= one.sent_at < end
        ]

    def _find_truth(self) -> None:
        """Of campaigns that were launched today, before anybody has reacted."""
        for campaign in self._campaigns():
            if true_effects(self.shop, campaign.id) is None and len(campaign.arms) > 1:
                units = drawn(self.shop, campaign.experiment_id)
                if units:
                    work_out(self.shop, self.onward, campaign, units)

    def _load(self, lived: Day) -> None:
        shop = self.shop
        self.writer.load("events", [lived.events])
        self.writer.load("texts", lived.texts)
        if lived.customers:
            shop.people.upsert(lived.customers)
            shop.consent.record_all(lived.consents)
        if shop.people.link(lived.identities) or lived.customers:
            self.writer.snapshot()

    def _report(self, until: datetime) -> None:
        """Tell the shop what happened to its letters by then."""
        due = [one for one in self._waiting if one.time < until]
        self._waiting = [one for one in self._waiting if one.time >= until]
        self._provider.report(sorted(due, key=lambda one: (one.time, one.message_id, one.what)))
        tell(self.shop)
        self.writer.drain()


@contextmanager
def staged(folder: Path) -> Iterator[Stage]:
    """The simulated shop in this folder, at the day to which it was played.

    Raises:
        Conflict: it was not simulated; it holds days that the simulation has not made.
        LeaseHeld: it is being served: a server would send by the real clock.
    """
    start = Clock(datetime(2015, 1, 1, tzinfo=UTC))
    with Shop.open(folder, now=start) as shop:
        world = again(shop)
        onward = Onward(world, MOST)
        days = remembered(shop)
        _check(shop, onward, days)
        with (
            Leases(shop.database).acquire(LEASE, "rehearsal").kept(),
            shop.writer("rehearsal") as writer,
        ):
            stage = Stage(shop, start, onward, writer)
            start.to(stage.at(stage.today, 0))
            stage.again(days)
            start.to(stage.at(stage.today, _OPENS))
            yield stage
            writer.maintain()


def remember(shop: Shop, days: int) -> None:
    """Keep how many days were played."""
    path = _file(shop)
    path.write_text(json.dumps({"days": days}) + "\n", "utf-8")


def remembered(shop: Shop) -> int:
    """How many days of this shop were played beyond its built period."""
    path = _file(shop)
    return int(json.loads(path.read_text("utf-8"))["days"]) if path.is_file() else 0


def _file(shop: Shop) -> Path:
    return truth_folder(shop) / "played.json"


def _check(shop: Shop, onward: Onward, days: int) -> None:
    span = shop.span()
    last = onward.date(onward.first + days - 1)
    # A day that broke off may be there already: it is loaded again, and what is known is left out.
    if span is None or not last <= span.end <= last + timedelta(days=1):
        raise Conflict(
            f"The shop's events end on {span.end if span else 'no day'}, its simulation on {last}.",
            hint="Rehearse in a shop that holds nothing but what was simulated.",
        )
