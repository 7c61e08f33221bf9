"""Pages of the rows behind a number."""

from __future__ import annotations

from typing import Final

import narwhals as nw

from shopkeeper.core.errors import BadInput
from shopkeeper.core.operation import Context
from shopkeeper.core.period import Period
from shopkeeper.core.types import CannotSay
from shopkeeper.metrics.behind import Chosen, behind
from shopkeeper.metrics.definitions import metric
from shopkeeper.metrics.dimensions import dimension, suited
from shopkeeper.metrics.types import Rows
from shopkeeper.metrics.units import Question
from shopkeeper.metrics.window import span, window
from shopkeeper.warehouse.source import Frame, Source

DEEPEST: Final = 100_000
"""The last row that a page may show: whoever wants more wants an export or a shorter period."""


def rows(
    ctx: Context, name: str, since: Period, by: str | None, value: str | None, page: int, size: int
) -> Rows:
    """See the operation of this name."""
    listed = metric(name)
    where = dimension(by) if by else None
    if where is not None:
        suited(listed, where)
    elif value is not None:
        raise BadInput("A group is named, but not by what.", hint="Give `by` as well.", field="by")
    if page * size > DEEPEST:
        raise BadInput(
            f"Page {page} of {size} rows lies beyond row {DEEPEST}.",
            hint="Ask for a shorter period or one group.",
            field="page",
        )
    seen = window(ctx, since)
    if isinstance(seen, CannotSay):
        return Rows(
            metric=name, period=None, behind=listed.behind, columns=(), rows=(), total=0, sums={},
            page=page, size=size, cannot_say=seen,
        )  # fmt: skip
    asked = Question((listed,), seen.days, seen.data, by=where)
    chosen = Chosen(where, (value,)) if where is not None else None
    columns: list[str] = []
    added: list[str] = []

    def one_page(source: Source) -> Frame:
        found = behind(source, asked, chosen)
        columns[:] = found.columns
        ordered = found.frame.sort(*found.order, descending=list(found.descending), nulls_last=True)
        return ordered.select(*found.columns).head(page * size)

    def added_up(source: Source) -> Frame:
        found = behind(source, asked, chosen)
        added[:] = found.sums
        return found.frame.select(
            nw.len().alias("rows_in_all"),
            *(summed.alias(f"sum_{i}") for i, summed in enumerate(found.sums.values())),
        )

    shown = ctx.shop.query(one_page).slice((page - 1) * size).to_pylist()
    whole = ctx.shop.query(added_up).to_pylist()[0]
    return Rows(
        metric=name,
        period=span(seen.days),
        behind=listed.behind,
        columns=tuple(columns),
        rows=tuple(tuple(row[column] for column in columns) for row in shown),
        total=int(whole["rows_in_all"]),
        sums={name: float(whole[f"sum_{i}"] or 0.0) for i, name in enumerate(added)},
        page=page,
        size=size,
    )
