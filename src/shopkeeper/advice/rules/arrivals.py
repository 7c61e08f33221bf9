"""New items of a category, for those who like that category and have not bought the items yet."""

from __future__ import annotations

from typing import Final

from shopkeeper.advice.idea import Idea, count, did, every, known, line, never, share, text
from shopkeeper.advice.types import Opens
from shopkeeper.advice.view import CHANGES, Item, View
from shopkeeper.core.events import PURCHASE, VIEW_ITEM

_INTEREST: Final = 60
_MOST_NEW: Final = 0.3
"""Where more of a category is new, the catalogue was brought in anew and nothing has arrived."""

_SHOWN: Final = 5
_GROUPS: Final = 2


def ideas(view: View) -> list[Idea]:
    """A group for each of the two categories with most new items."""
    new: dict[str, list[Item]] = {}
    for item in view.items.values():
        fresh = not item.known_before and item.offered and item.category
        if fresh and view.proper(item.title, item.category):
            new.setdefault(item.category, []).append(item)
    fit = {c: some for c, some in new.items() if len(some) <= _MOST_NEW * view.by_category[c]}
    best = sorted(fit, key=lambda category: (-len(fit[category]), category))[:_GROUPS]
    return [_idea(view, category, fit[category]) for category in best]


def _idea(view: View, category: str, new: list[Item]) -> Idea:
    items = tuple(sorted(one.item_id for one in new)[:_SHOWN])
    arrived = line(
        "arrived",
        view.days(CHANGES),
        Opens(what="items", item_ids=items),
        items=count(len(new)),
        category=text(category),
        of=share(len(new) / (len(new) + view.by_category[category])),
        titles=text(view.titles(items)),
    )
    group = every(
        known("favourite_category", "=", category),
        did(VIEW_ITEM, _INTEREST, category=category),
        *(never(did(PURCHASE, CHANGES, item=one)) for one in items),
    )
    return Idea(
        "arrivals",
        view.to_marketing(group),
        [arrived],
        occasion="new_arrival",
        subject=category,
        item_ids=items,
        category=category,
        names={"category": text(category)},
    )
