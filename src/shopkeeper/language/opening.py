"""Backends by what people write: ``openai:<model>``, ``transformers:<folder>`` and the like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from shopkeeper.core import discovery
from shopkeeper.core.errors import BadInput
from shopkeeper.language.backends.base import Plug, Ready
from shopkeeper.language.types import Backend, Price

_PLACE = "shopkeeper.language.backends"


def kinds() -> list[str]:
    """The kinds of backend there are."""
    return discovery.names(_PLACE)


def open_backend(spec: str, prices: Mapping[str, Price] | None = None) -> Backend:
    """The backend named ``<kind>:<model>``, not guarded yet; ``prices`` are by model.

    Raises:
        UnknownName: no kind is called so; says what is near.
        BadInput: a key, a file or a model's name is missing; says which.
        MissingExtra: it needs a library that is not installed.
    """
    plug, model = _plug(spec)
    return plug.open(model, plug.price(model, (prices or {}).get(model)))


def ready(spec: str) -> Ready:
    """Whether the backend could be opened here, found out without loading it or asking anybody.

    Of a kind alone (``openai``) it says whether one of them could be.
    """
    if spec in kinds():
        return _kind(spec).ready("")
    plug, model = _plug(spec)
    return plug.ready(model)


def price_of(spec: str, prices: Mapping[str, Price]) -> Price | None:
    """What the backend costs; None where nobody has said. Of a kind alone, what each of them does."""
    if spec in kinds():
        return _kind(spec).price("", None)
    plug, model = _plug(spec)
    return plug.price(model, prices.get(model))


def _plug(spec: str) -> tuple[Plug, str]:
    kind, colon, model = spec.strip().partition(":")
    plug = _kind(kind)
    if plug.NEEDS and not model.strip():
        raise BadInput(
            f"{spec!r} does not say which model.",
            hint=f"Write {kind}:<{plug.NEEDS}>.",
            field="model",
        )
    if colon and not plug.NEEDS:
        raise BadInput(f"{kind} takes nothing after it.", hint=f"Write {kind}.", field="model")
    return plug, model.strip()


def _kind(name: str) -> Plug:
    return cast("Plug", discovery.load(_PLACE, name, what="kind of model"))
