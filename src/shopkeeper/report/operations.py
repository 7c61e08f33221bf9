"""What `report` can do."""

from __future__ import annotations

from shopkeeper.core.operation import WRITE, Context, operation
from shopkeeper.core.period import Period
from shopkeeper.core.settings import Language
from shopkeeper.report.types import Report


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
