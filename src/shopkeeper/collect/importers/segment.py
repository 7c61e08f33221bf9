"""Segment calls, one JSON object a line (also whole batches): archives and warehouse exports."""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from shopkeeper.collect import calls
from shopkeeper.collect.calls import Reading, Unit
from shopkeeper.collect.formats.jsonl import lines
from shopkeeper.collect.request import Request, Result
from shopkeeper.collect.segment import unpack
from shopkeeper.collect.source import legible
from shopkeeper.core.errors import BadInput

ABOUT = "Segment calls as JSON lines: track, identify, page, screen, group, alias, batch"
NEEDS_MAPPING = False


def bring(request: Request) -> Result:
    """Read, check and load the request's calls; nothing is written before all were judged.

    Raises:
        BadInput: a mapping was given, or no line of the file holds anything.
    """
    if request.mapping is not None:
        raise BadInput("Segment calls need no mapping.", hint="Leave it out.", field="mapping")
    reading = Reading(request.source(), lambda call: [call])
    return calls.bring(request, reading, _units(request))


def _units(request: Request) -> Iterator[Unit]:
    for number, raw in _lines(request):
        try:
            body = orjson.loads(raw)
        except (orjson.JSONDecodeError, RecursionError):
            yield Unit(number, "(row)", legible(raw))
            continue
        for where, call in unpack(body):
            yield Unit(number, where, call)


def _lines(request: Request) -> Iterator[tuple[int, str]]:
    if request.file is None:
        yield from ((row.number, row.raw) for row in request.again)
        return
    with request.file.text(None) as stream:
        yield from lines(stream, request.file)
