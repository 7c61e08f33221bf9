"""What a draft of the rules would change: the lists of a sample of customers by both, side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from shopkeeper.core.operation import Context
from shopkeeper.core.types import CannotSay, EstimateOrCannotSay
from shopkeeper.recommend.composing import Asked
from shopkeeper.recommend.history import History
from shopkeeper.recommend.likely import ByMixture
from shopkeeper.recommend.lists import Listing, known
from shopkeeper.recommend.model import fitted
from shopkeeper.recommend.rules.arrange import Draw
from shopkeeper.recommend.rules.book import Book, book, published
from shopkeeper.recommend.rules.editing import draft
from shopkeeper.recommend.serving import NOT_FITTED
from shopkeeper.recommend.types import Moved, Slate, WhatIf
from shopkeeper.stats import bootstrap

_SEED: Final = 7
_KNOWN: Final = 2000
"""Of so many of the likeliest items the probability is looked up; others count as 0."""
_SHOWN: Final = 10
_NOBODY: Final = CannotSay(
    reason="No customer has looked at or bought anything.",
    needed="events with an item_id",
    code="no_item_events",
)

Worth = Mapping[str, float]


@dataclass(frozen=True)
class _Pair:
    """One customer's list as it is and as it would be; ``worth`` is what the mixture gives each item."""

    now: Slate
    then: Slate
    worth: Worth | None


def what_if(ctx: Context, customers: int, k: int, page: str) -> WhatIf:
    """Both rules on the same customers with the same chances; what differs is the rules' doing."""
    shop = ctx.shop
    model = fitted(shop)
    books = published(shop, model), book(shop, model, draft(shop))
    pairs = _pairs(ctx, books, customers, Asked(k, live=False, page=page))
    now, then = [pair.now for pair in pairs], [pair.then for pair in pairs]
    gained, lost = _moved(now, then)
    fewer = [pair for pair in pairs if len(pair.then.slots) < len(pair.now.slots)]
    return WhatIf(
        draft=books[1].version,
        published=books[0].version,
        customers=len(pairs),
        changed=_changed(pairs),
        gained=gained,
        lost=lost,
        coverage_now=_coverage(now),
        coverage_then=_coverage(then),
        shorter=len(fewer),
        empty=sum(1 for slate in then if not slate.slots),
        probability=_difference(pairs, lambda item, worth: worth.get(item, 0.0)),
        revenue=_difference(pairs, _revenue(pairs)),
        fired=_fired(then),
        example=next((pair.then.missing for pair in fewer), None),
    )


def _pairs(ctx: Context, books: tuple[Book, Book], most: int, asked: Asked) -> list[_Pair]:
    first, second = (Listing(ctx.shop, "en", one) for one in books)
    history = first.writer.model.history
    some = np.flatnonzero(history.known)
    chance = np.random.default_rng(_SEED)
    chosen = np.sort(chance.permutation(some)[:most])
    ids = history.customer_ids.take(chosen).to_pylist()
    start, pairs = float(chance.random()), []
    for number, (customer, rows) in enumerate(known(first, ids)):
        places = np.arange(number * asked.k, (number + 1) * asked.k)
        drawn = Draw(
            (start + places * (5**0.5 - 1) / 2) % 1.0, np.ones(asked.k), chance.random(asked.k)
        )
        now, _ = first.of(customer, rows, asked, drawn)
        then, _ = second.of(customer, rows, asked, drawn)
        pairs.append(_Pair(now, then, _worth(first, rows) if now.personalised else None))
        ctx.progress(number + 1, len(ids), "lists by both")
    return pairs


def _worth(listing: Listing, rows: History) -> Worth | None:
    """The probability of the likeliest items where no rule holds; None without a mixture."""
    likely, _ = listing.likely(rows)
    if not isinstance(likely, ByMixture):
        return None
    offered = listing.book.compiled(likely.item_ids).offered
    pool = likely.pool(offered, _KNOWN)
    ids = likely.item_ids.take(pool.item).to_pylist()
    return dict(zip(ids, pool.value.tolist(), strict=True))


def _changed(pairs: Sequence[_Pair]) -> EstimateOrCannotSay:
    """The share of a customer's places that hold another item than before."""
    shares = []
    for pair in pairs:
        now, then = _items(pair.now), _items(pair.then)
        longest = max(len(now), len(then), 1)
        same = sum(a == b for a, b in zip(now, then, strict=False))
        shares.append(1 - same / longest if now or then else 0.0)
    return bootstrap.mean(np.array(shares)) if shares else _NOBODY


def _moved(
    now: Sequence[Slate], then: Sequence[Slate]
) -> tuple[tuple[Moved, ...], tuple[Moved, ...]]:
    """The items that stand in more lists, and in fewer, than before; the largest change first."""
    before = Counter(item for slate in now for item in _items(slate))
    after = Counter(item for slate in then for item in _items(slate))
    titles = {slot.item_id: slot.title for slate in (*now, *then) for slot in slate.slots}

    def told(counts: Counter[str]) -> tuple[Moved, ...]:
        return tuple(
            Moved(item_id=item, title=titles[item], now=before[item], then=after[item])
            for item, _ in sorted(counts.items(), key=lambda one: (-one[1], one[0]))[:_SHOWN]
        )

    return told(after - before), told(before - after)


def _coverage(slates: Sequence[Slate]) -> int:
    return len({item for slate in slates for item in _items(slate)})


def _difference(
    pairs: Sequence[_Pair], value: Callable[[str, Worth], float]
) -> EstimateOrCannotSay:
    """The mean over customers of what their list is worth then, less what it is worth now."""
    known = [pair for pair in pairs if pair.worth is not None]
    if not known:
        return NOT_FITTED if pairs else _NOBODY
    sums = [
        sum(value(item, pair.worth or {}) for item in _items(pair.then))
        - sum(value(item, pair.worth or {}) for item in _items(pair.now))
        for pair in known
    ]
    return bootstrap.mean(np.array(sums))


def _revenue(pairs: Sequence[_Pair]) -> Callable[[str, Worth], float]:
    """Probability times price; an item without a price is worth nothing here."""
    slots = (slot for pair in pairs for slate in (pair.now, pair.then) for slot in slate.slots)
    prices = {slot.item_id: slot.price or 0.0 for slot in slots}
    return lambda item, worth: worth.get(item, 0.0) * prices[item]


def _fired(slates: Sequence[Slate]) -> dict[str, int]:
    """In how many lists each rule of the draft left a trace."""
    return dict(sorted(Counter(name for slate in slates for name in slate.rules).items()))


def _items(slate: Slate) -> list[str]:
    return [slot.item_id for slot in slate.slots]
