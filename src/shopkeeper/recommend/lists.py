"""The replies of `recommend`: lists by the fitted mixture, or by what needs no fitting."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from shopkeeper.core.settings import Language
from shopkeeper.core.types import CannotSay
from shopkeeper.recommend.composing import Asked, Composed, Composer
from shopkeeper.recommend.histories import aligned
from shopkeeper.recommend.history import History
from shopkeeper.recommend.likely import ByDefaults, ByMixture, Likely, by_popularity
from shopkeeper.recommend.model import fitted, own
from shopkeeper.recommend.offer import out_of_stock
from shopkeeper.recommend.popular import HALF_LIFE_DAYS
from shopkeeper.recommend.rules.arrange import Draw
from shopkeeper.recommend.rules.book import Book, published
from shopkeeper.recommend.serving import Serving, query, serving
from shopkeeper.recommend.types import DEFAULTS, Popular, Slate, Slot
from shopkeeper.recommend.writer import Writer
from shopkeeper.shop.shop import Shop
from shopkeeper.store.consent.statements import Status

PURPOSE: Final = "personalisation"
CHANNEL: Final = "recommend"
"""The consent that a customer can deny or revoke; where nothing is said lists are personal."""


def refuses(shop: Shop, customer_id: str) -> bool:
    """Whether the customer's latest word on personalisation is no."""
    said = [
        decision
        for decision in shop.consent.history(customer_id)
        if (decision.purpose, decision.channel) == (PURPOSE, CHANNEL)
    ]
    return bool(said) and said[-1].status != Status.GRANT


def _writer(shop: Shop, lang: Language) -> Writer:
    return Writer(fitted(shop), lang, shop.settings.zone)


class Listing:
    """Makes the lists of customers: personal ones, and for those who refuse that what is popular."""

    def __init__(self, shop: Shop, lang: Language, book: Book | None = None) -> None:
        """``book``: other rules than those that are published."""
        self._shop = shop
        self.writer = _writer(shop, lang)
        self.book = book or published(shop, self.writer.model)
        self._composer = Composer(shop, self.writer, self.book)
        self._who = serving(shop, self.writer.model)

    def of(
        self, customer_id: str, rows: History, asked: Asked, drawn: Draw | None = None
    ) -> tuple[Slate, Composed]:
        """The list, and how it came about; ``rows`` is the customer's own history."""
        if refuses(self._shop, customer_id):
            likely: Likely = by_popularity(self.writer)
            made = self._composer.compose(likely, None, None, asked, drawn)
            return self._slate(customer_id, made, 0, personalised=False), made
        likely, history = self.likely(rows)
        made = self._composer.compose(likely, customer_id, history, asked, drawn)
        return self._slate(customer_id, made, len(history.item), personalised=True), made

    def likely(self, rows: History) -> tuple[Likely, History]:
        """Who says what is likely for somebody with this history, and the history as they see it."""
        if not isinstance(self._who, Serving):
            history = aligned(rows, self.writer.model.history.item_ids)
            return ByDefaults(self.writer, history), history
        history = aligned(rows, self._who.published.item_ids)
        now_ms = int(self._shop.now().timestamp() * 1000)
        return ByMixture(self.writer, self._who, history, query(history, now_ms)), history

    def _slate(
        self, customer_id: str, made: Composed, history: int, *, personalised: bool
    ) -> Slate:
        mixture = isinstance(self._who, Serving) and personalised
        why = self._who if isinstance(self._who, CannotSay) and personalised else None
        return Slate(
            customer_id=customer_id,
            as_of=self.writer.model.as_of,
            currency=self._shop.settings.currency,
            history=history,
            personalised=personalised,
            model=self._who.published.version
            if mixture and isinstance(self._who, Serving)
            else DEFAULTS,
            why_defaults=why,
            slots=made.slots,
            rules_version=self.book.version,
            rules=made.fired,
            removed=made.removed,
            price=made.price,
            missing=made.missing,
        )


def slate(shop: Shop, customer_id: str, asked: Asked, lang: Language) -> Slate:
    """The list for one customer; somebody unknown, or who refuses, gets what is popular."""
    rows = own(shop, customer_id, live=asked.live)
    return Listing(shop, lang).of(customer_id, rows, asked)[0]


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
            bounds = [positions[customer], positions[customer] + 1]
            first, last = np.searchsorted(history.customer, bounds)
            yield customer, _slice(history, int(first), int(last))


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
        for rank, item in enumerate(found.order()[:k], 1)
    ]
    return [slot for slot in slots if out_of_stock(writer.model.items.get(slot.item_id))]


def titles(shop: Shop) -> dict[str, str]:
    """The title of every item that has one."""
    return {item: row["title"] for item, row in fitted(shop).items.items() if row["title"]}


def _slice(history: History, first: int, last: int) -> History:
    """Some neighbouring rows of one customer, who is the only one in it."""
    return History(
        np.zeros(last - first, dtype=np.int64),
        history.item[first:last],
        history.time[first:last],
        history.strength[first:last],
        history.customer_ids[:1],
        history.item_ids,
    )
