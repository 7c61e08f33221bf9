"""Looks for clusters, gives them names and ids that stay, and writes who is in which."""

from __future__ import annotations

import json
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from shopkeeper.core.operation import Context
from shopkeeper.core.types import CannotSay
from shopkeeper.customers.clusters.clustering import Found, find
from shopkeeper.customers.clusters.naming import kept_ids, telling
from shopkeeper.customers.clusters.shown import model_of, shown
from shopkeeper.customers.clusters.subjects import Subject, subject
from shopkeeper.customers.scoring import Said, keep, refusers, table, version_at
from shopkeeper.customers.types import ClusterMap
from shopkeeper.shop.shop import Shop
from shopkeeper.store.models import Model, Models

_SAMPLE: Final = 30_000

Array = NDArray[np.float64]


def cluster(ctx: Context, by: str) -> ClusterMap:
    """See the operation ``cluster``."""
    shop, at = ctx.shop, ctx.shop.now()
    restricted = shop.state.revision("restrictions")  # first: one that comes meanwhile is seen
    ctx.progress(0, 3, "reading what customers did")
    given = subject(shop, by)
    if not isinstance(given, CannotSay):
        given = _without(given, refusers(shop))
        ctx.progress(1, 3, "looking for clusters")
        found = find(_sample(given.values))
    else:
        found = given
    prediction = f"cluster_{by}"
    if isinstance(given, CannotSay) or isinstance(found, CannotSay):
        why = given if isinstance(given, CannotSay) else found
        assert isinstance(why, CannotSay)  # noqa: S101 - one of the two is
        keep(shop, table((), "", at), [prediction], at, restricted)
        _register(ctx, by, {"missing": why.model_dump(mode="json"), "clusters": []})
        return shown(shop, by, "en")
    ctx.progress(2, 3, "naming them")
    card, said = _described(shop, by, given, found)
    version = version_at(at)
    keep(shop, table([said], version, at), [prediction], at, restricted)
    _register(ctx, by, card)
    return shown(shop, by, "en")


def _described(shop: Shop, by: str, given: Subject, found: Found) -> tuple[dict[str, Any], Said]:
    """What the registry keeps of the clusters, and what is said of each customer."""
    mine = found.nearest(given.values)
    count = len(found.centres)
    sizes = np.bincount(mine, minlength=count)
    spread = np.sqrt(
        np.mean([given.values[mine == one].var(axis=0) for one in range(count)], axis=0)
    )
    before = model_of(shop, by)
    same = before is not None and before.card.get("columns") == list(given.names)
    known = before.card["clusters"] if before is not None and same else []
    old = np.array([one["centre"] for one in known]) if known else None
    number = int(before.card.get("last_id", 0)) if before is not None else 0
    ids = kept_ids(found.centres, old, [one["id"] for one in known], number)
    told = telling(found.centres, sizes, spread)
    clusters = [
        {
            "id": ids[one],
            "size": int(sizes[one]),
            "centre": found.centres[one].tolist(),
            "told": [[given.names[column], apart] for column, apart in told[one]],
            "means": [float(given.shown[mine == one, column].mean()) for column, _ in told[one]],
        }
        for one in range(count)
    ]
    axes = np.linalg.svd(given.values - given.values.mean(axis=0), full_matrices=False)[2][:2]
    places = (given.values - given.values.mean(axis=0)) @ axes.T
    reasons = [json.dumps({"x": round(float(x), 3), "y": round(float(y), 3)}) for x, y in places]
    card = {
        "columns": list(given.names),
        "customers": len(given.ids),
        "stability": found.stability,
        "apart": found.apart,
        "last_id": max([number, *ids]),
        "clusters": clusters,
    }
    value = np.array(ids, np.float64)[mine]
    return card, Said(f"cluster_{by}", given.ids, value, None, None, reasons)


def _register(ctx: Context, by: str, card: dict[str, Any]) -> None:
    models, name = Models(ctx.shop.database), f"customers.clusters.{by}"
    version = version_at(ctx.shop.now())
    models.add(Model(name, version, "customers.clusters", by, card))
    models.promote(name, version, by=ctx.actor.kind, why="clustered")


def _without(given: Subject, refused: set[str]) -> Subject:
    kept = [place for place, one in enumerate(given.ids) if one not in refused]
    ids = tuple(given.ids[place] for place in kept)
    return Subject(ids, given.names, given.values[kept], given.shown[kept])


def _sample(values: Array) -> Array:
    if len(values) <= _SAMPLE:
        return values
    return values[np.random.default_rng(0).choice(len(values), _SAMPLE, replace=False)]
