"""Everything the shop has about one customer, in one file that machines and people can read."""

from __future__ import annotations

import json
import secrets
import zipfile
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from shopkeeper.core.schema import TABLES
from shopkeeper.core.subject import Needles, Subject
from shopkeeper.governance.search import EXPORTS
from shopkeeper.governance.subjects import subjects
from shopkeeper.governance.types import Exported
from shopkeeper.shop.shop import Shop
from shopkeeper.store import erase as store
from shopkeeper.warehouse import whose as tables

_README = (
    "Everything that {shop} holds about one customer. data.json: one list of rows per table. "
    "fields.json: what each field means. Times are UTC; days and money are the shop's "
    "({zone}, {currency})."
)


def export(shop: Shop, customer_id: str) -> Exported:
    """Write the file; where it is and what it holds.

    Raises:
        NotFound: nothing is known of the customer.
    """
    [subject] = subjects(shop, [customer_id])
    rows = _rows(shop, subject)
    folder = shop.folder / EXPORTS
    folder.mkdir(exist_ok=True, mode=0o700)
    # The name of the file names nobody.
    path = folder / f"customer-{shop.now():%Y%m%d}-{secrets.token_hex(6)}.zip"
    about = _README.format(
        shop=shop.settings.name, zone=shop.settings.time_zone, currency=shop.settings.currency
    )
    fields = {
        table.name: {column.name: column.meaning for column in table} for table in TABLES.values()
    }
    path.touch(mode=0o600)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.txt", about + "\n")
        archive.writestr("fields.json", _json(fields))
        archive.writestr("data.json", _json(rows))
    counts = {name: len(found) for name, found in rows.items() if found}
    return Exported(file=str(path.relative_to(shop.folder)), bytes=path.stat().st_size, rows=counts)


def _rows(shop: Shop, subject: Subject) -> dict[str, list[dict[str, Any]]]:
    rows = tables.of(shop.warehouse, subject)
    rows |= store.of(shop.database, subject, Needles.of(subject), shop_moved(shop))
    return rows


def shop_moved(shop: Shop) -> int:
    """The position of the log up to which its rows are in the tables, and so exported already."""
    return shop.warehouse.tables["events"].position("intake")


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1, default=_plain)


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    raise TypeError(f"{type(value).__name__} has no JSON form")
