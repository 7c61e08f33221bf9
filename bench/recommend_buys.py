"""Recommend, RetailRocket: each customer's last buy out of looks, carts and buys; beside peers.

The last buy of each of 2,174 customers is the test (`retailrocket-mb`). The file holds no other event of that
customer with that item, no look and no cart either: what is asked for is something new to the customer, so
whatever they have had to do with is masked. The validation is made in the same way from the last buy in the
file of events; weights, those of behaviours too, and the peers' settings are chosen on it. The full catalogue
is ranked. Peers: iALS and ItemKNN of `implicit` fed with the same strengths, and two popularities.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pyarrow as pa
from scipy import sparse

from bench._kept import Kept
from bench._recommend_peers import Asked, figures, implicit, lossratio, scripts
from bench.harness import DATA, HERE, Row, write
from bench.recommend import SOURCES
from shopkeeper.core.events import ADD_TO_CART, PURCHASE, VIEW_ITEM
from shopkeeper.recommend.behaviours import adopted, behaving, told
from shopkeeper.recommend.cases import Cases
from shopkeeper.recommend.evaluation import WEEK
from shopkeeper.recommend.fitting import fit_heads, heads
from shopkeeper.recommend.heads.base import FittedHead, Goods, Head, past
from shopkeeper.recommend.heads.ease import Ease
from shopkeeper.recommend.heads.popular import FittedPopular
from shopkeeper.recommend.heads.transition import Transition
from shopkeeper.recommend.history import DAY_MS, STRENGTH, History, encode
from shopkeeper.recommend.mixture import BUCKETS, Mask, Mixture
from shopkeeper.recommend.ranking import ranked
from shopkeeper.recommend.weighing import fit

NAME = "retailrocket"
_CLOSED = 4000  # items of the closed forms
_FOLDER = DATA / "retailrocket-mb"
_BEHAVIOUR = {"view": VIEW_ITEM, "cart": ADD_TO_CART, "buy": PURCHASE}
_SOURCES = (*SOURCES, HERE / "recommend_buys.py", *scripts("implicit"))


def main() -> None:
    """Measure and record."""
    rows = Kept(NAME, _SOURCES).rows("last_buy", _measured)
    write("recommend_buys", rows, data="RetailRocket (2,174 customers), last buy of each")


def _measured() -> Iterator[Row]:
    validation, test = sides()
    goods = Goods.unknown(len(test.cases.learned.item_ids))
    recipes = small()
    before = fit_heads(validation.cases.learned, goods, print, recipes)
    asked = (validation.cases.queries, validation.cases.chosen, validation.mask)
    weighed = fit(behaving(before, *asked), *asked)
    fitted = adopted(fit_heads(test.cases.learned, goods, print, recipes), weighed.heads)
    mixture = replace(weighed, heads=fitted)
    for place, name in enumerate(mixture.heads):
        print(name, weighed.sharpness[name], weighed.weights[:, place].round(2), told(fitted[name]))
    learned = test.cases.learned
    late = learned.time > learned.end - WEEK * DAY_MS
    week = np.bincount(learned.item[late & learned.bought], minlength=len(learned.item_ids)) + 0.01
    seen = ranked(weighed, *asked)
    print(f"validation: HR@10 {seen.hit.mean():.4f}, NDCG@10 {seen.ndcg.mean():.4f}")
    models = {
        "": mixture,
        ".popular": _alone(fitted["popular"]),
        ".popular_7_days": _alone(FittedPopular(week.astype(np.float32))),
    }
    found = {}
    for name, model in models.items():
        found[name] = ranked(model, test.cases.queries, test.cases.chosen, test.mask)
        yield from figures(NAME, name, found[name].rank, ", ".join(model.heads))
    best = min((".popular", ".popular_7_days"), key=lambda name: found[name].loss.mean())
    yield lossratio(
        f"recommend.{NAME}.logloss_ratio", found[""].loss, found[best].loss, f"of {best[1:]}"
    )
    for name, (rank, note) in implicit(validation, test).items():
        yield from figures(NAME, f".{name}", rank, note)


def small() -> dict[str, Head]:
    """All heads; the closed forms over fewer items than usual: 2,174 customers teach no more."""
    return {**heads(), "ease": Ease(most=_CLOSED), "transition": Transition(most=_CLOSED)}


def sides() -> tuple[Asked, Asked]:
    """Validation (the last buy in the file of events) and test, over the same items."""
    with (_FOLDER / "train_events.csv").open(encoding="utf-8", newline="") as file:
        events = [
            (int(r["user"]), int(r["item"]), r["behaviour"], int(r["unix_time"]))
            for r in csv.DictReader(file)
        ]
    with (_FOLDER / "test_buy.csv").open(encoding="utf-8", newline="") as file:
        bought = {int(r["user"]): int(r["item"]) for r in csv.DictReader(file)}
    last: dict[int, tuple[int, int]] = {}
    for user, item, behaviour, second in events:
        if behaviour == "buy" and second >= last.get(user, (0, 0))[0]:
            last[user] = (second, item)
    size = 1 + max(*(item for _, item, _, _ in events), *bought.values())
    hidden = {user: item for user, (_, item) in last.items()}
    earlier = [e for e in events if hidden.get(e[0]) != e[1]]
    return _asked(earlier, hidden, size), _asked(events, bought, size)


def _asked(events: list[tuple[int, int, str, int]], chosen: dict[int, int], size: int) -> Asked:
    history = _history(events, size)
    queries, customer = past(history)
    names = history.customer_ids.to_pylist()
    wanted = np.array([chosen.get(int(names[c]), -1) for c in customer])
    cases = Cases(history, queries, wanted, customer).part(np.flatnonzero(wanted >= 0))
    own = cases.queries
    cells = (np.ones(len(own.item), np.float32), (own.query, own.item))
    met = sparse.csr_array(sparse.coo_array(cells, shape=(len(own), size)))
    print(f"{len(cases.chosen):,} choices")
    return Asked(cases, Mask(np.ones(size, dtype=bool), met))


def _history(events: list[tuple[int, int, str, int]], size: int) -> History:
    """One row per customer, item and day, as a shop's; positions are the file's item numbers."""
    rows: dict[tuple[int, int, int], tuple[int, float]] = {}
    for user, item, behaviour, second in events:
        key = (user, item, second // 86_400)
        time, strength = rows.get(key, (0, 0.0))
        rows[key] = (max(time, second), max(strength, STRENGTH[_BEHAVIOUR[behaviour]]))
    width = len(str(size))
    table = pa.table(
        {
            "who": pa.array([str(key[0]) for key in rows], pa.string()),
            "item_id": pa.array([f"{key[1]:0{width}d}" for key in rows], pa.string()),
            "time_ms": pa.array([time * 1000 for time, _ in rows.values()], pa.int64()),
            "strength": pa.array([strength for _, strength in rows.values()], pa.float64()),
        }
    )
    met = encode(table)
    named = np.array([int(one) for one in met.item_ids.to_pylist()], dtype=np.int64)
    ids = pa.array([f"{n:0{width}d}" for n in range(size)])
    return History(met.customer, named[met.item], met.time, met.strength, met.customer_ids, ids)


def _alone(head: FittedHead) -> Mixture:
    return Mixture({"one": head}, {"one": 1.0}, np.ones((len(BUCKETS), 1)))


if __name__ == "__main__":
    main()
