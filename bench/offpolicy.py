"""Off-policy estimators on logs whose truth is known: a simulated one, and open-bandit's two policies.

`open-bandit`: what a uniform policy would have earned is asked of Thompson sampling's log, and what Thompson
sampling would have of the uniform one's (its chances by item and place taken from its own log); what
each really earned is in the note. The samples are small (46 to 69 clicks a file): they test the plumbing
and the effective sample size, not the ranking of estimators.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.harness import DATA, Row, write
from shopkeeper.core.types import Estimate
from shopkeeper.recommend.history import Floats, Ints
from shopkeeper.stats import offpolicy

REPEATS, ROWS, ARMS = 300, 2000, 8
SEEDS = (0, 1, 2)
_PRIOR = 20.0


def main() -> None:
    """Measure and record."""
    rows = [row for seed in SEEDS for row in _simulated(seed)]
    merged = {row.id: [one.value for one in rows if one.id == row.id] for row in rows}
    told = [Row.of(name, values, "share", "nominal .95") for name, values in merged.items()]
    data = []
    for who in ("men", "women"):
        if (DATA / "open-bandit" / "random" / who).exists():
            told += _real(who)
            data.append(f"open-bandit/{who}")
    write("offpolicy", told, seeds=SEEDS, data=", ".join(["simulated", *data]))


def _simulated(seed: int) -> list[Row]:
    """How often the 95 % interval covers the truth, by estimator, where units choose several times."""
    chance = np.random.default_rng(seed)
    hits: dict[str, list[bool]] = {}
    for _ in range(REPEATS):
        log, truth = _world(chance)
        for name, found in offpolicy.estimates(log).items():
            if isinstance(found, Estimate):
                hits.setdefault(name, []).append(found.low <= truth <= found.high)
    return [
        Row(f"decisions.simulated.coverage.{name}", float(np.mean(seen)), 0.0, 0.0, "share")
        for name, seen in hits.items()
    ]


def _world(chance: np.random.Generator) -> tuple[offpolicy.Log, float]:
    """Five choices of each of some units, whose taste raises all their rewards; and a policy's truth."""
    rate = np.linspace(0.02, 0.3, ARMS)
    logging = np.linspace(3.0, 1.0, ARMS)
    logging /= logging.sum()
    target = np.linspace(1.0, 3.0, ARMS)
    target /= target.sum()
    unit = np.repeat(np.arange(ROWS // 5), 5)
    taste = chance.uniform(0.5, 1.5, ROWS // 5)[unit]
    chosen = chance.choice(ARMS, ROWS, p=logging)
    reward = (chance.random(ROWS) < rate[chosen] * taste).astype(float)
    wrong = np.full(ARMS, 0.1)  # a poor model: doubly robust must not need a good one
    log = offpolicy.Log(
        reward,
        logging[chosen],
        target[chosen],
        wrong[chosen],
        np.full(ROWS, float(target @ wrong)),
        unit,
    )
    return log, float(target @ rate)


@dataclass(frozen=True)
class _Log:
    """A file of open-bandit."""

    item: Ints
    place: Ints
    click: Floats
    propensity: Floats


def _real(who: str) -> list[Row]:
    uniform, thompson = (_read(policy, who) for policy in ("random", "bts"))
    items = int(max(uniform.item.max(), thompson.item.max())) + 1
    places = int(max(uniform.place.max(), thompson.place.max())) + 1
    even = np.full((items, places), 1 / len(np.unique(uniform.item)))
    counts = np.zeros((items, places))
    np.add.at(counts, (thompson.item, thompson.place), 1)
    learned = counts / counts.sum(axis=0)
    return [
        *_asked(f"decisions.open_bandit.{who}.uniform", thompson, even, uniform),
        *_asked(f"decisions.open_bandit.{who}.thompson", uniform, learned, thompson),
    ]


def _asked(name: str, log: _Log, target: Floats, truth: _Log) -> list[Row]:
    """All estimators of a policy (items x places) from another's log."""
    guesses = _guesses(log, len(target))
    expected = (target[:, :, None] * guesses[:, None, :]).sum(axis=0)
    half = np.arange(len(log.item)) % 2
    asked = offpolicy.Log(
        log.click,
        log.propensity,
        target[log.item, log.place],
        guesses[log.item, half],
        expected[log.place, half],
    )
    real = float(truth.click.mean())
    error = 1.96 * float(truth.click.std(ddof=1)) / len(truth.click) ** 0.5
    note = f"really {real:.4f} ± {error:.4f}; effective {asked.effective:.0f} of {len(log.click)}"
    rows = [
        Row(f"{name}.truth", round(real, 5), real - error, real + error, "clicks a place"),
        Row(f"{name}.effective", round(asked.effective, 1), 0, len(log.click), "places"),
    ]
    for estimator, found in offpolicy.estimates(asked).items():
        if isinstance(found, Estimate):  # where it cannot be said there is no row
            low, high = round(found.low, 5), round(found.high, 5)
            value = round(found.value, 5)
            rows.append(Row(f"{name}.{estimator}", value, low, high, "clicks a place", note))
    return rows


def _guesses(log: _Log, items: int) -> Floats:
    """(items x halves): each item's rate by the other half of the rows, drawn towards the mean."""
    half = np.arange(len(log.item)) % 2
    columns = []
    for own in (0, 1):
        other = half != own
        clicks = np.bincount(log.item[other], log.click[other], items)
        seen = np.bincount(log.item[other], minlength=items)
        columns.append((clicks + _PRIOR * log.click[other].mean()) / (seen + _PRIOR))
    return np.stack(columns, axis=1)


def _read(policy: str, who: str) -> _Log:
    path: Path = DATA / "open-bandit" / policy / who / f"{who}.csv"
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return _Log(
        np.array([int(row["item_id"]) for row in rows]),
        np.array([int(row["position"]) - 1 for row in rows]),
        np.array([float(row["click"]) for row in rows]),
        np.array([float(row["propensity_score"]) for row in rows]),
    )


if __name__ == "__main__":
    main()
