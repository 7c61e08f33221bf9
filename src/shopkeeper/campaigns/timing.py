"""When a campaign's messages are due: at one instant, or when each customer's own clock shows a time."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from shopkeeper.campaigns.types import Design
from shopkeeper.contact import addresses
from shopkeeper.contact.quiet import zone_of
from shopkeeper.core.settings import Settings
from shopkeeper.store.batches import batches
from shopkeeper.store.database import Database
from shopkeeper.store.reach import Reach, reading

_FIRST: Final = "Pacific/Kiritimati"
"""Where clocks are ahead of all others."""
_PAGE: Final = 10_000


def due(design: Design, settings: Settings, zone: str = "") -> datetime | None:
    """The instant at which a customer of that zone is due; None: as soon as can be.

    Of a time that a clock shows twice in a night it is the first; one that no clock shows is as long after
    the change as it would have been after midnight.
    """
    if design.starts_at is None:
        return None
    if not design.local_time:
        return design.starts_at.astimezone(UTC)
    wall = design.starts_at.astimezone(settings.zone).replace(tzinfo=None, fold=0)
    return wall.replace(tzinfo=zone_of(zone, settings.time_zone)).astimezone(UTC)


def begins(design: Design, settings: Settings) -> datetime | None:
    """When the first customer can be due; None: at once."""
    return due(design, settings, _FIRST)


def waves(design: Design, settings: Settings, database: Database, ids: Iterable[str]) -> list[str]:
    """The instants at which somebody of these is due, in order; one of "" where all are due at once."""
    if not design.local_time:
        return [""]
    found: set[datetime] = set()
    for page in batches(ids, _PAGE):
        with reading(database) as reach:
            found.update(one for one in dues(design, settings, reach, page).values() if one)
    return [one.isoformat() for one in sorted(found)] or [""]


def dues(
    design: Design, settings: Settings, reach: Reach, ids: list[str]
) -> dict[str, datetime | None]:
    """When each of them is due."""
    traits = reach.traits(ids)
    by_zone: dict[str, datetime | None] = {}
    found = {}
    for one in ids:
        zone = addresses.zone(traits.get(one, {}))
        if zone not in by_zone:
            by_zone[zone] = due(design, settings, zone)
        found[one] = by_zone[zone]
    return found
