"""What benchmarks of recommendation share: peers on the same choices, and rows with paired intervals."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.harness import HERE, Row
from shopkeeper.core.types import Estimate
from shopkeeper.recommend.cases import Cases
from shopkeeper.recommend.history import Floats, Ints
from shopkeeper.recommend.mixture import Mask
from shopkeeper.stats import bootstrap

_PEERS = HERE / "peers"
_SEED = "0"


@dataclass(frozen=True)
class Asked:
    """Choices held back, and what may be shown: ``mask.excluded`` is told per query."""

    cases: Cases
    mask: Mask


def scripts(name: str) -> tuple[Path, ...]:
    """The files that what a peer says follows from."""
    return _PEERS / "protocol.py", _PEERS / name / "run.py"


def environment(name: str) -> Path:
    """The Python of a peer's environment, which is made where it is missing."""
    folder = _PEERS / name
    python = folder / ".venv" / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", folder / ".venv"], check=True)
        pip = [str(python), "-m", "pip", "install", "--quiet"]
        subprocess.run([*pip, "-r", str(folder / "requirements.txt")], check=True)
    return python


def peers(
    name: str, validation: Asked, test: Asked, told: Sequence[str]
) -> dict[str, tuple[Floats, str]]:
    """Ranks of the test's choices by the peers in ``bench/peers/<name>``, and how each was set.

    ``told`` is what its script is given besides: see there.
    """
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "cases.npz", Path(folder) / "ranks.json"
        learned = test.cases.learned
        sizes = {"customers": len(learned.customer_ids), "items": len(learned.item_ids)}
        asked: dict[str, Any] = {
            **sizes,
            **_side("validation", validation),
            **_side("test", test),
        }
        np.savez(source, **asked)
        subprocess.run(
            [environment(name), _PEERS / name / "run.py", source, target, _SEED, *told],
            check=True,
            env={**os.environ, "PYTHONPATH": str(_PEERS)},
        )
        answered = json.loads(target.read_text("utf-8"))
    return {
        peer: (
            np.array(found["ranks"]),
            f"{found['settings']}; {found['seconds']:.0f} s",
        )
        for peer, found in answered.items()
    }


def implicit(validation: Asked, test: Asked) -> dict[str, tuple[Floats, str]]:
    """`implicit`'s iALS and ItemKNN, of a size for shops."""
    return peers("implicit", validation, test, ("64", "128"))


def _side(name: str, asked: Asked) -> Mapping[str, Ints | Floats]:
    learned, queries = asked.cases.learned, asked.cases.queries
    barred = asked.mask.excluded
    assert barred is not None
    return {
        f"{name}.{key}": value
        for key, value in {
            "customer": learned.customer,
            "item": learned.item,
            "weight": learned.strength,
            "query": queries.query,
            "asked": queries.item,
            "fed": queries.strength,
            "chosen": asked.cases.chosen,
            "barred_query": np.repeat(np.arange(len(queries)), np.diff(barred.indptr)),
            "barred_item": barred.indices,
        }.items()
    }


def hit(rank: Floats) -> Floats:
    """1 where the choice is among the first ten."""
    return np.asarray(rank < 10, dtype=np.float64)


def ndcg(rank: Floats) -> Floats:
    """1 / log2(place + 1) where the choice is among the first ten."""
    return np.asarray(hit(rank) / np.log2(rank + 2))


def figures(
    data: str, whose: str, rank: Floats, note: str, of: Ints | None = None
) -> Iterator[Row]:
    """HR@10 and NDCG@10 with intervals by bootstrap of whole customers."""
    for measure, values in (("hr10", hit(rank)), ("ndcg10", ndcg(rank))):
        yield estimated(f"recommend.{data}.{measure}{whose}", values, note, of)


def estimated(name: str, values: Floats, note: str, of: Ints | None = None) -> Row:
    """The mean with its interval by bootstrap; ``of`` says whose each value is."""
    found = bootstrap.mean(values, of=of)
    assert isinstance(found, Estimate)
    value, low, high = (round(n, 5) for n in (found.value, found.low, found.high))
    return Row(name, value, low, high, "", f"{len(values):,} choices, 95 % by bootstrap; {note}")


def lossratio(name: str, ours: Floats, base: Floats, note: str) -> Row:
    """Log-loss as a share of another's, choices drawn in pairs; losses in nats."""
    random = np.random.default_rng(0)
    drawn = (random.integers(0, len(ours), len(ours)) for _ in range(1000))
    ratios = [float(ours[d].mean() / base[d].mean()) for d in drawn]
    low, high = (round(float(q), 4) for q in np.quantile(ratios, [0.025, 0.975]))
    value = round(float(ours.mean() / base.mean()), 4)
    return Row(name, value, low, high, "", f"{ours.mean():.3f} of {base.mean():.3f} nats; {note}")
