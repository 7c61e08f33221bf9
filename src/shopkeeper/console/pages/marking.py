"""Marking words in a text: what is judged, with which words, of which aspect, and how."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from nicegui import ui

from shopkeeper.console import parts
from shopkeeper.console.parts import Tone, box, text
from shopkeeper.console.visit import Visit
from shopkeeper.insight.types import LabelCard

_POLARITIES: dict[str, Tone] = {"positive": "good", "neutral": "flat", "negative": "bad"}
_SELECTED = "return String(window.getSelection())"

Given = Callable[[list[dict[str, str]]], Awaitable[None]]


class Marks:
    """The marks of one text: a row to make the next one, those made, and the button that ends it."""

    def __init__(self, visit: Visit, card: LabelCard, given: Given) -> None:
        self._visit, self._given = visit, given
        self._names = {one.name: one.names.get(visit.lang, one.name) for one in card.labels}
        self._marks: list[dict[str, str]] = []
        w = visit.w
        with box("form-row"):
            self._aspect = self._words("span_aspect")
            self._opinion = self._words("span_opinion")
            self._category = self._select(self._names, next(iter(self._names)), "span_category")
            polarities = {name: w(f"labels.polarity_{name}") for name in _POLARITIES}
            self._polarity = self._select(polarities, "positive", "span_polarity")
            parts.plain_button(w("labels.span_add"), self._add, icon="add")
        self._list = box("list", "ul").props(f'aria-label="{w("labels.aspects")}"')
        with box("form-row"):
            self._done = parts.button(w("labels.span_nothing"), self._end, icon="done")

    def _words(self, key: str) -> ui.input:
        """A field for words of the text, with a button that takes over those that are selected."""
        field = ui.input(label=self._visit.w(f"labels.{key}")).props("outlined dense clearable")
        field.classes("wide-field").on("keydown.enter", self._add)

        async def take() -> None:
            chosen = await ui.run_javascript(_SELECTED)
            if str(chosen).strip():
                field.value = str(chosen).strip()

        with field.add_slot("append"):
            button = ui.button(icon="format_quote", on_click=take).props("flat round dense size=sm")
            button.props(f'aria-label="{self._visit.w("labels.span_take")}"')
            # A click would end the selection that it is about.
            button.on("mousedown", js_handler="(event) => event.preventDefault()")
        return field

    def _select(self, options: dict[str, str], value: str, key: str) -> ui.select:
        chosen = ui.select(options, value=value, label=self._visit.w(f"labels.{key}"))
        return chosen.props("outlined dense options-dense")

    def _add(self) -> None:
        aspect, opinion = (str(f.value or "").strip() for f in (self._aspect, self._opinion))
        if not aspect and not opinion:
            return
        mark = {
            "aspect": aspect,
            "opinion": opinion,
            "category": str(self._category.value),
            "polarity": str(self._polarity.value),
        }
        if mark not in self._marks:
            self._marks.append(mark)
        self._aspect.value = self._opinion.value = ""
        self._draw()

    def _remove(self, mark: dict[str, str]) -> None:
        self._marks.remove(mark)
        self._draw()

    def _draw(self) -> None:
        w = self._visit.w
        self._done.set_text(w("labels.span_done" if self._marks else "labels.span_nothing"))
        self._list.clear()
        with self._list:
            for mark in self._marks:
                with box("list-row", "li"):
                    words = " · ".join(filter(None, (mark["aspect"], mark["opinion"])))
                    text(words, "list-name")
                    text(self._names[mark["category"]], "lead")
                    polarity = mark["polarity"]
                    parts.badge(w(f"labels.polarity_{polarity}"), _POLARITIES[polarity])
                    box("grow")
                    away = ui.button(icon="close", on_click=partial(self._remove, mark))
                    away.props(f'flat round dense aria-label="{w("labels.span_remove")}"')

    async def _end(self) -> None:
        if str(self._aspect.value or "").strip() or str(self._opinion.value or "").strip():
            self._add()  # what was written and not added yet is meant
        await self._given(list(self._marks))
