"""Trains the sequence head with PyTorch; what comes out are arrays that NumPy serves."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.optim import Adam, Optimizer, SparseAdam

from shopkeeper.recommend.heads.base import Matrix
from shopkeeper.recommend.heads.latent import Latent
from shopkeeper.recommend.heads.sequence import Sequence
from shopkeeper.recommend.history import History, Ints
from shopkeeper.recommend.likelihood import Loss, loss
from shopkeeper.recommend.linear import DENSE
from shopkeeper.recommend.network import Network
from shopkeeper.recommend.together import joint, leading, unit
from shopkeeper.tasks import arrays

_SMALL = 2000
"""Items up to which one thread is faster than several that wait for each other."""
_BATCHES, _FEWEST = 150, 8
"""Batches in an epoch, at least, as long as each has so many customers."""
_LOGITS = 8_000_000
"""That are held at once when held-out choices are ranked: 32 MB."""


@dataclass
class Run:
    """A training and where it stands; :meth:`keep` and :meth:`resume` carry it over an interruption."""

    network: Network
    optimisers: list[Optimizer]
    best: dict[str, NDArray[np.float32]]
    epoch: int = 0
    most: float = -np.inf
    waited: int = 0

    def keep(self, path: Path) -> None:
        """Write everything that the next epoch needs."""
        path.parent.mkdir(parents=True, exist_ok=True)
        state = {
            "network": self.network.state_dict(),
            "optimisers": [one.state_dict() for one in self.optimisers],
            "best": {name: torch.from_numpy(value) for name, value in self.best.items()},
            "run": [self.epoch, self.most, self.waited],
        }
        torch.save(state, path.with_suffix(".part"))
        path.with_suffix(".part").replace(path)

    def resume(self, path: Path) -> None:
        """Go on from what :meth:`keep` wrote; a file that cannot be read is as none."""
        try:
            state = torch.load(path, weights_only=True)  # tensors and numbers, no code
        except (OSError, RuntimeError, pickle.UnpicklingError, EOFError):
            return
        self.network.load_state_dict(state["network"])
        for one, kept in zip(self.optimisers, state["optimisers"], strict=True):
            one.load_state_dict(kept)
        self.best = {name: value.numpy() for name, value in state["best"].items()}
        self.epoch, self.most, self.waited = state["run"]


def train(history: History, recipe: Sequence) -> dict[str, NDArray[np.float32]]:
    """The weights after the epoch that ranked held-out choices best."""
    threads = torch.get_num_threads()
    if len(history.item_ids) < _SMALL:
        torch.set_num_threads(1)
    try:
        return _trained(history, recipe)
    finally:
        torch.set_num_threads(threads)


def _trained(history: History, recipe: Sequence) -> dict[str, NDArray[np.float32]]:
    torch.manual_seed(recipe.seed)
    random = np.random.default_rng(recipe.seed)
    starts = np.flatnonzero(np.r_[True, np.diff(history.customer) != 0])
    ends = np.r_[starts[1:], len(history.customer)]
    long = np.flatnonzero(ends - starts >= 2) if len(history.customer) else starts[:0]
    size = len(history.item_ids)
    network = Network(size, recipe, sparse=size > DENSE)
    run = Run(network, _optimisers(network, recipe.learning_rate), network.arrays())
    if not len(long):
        return run.best
    tested = random.permutation(long)[: min(recipe.held_out, len(long) // 4 + 1)]
    held = np.zeros(len(starts), dtype=bool)
    held[tested] = len(long) > 1
    kept = _kept(history, recipe)
    with torch.no_grad():
        network.items.weight[1:] = torch.from_numpy(_start(history, recipe.width))
    if kept is not None:
        run.resume(kept)
    while run.epoch < recipe.epochs and run.waited < recipe.patience:
        _epoch(run, history, (starts, ends - held, long), recipe)
        now = _held_out(network, history, (starts[tested], ends[tested]), recipe)
        run.waited = 0 if now > run.most else run.waited + 1
        if now > run.most:
            run.most, run.best = now, network.arrays()
        if kept is not None:
            run.keep(kept)
        if recipe.tell is not None:
            recipe.tell(f"sequence: epoch {run.epoch}, NDCG@10 {now:.4f} on held-out choices")
    return run.best


def _optimisers(network: Network, rate: float) -> list[Optimizer]:
    """Adam; where embeddings are sparse, one of its own for them."""
    items = network.items.weight
    if not network.items.sparse:
        return [Adam(network.parameters(), lr=rate)]
    rest = [weights for weights in network.parameters() if weights is not items]
    return [SparseAdam([items], lr=rate), Adam(rest, lr=rate)]


def _start(history: History, width: int) -> Matrix:
    """(items x width) where the embeddings begin: items that are chosen together lie together.

    From there seven passes over Beauty reach what thirty do not reach from random places.
    """
    recipe = Latent()
    answer = np.zeros((len(history.item_ids), width), np.float32)
    some = min(width, len(answer) - 1)
    if some > 0:
        left, values = leading(joint(history, recipe.damping, recipe.rows_per_customer), some)
        answer[:, :some] = unit(left * np.sqrt(values))
    return answer


def _kept(history: History, recipe: Sequence) -> Path | None:
    """The file of this training: of the same choices by the same recipe."""
    if recipe.checkpoints is None:
        return None
    name = arrays.version(history.customer, history.item, repr(recipe))
    return recipe.checkpoints / f"{name}.pt"


def _epoch(run: Run, history: History, spans: tuple[Ints, Ints, Ints], recipe: Sequence) -> None:
    """Every customer once. Chance is drawn from the epoch's number, so that a resumed run is the same."""
    starts, ends, long = spans
    torch.manual_seed(recipe.seed * 1_000_003 + run.epoch)
    random = np.random.default_rng([recipe.seed, run.epoch])
    run.network.train()
    lost = loss(history.item, len(history.item_ids), random)
    for rows in _batches(ends - starts, long, recipe, random):
        run.network.zero_grad()
        _backward(run.network, history, (starts[rows], ends[rows]), recipe.length, lost)
        for optimiser in run.optimisers:
            optimiser.step()
    run.epoch += 1


def _batches(
    lengths: Ints, rows: Ints, recipe: Sequence, random: np.random.Generator
) -> list[Ints]:
    """Rows of like length together, so that little is padding; in random order."""
    jitter = random.random(len(rows))
    order = rows[np.lexsort((jitter, np.minimum(lengths[rows], recipe.length)))]
    # Few customers make small batches: an epoch of fifty steps teaches little.
    size = max(_FEWEST, min(recipe.batch, len(rows) // _BATCHES))
    batches = [order[at : at + size] for at in range(0, len(order), size)]
    return [batches[place] for place in random.permutation(len(batches))]


def _backward(
    network: Network, history: History, spans: tuple[Ints, Ints], length: int, lost: Loss
) -> None:
    """Gradients of the mean cross-entropy of each next item."""
    item, chosen = _places(history, *spans, length)
    state = network(torch.from_numpy(item))
    asked = torch.from_numpy(chosen > 0)
    target = torch.from_numpy(chosen)[asked] - 1
    lost(state[asked], network.items, target).backward()  # type: ignore[no-untyped-call]


def _held_out(
    network: Network, history: History, spans: tuple[Ints, Ints], recipe: Sequence
) -> float:
    """NDCG@10 of each held-out choice among all items.

    Not the likelihood: that is best many epochs earlier, and what it loses later is overconfidence,
    which the mixture's sharpness takes back.
    """
    network.eval()
    total, rows = 0.0, max(1, min(512, _LOGITS // len(history.item_ids)))
    with torch.no_grad():
        for at in range(0, len(spans[0]), rows):
            part = (spans[0][at : at + rows], spans[1][at : at + rows])
            item, chosen = _places(history, *part, recipe.length)
            state = network(torch.from_numpy(item))[:, -1]
            logits = state @ network.items.weight[1:].T
            wanted = logits.gather(1, torch.from_numpy(chosen[:, -1:]) - 1)
            rank = (logits > wanted).sum(dim=1)
            total += float(torch.where(rank < 10, 1 / torch.log2(rank + 2), 0.0).sum())
    return total / len(spans[0])


def _places(history: History, first: Ints, stop: Ints, length: int) -> tuple[Ints, Ints]:
    """Right-aligned items and, at each place, the next one (0: nothing)."""
    counts = np.minimum(stop - first - 1, length)
    longest = max(int(counts.max()), 1)
    back = np.arange(longest - 1, -1, -1)
    there = back < counts[:, None]
    place = np.where(there, stop[:, None] - 2 - back, 0)
    item = np.where(there, history.item[place] + 1, 0)
    chosen = np.where(there, history.item[np.where(there, place + 1, 0)] + 1, 0)
    return item, chosen
