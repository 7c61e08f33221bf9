"""The replies of `recommend`: lists by the fitted mixture, or by what needs no fitting."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from shopkeeper.core.errors import NotFound
from shopkeeper.core.settings import Language
from shopkeeper.core.types import CannotSay
from shopkeeper.recommend.history import History, Ints, encode
from shopkeeper.recommend.model import Fitted, fitted, own_history
from shopkeeper.recommend.offer import out_of_stock
from shopkeeper.recommend.popular import HALF_LIFE_DAYS
from shopkeeper.recommend.serving import Serving, query, serving
from shopkeeper.recommend.slate import COVISIT, Recommender
from shopkeeper.recommend.types import DEFAULTS, Popular, Related, Slate, Slot
from shopkeeper.recommend.writer import Writer, related_reason
from shopkeeper.shop.shop import Shop
from shopkeeper.store.consent import Status

PURPOSE: Final = "personalisation"
CHANNEL: Final = "recommend"
"""The consent that a customer can deny or revoke; where nothing is said lists are personal."""

_NO_EVENTS = CannotSay(
    reason="No event says that anybody looked at or bought an item.",
    needed="view_item, add_to_cart or purchase events with an item_id",
)
_NO_ITEMS = CannotSay(
    reason="Fewer items than asked for may be offered: others are owned, sold out or not goods.",
    needed="more items in stock",
)


@dataclass(frozen=True)
class Asked:
    """How long a list is, whether the newest events count, and which items must not stand in it."""

    k: int
    live: bool = True
    exclude: Collection[str] = ()


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


def slate(shop: Shop, customer_id: str, asked: Asked, lang: Language) -> Slate:
    """The list for one customer; somebody unknown, or who refuses, gets what is popular."""
    writer = _writer(shop, lang)
    if refuses(shop, customer_id):
        return _impersonal(shop, writer, customer_id, asked)
    rows = encode(own_history(shop, customer_id, asked.live))
    return _personal(shop, writer, customer_id, rows, asked)


def slates(shop: Shop, customer_ids: Sequence[str], k: int, lang: Language) -> list[Slate]:
    """The lists of several customers from the tables alone."""
    writer, asked = _writer(shop, lang), Asked(k, live=False)
    history = writer.model.history
    positions = {customer: n for n, customer in enumerate(history.customer_ids.to_pylist())}
    replies = []
    for customer in customer_ids:
        if customer not in positions:
            continue
        if refuses(shop, customer):
            replies.append(_impersonal(shop, writer, customer, asked))
            continue
        first, last = np.searchsorted(
            history.customer, [positions[customer], positions[customer] + 1]
        )
        own = _slice(history, int(first), int(last))
        replies.append(_personal(shop, writer, customer, own, asked))
    return replies


def _personal(shop: Shop, writer: Writer, customer_id: str, rows: History, asked: Asked) -> Slate:
    model, who = writer.model, serving(shop, writer.model)
    if isinstance(who, Serving):
        history = _aligned(rows, who.published.item_ids)
        now_ms = int(shop.now().timestamp() * 1000)
        found = who.slots(query(history, now_ms), asked.k, asked.exclude)
        slots = tuple(writer.by_mixture(who, history, found))
    else:
        history = _aligned(rows, model.history.item_ids)
        recommender = _without(model, asked.exclude)
        listed = recommender.slates(history, np.zeros(1, dtype=np.int64), asked.k)
        slots = tuple(writer.slots(history, listed))
    return Slate(
        customer_id=customer_id,
        as_of=model.as_of,
        currency=shop.settings.currency,
        history=len(history.item),
        model=who.published.version if isinstance(who, Serving) else DEFAULTS,
        why_defaults=None if isinstance(who, Serving) else who,
        slots=slots,
        missing=_missing(model, slots, asked.k),
    )


def _impersonal(shop: Shop, writer: Writer, customer_id: str, asked: Asked) -> Slate:
    slots = _popular(writer, asked.k, _without(writer.model, asked.exclude).offered)
    return Slate(
        customer_id=customer_id,
        as_of=writer.model.as_of,
        currency=shop.settings.currency,
        history=0,
        personalised=False,
        slots=slots,
        missing=_missing(writer.model, slots, asked.k),
    )


def _popular(writer: Writer, k: int, offered: NDArray[np.bool_]) -> tuple[Slot, ...]:
    found = writer.model.recommender.popular
    order = found.order()
    order = order[offered[order]][:k]
    return tuple(
        writer.slot(rank, int(item), float(found.score[item]), writer.popular(int(item)), 1)
        for rank, item in enumerate(order, 1)
    )


def _without(model: Fitted, exclude: Collection[str]) -> Recommender:
    """The recommender that needs no fitting, which does not offer these items."""
    if not exclude:
        return model.recommender
    gone = pa.compute.is_in(model.history.item_ids, pa.array(sorted(exclude), pa.string()))
    left = model.recommender.offered & ~np.asarray(gone.to_numpy(zero_copy_only=False)).astype(bool)
    return replace(model.recommender, offered=left)


def popular(shop: Shop, k: int, lang: Language) -> Popular:
    """The items that most customers wanted lately and that may be offered."""
    writer = _writer(shop, lang)
    found = writer.model.recommender.popular
    slots = _popular(writer, k, writer.model.recommender.offered)
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
    reason = related_reason(writer.title(item_id), item_id, lang)
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


def _aligned(own: History, item_ids: pa.Array) -> History:
    """The rows with a model's positions; items that the model has not met are left out."""
    if own.item_ids is item_ids:
        return own
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


def _missing(model: Fitted, slots: Sequence[Slot], k: int) -> CannotSay | None:
    if len(slots) >= k:
        return None
    return _NO_ITEMS if len(model.history.item) else _NO_EVENTS
