"""Takes an import back: the rows that carry its id leave the tables, and its receipt says so."""

from __future__ import annotations

from dataclasses import replace

from shopkeeper.collect import keep
from shopkeeper.collect.cells import literal
from shopkeeper.collect.types import Receipt, Undone
from shopkeeper.core.errors import Conflict
from shopkeeper.core.operation import Context
from shopkeeper.warehouse.rewriting import rewritten, without_text

_TABLES = ("texts", "traits", "events")
_STAYS = {
    "items": "items that it added or filled in",
    "customers": "customers that it added or changed",
}


def undo(ctx: Context, import_id: str) -> Undone:
    """Remove the import's rows. Safe to repeat after a crash: what is left is removed then.

    Raises:
        NotFound: there is no such import.
        Conflict: it is undone, has not ended, failed, changed no table of rows, or left no trace in them.
    """
    shop = ctx.shop
    with shop.writer(f"undo of {import_id}") as writer:
        stored = shop.imports.get(
            import_id
        )  # under the lease: two at once cannot both find it done
        receipt = keep.receipt_of(stored)
        _allow(receipt)
        writer.drain()
        condition = f"ends_with(source, {literal('#' + import_id)})"
        removed = {}
        for done, name in enumerate(_TABLES):
            ctx.progress(done, len(_TABLES), f"removing from {name}")
            count = rewritten(shop.warehouse, name, condition, {})
            if count:
                removed[name] = count
        if removed.get("texts"):
            without_text(shop.warehouse)
        told = f"Undone on {shop.now():%Y-%m-%d %H:%M} UTC: {sum(removed.values())} rows removed."
        after = receipt.model_copy(update={"status": "undone", "notes": (*receipt.notes, told)})
        details = {**stored.details, "receipt": after.model_dump(mode="json")}
        shop.imports.save(replace(stored, status="undone", details=details))
        writer.maintain()
    stays = tuple(what for table, what in _STAYS.items() if receipt.loaded.get(table))
    if receipt.importer == "segment":
        stays += ("links between ids that its calls made",)
    return Undone(import_id=import_id, removed=removed, stays=stays)


def _allow(receipt: Receipt) -> None:
    name = f"The import {receipt.import_id}"
    if receipt.status == "undone":
        raise Conflict(
            f"{name} has been undone already: nothing was changed.",
            hint="Import the file again if its rows are wanted.",
            field="import_id",
        )
    if receipt.status != "done":
        raise Conflict(
            f"{name} brought nothing: it {'failed' if receipt.status == 'failed' else 'has not ended'}.",
            hint="There is nothing to undo.",
            field="import_id",
        )
    if not any(receipt.loaded.get(table) for table in _TABLES):
        raise Conflict(
            f"{name} brought no events, texts or traits; changes of items and customers stay.",
            hint="Import the file as it was before, or delete the items one by one.",
            field="import_id",
        )
    if not receipt.traceable:
        raise Conflict(
            f"{name} is from a version that did not write down which import brought a row.",
            hint="Restore a backup from before it, or leave it.",
            field="import_id",
        )
