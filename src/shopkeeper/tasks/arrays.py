"""Models on disk: arrays (.npy, never pickle) and one JSON file that knows their checksums."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from shopkeeper.core.errors import Corrupt, NotFound

Array = NDArray[Any]
CARD = "model.json"
_SELF = "card"
_HEAD = 128  # bytes before the values


def save(folder: Path, card: Mapping[str, Any], arrays: Mapping[str, Array]) -> None:
    """Write ``arrays`` and the ``card`` (what is not an array) into ``folder``, the card last.

    A death half-way leaves a folder without a valid card, which :func:`load` refuses.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CARD).unlink(missing_ok=True)
    sums = {}
    for name, array in arrays.items():
        path = folder / f"{name}.npy"
        np.save(path, array, allow_pickle=False)
        sums[name] = _checksum(path)
    sums[_SELF] = version(_canonical(card))
    text = json.dumps({**card, "checksums": sums}, ensure_ascii=False, indent=1)
    partial = folder / f"{CARD}.part"
    partial.write_text(text + "\n", "utf-8")
    partial.replace(folder / CARD)


def load(
    folder: Path, kind: str, *, mapped: bool = False
) -> tuple[dict[str, Any], dict[str, Array]]:
    """The card and the arrays of a model of this ``kind``.

    ``mapped`` arrays stay in their files and cannot be written to: processes share their memory.

    Raises:
        NotFound: there is no model in the folder.
        Corrupt: a file is damaged, missing, or belongs to another kind of model.
    """
    try:
        card = json.loads((folder / CARD).read_text("utf-8"))
        sums = dict(card.pop("checksums"))
        whole = sums.pop(_SELF) == version(_canonical(card))
    except FileNotFoundError as error:
        hint = "Train it, or give its folder."
        raise NotFound(f"There is no model in {folder.name!r}.", hint=hint) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _damaged(folder, CARD) from error
    if not whole:
        raise _damaged(folder, CARD)
    if card.get("kind") != kind:
        found = card.get("kind")
        raise Corrupt(f"{folder.name!r} holds a {found!r}, not a {kind!r}.", hint="Check the name.")
    return card, {name: _read(folder, name, str(total), mapped) for name, total in sums.items()}


def version(*parts: Array | str) -> str:
    """Twelve hexadecimal digits that change whenever one of the parts does."""
    digest = hashlib.sha256()
    for part in parts:
        raw = part.encode() if isinstance(part, str) else np.ascontiguousarray(part).tobytes()
        digest.update(len(raw).to_bytes(8, "big") + raw)
    return digest.hexdigest()[:12]


def _read(folder: Path, name: str, expected: str, mapped: bool) -> Array:
    path = folder / f"{name}.npy"
    if Path(name).name != name or not path.is_file() or _checksum(path) != expected:
        raise _damaged(folder, path.name)
    # A file without values cannot be mapped.
    mode: Literal["r"] | None = "r" if mapped and path.stat().st_size > _HEAD else None
    loaded: Array = np.load(path, allow_pickle=False, mmap_mode=mode)
    return loaded.view(np.ndarray)  # the subclass for maps makes each slice slow


def _canonical(card: Mapping[str, Any]) -> str:
    return json.dumps(card, sort_keys=True)


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _damaged(folder: Path, file: str) -> Corrupt:
    hint = "Train the model again, or take it from a backup; nothing was guessed."
    return Corrupt(f"The model {folder.name!r} is damaged: {file}.", hint=hint)
