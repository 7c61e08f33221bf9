"""The pieces that pages are made of. All of them show text as text."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from nicegui import ui
from nicegui.element import Element
from nicegui.events import GenericEventArguments

from shopkeeper.console.words import Words
from shopkeeper.core.errors import ShopkeeperError

Tone = Literal["good", "bad", "warn", "flat", "main"]


@dataclass(frozen=True)
class Column:
    """A column of a table: key, heading, and whether it holds numbers, opens the row, wraps, is tinted.

    A tinted cell takes its strength, 0 to 100, from ``<name>-heat`` of its row.
    """

    name: str
    label: str
    number: bool = False
    opens: bool = False
    wraps: bool = False
    heat: bool = False


def box(classes: str = "", tag: str = "div") -> Element:
    """A plain element."""
    return ui.element(tag).classes(classes)


def text(content: str, classes: str = "", tag: str = "div") -> ui.label:
    """Text, never read as HTML."""
    label = ui.label(content).classes(classes)
    label.tag = tag
    return label


def title(heading: str, lead: str = "") -> None:
    """The page's heading and one line on what it is for."""
    with box("page-title"):
        text(heading, tag="h1").props("id=page-heading tabindex=-1")
        if lead:
            text(lead, "lead")


@contextmanager
def panel(heading: str = "", *, classes: str = "", lead: str = "") -> Iterator[Element]:
    """A card with a heading."""
    with box(f"panel {classes}", "section") as element:
        if heading:
            with box("panel-head"):
                text(heading, tag="h2")
                if lead:
                    text(lead, "lead")
        yield element


def waiting(label: str, lines: int = 3) -> None:
    """A quiet stand-in for what is still worked out."""
    with box("waiting").props(f'role=status aria-label="{label}"'):
        for _ in range(lines):
            box("bone")


def empty(heading: str, advice: str = "", icon: str = "inbox") -> Element:
    """What stands where there is nothing yet: why, and what to do."""
    with box("empty") as element:
        ui.icon(icon).classes("empty-icon")
        text(heading, "empty-head")
        if advice:
            text(advice, "lead")
    return element


def failure(
    w: Words, error: ShopkeeperError, again: Callable[[], Awaitable[Any]] | None = None
) -> None:
    """What went wrong and what to do, and a way to try again."""
    with box("failure").props("role=alert"):
        text(headline(w, error), "failure-head")
        text(error.message)
        if error.hint:
            text(error.hint, "lead")
        if again is not None:
            ui.button(w("page.again"), on_click=again).props("flat dense no-caps")


def headline(w: Words, error: ShopkeeperError) -> str:
    """The kind of error in the reader's words; its details are English."""
    return w.get(f"error.{type(error).__name__}", w("error.other"))


def toast(
    w: Words,
    holder: Element,
    lines: Sequence[str],
    *,
    link: str = "",
    undo: Callable[[], Awaitable[Any]] | None = None,
    wrong: bool = False,
) -> None:
    """A message at the edge that goes by itself, or is closed."""
    with holder, box(f"toast {'wrong' if wrong else ''}") as note:
        with box("toast-text"):
            for line in filter(None, lines):
                text(line)
        if link:
            ui.link(w("page.open"), link).classes("link")
        if undo is not None:
            back = undo

            async def undone() -> None:
                note.delete()
                await back()

            ui.button(w("page.undo"), on_click=undone).props("flat dense no-caps")
        close = ui.button(icon="close", on_click=note.delete)
        close.props(f'flat round dense size=sm aria-label="{w("page.close")}"')
        ui.timer(12 if wrong or undo or link else 5, note.delete, once=True, immediate=False)


def badge(label: str, tone: Tone = "flat") -> ui.label:
    """A word in a pill."""
    return text(label, f"badge {tone}", "span")


def fact(label: str, value: str) -> None:
    """A name and its value."""
    with box("fact"):
        text(label, "fact-name", "dt")
        text(value, "fact-value", "dd")


@contextmanager
def facts() -> Iterator[Element]:
    """A row of names with their values."""
    with box("facts", "dl") as element:
        yield element


def table(
    columns: Sequence[Column],
    rows: Sequence[Mapping[str, Any]],
    *,
    label: str,
    on_open: Callable[[str], Any] | None = None,
) -> ui.table:
    """Rows of text; the column that ``opens`` is a button which hands on the row's ``id``."""
    element = ui.table(
        columns=[
            {
                "name": c.name,
                "label": c.label,
                "field": c.name,
                "align": "right" if c.number else "left",
                "classes": "wraps" if c.wraps else "",
            }
            for c in columns
        ],
        rows=[dict(row) for row in rows],
        row_key="id",
    )
    element.props('flat dense hide-pagination :pagination="{rowsPerPage: 0}"').classes("rows")
    element.props["aria-label"] = label
    element.props("role=region")
    for column in columns:
        if column.heat:
            element.add_slot(f"body-cell-{column.name}", _HEAT.replace("NAME", column.name))
    if on_open is not None:
        opened = on_open

        def clicked(event: GenericEventArguments) -> Any:
            return opened(str(event.args))

        for column in columns:
            if column.opens:
                element.add_slot(f"body-cell-{column.name}", _OPENS)
        element.on("open", clicked)
    return element


_HEAT = """
<q-td :props="props" :style="{background:
  `color-mix(in srgb, var(--main) ${Number(props.row['NAME-heat'] || 0)}%, transparent)`}">
{{ props.value }}</q-td>
"""

_OPENS = """
<q-td :props="props"><button type="button" class="link" @click="$parent.$emit('open', props.row.id)">
{{ props.value }}</button></q-td>
"""


def pager(w: Words, page: int, last: int, go: Callable[[int], Any]) -> None:
    """Buttons to the page before and after, where there is more than one."""
    if max(page, last) < 2:
        return
    with box("pager", "nav").props(f'aria-label="{w("page.pages")}"'):
        back = ui.button(icon="chevron_left", on_click=lambda: go(page - 1))
        back.props(f'flat round dense aria-label="{w("page.earlier")}"').set_enabled(page > 1)
        text(w("page.of", page=page, pages=max(last, 1)), "lead")
        on = ui.button(icon="chevron_right", on_click=lambda: go(page + 1))
        on.props(f'flat round dense aria-label="{w("page.later")}"').set_enabled(page < last)


def link(label: str, target: str, classes: str = "") -> ui.link:
    """A link within the console."""
    return ui.link(label, target).classes(f"link {classes}")


def button(label: str, on_click: Callable[..., Any], *, icon: str | None = None) -> ui.button:
    """The button of what is mostly done here."""
    return ui.button(label, icon=icon, on_click=on_click).props("unelevated no-caps").classes("act")


def plain_button(label: str, on_click: Callable[..., Any], *, icon: str | None = None) -> ui.button:
    """A button beside it."""
    element = ui.button(label, icon=icon, on_click=on_click)
    return element.props("outline no-caps").classes("act plain")


async def confirmed(w: Words, question: str, *, detail: str = "", act: str) -> bool:
    """Whether the person says yes to something that cannot be undone."""
    # Beside the page, not in the part that asked: that part may be drawn anew meanwhile.
    with ui.context.client, ui.dialog() as dialog, ui.card().classes("ask") as card:
        card.props("role=alertdialog")
        text(question, tag="h2")
        if detail:
            text(detail, "lead")
        with box("ask-row"):
            plain_button(w("page.cancel"), lambda: dialog.submit(False)).props("autofocus")
            button(act, lambda: dialog.submit(True)).classes("danger")
    answer = await dialog
    dialog.delete()
    return bool(answer)


async def typed(w: Words, question: str, *, detail: str, wanted: str, act: str) -> bool:
    """Whether the person says yes by writing ``wanted``: for what cannot be taken back."""
    with ui.context.client, ui.dialog() as dialog, ui.card().classes("ask") as card:
        card.props("role=alertdialog")
        text(question, tag="h2")
        text(detail, "lead")
        field = ui.input(label=w("page.type", wanted=wanted)).props("outlined dense autofocus")
        field.classes("typed")
        with box("ask-row"):
            plain_button(w("page.cancel"), lambda: dialog.submit(False))
            yes = button(act, lambda: dialog.submit(field.value == wanted)).classes("danger")
    yes.set_enabled(False)
    field.on_value_change(lambda event: yes.set_enabled(event.value == wanted))
    answer = await dialog
    dialog.delete()
    return bool(answer)
