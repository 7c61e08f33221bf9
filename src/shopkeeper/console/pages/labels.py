"""The labelling queue: one text at a time, by hand and by keys."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, Final

from nicegui import PageArguments, ui
from nicegui.element import Element
from nicegui.events import KeyEventArguments, ValueChangeEventArguments

from shopkeeper.console import figures, parts
from shopkeeper.console.pages.marking import Marks
from shopkeeper.console.parts import badge, box, text
from shopkeeper.console.visit import Visit
from shopkeeper.insight.types import LabelCard, LabelStatus

_TASKS: Final = ("sentiment", "intents", "aspects")
_FEW: Final = 50


async def page(visit: Visit, _args: PageArguments) -> None:
    """The next text, with its labels as buttons; the keys 1 to 9, s and u do the same."""
    w = visit.w
    with box("page-top"):
        parts.title(w("menu.labels"), w("labels.lead"))
        bar = box("period")
    desk = _Desk(visit, box("stack"))
    with bar:
        select = ui.select({t: w(f"labels.{t}") for t in _TASKS}, value=desk.task)
        select.props(f'outlined dense options-dense aria-label="{w("labels.task")}"')
        select.on_value_change(desk.turn)
    if visit.may("insight.give_label"):
        ui.keyboard(desk.pressed, repeating=False)
    await desk.load()


class _Desk:
    """What lies before the person: one task, one text."""

    def __init__(self, visit: Visit, holder: Element) -> None:
        self.visit = visit
        self.holder = holder
        self.task = _TASKS[0]
        self.card: LabelCard | None = None
        self.busy = False
        self.before = ""

    async def turn(self, event: ValueChangeEventArguments[Any]) -> None:
        """Another task."""
        self.task = str(event.value)
        await self.load()

    async def load(self) -> None:
        """The next text; who may not label sees how far the others are."""
        name = "next_label" if self.visit.may("insight.give_label") else "label_status"
        await self.visit.fill(
            self.holder, lambda: self.visit.run(f"insight.{name}", task=self.task), self._draw
        )

    def _draw(self, reply: LabelCard | LabelStatus) -> None:
        status = reply.status if isinstance(reply, LabelCard) else reply
        self.card = reply if isinstance(reply, LabelCard) else None
        self._progress(status)
        if self.card is None:
            return
        if self.card.text_id is None:
            parts.empty(
                self.visit.w("labels.empty"), self.visit.w("labels.empty_advice"), "done_all"
            )
            with box("form-row"):
                parts.button(self.visit.w("labels.fill"), self._fill, icon="playlist_add")
                parts.plain_button(self.visit.w("labels.undo"), self.undo, icon="undo")
            return
        self._text(self.card)

    def _progress(self, status: LabelStatus) -> None:
        w, n = self.visit.w, self.visit.n
        with parts.facts():
            parts.fact(w("labels.waiting"), n.count(status.waiting))
            parts.fact(w("labels.done"), n.count(status.done))
            parts.fact(w("labels.skipped"), n.count(status.skipped))
            house = status.reader == "house"
            parts.fact(w("labels.reader"), w("labels.house") if house else w("labels.own"))
        if status.done + status.waiting:
            with box("meter").props("role=presentation"):
                share = status.done / (status.done + status.waiting)
                box("meter-fill").style(f"width:{share * 100:.1f}%")

    def _text(self, card: LabelCard) -> None:
        w, n = self.visit.w, self.visit.n
        with parts.panel(w.get(f"labels.question_{card.task}", card.question)):
            badge(w.get(f"labels.why_{card.why}", card.why or ""))
            if card.title:
                text(card.title, "said-title")
            text(card.text or "", "said-text", "blockquote")
            about = [n.date(card.day) if card.day else "", card.item_id, card.text_id]
            text(" · ".join(filter(None, about)), "lead small")
            if card.kind == "spans":
                Marks(self.visit, card, self.give_spans)
            with box("labels-row"):
                for place, choice in enumerate(card.labels if card.kind == "label" else (), 1):
                    name = choice.names.get(self.visit.lang, choice.name)
                    key = f"{place} · " if place <= 9 else ""
                    button = parts.plain_button(
                        f"{key}{name}", lambda _, name=choice.name: self.give(name)
                    )
                    with button:
                        ui.tooltip(choice.meaning)
            with box("form-row"):
                parts.plain_button(f"s · {w('labels.skip')}", self.skip, icon="redo")
                parts.plain_button(f"u · {w('labels.undo')}", self.undo, icon="undo")
            text(w("labels.keys" if card.kind == "label" else "labels.span_keys"), "lead small")

    async def give(self, label: str) -> None:
        """Label the text that lies here."""
        if self.card is not None and self.card.text_id is not None:
            await self._act(
                self.visit.run(
                    "insight.give_label", task=self.task, text_id=self.card.text_id, label=label
                )
            )

    async def give_spans(self, spans: list[dict[str, str]]) -> None:
        """Keep what was marked in the text that lies here; nothing marked: it judges nothing."""
        if self.card is not None and self.card.text_id is not None:
            given = {"task": self.task, "text_id": self.card.text_id, "spans": spans}
            await self._act(self.visit.run("insight.give_spans", **given))

    async def skip(self) -> None:
        """Put it aside."""
        if self.card is not None and self.card.text_id is not None:
            await self._act(
                self.visit.run("insight.skip_label", task=self.task, text_id=self.card.text_id)
            )

    async def undo(self) -> None:
        """Take back what was last done."""
        await self._act(self.visit.run("insight.undo_label", task=self.task))

    async def _fill(self) -> None:
        done = await self.visit.attempt(
            self.visit.run("insight.queue_labels", task=self.task, since="all", count=_FEW)
        )
        if done is not None and done.cannot_say is not None:
            self.visit.tell(figures.why_not(self.visit, done.cannot_say))
        elif done is not None:
            await self.load()

    async def _act(self, work: Awaitable[Any]) -> None:
        self.busy = True
        try:
            if await self.visit.attempt(work) is not None:
                await self.load()
        finally:
            self.busy = False

    async def pressed(self, event: KeyEventArguments) -> None:
        """1 to 9 label, s skips, u undoes; nothing while the last one is still being stored."""
        modifiers = event.modifiers
        plain = not (modifiers.ctrl or modifiers.alt or modifiers.meta)
        if not event.action.keydown or not plain or self.busy or self.card is None:
            return
        key, before = event.key.name, self.before
        self.before = key
        if before == "g":  # the first half of a way to another page
            return
        if key in ("s", "S"):
            await self.skip()
        elif key in ("u", "U"):
            await self.undo()
        elif self.card.kind == "label" and key.isdigit() and 0 < int(key) <= len(self.card.labels):
            await self.give(self.card.labels[int(key) - 1].name)
