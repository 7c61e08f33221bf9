"""A published mixture over items that came into the catalogue after it was fitted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from shopkeeper.recommend.clusters import Clusters
from shopkeeper.recommend.goods import goods
from shopkeeper.recommend.heads.base import Matrix, Tower
from shopkeeper.recommend.published import Published


def grown(published: Published, items: Mapping[str, Mapping[str, Any]]) -> Published:
    """With the items of the catalogue that it does not know, at the end.

    The text head compares their words with those of all others; to the other heads they are items that
    nobody has chosen. The next fit learns them properly.
    """
    known = set(published.item_ids.to_pylist())
    fresh = pa.array(sorted(item for item in items if item not in known), pa.string())
    if not len(fresh):
        return published
    new = goods(fresh, items)
    heads = {name: head.grown(new) for name, head in published.mixture.heads.items()}
    clusters = {}
    for name, groups in published.clusters.items():
        head = heads[name]
        assert isinstance(head, Tower)  # noqa: S101 - only these are grouped
        clusters[name] = _with_group(groups, head.table[-len(fresh) :])
    return replace(
        published,
        mixture=replace(published.mixture, heads=heads),
        item_ids=pa.concat_arrays([published.item_ids, fresh]),
        again=np.concatenate([published.again, np.zeros(len(fresh), dtype=bool)]),
        clusters=clusters,
    )


def _with_group(groups: Clusters, rows: Matrix) -> Clusters:
    """With the new items as one more group: they are all alike as yet."""
    centre = rows.mean(axis=0)
    count = len(groups.items)
    return Clusters(
        np.concatenate([groups.centres, centre[None]]),
        np.append(groups.spread, np.float32(((rows - centre) ** 2).sum(axis=1).mean())),
        np.concatenate([groups.items, np.arange(count, count + len(rows), dtype=np.int32)]),
        np.append(groups.starts, groups.starts[-1] + len(rows)),
        np.concatenate([groups.table, rows]),
    )
