"""A model labels a sample, a student learns it, and the part that it may serve alone is proven."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from shopkeeper.core.errors import BadInput, OverBudget
from shopkeeper.core.operation import Context
from shopkeeper.core.period import Period
from shopkeeper.core.types import CannotSay
from shopkeeper.insight.labelling.queue import labelled_task, pool
from shopkeeper.insight.reading.readers import reader, registry
from shopkeeper.insight.reading.run import bodies
from shopkeeper.insight.reading.serving import GUARANTEE
from shopkeeper.insight.types import Taught
from shopkeeper.models.backend import open_model
from shopkeeper.store.labels import Given, Labels, Purpose
from shopkeeper.tasks.choosing import choose
from shopkeeper.tasks.guarantee import Against, Guarantee, calibrate, grid
from shopkeeper.tasks.pool import Pool
from shopkeeper.tasks.student import Student
from shopkeeper.tasks.teacher import Asked, Teacher
from shopkeeper.tasks.types import Task

LEAST: Final = 100
"""Fewer labels make no student."""

_TRAINED: Final = 0.3
"""The share of new labels that teach; the others, drawn at random, prove."""


def teach(
    ctx: Context, task: str, since: Period, count: int, model: str, alpha: float, delta: float
) -> Taught:
    """See the operation ``teach``."""
    asked_task = labelled_task(task)
    rows = pool(ctx.shop, task, since)
    if isinstance(rows, CannotSay):
        return _nothing(task, rows)
    texts, ids = bodies(rows), rows["text_id"].to_pylist()
    owners = rows["author"].to_pylist()
    stopped, name = _labelled(ctx, asked_task, (texts, ids, owners), count, model)
    by_id = dict(zip(ids, texts, strict=True))
    learn, prove = _split(Labels(ctx.shop.database).of(task), by_id)
    if len(learn) < LEAST or len(set(learn.values())) < 2:
        return _nothing(task, CannotSay(
            reason=f"There are {len(learn)} labels to learn from.", needed=f"at least {LEAST}, of two kinds",
        ), teacher=name, stopped=stopped, labels=len(learn) + len(prove.labels))  # fmt: skip
    ctx.progress(count, count, "training")
    student = Pool(texts).student(
        task, [by_id[one] for one in learn], list(learn.values()), names=asked_task.names
    )
    found = Taught(
        task=task,
        teacher=name,
        labels=len(learn) + len(prove.labels),
        trained_on=len(learn),
        proven_on=len(prove.labels),
        version=None,
        threshold=None,
        local_share=None,
        statement=None,
        stopped=stopped,
    )
    worse = _worse(ctx, student, by_id, prove)
    if worse is not None:
        return found.model_copy(update={"cannot_say": worse})
    promise = _proven(student, by_id, prove, alpha, delta)
    kept: dict[str, Any] = {"version": student.version}
    if isinstance(promise, Guarantee):
        student.card[GUARANTEE] = {**promise.model_dump(), "statement": promise.statement}
        kept |= {
            "threshold": promise.threshold,
            "local_share": promise.share,
            "statement": promise.statement,
        }
    else:
        kept["cannot_say"] = promise
    why = promise.statement if isinstance(promise, Guarantee) else promise.reason
    registry(ctx.shop).publish(student, task=task, by=ctx.actor.name, why=why)
    return found.model_copy(update=kept)


@dataclass(frozen=True)
class _Proof:
    """Labels of texts drawn at random that have taught nothing, by text, and who gave them."""

    labels: dict[str, str]
    against: Against


def _split(given: Sequence[Given], known: Collection[str]) -> tuple[dict[str, str], _Proof]:
    """The labels to learn from, people's before models', and those to prove with.

    A model's random sample proves agreement with the model; without one, people's audit does, with them.
    """
    usable = [one for one in given if one.text_id in known and one.value]
    usable.sort(key=lambda one: one.kind == "person")
    learn = {one.text_id: str(one.value) for one in usable if one.purpose == "train"}
    drawn = [one for one in usable if one.purpose != "train" and one.text_id not in learn]
    by_model = {o.text_id: str(o.value) for o in drawn if o.purpose == "calibration"}
    if by_model:
        return learn, _Proof(by_model, "teacher")
    return learn, _Proof({one.text_id: str(one.value) for one in drawn}, "people")


def _worse(
    ctx: Context, student: Student, by_id: Mapping[str, str], prove: _Proof
) -> CannotSay | None:
    """Why the shipped reader stays in use: it agrees with the labels more often than the student."""
    current = reader(ctx.shop, student.name)
    if isinstance(current, Student) or not prove.labels:
        return None
    texts = [by_id[one] for one in prove.labels]
    shares = [
        sum(
            a.value == said
            for a, said in zip(one.answer(texts), prove.labels.values(), strict=True)
        )
        / len(texts)
        for one in (student, current)
    ]
    if shares[0] >= shares[1]:
        return None
    return CannotSay(
        reason=f"The student agrees with {shares[0]:.1%} of {len(texts)} labels, the shipped reader with "
        f"{shares[1]:.1%}: that one stays in use.",
        needed="more labels to learn from",
    )


def _labelled(
    ctx: Context,
    task: Task,
    texts: tuple[Sequence[str], Sequence[str], Sequence[Any]],
    count: int,
    model: str,
) -> tuple[str, str]:
    """Ask the model for ``count`` labels; why it stopped early, and its name."""
    if not count:
        return "", ""
    if (model or ctx.shop.settings.model) == "house":
        raise BadInput(
            "No language model is set that could teach.",
            hint="Set `model`, give --model, or label by hand: shopkeeper insight next-label.",
            field="model",
        )
    bodies_, ids, owners = texts
    labels = Labels(ctx.shop.database)
    known = {one.text_id for one in labels.of(task.name)}
    taken = [place for place, one in enumerate(ids) if one in known]
    solver = reader(ctx.shop, task.name)
    chosen = choose(
        solver if isinstance(solver, Student) else None, bodies_, count,
        random_share=1 - _TRAINED, taken=taken, seed=len(known),
    )  # fmt: skip
    asked: dict[Purpose, list[Asked]] = {"train": [], "calibration": []}
    learn = round(count * _TRAINED)
    for place, one in enumerate(chosen):
        # Drawn at random in random order: the first of them may teach, the rest prove.
        purpose: Purpose = (
            "train" if one.why != "random" or place < learn - _unsure(chosen) else "calibration"
        )
        asked[purpose].append(Asked(bodies_[one.place], ids[one.place], owners[one.place]))
    stopped, done = "", 0
    with closing(open_model(ctx.shop, model)) as backend:
        teacher = Teacher(backend, task, labels.agreement(task.name, f"teacher:{backend.name}"))
        try:
            for purpose, group in asked.items():
                for _ in teacher.label(group, labels, purpose):
                    done += 1
                    ctx.progress(done, len(chosen), "labelling")
        except OverBudget as error:
            stopped = str(error)
        return stopped, teacher.name


def _unsure(chosen: Sequence[Any]) -> int:
    return sum(one.why != "random" for one in chosen)


def _proven(
    student: Student, by_id: Mapping[str, str], prove: _Proof, alpha: float, delta: float
) -> Guarantee | CannotSay:
    if not prove.labels:
        return CannotSay(
            reason="No label of a random sample is left to prove anything with.",
            needed="labels by a model, or an audit by people",
        )
    answers = student.answer([by_id[one] for one in prove.labels])
    sure = np.array([one.confidence for one in answers])
    right = np.array(
        [a.value == said for a, said in zip(answers, prove.labels.values(), strict=True)]
    )
    rest = [text for text_id, text in by_id.items() if text_id not in prove.labels]
    confidences = np.array([one.confidence for one in student.answer(rest)])
    return calibrate(
        sure,
        right,
        grid(confidences, len(prove.labels)),
        alpha=alpha,
        delta=delta,
        against=prove.against,
        model_version=student.version,
    )


def _nothing(
    task: str, why: CannotSay, *, teacher: str = "", stopped: str = "", labels: int = 0
) -> Taught:
    return Taught(
        task=task, teacher=teacher, labels=labels, trained_on=0, proven_on=0, version=None,
        threshold=None, local_share=None, statement=None, stopped=stopped, cannot_say=why,
    )  # fmt: skip
