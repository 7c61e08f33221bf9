"""EASE, SASRec and eSASRec of RecTools; runs in an environment of its own (see bench/_recommend_peers.py).

Arguments: the input and the output of :mod:`protocol`, a seed, and the peers to run (`ease`, `sasrec`,
`esasrec`: SASRec with LiGR layers). EASE's regularisation is chosen on the validation; the transformers stop
by their loss on the last items of 512 customers' histories before the test.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
import pandas as pd
from protocol import FAR, Scorer, Setting, Side, chosen, ranks, sides, tell
from pytorch_lightning import Trainer, seed_everything
from pytorch_lightning.callbacks import EarlyStopping
from rectools import Columns
from rectools.dataset import Dataset
from rectools.models import EASEModel, SASRecModel
from rectools.models.nn.transformers.ligr import LiGRLayers
from rectools.models.nn.transformers.net_blocks import TransformerLayersBase
from rectools.models.nn.transformers.sasrec import SASRecTransformerLayers
from scipy import sparse

_WATCHED = 512
_LENGTH, _NEGATIVES = 20, 128  # of twenty histories nineteen are shorter
_REGULARIZATION = (20.0, 50.0, 100.0, 200.0, 500.0)


def main() -> None:
    """Choose, refit and measure."""
    source, target, seed, *names = sys.argv[1:]
    validation, test = sides(source)
    seed_everything(int(seed), workers=True)
    peers = {
        "ease": lambda: _ease(validation, test),
        "sasrec": lambda: _transformer(test, SASRecTransformerLayers, 64),
        "esasrec": lambda: _transformer(test, LiGRLayers, 256),
    }
    tell(target, {f"rectools_{name}": peers[name] for name in names})


def _dataset(user: np.ndarray, item: np.ndarray) -> Dataset:
    day = pd.Timestamp("2020-01-01") + pd.to_timedelta(np.arange(len(user)), unit="s")
    frame = pd.DataFrame(
        {Columns.User: user, Columns.Item: item, Columns.Weight: 1.0, Columns.Datetime: day}
    )
    return Dataset.construct(frame)


def _ease(validation: Side, test: Side) -> tuple[str, np.ndarray]:
    def fit(regularization: float) -> Callable[[Side], Scorer]:
        def fitted(side: Side) -> Scorer:
            seen = sparse.coo_matrix(side.seen)
            dataset = _dataset(seen.row, seen.col)
            weight = EASEModel(regularization=regularization).fit(dataset).weight
            known = np.asarray(dataset.item_id_map.external_ids, dtype=np.int64)

            def scores(asked: sparse.csr_matrix) -> np.ndarray:
                ones = sparse.csr_matrix(asked[:, known] > 0, dtype=np.float32)
                found = np.full(asked.shape, -np.inf, np.float32)
                found[:, known] = np.asarray(ones @ weight)
                return found

            return scores

        return fitted

    settings = [Setting(f"regularization {one:g}", fit(one)) for one in _REGULARIZATION]
    best = chosen(settings, validation)
    return f"{best.name}, chosen on validation", ranks(best, test)


def _transformer(
    test: Side, layers: type[TransformerLayersBase], width: int
) -> tuple[str, np.ndarray]:
    dataset = _dataset(test.query, test.item)
    users = np.unique(test.query)
    watched = set(users[:: max(1, len(users) // _WATCHED)].tolist())

    def held(frame: pd.DataFrame) -> np.ndarray:
        last = frame.groupby(Columns.User)[Columns.Datetime].rank(method="first", ascending=False)
        return np.asarray((last == 1) & frame[Columns.User].isin(watched))

    def trainer() -> Trainer:
        stop = EarlyStopping(monitor=SASRecModel.val_loss_name, patience=5)
        return Trainer(
            max_epochs=100,
            callbacks=[stop],
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
        )

    model = SASRecModel(
        n_factors=width, n_blocks=2, n_heads=1, dropout_rate=0.2, session_max_len=_LENGTH, lr=0.001,
        batch_size=128, loss="sampled_softmax", n_negatives=_NEGATIVES,
        transformer_layers_type=layers, get_trainer_func=trainer, get_val_mask_func=held,
    )  # fmt: skip
    model.fit(dataset)
    frame = model.recommend(
        users=users, dataset=dataset, k=10, filter_viewed=True, on_unsupported_targets="ignore"
    )
    rank = np.full(len(test.chosen), FAR)
    hit = frame[frame[Columns.Item].to_numpy() == test.chosen[frame[Columns.User].to_numpy()]]
    rank[hit[Columns.User].to_numpy()] = hit[Columns.Rank].to_numpy() - 1
    epochs = model.fit_trainer.current_epoch if model.fit_trainer else 0
    return (
        f"{width} factors, 2 blocks, the last {_LENGTH} items, {_NEGATIVES} negatives, {epochs} epochs",
        rank,
    )


main()
