"""Confirmed campaigns on their way: page by page their audience is judged, drawn, exposed and queued.

The order within a page makes it safe to be killed anywhere: what was drawn is kept and drawn the same again;
all arms are exposed at the same moment, before anything is queued; the outbox takes one message for each
customer; the place in the audience moves last. Who was drawn before a kill is not judged again, since what
was sent meanwhile would make the arms differ.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from shopkeeper.campaigns.audience import Audience, audience, listed
from shopkeeper.campaigns.leaving import words_withdrawn
from shopkeeper.campaigns.page import Page
from shopkeeper.campaigns.timing import begins, dues, waves
from shopkeeper.campaigns.trying import begun, settled
from shopkeeper.campaigns.types import Design
from shopkeeper.contact import controlling
from shopkeeper.core.errors import Conflict, LeaseHeld, NotFound
from shopkeeper.shop.shop import Shop
from shopkeeper.store.campaigns import Campaigns, Stored
from shopkeeper.store.deliveries import Deliveries
from shopkeeper.store.lease import Leases
from shopkeeper.store.reach import reading
from shopkeeper.store.segments import ARCHIVED

LEASE: Final = "campaigns"
PAGE: Final = 2_000
BACKLOG: Final = 10_000
"""Messages of one campaign that wait in the outbox: more are drawn when fewer wait.

So customers are exposed shortly before their message can leave, however slow the channel is.
"""
ACTOR: Final = "campaigns"
WORDS_WITHDRAWN: Final = "words_withdrawn"
WORDS_CHANGED: Final = "words_changed"

Stop = Callable[[], bool]


def launch(shop: Shop, stop: Stop = lambda: False) -> int:
    """Do all that is due now; how many customers were handled. Safe to call anywhere, at any time."""
    return Launcher(shop).tick(stop)


@dataclass
class _Known:
    """The audience of a campaign, read once."""

    audience: Audience
    at: datetime


class Launcher:
    """Brings campaigns on their way; one launcher of a shop works at a time, under a lease."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._store = Campaigns(shop.database)
        self._deliveries = Deliveries(shop.database)
        self._known: dict[str, _Known] = {}

    def tick(self, stop: Stop = lambda: False) -> int:
        """Work until nothing is due, or until told to stop; how many customers were handled."""
        alive = self._store.alive()
        self._known = {key: one for key, one in self._known.items() if key in {s.id for s in alive}}
        if not alive:
            return 0
        try:
            lease = Leases(self._shop.database).acquire(LEASE, "campaigns")
        except LeaseHeld:
            return 0
        with lease.kept():
            return sum(self._one(stored, stop) for stored in alive if not stop())

    def _one(self, stored: Stored, stop: Stop) -> int:
        try:
            if self._stands_on_nothing(stored):
                self._hold(stored, WORDS_WITHDRAWN)
                return 0
            if stored.status == "confirmed":
                began = self._begun(stored)
                if began is None:
                    return 0
                stored = began
            return self._sent(stored, stop) if stored.status == "sending" else 0
        except Conflict:
            # Somebody paused, stopped or changed it meanwhile: what was queued since must not leave either.
            if self._store.get(stored.id).status == "stopped":
                controlling.stop(self._shop, f"campaign:{stored.id}")
            return 0

    def _stands_on_nothing(self, stored: Stored) -> bool:
        """Whether words that it has still to send were withdrawn; what waits is kept back one by one."""
        to_come = stored.status == "confirmed" or (
            stored.status == "sending" and not stored.progress["complete"]
        )
        return to_come and words_withdrawn(self._shop, stored)

    def _begun(self, stored: Stored) -> Stored | None:
        """The campaign as one that is being sent, once its time has come."""
        shop, design = self._shop, Design.model_validate(stored.design)
        now, first = shop.now(), begins(design, shop.settings)
        if first is not None and first > now:
            return None
        if why := self._changed(stored, design):
            self._hold(stored, why)
            return None
        at = stored.confirmed_at if design.membership == "at_confirm" else now
        found = self._audience(stored, at or now)
        begun(shop, stored, len(found))
        settled(shop, stored, len(found))
        progress = {
            "audience": len(found),
            "at": (at or now).isoformat(),
            "waves": waves(design, shop.settings, shop.database, listed(found.ids)),
            "wave": 0,
            "place": -1,
            "complete": False,
            "counts": {},
        }
        note = (now, ACTOR, "began", {"audience": len(found)})
        values = {"status": "sending", "launched_at": now, "progress": progress}
        return self._store.change(stored, ("confirmed",), note, values)

    def _changed(self, stored: Stored, design: Design) -> str:
        """Why the campaign is no longer what was confirmed; empty: it is."""
        if design.membership == "at_confirm":
            return ""
        try:
            segment = self._shop.segments.get(design.segment_id)
        except NotFound:
            return "segment_gone"
        if segment.version != stored.segment_version:
            return "segment_changed"
        return "segment_archived" if segment.status == ARCHIVED else ""  # its members leave it

    def _hold(self, stored: Stored, why: str) -> None:
        note = (self._shop.now(), ACTOR, "held", {"why": why})
        values = {"status": "paused", "held": stored.status, "why": why}
        self._store.change(stored, ("confirmed", "sending"), note, values)

    def _audience(self, stored: Stored, at: datetime) -> Audience:
        known = self._known.get(stored.id)
        if known is None or known.at != at:
            segment = Design.model_validate(stored.design).segment_id
            made = audience(self._shop, stored.id, segment, at)
            known = self._known[stored.id] = _Known(made, at)
        return known.audience

    def _sent(self, stored: Stored, stop: Stop) -> int:
        """Handle pages until the audience is at its end, enough waits, or the next wave is not due."""
        handled = 0
        if not stored.progress["complete"]:
            try:
                page = Page(self._shop, stored)
            except (NotFound, Conflict):  # an erasure took a customer out of its words
                self._hold(stored, WORDS_CHANGED)
                return 0
            while not (stop() or stored.progress["complete"] or self._waits(stored)):
                before = handled
                stored, count = self._next(stored, page)
                handled += count
                if handled == before and not self._goes_on(stored):
                    break
        if stored.progress["complete"] and not self._deliveries.waiting(stored.step, 1):
            self._finish(stored)
        return handled

    def _waits(self, stored: Stored) -> bool:
        return self._deliveries.waiting(stored.step, BACKLOG) >= BACKLOG

    def _goes_on(self, stored: Stored) -> bool:
        """Whether the wave that is next is due."""
        progress = stored.progress
        if progress["complete"]:
            return False
        wave = progress["waves"][progress["wave"]]
        return not wave or datetime.fromisoformat(wave) <= self._shop.now()

    def _next(self, stored: Stored, page: Page) -> tuple[Stored, int]:
        """One page further, and how many customers it had."""
        shop, progress = self._shop, dict(stored.progress)
        design = Design.model_validate(stored.design)
        now = shop.now()
        if (design.ends_at is not None and now >= design.ends_at) or page.spent(progress["counts"]):
            why = "budget" if page.spent(progress["counts"]) else "too_late"
            return self._closed(stored, why)
        if not self._goes_on(stored):
            return stored, 0
        found = self._audience(stored, datetime.fromisoformat(progress["at"]))
        ids, place = found.after(progress["place"], PAGE)
        if ids:
            chosen = self._of_wave(design, progress["waves"][progress["wave"]], ids)
            counts = Counter(progress["counts"]) + page.handle(chosen, progress["counts"])
            progress |= {"place": place, "counts": dict(counts)}
            return self._store.advance(stored, {"progress": progress}), len(ids)
        last = progress["wave"] + 1 == len(progress["waves"])
        progress |= {"complete": True} if last else {"wave": progress["wave"] + 1, "place": -1}
        stored = self._store.advance(stored, {"progress": progress})
        if last:
            settled(shop, stored)
        return stored, 0

    def _of_wave(self, design: Design, wave: str, ids: list[str]) -> list[str]:
        """Those of the customers who are due in that wave."""
        if not wave:
            return ids
        at = datetime.fromisoformat(wave)
        with reading(self._shop.database) as reach:
            when = dues(design, self._shop.settings, reach, ids)
        return [one for one in ids if when[one] == at]

    def _closed(self, stored: Stored, why: str) -> tuple[Stored, int]:
        """Nobody further: the rest is counted under the reason."""
        counts = Counter(stored.progress["counts"])
        rest = max(0, stored.progress["audience"] - counts.total())
        progress = {
            **stored.progress,
            "complete": True,
            "counts": dict(counts + Counter({why: rest})),
        }
        stored = self._store.advance(stored, {"progress": progress})
        settled(self._shop, stored)
        return stored, 0

    def _finish(self, stored: Stored) -> None:
        now = self._shop.now()
        settled(self._shop, stored)
        note = (now, ACTOR, "ended", {"counts": stored.progress["counts"]})
        self._store.change(stored, ("sending",), note, {"status": "done", "finished_at": now})
