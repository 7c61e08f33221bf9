"""What the pages about customers' texts share: the period, quotes, and what starts reading."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final
from urllib.parse import quote as encoded

from nicegui import ui
from nicegui.events import ValueChangeEventArguments

from shopkeeper.console import figures, parts
from shopkeeper.console.parts import box, text
from shopkeeper.console.visit import Visit
from shopkeeper.core.types import CannotSay
from shopkeeper.insight.types import Quote

_PERIODS: Final = ("30d", "90d", "180d", "1y", "all")


def period(visit: Visit, load: Callable[[], Awaitable[Any]]) -> None:
    """A choice of the period that all these pages keep to."""

    async def chosen(event: ValueChangeEventArguments[Any]) -> None:
        visit.since = str(event.value)
        await load()

    options = {p: visit.w(f"period.{p}") for p in _PERIODS}
    options.setdefault(visit.since, visit.since)
    select = ui.select(options, value=visit.since, on_change=chosen)
    select.props(f'outlined dense options-dense aria-label="{visit.w("period.label")}"')
    select.classes("period-select")


def quotes(visit: Visit, said: Sequence[Quote]) -> None:
    """Quotes word for word, each with its day, its item and the id of its text."""
    with box("said", "ul"):
        for quote in said:
            with box("said-quote", "li"):
                text(f"{quote.text}{' …' if quote.cut else ''}", tag="blockquote")
                with box("said-about lead small"):
                    about = [visit.n.date(quote.day), quote.item_id]
                    text(" · ".join(filter(None, about)), tag="span")
                    parts.link(quote.text_id, f"/text?id={encoded(quote.text_id, safe='')}")


def nothing(visit: Visit, why: CannotSay, act: str) -> None:
    """Why there is nothing, and the job that would change that."""
    parts.empty(visit.w("said.empty"), figures.why_not(visit, why), "forum")
    start(visit, act)


def start(visit: Visit, act: str) -> None:
    """A button that starts one of the jobs, for who may."""
    if visit.may(act):
        label = visit.w(f"said.{act.rpartition('.')[2]}")
        button = parts.plain_button(label, lambda: visit.start(act), icon="play_arrow")
        button.classes("after-table")
