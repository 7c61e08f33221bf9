"""Refused rows as pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from shopkeeper.collect.types import RefusedRow, RefusedRows

if TYPE_CHECKING:
    from shopkeeper.shop.shop import Shop


def page(shop: Shop, import_id: str, *, limit: int, after: int, waiting: bool) -> RefusedRows:
    """The refused rows after number ``after``; ``waiting`` leaves out those imported since."""
    found = shop.imports.refused(import_id, limit=limit, after=after, waiting_only=waiting)
    rows = tuple(
        RefusedRow(
            number=row.number,
            row=row.row_number,
            field=row.field or "",
            reason=row.reason,
            hint=row.hint,
            raw=row.raw if isinstance(row.raw, str) else orjson.dumps(row.raw).decode(),
            retried_by=row.retried_by,
        )
        for row in found
    )
    more = rows[-1].number if len(rows) == limit else None
    return RefusedRows(import_id=import_id, rows=rows, next_after=more)
