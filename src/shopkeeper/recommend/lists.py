"""The replies of `recommend`: lists by the fitted mixture, or by what needs no fitting."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from shopkeeper.core.errors import Corrupt, NotFound
from shopkeeper.core.settings import Language
from shopkeeper.core.types import CannotSay
from shopkeeper.decisions.assignment import Drawn
from shopkeeper.recommend import shadowing, staging
from shopkeeper.recommend.composing import Asked, Composed, Composer
from shopkeeper.recommend.histories import aligned
from shopkeeper.recommend.history import History
from shopkeeper.recommend.likely import ByDefaults, ByMixture, Likely, by_popularity
from shopkeeper.recommend.model import fitted, own
from shopkeeper.recommend.offer import out_of_stock
from shopkeeper.recommend.popular import HALF_LIFE_DAYS
from shopkeeper.recommend.refusals import may_refuse
from shopkeeper.recommend.rules.arrange import Draw
from shopkeeper.recommend.rules.book import Book, published
from shopkeeper.recommend.serving import Serving, loaded, query, registered, serving, trial
from shopkeeper.recommend.shadowing import Answered
from shopkeeper.recommend.types import DEFAULTS, Popular, Slate, Slot
from shopkeeper.recommend.writer import Writer
from shopkeeper.shop.shop import Shop
from shopkeeper.store.consent.statements import Status
from shopkeeper.store.revisions import Glance

PURPOSE: Final = "personalisation"
CHANNEL: Final = "recommend"
"""The consent that a customer can deny or revoke; where nothing is said lists are personal."""


_turn = threading.Lock()
"""Making a list is arithmetic: two threads that do so at once only hand the interpreter to and fro, which
costs a tenth of what a process answers. What waits for the disk is outside."""


def refuses(shop: Shop, customer_id: str, seen: Glance | None = None) -> bool:
    """Whether the customer's latest word on personalisation is no."""
    if not may_refuse(shop, customer_id, (PURPOSE, CHANNEL), seen or shop.state.glance()):
        return False
    said = [
        decision
        for decision in shop.consent.history(customer_id)
        if (decision.purpose, decision.channel) == (PURPOSE, CHANNEL)
    ]
    return bool(said) and said[-1].status != Status.GRANT


def _writer(shop: Shop, lang: Language, seen: Glance | None = None) -> Writer:
    return Writer(fitted(shop, seen), lang, shop.settings.zone)


class Listing:
    """Makes the lists of customers: personal ones, and for those who refuse that what is popular.

    All of them as of one look at the store: made anew for each answer.
    """

    def __init__(
        self, shop: Shop, lang: Language, book: Book | None = None, seen: Glance | None = None
    ) -> None:
        """``book``: other rules than those that are published."""
        self._shop = shop
        self._seen = seen or shop.state.glance()
        self.writer = _writer(shop, lang, self._seen)
        self.book = book or published(shop, self.writer.model, self._seen)
        self._composer = Composer(shop, self.writer, self.book, self._seen)
        self._who = serving(shop, self.writer.model)
        self._registry = registered(shop)

    def of(
        self, customer_id: str, rows: History, asked: Asked, drawn: Draw | None = None
    ) -> tuple[Slate, Composed]:
        """The list, and how it came about; ``rows`` is the customer's own history."""
        with _turn:
            began = time.thread_time()
            slate, made = self._of(customer_id, rows, asked, drawn)
        answered = Answered(customer_id, rows, asked, slate, (time.thread_time() - began) * 1000)
        if asked.live:
            shadowing.offer(self._shop, self._registry.shadowing, self.writer.lang, answered)
        return slate, made

    def _of(
        self, customer_id: str, rows: History, asked: Asked, drawn: Draw | None
    ) -> tuple[Slate, Composed]:
        if refuses(self._shop, customer_id, self._seen):
            likely: Likely = by_popularity(self.writer)
            made = self._composer.compose(likely, None, None, asked, drawn)
            return self._slate(customer_id, made, 0, None), made
        who, variant = self._by(customer_id, assign=asked.record)
        likely, history = self.likely(rows, who)
        made = self._composer.compose(likely, customer_id, history, asked, drawn)
        slate = self._slate(customer_id, made, len(history.item), who)
        if variant is not None and self._registry.staged is not None:
            made = replace(made, variant=(self._registry.staged.experiment_id, variant))
        return slate, made

    def _by(self, customer_id: str, *, assign: bool) -> tuple[Serving | CannotSay, Drawn | None]:
        """Who makes this customer's list: what serves, or a version that is tried on them."""
        staged = self._registry.staged
        if staged is None or not isinstance(self._who, Serving):
            return self._who, None
        variant = staging.drawn(self._shop, staged, customer_id, assign=assign)
        if variant is None or variant.variant_id != staged.variant_id:
            return self._who, variant
        if not loaded(self._shop, staged.version):
            return self._who, None  # its files are being read: the customer saw no variant
        try:
            found = trial(self._shop, self.writer.model, staged.version)
        except (Corrupt, NotFound):
            return self._who, None  # the last good one serves, and the customer saw no variant
        return (found, variant) if isinstance(found, Serving) else (self._who, None)

    def likely(
        self, rows: History, who: Serving | CannotSay | None = None
    ) -> tuple[Likely, History]:
        """What ``who`` (else what serves) says to somebody with this history, and that as they see it."""
        who = who or self._who
        if not isinstance(who, Serving):
            history = aligned(rows, self.writer.model.history.item_ids)
            return ByDefaults(self.writer, history), history
        history = aligned(rows, who.published.item_ids)
        now_ms = int(self._shop.now().timestamp() * 1000)
        return ByMixture(self.writer, who, history, query(history, now_ms)), history

    def _slate(
        self, customer_id: str, made: Composed, history: int, who: Serving | CannotSay | None
    ) -> Slate:
        """``who`` made it; None: it is what is popular, for one who refuses another."""
        return Slate(
            customer_id=customer_id,
            as_of=self.writer.model.as_of,
            currency=self._shop.settings.currency,
            history=history,
            personalised=who is not None,
            model=who.published.version if isinstance(who, Serving) else DEFAULTS,
            why_defaults=who if isinstance(who, CannotSay) else None,
            slots=made.slots,
            rules_version=self.book.version,
            rules=made.fired,
            removed=made.removed,
            price=made.price,
            missing=made.missing,
        )


def slate(shop: Shop, customer_id: str, asked: Asked, lang: Language) -> Slate:
    """The list for one customer; somebody unknown, or who refuses, gets what is popular."""
    seen = shop.state.glance()
    rows = own(shop, customer_id, live=asked.live, seen=seen)
    return Listing(shop, lang, seen=seen).of(customer_id, rows, asked)[0]


def slates(shop: Shop, customer_ids: Sequence[str], k: int, lang: Language) -> list[Slate]:
    """The lists of several customers from the tables alone; unknown ones are left out."""
    listing, asked = Listing(shop, lang), Asked(k, live=False)
    return [listing.of(customer, rows, asked)[0] for customer, rows in known(listing, customer_ids)]


def known(listing: Listing, customer_ids: Sequence[str]) -> Iterator[tuple[str, History]]:
    """Those of these customers who have a history in the tables, and that."""
    history = listing.writer.model.history
    positions = {customer: n for n, customer in enumerate(history.customer_ids.to_pylist())}
    for customer in customer_ids:
        if customer in positions:
            yield customer, _slice(history, positions[customer])


def popular(shop: Shop, asked: Asked, lang: Language) -> Popular:
    """The items that most customers wanted lately and that may be offered."""
    writer = _writer(shop, lang)
    composer = Composer(shop, writer, published(shop, writer.model))
    made = composer.compose(by_popularity(writer), None, None, asked)
    return Popular(
        as_of=writer.model.as_of,
        basis=writer.model.recommender.popular.basis,
        half_life_days=HALF_LIFE_DAYS,
        slots=made.slots,
        missing=made.missing,
    )


def sold_out(shop: Shop, k: int, lang: Language) -> list[Slot]:
    """Which of the ``k`` most wanted items are goods that have run out of stock."""
    writer = _writer(shop, lang)
    found = writer.model.recommender.popular
    slots = [
        writer.slot(rank, int(item), float(found.score[item]), writer.popular(int(item)), 1)
        for rank, item in enumerate(found.order[:k], 1)
    ]
    return [slot for slot in slots if out_of_stock(writer.model.items.get(slot.item_id))]


def titles(shop: Shop) -> dict[str, str]:
    """The title of every item that has one."""
    return {item: row["title"] for item, row in fitted(shop).items.items() if row["title"]}


def _slice(history: History, customer: int) -> History:
    """What is known of one customer, who is the only one in it."""
    first, last = np.searchsorted(history.customer, [customer, customer + 1]).tolist()
    said = history.spoken
    return History(
        np.zeros(last - first, dtype=np.int64),
        history.item[first:last],
        history.time[first:last],
        history.strength[first:last],
        history.customer_ids[:1],
        history.item_ids,
        None if said is None else said.select(np.array([customer])),
    )
