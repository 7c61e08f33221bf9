"""The customers behind a number as a segment: on a list as they are now."""

from __future__ import annotations

from itertools import count
from typing import Final

from shopkeeper.core.operation import Context
from shopkeeper.customers.segmenting.definition import OnList
from shopkeeper.customers.segmenting.saving import LIST_IDS, LONGEST, put_on_list, save
from shopkeeper.metrics.people import ids
from shopkeeper.metrics.types import Number
from shopkeeper.store.segments import Segment

REFRESH: Final = "customers.refresh_segments"


def of_number(ctx: Context, number: Number, name: str) -> Segment:
    """A segment of who is behind the number now, its members soon found; they stay, whatever they do.

    Its list has the segment's name, or with a number behind it where a list of that name is there.

    Raises:
        BadInput: nobody is behind the number, or more than a list takes at once.
    """
    shop = ctx.shop
    customers = ids(ctx, number, LIST_IDS)
    told = name.strip()[:LONGEST] or f"{number.kind} {shop.now().date()}"
    there = shop.segments.lists()
    free = next(one for one in _names(told) if one not in there)
    put_on_list(shop, free, customers, number.model_dump_json())
    made = save(shop, free, OnList(name=free), False, number.model_dump_json())
    shop.jobs.once(REFRESH, {}, ctx.actor.name, {"customers:write"})
    return made


def _names(told: str) -> list[str]:
    """The name, and the name with 2, 3 and so on behind it."""
    return [
        told,
        *(f"{told[: LONGEST - 5]} {n}" for n, _ in zip(count(2), range(998), strict=False)),
    ]
