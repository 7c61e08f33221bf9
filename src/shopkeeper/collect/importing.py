"""Imports a file, or rows that were refused before, and leaves a receipt."""

from __future__ import annotations

import secrets
from collections.abc import Mapping as Named
from typing import Any

import orjson

from shopkeeper.collect import keep, mapping, paths
from shopkeeper.collect.guessing import guess
from shopkeeper.collect.mapping import Mapping
from shopkeeper.collect.request import Again, Request, Result
from shopkeeper.collect.sheet import TORN
from shopkeeper.collect.source import File
from shopkeeper.collect.types import Receipt
from shopkeeper.core import discovery
from shopkeeper.core.errors import BadInput, ShopkeeperError
from shopkeeper.core.operation import Context

IMPORTERS = "shopkeeper.collect.importers"
GUESSED = "guessed"
"""Given for a mapping's name: the one that is guessed from the file, without a look at it."""


def bring_file(
    ctx: Context, path: str, *, mapping_name: str, importer: str, dry_run: bool
) -> Receipt:
    """Import the file at ``path``; the receipt says what became of every row.

    Raises:
        NotAllowed, NotFound, BadInput: see :func:`shopkeeper.collect.paths.permitted`.
        BadInput: the file or the mapping is wrong as a whole. The tables are as they were.
    """
    shop = ctx.shop
    file = File(paths.permitted(path, shop.folder, ctx.actor))
    chosen = guessed(ctx, path) if mapping_name == GUESSED else _mapping(ctx, mapping_name)
    request = Request(
        shop=shop,
        import_id=_new_id(ctx),
        importer=importer,
        name=file.path.name,
        sha256=file.sha256,
        started_at=shop.now(),
        progress=ctx.progress,
        file=file,
        mapping=chosen,
        dry_run=dry_run,
    )
    return _run(request).receipt


def bring_again(
    ctx: Context, import_id: str, *, mapping_name: str, values: Named[int, Named[str, str]]
) -> Receipt:
    """Import the rows that ``import_id`` refused, with another mapping or corrected values."""
    imports = ctx.shop.imports
    earlier = imports.get(import_id)
    rows = list(_waiting(ctx, import_id))
    if not rows:
        raise BadInput(
            f"No refused row of {import_id} waits.", hint="See shopkeeper collect refused."
        )
    numbers = {row.number for row in rows}
    for number in values:
        if number not in numbers:
            raise BadInput(
                f"values: no refused row {number} of this import waits.",
                hint="shopkeeper collect refused lists their numbers.",
                field="values",
            )
    chosen = _mapping(ctx, mapping_name) if mapping_name else keep.mapping_of(earlier)
    request = Request(
        shop=ctx.shop,
        import_id=_new_id(ctx),
        importer=earlier.importer,
        name=f"{earlier.source} (refused rows of {import_id})",
        sha256=keep.receipt_of(earlier).sha256,
        started_at=ctx.shop.now(),
        progress=ctx.progress,
        again=[_corrected(row, values.get(row.number, {})) for row in rows],
        mapping=chosen,
    )
    result = _run(request)
    imports.mark_retried(sorted(numbers - result.refused_again), request.import_id)
    return result.receipt


def _run(request: Request) -> Result:
    importer = discovery.load(IMPORTERS, request.importer, what="importer")
    if request.dry_run:
        result: Result = importer.bring(request)
        return result
    shop = request.shop
    # The lease first: better to hear at once that another process writes than after the reading.
    with shop.writer(f"import of {request.name}") as writer:
        keep.begin(request)
        try:
            result = importer.bring(request)
        except BaseException as error:
            said = str(error) if isinstance(error, ShopkeeperError) else type(error).__name__
            keep.failed(request, said)
            raise
        writer.snapshot()
        writer.maintain()
    return result


def guessed(ctx: Context, path: str) -> Mapping:
    """The mapping that is guessed from the file; its notes say what was taken for what.

    Raises:
        BadInput: none can be guessed; says what the file lacks.
    """
    found = guess(ctx, path)
    if not found.mapping:
        raise BadInput(
            f"No mapping can be guessed for {path!r}: no column suits {', '.join(found.missing)}.",
            hint=" ".join(found.notes) or "Write a mapping: docs/import.md.",
            field="mapping",
        )
    taken = ", ".join(f"{one.theirs!r} as {one.ours}" for one in found.columns)
    notes = (f"The mapping was guessed: {found.target}, with {taken}.", *found.notes)
    return mapping.parse(found.mapping, GUESSED).model_copy(update={"notes": notes})


def _mapping(ctx: Context, name: str) -> Mapping | None:
    if not name:
        return None
    if name in mapping.shipped():
        return mapping.load(name)
    if not name.endswith(".toml"):
        return mapping.load(name)  # says which shipped name is near
    return mapping.read(paths.permitted(name, ctx.shop.folder, ctx.actor))


def _waiting(ctx: Context, import_id: str) -> Any:
    after = 0
    while page := ctx.shop.imports.refused(import_id, limit=2_000, after=after, waiting_only=True):
        yield from page
        after = page[-1].number


def _corrected(row: Any, values: Named[str, str]) -> Again:
    raw = row.raw if isinstance(row.raw, str) else orjson.dumps(row.raw).decode()
    if not values:
        return Again(row.number, raw)
    held = orjson.loads(raw)
    cells = {k: v for k, v in held.items() if k != TORN} if isinstance(held, dict) else {}
    return Again(row.number, orjson.dumps(cells | dict(values)).decode())


def _new_id(ctx: Context) -> str:
    return f"{ctx.shop.now():%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
