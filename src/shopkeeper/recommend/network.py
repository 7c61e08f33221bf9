"""The transformer of the head `sequence` in PyTorch: LiGR layers over item embeddings."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from shopkeeper.recommend.heads.sequence import DISTANCES, Sequence, distances


class Layer(nn.Module):
    """One LiGR layer: gated attention, then a gated SwiGLU."""

    def __init__(self, recipe: Sequence) -> None:
        super().__init__()
        width, self.heads = recipe.width, recipe.attention_heads
        self.attend, self.feed = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query, self.key, self.value, self.out = (_matrix(width, width) for _ in range(4))
        self.attend_gate, self.feed_gate = _matrix(width, width), _matrix(width, width)
        self.feed_in, self.feed_out = _matrix(width, 4 * width), _matrix(2 * width, width)
        self.distance = (
            nn.Parameter(torch.zeros(DISTANCES, self.heads)) if recipe.distances else None
        )
        self.dropout = nn.Dropout(recipe.dropout)

    def forward(self, x: Tensor, seen: Tensor) -> Tensor:
        """``x`` (rows, length, width); ``seen`` (rows, asked place, key place)."""
        mixed = self.attend(x)
        query, key, value = (self._split(mixed @ w) for w in (self.query, self.key, self.value))
        score = query @ key.transpose(2, 3) / query.shape[-1] ** 0.5
        if self.distance is not None:
            away = torch.from_numpy(distances(x.shape[1]))
            score = score + self.distance[away].permute(2, 0, 1)
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
    """The transformer over a catalogue of ``items``.

    ``sparse``: a step changes only the embeddings that it has used, for large catalogues.
    """

    def __init__(self, items: int, recipe: Sequence, *, sparse: bool = False) -> None:
        super().__init__()
        width = recipe.width
        self.items = nn.Embedding(items + 1, width, padding_idx=0, sparse=sparse)
        self.positions = nn.Parameter(torch.randn(recipe.length, width) * width**-0.5)
        nn.init.normal_(self.items.weight, std=width**-0.5)
        self.layers = nn.ModuleList(Layer(recipe) for _ in range(recipe.layers))
        self.end = nn.LayerNorm(width)
        self.dropout = nn.Dropout(recipe.dropout)

    def forward(self, item: Tensor) -> Tensor:
        """The state at each place of ``item`` (rows, length)."""
        length = item.shape[1]
        there = item > 0
        x = self.dropout(self.items(item) + self.positions[-length:]) * there[:, :, None]
        causal = torch.ones(length, length, dtype=torch.bool).tril()
        for layer in self.layers:
            x = layer(x, there[:, None, :] & causal)
        state: Tensor = self.end(x)
        return state

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """The weights by the names that :class:`FittedSequence` reads."""
        names = {"items.weight": "items"}
        return {
            names.get(key, key.replace("layers.", "layer")): value.detach().numpy().copy()
            for key, value in self.state_dict().items()
        }


def _matrix(rows: int, columns: int) -> nn.Parameter:
    return nn.Parameter(torch.randn(rows, columns) * rows**-0.5)
