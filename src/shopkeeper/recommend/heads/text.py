"""Text: items whose words are like those of a history. It knows an item that nobody has chosen yet."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from shopkeeper.recommend.covisit import top
from shopkeeper.recommend.heads.base import Affinities, Goods, Queries
from shopkeeper.recommend.history import History

_ROWS = 1024


@dataclass(frozen=True)
class Text:
    """Cosine of TF-IDF over words and pairs of words; the ``keep`` nearest of each item."""

    fade: float = 0.7
    recall: int = 20
    keep: int = 150
    rarest: int = 2
    commonest: float = 0.2

    def fit(self, history: History, goods: Goods) -> FittedText:
        """Compare the items' words; an item without words is like none."""
        size = len(history.item_ids)
        empty = sparse.csr_array((size, size), dtype=np.float32)
        if not any(goods.words):
            return FittedText(empty, self)
        vectors = _vectors(goods.words, self)
        blocks = []
        turned = sparse.csc_array(vectors.T)
        for start in range(0, size, _ROWS):
            block = sparse.csr_array(vectors[start : start + _ROWS] @ turned)
            rows = np.repeat(np.arange(block.shape[0]), np.diff(block.indptr))
            block.data[block.indices == rows + start] = 0.0
            blocks.append(top(block, self.keep))
        return FittedText(sparse.csr_array(sparse.vstack(blocks), dtype=np.float32), self)


def _vectors(words: tuple[str, ...], recipe: Text) -> sparse.csr_array:
    from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: PLC0415 - 5 s, only to fit

    least = recipe.rarest if len(words) > 100 else 1
    model = TfidfVectorizer(
        sublinear_tf=True,
        ngram_range=(1, 2),
        min_df=least,
        max_df=recipe.commonest if len(words) > 100 else 1.0,
        token_pattern=r"(?u)[^\W_]+",  # noqa: S106 - no password
        dtype=np.float32,
    )
    return sparse.csr_array(model.fit_transform(words))


@dataclass(frozen=True)
class FittedText:
    """Cosines (items x items) of the nearest."""

    weights: sparse.csr_array
    recipe: Text

    def affinities(self, queries: Queries) -> Affinities:
        """What reads like the latest items."""
        fed = queries.recalled(self.weights.shape[0], self.recipe.fade, self.recipe.recall)
        return sparse.csr_array(fed @ self.weights)


HEAD = Text
