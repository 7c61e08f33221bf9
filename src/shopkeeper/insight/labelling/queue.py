"""The labelling queue: which texts a person should label next, and their labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import narwhals as nw
import pyarrow as pa

from shopkeeper.core.errors import BadInput, NotFound, UnknownName
from shopkeeper.core.operation import Context
from shopkeeper.core.period import Days, Period
from shopkeeper.core.types import CannotSay
from shopkeeper.insight.labelling.marking import placed
from shopkeeper.insight.reading.readers import BY_HAND, LABELLED, reader
from shopkeeper.insight.reading.run import asked_of, bodies
from shopkeeper.insight.themes.listing import asked
from shopkeeper.insight.types import LabelCard, LabelChoice, LabelStatus, Marked, Queued
from shopkeeper.shop.shop import Shop
from shopkeeper.store.labelling import Labelling, Waiting
from shopkeeper.store.labels import Labels, Purpose
from shopkeeper.tasks import catalogue
from shopkeeper.tasks.choosing import Choice, choose
from shopkeeper.tasks.house import written
from shopkeeper.tasks.student import Student
from shopkeeper.tasks.types import Task
from shopkeeper.warehouse.source import Frame, Source

POOL = 20_000
"""Texts that are looked at when some are chosen: so many say enough about what is unsure."""

_AUDITED = "random"


def fill(ctx: Context, task: str, since: Period, count: int) -> Queued:
    """See the operation ``queue_labels``."""
    asked_task = queued_task(task)
    rows = pool(ctx.shop, task, since)
    if isinstance(rows, CannotSay):
        return Queued(task=task, queued=0, random=0, uncertain=0, cannot_say=rows)
    texts = bodies(rows)
    ids = rows["text_id"].to_pylist()
    known = {given.text_id for given in Labels(ctx.shop.database).of(task, kind="person")}
    taken = [place for place, one in enumerate(ids) if one in known]
    solver = reader(ctx.shop, asked_task.name)
    student = solver if isinstance(solver, Student) else None
    chosen = choose(student, texts, count, taken=taken, seed=len(known))
    owners = rows["author"].to_pylist()
    waiting = [
        Waiting(
            task=task,
            text_id=ids[one.place],
            purpose=_purpose(one, rank, student),
            customer_id=owners[one.place],
            priority=float(len(chosen) - rank),
            why=one.why,
        )
        for rank, one in enumerate(chosen)
    ]
    new = Labelling(ctx.shop.database).add(waiting)
    random = sum(one.why == _AUDITED for one in chosen)
    return Queued(task=task, queued=new, random=random, uncertain=len(chosen) - random)


def _purpose(choice: Choice, rank: int, student: Student | None) -> Purpose:
    """What the label is for: a random text measures; while there is no student, every other one teaches."""
    if choice.why != _AUDITED or (student is None and rank % 2):
        return "train"
    return "audit"


def claim(ctx: Context, task: str) -> LabelCard:
    """See the operation ``next_label``."""
    asked_task = queued_task(task)
    held = Labelling(ctx.shop.database).claim(task, ctx.actor.name)
    if held is None:
        return _card(asked_task, status(ctx, task), None, None)
    return _shown(ctx, asked_task, held)


def give(ctx: Context, task: str, text_id: str, label: str) -> LabelStatus:
    """See the operation ``give_label``."""
    asked_task = queued_task(task)
    if asked_task.kind == "spans":
        raise BadInput(
            f"{task!r} takes spans, not one label.", hint="Use give_spans.", field="task"
        )
    if label not in asked_task.names:
        raise UnknownName("label", label, asked_task.names, field="label")
    Labelling(ctx.shop.database).label(task, text_id, ctx.actor.name, label)
    return status(ctx, task)


def give_spans(ctx: Context, task: str, text_id: str, marked: Sequence[Marked]) -> LabelStatus:
    """See the operation ``give_spans``."""
    asked_task = queued_task(task)
    if asked_task.kind != "spans":
        raise BadInput(f"{task!r} takes one label.", hint="Use give_label.", field="task")
    rows = _row_of(ctx, text_id)
    if not len(rows):
        raise NotFound(f"There is no text {text_id!r}.", hint="Check the id.", field="text_id")
    spans = placed(bodies(rows)[0], marked, asked_task.names)
    Labelling(ctx.shop.database).label(task, text_id, ctx.actor.name, spans)
    return status(ctx, task)


def skip(ctx: Context, task: str, text_id: str) -> LabelStatus:
    """See the operation ``skip_label``."""
    queued_task(task)
    Labelling(ctx.shop.database).skip(task, text_id, ctx.actor.name)
    return status(ctx, task)


def undo(ctx: Context, task: str) -> LabelCard:
    """See the operation ``undo_label``."""
    asked_task = queued_task(task)
    return _shown(ctx, asked_task, Labelling(ctx.shop.database).undo(task, ctx.actor.name))


def status(ctx: Context, task: str) -> LabelStatus:
    """See the operation ``label_status``."""
    queued_task(task)
    store = Labels(ctx.shop.database)
    counts = Labelling(ctx.shop.database).counts(task)
    by = store.counts(task)
    return LabelStatus(
        task=task,
        waiting=counts["waiting"],
        done=counts["done"],
        skipped=counts["skipped"],
        labels=by,
        spent=store.spent(task) / 1e9,
        currency=ctx.shop.settings.currency,
        reader=reader(ctx.shop, task).name,
    )


def labelled_task(name: str) -> Task:
    """The task that a reader of the shop's own can be taught; spans (aspects) cannot be yet."""
    if name not in LABELLED:
        raise UnknownName("task", name, LABELLED, field="task")
    return catalogue.load(name)


def queued_task(name: str) -> Task:
    """The task that people label by hand."""
    if name not in BY_HAND:
        raise UnknownName("task", name, BY_HAND, field="task")
    return catalogue.load(name)


def pool(shop: Shop, task: str, since: Period) -> pa.Table | CannotSay:
    """Texts of the period that the task is asked of: at most 20,000, chosen by their ids' hash."""
    window = asked(shop, since)
    if isinstance(window, CannotSay):
        return window
    rows = shop.query(partial(_pool, task=task, days=window))
    if not len(rows):
        return CannotSay(
            reason="No text of that period is of the kind asked.",
            needed="texts",
            code="no_texts_of_kind",
        )
    if len(rows) <= POOL:
        return rows
    # Ids are hashes of what they stand for, or at least bear no order of judgement.
    step = len(rows) / POOL
    return rows.take(pa.array([int(n * step) for n in range(POOL)]))


def _pool(source: Source, *, task: str, days: Days) -> Frame:
    rows = asked_of(source, task, days)
    return rows.select("text_id", "day", "title", "body", "item_id", "author").sort("text_id")


def _shown(ctx: Context, task: Task, held: Waiting) -> LabelCard:
    rows = _row_of(ctx, held.text_id)
    if not len(rows):  # erased, or removed by the sweep, since it was queued
        Labelling(ctx.shop.database).skip(task.name, held.text_id, ctx.actor.name)
        raise NotFound(f"The text {held.text_id!r} is gone.", hint="Ask for the next one.")
    return _card(task, status(ctx, task.name), rows, held)


def _row_of(ctx: Context, text_id: str) -> pa.Table:
    return ctx.shop.query(
        lambda source: (
            source.texts()
            .filter(nw.col("text_id") == text_id)
            .select("text_id", "day", "title", "body", "item_id")
        )
    )


def _names(known: Mapping[str, Any]) -> dict[str, str]:
    return {language: str(known[language]) for language in ("zh", "en") if language in known}


def _card(task: Task, now: LabelStatus, rows: pa.Table | None, held: Waiting | None) -> LabelCard:
    row = rows.to_pylist()[0] if rows is not None else None
    known = written.labels(task.name)
    return LabelCard(
        task=task.name,
        kind=task.kind,
        question=task.question,
        guidelines=task.guidelines,
        labels=tuple(
            LabelChoice(name=one.name, meaning=one.meaning, names=_names(known.get(one.name, {})))
            for one in task.labels
        ),
        text_id=row["text_id"] if row else None,
        title=row["title"] if row else None,
        text=row["body"] if row else None,
        day=row["day"] if row else None,
        item_id=row["item_id"] if row else None,
        why=held.why if held else None,
        status=now,
    )
