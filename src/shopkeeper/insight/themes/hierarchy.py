"""Themes in groups: the level above, made of themes that share words."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from shopkeeper.insight.themes.cluster import Labels
from shopkeeper.insight.themes.naming import relevance

_FEWEST = 4
"""So few themes need no level above them."""


def groups(counts: Any) -> Labels:
    """The group of each theme, numbered from 0; with fewer than four themes each is its own.

    Average linkage on the cosine of their class-based TF-IDF, cut to about the square root of the
    number of themes, times 1.5.

    Args:
        counts: (themes, words) how many texts of each theme have each word.
    """
    themes = len(counts)
    if themes < _FEWEST:
        return np.arange(themes)
    rows = np.sqrt(relevance(counts))  # the root keeps one common word from deciding alone
    lengths = np.linalg.norm(rows, axis=1)
    near = rows @ rows.T / np.maximum(np.outer(lengths, lengths), 1e-12)
    apart = np.clip(1 - near, 0, None)
    np.fill_diagonal(apart, 0)
    tree = linkage(squareform((apart + apart.T) / 2, checks=False), method="average")
    found = fcluster(tree, t=max(2, round(1.5 * themes**0.5)), criterion="maxclust")
    return np.asarray(np.unique(found, return_inverse=True)[1], np.int64)
