"""Trains the sequence head with PyTorch; what comes out are arrays that NumPy serves."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from shopkeeper.recommend.heads.sequence import GAPS, Sequence, buckets
from shopkeeper.recommend.history import History, Ints
from shopkeeper.tasks import arrays

_WORDS_AT_ONCE = 1500  # places whose logits are held at once: 1,500 x 12,000 items take 72 MB


class Layer(nn.Module):
    """One LiGR layer: gated attention with a bias by the time to the request, then a gated SwiGLU."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.attend, self.feed = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query, self.key, self.value, self.out = (_matrix(width, width) for _ in range(4))
        self.attend_gate, self.feed_gate = _matrix(width, width), _matrix(width, width)
        self.feed_in, self.feed_out = _matrix(width, 4 * width), _matrix(2 * width, width)
        self.gap = nn.Parameter(torch.zeros(GAPS, heads))
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, seen: Tensor, gap: Tensor) -> Tensor:
        """``x`` (rows, length, width); ``seen`` and ``gap`` (rows, asked place, key place)."""
        mixed = self.attend(x)
        query, key, value = (self._split(mixed @ w) for w in (self.query, self.key, self.value))
        score = query @ key.transpose(2, 3) / query.shape[-1] ** 0.5
        score = score + self.gap[gap].permute(0, 3, 1, 2)
        score = score.masked_fill(~seen[:, None], -1e9).softmax(dim=-1)
        attended = (self.dropout(score) @ value).transpose(1, 2).reshape(x.shape)
        x = x + torch.sigmoid(x @ self.attend_gate) * self.dropout(attended @ self.out)
        left, right = (self.feed(x) @ self.feed_in).chunk(2, dim=-1)
        fed = (nn.functional.silu(left) * right) @ self.feed_out
        answer: Tensor = x + torch.sigmoid(x @ self.feed_gate) * self.dropout(fed)
        return answer

    def _split(self, x: Tensor) -> Tensor:
        rows, length, width = x.shape
        return x.reshape(rows, length, self.heads, width // self.heads).transpose(1, 2)


class Network(nn.Module):
    """The transformer over a catalogue of ``items``."""

    def __init__(self, items: int, recipe: Sequence) -> None:
        super().__init__()
        width = recipe.width
        self.items = nn.Embedding(items + 1, width, padding_idx=0)
        self.positions = nn.Parameter(torch.randn(recipe.length, width) * width**-0.5)
        nn.init.normal_(self.items.weight, std=width**-0.5)
        self.layers = nn.ModuleList(
            Layer(width, recipe.attention_heads, recipe.dropout) for _ in range(recipe.layers)
        )
        self.end = nn.LayerNorm(width)
        self.dropout = nn.Dropout(recipe.dropout)

    def forward(self, item: Tensor, gap: Tensor) -> Tensor:
        """The state at each place: ``item`` (rows, length), ``gap`` (rows, length, length)."""
        length = item.shape[1]
        there = item > 0
        x = self.dropout(self.items(item) + self.positions[-length:]) * there[:, :, None]
        causal = torch.ones(length, length, dtype=torch.bool).tril()
        for layer in self.layers:
            x = layer(x, there[:, None, :] & causal, gap)
        state: Tensor = self.end(x)
        return state

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """The weights by the names that :class:`FittedSequence` reads."""
        names = {"items.weight": "items"}
        return {
            names.get(key, key.replace("layers.", "layer")): value.detach().numpy().copy()
            for key, value in self.state_dict().items()
        }


@dataclass
class Run:
    """A training and where it stands; :meth:`keep` and :meth:`resume` carry it over an interruption."""

    network: Network
    optimiser: torch.optim.Optimizer
    best: dict[str, NDArray[np.float32]]
    epoch: int = 0
    most: float = -np.inf
    waited: int = 0

    def keep(self, path: Path) -> None:
        """Write everything that the next epoch needs."""
        path.parent.mkdir(parents=True, exist_ok=True)
        state = {
            "network": self.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
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
        self.optimiser.load_state_dict(state["optimiser"])
        self.best = {name: value.numpy() for name, value in state["best"].items()}
        self.epoch, self.most, self.waited = state["run"]


def train(history: History, recipe: Sequence) -> dict[str, NDArray[np.float32]]:
    """The weights after the epoch that ranked held-out choices best."""
    torch.manual_seed(recipe.seed)
    random = np.random.default_rng(recipe.seed)
    starts = np.flatnonzero(np.r_[True, np.diff(history.customer) != 0])
    ends = np.r_[starts[1:], len(history.customer)]
    long = np.flatnonzero(ends - starts >= 2) if len(history.customer) else starts[:0]
    network = Network(len(history.item_ids), recipe)
    optimiser = torch.optim.Adam(network.parameters(), lr=recipe.learning_rate)
    run = Run(network, optimiser, network.arrays())
    if not len(long):
        return run.best
    tested = random.permutation(long)[: min(recipe.held_out, len(long) // 4 + 1)]
    held = np.zeros(len(starts), dtype=bool)
    held[tested] = len(long) > 1
    kept = _kept(history, recipe)
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


def _kept(history: History, recipe: Sequence) -> Path | None:
    """The file of this training: of the same choices by the same recipe."""
    if recipe.checkpoints is None:
        return None
    name = arrays.version(history.customer, history.item, history.time, repr(recipe))
    return recipe.checkpoints / f"{name}.pt"


def _epoch(run: Run, history: History, spans: tuple[Ints, Ints, Ints], recipe: Sequence) -> None:
    """Every customer once. Chance is drawn from the epoch's number, so that a resumed run is the same."""
    starts, ends, long = spans
    torch.manual_seed(recipe.seed * 1_000_003 + run.epoch)
    random = np.random.default_rng([recipe.seed, run.epoch])
    run.network.train()
    for rows in _batches(ends - starts, long, recipe, random):
        loss = _loss(run.network, history, (starts[rows], ends[rows]), recipe.length)
        run.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        run.optimiser.step()
    run.epoch += 1


def _batches(
    lengths: Ints, rows: Ints, recipe: Sequence, random: np.random.Generator
) -> list[Ints]:
    """Rows of like length together, so that little is padding; in random order."""
    jitter = random.random(len(rows))
    order = rows[np.lexsort((jitter, np.minimum(lengths[rows], recipe.length)))]
    batches = [order[at : at + recipe.batch] for at in range(0, len(order), recipe.batch)]
    return [batches[place] for place in random.permutation(len(batches))]


def _loss(network: Network, history: History, spans: tuple[Ints, Ints], length: int) -> Tensor:
    """Cross-entropy of each next item over the whole catalogue."""
    item, gap, chosen = _places(history, *spans, length)
    state = network(torch.from_numpy(item), torch.from_numpy(gap))
    asked = torch.from_numpy(chosen > 0)
    flat, target = state[asked], torch.from_numpy(chosen)[asked] - 1
    table = network.items.weight[1:]
    total = torch.zeros(())
    for at in range(0, len(target), _WORDS_AT_ONCE):
        logits = flat[at : at + _WORDS_AT_ONCE] @ table.T
        wanted = target[at : at + _WORDS_AT_ONCE]
        total = total + nn.functional.cross_entropy(logits, wanted, reduction="sum")
    return total / max(len(target), 1)


def _held_out(
    network: Network, history: History, spans: tuple[Ints, Ints], recipe: Sequence
) -> float:
    """NDCG@10 of each held-out choice among all items.

    Not the likelihood: that is best many epochs earlier, and what it loses later is overconfidence,
    which the mixture's sharpness takes back.
    """
    network.eval()
    total = 0.0
    with torch.no_grad():
        for at in range(0, len(spans[0]), 512):
            part = (spans[0][at : at + 512], spans[1][at : at + 512])
            item, gap, chosen = _places(history, *part, recipe.length)
            state = network(torch.from_numpy(item), torch.from_numpy(gap))[:, -1]
            logits = state @ network.items.weight[1:].T
            wanted = logits.gather(1, torch.from_numpy(chosen[:, -1:]) - 1)
            rank = (logits > wanted).sum(dim=1)
            total += float(torch.where(rank < 10, 1 / torch.log2(rank + 2), 0.0).sum())
    return total / len(spans[0])


def _places(history: History, first: Ints, stop: Ints, length: int) -> tuple[Ints, Ints, Ints]:
    """Right-aligned items, gaps to each place's next event, and those next items (0: nothing)."""
    counts = np.minimum(stop - first - 1, length)
    longest = max(int(counts.max()), 1)
    back = np.arange(longest - 1, -1, -1)
    there = back < counts[:, None]
    place = np.where(there, stop[:, None] - 2 - back, 0)
    item = np.where(there, history.item[place] + 1, 0)
    chosen = np.where(there, history.item[np.where(there, place + 1, 0)] + 1, 0)
    asked = history.time[np.where(there, place + 1, 0)]
    gap = buckets(asked[:, :, None] - history.time[place][:, None, :])
    return item, np.where(there[:, None, :], gap, 0), chosen


def _matrix(rows: int, columns: int) -> nn.Parameter:
    return nn.Parameter(torch.randn(rows, columns) * rows**-0.5)
