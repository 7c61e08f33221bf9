"""Recommend, RetailRocket: each customer's last buy out of looks, carts and buys; beside peers.

The last buy of each of 2,174 customers is the test (`retailrocket-mb`); everything before it may be seen.
Weights, also those of behaviours, are fitted on the buy before: events of a customer from then on are hidden
from the heads. The full catalogue is ranked; what was bought is masked, what was looked at or put into the
cart is not: most buys of the validation lay in the cart before. Peers: iALS and ItemKNN of `implicit` fed
with the same strengths, popularity, popularity of seven days, and the plain rule "what was put into the cart
last and not bought".
"""

from __future__ import annotations

import csv
from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from bench._kept import Kept
from bench._recommend_peers import Asked, figures, implicit, lossratio
from bench.harness import DATA, HERE, Row, write
from bench.recommend import SOURCES
from shopkeeper.core.events import ADD_TO_CART, PURCHASE, VIEW_ITEM
from shopkeeper.recommend.behaviours import adopted, told
from shopkeeper.recommend.cases import Cases, owned, rebought
from shopkeeper.recommend.evaluation import WEEK
from shopkeeper.recommend.fitting import fit_heads, heads, weigh_on
from shopkeeper.recommend.heads.base import Goods, Queries, past
from shopkeeper.recommend.heads.popular import FittedPopular
from shopkeeper.recommend.history import DAY_MS, STRENGTH, Floats, History, encode
from shopkeeper.recommend.mixture import BUCKETS, Mask, Mixture
from shopkeeper.recommend.ranking import ranked

NAME = "retailrocket"
_FOLDER = DATA / "retailrocket-mb"
_BEHAVIOUR = {"view": VIEW_ITEM, "cart": ADD_TO_CART, "buy": PURCHASE}
_SOURCES = (*SOURCES, HERE / "recommend_buys.py", HERE / "peers" / "implicit" / "cases.py")


def main() -> None:
    """Measure and record."""
    rows = Kept(NAME, _SOURCES).rows("last_buy", _measured)
    write("recommend_buys", rows, data="RetailRocket (2,174 customers), last buy of each")


def _measured() -> Iterator[Row]:
    validation, test = sides()
    goods = Goods.unknown(len(test.cases.learned.item_ids))
    weighed = weigh_on(validation.cases, goods, print, heads())
    fitted = adopted(fit_heads(test.cases.learned, goods, print, heads()), weighed.heads)
    mixture = Mixture(fitted, weighed.sharpness, weighed.weights)
    for place, name in enumerate(mixture.heads):
        print(name, weighed.sharpness[name], weighed.weights[:, place].round(2), told(fitted[name]))
    learned = test.cases.learned
    late = learned.time > learned.end - WEEK * DAY_MS
    week = np.bincount(learned.item[late & learned.bought], minlength=len(learned.item_ids)) + 0.01
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
    yield from figures(NAME, ".cart_last", _cart_last(test), "cart before look, the latest first")
    for name, (rank, note) in implicit(validation, test).items():
        yield from figures(NAME, f".{name}", rank, note)


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
    earlier = [e for e in events if e[0] not in last or e[3] < last[e[0]][0]]
    hidden = {user: item for user, (_, item) in last.items()}
    return _asked(earlier, hidden, size), _asked(events, bought, size)


def _asked(events: list[tuple[int, int, str, int]], chosen: dict[int, int], size: int) -> Asked:
    history = _history(events, size)
    queries, customer = past(history)
    names = history.customer_ids.to_pylist()
    wanted = np.array([chosen.get(int(names[c]), -1) for c in customer])
    cases = Cases(history, queries, wanted, customer).part(np.flatnonzero(wanted >= 0))
    everything = np.ones(size, dtype=bool)
    barred = owned(cases.queries, rebought(history))
    mine = np.asarray(barred[np.arange(len(cases.chosen)), cases.chosen]).ravel() > 0
    print(f"{len(cases.chosen):,} choices, {int(mine.sum())} of what was bought before: left out")
    rows = np.flatnonzero(~mine)
    return Asked(cases.part(rows), Mask(everything, barred[rows]))


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
    item = np.array([int(one) for one in met.item_ids.to_pylist()])[met.item]
    ids = pa.array([f"{n:0{width}d}" for n in range(size)])
    return History(met.customer, item, met.time, met.strength, met.customer_ids, ids)


def _cart_last(asked: Asked) -> Floats:
    """Ranks by the plain rule; what was neither in the cart nor looked at shares the last places."""
    queries, chosen = asked.cases.queries, asked.cases.chosen
    size = len(asked.mask.offered)
    rank = np.zeros(len(chosen))
    for place in range(len(chosen)):
        own = queries.part(place, place + 1)
        score = _recency(own, size)
        assert asked.mask.excluded is not None
        score[asked.mask.excluded[[place]].indices] = -np.inf
        wanted = score[chosen[place]]
        rank[place] = (score > wanted).sum() + ((score == wanted).sum() - 1) / 2
    return rank


def _recency(own: Queries, size: int) -> Floats:
    score = np.zeros(size)
    cart = own.strength >= STRENGTH[ADD_TO_CART]
    np.maximum.at(score, own.item, np.arange(1, len(own.item) + 1) + cart * len(own.item))
    return score


def _alone(head: FittedPopular) -> Mixture:
    return Mixture({"one": head}, {"one": 1.0}, np.ones((len(BUCKETS), 1)))


if __name__ == "__main__":
    main()
