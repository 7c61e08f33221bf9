"""A version in an experiment: who has its variant gets its lists, everybody else those of what serves.

Who has which variant is drawn and kept by :mod:`shopkeeper.decisions.assignment`, so that the experiment's
own analysis judges the version. When the experiment stops, or the version is taken back, the version that
serves makes everybody's lists again: from the next request on for the latter, within half a second for the
former.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from weakref import WeakKeyDictionary

from shopkeeper.core.errors import Conflict, NotFound, UnknownName
from shopkeeper.decisions.assignment import Arm, Draw, Drawn
from shopkeeper.recommend.registry import Staged
from shopkeeper.shop.shop import Shop
from shopkeeper.store.assignments import Assignments
from shopkeeper.store.experiments import Experiments, Stored

_FRESH: Final = 0.5
"""Seconds for which an experiment's state is taken as read."""


@dataclass(frozen=True)
class _Trial:
    experiment: Stored | None
    draw: Draw | None
    until: float


_trials: WeakKeyDictionary[Shop, dict[str, _Trial]] = WeakKeyDictionary()


def drawn(shop: Shop, staged: Staged, customer_id: str, *, assign: bool) -> Drawn | None:
    """The customer's variant; None: the experiment does not run, or does not touch them.

    With ``assign`` one without a variant is drawn one, durably; without, nothing is written.
    """
    found = _trial(shop, staged.experiment_id)
    if found.experiment is None or found.draw is None:
        return None
    if assign:
        one = found.draw.of([customer_id])[0]
        return one if one.variant_id is not None else None
    given = Assignments(shop.database).known(staged.experiment_id, [customer_id]).get(customer_id)
    if given is None:
        return None
    return Drawn(customer_id, given.variant_id, given.propensity, "kept")


def check(shop: Shop, experiment_id: str, variant_id: str) -> None:
    """Whether a version can be tried so.

    Raises:
        NotFound: there is no such experiment.
        UnknownName: it has no such variant.
        Conflict: it is over, or it is limited to a segment, which a list cannot ask for in time.
    """
    stored = Experiments(shop.database).get(experiment_id)
    names = [arm.variant_id for arm in _arms(stored.design)]
    if variant_id not in names:
        raise UnknownName("variant", variant_id, names, field="variant_id")
    if stored.status == "stopped":
        raise Conflict(
            f"{experiment_id!r} is over.", hint="Create a new one.", field="experiment_id"
        )
    if stored.design.get("segment"):
        raise Conflict(
            f"{experiment_id!r} is limited to a segment.",
            hint="Try a version in an experiment of all customers.",
            field="experiment_id",
        )


def _trial(shop: Shop, experiment_id: str) -> _Trial:
    now, known = time.monotonic(), _trials.setdefault(shop, {})
    found = known.get(experiment_id)
    if found is None or found.until < now:
        found = known[experiment_id] = _read(shop, experiment_id, now + _FRESH)
    return found


def _read(shop: Shop, experiment_id: str, until: float) -> _Trial:
    try:
        stored = Experiments(shop.database).get(experiment_id)
    except NotFound:
        return _Trial(None, None, until)
    if stored.status != "running":
        return _Trial(None, None, until)
    return _Trial(stored, Draw(shop, stored, _arms(stored.design)), until)


def _arms(design: Mapping[str, Any]) -> list[Arm]:
    return [Arm(str(one["variant_id"]), float(one["share"])) for one in design["variants"]]
