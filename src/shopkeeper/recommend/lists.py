"""The replies of `recommend`: places with their titles and the reasons in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from shopkeeper.core.errors import NotFound
from shopkeeper.core.events import PURCHASE
from shopkeeper.core.settings import Language
from shopkeeper.core.types import CannotSay, Reason
from shopkeeper.recommend.history import STRENGTH, History, Ints, encode
from shopkeeper.recommend.model import Fitted, fitted, own_history
from shopkeeper.recommend.offer import out_of_stock
from shopkeeper.recommend.popular import HALF_LIFE_DAYS, RECENT_DAYS
from shopkeeper.recommend.slate import COVISIT, Slates
from shopkeeper.recommend.types import Popular, Related, Slate, Slot
from shopkeeper.shop.shop import Shop

_WORDS = {
    "en": {
        "bought": "Because of {title}, bought on {day}.",
        "looked": "Because of {title}, looked at on {day}.",
        "popular.purchase": "Popular now: {count} customers bought it in the last {days} days.",
        "popular.view_item": "Popular now: {count} customers looked at it in the last {days} days.",
        "popular.before": "Popular in this shop, though not in the last {days} days.",
        "related": "Chosen by the same customers as {title}.",
    },
    "zh": {
        "bought": "因为在 {day} 买过「{title}」。",
        "looked": "因为在 {day} 看过「{title}」。",
        "popular.purchase": "近期热销：最近 {days} 天有 {count} 位顾客买过。",
        "popular.view_item": "近期热门：最近 {days} 天有 {count} 位顾客看过。",
        "popular.before": "本店一直受欢迎（最近 {days} 天没有成交）。",
        "related": "选过「{title}」的顾客也选了它。",
    },
}

_NO_EVENTS = CannotSay(
    reason="No event says that anybody looked at or bought an item.",
    needed="view_item, add_to_cart or purchase events with an item_id",
)
_NO_ITEMS = CannotSay(
    reason="Fewer items than asked for may be offered: others are owned, sold out or not goods.",
    needed="more items in stock",
)


@dataclass(frozen=True)
class _Writer:
    """Turns positions into places with words."""

    model: Fitted
    lang: Language
    zone: ZoneInfo

    def title(self, item_id: str) -> str:
        return (self.model.items.get(item_id) or {}).get("title") or item_id

    def slot(self, rank: int, item: int, score: float, reason: Reason, head: int) -> Slot:
        item_id = self.model.history.item_ids[item].as_py()
        known = self.model.items.get(item_id) or {}
        return Slot(
            rank=rank,
            item_id=item_id,
            title=known.get("title"),
            price=known.get("price"),
            head="covisit" if head == COVISIT else "popular",
            score=score,
            reasons=(reason,),
        )

    def popular(self, item: int) -> Reason:
        found = self.model.recommender.popular
        count = int(found.recent[item])
        code = f"popular.{found.basis}" if count else "popular.before"
        text = _WORDS[self.lang][code].format(count=count, days=RECENT_DAYS)
        return Reason(code=code, text=text, evidence={"customers": count, "days": RECENT_DAYS})

    def because(self, history: History, row: int) -> Reason:
        item_id = history.item_ids[history.item[row]].as_py()
        kind = "bought" if history.strength[row] >= STRENGTH[PURCHASE] else "looked"
        day = self.day(int(history.time[row]))
        text = _WORDS[self.lang][kind].format(title=self.title(item_id), day=day)
        return Reason(
            code=f"covisit.{kind}", text=text, evidence={"item_id": item_id, "day": str(day)}
        )

    def day(self, time_ms: int) -> date:
        return datetime.fromtimestamp(time_ms / 1000, UTC).astimezone(self.zone).date()

    def slots(self, history: History, found: Slates) -> Iterator[Slot]:
        """The places of one customer."""
        for place in range(len(found.item)):
            item, because = int(found.item[place]), int(found.because[place])
            reason = self.because(history, because) if because >= 0 else self.popular(item)
            yield self.slot(
                int(found.rank[place]),
                item,
                float(found.score[place]),
                reason,
                int(found.head[place]),
            )


def _writer(shop: Shop, lang: Language) -> _Writer:
    return _Writer(fitted(shop), lang, shop.settings.zone)


def slate(shop: Shop, customer_id: str, k: int, live: bool, lang: Language) -> Slate:
    """The list for one customer; somebody unknown gets what is popular."""
    writer = _writer(shop, lang)
    history = _aligned(own_history(shop, customer_id, live), writer.model.history.item_ids)
    found = writer.model.recommender.slates(history, np.zeros(1, dtype=np.int64), k)
    slots = tuple(writer.slots(history, found))
    return Slate(
        customer_id=customer_id,
        as_of=writer.model.as_of,
        currency=shop.settings.currency,
        history=len(history.item),
        slots=slots,
        missing=_missing(writer.model, slots, k),
    )


def slates(shop: Shop, customer_ids: Sequence[str], k: int, lang: Language) -> list[Slate]:
    """The lists of several customers from the tables alone, computed at once."""
    writer = _writer(shop, lang)
    history = writer.model.history
    positions = {customer: n for n, customer in enumerate(history.customer_ids.to_pylist())}
    known = [customer for customer in customer_ids if customer in positions]
    asked = np.array([positions[customer] for customer in known], dtype=np.int64)
    found = writer.model.recommender.slates(history, asked, k)
    replies = []
    for customer, position in zip(known, asked, strict=True):
        rows = found.customer == position
        one = Slates(*(getattr(found, name)[rows] for name in Slates.__dataclass_fields__))
        slots = tuple(writer.slots(history, one))
        replies.append(
            Slate(
                customer_id=customer,
                as_of=writer.model.as_of,
                currency=shop.settings.currency,
                history=int((history.customer == position).sum()),
                slots=slots,
                missing=_missing(writer.model, slots, k),
            )
        )
    return replies


def popular(shop: Shop, k: int, lang: Language) -> Popular:
    """The items that most customers wanted lately and that may be offered."""
    writer = _writer(shop, lang)
    found, offered = writer.model.recommender.popular, writer.model.recommender.offered
    order = found.order()
    order = order[offered[order]][:k]
    slots = tuple(
        writer.slot(rank, int(item), float(found.score[item]), writer.popular(int(item)), 1)
        for rank, item in enumerate(order, 1)
    )
    return Popular(
        as_of=writer.model.as_of,
        basis=found.basis,
        half_life_days=HALF_LIFE_DAYS,
        slots=slots,
        missing=_missing(writer.model, slots, k),
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


def related(shop: Shop, item_id: str, k: int, lang: Language) -> Related:
    """What goes with one item.

    Raises:
        NotFound: neither the catalogue nor any event knows the item.
    """
    writer = _writer(shop, lang)
    model = writer.model
    position = int(pa.compute.index(model.history.item_ids, item_id).as_py())
    if position < 0 and item_id not in model.items:
        raise NotFound(
            f"No item is called {item_id!r}.", hint="Give an item_id as sent.", field="item_id"
        )
    items: Ints = np.zeros(0, dtype=np.int64)
    scores = np.zeros(0)
    if position >= 0:
        row = model.recommender.pairs[[position], :]
        offered = model.recommender.offered[row.indices]
        items, scores = row.indices[offered][:k], row.data[offered][:k]
    text = _WORDS[lang]["related"].format(title=writer.title(item_id))
    reason = Reason(code="covisit.related", text=text, evidence={"item_id": item_id})
    slots = tuple(
        writer.slot(rank, int(item), float(score), reason, COVISIT)
        for rank, (item, score) in enumerate(zip(items, scores, strict=True), 1)
    )
    return Related(
        item_id=item_id,
        title=(model.items.get(item_id) or {}).get("title"),
        as_of=model.as_of,
        slots=slots,
        missing=None if slots else _missing(model, slots, k),
    )


def _aligned(rows: pa.Table, item_ids: pa.Array) -> History:
    """One customer's rows with the model's positions; items that the model has not met are left out."""
    own = encode(rows)
    known = pa.compute.index_in(own.item_ids, value_set=item_ids)
    positions = np.asarray(known.fill_null(-1).to_numpy(zero_copy_only=False)).astype(np.int64)
    item = positions[own.item] if len(own.item) else own.item
    met = item >= 0
    return History(
        own.customer[met],
        item[met],
        own.time[met],
        own.strength[met],
        own.customer_ids,
        item_ids,
    )


def _missing(model: Fitted, slots: Sequence[Slot], k: int) -> CannotSay | None:
    if len(slots) >= k:
        return None
    return _NO_ITEMS if len(model.history.item) else _NO_EVENTS
