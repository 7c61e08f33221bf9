"""What the thread beside the requests makes anew, and makes ready before any request sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final, Protocol

import numpy as np

from shopkeeper.recommend import histories, model, serving
from shopkeeper.recommend.cases import only
from shopkeeper.recommend.composing import Asked, Composer
from shopkeeper.recommend.histories import aligned
from shopkeeper.recommend.likely import ByMixture
from shopkeeper.recommend.model import Fitted
from shopkeeper.recommend.published import Published
from shopkeeper.recommend.rules.arrange import Draw
from shopkeeper.recommend.rules.book import published as rules_of
from shopkeeper.recommend.serving import Serving
from shopkeeper.recommend.writer import Writer
from shopkeeper.shop.shop import Shop

_K: Final = 10


class Step(Protocol):
    """One thing that is kept fresh; whether it was made anew.

    ``asked`` says that somebody wanted a list since the last look.
    """

    def __call__(self, shop: Shop, *, asked: bool) -> bool: ...


def _learned(shop: Shop, *, asked: bool) -> bool:
    """Popularity and what goes together, and the catalogue."""

    def ready(made: Fitted) -> None:
        rules_of(shop, made)
        for one in serving.held(shop):
            _place(shop, made, one)

    return model.renew(shop, ready, asked=asked)


def _versions(shop: Shop, *, asked: bool) -> bool:
    """The version that serves, and those on trial."""
    del asked  # a new version waits for nobody

    loaded = list[str]()

    def ready(found: Published) -> None:
        loaded.append(found.version)
        made = model.latest(shop)
        if made is not None:
            _place(shop, made, found)

    serving.renew(shop, ready)
    return bool(loaded)


def _remembered(shop: Shop, *, asked: bool) -> bool:
    """Everybody's history."""
    made = model.latest(shop)
    orders = [] if made is None else [made.history.item_ids]
    placed = made.derived.get(serving.DERIVED, {}) if made else {}
    orders += [one.published.item_ids for one in placed.values()]
    return histories.renew(shop, orders, asked=asked)


STEPS: Final[Mapping[str, Step]] = {
    "what was learned": _learned,
    "versions": _versions,
    "histories": _remembered,
}


def _place(shop: Shop, made: Fitted, found: Published) -> None:
    who = serving.placed(found, made, shop)
    if isinstance(who, Serving):
        _rehearse(shop, made, who)


def _rehearse(shop: Shop, made: Fitted, who: Serving) -> None:
    """A list that nobody sees, for the latest customer: what is made when first needed is made now."""
    history = made.history
    if not len(history.customer):
        return
    seen = shop.state.glance()
    writer = Writer(made, "en", shop.settings.zone)
    mine = replace(only(history, history.customer == history.customer[-1]), spoken=None)
    rows = aligned(mine, who.published.item_ids)
    query = serving.query(rows, int(shop.now().timestamp() * 1000))
    none = Draw(np.zeros(_K), np.ones(_K), np.zeros(_K))
    composer = Composer(shop, writer, rules_of(shop, made, seen), seen)
    composer.compose(ByMixture(writer, who, rows, query), None, rows, Asked(_K), none)
