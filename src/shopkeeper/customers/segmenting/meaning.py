"""A definition in all its forms: canonical text, JSON, a sentence in each language, warnings."""

from __future__ import annotations

from shopkeeper.customers.segmenting.checking import unseen
from shopkeeper.customers.segmenting.definition import Definition
from shopkeeper.customers.segmenting.library import ready
from shopkeeper.customers.segmenting.printing import written
from shopkeeper.customers.segmenting.saying import sentence
from shopkeeper.customers.types import Meaning
from shopkeeper.shop.shop import Shop


def meaning(shop: Shop, definition: Definition, segment: str | None = None) -> Meaning:
    """The definition, checked; warns of events that the shop has never had.

    Raises:
        UnknownName: no such trait, list or segment.
        BadInput: it refers to itself, or asks what cannot be answered.
        NotAllowed: it is about a sensitive topic that is off.
    """
    whole = ready(shop, definition, segment)
    return shown(definition, tuple(unseen(whole, event_names(shop))))


def shown(definition: Definition, warnings: tuple[str, ...] = ()) -> Meaning:
    """The forms of a definition that was checked before."""
    return Meaning(
        text=written(definition),
        definition=definition.model_dump(mode="json"),
        en=sentence(definition, "en"),
        zh=sentence(definition, "zh"),
        warnings=warnings,
    )


def event_names(shop: Shop) -> list[str]:
    """The names of all events that the shop has ever had."""
    rows = shop.query(lambda source: source.events().select("name").unique())
    return sorted(rows["name"].to_pylist())
