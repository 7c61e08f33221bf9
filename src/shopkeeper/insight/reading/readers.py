"""Who reads: the shop's own student of a task where there is one, the shipped reader elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from shopkeeper.core.errors import NotFound
from shopkeeper.insight.reading import interests
from shopkeeper.insight.reading.wishes import Wishes
from shopkeeper.shop.shop import Shop
from shopkeeper.store.models import Models
from shopkeeper.tasks.house import readers as house
from shopkeeper.tasks.registry import Registry
from shopkeeper.tasks.types import Solver

SENTIMENT: Final = "sentiment"
ASPECTS: Final = "aspects"
INTENTS: Final = "intents"
WISHES: Final = "wishes"
INTERESTS: Final = interests.TASK
TASKS: Final = (SENTIMENT, ASPECTS, WISHES, INTENTS, INTERESTS)
"""What is read of texts, each of the kinds that `run` names."""

LABELLED: Final = (SENTIMENT, INTENTS)
"""What people and models give one label a text for, and the shop can train a reader of its own."""

BY_HAND: Final = (*LABELLED, ASPECTS)
"""What people label in the queue: one label a text, or of aspects as many spans as it judges."""

POLARITY: Final = {"negative": -1.0, "neutral": 0.0, "positive": 1.0}

FOLDER: Final = "models/students"


def registry(shop: Shop) -> Registry:
    """The shop's own students."""
    return Registry(Path(shop.folder) / FOLDER, Models(shop.database))


def reader(shop: Shop, task: str) -> Solver:
    """Who answers ``task`` in this shop now."""
    if task == WISHES:
        return Wishes()
    try:
        solver: Solver = registry(shop).current(task)
    except NotFound:
        solver = house.load(task)
    return interests.Permitted(solver) if task == INTERESTS else solver


def version_of(solver: Solver) -> str:
    """The version under which a solver's readings stand: of all its languages together."""
    return str(getattr(solver, "version", "")) or solver.name
