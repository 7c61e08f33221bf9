"""Lists that start from items, or from what rises: relatives of one, complements of a cart, trends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from shopkeeper.core.errors import NotFound
from shopkeeper.core.settings import Language
from shopkeeper.core.types import CannotSay, Reason
from shopkeeper.recommend.composing import Asked, Composed, Composer
from shopkeeper.recommend.history import DAY_MS, Floats, History, Ints
from shopkeeper.recommend.likely import ByReason
from shopkeeper.recommend.model import Fitted, fitted
from shopkeeper.recommend.rules.book import published
from shopkeeper.recommend.rules.grounds import grounds
from shopkeeper.recommend.rules.plan import likeness
from shopkeeper.recommend.types import Related, Shelf
from shopkeeper.recommend.writer import Writer, related_reason
from shopkeeper.shop.shop import Shop

_DAMPING: Final = 0.4
_SHRINK: Final = 5.0
"""As in :mod:`~shopkeeper.recommend.covisit`: a bestseller stands beside everything."""
_RECENT: Final = 7
_BEFORE: Final = 28
_FEWEST: Final = 3

_WORDS: Final = {
    "en": {
        "together": "In {orders} orders together with {title}.",
        "brand": "Of {label}, as {title} is.",
        "category": "From {label}, as {title} is.",
        "trending": "{now} customers chose it in the last {days} days; {times} times as many as before.",
        "trending.new": "{now} customers chose it in the last {days} days, nobody in the month before.",
    },
    "zh": {
        "together": "在 {orders} 个订单中与「{title}」一起购买。",
        "brand": "与「{title}」同属品牌「{label}」。",
        "category": "与「{title}」同属分类「{label}」。",
        "trending": "最近 {days} 天有 {now} 位顾客选择，是此前的 {times} 倍。",
        "trending.new": "最近 {days} 天有 {now} 位顾客选择，此前四周无人选择。",
    },
}  # fmt: skip


def related(shop: Shop, item_id: str, asked: Asked, lang: Language) -> Related:
    """What the same customers chose together with, or after, one item.

    Raises:
        NotFound: neither the catalogue nor any event knows the item.
    """
    writer = _writer(shop, lang)
    model = writer.model
    position = _position(model, item_id)
    items: Ints = np.zeros(0, dtype=np.int64)
    scores = np.zeros(0)
    if position >= 0:
        row = model.recommender.pairs[[position], :]
        items, scores = row.indices.astype(np.int64), row.data
    reason = related_reason(writer.title(item_id), item_id, lang)
    made = _composed(shop, writer, "covisit", (items, scores), lambda _item: reason, asked)
    return Related(
        item_id=item_id,
        title=(model.items.get(item_id) or {}).get("title"),
        as_of=model.as_of,
        slots=made.slots,
        missing=None if made.slots else made.missing,
    )


def similar(shop: Shop, item_id: str, asked: Asked, lang: Language) -> Related:
    """What is like an item by brand and category; among equals, what is near its price.

    Raises:
        NotFound: neither the catalogue nor any event knows the item.
    """
    writer = _writer(shop, lang)
    model = writer.model
    position = _position(model, item_id)
    ordered = (np.zeros(0, dtype=np.int64), np.zeros(0))
    if position >= 0:
        ordered = _alike(shop, model, position)
    made = _composed(shop, writer, "kind", ordered, lambda item: _kin(writer, item_id, item), asked)
    return Related(
        item_id=item_id,
        title=(model.items.get(item_id) or {}).get("title"),
        as_of=model.as_of,
        slots=made.slots,
        missing=None if made.slots else made.missing,
    )


def complements(shop: Shop, item_ids: Sequence[str], asked: Asked, lang: Language) -> Shelf:
    """What others bought in the same order as the items of a cart, which are not shown again.

    The score of j is the sum over the cart's items i of orders(i, j) / (orders(j) + 5) ** 0.4.

    Raises:
        NotFound: an item that neither the catalogue nor any event knows.
    """
    writer = _writer(shop, lang)
    model = writer.model
    cart = [p for item in dict.fromkeys(item_ids) if (p := _position(model, item)) >= 0]
    orders = _together(model.history, np.array(cart, dtype=np.int64))
    bought = np.bincount(model.history.item[model.history.bought], minlength=orders.shape[1])
    score = orders.sum(axis=0) / (bought + _SHRINK) ** _DAMPING
    score[cart] = 0.0
    items = np.lexsort((np.arange(len(score)), -score))
    items = items[score[items] > 0]

    def reason(item: int) -> Reason:
        with_most = int(orders[:, item].argmax())
        source = model.history.item_ids[cart[with_most]].as_py()
        count = int(orders[with_most, item])
        text = _WORDS[lang]["together"].format(orders=count, title=writer.title(source))
        evidence = {"item_id": source, "orders": count}
        return Reason(code="covisit.together", text=text, evidence=evidence)

    made = _composed(shop, writer, "together", (items, score[items]), reason, asked)
    why = CannotSay(
        reason="No order holds one of these items beside another that may be offered.",
        needed="orders of several items",
    )
    missing = made.missing if made.slots or made.removed else why
    return Shelf(as_of=model.as_of, slots=made.slots, missing=missing)


def trending(shop: Shop, asked: Asked, lang: Language) -> Shelf:
    """What more customers choose than before: the last seven days against the four weeks before them.

    Ordered by how surely: (now - expected) / sqrt(expected + 1), expected from the four weeks and the
    whole shop's change. At least three customers; only what has risen.
    """
    writer = _writer(shop, lang)
    model = writer.model
    now, before = _weeks(model.history)
    whole = now.sum() / max(before.sum(), 1)
    expected = before * whole
    score = (now - expected) / np.sqrt(expected + 1)
    items = np.lexsort((np.arange(len(score)), -score))
    items = items[(score[items] > 0) & (now[items] >= _FEWEST)]

    def reason(item: int) -> Reason:
        count, old = int(now[item]), int(before[item])
        code = "trending" if old else "trending.new"
        rate = (count / _RECENT) / (old / _BEFORE) if old else None
        times = f"{rate:.1f}" if rate else ""
        text = _WORDS[lang][code].format(now=count, days=_RECENT, times=times)
        evidence: dict[str, str | float | int | None] = {"customers": count, "days": _RECENT}
        return Reason(code=code, text=text, evidence=evidence | {"before": old})

    made = _composed(shop, writer, "trending", (items, score[items]), reason, asked)
    why = CannotSay(
        reason=f"No item was chosen by {_FEWEST} customers in {_RECENT} days and by more than before.",
        needed="more events, or wait for a change",
    )
    return Shelf(as_of=model.as_of, slots=made.slots, missing=made.missing if made.slots else why)


def _writer(shop: Shop, lang: Language) -> Writer:
    return Writer(fitted(shop), lang, shop.settings.zone)


def _composed(
    shop: Shop,
    writer: Writer,
    head: str,
    ordered: tuple[Ints, Floats],
    reason: Callable[[int], Reason],
    asked: Asked,
) -> Composed:
    composer = Composer(shop, writer, published(shop, writer.model))
    return composer.compose(ByReason(writer, head, ordered, reason), None, None, asked)


def _position(model: Fitted, item_id: str) -> int:
    """The item's position; -1 for one that nobody has chosen yet."""
    position = int(pc.index(model.history.item_ids, pa.scalar(item_id)).as_py())
    if position < 0 and item_id not in model.items:
        raise NotFound(
            f"No item is called {item_id!r}.", hint="Give an item_id as sent.", field="item_id"
        )
    return position


def _alike(shop: Shop, model: Fitted, position: int) -> tuple[Ints, Floats]:
    there = grounds(model.history.item_ids, model.items, model.history, shop.now())
    every = np.arange(len(there), dtype=np.int64)
    score = likeness(there).to(position, every)
    score[position] = 0.0
    price = np.array([row.get("price") or np.nan for row in there.rows], dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        far = np.nan_to_num(np.abs(np.log(price / price[position])), nan=np.inf)
    items = np.lexsort((every, far, -score))
    items = items[score[items] > 0]
    return items, score[items]


def _kin(writer: Writer, item_id: str, item: int) -> Reason:
    other = writer.model.history.item_ids[item].as_py()
    kind, label = writer.in_common(item_id, other)
    text = _WORDS[writer.lang][kind].format(label=label, title=writer.title(item_id))
    return Reason(code=f"kind.{kind}", text=text, evidence={"item_id": item_id, "label": label})


def _together(history: History, cart: Ints) -> Floats:
    """(cart x items): the orders that hold both; what one customer bought at one moment is an order."""
    bought = np.flatnonzero(history.bought)
    customer, time, item = history.customer[bought], history.time[bought], history.item[bought]
    new = np.ones(len(bought), dtype=np.int64)
    new[1:] = (customer[1:] != customer[:-1]) | (time[1:] != time[:-1])
    order = np.cumsum(new) - 1
    answer = np.zeros((max(len(cart), 1), len(history.item_ids)))
    for row, source in enumerate(cart):
        with_it = np.zeros(int(new.sum()), dtype=bool)
        with_it[order[item == source]] = True
        answer[row] = np.bincount(item[with_it[order]], minlength=answer.shape[1])
    return answer


def _weeks(history: History) -> tuple[Floats, Floats]:
    """How many known customers chose each item in the last seven days, and in the 28 before."""
    size = len(history.item_ids)
    day = (history.end - history.time) // DAY_MS
    known = history.known[history.customer]

    def customers(first: int, last: int) -> Floats:
        rows = known & (day >= first) & (day < last)
        pairs = np.unique(history.customer[rows] * np.int64(max(size, 1)) + history.item[rows])
        return np.bincount(pairs % max(size, 1), minlength=size).astype(np.float64)

    return customers(0, _RECENT), customers(_RECENT, _RECENT + _BEFORE)
