"""What is praised and blamed, product by product, and in which words."""

from __future__ import annotations

from typing import cast
from urllib.parse import quote

from nicegui import PageArguments, ui

from shopkeeper.console import parts
from shopkeeper.console.pages import said
from shopkeeper.console.parts import Column, box, text
from shopkeeper.console.visit import Visit
from shopkeeper.customers.segments import definitions
from shopkeeper.insight.types import AspectCell, AspectMatrix, AspectRow, Voice, Voices
from shopkeeper.report.parts import clipped
from shopkeeper.report.types import SegmentVoices

_COLUMNS = 8
_DARKEST = 45


async def page(visit: Visit, _args: PageArguments) -> None:
    """The matrix: products by aspects, the redder the more of the judging texts blame."""
    with box("page-top"):
        parts.title(visit.w("menu.aspects"), visit.w("aspects.lead"))
        bar = box("period")
    holder = box("stack")

    async def load() -> None:
        ask = {"since": visit.since, "k": 25, "lang": visit.lang}
        await visit.fill(
            holder, lambda: visit.run("insight.aspects", **ask), lambda r: _matrix(visit, r)
        )

    with bar:
        said.period(visit, load)
    await load()


def _matrix(visit: Visit, reply: AspectMatrix) -> None:
    w, n = visit.w, visit.n
    if reply.cannot_say is not None:
        said.nothing(visit, reply.cannot_say, "insight.read")
        return
    shown = reply.rows[0].cells[:_COLUMNS]
    columns = [
        Column("title", w("aspects.product"), opens=True),
        Column("texts", w("aspects.texts"), number=True),
        *(Column(cell.aspect, cell.name, number=True, heat=True) for cell in shown),
    ]
    rows = []
    for line in reply.rows:
        row: dict[str, object] = {
            "id": line.item_id or "",
            "title": line.title or line.item_id or w("aspects.whole"),
            "texts": n.count(line.texts),
        }
        for cell in line.cells:
            judged = cell.positive + cell.negative
            share = cell.negative / judged if judged else None
            row[cell.aspect] = f"{n.share(share, 0)} · {cell.texts}" if judged else str(cell.texts)
            row[f"{cell.aspect}-heat"] = round((share or 0.0) * _DARKEST)
        rows.append(row)
    with parts.panel(w("aspects.matrix"), lead=w("aspects.matrix_lead")):
        parts.table(columns, rows, label=w("aspects.matrix"), on_open=_open)
        said.start(visit, "insight.read")
    _commonest(visit, reply.rows[0])


def _open(item_id: str) -> None:
    ui.navigate.to(f"/voices?item={quote(item_id, safe='')}" if item_id else "/voices")


def _commonest(visit: Visit, whole: AspectRow) -> None:
    w, n = visit.w, visit.n
    columns = [
        Column("name", w("aspects.aspect")),
        Column("texts", w("aspects.texts"), number=True),
        Column("praise", w("aspects.praise"), number=True),
        Column("blame", w("aspects.blame"), number=True),
        Column("words", w("aspects.words"), wraps=True),
    ]

    def row(cell: AspectCell) -> dict[str, str]:
        return {
            "id": cell.aspect,
            "name": cell.name,
            "texts": n.count(cell.texts),
            "praise": n.count(cell.positive),
            "blame": n.count(cell.negative),
            "words": " · ".join(clipped(one, 40).text for one in cell.opinions),
        }

    with parts.panel(w("aspects.words_of"), lead=w("aspects.words_lead")):
        parts.table(columns, [row(cell) for cell in whole.cells], label=w("aspects.words_of"))


async def voices(visit: Visit, args: PageArguments) -> None:
    """What customers praise, object to and wish for: all of them, of one product, or in one segment."""
    item = args.query_parameters.get("item") or None
    segment = args.query_parameters.get("segment") or None
    lead = ""
    if item or segment:
        lead = visit.w("voices.of", item=item) if item else _segment(visit, segment or "")
    with box("page-top"):
        parts.title(visit.w("menu.voices"), lead)
        bar = box("period")
    if lead:
        parts.link(visit.w("voices.all" if item else "voices.everybody"), "/voices", "back")
    holder = box("stack")

    async def asked() -> Voices:
        ask = {"since": visit.since, "k": 10, "lang": visit.lang}
        if segment:
            of_segment = await visit.run("report.segment_voices", segment=segment, **ask)
            return cast("SegmentVoices", of_segment).voices
        return cast("Voices", await visit.run("insight.voices", item_id=item, **ask))

    async def load() -> None:
        await visit.fill(holder, asked, lambda r: _voices(visit, r))

    with bar:
        said.period(visit, load)
    await load()


def _segment(visit: Visit, segment: str) -> str:
    known = definitions().get(segment)
    return visit.w("voices.in", segment=known.name(visit.lang) if known else segment)


def _voices(visit: Visit, reply: Voices) -> None:
    w = visit.w
    if reply.cannot_say is not None:
        said.nothing(visit, reply.cannot_say, "insight.read")
        return
    text(w("voices.people", people=visit.n.count(reply.people)), "lead")
    with box("panels"):
        for name, found in (("praise", reply.praise), ("objections", reply.objections)):
            with parts.panel(w(f"voices.{name}")):
                for voice in found:
                    _voice(visit, voice)
                if not found:
                    text(w("voices.none"), "lead")
    with parts.panel(w("voices.wishes"), lead=w("voices.wishes_lead")):
        said.quotes(visit, reply.wishes)
        if not reply.wishes:
            text(w("voices.none"), "lead")


def _voice(visit: Visit, voice: Voice) -> None:
    with ui.expansion().classes("segment").props("dense-toggle") as opened:
        with opened.add_slot("header"), box("voice-head"):
            text(voice.name, "segment-name")
            text(visit.w("themes.people", people=visit.n.count(voice.people)), "lead")
            text(" · ".join(clipped(one, 24).text for one in voice.opinions), "lead voice-words")
        with box("segment-body"):
            said.quotes(visit, voice.quotes)
