"""The shop's segments, ready to run: other segments in their place, what no longer runs set aside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from shopkeeper.core.errors import ShopkeeperError
from shopkeeper.customers.segmenting.checking import check, resolved
from shopkeeper.customers.segmenting.compiling import Plan
from shopkeeper.customers.segmenting.definition import Definition
from shopkeeper.customers.segmenting.parsing import from_json
from shopkeeper.shop.shop import Shop
from shopkeeper.store.segments import LIVE, Segment, Version


@dataclass(frozen=True)
class Library:
    """Every segment that is not archived; ``runnable`` are the live ones without a problem."""

    segments: Mapping[str, Segment]
    versions: Mapping[str, Version]
    known: Mapping[str, Definition]
    runnable: Mapping[str, Definition]
    problems: Mapping[str, str]
    lists: Mapping[str, list[str]]

    @property
    def plan(self) -> Plan:
        """All that run, as one."""
        return Plan.of(self.runnable, self.lists)


def library(shop: Shop) -> Library:
    """The segments as they are now."""
    segments = {one.id: one for one in shop.segments.all()}
    versions = shop.segments.current()
    lists = shop.segments.lists()
    allowed = allowed_topics(shop)
    known: dict[str, Definition] = {}
    problems: dict[str, str] = {}
    for key, version in versions.items():
        try:
            known[key] = from_json(dict(version.definition))
        except ShopkeeperError as error:
            problems[key] = str(error)
    runnable: dict[str, Definition] = {}
    for key, definition in known.items():
        try:
            whole = resolved(definition, known, (key,))
            check(whole, lists, allowed)
        except ShopkeeperError as error:
            problems[key] = str(error)
            continue
        if segments[key].status == LIVE:
            runnable[key] = whole
    return Library(segments, versions, known, runnable, problems, lists)


def ready(shop: Shop, definition: Definition, segment: str | None = None) -> Definition:
    """A new definition with other segments in their place; ``segment`` is the one it is to be of.

    Raises:
        UnknownName: no such trait, list or segment.
        BadInput: it refers to itself, or asks what cannot be answered.
        NotAllowed: it is about a sensitive topic that is off.
    """
    there = library(shop)
    path = (segment,) if segment else ()
    whole = resolved(definition, there.known, path)
    check(whole, there.lists, allowed_topics(shop))
    return whole


def allowed_topics(shop: Shop) -> set[str]:
    """Sensitive topics that the owner has turned on."""
    return {one.name for one in shop.segments.permissions() if one.allowed}


def last_day(shop: Shop) -> date | None:
    """The last local day with events: what "the last 30 days" count back from."""
    days = shop.span()
    return days.end if days else None
