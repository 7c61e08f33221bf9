"""Fitted mixtures on disk: versions in the shop's folder, the newest whole one serves.

A version holds weights between items and item ids, nothing of a customer. It was learned from
customers all the same: erasing somebody removes every version, and one that was fitted under other
restrictions than today's is not served.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import sparse

from shopkeeper.core import discovery
from shopkeeper.core.errors import Corrupt, NotFound
from shopkeeper.recommend.fitting import heads as recipes
from shopkeeper.recommend.heads.base import FittedHead
from shopkeeper.recommend.mixture import Mixture
from shopkeeper.tasks import arrays

FOLDER: Final = "models/recommend"
KIND: Final = "recommend.mixture"
_KEPT: Final = 2
_PART: Final = ".part-"
_CSR: Final = ("data", "indices", "indptr")

Array = NDArray[Any]


@dataclass(frozen=True)
class Published:
    """A mixture with the items that its positions mean; ``again`` says which are bought repeatedly."""

    version: str
    mixture: Mixture
    item_ids: pa.Array
    again: NDArray[np.bool_]
    validated: int
    restricted: int


def publish(folder: Path, found: Published, at: datetime) -> str:
    """Write it as the newest version below ``folder``; its name. The last but one stays for roll-back."""
    name = f"{at:%Y%m%dT%H%M%S%f}"
    card = {
        "kind": KIND,
        "heads": list(found.mixture.heads),
        "recipes": {one: repr(head) for one, head in recipes().items()},
        "sharpness": dict(found.mixture.sharpness),
        "buckets": list(found.mixture.buckets),
        "validated": found.validated,
        "restricted": found.restricted,
        "fitted_at": at.isoformat(),
    }
    parts = {
        f"{head}.{key}": value
        for head, fitted in found.mixture.heads.items()
        for key, value in _taken_apart(fitted)
    }
    parts["weights"] = found.mixture.weights
    parts["again"] = found.again
    parts["item_ids"] = np.array(found.item_ids.to_pylist(), dtype=np.str_)
    for left in folder.glob(f"{_PART}*"):  # a death half-way left it
        shutil.rmtree(left)
    arrays.save(folder / f"{_PART}{name}", card, parts)
    (folder / f"{_PART}{name}").rename(folder / name)
    for old in versions(folder)[_KEPT:]:
        shutil.rmtree(folder / old)
    return name


def versions(folder: Path) -> list[str]:
    """The versions that are there, newest first; some may be damaged."""
    there = (path.name for path in folder.glob("*") if path.is_dir())
    return sorted((name for name in there if not name.startswith(_PART)), reverse=True)


def newest(folder: Path) -> Published | None:
    """The newest version that is whole; None: there is none."""
    for name in versions(folder):
        try:
            return load(folder / name)
        except (Corrupt, NotFound):
            continue  # the last good one serves
    return None


def load(folder: Path) -> Published:
    """One version.

    Raises:
        Corrupt: a file is damaged, or the heads of this release are other ones.
        NotFound: there is no model in the folder.
    """
    card, parts = arrays.load(folder, KIND)
    known = {one: repr(head) for one, head in recipes().items()}
    if card["recipes"] != known:
        raise Corrupt(
            f"The model {folder.name!r} was fitted by another release.",
            hint="Fit again: shopkeeper recommend fit",
        )
    heads = {name: _put_together(name, parts) for name in card["heads"]}
    mixture = Mixture(heads, card["sharpness"], parts["weights"], tuple(card["buckets"]))
    return Published(
        folder.name,
        mixture,
        pa.array(parts["item_ids"].tolist(), pa.string()),
        parts["again"],
        card["validated"],
        card["restricted"],
    )


def remove(folder: Path) -> int:
    """Remove every version; how many."""
    gone = [*versions(folder), *(path.name for path in folder.glob(f"{_PART}*"))]
    for name in gone:
        shutil.rmtree(folder / name)
    return len(gone)


def _taken_apart(fitted: FittedHead) -> Iterator[tuple[str, Array]]:
    """The arrays of a fitted head by name; a sparse matrix is three and its shape."""
    assert is_dataclass(fitted)  # noqa: S101 - heads/ keeps to it: a contract test
    for field in fields(fitted):
        value = getattr(fitted, field.name)
        if isinstance(value, sparse.csr_array):
            yield f"{field.name}.data", value.data.astype(np.float32)
            yield f"{field.name}.indices", value.indices.astype(np.int32)
            yield f"{field.name}.indptr", value.indptr.astype(np.int64)
            yield f"{field.name}.shape", np.array(value.shape, np.int64)
        elif isinstance(value, np.ndarray):
            yield field.name, value


def _put_together(name: str, parts: Mapping[str, Array]) -> FittedHead:
    module = discovery.load("shopkeeper.recommend.heads", name, what="head")
    values: dict[str, Any] = {}
    for field in fields(module.FITTED):
        key = f"{name}.{field.name}"
        if key in parts:
            values[field.name] = parts[key]
        elif f"{key}.data" in parts:
            three = tuple(parts[f"{key}.{part}"] for part in _CSR)
            values[field.name] = sparse.csr_array(three, shape=tuple(parts[f"{key}.shape"]))
        else:
            values[field.name] = module.HEAD()
    made: FittedHead = module.FITTED(**values)
    return made
