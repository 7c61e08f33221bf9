"""Recommend: what popularity of seven days adds, on MovieLens-100k and RetailRocket, interests and newcomers.

Each is answered by the difference in NDCG@10 on the same choices, 95 % by paired bootstrap:

* `popular_7_days`: the closed forms mixed with a head that says what was chosen in the seven days before each
  request, against the mixture without it. MovieLens: each customer's last rating, ties in time in a fixed
  shuffle; RetailRocket: the last buy.
* `interests`: the mixture with that head against that without it, on the simulated shop, whose customers
  search: for those who have searched lately, and for all.
* `newcomer`: by week on MovieLens-100k (eight) and Online Retail (four), the mixture with that head against
  that without it: for those without a history, and for all.

Weights are fitted on the validation. What is not above zero is left out of the product, as the transformer's
bias by the time to the request was (docs/decisions/0031).
"""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from bench._kept import Kept
from bench._recommend_data import online_retail
from bench._recommend_peers import Asked, estimated
from bench.harness import DATA, HERE, Row, child, write
from bench.recommend import SOURCES
from bench.recommend_buys import sides, small
from shopkeeper.recommend.behaviours import adopted
from shopkeeper.recommend.cases import Cases, last_choices, owned
from shopkeeper.recommend.evaluation import askable, by_weeks
from shopkeeper.recommend.fitting import fit_heads, heads, weigh_on
from shopkeeper.recommend.goods import goods
from shopkeeper.recommend.heads.base import Affinities, FittedHead, Goods, Queries
from shopkeeper.recommend.history import DAY_MS, Floats, History, Ints, encode
from shopkeeper.recommend.mixture import Mask
from shopkeeper.recommend.model import catalogue, learned, with_catalogue
from shopkeeper.recommend.ranking import ranked
from shopkeeper.recommend.spoken import Spoken
from shopkeeper.recommend.weighing import fit
from shopkeeper.shop import Shop

_SOURCES = (*SOURCES, HERE / "recommend_additions.py", HERE / "recommend_buys.py")
_WEEK_MS = 7 * DAY_MS
_PRIOR = 0.01


def main() -> None:
    """Measure and record."""
    kept = Kept("additions", _SOURCES)
    rows: list[Row] = []
    for name, made in (("movielens-100k", _movielens), ("retailrocket", sides)):
        validation, test = made()
        rows += kept.rows(f"{name}-popular", partial(_popular, name, validation, test))
    rows += kept.rows("simulated-interests", _interests)
    for name, history, weeks in (("movielens-100k", _films, 8), ("online_retail", _orders, 4)):
        rows += kept.rows(f"{name}-newcomer", partial(_newcomers, name, history, weeks))
    write(
        "recommend_additions",
        rows,
        data="MovieLens-100k, RetailRocket, last choices; MovieLens, simulated shop, Online Retail, by week",
    )


def _interests() -> Iterator[Row]:
    """By week on a simulated shop of 300,000 events: the mixture with the head less that without it."""
    with tempfile.TemporaryDirectory() as folder:
        cli = ["-m", "shopkeeper.cli.main", "--shop", folder]
        child(
            [*cli, "init", "--name", "bench", "--time-zone", "Asia/Shanghai", "--currency", "CNY"]
        )
        child([*cli, "simulate", "build", "--events", "300000", "--seed", "5"])
        with Shop.open(folder) as shop:
            items = catalogue(shop)
            history = with_catalogue(learned(shop)[0], items)
    yield from _by_week("simulated", "interests", history, goods(history.item_ids, items), 2)


def _newcomers(name: str, made: Callable[[], tuple[History, Goods]], weeks: int) -> Iterator[Row]:
    yield from _by_week(name, "newcomer", *made(), weeks)


_SPEAKS: Final[Mapping[str, tuple[str, str, Callable[[Queries], NDArray[np.bool_]]]]] = {
    "interests": ("searched", "who searched", lambda q: np.diff(_spoken(q).starts) > 0),
    "newcomer": ("new", "without a history", lambda q: q.lengths == 0),
}
"""To whom a head speaks: the name of that row, in words, and who they are."""


def _spoken(queries: Queries) -> Spoken:
    assert queries.spoken is not None
    return queries.spoken


def _by_week(name: str, head: str, history: History, known: Goods, weeks: int) -> Iterator[Row]:
    """By week, the mixture with this head less that without it."""
    part, whom, speaks = _SPEAKS[head]
    gained: list[tuple[Floats, Floats, NDArray[np.bool_], Ints]] = []
    for validation, test in by_weeks(history, weeks, 5000):
        cases, shown = askable(test)
        found = []
        for left_out in (head, ""):
            recipes = {one: recipe for one, recipe in heads().items() if one != left_out}
            weighed = weigh_on(validation, known, lambda _: None, recipes)
            fitted = adopted(fit_heads(test.learned, known, print, recipes), weighed.heads)
            mixture = replace(weighed, heads=fitted)
            found.append(ranked(mixture, cases.queries, cases.chosen, shown))
        without, with_it = found
        gained.append(
            (
                with_it.ndcg - without.ndcg,
                with_it.loss - without.loss,
                speaks(cases.queries),
                cases.customer,
            )
        )
    ndcg, loss, said, customer = (np.concatenate(parts) for parts in zip(*gained, strict=True))
    note = "the mixture with it less that without it"
    start = f"recommend.{name}.{head}"
    yield estimated(f"{start}.ndcg10", ndcg, note, customer)
    yield estimated(f"{start}.ndcg10.{part}", ndcg[said], f"{whom}; {note}", customer[said])
    yield estimated(f"{start}.logloss", loss, f"nats; {note}", customer)


def _films() -> tuple[History, Goods]:
    history = _ratings()
    return history, Goods.unknown(len(history.item_ids))


def _orders() -> tuple[History, Goods]:
    choices = online_retail()
    return choices.history, choices.goods


def _movielens() -> tuple[Asked, Asked]:
    test = last_choices(_ratings())
    return _asked(last_choices(test.learned)), _asked(test)


def _ratings() -> History:
    with (DATA / "movielens-100k" / "ml-100k.inter").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter="\t"))[1:]
    table = pa.table(
        {
            "who": pa.array([row[0] for row in rows], pa.string()),
            "item_id": pa.array([row[1] for row in rows], pa.string()),
            "time_ms": pa.array([int(float(row[3])) * 1000 for row in rows], pa.int64()),
            "strength": pa.array(np.ones(len(rows))),
        }
    )
    return encode(table)


def _asked(cases: Cases) -> Asked:
    everything = np.ones(len(cases.learned.item_ids), dtype=bool)
    return Asked(
        cases, Mask(everything, owned(cases.queries, np.zeros(len(everything), dtype=bool)))
    )


@dataclass(frozen=True)
class Lately:
    """How many chose each item in the seven days before a request, of rows in order of time."""

    item: Ints
    time: Ints
    size: int

    @classmethod
    def of(cls, history: History) -> Lately:
        order = np.argsort(history.time, kind="stable")
        return cls(history.item[order], history.time[order], len(history.item_ids))

    def affinities(self, queries: Queries) -> Affinities:
        """One window a request."""
        answer = np.full((len(queries), self.size), _PRIOR, np.float32)
        for row, now in enumerate(queries.now.tolist()):
            first, last = np.searchsorted(self.time, [now - _WEEK_MS, now])
            answer[row] += np.bincount(self.item[first:last], minlength=self.size)
        return answer

    def evidence(self, queries: Queries, items: Ints) -> Floats:
        """Nothing: it is the same for everybody."""
        return np.zeros((len(queries.item), len(items)))

    def grown(self, goods: Goods) -> Lately:
        """As if nobody had chosen the new items."""
        return replace(self, size=self.size + len(goods.words))


def _popular(name: str, validation: Asked, test: Asked) -> Iterator[Row]:
    recipes = {n: one for n, one in small().items() if n not in ("text", "kind", "interests")}
    goods = Goods.unknown(len(test.cases.learned.item_ids))
    sides_fitted: list[dict[str, FittedHead]] = [
        {n: one.fit(side.cases.learned, goods) for n, one in recipes.items()}
        | {"lately": Lately.of(side.cases.learned)}
        for side in (validation, test)
    ]
    found = []
    for names in ([*recipes], [*recipes, "lately"]):
        first, second = ({n: fitted[n] for n in names} for fitted in sides_fitted)
        weighed = fit(first, validation.cases.queries, validation.cases.chosen, validation.mask)
        mixture = replace(weighed, heads=second)
        found.append(ranked(mixture, test.cases.queries, test.cases.chosen, test.mask))
    note = "the mixture with it less that without it"
    yield _gained(f"{name}.popular_7_days.ndcg10", found[1].ndcg - found[0].ndcg, note)
    yield _gained(f"{name}.popular_7_days.logloss", found[1].loss - found[0].loss, f"nats; {note}")


def _gained(name: str, difference: Floats, note: str) -> Row:
    return estimated(f"recommend.{name}", difference, note)


if __name__ == "__main__":
    main()
