"""Recommend: the mixture on Amazon Beauty and Sports beside its peers; items that nobody has met.

Amazon: leave one out, full ranking, seen items masked, ties at their mean. Weights and sharpness are fitted
on the item before the last, by models that have not seen it; then all heads, the transformer too where
PyTorch is installed, are fitted again on everything but the last item, which is the test. The files have no
times, so recent popularity is popularity. Cold items: a part of Beauty's
and Online Retail's items is taken out of all histories that models see, and asked for: only words can find
them.

`RECOMMEND_SEEDS=3` repeats what is trained by chance; one seed is the default. `RECOMMEND_SETS=beauty` takes
one data set; `RECOMMEND_CUT=500` the first 500 customers, to see that all of it runs. The peers are iALS and
ItemKNN of `implicit` and, where `RECOMMEND_RECTOOLS=ease,sasrec,esasrec` names them, those of RecTools, one
seed of each in an environment of its own that is made when it is missing. Each part (data set and seed,
peer) is kept when it is done, and the transformer's state after each epoch: an interrupted run goes on.
"""

from __future__ import annotations

import importlib.util
import os
import time
from collections.abc import Iterator, Mapping
from collections.abc import Sequence as Many
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_info  # type: ignore[import-untyped]

from bench._kept import Kept
from bench._recommend_data import Choices, amazon, first_customers, online_retail
from bench._recommend_peers import Asked, figures, peers, scripts
from bench.harness import HERE, Row, write
from shopkeeper.core import discovery
from shopkeeper.core.types import Estimate
from shopkeeper.recommend.cases import Cases, last_choices, only, owned
from shopkeeper.recommend.heads.base import FittedHead, Head, Queries
from shopkeeper.recommend.heads.popular import Popular
from shopkeeper.recommend.heads.sequence import Sequence, suited
from shopkeeper.recommend.history import Floats, History
from shopkeeper.recommend.linear import DENSE
from shopkeeper.recommend.mixture import BUCKETS, Mask, Mixture, given
from shopkeeper.recommend.ranking import Ranked, ranked
from shopkeeper.recommend.weighing import fit
from shopkeeper.stats import bootstrap

SETS = ("beauty", "sports")
VALIDATED = 10_000  # validation choices that weights are fitted on
_DATA = "Amazon Beauty and Sports (5-core), last item of each customer; cold items of Online Retail as well"
_ALWAYS = 36_500.0  # days: no choice of these files is older than another
_LEFT_OUT = frozenset({"repeat", "interests", "newcomer", "sequence"})
"""Nobody reviews twice, searches or is new; the transformer is trained for each seed."""
SEEDS = range(int(os.environ.get("RECOMMEND_SEEDS", "1")))
_PEERS = (  # what each is told besides
    ("implicit", ("128", "256")),
    ("rectools", ("ease",)),
    ("rectools", ("sasrec",)),
    ("rectools", ("esasrec",)),
)
CHOSEN = tuple(os.environ.get("RECOMMEND_SETS", ",".join(SETS)).split(","))
_RECTOOLS = frozenset(os.environ.get("RECOMMEND_RECTOOLS", "").split(","))
_COLD = 0.1  # of the items that have been chosen
_CUT = int(os.environ.get("RECOMMEND_CUT", "0"))
STATE = HERE.parent / "build" / "recommend"  # of trainings that were interrupted
_CODE = HERE.parent / "src" / "shopkeeper" / "recommend"
_MODELS = (
    "cases",
    "confidence",
    "covisit",
    "evaluation",
    "fitting",
    "history",
    "likelihood",
    "linear",
    "mixture",
    "network",
    "ranking",
    "together",
    "training",
    "weighing",
)
SOURCES = (  # what the figures follow from
    *(_CODE / f"{name}.py" for name in _MODELS),
    *(_CODE / "heads").glob("*.py"),
    *(HERE / name for name in ("recommend.py", "_recommend_data.py")),
)
_ASKED = (  # what the peers' choices follow from
    *(_CODE / f"{name}.py" for name in ("cases", "history")),
    *(HERE / name for name in ("_recommend_data.py", "_recommend_peers.py")),
)


@dataclass(frozen=True)
class Trial:
    """A data set measured: the mixture fitted for its test, with what it was asked."""

    choices: Choices
    mixture: Mixture
    test: Cases
    mask: Mask
    seconds: float
    """For the closed forms, on everything but the test."""
    trained: float
    """For the transformer, on the same."""


def main() -> None:
    """Measure every data set beside its peers; then items that nobody has met."""
    kept = Kept(_kept("ours"), SOURCES)
    rows: list[Row] = []
    for name in CHOSEN:
        choices = _cut(amazon(name))
        closed = Closed(choices)
        runs = [
            kept.rows(f"{name}-{seed}", partial(measured, closed, _recipe(choices, seed)))
            for seed in SEEDS
        ]
        rows += [*_seeds(runs), *_peers(choices)]
    if set(CHOSEN) == set(SETS):
        for choices in (_cut(amazon(SETS[0])), _cut(online_retail())):
            rows += kept.rows(f"cold-{choices.name}", partial(_cold, choices))
    if _CUT:
        print("A cut: nothing is recorded.")
        return
    write("recommend", rows, data=_DATA)


def _kept(whose: str) -> str:
    return f"recommend-{whose}-{_CUT}" if _CUT else f"recommend-{whose}"


def _cut(choices: Choices) -> Choices:
    return first_customers(choices, _CUT) if _CUT else choices


def _seeds(runs: Many[list[Row]]) -> Iterator[Row]:
    """The mean of each figure over the seeds; one seed keeps its own interval."""
    for same in zip(*runs, strict=True):
        values = [row.value for row in same]
        if len(values) == 1:
            yield same[0]
            continue
        note = f"mean of {len(values)} seeds, least and greatest; {same[0].note}"
        mean = round(float(np.mean(values)), 5)
        yield Row(same[0].id, mean, min(values), max(values), same[0].unit, note)


def _recipe(choices: Choices, seed: int) -> Sequence:
    return replace(suited(choices.history), seed=seed, checkpoints=STATE)


class Closed:
    """A data set with its split, and the closed forms of both sides, fitted once for all seeds."""

    def __init__(self, choices: Choices) -> None:
        self.choices = choices
        self.test = last_choices(choices.history)
        self.validation = last_choices(self.test.learned, VALIDATED)
        self.seconds = 0.0

    @cached_property
    def validating(self) -> dict[str, FittedHead]:
        """Fitted on everything but the last two choices."""
        return _fitted(self.choices, self.validation.learned)

    @cached_property
    def testing(self) -> dict[str, FittedHead]:
        """Fitted on everything but the last choice; notes how long that took."""
        started = time.perf_counter()
        found = _fitted(self.choices, self.test.learned)
        self.seconds = time.perf_counter() - started
        return found


def measured(closed: Closed, recipe: Sequence) -> list[Row]:
    """The figures of a data set with this transformer."""
    return list(_figures_of(_trial(closed, recipe)))


def _trial(closed: Closed, recipe: Sequence) -> Trial:
    choices, validation, test = closed.choices, closed.validation, closed.test
    asked = _mask(choices, validation.queries)
    heads = {**closed.validating, **_trained(choices, validation.learned, recipe)[1]}
    weighed = fit(heads, validation.queries, validation.chosen, asked)
    _tell(choices.name, weighed)
    training, trained = _trained(choices, test.learned, recipe)
    mixture = replace(weighed, heads={**closed.testing, **trained})
    return Trial(choices, mixture, test, _mask(choices, test.queries), closed.seconds, training)


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


def _trained(
    choices: Choices, history: History, recipe: Sequence
) -> tuple[float, Mapping[str, FittedHead]]:
    """The transformer and the seconds of its epochs, those of an interrupted run with them."""
    if importlib.util.find_spec("torch") is None:
        return 0.0, {}
    size = len(history.item)
    took = STATE / f"{choices.name}-{size}-{recipe.seed}-{recipe.layers}.seconds"
    started = time.perf_counter()

    def tell(said: str) -> None:
        nonlocal started
        took.parent.mkdir(parents=True, exist_ok=True)
        now = time.perf_counter()
        before = float(took.read_text("utf-8")) if took.exists() and " 1," not in said else 0.0
        took.write_text(str(before + now - started), "utf-8")
        print(f"{choices.name}: {said}; {now - started:.0f} s", flush=True)
        started = now

    head = replace(recipe, tell=tell).fit(history, choices.goods)
    return (float(took.read_text("utf-8")) if took.exists() else 0.0), {"sequence": head}


def _mask(choices: Choices, queries: Queries) -> Mask:
    size = len(choices.history.item_ids)
    return Mask(np.ones(size, dtype=bool), owned(queries, np.zeros(size, dtype=bool)))


def _tell(name: str, weighed: Mixture) -> None:
    for place, head in enumerate(weighed.heads):
        by_length = " ".join(f"{share:.2f}" for share in weighed.weights[:, place])
        print(f"{name}: {head} sharpness {weighed.sharpness[head]} weights {by_length}", flush=True)


def _figures_of(trial: Trial) -> Iterator[Row]:
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
        f"wall, {_threads()} threads; {len(trial.choices.history.item_ids):,} items, all heads but "
        "the transformer, "
        f"closed forms over at most {DENSE:,} items",
    )
    if "sequence" in trial.mixture.heads:
        yield Row.of(
            f"recommend.{name}.fit_all_s",
            [trial.seconds + trial.trained],
            "s",
            f"wall; closed forms {_threads()} threads; the transformer's passes {trial.trained:,.0f} s",
        )


def _threads() -> int:
    """Of linear algebra, which the time follows from."""
    return max(int(one["num_threads"]) for one in threadpool_info() if one["user_api"] == "blas")


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


def _cold(choices: Choices) -> Iterator[Row]:
    """Items that nobody may have seen: found by their words, or not at all.

    A tenth of the items that were chosen lose all their rows. Everybody's last choice of one of these is
    asked for among all items, by the mixture with the text head and without it. Weights are fitted on other
    customers' choices of other items that were taken out in the same way, so the text head earns its own.
    """
    everything = last_choices(choices.history)
    random = np.random.default_rng(0)
    cold, warm = (
        np.isin(np.arange(len(choices.history.item_ids)), part)
        for part in np.split(
            random.permutation(np.unique(everything.chosen)),
            [int(_COLD * len(np.unique(everything.chosen)))],
        )
    )
    tuned = warm & (random.random(len(warm)) < _COLD)
    learned = only(everything.learned, ~(cold | tuned)[everything.learned.item])
    heads = _fitted(choices, learned)
    tested = _asked(choices, everything, cold)
    for name in ("", ".without_text"):
        kept = {one: head for one, head in heads.items() if name == "" or one != "text"}
        known = _asked(choices, everything, tuned)
        weighed = fit(kept, known.queries, known.chosen, _mask(choices, known.queries))
        found = ranked(weighed, tested.queries, tested.chosen, _mask(choices, tested.queries))
        note = f"{int(cold.sum()):,} items of {choices.name} that models have never met"
        where = "" if choices.name == SETS[0] else f".{choices.name}"
        yield _row(f"recommend.cold_items{where}.hr10{name}", found.hit, note)


def _asked(choices: Choices, cases: Cases, items: NDArray[np.bool_]) -> Cases:
    """The cases whose choice is one of these, and not owned already."""
    mine = _mask(choices, cases.queries).excluded
    assert mine is not None
    return cases.part(np.flatnonzero(items[cases.chosen] & (given(mine, cases.chosen) == 0)))


def _peers(choices: Choices) -> Iterator[Row]:
    """The ranks that the peers give, each in an environment of its own.

    Kept by the peer's own files and those that make the choices: a change of ours does not move a peer.
    """
    test = last_choices(choices.history)
    validation = last_choices(test.learned)
    known, asked = (Asked(one, _mask(choices, one.queries)) for one in (validation, test))

    def measured(name: str, told: Many[str]) -> Iterator[Row]:
        for peer, (rank, note) in peers(name, known, asked, told).items():
            yield from figures(choices.name, f".{peer}", rank, note)

    for name, told in _PEERS:
        if name == "rectools" and not _RECTOOLS.issuperset(told):
            continue
        kept = Kept(_kept(name), (*_ASKED, *scripts(name)))
        yield from kept.rows("-".join((choices.name, name, *told)), partial(measured, name, told))


def _alone() -> Floats:
    return np.ones((len(BUCKETS), 1))


if __name__ == "__main__":
    main()
