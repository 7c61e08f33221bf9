"""Fits and judges the recommender of a shop."""

from __future__ import annotations

import numpy as np

from shopkeeper.core.operation import Progress
from shopkeeper.core.types import CannotSay
from shopkeeper.recommend.cases import rebought
from shopkeeper.recommend.evaluation import by_week, head_shares, leave_one_out
from shopkeeper.recommend.fitting import LEAST, Step, Weighing, fit_mixture, heads
from shopkeeper.recommend.goods import goods
from shopkeeper.recommend.model import catalogue, learned, with_catalogue
from shopkeeper.recommend.published import Published, publish
from shopkeeper.recommend.serving import folder
from shopkeeper.recommend.types import Evaluation, Fit
from shopkeeper.shop.shop import Shop

_TOO_FEW = CannotSay(
    reason=f"Fewer than {LEAST} choices in the last eight weeks: weights fitted on them would be chance.",
    needed=f"{LEAST} purchases (or looks, where nothing is sold) by known customers",
)


def release(shop: Shop, progress: Progress) -> Fit:
    """Fit the shop's mixture and publish it; with too few choices nothing changes."""
    restricted = shop.state.revision(
        "restrictions"
    )  # first: one that comes meanwhile is seen later
    items = catalogue(shop)
    history = with_catalogue(learned(shop)[0], items)
    known = goods(history.item_ids, items)
    found = fit_mixture(history, known, _steps(progress, 2 * len(heads()) + 1))
    if found is None:
        return Fit(
            version=None,
            items=len(history.item_ids),
            validated=0,
            window_days=0,
            heads=(),
            missing=_TOO_FEW,
        )
    published = Published(
        "", found.mixture, history.item_ids, rebought(history), found.validated, restricted
    )
    version = publish(folder(shop), published, shop.now())
    return _told(version, len(history.item_ids), found)


def evaluated(shop: Shop, weeks: int, most: int, progress: Progress) -> Evaluation:
    """Both protocols on the last year of the shop's choices."""
    items = catalogue(shop)
    chosen, days = learned(shop)
    history = with_catalogue(chosen, items)
    known = goods(history.item_ids, items)
    tell = _steps(progress, (1 + weeks) * (3 * len(heads()) + 3))
    return Evaluation(
        as_of=days.end if days else None,
        customers=int(np.count_nonzero(history.known)) if len(history.customer_ids) else 0,
        items=len(history.item_ids),
        leave_one_out=leave_one_out(history, known, most, tell),
        by_week=by_week(history, known, weeks, most, tell),
    )


def _steps(progress: Progress, total: int) -> Step:
    """Tells progress, one step at a time."""
    done = iter(range(10 * total))

    def tell(message: str) -> None:
        progress(min(next(done), total), total, message)

    return tell


def _told(version: str, items: int, found: Weighing) -> Fit:
    return Fit(
        version=version,
        items=items,
        validated=found.validated,
        window_days=found.window_days,
        heads=tuple(head_shares(found.mixture)),
        missing=None,
    )
