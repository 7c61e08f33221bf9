"""Fitted mixtures on disk, version by version; :mod:`~shopkeeper.recommend.registry` says which serves.

A version holds weights between items and item ids, nothing of a customer. It was learned from
customers all the same: erasing somebody removes every version, and one that was fitted under other
restrictions than today's is not served.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError
from scipy import sparse

from shopkeeper.core import discovery
from shopkeeper.core.errors import Corrupt
from shopkeeper.recommend.behaviours import told
from shopkeeper.recommend.beside import MODELS
from shopkeeper.recommend.clusters import Clusters
from shopkeeper.recommend.confidence import Confidence
from shopkeeper.recommend.heads.base import FittedHead
from shopkeeper.recommend.mixture import Mixture
from shopkeeper.tasks import arrays

FOLDER: Final = MODELS
KIND: Final = "recommend.mixture"
_PART: Final = ".part-"
_CSR: Final = ("data", "indices", "indptr")
_CLUSTERS: Final = "clusters."
_CONFIDENCE: Final = "confidence."
_HEADS: Final = "shopkeeper.recommend.heads"

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
    clusters: Mapping[str, Clusters] = field(default_factory=dict)


def publish(folder: Path, found: Published, at: datetime) -> str:
    """Write it as a version below ``folder``; its name."""
    name = f"{at:%Y%m%dT%H%M%S%f}"
    card = {
        "kind": KIND,
        "heads": list(found.mixture.heads),
        "recipes": {one: _told(one, head) for one, head in found.mixture.heads.items()},
        "sharpness": dict(found.mixture.sharpness),
        "behaviours": {one: told(head) for one, head in found.mixture.heads.items() if told(head)},
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
    parts |= {
        f"{_CLUSTERS}{head}.{name.name}": getattr(clusters, name.name)
        for head, clusters in found.clusters.items()
        for name in fields(clusters)
    }
    parts["weights"] = found.mixture.weights
    if found.mixture.confidence is not None:
        parts |= {f"{_CONFIDENCE}{n}": value for n, value in vars(found.mixture.confidence).items()}
    parts["again"] = found.again
    parts["item_ids"] = np.array(found.item_ids.to_pylist(), dtype=np.str_)
    for left in folder.glob(f"{_PART}*"):  # a death half-way left it
        shutil.rmtree(left)
    arrays.save(folder / f"{_PART}{name}", card, parts)
    (folder / f"{_PART}{name}").rename(folder / name)
    return name


def versions(folder: Path) -> list[str]:
    """The versions that are there, newest first; some may be damaged."""
    there = (path.name for path in folder.glob("*") if path.is_dir())
    return sorted((name for name in there if not name.startswith(".")), reverse=True)


def load(folder: Path) -> Published:
    """One version; its arrays stay in their files, so that processes share the memory.

    Raises:
        Corrupt: a file is damaged, or the heads of this release are other ones.
        NotFound: there is no model in the folder.
    """
    card, parts = arrays.load(folder, KIND, mapped=True)
    heads = {
        name: _put_together(name, _recipe(folder, name, card), parts) for name in card["heads"]
    }
    buckets, confidence = tuple(card["buckets"]), _confidence(parts)
    mixture = Mixture(heads, card["sharpness"], parts["weights"], buckets, confidence)
    return Published(
        folder.name,
        mixture,
        pa.array(parts["item_ids"].tolist(), pa.string()),
        parts["again"],
        card["validated"],
        card["restricted"],
        {name: _grouped(name, parts) for name in card["heads"] if _is_grouped(name, parts)},
    )


def remove(folder: Path) -> int:
    """Remove every version, and what a fit under way has kept; how many there were."""
    gone = len(list(folder.glob("*"))) if folder.exists() else 0
    shutil.rmtree(folder, ignore_errors=True)
    return gone


def _taken_apart(fitted: FittedHead) -> Iterator[tuple[str, Array]]:
    """The arrays of a fitted head by name; a sparse matrix is three and its shape."""
    assert is_dataclass(fitted)  # noqa: S101 - heads/ keeps to it: a contract test
    for one in fields(fitted):
        value = getattr(fitted, one.name)
        if isinstance(value, sparse.csr_array):
            yield f"{one.name}.data", value.data.astype(np.float32)
            yield f"{one.name}.indices", value.indices.astype(np.int32)
            small = len(value.data) < np.iinfo(np.int32).max
            yield f"{one.name}.indptr", value.indptr.astype(np.int32 if small else np.int64)
            yield f"{one.name}.shape", np.array(value.shape, np.int64)
        elif isinstance(value, np.ndarray):
            yield one.name, value
        elif isinstance(value, Mapping):
            yield from ((f"{one.name}.{key}", part) for key, part in value.items())


def _told(name: str, fitted: FittedHead) -> dict[str, Any]:
    """The recipe of a fitted head as JSON; of one that needs none any more that of this release."""
    return _values(getattr(fitted, "recipe", None) or _module(name).HEAD())


def _values(recipe: Any) -> dict[str, Any]:
    passing = {one.name for one in fields(recipe) if not one.compare}
    made: dict[str, Any] = TypeAdapter(type(recipe)).dump_python(
        recipe, mode="json", exclude=passing
    )
    return made


def _recipe(folder: Path, name: str, card: Mapping[str, Any]) -> Any:
    """The recipe that a head was fitted by.

    Raises:
        Corrupt: this release knows no such head, or another one by that name: other parameters or, in a
            field that cannot be given, another procedure.
    """
    told = card["recipes"].get(name)
    if name in discovery.names(_HEADS):
        with suppress(ValidationError):
            recipe = TypeAdapter(_module(name).HEAD).validate_python(told)
            if _values(recipe) == told:
                return recipe
    raise Corrupt(
        f"The model {folder.name!r} was fitted by another release.",
        hint="Fit again: shopkeeper recommend fit",
    )


def _put_together(name: str, recipe: Any, parts: Mapping[str, Array]) -> FittedHead:
    module = _module(name)
    values: dict[str, Any] = {}
    for one in fields(module.FITTED):
        key = f"{name}.{one.name}"
        below = {path[len(key) + 1 :]: v for path, v in parts.items() if path.startswith(f"{key}.")}
        if key in parts:
            values[one.name] = parts[key]
        elif set(_CSR) <= below.keys():
            three = tuple(below[part] for part in _CSR)
            values[one.name] = sparse.csr_array(three, shape=tuple(below["shape"]))
        elif one.default_factory is MISSING:  # else it is younger than the version
            values[one.name] = below or recipe
    made: FittedHead = module.FITTED(**values)
    return made


def _confidence(parts: Mapping[str, Array]) -> Confidence | None:
    names = [f"{_CONFIDENCE}{one.name}" for one in fields(Confidence)]
    return Confidence(*(parts[name] for name in names)) if names[0] in parts else None


def _is_grouped(name: str, parts: Mapping[str, Array]) -> bool:
    return f"{_CLUSTERS}{name}.centres" in parts


def _grouped(name: str, parts: Mapping[str, Array]) -> Clusters:
    return Clusters(*(parts[f"{_CLUSTERS}{name}.{one.name}"] for one in fields(Clusters)))


def _module(name: str) -> ModuleType:
    return discovery.load(_HEADS, name, what="head")
