"""Experiments: errors, power and coverage of every rule by simulation; agreement with two engines; speed.

`ab.false_positive.<rule>.<looks>`: no effect, 5 % base rate, 20,000 customers an arm, 10,000 experiments.
`ab.power.<rule>`: +15 %, 14 looks. `ab.coverage.<metric>`: 2,000 experiments of each kind of measure.
`ab.oracle.max_rel_error`: against tea-tasting and gbstats on the same data, in an environment of their own.
`experiment.10m.seconds`: 10 million exposed customers, 20 measures. SHOPKEEPER_AB_SCALE makes all smaller.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from bench.harness import HERE, Row, write
from shopkeeper.core.schema import EVENTS
from shopkeeper.core.settings import Settings
from shopkeeper.experiments.catalogue import READY
from shopkeeper.experiments.operations import create, result, start
from shopkeeper.experiments.types import Design
from shopkeeper.shop import Shop
from shopkeeper.stats.anytime import Mixture
from shopkeeper.stats.binomial import lower, upper
from shopkeeper.stats.effects import Effect, Shape, effect
from shopkeeper.stats.moments import Moments
from shopkeeper.stats.stopping import RULES, Rule, Stopping
from shopkeeper.warehouse.arrow import arrow_schema

Floats = NDArray[np.float64]

SCALE = float(os.environ.get("SHOPKEEPER_AB_SCALE", "1"))
RUNS = int(10_000 * SCALE)
COVERED = int(2_000 * SCALE)
ASSIGNED = int(10_000_000 * SCALE)
ARM = 20_000
BASE = 0.05
LIFT = 0.15
LOOKS = (14, 200)
SEED = 20_251
NAIVE = "naive"
_PEER = HERE / "peers" / "ab"
_DAYS = 14
_FIRST = date(2025, 3, 1)


def main() -> None:
    """Measure everything and write bench/results/ab.json."""
    rows = [*_errors(), *_coverages(), _oracle(), _speed()]
    write("ab", rows, data="simulated", seeds=[SEED])


def _errors() -> Iterator[Row]:
    for looks in LOOKS:
        z, units = _simulated(looks, 0.0)
        for rule in (*RULES, NAIVE):
            yield _share(f"ab.false_positive.{rule}.{looks}", _stops(rule, z, units), "no effect")
    z, units = _simulated(14, LIFT, 4 * RUNS)
    for rule in RULES:
        yield _share(f"ab.power.{rule}", _stops(rule, z, units), f"+{LIFT:.0%}, 14 looks")


def _simulated(looks: int, lift: float, runs: int = RUNS) -> tuple[Floats, list[int]]:
    """Z of each experiment (rows) and look, from counts that add; and the units of both arms by look."""
    random = np.random.default_rng([SEED, looks, int(lift * 100)])
    edges = np.linspace(0, ARM, looks + 1).round().astype(int)
    sizes = np.diff(edges)
    hits = [
        random.binomial(sizes, p, (runs, looks)).cumsum(axis=1) for p in (BASE, BASE * (1 + lift))
    ]
    n = edges[1:]
    shares = [one / n for one in hits]
    error = np.sqrt(sum(p * (1 - p) / n for p in shares))
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.where(error > 0, (shares[1] - shares[0]) / error, 0.0)
    return z, [int(one) for one in 2 * n]


def _stops(rule: str, z: Floats, units: list[int]) -> NDArray[np.bool_]:
    """Which experiments the rule ends with a difference."""
    if rule == NAIVE:
        return np.asarray((np.abs(z) > 1.959964).any(axis=1))
    stopping = Stopping(_rule(rule), 2 * ARM)
    kept = list(stopping.counted(units))
    bounds = np.array(stopping.multipliers([units[i] for i in kept], 0.05))
    return np.asarray((np.abs(z[:, kept]) > bounds).any(axis=1))


def _rule(name: str) -> Rule:
    return next(rule for rule in RULES if rule == name)


def _share(name: str, hits: NDArray[np.bool_], note: str) -> Row:
    n, count = len(hits), int(hits.sum())
    low, high = lower(count, n, 0.025), upper(count, n, 0.025)
    return Row(
        name, round(count / n, 4), round(low, 4), round(high, 4), "share", f"{n} runs; {note}"
    )


def _arm(random: np.random.Generator, n: int, lift: float, kind: str) -> dict[str, Floats]:
    """Customers whose taste shows before and after; kinds of measures as `experiments` has them."""
    taste = random.gamma(2, 1, n)
    found: dict[str, Any] = {
        "a": random.poisson(3 * taste) * 1.0,
        "b": random.poisson(2 * taste) + 1.0,
    }
    if kind in ("proportion", "retention"):
        rate = (0.05 if kind == "proportion" else 0.3) * taste / 2
        return found | {"y": (random.random(n) < np.minimum(rate * (1 + lift), 1)) * 1.0}
    if kind.startswith("ratio"):
        x = random.poisson(2 * taste) + 1.0
        return found | {"x": x, "y": random.poisson(0.4 * (1 + lift) * x) * 1.0}
    return found | {"y": random.lognormal(1, 0.8, n) * taste * (1 + lift)}


_KINDS: dict[str, tuple[Shape, bool]] = {
    "mean": ("mean", False),
    "mean_cuped": ("mean", True),
    "proportion": ("proportion", False),
    "ratio": ("ratio", False),
    "ratio_cuped": ("ratio", True),
    "retention": ("proportion", False),
}


def _coverages() -> Iterator[Row]:
    """How often a 95 % interval of the difference holds the truth, which a large sample tells."""
    for number, (kind, (shape, adjusted)) in enumerate(_KINDS.items()):
        random = np.random.default_rng([SEED, number])
        truth = _truth(kind)
        inside = np.zeros(COVERED, bool)
        for run in range(COVERED):
            arms = [Moments.of(_arm(random, 2000, lift, kind)) for lift in (0.0, 0.1)]
            found = effect(arms[0], arms[1], shape, adjusted=adjusted)
            assert isinstance(found, Effect)
            half = found.error * found.fixed_multiplier(0.05)
            inside[run] = abs(found.value - truth) <= half
        yield _share(f"ab.coverage.{kind}", inside, "2,000 customers an arm, +10 %")


def _truth(kind: str) -> float:
    """The true difference of a kind, in closed form but for the cut of a chance at 1, which is counted."""
    if kind == "proportion" or kind == "retention":
        taste = np.random.default_rng(1).gamma(2, 1, 20_000_000)
        base = (0.05 if kind == "proportion" else 0.3) * taste / 2
        return float((np.minimum(1.1 * base, 1) - np.minimum(base, 1)).mean())
    if kind.startswith("ratio"):
        return 0.04
    return float(0.1 * 2 * np.exp(1 + 0.8**2 / 2))


def _oracle() -> Row:
    """The largest relative difference from what the two engines say."""
    random = np.random.default_rng(SEED)
    cases: list[dict[str, Any]] = []
    for kind in ("mean", "proportion", "ratio"):
        for adjusted in (False, True):
            for sizes in ((3000, 2600), (400, 5000)):
                arms = [
                    _arm(random, n, lift, kind) for n, lift in zip(sizes, (0, 0.1), strict=True)
                ]
                cases.append(
                    {"shape": kind, "adjusted": adjusted, "control": arms[0], "treatment": arms[1]}
                )
    worst = 0.0
    for case, told in zip(cases, _told(cases), strict=True):
        found = effect(
            Moments.of(case["control"]),
            Moments.of(case["treatment"]),
            case["shape"],
            adjusted=case["adjusted"],
        )
        assert isinstance(found, Effect)
        ours = _figures(found)
        for figures in told.values():
            worst = max(worst, *(abs(ours[key] / value - 1) for key, value in figures.items()))
    note = f"{len(cases)} cases; value, error, interval, p, relative, sequential interval"
    return Row("ab.oracle.max_rel_error", worst, worst, worst, "", note)


def _figures(found: Effect) -> dict[str, float]:
    half = found.error * found.fixed_multiplier(0.05)
    wide = found.error * Mixture.plain(20_000, 0.05).bound(found.n)
    return {
        "absolute.value": found.value,
        "absolute.error": found.error,
        "absolute.low": found.value - half,
        "absolute.high": found.value + half,
        "p_value": found.p_value,
        "relative.value": found.relative,
        "relative.error": found.relative_error,
        "anytime.low": found.value - wide,
        "anytime.high": found.value + wide,
    }


def _told(cases: list[dict[str, Any]]) -> list[dict[str, dict[str, float]]]:
    plain = [
        case
        | {
            side: {k: v.tolist() for k, v in case[side].items()}
            for side in ("control", "treatment")
        }
        for case in cases
    ]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "cases.json"
        file.write_text(json.dumps({"cases": plain}), "utf-8")
        done = subprocess.run(
            [_environment(), _PEER / "run.py", file], check=True, capture_output=True, text=True
        )
    replies: list[dict[str, dict[str, float]]] = json.loads(done.stdout)
    return replies


def _environment() -> Path:
    """The Python of the peers' environment, which is made where it is missing."""
    python = _PEER / ".venv" / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", _PEER / ".venv"], check=True)
        pip = [str(python), "-m", "pip", "install", "--quiet"]
        subprocess.run([*pip, "-r", str(_PEER / "requirements.txt")], check=True)
    return python


def _speed() -> Row:
    """From events to the result with nothing kept; the note says how long a second look takes."""
    metrics = tuple(
        metric.model_copy(update={"name": f"{name}_{before}", "days": 7, "before_days": before})
        for before in (28, 0)
        for name, metric in READY.items()
        if name != "retention"
    )[:20]
    names = [metric.name for metric in metrics]
    design = Design(
        name="large", units=ASSIGNED, primary=names[0], guardrails=(), secondary=tuple(names[1:]),
        metrics=metrics, rule="anytime",
    )  # fmt: skip
    now = datetime(2025, 5, 1, tzinfo=UTC)
    with tempfile.TemporaryDirectory() as folder:
        Shop.create(Path(folder) / "shop", Settings(time_zone="UTC", memory_mb=6000)).close()
        with Shop.open(Path(folder) / "shop", now=lambda: now) as shop:
            with shop.writer("bench") as writer:
                rows = writer.load("events", _events(), check_duplicates=False).new
            create(shop, "large", design)
            begun: Callable[..., datetime] = lambda _c: datetime(2025, 3, 1, tzinfo=UTC)  # noqa: E731
            shop.database.now = begun  # type: ignore[method-assign]
            start(shop, "large")
            started = time.perf_counter()
            reply = result(shop, "large")
            seconds = time.perf_counter() - started
            again = time.perf_counter()
            result(shop, "large")
            again = time.perf_counter() - again
    assert sum(arm.counted for arm in reply.arms) == ASSIGNED, reply.arms
    note = f"{ASSIGNED:,} customers, {rows:,} events, 20 measures; kept sums: {again:.2f} s"
    return Row.of("experiment.10m.seconds", [seconds], "s", note)


def _events() -> Iterator[pa.RecordBatch]:
    """Exposures over two weeks, half of each arm, and what one customer in five did after and before."""
    schema = arrow_schema(EVENTS)
    random = np.random.default_rng(SEED)
    per_day = ASSIGNED // _DAYS
    spare = ASSIGNED - per_day * _DAYS
    first, number = 0, 0
    for day in range(_DAYS):
        count = per_day + (spare if day == _DAYS - 1 else 0)
        ids = pa.array(np.arange(first, first + count)).cast(pa.string())
        variant = pa.array(["control", "treatment"]).take(pa.array(random.integers(0, 2, count)))
        fixed = {"name": "experiment_viewed", "experiment_id": "large", "propensity": 0.5}
        yield _batch(schema, number, day, random, {"user_id": ids, "variant_id": variant}, fixed)
        number += count
        first += count
    for day in range(-7, _DAYS + 7):
        for name, share in (("view_item", 0.02), ("begin_checkout", 0.005), ("purchase", 0.004)):
            count = int(ASSIGNED * share)
            who = random.integers(0, ASSIGNED, count)
            value = pa.array(random.lognormal(3, 1, count))
            orders = pa.array(np.arange(number, number + count)).cast(pa.string())
            columns = {
                "user_id": pa.array(who).cast(pa.string()),
                "value": value,
                "order_id": orders,
            }
            yield _batch(schema, number, day, random, columns, {"name": name, "quantity": 1.0})
            number += count


def _batch(
    schema: pa.Schema,
    number: int,
    day: int,
    random: np.random.Generator,
    columns: dict[str, pa.Array],
    fixed: dict[str, Any],
) -> pa.RecordBatch:
    count = len(columns["user_id"])
    at = _FIRST + timedelta(days=day)
    midnight = int(datetime(at.year, at.month, at.day, tzinfo=UTC).timestamp() * 1e6)
    times = pa.array(np.sort(midnight + random.integers(0, 86_400_000_000, count)))
    stamps = times.cast(pa.timestamp("us")).cast(schema.field("time").type)
    event_ids = pa.array(np.arange(number, number + count)).cast(pa.string())
    given = {"event_id": event_ids, "time": stamps, "received_at": stamps, **columns}
    given["day"] = pa.array([at] * count, schema.field("day").type)
    values = []
    for field in schema:
        if field.name in given:
            values.append(given[field.name].cast(field.type))
        elif field.name in fixed:
            values.append(pa.array([fixed[field.name]] * count, field.type))
        elif field.name == "source":
            values.append(pa.array(["bench"] * count, field.type))
        else:
            values.append(pa.nulls(count, field.type))
    return pa.RecordBatch.from_arrays(values, schema=schema)


if __name__ == "__main__":
    main()
