"""Operations of collect: bring data in, see what became of them, and how far they can be trusted."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from shopkeeper.collect.types import (
    Exported,
    Guessed,
    Health,
    Inspected,
    Mappings,
    Receipt,
    Receipts,
    RefusedRows,
    Undone,
)
from shopkeeper.core.operation import READ, WRITE, Context, operation

Limit = Annotated[int, Field(ge=1, le=1000)]


@operation(effect=WRITE, example={"path": "sales.csv", "mapping": "online-retail"}, job=True)
def import_file(
    ctx: Context, path: str, mapping: str = "", importer: str = "table", dry_run: bool = False
) -> Receipt:
    """A receipt of one file's import: rows new, duplicate, repaired (how) and refused (why).

    Safe to repeat: what is there already counts as duplicate. ``mapping`` is a shipped name, the path of
    one's own ``.toml``, or ``guessed``: what ``guess`` says of this file. The importers ``segment``, ``ga4``,
    ``shopify``, ``personalize`` and ``jsonld`` need none. ``dry_run`` shows the receipt and writes nothing.
    Over HTTP the path is a name in the shop's ``inbox``.
    """
    from shopkeeper.collect.importing import bring_file

    return bring_file(ctx, path, mapping_name=mapping, importer=importer, dry_run=dry_run)


@operation(effect=WRITE, example={"import_id": "20260131-120000-0a1b2c"}, job=True)
def retry(
    ctx: Context, import_id: str, mapping: str = "", values: dict[int, dict[str, str]] | None = None
) -> Receipt:
    """A receipt of importing refused rows again, with a corrected mapping or corrected values.

    ``values`` gives, by a refused row's number, the cells to put in place: ``{"7": {"price": "9.90"}}``.
    Rows refused once more keep waiting.
    """
    from shopkeeper.collect.importing import bring_again

    return bring_again(ctx, import_id, mapping_name=mapping, values=values or {})


@operation(effect=READ, example={})
def receipts(ctx: Context, limit: Limit = 50) -> Receipts:
    """The shop's imports, the newest first."""
    from shopkeeper.collect import keep

    return Receipts(receipts=tuple(keep.line_of(row) for row in ctx.shop.imports.list(limit)))


@operation(effect=READ, example={"import_id": "20260131-120000-0a1b2c"})
def receipt(ctx: Context, import_id: str) -> Receipt:
    """The receipt of one import, whole."""
    from shopkeeper.collect import keep

    return keep.receipt_of(ctx.shop.imports.get(import_id))


@operation(effect=READ, example={"import_id": "20260131-120000-0a1b2c"})
def refused(
    ctx: Context, import_id: str, limit: Limit = 100, after: int = 0, waiting: bool = False
) -> RefusedRows:
    """Rows that an import refused, whole, each with its field, the reason and what to do."""
    from shopkeeper.collect.refusals import page

    return page(ctx.shop, import_id, limit=limit, after=after, waiting=waiting)


@operation(effect=READ, example={})
def mappings(ctx: Context) -> Mappings:  # noqa: ARG001 - every operation is given one
    """The mappings, importers and file formats that come with Shopkeeper."""
    from shopkeeper.collect.catalogue import listed

    return listed()


@operation(effect=READ, example={})
def health(ctx: Context) -> Health:
    """How far the data can be trusted: counts, gaps, jumps, unknown items, refused rows, delays."""
    from shopkeeper.collect.health import examine

    return examine(ctx.shop)


@operation(effect=WRITE, example={"kind": "parquet", "name": "january"}, job=True)
def export(ctx: Context, kind: str, name: str = "") -> Exported:
    """The shop's data as files in its folder ``exports``: for Amazon Personalize, or as Parquet.

    ``kind`` is ``personalize`` or ``parquet``. The export appears whole or not at all.
    """
    from shopkeeper.collect.exporting import export

    return export(ctx, kind, name)


@operation(effect=WRITE, example={"import_id": "20260131-120000-0a1b2c"}, job=True)
def undo(ctx: Context, import_id: str) -> Undone:
    """Remove the events, texts and traits that one import brought; what an undo cannot take back is said.

    Items and customers stay as the import left them. The file can be imported again afterwards.
    """
    from shopkeeper.collect.undoing import undo

    return undo(ctx, import_id)


@operation(effect=READ, example={"path": "sales.csv"})
def inspect(ctx: Context, path: str) -> Inspected:
    """The columns of a file, with the kind and samples of what its first rows hold."""
    from shopkeeper.collect.inspecting import inspect

    return inspect(ctx, path)


@operation(effect=READ, example={"path": "sales.csv"})
def guess(ctx: Context, path: str) -> Guessed:
    """A mapping guessed from a file's column names (English, Chinese) and values, to be checked by a person.

    Save its text as a ``.toml``, correct it, and see what it does with ``import_file … dry_run``; or take it
    as it is with ``import_file … mapping=guessed``.
    """
    from shopkeeper.collect.guessing import guess

    return guess(ctx, path)
