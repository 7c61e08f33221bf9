"""What a number means and what it is made of: its definition, its rows and their customers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from urllib.parse import quote

from nicegui import ui
from nicegui.element import Element

from shopkeeper.console import behind, figures, parts, segmenting
from shopkeeper.console.parts import Column, box, text
from shopkeeper.console.visit import Visit
from shopkeeper.core.period import Period
from shopkeeper.core.types import CannotSay, Estimate
from shopkeeper.metrics.types import Definition, Exact, Figure, Number, OfMetric, Rows

SIZE = 20
_NUMBERS = frozenset(
    {"quantity", "units", "lines", "orders", "events", "counts", "active_days", "price", "value", "cost",
     "revenue", "refunds", "sessions", "rows", "net_revenue"}
)  # fmt: skip
_HIDDEN = frozenset({"event_id"})


Paged = Callable[[int], Awaitable[Rows]]
"""The rows behind something, by the number of the page."""


async def open_(
    visit: Visit,
    known: Definition,
    figure: Figure,
    *,
    by: str | None = None,
    group: str | None = None,
    title: str = "",
) -> None:
    """Show the figure's dialog; the rows come a page at a time."""
    label = (title or group or visit.w("overview.unknown_group")) if by is not None else ""
    group_of = {} if by is None else {"by": by, "value": group}
    since = visit.since

    async def paged(page: int) -> Rows:
        reply: Rows = await visit.run(
            "metrics.rows", metric=known.name, since=since, page=page, size=SIZE, **group_of
        )
        return reply

    value = figures.full(visit, figure.value, known.unit)
    notes, days = _notes(visit, known, figure), await visit.days()
    told = behind.definition(known.name, days, by, group) if days is not None else ""
    number = OfMetric(metric=known.name, since=Period(since), by=by, value=group)
    await sheet(
        visit,
        (figures.label(visit, known), label),
        value,
        notes,
        paged,
        segment=(number, told),
    )


async def people(
    visit: Visit,
    number: Number,
    heading: tuple[str, str],
    value: str,
    notes: Iterable[str] = (),
    *,
    definition: str = "",
) -> None:
    """The same for a number that is made of customers alone."""

    async def paged(page: int) -> Rows:
        asked = {"number": number.model_dump(mode="json"), "page": page, "size": SIZE}
        reply: Rows = await visit.run("metrics.people", **asked)
        return reply

    await sheet(visit, heading, value, notes, paged, segment=(number, definition))


async def sheet(
    visit: Visit,
    heading: tuple[str, str],
    value: str,
    notes: Iterable[str],
    paged: Paged,
    *,
    segment: tuple[Number, str] | None = None,
) -> None:
    """A dialog with a heading (and a badge beside it), a value, what it means, and its rows.

    With ``segment``, the number and a definition or none, its customers become a segment by one click.
    """
    w = visit.w
    with visit.client, ui.dialog() as dialog, ui.card().classes("sheet"):
        dialog.on("hide", dialog.delete)
        with box("sheet-head"):
            text(heading[0], tag="h2")
            if heading[1]:
                parts.badge(heading[1], "main")
            box("grow")
            close = ui.button(icon="close", on_click=dialog.close)
            close.props(f'flat round dense autofocus aria-label="{w("page.close")}"')
        text(value, "sheet-value")
        with box("notes", "ul"):
            for note in notes:
                text(note, tag="li")
        if segment is not None:
            number, definition = segment
            segmenting.offer(
                visit, " · ".join(filter(None, heading)), number=number, definition=definition
            )
        holder = box("sheet-rows")
    dialog.open()
    await _rows(visit, holder, paged, 1)


async def _rows(visit: Visit, holder: Element, paged: Paged, page: int) -> None:
    async def work() -> tuple[Rows, dict[str, str]]:
        reply = await paged(page)
        where = reply.columns.index("item_id") if "item_id" in reply.columns else -1
        return reply, await visit.titles([r[where] for r in reply.rows] if where >= 0 else [])

    def draw(given: tuple[Rows, dict[str, str]]) -> None:
        reply, titles = given
        w = visit.w
        if reply.cannot_say is not None or not reply.total:
            text(w("rows.none"), "lead")
            return
        count = visit.n.count(reply.total)
        text(w("explain.made_of", what=w(f"behind.{reply.behind}", count=count)), tag="h3")
        if sums := "　".join(_sums(visit, reply)):
            text(sums, "lead")
        table(visit, reply, titles)
        last = -(-reply.total // reply.size)
        parts.pager(w, page, last, lambda to: _rows(visit, holder, paged, to))

    await visit.fill(holder, work, draw)


def table(visit: Visit, reply: Rows, titles: dict[str, str]) -> None:
    """The rows; a customer's id opens the customer."""
    w = visit.w
    hidden = _HIDDEN | ({"day"} if "time" in reply.columns else set())
    shown = [c for c in reply.columns if c not in hidden]
    columns = [
        Column(c, w.get(f"column.{c}", c), number=c in _NUMBERS, opens=c == "customer_id")
        for c in shown
    ]
    rows = []
    for number, row in enumerate(reply.rows):
        values = dict(zip(reply.columns, row, strict=True))
        cells = {c: figures.cell(visit, c, values[c]) for c in shown}
        if titles and values.get("item_id"):
            cells["item_id"] = titles.get(str(values["item_id"]), cells["item_id"])
        rows.append({**cells, "id": values.get("customer_id") or f"-{number}"})

    def opened(customer: str) -> None:
        if not customer.startswith("-"):
            ui.navigate.to(f"/customer?id={quote(customer, safe='')}")

    parts.table(columns, rows, label=w("page.table"), on_open=opened)


def _notes(visit: Visit, known: Definition, figure: Figure) -> Iterable[str]:
    w, n, unit = visit.w, visit.n, known.unit
    yield w("explain.means", formula=figures.formula(visit, known))
    if isinstance(figure.value, CannotSay):
        yield figures.why_not(visit, figure.value)
    if isinstance(figure.value, Estimate):
        yield w(
            "figure.estimate",
            level=n.share(figure.value.level, 0),
            low=n.amount(figure.value.low, unit),
            high=n.amount(figure.value.high, unit),
            n=n.count(figure.value.n),
        )
    if isinstance(figure.before, Exact | Estimate):
        yield w("figure.before", value=figures.full(visit, figure.before, unit))
    if isinstance(figure.change, Estimate):
        low, high = figure.change.low, figure.change.high
        said = (
            (n.points(low), n.points(high))
            if unit == "share"
            else (n.amount(low, unit), n.amount(high, unit))
        )
        yield w(
            "figure.certain" if figure.beyond_chance else "figure.uncertain",
            low=said[0],
            high=said[1],
        )
    elif isinstance(figure.change, Exact) and figure.change.value:
        yield w("explain.beyond" if figure.beyond_chance else "explain.chance")
    coverage = figure.coverage
    if coverage is not None and coverage.share is not None and coverage.share < 0.9995:
        of = coverage.of_zh if visit.lang == "zh" else coverage.of_en
        yield w("figure.coverage", share=n.share(coverage.share), of=of)


def _sums(visit: Visit, reply: Rows) -> Iterable[str]:
    for name, total in reply.sums.items():
        event, _, column = name.rpartition(".")
        if not total:
            continue
        label = visit.w.get(f"column.{column}", column)
        if event:
            event = visit.w.get(f"event.{event}", event)
            label = visit.w("rows.sum_of", event=event, column=label)
        yield f"{label} {figures.cell(visit, column, float(total))}"
