"""EASE and SASRec of RecTools; runs in an environment of its own (see bench/recommend.py).

Arguments: the input (.npz: customer, item, sorted by customer and order; items), the output (.json), a seed.
EASE's regularisation is chosen on the item before the last; SASRec stops by its loss on the last items of
512 customers' histories before the test. What is written are the ranks of each customer's last item.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from pytorch_lightning import Trainer, seed_everything
from pytorch_lightning.callbacks import EarlyStopping
from rectools import Columns
from rectools.dataset import Dataset
from rectools.models import EASEModel, SASRecModel

_CHUNK = 512
_WATCHED = 512


def main() -> None:
    """Choose, refit and measure both."""
    source, target, seed = sys.argv[1:]
    given = np.load(source)
    customer, item = given["customer"], given["item"]
    age = np.searchsorted(customer, customer, side="right") - 1 - np.arange(len(customer))
    seed_everything(int(seed), workers=True)
    told = {}
    for name, measure in (("rectools_ease", _ease), ("rectools_sasrec", _sasrec)):
        started = time.perf_counter()
        settings, ranks = measure(customer, item, age)
        seconds = time.perf_counter() - started
        told[name] = {"settings": settings, "ranks": ranks.tolist(), "seconds": seconds}
        Path(target).write_text(json.dumps(told), "utf-8")


def _dataset(customer: np.ndarray, item: np.ndarray) -> Dataset:
    day = pd.Timestamp("2020-01-01") + pd.to_timedelta(np.arange(len(customer)) % 100_000, unit="s")
    frame = pd.DataFrame(
        {Columns.User: customer, Columns.Item: item, Columns.Weight: 1.0, Columns.Datetime: day}
    )
    return Dataset.construct(frame)


def _ease(customer: np.ndarray, item: np.ndarray, age: np.ndarray) -> tuple[str, np.ndarray]:
    def ranked(regularization: float, held: int) -> np.ndarray:
        past = age > held
        dataset = _dataset(customer[past], item[past])
        model = EASEModel(regularization=regularization).fit(dataset)
        seen = dataset.get_user_item_matrix(include_weights=False)
        held_back = customer[age == held], item[age == held]
        return _ranks(lambda rows: np.asarray(seen[rows] @ model.weight), seen, held_back, dataset)

    best = max((100.0, 200.0, 500.0), key=lambda one: _ndcg(ranked(one, 1)))
    return f"regularization {best:g}", ranked(best, 0)


def _sasrec(customer: np.ndarray, item: np.ndarray, age: np.ndarray) -> tuple[str, np.ndarray]:
    past = age > 0
    dataset = _dataset(customer[past], item[past])
    watched = set(np.unique(customer)[:: max(1, int(customer.max()) // _WATCHED)].tolist())

    def held(frame: pd.DataFrame) -> np.ndarray:
        last = frame.groupby(Columns.User)[Columns.Datetime].rank(method="first", ascending=False)
        return np.asarray((last == 1) & frame[Columns.User].isin(watched))

    def trainer() -> Trainer:
        stop = EarlyStopping(monitor=SASRecModel.val_loss_name, patience=5)
        return Trainer(max_epochs=100, callbacks=[stop], logger=False, enable_checkpointing=False)

    model = SASRecModel(
        n_factors=256, n_blocks=2, n_heads=1, dropout_rate=0.2, session_max_len=50, lr=0.001,
        batch_size=128, loss="softmax", get_trainer_func=trainer, get_val_mask_func=held,
    )  # fmt: skip
    model.fit(dataset)
    frame = model.recommend(
        users=np.unique(customer),
        dataset=dataset,
        k=10,
        filter_viewed=True,
        on_unsupported_targets="ignore",
    )
    chosen = dict(zip(customer[age == 0].tolist(), item[age == 0].tolist(), strict=True))
    rank = np.full(len(chosen), np.inf)
    hit = frame[frame[Columns.Item] == frame[Columns.User].map(chosen)]
    rank[hit[Columns.User].to_numpy()] = hit[Columns.Rank].to_numpy() - 1
    return "256 factors, 2 blocks, full softmax", np.where(np.isinf(rank), 1e6, rank)


def _ranks(
    scorer: Any, seen: Any, held_back: tuple[np.ndarray, np.ndarray], dataset: Dataset
) -> np.ndarray:
    """The rank of what each customer chose; what came before is masked, ties at their mean."""
    users = dataset.user_id_map.convert_to_internal(held_back[0])
    known = pd.Series(held_back[1]).map(dataset.item_id_map.to_internal)
    chosen = known.fillna(-1).astype(int)
    answer = np.full(len(users), 1e6)
    for start in range(0, len(users), _CHUNK):
        part = slice(start, start + _CHUNK)
        found = np.array(scorer(users[part]), dtype=np.float32)
        own = seen[users[part]]
        found[np.repeat(np.arange(own.shape[0]), np.diff(own.indptr)), own.indices] = -np.inf
        asked = chosen.to_numpy()[part]
        wanted = found[np.arange(len(found)), asked][:, None]
        rank = (found > wanted).sum(1) + ((found == wanted).sum(1) - 1) / 2
        answer[part] = np.where(asked >= 0, rank, 1e6)
    return answer


def _ndcg(ranks: np.ndarray) -> float:
    return float(np.where(ranks < 10, 1 / np.log2(ranks + 2), 0).mean())


torch.set_num_threads(2)
main()
