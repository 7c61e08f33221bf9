"""Campaigns with their results and open suggestions, as the store keeps them: their folders are siblings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from shopkeeper.shop.shop import Shop
from shopkeeper.store.campaigns import Campaigns, Stored
from shopkeeper.store.suggestions import OPEN, Look, Suggestion, Suggestions

_CAMPAIGNS: Final = 12


@dataclass(frozen=True)
class Advised:
    """The newest campaigns that were started, and the open suggestions by rank; when they were found."""

    campaigns: tuple[Stored, ...]
    suggestions: tuple[Suggestion, ...]
    look: Look | None


def advised(shop: Shop) -> Advised:
    """What stands now."""
    kept = Suggestions(shop.database)
    started = [one for one in Campaigns(shop.database).all() if one.launched_at is not None]
    opened = sorted(kept.all((OPEN,)), key=lambda one: one.body["rank"])
    return Advised(tuple(started[:_CAMPAIGNS]), tuple(opened), kept.look())
