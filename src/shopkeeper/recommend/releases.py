"""The versions of a shop's recommender: shown, compared, promoted, taken back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import numpy as np
import pyarrow.compute as pc

from shopkeeper.core.errors import Conflict, NotFound, UnknownName
from shopkeeper.core.operation import Progress
from shopkeeper.core.types import Estimate
from shopkeeper.recommend.cases import only, owned, select
from shopkeeper.recommend.gate import known
from shopkeeper.recommend.heads.base import Queries, past
from shopkeeper.recommend.history import DAY_MS, History
from shopkeeper.recommend.mixture import Mask
from shopkeeper.recommend.model import catalogue, learned
from shopkeeper.recommend.offer import offerable
from shopkeeper.recommend.published import Published, load, versions
from shopkeeper.recommend.registry import Registry, newest_good, read, write
from shopkeeper.recommend.serving import folder
from shopkeeper.recommend.shortlist import Shortlister
from shopkeeper.recommend.types import Comparison, Version, Versions
from shopkeeper.shop.shop import Shop
from shopkeeper.stats import bootstrap

_K: Final = 10
_ACTIVE_DAYS: Final = 30


def shown(shop: Shop) -> Versions:
    """Every version that is kept, newest first."""
    at = folder(shop)
    registry = read(at)
    return Versions(
        serving=registry.served[0] if registry.served else None,
        versions=tuple(_version(registry, name) for name in versions(at)),
    )


def promote(shop: Shop, version: str, *, force: bool) -> Versions:
    """Let a version serve from the next request on.

    Raises:
        UnknownName: there is no such version.
        Corrupt: its files are damaged.
        Conflict: the gate has refused it, and ``force`` was not said.
    """
    at = folder(shop)
    if version not in versions(at):
        raise UnknownName("version", version, versions(at), field="version")
    load(at / version)
    registry = read(at)
    told = registry.notes.get(version, {}).get("gate", {})
    if told.get("passed") is False and not force:
        raise Conflict(
            f"The gate has refused {version!r}: {told['why']}.",
            hint="Look at `recommend versions`; `force` lets it serve all the same.",
            field="force",
        )
    write(at, registry.promoted(version))
    return shown(shop)


def roll_back(shop: Shop) -> Versions:
    """Let the version before serve again.

    Raises:
        NotFound: no version served before.
        Corrupt: its files are damaged.
    """
    at = folder(shop)
    registry = read(at).rolled_back()
    load(at / registry.served[0])
    write(at, registry)
    return shown(shop)


def shadow(shop: Shop, customers: int, progress: Progress) -> Comparison:
    """Both versions answer for customers of the last thirty days; what comes out is remembered.

    Raises:
        NotFound: there is no candidate, or nothing that serves.
    """
    at = folder(shop)
    registry, serving = read(at), newest_good(at)
    candidates = [name for name in versions(at) if name not in registry.served]
    if serving is None or not candidates:
        raise NotFound(
            "There are not two versions to compare.",
            hint="Fit one that waits: shopkeeper recommend fit --hold",
        )
    candidate = load(at / candidates[0])
    history, _ = learned(shop)
    queries = _recent(history, customers)
    lists = []
    for place, one in enumerate((serving, candidate)):
        progress(place, 2, f"lists by {one.version}")
        lists.append(_lists(shop, one, queries, history))
    found = _compared(serving.version, candidate.version, lists)
    write(at, read(at).noted(candidate.version, shadow=found.model_dump(mode="json")))
    return found


Lists = tuple[list[list[str]], list[dict[str, float]]]
"""Of each customer: the items of the list, and the probability that the version gives to items."""


def _recent(history: History, most: int) -> Queries:
    """The histories of customers who did something lately, drawn at random where there are more."""
    late = history.time > history.end - _ACTIVE_DAYS * DAY_MS
    own = only(history, history.known[history.customer])
    queries, customer = past(own)
    active = np.flatnonzero(np.isin(customer, np.unique(history.customer[late])))
    if len(active) > most:
        active = np.sort(np.random.default_rng(0).permutation(active)[:most])
    return select(queries, active)


def _lists(shop: Shop, one: Published, queries: Queries, history: History) -> Lists:
    found = pc.index_in(history.item_ids, value_set=one.item_ids).fill_null(-1)
    place = np.asarray(found.to_numpy(zero_copy_only=False)).astype(np.int64)
    asked = known(queries, place)
    offered = offerable(one.item_ids, catalogue(shop), shop.now())
    shortlister = Shortlister(one.mixture, one.clusters)
    items, chances = [], []
    for row in range(len(asked)):
        query = asked.part(row, row + 1)
        short = shortlister(query, Mask(offered, owned(query, one.again)), 20 * _K)
        ids = one.item_ids.take(short.item).to_pylist()
        items.append(ids[:_K])
        chances.append(dict(zip(ids, short.probability.tolist(), strict=True)))
    return items, chances


def _compared(serving: str, candidate: str, lists: list[Lists]) -> Comparison:
    (old, old_chance), (new, new_chance) = lists
    same = [len(set(a) & set(b)) / max(len(a), len(b), 1) for a, b in zip(old, new, strict=True)]

    def gain(chance: list[dict[str, float]]) -> Any:
        rows = zip(old, new, chance, strict=True)
        each = [sum(c.get(i, 0.0) for i in b) - sum(c.get(i, 0.0) for i in a) for a, b, c in rows]
        return bootstrap.mean(np.array(each))

    return Comparison(
        serving=serving,
        candidate=candidate,
        customers=len(old),
        agreement=bootstrap.mean(np.array(same, dtype=np.float64)),
        gain_by_serving=gain(old_chance),
        gain_by_candidate=gain(new_chance),
    )


def _version(registry: Registry, name: str) -> Version:
    note: Mapping[str, Any] = registry.notes.get(name, {})
    gate: Mapping[str, Any] = note.get("gate", {})
    status = "candidate"
    if name in registry.served:
        status = "serving" if name == registry.served[0] else "before"
    gain, shadowed = gate.get("gain"), note.get("shadow")
    return Version(
        version=name,
        status=status,
        fitted_at=datetime.strptime(f"{name}+0000", "%Y%m%dT%H%M%S%f%z"),
        heads=tuple(note.get("heads", ())),
        ndcg10=note.get("ndcg10"),
        passed=gate.get("passed"),
        gain=None if gain is None else Estimate.model_validate(gain),
        paired=bool(gate.get("paired")),
        why=str(gate.get("why", "")),
        shadow=None if shadowed is None else Comparison.model_validate(shadowed),
    )
