"""Segments by rules: the list, the builder with its live size and sentence, and one segment."""

from __future__ import annotations

from urllib.parse import quote

from nicegui import PageArguments, ui
from nicegui.element import Element

from shopkeeper.console import freshness, parts
from shopkeeper.console.pages.group_builder import Builder
from shopkeeper.console.parts import Column, box, text
from shopkeeper.console.visit import Again, Visit
from shopkeeper.customers.types import (
    Changes,
    Overlap,
    SegmentDetail,
    SegmentList,
    SegmentMembers,
    SegmentRow,
    TraitList,
)

_SIZE = 25
_CHANGES = 12


async def page(visit: Visit, args: PageArguments) -> None:
    """All segments, and the builder of a new one; ``?definition=`` comes with it."""
    w = visit.w
    with box("page-top"):
        parts.title(w("menu.groups"), w("groups.lead"))
        if visit.may("customers.refresh_segments"):
            with box("period"):
                parts.plain_button(
                    w("groups.refresh"),
                    lambda: visit.start("customers.refresh_segments"),
                    icon="refresh",
                )
    await freshness.line(visit, box(), "segments")
    listed, shared = box("stack"), box("stack")

    async def again() -> None:
        await visit.fill(
            listed,
            lambda: visit.run("customers.segments", lang=visit.lang),
            lambda reply: _listed(visit, reply),
        )

    await again()
    if visit.may("customers.save_segment"):
        traits: TraitList = await visit.run("customers.traits", lang=visit.lang)
        with parts.panel(w("groups.new"), lead=w("groups.new_lead")):
            Builder(visit, traits, args.query_parameters.get("definition", "")).draw()
    await visit.fill(
        shared,
        lambda: visit.run("customers.segment_overlap"),
        lambda reply: _overlap(visit, reply),
    )


def _listed(visit: Visit, reply: SegmentList) -> None:
    w, n = visit.w, visit.n
    if not reply.segments:
        parts.empty(w("groups.empty"), w("groups.empty_advice"), "filter_alt")
        return
    if reply.population is not None:
        out = sum(reply.left_out.values())
        text(w("groups.population", count=n.count(reply.population), out=n.count(out)), "lead")
    columns = [
        Column("name", w("groups.name"), opens=True, wraps=True),
        Column("members", w("groups.members"), number=True),
        Column("share", w("groups.share"), number=True),
        Column("moved", w("groups.moved"), number=True),
        Column("sentence", w("groups.says"), wraps=True),
        Column("status", w("groups.status")),
    ]
    with box("panel flush", "section"):
        parts.table(
            columns,
            [_row(visit, one) for one in reply.segments],
            label=w("menu.groups"),
            on_open=lambda one: ui.navigate.to(f"/segments/{quote(one, safe='')}"),
        )


def _row(visit: Visit, one: SegmentRow) -> dict[str, str]:
    n = visit.n
    moved = f"+{n.count(one.entered)} −{n.count(one.left or 0)}" if one.entered is not None else "–"
    return {
        "id": one.id,
        "name": one.name,
        "members": n.count(one.members) if one.members is not None else "–",
        "share": n.share(one.share) if one.share is not None else "–",
        "moved": moved,
        "sentence": one.sentence,
        "status": visit.w("groups.broken" if one.problem else f"groups.{one.status}"),
    }


def _overlap(visit: Visit, reply: Overlap) -> None:
    w, n = visit.w, visit.n
    if len(reply.segments) < 2 or not any(map(any, reply.shared)):
        return
    columns = [Column("name", w("groups.name"))]
    columns += [Column(one, one, number=True, heat=True) for one in reply.segments]
    rows = []
    for number, segment in enumerate(reply.segments):
        row: dict[str, object] = {"id": segment, "name": f"{segment} {reply.names[number]}"}
        for other, count, share in zip(
            reply.segments, reply.shared[number], reply.jaccard[number], strict=True
        ):
            row[other] = n.count(count)
            row[f"{other}-heat"] = round(60 * (share or 0)) if other != segment else 0
        rows.append(row)
    with parts.panel(w("groups.overlap"), lead=w("groups.overlap_lead")):
        parts.table(columns, rows, label=w("groups.overlap"))


async def one(visit: Visit, args: PageArguments) -> None:
    """One segment: what it says, its size over time, who is in and why, its versions."""
    segment = args.path_parameters["segment"]
    parts.link(visit.w("groups.back"), "/segments", "back")
    top, inside, moves = box("stack"), box("stack"), box("stack")
    traits: TraitList = await visit.run("customers.traits", lang=visit.lang)

    async def again() -> None:
        await visit.fill(
            top,
            lambda: visit.run("customers.segment_detail", segment=segment, lang=visit.lang),
            lambda reply: _detail(visit, reply, traits, again),
        )

    await again()
    await _members(visit, inside, segment, 1)
    await visit.fill(
        moves,
        lambda: visit.run("customers.segment_changes", segment=segment, limit=_CHANGES),
        lambda reply: _changes(visit, reply),
    )


def _detail(visit: Visit, reply: SegmentDetail, traits: TraitList, again: Again) -> None:
    w, n, row = visit.w, visit.n, reply.row
    parts.title(row.name, row.sentence)
    if row.problem:
        with box("notes"):
            text(w("groups.problem", reason=row.problem), "lead")
    with parts.facts():
        parts.fact(w("groups.members"), n.count(row.members) if row.members is not None else "–")
        parts.fact(w("groups.share"), n.share(row.share) if row.share is not None else "–")
        parts.fact(w("groups.version"), n.count(row.version))
        if row.refreshed_at is not None:
            parts.fact(w("groups.refreshed"), n.time(row.refreshed_at))
        if reply.drift is not None:
            parts.fact(w("groups.drift"), n.share(reply.drift.value))
    parts.link(w("groups.fair"), f"/fairness?segment={quote(row.id, safe='')}")
    if visit.may("customers.save_segment"):
        with parts.panel(w("groups.edit")):
            Builder(visit, traits, reply.meaning.text, row).draw()
    if len(reply.trend) > 1:
        with parts.panel(w("groups.trend")):
            _trend(visit, reply)
    with parts.panel(w("groups.versions")):
        _versions(visit, reply, again)


def _trend(visit: Visit, reply: SegmentDetail) -> None:
    n = visit.n
    columns = [
        Column("time", visit.w("groups.time")),
        Column("members", visit.w("groups.members"), number=True),
        Column("entered", visit.w("groups.entered"), number=True),
        Column("left", visit.w("groups.left"), number=True),
    ]
    rows = [
        {
            "id": str(number),
            "time": n.time(point.time),
            "members": n.count(point.members),
            "entered": n.count(point.entered),
            "left": n.count(point.left),
        }
        for number, point in enumerate(reversed(reply.trend[-_CHANGES:]))
    ]
    parts.table(columns, rows, label=visit.w("groups.trend"))


def _versions(visit: Visit, reply: SegmentDetail, again: Again) -> None:
    w, segment = visit.w, reply.row.id

    async def back(version: int) -> None:
        kept = await visit.attempt(
            visit.run("customers.restore_segment", segment=segment, version=version)
        )
        if kept is not None:
            visit.tell(w("groups.restored", version=version))
            await again()

    async def away() -> None:
        if not await parts.confirmed(w, w("groups.archive_ask"), act=w("groups.archive")):
            return
        kept = await visit.attempt(visit.run("customers.archive_segment", segment=segment))
        if kept is not None:
            ui.navigate.to("/segments")

    for version in reply.versions:
        with box("form-row"):
            parts.badge(w("groups.version_of", version=version.version))
            text(version.text, "mono")
            if version.version != reply.row.version and visit.may("customers.restore_segment"):
                parts.plain_button(
                    w("groups.restore"), lambda v=version.version: back(v), icon="restore"
                )
    if visit.may("customers.archive_segment"):
        parts.plain_button(w("groups.archive"), away, icon="archive")


async def _members(visit: Visit, holder: Element, segment: str, page: int) -> None:
    w, n = visit.w, visit.n

    def draw(reply: SegmentMembers) -> None:
        with parts.panel(w("groups.who"), lead=w("groups.who_lead", count=n.count(reply.total))):
            if not reply.rows:
                parts.empty(w("groups.nobody"), w("groups.nobody_advice"), "group_off")
                return
            columns = [
                Column("customer_id", w("column.customer_id"), opens=True),
                Column("since", w("groups.since")),
                Column("why", w("groups.why"), wraps=True),
            ]
            rows = [
                {
                    "id": member.customer_id,
                    "customer_id": member.customer_id,
                    "since": n.time(member.since),
                    "why": "; ".join(reason.text for reason in member.reasons),
                }
                for member in reply.rows
            ]
            parts.table(
                columns,
                rows,
                label=w("groups.who"),
                on_open=lambda i: ui.navigate.to(f"/customer?id={quote(i, safe='')}"),
            )
            last = -(-reply.total // _SIZE)
            parts.pager(w, page, last, lambda to: _members(visit, holder, segment, to))

    await visit.fill(
        holder,
        lambda: visit.run(
            "customers.segment_members",
            segment=segment,
            offset=(page - 1) * _SIZE,
            limit=_SIZE,
            lang=visit.lang,
        ),
        draw,
    )


def _changes(visit: Visit, reply: Changes) -> None:
    if not reply.rows:
        return
    with (
        parts.panel(visit.w("groups.moves")),
        box("notes", "ul"),
    ):
        for row in reply.rows:
            key = "groups.came" if row.change == "entered" else "groups.went"
            text(visit.w(key, customer=row.customer_id, time=visit.n.time(row.time)), tag="li")
