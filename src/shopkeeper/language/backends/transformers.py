"""Local weights in a folder, as Hugging Face's transformers saves them. Nothing leaves this machine."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from shopkeeper.core import discovery
from shopkeeper.core.errors import NotFound
from shopkeeper.language.backends.base import Ready
from shopkeeper.language.embedding import Embedder
from shopkeeper.language.types import FREE, Backend, Price

NEEDS = "folder"

_EXTRA = "train"
_LIBRARIES = ("torch", "transformers", "llguidance")


def ready(model: str) -> Ready:
    """Whether the libraries and the weights are there."""
    absent = [name for name in _LIBRARIES if find_spec(name) is None]
    if absent:
        return Ready(False, f"needs {', '.join(absent)}: pip install 'shopkeeper[{_EXTRA}]'")
    if not model:
        return Ready(True, "runs local weights: transformers:<folder>")
    if not _has_weights(Path(model).expanduser()):
        return Ready(False, f"there are no weights in {model}")
    return Ready(True, f"the weights in {model}; nothing leaves this machine")


def price(model: str, declared: Price | None) -> Price | None:  # noqa: ARG001 - as every backend
    """Nothing, unless the owner counts their own electricity."""
    return declared or FREE


def open(model: str, price: Price | None) -> Backend:  # noqa: A001 - as every backend
    """The weights, read into memory.

    Raises:
        NotFound: the folder holds none.
        MissingExtra: torch and transformers are not installed.
    """
    folder = _folder(model, "model")
    engine: Any = discovery.load(
        "shopkeeper.language.engines", "transformers", what="engine", extra=_EXTRA
    )
    backend: Backend = engine.Weights(model, folder, price)
    return backend


def open_embedder(model: str, price: Price | None) -> Embedder:
    """The weights of an encoder.

    Raises:
        NotFound: the folder holds none.
        MissingExtra: torch and transformers are not installed.
    """
    folder = _folder(model, "embeddings")
    engine: Any = discovery.load(
        "shopkeeper.language.engines", "transformers_vectors", what="engine", extra=_EXTRA
    )
    embedder: Embedder = engine.Embeddings(model, folder, price)
    return embedder


def _folder(model: str, field: str) -> Path:
    """Where the weights are, which ``field`` of the settings names."""
    folder = Path(model).expanduser()
    if not _has_weights(folder):
        raise NotFound(
            f"There are no weights in {folder}.",
            hint="It must hold config.json, a tokenizer and *.safetensors.",
            field=field,
        )
    return folder


def _has_weights(folder: Path) -> bool:
    return (folder / "config.json").is_file() and any(folder.glob("*.safetensors"))
