"""What the customers of one segment say: the segment by customers, their words by insight."""

from __future__ import annotations

import narwhals as nw

from shopkeeper.core.operation import Context
from shopkeeper.core.period import Period
from shopkeeper.core.settings import Language
from shopkeeper.core.types import CannotSay
from shopkeeper.customers import rfm
from shopkeeper.customers.segments import definition, definitions
from shopkeeper.insight.reading.voices import voices
from shopkeeper.insight.types import Voices
from shopkeeper.report.types import SegmentVoices
from shopkeeper.shop.shop import Shop
from shopkeeper.warehouse.source import Frame, Source


def segment_voices(
    ctx: Context, segment: str, since: Period, k: int, lang: Language
) -> SegmentVoices:
    """See the operation of this name.

    Raises:
        UnknownName: no RFM segment has that name, and nobody was ever in a segment of that id.
    """
    members = _of_rfm(ctx.shop, segment) if segment in definitions() else _of(ctx.shop, segment)
    if not members:
        why = CannotSay(
            reason=f"Nobody is in the segment {segment!r} now.", needed="customers in it"
        )
        said = Voices(
            period=None, item_id=None, people=0, praise=(), objections=(), wishes=(), cannot_say=why
        )
    else:
        said = voices(ctx, since, None, members, k, lang)
    return SegmentVoices(segment=segment, members=len(members), voices=said)


def _of_rfm(shop: Shop, segment: str) -> frozenset[str]:
    days = shop.span()
    if days is None:
        return frozenset()
    rows = shop.query(
        lambda source: (
            rfm.table(source.events(days), days.end)
            .filter(nw.col("segment") == segment)
            .select("customer_id")
        )
    )
    return frozenset(rows["customer_id"].to_pylist())


def _of(shop: Shop, segment: str) -> frozenset[str]:
    """Who is in a segment that was stored, by its id."""

    def inside(source: Source) -> Frame:
        return source.memberships().filter(nw.col("segment") == segment)

    rows = shop.query(lambda source: inside(source).select("customer_id", "valid_to")).to_pylist()
    if not rows:
        definition(segment)  # neither a stored nor an RFM segment: says which there are
    return frozenset(one["customer_id"] for one in rows if one["valid_to"] is None)
