"""Names of clusters from what separates them, and ids that stay from run to run."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from shopkeeper.core.settings import Language
from shopkeeper.core.types import Reason

Array = NDArray[np.float64]

_TELLING = 2
_CLEAR = 0.5  # deviations: less is not what sets a cluster apart
_NEAR = (
    0.5  # of the mean distance between new centres: a centre that moved less is the same cluster
)


def telling(
    centres: Array, sizes: NDArray[np.int64], spread: Array
) -> list[list[tuple[int, float]]]:
    """For each cluster the columns that set it most apart from the others, and by how many deviations.

    What is more than elsewhere comes first: a taste is named by what is liked, not by what is not.
    """
    found = []
    for one in range(len(centres)):
        rest = np.delete(np.arange(len(centres)), one)
        others = np.average(centres[rest], axis=0, weights=sizes[rest])
        apart = (centres[one] - others) / np.maximum(spread, 1e-9)
        order = sorted(range(len(apart)), key=lambda n: -(apart[n] * (1.5 if apart[n] > 0 else -1)))
        best = [(n, float(apart[n])) for n in order[:_TELLING]]
        found.append([best[0], *(one for one in best[1:] if abs(one[1]) >= _CLEAR)])
    return found


def kept_ids(centres: Array, before: Array | None, ids: Sequence[int], last: int) -> list[int]:
    """An id for each centre: that of the former centre it stands nearest to, or the next after ``last``."""
    following = max([last, *ids]) + 1
    if before is None or before.shape[1:] != centres.shape[1:] or not len(before):
        return list(range(following, following + len(centres)))
    far = np.sqrt(((centres[:, None] - before[None]) ** 2).sum(axis=2))
    among = np.sqrt(((centres[:, None] - centres[None]) ** 2).sum(axis=2))
    near = _NEAR * among[np.triu_indices(len(centres), 1)].mean()
    found: dict[int, int] = {}
    for new, old in zip(*linear_sum_assignment(far), strict=True):
        if far[new, old] <= near:
            found[int(new)] = ids[int(old)]
    answer = []
    for one in range(len(centres)):
        if one not in found:
            found[one] = following
            following += 1
        answer.append(found[one])
    return answer


def name(by: str, told: Sequence[tuple[str, float]], lang: Language) -> str:
    """The cluster's name of what sets it apart: names of columns with deviations."""
    words = _words()[by]
    if by == "tastes":
        liked = [column for column, apart in told if apart > 0] or [told[0][0]]
        joined = words["and"][lang].join(column.split(" > ")[-1] for column in liked)
        return str(words["likes"][lang].format(what=joined))
    parts = [words[column]["more" if apart > 0 else "less"][lang] for column, apart in told]
    joined = words["and"][lang].join(parts)
    return str(joined[:1].upper() + joined[1:])


def reasons(
    by: str, told: Sequence[tuple[str, float]], values: Sequence[float], lang: Language
) -> tuple[Reason, ...]:
    """Why this is a cluster: its mean in each of the columns that set it apart."""
    words = _words()[by]
    found = []
    for (column, apart), value in zip(told, values, strict=True):
        pattern = words["share"] if by == "tastes" else words[column]["reason"]
        said = f"{value:.0%}" if by == "tastes" or column == "refunds" else f"{value:,.1f}"
        text = pattern[lang].format(what=column.split(" > ")[-1], value=said)
        code = f"cluster.{'taste' if by == 'tastes' else column}"
        found.append(Reason(code=code, text=text, weight=apart, evidence={column: round(value, 4)}))
    return tuple(found)


@cache
def _words() -> dict[str, Any]:
    text = files("shopkeeper.customers.clusters").joinpath("words.toml").read_text("utf-8")
    return tomllib.loads(text)
