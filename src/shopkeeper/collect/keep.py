"""Receipts and refused rows in the store."""

from __future__ import annotations

from collections.abc import Iterable

from shopkeeper.collect.mapping import Mapping
from shopkeeper.collect.request import Request
from shopkeeper.collect.tally import Refusal
from shopkeeper.collect.types import Receipt, ReceiptLine
from shopkeeper.core.errors import Corrupt
from shopkeeper.store import imports as store


def begin(request: Request) -> None:
    """Note that the import has started: a crash leaves it so, and it can be repeated."""
    request.shop.imports.save(
        store.Receipt(
            import_id=request.import_id,
            importer=request.importer,
            source=request.name,
            started_at=request.started_at,
            status="running",
            details=_details(request, None),
        )
    )


def kept(request: Request, receipt: Receipt, refused: Iterable[Refusal]) -> None:
    """Keep the receipt and every refused row, whole."""
    close(request, receipt)
    request.shop.imports.refuse(
        receipt.import_id,
        (store.Refusal(r.row, r.field, r.reason, r.hint, r.raw) for r in refused),
    )


def close(request: Request, receipt: Receipt) -> None:
    """Keep the receipt."""
    request.shop.imports.save(
        store.Receipt(
            import_id=receipt.import_id,
            importer=receipt.importer,
            source=receipt.file,
            started_at=receipt.started_at,
            status=receipt.status,
            new=receipt.new,
            duplicate=receipt.duplicate,
            repaired={f"{r.what}: {r.how}": r.rows for r in receipt.repairs},
            details=_details(request, receipt),
            finished_at=receipt.finished_at,
        )
    )


def failed(request: Request, error: str) -> None:
    """Note that the import ended in an error and nothing of it was loaded."""
    moment = request.shop.now()
    close(
        request,
        Receipt(
            import_id=request.import_id, file=request.name, sha256=request.sha256,
            importer=request.importer, status="failed", started_at=request.started_at,
            finished_at=moment, rows_read=0, new=0, duplicate=0, refused=0, repaired=0,
            mapping=request.mapping.name if request.mapping else "", notes=(error,),
        ),
    )  # fmt: skip


def receipt_of(row: store.Receipt) -> Receipt:
    """The receipt as it was kept."""
    kept_receipt = row.details.get("receipt")
    if kept_receipt is None:
        return Receipt(
            import_id=row.import_id, file=row.source, sha256="", importer=row.importer,
            status="running", started_at=row.started_at, finished_at=row.started_at,
            rows_read=0, new=0, duplicate=0, refused=0, repaired=0,
            notes=("It has not ended, or its process died: import the file again.",),
        )  # fmt: skip
    return Receipt.model_validate(kept_receipt)


def mapping_of(row: store.Receipt) -> Mapping | None:
    """The mapping that the import used."""
    values = row.details.get("mapping")
    if values is None:
        return None
    try:
        return Mapping.model_validate(values)
    except ValueError as error:
        raise Corrupt(
            f"The mapping kept with import {row.import_id} cannot be read.",
            hint="Give the mapping to use.",
        ) from error


def line_of(row: store.Receipt) -> ReceiptLine:
    """One line of the list of imports."""
    return ReceiptLine(
        import_id=row.import_id,
        file=row.source,
        importer=row.importer,
        started_at=row.started_at,
        status=row.status,
        new=row.new,
        duplicate=row.duplicate,
        refused=row.refused,
    )


def _details(request: Request, receipt: Receipt | None) -> dict[str, object]:
    details: dict[str, object] = {}
    if request.mapping is not None:
        details["mapping"] = request.mapping.model_dump(mode="json", exclude_unset=True)
    if receipt is not None:
        details["receipt"] = receipt.model_dump(mode="json")
    return details
