"""Any table: CSV, TSV, Parquet, JSON lines or sequences, read through a mapping file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import duckdb
import orjson
import pyarrow as pa

from shopkeeper.collect import landing
from shopkeeper.collect.engine import spill
from shopkeeper.collect.formats.jsonl import extract, pointer
from shopkeeper.collect.keep import close, kept
from shopkeeper.collect.mapping import Mapping
from shopkeeper.collect.plan import Terms
from shopkeeper.collect.request import Again, Request, Result
from shopkeeper.collect.sheet import TORN, Batch, Broken, Sheet
from shopkeeper.collect.source import File, Limits
from shopkeeper.collect.stage import Stage
from shopkeeper.core import discovery
from shopkeeper.core.errors import BadInput, UnknownName

ABOUT = "Any CSV, TSV, Parquet or JSON lines file, read through a mapping"
NEEDS_MAPPING = True
_FORMATS = "shopkeeper.collect.formats"
_PAGE = 5_000
_WIDE = (b"\xff\xfe", b"\xfe\xff")


def bring(request: Request) -> Result:
    """Read, clean and load the request's rows; nothing is written before all were judged.

    Raises:
        BadInput: the file or the mapping is wrong as a whole; single rows are refused instead.
    """
    mapping = request.mapping
    if mapping is None:
        raise BadInput(
            "A table needs a mapping that says which column is which.",
            hint="See what is guessed (shopkeeper collect guess FILE) and take it with --mapping guessed; "
            "or name a shipped one (shopkeeper collect mappings), or write your own: docs/import.md.",
            field="mapping",
        )
    sheet = again(request.again) if request.file is None else open_sheet(request.file, mapping)
    return bring_sheet(request, mapping, sheet)


def bring_sheet(request: Request, mapping: Mapping, sheet: Sheet) -> Result:
    """Clean and load the rows of a sheet; nothing is written before all were judged."""
    shop, settings = request.shop, request.shop.settings
    limits = request.file.limits if request.file else Limits()
    terms = Terms(settings.time_zone, settings.currency, request.started_at)
    with Stage(mapping, sheet, terms, limits, spill(shop, request.import_id)) as stage:
        blank = 0
        for batch in sheet.batches():
            stage.add(batch)
            blank += batch.blank
            request.progress(stage.tally.rows_read, None, f"{stage.tally.rows_read:,} rows read")
        if blank:
            stage.tally.notes.append(f"{blank} blank lines were skipped.")
        stage.settle()
        stage.money()
        stage.tally.first_day, stage.tally.last_day = landing.span(stage)
        return _finish(request, stage)


def open_sheet(file: File, mapping: Mapping) -> Sheet:
    """The file's sheet, by the format that the mapping or the file's name says."""
    formats = {name: discovery.load(_FORMATS, name, what="file format")
               for name in discovery.names(_FORMATS)}  # fmt: skip
    name = mapping.file.format or next(
        (name for name, module in formats.items() if file.suffix in module.SUFFIXES), None
    )
    name = {"tsv": "csv", "json": "jsonl"}.get(name or "", name) or _by_content(file)
    if name not in formats:
        raise UnknownName("file format", name, formats, field="file.format")
    sheet: Sheet = formats[name].read(file, mapping)
    return sheet


def _by_content(file: File) -> str:
    """The format of a file whose name does not say it, by how it begins: text is taken for a table."""
    with file.binary() as stream:
        head = stream.read(4_096)
    start = head.lstrip(b"\xef\xbb\xbf \r\n\t")
    for mark, name in ((b"PAR1", "parquet"), (b"{", "jsonl"), (b"[", "jsonl")):
        if start.startswith(mark):
            return name
    if b"[Content_Types].xml" in head:
        return "excel"
    if head.startswith(b"PK") or (b"\0" in head and not head.startswith(_WIDE)):
        raise BadInput(
            f"{file.path.name!r} is no text, and its name does not say what format it has.",
            hint="Unpack it, or export it as CSV, Excel, Parquet or JSON lines.",
            field="file.format",
        )
    return "csv"


def again(rows: Sequence[Again]) -> Sheet:
    """Refused rows as a sheet once more; a row's number is its number in the store."""
    read = [(row, orjson.loads(row.raw)) for row in rows]
    whole = [(row, cells) for row, cells in read if TORN not in cells]
    torn = tuple(
        Broken(
            row.number, "(row)", "it is not whole", "Give its values, column by column.", row.raw
        )
        for row, cells in read
        if TORN in cells
    )
    columns = tuple(dict.fromkeys(name for _, cells in whole for name in cells))
    if not columns and not torn:
        raise BadInput("No refused row waits to be tried again.", field="import_id")
    return Sheet(columns or ("(cells)",), lambda: _again(whole, columns, torn), "refused row")


def _again(
    whole: list[tuple[Again, dict[str, str]]], columns: tuple[str, ...], torn: tuple[Broken, ...]
) -> Iterator[Batch]:
    paths = [f"/{pointer(name)}" for name in columns]
    with duckdb.connect() as connection:
        for start in range(0, max(1, len(whole)), _PAGE):
            page = [row for row, _ in whole[start : start + _PAGE]]
            numbers = pa.array([row.number for row in page], pa.int64())
            texts = [row.raw for row in page]
            if columns:
                yield Batch(extract(connection, texts, numbers, paths), torn if not start else ())
            else:
                empty = pa.table([numbers, pa.array([], pa.string())], names=["row", "c0"])
                yield Batch(empty, torn)


def _finish(request: Request, stage: Stage) -> Result:
    shop = request.shop
    if request.dry_run:
        new, duplicate = landing.preview(shop, stage)
        return Result(request.receipt(stage.tally, new, duplicate, {}))
    new, duplicate, loaded = landing.load(shop, stage, request.source())
    receipt = request.receipt(stage.tally, new, duplicate, loaded)
    if request.again:
        close(request, receipt)
        return Result(receipt, frozenset(row.row for row in stage.refused()))
    kept(request, receipt, stage.refused())
    return Result(receipt)
