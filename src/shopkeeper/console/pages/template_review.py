"""Deciding about what was submitted: what changed since the last approval, and who may say yes."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from typing import Final

from nicegui import ui

from shopkeeper.console import parts
from shopkeeper.console.pages.template_findings import place
from shopkeeper.console.parts import box, text
from shopkeeper.console.visit import Again, Visit
from shopkeeper.content.types import Body, Shown

_TOKEN: Final = re.compile(r"\{\{.*?\}\}|[A-Za-z0-9]+|\s+|.", re.DOTALL)
_AROUND: Final = 60
_FINE: Final = 6_000
"""Characters up to which words are compared; longer parts line by line."""


def review(visit: Visit, shown: Shown, load: Again) -> None:
    """The panel of a reviewer: the differences, and the two buttons where the person may decide."""
    w = visit.w
    lead = w("templates.review_lead" if shown.before else "templates.review_first")
    with parts.panel(w("templates.review"), lead=lead):
        for where, pieces in differences(shown.before, shown.body) if shown.before else ():
            with box("change-part"):
                text(place(visit, where), "fact-name")
                with box("letter-text"):
                    for kind, words in pieces:
                        text(words, f"words-{kind}", {"new": "ins", "old": "del"}.get(kind, "span"))
        if visit.actor.name in (shown.author, *shown.editors):
            text(w("templates.own"), "lead")
        elif not visit.actor.holds("content:approve"):
            text(w("templates.not_approver"), "lead")
        else:
            _decide(visit, shown, load)


def _decide(visit: Visit, shown: Shown, load: Again) -> None:
    w = visit.w
    about = {"template_id": shown.template_id, "version": shown.version}

    async def approve() -> None:
        note = str(reason.value or "").strip()
        asked = await visit.attempt(visit.run("content.approve", **about, note=note))
        if asked is None or asked.plan is None:
            return
        detail = w("templates.approve_detail", hash=asked.plan.hash)
        if not await parts.confirmed(
            w, w("templates.approve_ask"), detail=detail, act=w("templates.approve")
        ):
            return
        done = await visit.attempt(
            visit.run("content.approve", **about, note=note, confirm=asked.plan.hash)
        )
        if done is not None:
            visit.tell(w("templates.approved_now"))
            await load()

    async def reject() -> None:
        told = str(reason.value or "").strip()
        if not told:
            visit.tell(w("templates.say_why"))
            reason.run_method("focus")
            return
        if await visit.attempt(visit.run("content.reject", **about, reason=told)) is not None:
            visit.tell(w("templates.rejected_now"))
            await load()

    with box("form-row"):
        reason = ui.input(label=w("templates.reason")).props("outlined dense maxlength=1000")
        reason.classes("wide-field")
        parts.button(w("templates.approve"), approve, icon="verified")
        parts.plain_button(w("templates.reject"), reject, icon="undo")


def differences(before: Body, now: Body) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """What differs in each part: pieces of kind ``same``, ``new`` and ``old``; parts alike are left out."""
    old, new = _flat(before), _flat(now)
    for where in sorted({*old, *new}):
        was, now_ = old.get(where, ""), new.get(where, "")
        if was != now_:
            yield where, list(_pieces(was, now_))


def _pieces(was: str, now: str) -> Iterator[tuple[str, str]]:
    fine = max(len(was), len(now)) <= _FINE
    a, b = (_TOKEN.findall(one) if fine else one.splitlines(keepends=True) for one in (was, now))
    matcher = difflib.SequenceMatcher(None, a, b, autojunk=False)
    for kind, i, j, k, m in matcher.get_opcodes():
        if kind == "equal":
            same = "".join(a[i:j])
            yield (
                "same",
                same if len(same) <= 2 * _AROUND else f"{same[:_AROUND]} … {same[-_AROUND:]}",
            )
            continue
        if j > i:
            yield "old", "".join(a[i:j])
        if m > k:
            yield "new", "".join(b[k:m])


def _flat(body: Body) -> dict[str, str]:
    found = {}
    for language, part in body.parts.items():
        for name in ("subject", "text", "html", "template_id"):
            if getattr(part, name):
                found[f"{language}.{name}"] = str(getattr(part, name))
        found |= {f"{language}.variables.{k}": v for k, v in part.variables.items()}
    return found
