"""What `report` can do."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from shopkeeper.core.operation import READ, WRITE, Context, operation
from shopkeeper.core.period import Period
from shopkeeper.core.settings import Language
from shopkeeper.report.types import Report, SegmentVoices

_QUARTER = Period("90d")

Few = Annotated[int, Field(ge=1, le=200)]


@operation(
    effect=WRITE,
    example={"since": "90d", "lang": "en"},
    job=True,
    reads=("metrics", "customers", "recommend", "collect", "insight"),
)
def run(
    ctx: Context, since: Period | None = None, lang: Language | None = None, out: str | None = None
) -> Report:
    """The report as one HTML file: figures, segments with advice, what customers say, what to do.

    By default over the last 90 days (all of a shorter history) beside those before, in the shop's first
    language, into ``reports/report-<lang>-<last day>.html`` of the shop's folder; from outside this
    machine ``out`` names a file in ``reports``.
    """
    from shopkeeper.report.run import run as verb

    return verb(ctx, since, lang, out)


@operation(effect=READ, example={"segment": "champions"}, reads=("customers", "insight"))
def segment_voices(
    ctx: Context, segment: str, since: Period = _QUARTER, k: Few = 5, lang: Language = "en"
) -> SegmentVoices:
    """What the customers of one segment praise, object to and wish for, in their own words.

    ``segment`` is the name of an RFM segment (champions, at_risk …) or the id of a segment of the shop's.
    """
    from shopkeeper.report.segment import segment_voices as verb

    return verb(ctx, segment, since, k, lang)
