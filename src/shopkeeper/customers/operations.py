"""What `customers` can do."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import Field

from shopkeeper.core.operation import READ, WRITE, Context, operation
from shopkeeper.core.settings import Language
from shopkeeper.customers.types import Identities, Members, Placement, Rfm

Offset = Annotated[int, Field(ge=0)]
Limit = Annotated[int, Field(ge=1, le=1000)]


@operation(effect=READ, example={"lang": "en"})
def rfm(ctx: Context, as_of: date | None = None, lang: Language = "en") -> Rfm:
    """The RFM segments: how many customers, how much revenue, and what to do for each.

    As of the last day of data, or of ``as_of``; definitions stand in the reply.
    """
    from shopkeeper.customers.summary import segments

    return segments(ctx.shop, as_of, lang)


@operation(effect=READ, example={"segment": "champions", "limit": 5})
def members(
    ctx: Context, segment: str, offset: Offset = 0, limit: Limit = 50, lang: Language = "en"
) -> Members:
    """The customers of one RFM segment with their figures and scores, those worth most first."""
    from shopkeeper.customers.summary import members as page

    return page(ctx.shop, segment, (offset, limit), lang)


@operation(effect=READ, example={"customer_id": "C1"})
def segment(ctx: Context, customer_id: str, lang: Language = "en") -> Placement:
    """The RFM segment of one customer, with the reasons in words."""
    from shopkeeper.customers.summary import placement

    return placement(ctx.shop, customer_id, lang)


@operation(effect=READ, example={"customer_id": "C1"})
def identities(ctx: Context, customer_id: str) -> Identities:
    """The ids that stood for one customer, devices and merged accounts alike, each with its periods."""
    from shopkeeper.customers.identity import identities as known

    return known(ctx.shop, customer_id)


@operation(effect=WRITE, example={"sent_id": "device-1"})
def undo_identity(ctx: Context, sent_id: str) -> Identities:
    """Take back what was last said about an id; what was said before holds again.

    Nothing is rewritten: from the next copy of the identities on, queries count its events so.
    """
    from shopkeeper.customers.identity import undo

    return undo(ctx.shop, ctx.actor, sent_id)
