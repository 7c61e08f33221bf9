"""Segment calls, one JSON object a line (also whole batches): archives and warehouse exports."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import orjson

from shopkeeper.collect.accept import moment
from shopkeeper.collect.archive import Archive
from shopkeeper.collect.clock import LocalDays
from shopkeeper.collect.formats.jsonl import lines
from shopkeeper.collect.keep import close, kept
from shopkeeper.collect.request import Request, Result
from shopkeeper.collect.segment import Accepted, Refused, Rules, rows, unpack
from shopkeeper.collect.source import legible
from shopkeeper.collect.tally import Refusal
from shopkeeper.core.errors import BadInput
from shopkeeper.store.customers import Customer

ABOUT = "Segment calls as JSON lines: track, identify, page, screen, group, alias, batch"
NEEDS_MAPPING = False
_RAW = 65_536
_STEP = 10_000


def bring(request: Request) -> Result:
    """Read, check and load the request's calls; nothing is written before all were judged.

    Raises:
        BadInput: a mapping was given, or no line of the file holds anything.
    """
    if request.mapping is not None:
        raise BadInput("Segment calls need no mapping.", hint="Leave it out.", field="mapping")
    shop, settings = request.shop, request.shop.settings
    rules = Rules("segment", LocalDays(settings.time_zone), settings.currency, live=False)
    with Archive(shop, request.import_id) as archive:
        made: Counter[str] = Counter()
        for number, raw in _lines(request):
            for where, call in _calls(raw):
                _judge(archive, rules, (number, where, call), made)
            if archive.tally.rows_read % _STEP == 0:
                request.progress(archive.tally.rows_read, None, "reading")
        if not archive.tally.rows_read:
            raise BadInput(f"{request.name!r} holds no calls.", hint="One JSON object a line.")
        archive.settle()
        return _finish(request, archive)


def _lines(request: Request) -> Iterator[tuple[int, str]]:
    if request.file is None:
        yield from ((row.number, row.raw) for row in request.again)
        return
    with request.file.text(None) as stream:
        yield from lines(stream, request.file)


def _calls(raw: str) -> Iterator[tuple[str, object]]:
    try:
        body = orjson.loads(raw)
    except (orjson.JSONDecodeError, RecursionError):
        yield "(row)", legible(raw)
        return
    yield from unpack(body)


def _judge(archive: Archive, rules: Rules, at: tuple[int, str, object], made: Counter[str]) -> None:
    number, where, call = at
    tally = archive.tally
    tally.rows_read += 1
    if where == "(row)":
        reason = ("(row)", "it is not a JSON object", "Write one call a line.")
        _refuse(archive, Refusal(number, *reason, orjson.dumps(str(call)[:2000]).decode()))
        return
    result = rows(call, rules, archive.now, where=where)
    if isinstance(result, Accepted) and _unnamed(call) and result.rows:
        first = result.rows[0][1]
        made[first] += 1
        if made[first] > 1:  # an equal call before it in this file: told apart by their number
            result = rows(call, rules, archive.now, where=where, occurrence=made[first] - 1)
    if isinstance(result, Refused):
        raw = orjson.dumps(call, option=orjson.OPT_NON_STR_KEYS).decode()
        if len(raw) > _RAW * 16:
            raw = orjson.dumps(raw[:2000]).decode()
        _refuse(archive, Refusal(number, result.field, result.reason, result.hint, raw))
        return
    archive.add(result)
    tally.repaired_rows += bool(result.repaired)
    for what in result.repaired:
        tally.repair("call", what, 1)


def _unnamed(call: object) -> bool:
    return isinstance(call, dict) and not (call.get("messageId") or call.get("message_id"))


def _refuse(archive: Archive, refusal: Refusal) -> None:
    archive.tally.refuse(refusal.field, refusal.reason, refusal.hint, 1, [refusal.row])
    archive.refused.append(refusal)


def _finish(request: Request, archive: Archive) -> Result:
    new, duplicate = archive.calls()
    if request.dry_run:
        return Result(request.receipt(archive.tally, new, duplicate, {}))
    loaded = archive.load()
    shop = request.shop
    shop.people.upsert(_customer(news) for news in archive.customers)
    for sent, customer, by, since in archive.links:
        shop.people.identify(sent, customer, by, moment(since))
    receipt = request.receipt(archive.tally, new, duplicate, loaded)
    if request.again:
        close(request, receipt)
    else:
        kept(request, receipt, archive.refused)
    return Result(
        receipt, frozenset(r.row for r in archive.refused) if request.again else frozenset()
    )


def _customer(news: dict[str, Any]) -> Customer:
    return Customer(**{**news, "first_seen": moment(news["first_seen"])})
