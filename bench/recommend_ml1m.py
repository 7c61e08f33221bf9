"""Recommend, MovieLens-1M: leave one out, full ranking, seen masked; hours, so it goes on where it stopped.

Depth and length are those of the anchor study for long histories; width and batch were chosen on the
validation side. The file (SASRec's) has no times. The transformer keeps its state
after each epoch in `build/recommend`, so the benchmark may be interrupted and started again. Not part of
`make bench` without a name.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa

from bench._recommend_data import Choices
from bench.harness import DATA, write
from bench.recommend import STATE, Closed, measured
from shopkeeper.recommend.heads.base import Goods
from shopkeeper.recommend.heads.sequence import suited
from shopkeeper.recommend.history import DAY_MS, History

FOLDER = DATA / "movielens-1m"
_LAST_DAY = 20_000


def main() -> None:
    """Train or go on, measure and record."""
    made = choices()
    rows = measured(Closed(made), replace(suited(made.history), checkpoints=STATE))
    for row in rows:
        print(row)
    write("recommend_ml1m", rows, data="MovieLens-1M (3,416 items), last item of each customer")


def choices() -> Choices:
    """Lines of a customer and an item, in order of time; one choice a day stands for the order."""
    table = np.loadtxt(FOLDER / "ml-1m_sas.txt", dtype=np.int64)
    customer, item = table[:, 0] - 1, table[:, 1] - 1
    last = np.searchsorted(customer, customer, side="right") - 1
    age = last - np.arange(len(customer))
    size = int(item.max()) + 1
    history = History(
        customer,
        item,
        (_LAST_DAY - age) * DAY_MS,
        np.ones(len(customer)),
        pa.array([str(n) for n in range(int(customer.max()) + 1)]),
        pa.array([str(n + 1) for n in range(size)]),
    )
    return Choices("ml1m", history, _goods(size))


def _goods(size: int) -> Goods:
    """Title and genres; the file of choices numbers the films anew."""
    films = (line.split("::") for line in (FOLDER / "movies.dat").read_text("latin-1").splitlines())
    known = {number: (title, genres.replace("|", " ")) for number, title, genres in films}
    named = (FOLDER / "sas_to_original_items.txt").read_text("utf-8").splitlines()
    original = dict(line.split() for line in named)
    rows = [known[original[str(n + 1)]] for n in range(size)]
    blank = ("",) * size
    return Goods(tuple(" ".join(row) for row in rows), blank, tuple(genres for _, genres in rows))


if __name__ == "__main__":
    main()
