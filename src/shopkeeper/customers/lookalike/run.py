"""Looks for customers who are like those on a list, and writes how like each is."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from shopkeeper.core.errors import BadInput
from shopkeeper.core.operation import Context
from shopkeeper.core.period import Days
from shopkeeper.core.types import CannotSay
from shopkeeper.customers.lookalike.likeness import Lift, fit, lift
from shopkeeper.customers.lookalike.shown import MODEL, shown
from shopkeeper.customers.predict import reasons
from shopkeeper.customers.predict.activity import activity
from shopkeeper.customers.predict.features import Features, features
from shopkeeper.customers.predict.tastes import baskets, learned, with_baskets
from shopkeeper.customers.predict.windows import model_at
from shopkeeper.customers.scoring import Said, keep, refusers, table, version_at
from shopkeeper.customers.types import LookAlikes
from shopkeeper.shop.shop import Shop
from shopkeeper.store.models import Model, Models

_DAYS: Final = 730
_NAME: Final = re.compile(r"[\w-]{1,60}")

Array = NDArray[np.float64]


def look_alike(ctx: Context, name: str, customer_ids: Sequence[str]) -> LookAlikes:
    """See the operation ``look_alike``."""
    if not _NAME.fullmatch(name):
        raise BadInput(
            f"{name!r} is no name for a list.",
            hint="Letters, digits, - and _; at most 60.",
            field="name",
        )
    with threadpool_limits(limits=1):  # trees of small data only wait for each other's threads
        return _run(ctx, name, customer_ids)


def _run(ctx: Context, name: str, customer_ids: Sequence[str]) -> LookAlikes:
    shop, at = ctx.shop, ctx.shop.now()
    restricted = shop.state.revision("restrictions")  # first: one that comes meanwhile is seen
    ctx.progress(0, 3, "reading what customers did")
    ids, known = _known(shop)
    wanted = set(customer_ids)
    seeds = np.array([one in wanted for one in ids], bool)
    ctx.progress(1, 3, "measuring on held-out halves of the list")
    measured = lift(known, seeds) if len(ids) else _nobody()
    prediction = f"lookalike:{name}"
    card: dict[str, Any] = {
        "name": name,
        "given": len(wanted),
        "seeds": int(seeds.sum()),
        "missing": None,
    }
    version = version_at(at)
    if isinstance(measured, Lift):
        card["lift"] = {
            "value": measured.value,
            "low": measured.low,
            "high": measured.high,
            "rfm": measured.rfm,
            "gain_low": measured.gain_low,
            "gain_high": measured.gain_high,
        }
    why = measured if isinstance(measured, CannotSay) else _no_better(measured)
    if why is not None:
        card["missing"] = why.model_dump(mode="json")
        keep(shop, table((), "", at), [prediction], at, restricted)
    else:
        ctx.progress(2, 3, "comparing everybody with the list")
        said = _said(prediction, ids, known, seeds, refusers(shop))
        keep(shop, table([said], version, at), [prediction], at, restricted)
    models = Models(shop.database)
    models.add(Model(f"{MODEL}.{name}", version, MODEL, "lookalike", card, at))
    models.promote(f"{MODEL}.{name}", version, by=ctx.actor.kind, why="compared")
    return shown(shop, name, (0, 20), "en")


def _known(shop: Shop) -> tuple[tuple[str, ...], Features]:
    """Every buyer of the last two years with what is known of them."""
    span = shop.span()
    if span is None:
        raise BadInput("There are no events yet.", hint="Import some first.")
    days = Days(max(span.start, span.end - timedelta(days=_DAYS - 1)), span.end)
    seen = activity(shop, days)
    rows = baskets(shop, days, seen)
    whole = with_baskets(seen, rows, learned(rows))
    now = days.end.toordinal() + 1
    return seen.ids, features(whole, now, model_at(whole, now), 90)


def _said(
    prediction: str,
    ids: tuple[str, ...],
    known: Features,
    seeds: NDArray[np.bool_],
    refused: set[str],
) -> Said:
    """How like the list each customer is who is not on it: the share of the others who are less so."""
    model = fit(known, seeds)
    kept = np.array([not seed and one not in refused for one, seed in zip(ids, seeds, strict=True)])
    places = np.flatnonzero(kept)
    rest = Features(known.places[places], known.seen, known.names, known.values[places])
    value = rankdata(model.margin(rest.values)) / max(1, len(places))
    told = [_for(one) for one in reasons.of_features(model, rest)]
    return Said(prediction, [ids[place] for place in places.tolist()], value, None, None, told)


def _for(kept: str) -> str:
    """Only what speaks for the likeness."""
    return json.dumps([one for one in json.loads(kept) if one["weight"] > 0], separators=(",", ":"))


def _no_better(measured: Lift) -> CannotSay | None:
    if measured.low > 1:
        return None
    return CannotSay(
        reason="The list's customers have nothing in common that tells them from others: "
        f"lift {measured.value:.2f}, interval from {measured.low:.2f}.",
        needed="a longer list, or one whose customers share more than chance",
        code="nothing_in_common",
    )


def _nobody() -> CannotSay:
    return CannotSay(
        reason="Nobody has bought yet.", needed="purchases of customers", code="nobody_bought"
    )
