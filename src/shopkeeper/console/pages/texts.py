"""One text: its words, whose they are, what they are about, and what was read in them."""

from __future__ import annotations

from urllib.parse import quote

from nicegui import PageArguments

from shopkeeper.console import parts
from shopkeeper.console.parts import Column, box, text
from shopkeeper.console.visit import Visit
from shopkeeper.insight.types import TextDetail, TextReading


async def page(visit: Visit, args: PageArguments) -> None:
    """The page of ``/text?id=…``; the words are shown as text, whatever they hold."""
    w = visit.w
    text_id = args.query_parameters.get("id", "")
    parts.link(w("texts.back"), "/voices", "back")
    parts.title(w("texts.title"), text_id)
    holder = box("stack")
    await visit.fill(
        holder,
        lambda: visit.run("insight.text", text_id=text_id, lang=visit.lang),
        lambda reply: _drawn(visit, reply),
    )


def _drawn(visit: Visit, reply: TextDetail) -> None:
    w, n = visit.w, visit.n
    with parts.panel(w.get(f"texts.kind_{reply.kind}", reply.kind)):
        if reply.title:
            text(reply.title, "said-title")
        text(reply.body, "said-text", "blockquote")
        with parts.facts():
            parts.fact(w("texts.day"), n.date(reply.day))
            if reply.rating is not None:
                parts.fact(w("texts.rating"), f"{reply.rating:g} / 5")
            if reply.language:
                parts.fact(w("texts.language"), reply.language)
            parts.fact(w("texts.source"), reply.source)
        with box("form-row"):
            if reply.customer_id:
                label = w("texts.author", name=reply.customer_id)
                parts.link(label, f"/customer?id={quote(reply.customer_id, safe='')}")
            if reply.item_id:
                label = w("texts.item", name=reply.item or reply.item_id)
                parts.link(label, f"/voices?item={quote(reply.item_id, safe='')}")
        if reply.url:  # never a link: it came from outside, and may lead anywhere
            text(reply.url, "lead small")
    _readings(visit, reply)


def _readings(visit: Visit, reply: TextDetail) -> None:
    w, n = visit.w, visit.n
    columns = [
        Column("task", w("texts.task")),
        Column("name", w("texts.answer"), wraps=True),
        Column("words", w("texts.words"), wraps=True),
        Column("sure", w("texts.sure"), number=True),
        Column("by", w("texts.by")),
    ]

    def row(place: int, one: TextReading) -> dict[str, str]:
        words = [part for part in (one.span, one.opinion) if part]
        answer = one.name or one.label or "–"
        if one.task == "aspects" and one.value is not None:
            answer = f"{answer} {_sign(visit, one.value)}"
        return {
            "id": str(place),
            "task": w.get(f"texts.task_{one.task}", one.task),
            "name": answer,
            "words": " · ".join(words),
            "sure": "–" if one.confidence is None else n.share(one.confidence, 0),
            "by": one.answered_by,
        }

    with parts.panel(w("texts.readings"), lead=w("texts.readings_lead")):
        if not reply.readings:
            text(w("texts.unread"), "lead")
            return
        rows = [row(place, one) for place, one in enumerate(reply.readings)]
        parts.table(columns, rows, label=w("texts.readings"))


def _sign(visit: Visit, value: float) -> str:
    if not value:
        return visit.w("texts.neutral")
    return visit.w("texts.praised" if value > 0 else "texts.blamed")
