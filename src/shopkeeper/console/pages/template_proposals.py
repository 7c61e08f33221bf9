"""Proposals for a template: by occasion, with what was dropped and why."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from nicegui import ui
from nicegui.element import Element

from shopkeeper.console import parts
from shopkeeper.console.pages.template_editor import Editor
from shopkeeper.console.parts import badge, box, text
from shopkeeper.console.visit import Visit
from shopkeeper.content.types import Proposal, Proposals

Take = Callable[[Proposal], Awaitable[None]]


class Proposing:
    """Asks for drafts about the item that the editor names."""

    def __init__(self, visit: Visit, desk: Editor, take: Take) -> None:
        self._visit = visit
        self._desk = desk
        self._take = take
        self._shown: Element | None = None

    def draw(self) -> None:
        """The button, and where the drafts will stand."""
        w = self._visit.w
        with box("form-row"):
            self._segment = ui.input(label=w("templates.segment")).props("outlined dense")
            parts.plain_button(w("templates.propose"), self._ask, icon="auto_awesome")
        self._shown = box("stack")

    def clear(self) -> None:
        """Put the drafts away: one of them is in the editor."""
        if self._shown is not None:
            self._shown.clear()

    async def _ask(self) -> None:
        ids = self._desk.item_ids
        if not ids:
            self._visit.tell(self._visit.w("templates.item_first"))
            return
        ask = {
            "item_id": ids[0],
            "segment_id": str(self._segment.value or "").strip(),
            "channel": self._desk.channel,
            "purpose": self._desk.purpose,
        }
        if self._shown is not None:
            await self._visit.fill(
                self._shown, lambda: self._visit.run("content.propose", **ask), self._drawn
            )

    def _drawn(self, reply: Proposals) -> None:
        w = self._visit.w
        if not reply.drafts:
            parts.empty(w("templates.no_drafts"), "", "edit_off")
        with box("letters"):
            for draft in reply.drafts:
                self._draft(draft)
        if reply.dropped:
            with ui.expansion(w("templates.dropped")).classes("as-text"), box("notes", "ul"):
                for one in reply.dropped:
                    head = w(f"templates.occasion_{one.occasion}")
                    text(f"{head} ({one.written_by}): {one.why}", tag="li")

    def _draft(self, draft: Proposal) -> None:
        w = self._visit.w
        with box("letter", "article"):
            with box("voice-head"):
                badge(w(f"templates.occasion_{draft.occasion}"), "main")
                by = w.get(f"templates.written_{draft.written_by}", draft.written_by)
                text(by, "lead")
            for lang in (self._visit.lang, *(o for o in draft.body.parts if o != self._visit.lang)):
                part = draft.body.parts.get(lang)
                if part is not None:
                    text(part.subject or part.text, "rule-name")
            first = draft.body.parts.get(self._visit.lang)
            if first is not None and first.subject:
                text(first.text, "letter-text short")
            parts.plain_button(w("templates.take"), partial(self._take, draft), icon="edit")
