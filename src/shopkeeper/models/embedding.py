"""Vectors of the shop's own texts, such as titles of items: asked for once, kept, within the budget.

Titles are the shop's and no customer's, so no consent is asked for; texts of customers do not come here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final

import numpy as np

from shopkeeper.core.errors import ModelFailed
from shopkeeper.language import tokens
from shopkeeper.language.budgeted import declared
from shopkeeper.language.embedding import AT_ONCE, Embedder, Vectors, open_embedder
from shopkeeper.models.backend import caps, month, prices
from shopkeeper.shop.shop import Shop
from shopkeeper.store.spending import Spending

FOLDER: Final = "models/embeddings"
PURPOSE: Final = "embeddings"
_LASTS: Final = timedelta(minutes=10)


def embedded(shop: Shop, spec: str, texts: Sequence[str]) -> Vectors:
    """One row a text, by the model ``spec``; a text that was asked before is not asked again.

    Raises:
        BadInput: the model makes no vectors, or its price, key or weights are missing.
        OverBudget: it could cost more than is left this month.
        ModelBusy, ModelFailed: it does not answer. What was answered until then is kept.
    """
    path = Path(shop.folder) / FOLDER / f"{hashlib.sha256(spec.encode()).hexdigest()[:16]}.npz"
    known = _read(path)
    keys = [hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest() for text in texts]
    missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
    if missing:
        embedder = open_embedder(spec, prices(shop))
        try:
            _ask(shop, embedder, missing, known)
        finally:
            embedder.close()
            _write(path, known)
    if not texts:
        return np.zeros((0, 1), np.float32)
    return np.stack([known[key] for key in keys]).astype(np.float32)


def _ask(
    shop: Shop, embedder: Embedder, missing: dict[str, str], known: dict[str, Vectors]
) -> None:
    price, ledger = declared(embedder.name, embedder.price), Spending(shop.database)
    whose = {"month": month(shop), "model": embedder.name, "purpose": PURPOSE}
    keys = list(missing)
    for start in range(0, len(keys), AT_ONCE):
        part = keys[start : start + AT_ONCE]
        texts = [missing[key] or " " for key in part]
        most = sum(tokens.most(text) for text in texts)
        held = ledger.reserve(
            caps(shop), whose, tokens=most, billionths=price.billionths(most, 0), lasts=_LASTS
        )
        try:
            found = embedder.embed(texts)
        except ModelFailed:
            ledger.settle_in_full(held, most)
            raise
        except BaseException:
            ledger.release(held)
            raise
        cost = price.billionths(found.tokens, 0)
        ledger.settle(held, tokens_in=found.tokens, tokens_out=0, billionths=cost)
        known.update(zip(part, found.vectors.astype(np.float16), strict=True))


def _read(path: Path) -> dict[str, Vectors]:
    """What was kept; a file that cannot be read is as none."""
    try:
        with np.load(path) as kept:
            return dict(zip(kept["keys"].tolist(), kept["vectors"], strict=True))
    except (OSError, ValueError, KeyError, EOFError):
        return {}


def _write(path: Path, known: dict[str, Vectors]) -> None:
    if not known:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    written = path.with_suffix(".part.npz")
    np.savez(written, keys=np.array(list(known)), vectors=np.stack(list(known.values())))
    written.replace(path)
