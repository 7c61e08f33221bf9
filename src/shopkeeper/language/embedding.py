"""Texts as vectors by a model: ``openai:<model>``, ``transformers:<folder>``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from shopkeeper.core import discovery
from shopkeeper.core.errors import BadInput
from shopkeeper.language.types import Price

Vectors = NDArray[np.float32]

AT_ONCE = 64
"""Texts of one question: the answer stays below a megabyte or two."""

_PLACE = "shopkeeper.language.backends"


@dataclass(frozen=True, slots=True)
class Embedded:
    """One row a text, and how many tokens they were counted as."""

    vectors: Vectors
    tokens: int


@runtime_checkable
class Embedder(Protocol):
    """A model that turns texts into vectors."""

    @property
    def name(self) -> str:
        """What it is opened by."""
        ...

    @property
    def price(self) -> Price | None:
        """What it costs; None where nobody has said."""
        ...

    def embed(self, texts: Sequence[str]) -> Embedded:
        """One vector a text, in their order; at most :data:`AT_ONCE` at once.

        Raises:
            ModelBusy: it may answer later.
            ModelFailed: it will not.
        """
        ...

    def close(self) -> None:
        """Give back connections and memory."""
        ...


class Plug(Protocol):
    """A file of ``backends`` whose kind of model can do this."""

    def price(self, model: str, declared: Price | None) -> Price | None: ...

    def open_embedder(self, model: str, price: Price | None) -> Embedder: ...


def open_embedder(spec: str, prices: Mapping[str, Price] | None = None) -> Embedder:
    """The embedder named ``<kind>:<model>``; ``prices`` are by model.

    Raises:
        UnknownName: no kind is called so; says what is near.
        BadInput: this kind makes no vectors, or a key or a file is missing.
        MissingExtra: it needs a library that is not installed.
    """
    kind, _, model = spec.strip().partition(":")
    module: Any = discovery.load(_PLACE, kind, what="kind of model")
    if not hasattr(module, "open_embedder") or not model.strip():
        raise BadInput(
            f"{spec!r} makes no vectors of texts.",
            hint="Write openai:<model> or transformers:<folder>; words: no model.",
            field="embeddings",
        )
    plug = cast("Plug", module)
    name = model.strip()
    return plug.open_embedder(name, plug.price(name, (prices or {}).get(name)))
