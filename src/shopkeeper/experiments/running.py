"""Experiments from draft to end: created, started, stopped, their shares changed, customers assigned."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

import narwhals as nw

from shopkeeper.core.errors import BadInput, Conflict
from shopkeeper.decisions import assignment
from shopkeeper.decisions.assignment import Draw
from shopkeeper.experiments import catalogue
from shopkeeper.experiments.types import (
    Assigned,
    Changed,
    Design,
    Drawn,
    Experiment,
    Holdout,
    Shown,
    Variant,
)
from shopkeeper.experiments.types import Experiments as Listed
from shopkeeper.shop.shop import Shop
from shopkeeper.store.assignments import Holdouts
from shopkeeper.store.experiments import Experiments, Stored
from shopkeeper.warehouse.source import Frame, Source

_NOBODY = Holdout(share=0.0, since=None)


def create(shop: Shop, actor: str, experiment_id: str, design: Design) -> Experiment:
    """A draft.

    Raises:
        Conflict: there is an experiment of that id.
        UnknownName: a measure is not known.
    """
    catalogue.of(design)
    store = Experiments(shop.database)
    store.add(
        Stored(
            experiment_id=experiment_id,
            status="draft",
            layer=design.layer,
            salt=secrets.token_hex(8),
            slots=(),
            design=design.model_dump(mode="json"),
            created_by=actor,
            created_at=shop.now(),
        )
    )
    return experiment_of(shop, store.get(experiment_id))


def start(shop: Shop, actor: str, experiment_id: str) -> Experiment:
    """Let it run; its buckets are taken from its layer."""
    store = Experiments(shop.database)
    design = Design.model_validate(store.get(experiment_id).design)
    return experiment_of(shop, store.start(experiment_id, actor, design.traffic, shop.now()))


def stop(shop: Shop, actor: str, experiment_id: str, reason: str) -> Experiment:
    """End it: nobody is assigned any more; its result stays."""
    stored = Experiments(shop.database).stop(experiment_id, actor, reason, shop.now())
    return experiment_of(shop, stored)


def reshare(shop: Shop, actor: str, experiment_id: str, shares: dict[str, float]) -> Experiment:
    """Other shares from now on; who has a variant keeps it, and is left out of the analysis from now on.

    Raises:
        BadInput: other variants than the experiment's are named.
    """
    store = Experiments(shop.database)
    stored = store.get(experiment_id)
    design = Design.model_validate(stored.design)
    names = [v.variant_id for v in design.variants]
    if sorted(shares) != sorted(names):
        raise BadInput(
            f"The variants are {', '.join(names)}.", hint="Give each a share.", field="shares"
        )
    variants = tuple(
        Variant.model_validate(v.model_dump() | {"share": shares[v.variant_id]})
        for v in design.variants
    )
    changed = design.model_copy(update={"variants": variants})
    note = (shop.now(), actor, "shares changed")
    kept = store.redesign(experiment_id, note, changed.model_dump(mode="json"))
    return experiment_of(shop, kept)


def assign(shop: Shop, experiment_id: str, units: Sequence[str], *, exposed: bool) -> Assigned:
    """What each customer gets, kept for good; with ``exposed`` also that they saw it now."""
    stored = Experiments(shop.database).get(experiment_id)
    design = Design.model_validate(stored.design)
    arms = [assignment.Arm(v.variant_id, v.share) for v in design.variants]
    meant = _segment(shop, design.segment, units) if design.segment else None
    if exposed and stored.status != "running":
        raise Conflict(f"{experiment_id!r} is {stored.status}.", hint="Nobody sees it.")
    drawn = Draw(shop, stored, arms).of(units, meant)
    seen = assignment.expose(shop, experiment_id, drawn, shop.now()) if exposed else 0
    told = (
        Drawn(unit_id=d.unit_id, variant_id=d.variant_id, propensity=d.propensity, why=d.why)
        for d in drawn
    )
    return Assigned(experiment_id=experiment_id, units=tuple(told), exposed=seen)


def _segment(shop: Shop, segment: str, units: Sequence[str]) -> set[str]:
    """Those of the units who are in the segment now."""

    def build(source: Source) -> Frame:
        inside = source.memberships().filter(
            nw.col("segment") == segment,
            nw.col("valid_to").is_null(),
            nw.col("customer_id").is_in(sorted(set(units))),
        )
        return inside.select("customer_id").unique()

    return set(shop.query(build).column("customer_id").to_pylist())


def listed(shop: Shop) -> Listed:
    """All of them, and the hold-out."""
    store = Experiments(shop.database)
    found = tuple(experiment_of(shop, stored) for stored in store.all())
    return Listed(experiments=found, holdout=holdout(shop))


def shown(shop: Shop, experiment_id: str) -> Shown:
    """One, with its measures and what was done to it."""
    store = Experiments(shop.database)
    experiment = experiment_of(shop, store.get(experiment_id))
    return Shown(
        experiment=experiment,
        metrics=tuple(metric for _, metric in catalogue.of(experiment.design).values()),
        changes=tuple(
            Changed(time=one.time, actor=one.actor, change=one.change)
            for one in store.changes(experiment_id)
        ),
    )


def holdout(shop: Shop) -> Holdout:
    """The standing hold-out as it is now."""
    current = Holdouts(shop.database).current()
    if current is None:
        return _NOBODY
    return Holdout(share=current.share, since=current.time, by=current.actor, reason=current.reason)


def hold_out(shop: Shop, actor: str, share: float, reason: str) -> Holdout:
    """Another share of customers held out; a larger one keeps who was in it."""
    Holdouts(shop.database).set(actor, share, reason, secrets.token_hex(8))
    return holdout(shop)


def experiment_of(shop: Shop, stored: Stored) -> Experiment:
    """The stored experiment as operations tell it."""
    return Experiment(
        experiment_id=stored.experiment_id,
        status=stored.status,
        design=Design.model_validate(stored.design),
        created_by=stored.created_by,
        created_at=stored.created_at,
        started_at=stored.started_at,
        stopped_at=stored.stopped_at,
        stop_reason=stored.stop_reason,
        assigned=Experiments(shop.database).assigned(stored.experiment_id),
    )
