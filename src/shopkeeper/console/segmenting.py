"""The customers behind anything shown as a segment by one click: as they are now, or by a rule."""

from __future__ import annotations

from urllib.parse import quote

from shopkeeper.console import parts
from shopkeeper.console.parts import box, text
from shopkeeper.console.visit import Visit
from shopkeeper.customers.types import SegmentDetail
from shopkeeper.metrics.types import Number

_LONGEST = 120


def offer(visit: Visit, name: str, *, number: Number | None = None, definition: str = "") -> None:
    """Buttons that make a segment called ``name``; none for who may not.

    A ``number`` gives those who are behind it now; a ``definition`` a rule that whoever fulfils it enters.
    """
    if not visit.may("customers.save_segment"):
        return
    w = visit.w
    called = name[:_LONGEST]

    async def of_number() -> None:
        assert number is not None  # noqa: S101 - the button is drawn for a number alone
        _made(
            visit,
            await visit.attempt(
                visit.run(
                    "customers.segment_of_number",
                    number=number.model_dump(mode="json"),
                    name=called,
                )
            ),
        )

    async def of_rule() -> None:
        made = await visit.attempt(
            visit.run("customers.save_segment", name=called, definition=definition)
        )
        if made is not None:
            await visit.queue("customers.refresh_segments")
        _made(visit, made)

    with box("form-row"):
        if number is not None:
            parts.plain_button(w("segmenting.as_now"), of_number, icon="playlist_add").tooltip(
                w("segmenting.as_now_lead")
            )
        if definition:
            parts.plain_button(w("segmenting.by_rule"), of_rule, icon="filter_alt").tooltip(
                w("segmenting.by_rule_lead")
            )
            target = f"/segments?definition={quote(definition, safe='')}"
            parts.link(w("segmenting.change"), target)
    if definition:
        text(definition, "lead small mono")


def _made(visit: Visit, made: SegmentDetail | None) -> None:
    if made is None:
        return
    segment = made.row.id

    async def undo() -> None:
        await visit.attempt(visit.run("customers.archive_segment", segment=segment))

    visit.tell(
        visit.w("segmenting.made", name=made.row.name),
        link=f"/segments/{quote(segment, safe='')}",
        undo=undo,
    )
