"""What the file of a kind of model holds. It is light: what takes long to load is in ``engines``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from shopkeeper.language.types import Backend, Price


@dataclass(frozen=True, slots=True)
class Ready:
    """Whether a model could be opened here, and what is there or missing."""

    ok: bool
    says: str


class Plug(Protocol):
    """A module ``backends/<kind>.py``. ``NEEDS`` is what stands after the colon; empty: nothing may."""

    NEEDS: str

    def ready(self, model: str) -> Ready:
        """Whether it could be opened; nothing is loaded and nobody asked. ``model`` may be empty."""
        ...

    def price(self, model: str, declared: Price | None) -> Price | None:
        """What it costs: what the owner declared, or what is known by itself; None where nobody knows."""
        ...

    def open(self, model: str, price: Price | None) -> Backend:
        """The backend."""
        ...
