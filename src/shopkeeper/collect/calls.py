"""Files whose rows become Segment calls: judged one by one, compared with the tables, then loaded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from shopkeeper.collect.accept import moment
from shopkeeper.collect.archive import Archive
from shopkeeper.collect.clock import LocalDays
from shopkeeper.collect.fields import Fault
from shopkeeper.collect.keep import close, kept
from shopkeeper.collect.request import Request, Result
from shopkeeper.collect.segment import Accepted, Refused, Rules, rows
from shopkeeper.collect.tally import Refusal
from shopkeeper.core.errors import BadInput
from shopkeeper.core.text import digest
from shopkeeper.store.customers import Customer

_RAW = 1 << 20
_STEP = 10_000


@dataclass(frozen=True)
class Unit:
    """Something of a file that is taken or refused whole.

    ``where`` (``batch[3].``) stands before the field in a refusal; ``(row)`` marks what is no JSON.
    """

    number: int
    where: str
    body: object


@dataclass(frozen=True)
class Reading:
    """How an importer reads: the source its rows carry, and the calls that a unit stands for.

    ``nobody`` allows calls without any id of a person: their rows count in revenue and for no customer.
    ``names`` are pieces of our field names and what the file calls them, for refusals.
    """

    source: str
    calls: Callable[[object], Sequence[object]]
    nobody: bool = False
    names: tuple[tuple[str, str], ...] = ()


def bring(request: Request, reading: Reading, units: Iterable[Unit]) -> Result:
    """Judge and load the units; nothing is written before all were judged.

    Raises:
        BadInput: there are none.
    """
    shop, settings = request.shop, request.shop.settings
    rules = Rules(
        reading.source,
        LocalDays(settings.time_zone),
        settings.currency,
        live=False,
        nobody=reading.nobody,
    )
    with Archive(shop, request.import_id) as archive:
        judge = _Judge(archive, rules, reading)
        for unit in units:
            judge(unit)
            if archive.tally.rows_read % _STEP == 0:
                request.progress(archive.tally.rows_read, None, "reading")
        if not archive.tally.rows_read:
            raise BadInput(
                f"{request.name!r} holds no rows.", hint="Export it again.", field="path"
            )
        archive.settle()
        return _finish(request, archive)


class _Judge:
    def __init__(self, archive: Archive, rules: Rules, reading: Reading) -> None:
        self._archive = archive
        self._rules = rules
        self._reading = reading
        self._made: Counter[str] = Counter()

    def __call__(self, unit: Unit) -> None:
        """Stage all calls of the unit, or refuse it whole."""
        if unit.where == "(row)":
            reason = ("(row)", "it is not a JSON object", "Write one object a line.")
            self._refuse(Refusal(unit.number, *reason, _raw(str(unit.body)[:2000])))
            return
        try:
            taken = [self._taken(call, unit.where) for call in self._reading.calls(unit.body)]
        except Fault as fault:
            name = fault.field
            for ours, theirs in self._reading.names:
                name = name.replace(ours, theirs)
            self._refuse(Refusal(unit.number, name, fault.reason, fault.hint, _raw(unit.body)))
            return
        tally = self._archive.tally
        tally.rows_read += len(taken)
        for accepted in taken:
            self._archive.add(accepted)
            tally.repaired_rows += bool(accepted.repaired)
            for what in accepted.repaired:
                tally.repair("call", what, 1)

    def _taken(self, call: object, where: str) -> Accepted:
        result = rows(call, self._rules, self._archive.now, where=where)
        if isinstance(result, Accepted) and _unnamed(call) and result.rows:
            first = result.rows[0][1]
            self._made[first] += 1
            if self._made[first] > 1:  # an equal call before it: told apart by their number
                result = rows(
                    call, self._rules, self._archive.now,
                    where=where, occurrence=self._made[first] - 1,
                )  # fmt: skip
        if isinstance(result, Refused):
            raise Fault(result.field, result.reason, result.hint)
        return result

    def _refuse(self, refusal: Refusal) -> None:
        tally = self._archive.tally
        tally.rows_read += 1
        tally.refuse(refusal.field, refusal.reason, refusal.hint, 1, [refusal.row])
        self._archive.refused.append(refusal)


def again(request: Request) -> Iterator[Unit]:
    """The refused rows that the request tries again."""
    for row in request.again:
        try:
            yield Unit(row.number, "", orjson.loads(row.raw))
        except (orjson.JSONDecodeError, RecursionError):
            yield Unit(row.number, "(row)", row.raw)


def numbered(kind: str, body: object, made: Counter[str]) -> str:
    """An id made of what ``body`` says and, from the second time on, how many-eth one it is."""
    content = orjson.dumps(body, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)
    name = f"{kind}/{digest(content.decode('utf-8', 'replace'))}"
    made[name] += 1
    return name if made[name] == 1 else f"{name}-{made[name]}"


def _unnamed(call: object) -> bool:
    return isinstance(call, dict) and not (call.get("messageId") or call.get("message_id"))


def _raw(body: object) -> str:
    raw = orjson.dumps(body, option=orjson.OPT_NON_STR_KEYS).decode()
    return raw if len(raw) <= _RAW else orjson.dumps(raw[:2000]).decode()


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
