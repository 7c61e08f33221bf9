"""Recommend: the mixture on Amazon Beauty and Sports and on Online Retail beside its peers; its speed.

Amazon: leave one out, full ranking, seen items masked, ties at their mean. Weights and sharpness are fitted
on the item before the last, by models that have not seen it; then the closed forms are fitted again on
everything but the last item, which is the test. The transformer, where PyTorch is installed, is not
fitted again. The files have no times, so recent popularity is popularity. Online Retail has: it is
split by week.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench._recommend_data import Choices, amazon, online_retail
from bench.harness import HERE, Row, write
from shopkeeper.core import discovery
from shopkeeper.core.types import Estimate
from shopkeeper.recommend.cases import Cases, last_choices, owned
from shopkeeper.recommend.evaluation import by_week
from shopkeeper.recommend.heads.base import FittedHead, Head, Queries
from shopkeeper.recommend.heads.popular import Popular
from shopkeeper.recommend.history import Floats, History
from shopkeeper.recommend.linear import DENSE
from shopkeeper.recommend.mixture import BUCKETS, Mask, Mixture, fit
from shopkeeper.recommend.picking import pick
from shopkeeper.recommend.ranking import Ranked, best, ranked
from shopkeeper.recommend.types import Protocol
from shopkeeper.stats import bootstrap

SETS = ("beauty", "sports")
VALIDATED = 10_000  # validation choices that weights are fitted on
ASKED = 2_000  # requests timed
WEEKS = 4  # of Online Retail
_DATA = "Amazon Beauty and Sports (5-core), last item of each customer; Online Retail, weekly"
_ALWAYS = 36_500.0  # days: no choice of these files is older than another
_LEFT_OUT = frozenset({"repeat", "sequence"})  # nobody reviews twice; the transformer comes apart
_PEER = HERE / "peers" / "implicit"


@dataclass(frozen=True)
class Trial:
    """A data set measured: the mixture fitted for its test, with what it was asked."""

    choices: Choices
    mixture: Mixture
    test: Cases
    mask: Mask
    seconds: float


def main() -> None:
    """Measure every data set; then, on the first, what a request and a batch cost."""
    rows: list[Row] = []
    for name in SETS:
        trial = _trial(amazon(name))
        rows += _quality(trial)
        if name == SETS[0]:
            rows += [*_request(trial), *_batch(trial)]
        rows += _peers(trial.choices)
        del trial  # dense squares of 18,000 items: one set at a time
    rows += _weekly(online_retail())
    for row in rows:
        print(row)
    write("recommend", rows, data=_DATA)


def _trial(choices: Choices) -> Trial:
    test = last_choices(choices.history)
    validation = last_choices(test.learned, VALIDATED)
    trained = _trained(choices, validation)
    heads = {**_fitted(choices, validation.learned), **trained}
    weighed = fit(heads, validation.queries, validation.chosen, _mask(choices, validation.queries))
    _tell(choices.name, weighed)
    del heads
    started = time.process_time()
    heads = {**_fitted(choices, test.learned), **trained}
    seconds = time.process_time() - started
    mixture = Mixture(heads, weighed.sharpness, weighed.weights)
    return Trial(choices, mixture, test, _mask(choices, test.queries), seconds)


def _heads() -> dict[str, Head]:
    """The closed forms by name, the one that covers everything first."""
    names = [n for n in discovery.names("shopkeeper.recommend.heads") if n not in _LEFT_OUT]
    made: dict[str, Head] = {"popular": Popular(half_life_days=_ALWAYS)}
    for name in names:
        if name != "popular":
            made[name] = discovery.load("shopkeeper.recommend.heads", name, what="head").HEAD()
    return made


def _fitted(choices: Choices, history: History) -> dict[str, FittedHead]:
    return {name: head.fit(history, choices.goods) for name, head in _heads().items()}


def _trained(choices: Choices, validation: Cases) -> Mapping[str, FittedHead]:
    if importlib.util.find_spec("torch") is None:
        return {}
    head = discovery.load("shopkeeper.recommend.heads", "sequence", what="head").HEAD()
    return {"sequence": head.fit(validation.learned, choices.goods)}


def _mask(choices: Choices, queries: Queries) -> Mask:
    size = len(choices.history.item_ids)
    return Mask(np.ones(size, dtype=bool), owned(queries, np.zeros(size, dtype=bool)))


def _tell(name: str, weighed: Mixture) -> None:
    for place, head in enumerate(weighed.heads):
        by_length = " ".join(f"{share:.2f}" for share in weighed.weights[:, place])
        print(f"{name}: {head} sharpness {weighed.sharpness[head]} weights {by_length}", flush=True)


def _quality(trial: Trial) -> Iterator[Row]:
    name, queries, chosen = trial.choices.name, trial.test.queries, trial.test.chosen
    popular = Mixture({"popular": trial.mixture.heads["popular"]}, {"popular": 1.0}, _alone())
    ours, base = (ranked(m, queries, chosen, trial.mask) for m in (trial.mixture, popular))
    note = ", ".join(trial.mixture.heads)
    yield from _figures(name, "", ours.hit, ours.ndcg, note)
    yield from _figures(name, ".popular", base.hit, base.ndcg, "of all time: the file has no times")
    yield _ratio(name, ours, base)
    yield Row.of(
        f"recommend.{name}.fit_linear_s",
        [trial.seconds],
        "s",
        f"CPU; {len(trial.choices.history.item_ids):,} items, all heads but the transformer, "
        f"closed forms over at most {DENSE:,} items",
    )


def _weekly(choices: Choices) -> Iterator[Row]:
    """A split by time: each customer's first purchase in each of the last weeks, repeats allowed."""
    found = by_week(choices.history, choices.goods, WEEKS, VALIDATED, lambda _: None)
    assert isinstance(found, Protocol)
    note = (
        f"{found.cases:,} choices of {WEEKS} weeks, {found.left_out} left out: owned, not rebought"
    )
    for score in found.scores:
        whose = "" if score.model == "mixture" else f".{score.model}"
        for measure, figure in (("hr10", score.hr10), ("ndcg10", score.ndcg10)):
            assert isinstance(figure, Estimate)
            value, low, high = (round(n, 5) for n in (figure.value, figure.low, figure.high))
            yield Row(f"recommend.{choices.name}.{measure}{whose}", value, low, high, "", note)
    ratio = found.gain.log_loss_ratio
    against = "of the lesser loss of two popularities: in 7 days, by a half-life of 30"
    yield Row(f"recommend.{choices.name}.logloss_ratio", ratio, ratio, ratio, "", against)


def _figures(name: str, whose: str, hit: Floats, ndcg: Floats, note: str) -> Iterator[Row]:
    for measure, values in (("hr10", hit), ("ndcg10", ndcg)):
        yield _row(f"recommend.{name}.{measure}{whose}", values, note)


def _row(name: str, values: Floats, note: str) -> Row:
    found = bootstrap.mean(values)
    assert isinstance(found, Estimate)
    value, low, high = (round(n, 5) for n in (found.value, found.low, found.high))
    return Row(name, value, low, high, "", f"{found.n:,} customers, 95 % by bootstrap; {note}")


def _ratio(name: str, ours: Ranked, base: Ranked) -> Row:
    random = np.random.default_rng(0)
    size = len(ours.loss)
    drawn = [random.integers(0, size, size) for _ in range(1000)]
    ratios = [float(ours.loss[d].mean() / base.loss[d].mean()) for d in drawn]
    low, high = (round(float(q), 4) for q in np.quantile(ratios, [0.025, 0.975]))
    value = round(float(ours.loss.mean() / base.loss.mean()), 4)
    note = f"{ours.loss.mean():.3f} of popularity's {base.loss.mean():.3f} nats"
    return Row(f"recommend.{name}.logloss_ratio", value, low, high, "", note)


def _request(trial: Trial) -> Iterator[Row]:
    """One customer after the other: all heads, what is owned masked, the ten likeliest and why."""
    size = len(trial.choices.history.item_ids)
    times = []
    for place in range(min(ASKED, len(trial.test.queries))):
        query = trial.test.queries.part(place, place + 1)
        started = time.perf_counter()
        mask = Mask(trial.mask.offered, owned(query, np.zeros(size, dtype=bool)))
        pick(trial.mixture, query, mask, 10)
        times.append((time.perf_counter() - started) * 1000)
    p99 = float(np.quantile(times, 0.99))
    note = f"{len(times):,} requests, median {np.median(times):.2f} ms; with what reasons rest on"
    yield Row(
        "recommend.request.12k.p99_ms",
        round(p99, 2),
        round(min(times), 2),
        round(max(times), 2),
        "ms",
        note,
    )


def _batch(trial: Trial) -> Iterator[Row]:
    runs = []
    for _ in range(3):
        started = time.perf_counter()
        for _, found in trial.mixture.chunks(trial.test.queries, trial.mask):
            best(found, 10)
        runs.append(len(trial.test.queries) / (time.perf_counter() - started))
    yield Row.of(
        "recommend.batch.customers_per_s", runs, "customers/s", "one process, 12,101 items"
    )


def _peers(choices: Choices) -> Iterator[Row]:
    """The ranks that iALS and ItemKNN give, in an environment of their own."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "choices.npz", Path(folder) / "ranks.json"
        np.savez(
            source,
            customer=choices.history.customer,
            item=choices.history.item,
            items=len(choices.history.item_ids),
        )
        subprocess.run([_environment(), _PEER / "run.py", source, target], check=True)
        told = json.loads(target.read_text("utf-8"))
    for peer, found in told.items():
        rank = np.array(found["ranks"])
        hit = (rank < 10).astype(np.float64)
        note = (
            f"{found['settings']}, chosen on the validation item; {found['seconds']:.0f} s in all"
        )
        yield from _figures(choices.name, f".{peer}", hit, hit / np.log2(rank + 2), note)


def _environment() -> Path:
    """The Python of the peer's environment, which is made where it is missing."""
    python = _PEER / ".venv" / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", _PEER / ".venv"], check=True)
        pip = [str(python), "-m", "pip", "install", "--quiet"]
        subprocess.run([*pip, "-r", str(_PEER / "requirements.txt")], check=True)
    return python


def _alone() -> Floats:
    return np.ones((len(BUCKETS), 1))


if __name__ == "__main__":
    main()
