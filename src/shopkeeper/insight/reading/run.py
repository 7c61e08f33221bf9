"""Reads the texts that a task's reader has not read yet, and writes the readings."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import date
from functools import partial
from typing import Any

import narwhals as nw
import pyarrow as pa

from shopkeeper.core.errors import BadInput
from shopkeeper.core.operation import Context
from shopkeeper.core.period import Days
from shopkeeper.core.schema import READINGS
from shopkeeper.insight.reading.readers import (
    ASPECTS,
    INTENTS,
    INTERESTS,
    POLARITY,
    SENTIMENT,
    TASKS,
    WISHES,
    reader,
    version_of,
)
from shopkeeper.insight.reading.serving import Served, answers
from shopkeeper.insight.themes.sample import pieces, spoken
from shopkeeper.insight.types import Read, TaskRead
from shopkeeper.shop.shop import Shop
from shopkeeper.store.lease import Leases
from shopkeeper.tasks.teacher import Asked
from shopkeeper.tasks.types import Answer
from shopkeeper.warehouse.arrow import arrow_schema
from shopkeeper.warehouse.source import Frame, Source

_SPOKEN_IN = {
    SENTIMENT: ("review", "post"),
    ASPECTS: ("review", "post"),
    WISHES: ("review", "post", "ticket"),
    INTENTS: ("chat", "ticket"),
    INTERESTS: ("post", "chat", "ticket"),
}
"""The kinds of text that a task is asked of: "anybody there?" in a chat judges nothing."""


def read(ctx: Context, escalate: int) -> Read:
    """See the operation ``read``."""
    if escalate and ctx.shop.settings.model == "house":
        raise BadInput(
            "No language model is set that could read what the student is unsure of.",
            hint="Set `model`, or leave `escalate` away.",
            field="escalate",
        )
    started = time.monotonic()
    with Leases(ctx.shop.database).acquire("readings", "reading texts").kept():
        done = tuple(_task(ctx, task, escalate) for task in TASKS)
    return Read(tasks=done, seconds=round(time.monotonic() - started, 2))


def _task(ctx: Context, task: str, escalate: int) -> TaskRead:
    solver = reader(ctx.shop, task)
    version = version_of(solver)
    days = _unread(ctx.shop, task, version)
    total, done, refused = sum(number for _, number in days), 0, 0
    served = Served(left=escalate)
    for span, number in pieces(days):
        ctx.progress(done, total, task)
        rows = ctx.shop.query(partial(_waiting, task=task, version=version, days=span))
        if len(rows):
            rows = rows.sort_by([("day", "ascending"), ("text_id", "ascending")])
            given = answers(ctx, task, solver, _asked(rows), served)
            refused += sum(answer.abstained for answer in given)
            stamp = {"task": task, "model_version": version, "time": ctx.shop.now()}
            table = _readings(rows, given, solver.name, stamp)
            with ctx.shop.writer(f"readings of {task}") as writer:
                writer.load(READINGS.name, table, check_duplicates=False)
        done += number
    return TaskRead(
        task=task,
        read=done - refused,
        refused=refused,
        answered_by=solver.name,
        version=version,
        unsure=served.unsure,
        escalated=served.escalated,
        queued=served.queued,
    )


def asked_of(source: Source, task: str, days: Days | None = None) -> Frame:
    """The customers' texts that a task is asked of."""
    kinds = list(_SPOKEN_IN[task])
    of_kind = source.texts(days).filter(nw.col("kind").is_in(kinds)).select("text_id")
    return spoken(source, days).join(of_kind, on="text_id", how="semi")


def _read_by(source: Source, task: str, version: str, days: Days | None = None) -> Frame:
    return source.readings(days).filter(
        nw.col("task") == task, nw.col("model_version") == version, nw.col("position") == 0
    )


def _unread(shop: Shop, task: str, version: str) -> list[tuple[date, int]]:
    """The days with texts that this version has not read, and how many of them."""
    rows = shop.query(
        lambda source: (
            _waiting(source, task=task, version=version, days=None)
            .group_by("day")
            .agg(nw.len().alias("n"))
            .sort("day")
        )
    )
    return list(zip(rows["day"].to_pylist(), rows["n"].to_pylist(), strict=True))


def _waiting(source: Source, *, task: str, version: str, days: Days | None) -> Frame:
    known = _read_by(source, task, version, days).select("text_id")
    rows = asked_of(source, task, days).join(known, on="text_id", how="anti")
    return rows.select("text_id", "day", "title", "body", "author")


def _asked(rows: pa.Table) -> list[Asked]:
    texts = bodies(rows)
    both = zip(rows["text_id"].to_pylist(), rows["author"].to_pylist(), strict=True)
    return [Asked(text, *one) for text, one in zip(texts, both, strict=True)]


def bodies(rows: pa.Table) -> list[str]:
    """Title and body of each row as one text, as the readers see it."""
    both = zip(rows["title"].to_pylist(), rows["body"].to_pylist(), strict=True)
    return [f"{title}\n{body}" if title else body or "" for title, body in both]


def _readings(
    rows: pa.Table, answers: Sequence[Answer], name: str, stamp: dict[str, Any]
) -> pa.Table:
    """The rows of ``readings`` of these texts.

    Each text has a row at position 0, also where nothing was found: it is not read again.
    """
    ids, days = rows["text_id"].to_pylist(), rows["day"].to_pylist()
    found: dict[str, list[Any]] = {column: [] for column in READINGS.names}
    for text_id, day, answer in zip(ids, days, answers, strict=True):
        who = answer.answered_by or name
        for position, part in enumerate(_parts(answer)):
            row = {"text_id": text_id, "day": day, "position": position, "answered_by": who}
            row |= stamp | part
            for column in found:
                found[column].append(row.get(column))
    schema = arrow_schema(READINGS)
    return pa.table([pa.array(found[f.name], f.type) for f in schema], schema=schema)


def _parts(answer: Answer) -> Iterator[dict[str, Any]]:
    """What each reading of one text says; one that says nothing where nothing was found."""
    if isinstance(answer.value, str):
        yield {
            "label": answer.value,
            "value": POLARITY.get(answer.value),
            "confidence": answer.confidence,
        }
    elif not answer.value:
        yield {"confidence": None if answer.abstained else answer.confidence}
    else:
        for span in answer.value:
            there = span.start >= 0
            yield {
                "label": span.category,
                "span": span.aspect or None,
                "opinion": span.opinion or None,
                "span_start": span.start if there else None,
                "span_end": span.end if there else None,
                "value": float(span.polarity),
                "confidence": span.confidence,
            }


def current(shop: Shop, tasks: Sequence[str]) -> dict[str, str]:
    """The version whose readings count now, by task."""
    return {task: version_of(reader(shop, task)) for task in tasks}
