"""What customers searched for and wrote: of everybody for a fit, and in memory by the id that was sent."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, Literal

import narwhals as nw
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from shopkeeper.core.events import SEARCH
from shopkeeper.core.period import Days
from shopkeeper.recommend.spoken import KEPT, TASK, Spoken, lately
from shopkeeper.shop.shop import Shop
from shopkeeper.warehouse.source import Frame, Source

SEARCH_DAYS: Final = 60
"""Older searches say nothing about now; also for fits: memory stays bounded."""

Saying = tuple[int, int, str]
"""Time (ms), position in the log (0: in the tables), words."""


@dataclass
class Searches:
    """The latest searches of each sent id."""

    _by_sent: dict[str, deque[Saying]] = field(
        default_factory=lambda: defaultdict(lambda: deque(maxlen=KEPT))
    )

    @classmethod
    def made(cls, shop: Shop) -> Searches:
        """From the tables."""
        made = cls()
        for row in shop.query(lambda source: _sent(source, _lately(shop))).to_pylist():
            made.take(row["sent"], (row["time_ms"], 0, row["query"]))
        return made

    def take(self, sent: str, saying: Saying) -> None:
        """One more; the oldest goes when there are many."""
        self._by_sent[sent].append(saying)

    def of(self, sent: str) -> Sequence[Saying]:
        """Those of one id."""
        return tuple(self._by_sent[sent]) if sent in self._by_sent else ()


def spoken(shop: Shop, customer_ids: pa.Array) -> Spoken | None:
    """Searches and read words of all these customers; None: there are none."""
    since = _lately(shop)
    if since is None:
        return None
    rows = shop.query(lambda source: _searched(source, since))
    read = shop.query(lambda source: _read(source, since))
    speaker, told = (
        np.asarray(pc.index_in(table["customer_id"], value_set=customer_ids).fill_null(-1))
        for table in (rows, read)
    )
    rows, read = rows.filter(pa.array(speaker >= 0)), read.filter(pa.array(told >= 0))
    if not len(rows) and not len(read):
        return None
    found = Spoken.by(
        speaker[speaker >= 0], _ms(rows), rows["query"].to_pylist(), len(customer_ids)
    )
    chances = read["confidence"].to_numpy().astype(np.float32)
    return found.joined(told[told >= 0], _ms(read), read["label"].to_pylist(), chances)


def own(shop: Shop, customer_id: str, live: Sequence[str] | Literal[False]) -> Spoken | None:
    """The searches of one customer, of the tables, and of the log for the ids in ``live``."""
    lately_made = _lately(shop)
    rows = shop.query(
        lambda source: _searched(source, lately_made).filter(nw.col("customer_id") == customer_id),
        live=list(live) if live else False,
    )
    return lately(list(zip(rows["time_ms"].to_pylist(), rows["query"].to_pylist(), strict=True)))


def _lately(shop: Shop) -> Days | None:
    span = shop.span()
    if span is None:
        return None
    return Days(max(span.start, span.end - timedelta(days=SEARCH_DAYS - 1)), span.end)


def _made(source: Source, days: Days | None) -> Frame:
    return source.events(days).filter(nw.col("name") == SEARCH, ~nw.col("query").is_null())


def _sent(source: Source, days: Days | None) -> Frame:
    """sent, time_ms, query, oldest first."""
    sent = nw.coalesce(nw.col("user_id"), nw.col("anonymous_id"))
    rows = _made(source, days).with_columns(sent=sent).filter(~nw.col("sent").is_null())
    return rows.select("sent", "time_ms", "query").sort("time_ms", "sent", "query")


def _searched(source: Source, days: Days | None) -> Frame:
    """customer_id, time_ms, query."""
    rows = _made(source, days).filter(~nw.col("customer_id").is_null())
    return rows.select("customer_id", "time_ms", "query")


def _read(source: Source, days: Days) -> Frame:
    """customer_id, time_ms, label, confidence: interests that a reader found in customers' own words."""
    found = source.readings(days).filter(nw.col("task") == TASK, ~nw.col("label").is_null())
    texts = source.texts(days).filter(~nw.col("customer_id").is_null())
    texts = texts.select("text_id", "customer_id", "time_ms")
    return found.select("text_id", "label", "confidence").join(texts, on="text_id", how="inner")


def _ms(table: pa.Table) -> np.ndarray[Any, np.dtype[np.int64]]:
    return np.asarray(table["time_ms"].to_numpy(), dtype=np.int64)
