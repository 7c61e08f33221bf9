"""Who a sent id stood for at which time: a pure function of what was said about ids.

A statement says: from ``since`` on, the sent id stands for the customer. The rules:

- What was first said about an id also holds for all time before it: a visitor who signs in later was
  the same visitor when they came.
- It holds until something else is said about the id: a shared device belongs to whoever signed in
  last, and its two customers stay two.
- A customer's id may stand for another (alias), and so on: the last of the chain is the customer.
- A statement that would close a circle makes its target the end of the chain: the last word counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing said about a sent id; ``number`` is the order in which it was recorded."""

    sent_id: str
    customer_id: str
    since: datetime
    by: str
    number: int

    @property
    def order(self) -> tuple[datetime, int]:
        return self.since, self.number


@dataclass(frozen=True, slots=True)
class Span:
    """From ``start`` until before ``until`` (None: for ever) an id stands for the customer."""

    start: datetime | None
    until: datetime | None
    customer_id: str
    since: datetime
    by: str


def spans(statements: Iterable[Statement]) -> list[Span]:
    """What was said about one id as periods that touch, in order of time."""
    found: list[Span] = []
    for said in sorted(statements, key=lambda one: one.order):
        if found and found[-1].customer_id == said.customer_id:
            continue
        start = said.since if found else None
        if found:
            found[-1] = replace(found[-1], until=said.since)
        found.append(Span(start, None, said.customer_id, said.since, said.by))
    return _joined(span for span in found if not _is_empty(span))


class Chains:
    """The ids that stand for a customer and for whom others stand, resolved to the end."""

    def __init__(self, statements: Iterable[Statement]) -> None:
        self._direct = {sent: spans(said) for sent, said in _without_circles(statements).items()}
        self._resolved: dict[str, list[Span]] = {}

    def own(self, sent_id: str) -> list[Span] | None:
        """The periods of a chained id, resolved; None of one that is not chained."""
        return self._resolve(sent_id) if sent_id in self._direct else None

    def resolved(self, direct: Sequence[Span]) -> list[Span]:
        """Periods of an id with each customer replaced by the one that it stands for then."""
        parts = (part for span in direct for part in self._cut(span))
        return _joined(part for part in parts if not _is_empty(part))

    def _cut(self, span: Span) -> list[Span]:
        beyond = self._resolve(span.customer_id) if span.customer_id in self._direct else None
        if not beyond:
            return [span]
        return [
            replace(
                span,
                start=_later(span.start, part.start),
                until=_earlier(span.until, part.until),
                customer_id=part.customer_id,
            )
            for part in beyond
            if _meets(span, part)
        ]

    def _resolve(self, sent_id: str) -> list[Span]:
        # Without recursion: a chain may be longer than Python's stack.
        waiting = [sent_id]
        while waiting:
            one = waiting[-1]
            if one in self._resolved:
                waiting.pop()
                continue
            direct = self._direct[one]
            needed = {span.customer_id for span in direct} & self._direct.keys()
            if missing := needed - self._resolved.keys():
                waiting += missing
                continue
            self._resolved[one] = self.resolved(direct)
            waiting.pop()
        return self._resolved[sent_id]


def _without_circles(statements: Iterable[Statement]) -> Mapping[str, list[Statement]]:
    said: dict[str, list[Statement]] = {}
    for one in sorted(statements, key=lambda s: s.order):
        if _leads(said, one.customer_id, one.sent_id):
            said[one.customer_id] = []  # known, and the end of its chain
        if one.customer_id != one.sent_id:
            said.setdefault(one.sent_id, []).append(one)
    return said


def _leads(said: Mapping[str, list[Statement]], start: str, end: str) -> bool:
    waiting, seen = [start], {start}
    while waiting:
        one = waiting.pop()
        if one == end:
            return True
        further = {s.customer_id for s in said.get(one, ())} - seen
        seen |= further
        waiting += further
    return False


def _joined(parts: Iterable[Span]) -> list[Span]:
    """Neighbours of the same customer as one."""
    out: list[Span] = []
    for part in parts:
        if out and out[-1].customer_id == part.customer_id:
            out[-1] = replace(out[-1], until=part.until)
        else:
            out.append(part)
    return out


def _is_empty(span: Span) -> bool:
    return span.start is not None and span.until is not None and span.start >= span.until


def _meets(one: Span, other: Span) -> bool:
    starts = one.until is None or other.start is None or other.start < one.until
    return starts and (other.until is None or one.start is None or one.start < other.until)


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    if one is None or other is None:
        return one or other
    return max(one, other)


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    if one is None or other is None:
        return one or other
    return min(one, other)
