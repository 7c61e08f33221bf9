"""Recommend, Online Retail by week: each customer's first purchase of a week, by models of the time before.

A split by time, as in service: repeats are allowed (what is bought again and again may be shown again), and
items that are new in the week may be asked for. Weights and the peers' settings are chosen on the week before
the tested one. Peers, on the same choices: popularity of seven days, popularity with a half-life, iALS and
ItemKNN of `implicit`, and "buy again" (what the customer bought, by how often and how long ago). Our heads
are told alone as well.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import numpy as np

from bench._kept import Kept
from bench._recommend_data import online_retail
from bench._recommend_peers import (
    Asked,
    estimated,
    figures,
    hit,
    implicit,
    lossratio,
    ndcg,
    scripts,
)
from bench.harness import HERE, Row, write
from bench.recommend import SOURCES, VALIDATED
from shopkeeper.recommend.evaluation import LEAST, MIXTURE, RECENT, Trial, askable, by_weeks, trial
from shopkeeper.recommend.fitting import heads
from shopkeeper.recommend.heads.repeat import FittedRepeat, Repeat
from shopkeeper.recommend.history import Floats
from shopkeeper.recommend.mixture import BUCKETS, Mixture
from shopkeeper.recommend.ranking import ranked

NAME = "online_retail"
WEEKS = int(os.environ.get("RECOMMEND_WEEKS", "4"))
_NAMED = {
    MIXTURE: "",
    RECENT: f".{RECENT}",
    "popular": ".popular",
    "repeat": ".repeat",
    "covisit": ".covisit",
    "ease": ".ease",
}
_AGAIN = "buy_again"
_OURS = ("", ".repeat", ".covisit", ".ease")
_SOURCES = (*SOURCES, HERE / "recommend_weeks.py", *scripts("implicit"))


def main() -> None:
    """Measure and record."""
    rows = Kept(f"{NAME}-{WEEKS}", _SOURCES).rows("weeks", _measured)
    write("recommend_weeks", rows, data=f"Online Retail, the first purchases of {WEEKS} weeks")


def _measured() -> Iterator[Row]:
    choices = online_retail()
    trials: list[Trial] = []
    peers: dict[str, list[Floats]] = {}
    notes: dict[str, str] = {}
    for validation, test in by_weeks(choices.history, WEEKS, VALIDATED):
        found = trial(validation, test, choices.goods, print, heads())
        trials.append(found)
        known, asked = (Asked(*askable(cases)) for cases in (validation, test))
        peers.setdefault(_AGAIN, []).append(_again(asked))
        for name, (rank, note) in implicit(known, asked).items():
            peers.setdefault(name, []).append(rank)
            notes[name] = note
    customer = np.concatenate([one.cases.customer for one in trials])
    ranks = {
        suffix: np.concatenate([one.found[model].rank for one in trials])
        for model, suffix in _NAMED.items()
    }
    ranks |= {f".{name}": np.concatenate(parts) for name, parts in peers.items()}
    for suffix, rank in ranks.items():
        yield from figures(NAME, suffix, rank, notes.get(suffix[1:], f"{WEEKS} weeks"), customer)
    best = max((s for s in ranks if s not in _OURS), key=lambda s: float(ndcg(ranks[s]).mean()))
    gained = ndcg(ranks[""]) - ndcg(ranks[best])
    yield estimated(
        f"recommend.{NAME}.ndcg10.over_best", gained, f"less that of {best[1:]}", customer
    )
    new = np.concatenate([_new(one) for one in trials])
    if new.sum() >= LEAST:
        values = hit(ranks[""])[new]
        yield estimated(
            f"recommend.{NAME}.new_items.hr10", values, "never bought before", customer[new]
        )
    loss = {
        m: np.concatenate([one.found[m].loss for one in trials])
        for m in (MIXTURE, RECENT, "popular")
    }
    base = min((RECENT, "popular"), key=lambda m: float(loss[m].mean()))
    yield lossratio(f"recommend.{NAME}.logloss_ratio", loss[MIXTURE], loss[base], f"of {base}")


def _again(asked: Asked) -> Floats:
    """The ranks by what was bought, by how often and how long ago, whatever it is."""
    cases = asked.cases
    plain = FittedRepeat(np.ones(len(cases.learned.item_ids)), Repeat())
    alone = Mixture({"one": plain}, {"one": 1.0}, np.ones((len(BUCKETS), 1)))
    return ranked(alone, cases.queries, cases.chosen, asked.mask).rank


def _new(found: Trial) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    learned = found.cases.learned
    chosen = np.bincount(learned.item, minlength=len(learned.item_ids))
    return np.asarray(chosen[found.cases.chosen] == 0)


if __name__ == "__main__":
    main()
