"""Answers texts by a reader, or by the shop's own student within its promise.

A student that was taught serves alone what it is sure of (its guarantee's threshold). Of the rest, the
least sure go to the language model, as many as are asked for, and wait for a person; whatever is left
keeps the student's reading, marked as unsure, so that no share leaves the hard texts out.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Final

from shopkeeper.core.operation import Context
from shopkeeper.core.settings import Language
from shopkeeper.models.backend import open_model
from shopkeeper.store.labelling import Labelling, Waiting
from shopkeeper.store.labels import Labels
from shopkeeper.tasks import catalogue
from shopkeeper.tasks.cascade import Cascade
from shopkeeper.tasks.guarantee import Guarantee
from shopkeeper.tasks.student import Student
from shopkeeper.tasks.teacher import Asked, Teacher
from shopkeeper.tasks.types import Answer, Solver

GUARANTEE: Final = "guarantee"
"""The key of a student's card that holds what is promised of its answers."""

UNSURE: Final = ":unsure"
"""Ends ``answered_by`` of a reading that its reader's promise does not cover."""

_WAITING: Final = 50  # texts that one run may queue for a person


@dataclass
class Served:
    """What came of some texts, and what a run may still ask and queue."""

    left: int
    room: int = _WAITING
    unsure: int = 0
    escalated: int = 0
    queued: int = 0


def answers(
    ctx: Context, task: str, solver: Solver, asked: Sequence[Asked], served: Served
) -> list[Answer]:
    """One answer a text, in their order; counts go into ``served``."""
    if not isinstance(solver, Student) or promised(solver) is None:
        return solver.answer([one.text for one in asked])
    threshold = float(solver.card[GUARANTEE]["threshold"])
    if not served.left:
        done = Cascade(solver, threshold).read(asked)
    else:
        with closing(open_model(ctx.shop)) as backend:
            agreed = Labels(ctx.shop.database).agreement(task, f"teacher:{backend.name}")
            teacher = Teacher(backend, catalogue.load(task), agreed)
            done = Cascade(solver, threshold, teacher=teacher, budget=served.left).read(asked)
    # As many were asked at most as there are unsure ones, whether or not they could be answered.
    served.left = max(0, served.left - done.escalated - len(done.waiting))
    served.escalated += done.escalated
    served.unsure += len(done.waiting)
    order = sorted(done.waiting, key=lambda place: done.answers[place].confidence)
    served.queued += _queue(ctx, task, [(asked[p], done.answers[p]) for p in order], served)
    kept = solver.answer([asked[place].text for place in done.waiting])
    for place, answer in zip(done.waiting, kept, strict=True):
        done.answers[place] = answer._replace(answered_by=f"{solver.name}{UNSURE}")
    return done.answers


def promised(solver: Solver, lang: Language = "en") -> str | None:
    """The promise of the shop's own student in one sentence; None where nothing is promised."""
    known = solver.card.get(GUARANTEE) if isinstance(solver, Student) else None
    if not known:
        return None
    kept = {name: value for name, value in known.items() if name in Guarantee.model_fields}
    return Guarantee.model_validate(kept).sentence(lang)


def _queue(ctx: Context, task: str, unsure: Sequence[tuple[Asked, Answer]], served: Served) -> int:
    waiting = [
        Waiting(
            task=task,
            text_id=one.text_id,
            purpose="train",
            customer_id=one.customer_id,
            priority=-answer.confidence,  # behind what was chosen on purpose
            why="uncertain",
        )
        for one, answer in unsure[: served.room]
    ]
    served.room -= len(waiting)
    return Labelling(ctx.shop.database).add(waiting)
