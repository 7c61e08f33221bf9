"""Which variant a unit gets: by a hash, so that every process says the same, and kept once it was given.

A *layer* has 10,000 buckets; each running experiment has some of them, so experiments of one layer never
meet in a unit, and experiments of different layers, whose salts differ, are independent. Within an
experiment a second hash chooses the variant. The standing hold-out stands before all of it. What was
given is kept in the store, and stands in the log of decisions with its probability.
Source: Tang, Agarwal, O'Brien and Meyer, *Overlapping Experiment Infrastructure*, KDD 2010.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

import orjson

from shopkeeper.core.events import EXPERIMENT_VIEWED
from shopkeeper.decisions.log import Choice, Decision, record
from shopkeeper.shop.shop import Shop
from shopkeeper.store.assignments import Assignments, Given, Holdouts
from shopkeeper.store.experiments import SLOTS, Stored
from shopkeeper.store.log import Entry

Why = Literal["assigned", "kept", "held_out", "outside_traffic", "outside_audience", "not_running"]

EXPERIMENT: Final = "experiment"
"""The kind of decision that an assignment is."""

_WHOLE: Final = 1 << 64


@dataclass(frozen=True)
class Arm:
    """A variant and the share of the experiment's units that get it."""

    variant_id: str
    share: float


@dataclass(frozen=True)
class Drawn:
    """What a unit gets: a variant with its probability, or none, and why."""

    unit_id: str
    variant_id: str | None
    propensity: float | None
    why: Why


def position(salt: str, unit_id: str) -> float:
    """Where a unit lies between 0 and 1 under a salt: uniform over units, independent between salts."""
    digest = hashlib.blake2b(f"{salt}\0{unit_id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) / _WHOLE


def bucket(layer: str, unit_id: str) -> int:
    """The unit's bucket of a layer, 0 to 9,999."""
    return int(position(f"layer:{layer}", unit_id) * SLOTS)


def choose(salt: str, arms: Sequence[Arm], unit_id: str) -> Arm:
    """The arm that the hash gives a unit; shares are taken in proportion to their sum."""
    at = position(salt, unit_id) * sum(arm.share for arm in arms)
    for arm in arms:
        at -= arm.share
        if at < 0 and arm.share > 0:
            return arm
    return next(arm for arm in reversed(arms) if arm.share > 0)


def held_out(salt: str, share: float, unit_id: str) -> bool:
    """Whether a unit is in a hold-out of that share; a larger share keeps who was in a smaller one."""
    return position(f"holdout:{salt}", unit_id) < share


class Draw:
    """Draws units of one experiment; made anew when the experiment or the hold-out has changed."""

    def __init__(self, shop: Shop, experiment: Stored, arms: Sequence[Arm]) -> None:
        self._shop = shop
        self._experiment = experiment
        self._arms = tuple(arms)
        self._whole = sum(arm.share for arm in arms)
        self._holdout = Holdouts(shop.database).current()
        self._assignments = Assignments(shop.database)

    def of(self, unit_ids: Sequence[str], audience: Collection[str] | None = None) -> list[Drawn]:
        """What each unit gets, in order; what is new is kept durably before this returns.

        ``audience`` are the units that are meant; None: all. Who has a variant already keeps it, also
        outside the present audience, traffic and shares; only the hold-out goes before.
        """
        known = self._assignments.known(self._experiment.experiment_id, set(unit_ids))
        drawn = {unit: self._one(unit, known.get(unit), audience) for unit in unit_ids}
        new = [one for one in drawn.values() if one.why == "assigned"]
        if new:
            self._keep(new)
        return [drawn[unit] for unit in unit_ids]

    def _one(self, unit: str, known: Given | None, audience: Collection[str] | None) -> Drawn:
        hold = self._holdout
        if hold is not None and held_out(hold.salt, hold.share, unit):
            return Drawn(unit, None, None, "held_out")
        if known is not None:
            return Drawn(unit, known.variant_id, known.propensity, "kept")
        if self._experiment.status != "running":
            return Drawn(unit, None, None, "not_running")
        at = bucket(self._experiment.layer, unit)
        if not any(low <= at < high for low, high in self._experiment.slots):
            return Drawn(unit, None, None, "outside_traffic")
        if audience is not None and unit not in audience:
            return Drawn(unit, None, None, "outside_audience")
        arm = choose(self._experiment.salt, self._arms, unit)
        return Drawn(unit, arm.variant_id, arm.share / self._whole, "assigned")

    def _keep(self, new: Sequence[Drawn]) -> None:
        now = self._shop.now()
        experiment_id = self._experiment.experiment_id
        self._assignments.add(
            [
                Given(experiment_id, one.unit_id, one.variant_id, one.propensity, now)
                for one in new
                if one.variant_id is not None and one.propensity is not None
            ]
        )
        # Recorded twice, by processes that drew the same at once, it counts once: the id says what it is.
        record(self._shop, [self._decision(one, now) for one in new])

    def _decision(self, one: Drawn, now: datetime) -> Decision:
        shares = {arm.variant_id: arm.share / self._whole for arm in self._arms}
        known = f"{self._experiment.salt}\0{one.unit_id}".encode()
        return Decision(
            decision_id=hashlib.blake2b(known, digest_size=16).hexdigest(),
            time=now,
            customer_id=one.unit_id,
            kind=EXPERIMENT,
            choices=(Choice(str(one.variant_id), float(one.propensity or 0.0), shares),),
            policy=self._experiment.experiment_id,
            context={"layer": self._experiment.layer},
            personalised=False,
        )


def expose(shop: Shop, experiment_id: str, drawn: Sequence[Drawn], at: datetime) -> int:
    """Record that these units saw their variant: an event each, apart from the assignment; how many.

    Units without a variant are left out. An exposure that is repeated is one more event; analyses
    take each unit's first.
    """
    seen = [one for one in drawn if one.variant_id is not None]
    entries = [_exposure(shop, experiment_id, one, at) for one in seen]
    if entries:
        shop.log.append([entries])
    return len(entries)


def _exposure(shop: Shop, experiment_id: str, one: Drawn, at: datetime) -> Entry:
    event_id = uuid.uuid4().hex
    now = shop.now()
    row = {
        "event_id": event_id,
        "user_id": one.unit_id,
        "name": EXPERIMENT_VIEWED,
        "time": _microseconds(at),
        "received_at": _microseconds(now),
        "day": at.astimezone(shop.settings.zone).date().isoformat(),
        "experiment_id": experiment_id,
        "variant_id": one.variant_id,
        "propensity": one.propensity,
        "source": "experiments",
    }
    return Entry(event_id, one.unit_id, "", now, "events", orjson.dumps(row))


def _microseconds(at: datetime) -> int:
    return round(at.timestamp() * 1_000_000)
