"""What changes as days go by: who is still a customer, who signed up, who bought what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from shopkeeper.simulate.calendar import DAY_US, Clock
from shopkeeper.simulate.chance import stream
from shopkeeper.simulate.population import Population

NEVER: Final = np.iinfo(np.int64).max
_RESIDUE = 0.12  # of the visits before: people look in for a while after they have left
_FADE = 40.0  # days


@dataclass
class State:
    """Arrays over customers. ``left_at``, ``known_at`` and ``linked_at`` are NEVER until they happen."""

    left_at: NDArray[np.int64]
    known_at: NDArray[np.int64]
    linked_at: NDArray[np.int64]
    visits: NDArray[np.int32]
    orders: NDArray[np.int32]
    last_item: NDArray[np.int16]

    @property
    def alive(self) -> NDArray[np.bool_]:
        return np.asarray(self.left_at == NEVER)

    def activity(self, people: Population, number: int, midnight: int) -> NDArray[np.float64]:
        """Each customer's readiness to visit on a day: 1 while active, fading after leaving."""
        ready = (people.arrival <= number).astype(np.float64)
        gone = np.flatnonzero(self.left_at != NEVER)
        since = (midnight - self.left_at[gone]) / DAY_US
        ready[gone] *= _RESIDUE * np.exp(-since / _FADE)
        return ready


def beginning(people: Population, clock: Clock, seed: int, categories: int) -> State:
    """The state on the first morning: older customers are known, on their usual device."""
    count = people.count
    random = stream(seed, "beginning")
    old = people.arrival < 0
    hour = (random.random(count) * DAY_US).astype(np.int64)
    known = np.where(
        old, clock.midnights[0] + people.arrival.astype(np.int64) * DAY_US + hour, NEVER
    )
    linked = np.full((count, 3), NEVER)
    linked[np.flatnonzero(old), people.device[old]] = known[old]
    return State(
        left_at=np.full(count, NEVER),
        known_at=known,
        linked_at=linked,
        visits=np.where(old, 2, 0).astype(np.int32),
        orders=np.zeros(count, np.int32),
        last_item=np.full((count, categories), -1, np.int16),
    )
