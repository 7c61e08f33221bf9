"""The versions of a shop's recommender: shown, compared, promoted, taken back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any, Final

import numpy as np
import pyarrow.compute as pc

from shopkeeper.core.errors import Conflict, NotFound, UnknownName
from shopkeeper.core.operation import Progress
from shopkeeper.core.types import Estimate
from shopkeeper.recommend import shadowing, staging
from shopkeeper.recommend.cases import only, owned, select
from shopkeeper.recommend.gate import known
from shopkeeper.recommend.heads.base import Queries, past
from shopkeeper.recommend.history import DAY_MS, History
from shopkeeper.recommend.mixture import Mask
from shopkeeper.recommend.model import catalogue, learned
from shopkeeper.recommend.offer import offerable
from shopkeeper.recommend.published import Published, load, versions
from shopkeeper.recommend.registry import (
    Registry,
    Shadowing,
    Staged,
    newest_good,
    read,
    write,
)
from shopkeeper.recommend.serving import folder
from shopkeeper.recommend.shadowing import Sums
from shopkeeper.recommend.shortlist import Shortlister
from shopkeeper.recommend.types import (
    Comparison,
    LiveShadow,
    Replay,
    Trial,
    Version,
    Versions,
)
from shopkeeper.shop.shop import Shop
from shopkeeper.stats import bootstrap

_K: Final = 10
_ACTIVE_DAYS: Final = 30


def shown(shop: Shop) -> Versions:
    """Every version that is kept, newest first."""
    at = folder(shop)
    registry, live = read(at), shadowing.found(shop)
    return Versions(
        serving=registry.served[0] if registry.served else None,
        versions=tuple(_version(registry, name, live.get(name)) for name in versions(at)),
        trials=tuple(_trials(registry)),
    )


def promote(shop: Shop, version: str, *, force: bool) -> Versions:
    """Let a version serve from the next request on; on a server, once each process has read it.

    Raises:
        UnknownName: there is no such version.
        Corrupt: its files are damaged.
        Conflict: the gate has refused it, and ``force`` was not said.
    """
    registry = _known(shop, version)
    _passed(registry, version, force=force)
    write(folder(shop), registry.promoted(version))
    return shown(shop)


def stage(
    shop: Shop, version: str, experiment_id: str, variant_id: str, *, force: bool
) -> Versions:
    """Let a version make the lists of those who have this variant in an experiment.

    Raises:
        UnknownName: there is no such version or variant.
        NotFound: there is no such experiment, or nothing serves beside it.
        Corrupt: its files are damaged.
        Conflict: the gate has refused it, it serves already, or the experiment cannot try it.
    """
    registry = _known(shop, version)
    _on_trial(registry, version)
    _passed(registry, version, force=force)
    staging.check(shop, experiment_id, variant_id)
    staged = Staged(version, experiment_id, variant_id)
    write(folder(shop), replace(registry, staged=staged))
    return shown(shop)


def shadow_live(shop: Shop, version: str, share: float) -> Versions:
    """Let a version answer this share of live requests unseen; 0 ends it.

    Raises:
        UnknownName: there is no such version.
        NotFound: nothing serves beside it.
        Corrupt: its files are damaged.
        Conflict: it serves already.
    """
    registry = _known(shop, version)
    _on_trial(registry, version)
    found = Shadowing(version, share) if share > 0 else None
    write(folder(shop), replace(registry, shadowing=found))
    return shown(shop)


def _known(shop: Shop, version: str) -> Registry:
    """The registry, once it is sure that the version is there and whole."""
    at = folder(shop)
    if version not in versions(at):
        raise UnknownName("version", version, versions(at), field="version")
    load(at / version)
    return read(at)


def _on_trial(registry: Registry, version: str) -> None:
    if not registry.served:
        raise NotFound(
            "No version serves that it could be tried beside.",
            hint="Let it serve: shopkeeper recommend promote",
        )
    if registry.served[0] == version:
        raise Conflict(f"{version!r} serves already.", hint="Try another.", field="version")


def _passed(registry: Registry, version: str, *, force: bool) -> None:
    told = registry.notes.get(version, {}).get("gate", {})
    if told.get("passed") is False and not force:
        raise Conflict(
            f"The gate has refused {version!r}: {told['why']}.",
            hint="Look at `recommend versions`; `force` lets it serve all the same.",
            field="force",
        )


def roll_back(shop: Shop) -> Versions:
    """Take a version out of its experiment; where none is in one, let the version before serve again.

    Raises:
        NotFound: no version served before.
        Corrupt: its files are damaged.
    """
    at = folder(shop)
    registry = read(at)
    if registry.staged is not None:
        write(at, replace(registry, staged=None))
        return shown(shop)
    registry = registry.rolled_back()
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


def _trials(registry: Registry) -> Iterator[Trial]:
    if registry.shadowing is not None:
        yield Trial(kind="shadow", **asdict(registry.shadowing))
    if registry.staged is not None:
        yield Trial(kind="experiment", **asdict(registry.staged))


def _live(sums: Sums) -> LiveShadow:
    whole = sums.requests - sums.errors

    def mean(total: float, count: float) -> float | None:
        return total / count if count else None

    return LiveShadow(
        requests=int(sums.requests),
        errors=int(sums.errors),
        dropped=int(sums.dropped),
        overlap=mean(sums.overlap, whole),
        tau=mean(sums.tau, sums.ranked),
        ms=mean(sums.ms, whole),
        serving_ms=mean(sums.serving_ms, sums.requests),
    )


def _version(registry: Registry, name: str, live: Sums | None) -> Version:
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
        replay=Replay.model_validate(gate["replay"]) if gate.get("replay") else None,
        live=None if live is None else _live(live),
    )
