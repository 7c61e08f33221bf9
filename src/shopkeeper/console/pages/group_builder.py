"""The builder of a segment: words or conditions in, the definition with its sentence and size out."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from nicegui import ui

from shopkeeper.console import figures, parts
from shopkeeper.console.parts import box, text
from shopkeeper.console.visit import Visit
from shopkeeper.core.errors import ShopkeeperError
from shopkeeper.core.types import CannotSay
from shopkeeper.customers.types import Draft, Forecast, Meaning, SegmentRow, TraitList

_PAUSE_S: Final = 0.7  # after the last key, before the size is asked for
_OPS: Final = {
    "text": ("=", "!="),
    "date": (">=", "<="),
}
_NUMBER_OPS: Final = (">=", "<=", "=", ">", "<", "!=")
_EVENTS: Final = (
    *("purchase", "add_to_cart", "view_item", "search", "begin_checkout", "refund", "review"),
)


class Builder:
    """Of a new segment, or of a further version of ``row``."""

    def __init__(
        self,
        visit: Visit,
        traits: TraitList,
        definition: str = "",
        row: SegmentRow | None = None,
    ) -> None:
        self._visit = visit
        self._traits = traits
        self._row = row
        self._start = definition
        self._turn = 0

    def draw(self) -> None:
        w = self._visit.w
        with box("form-row"):
            self._request = ui.input(label=w("groups.request")).props("outlined dense clearable")
            self._request.classes("wide-field").on("keydown.enter", self._propose)
            parts.plain_button(w("groups.propose"), self._propose, icon="auto_awesome")
        self._told = text("", "lead")
        self._conditions(self._traits)
        with box("form-row"):
            self._definition = ui.textarea(label=w("groups.definition"), value=self._start)
        self._definition.props("outlined autogrow").classes("wide-field mono")
        self._definition.on_value_change(lambda: self._visit.later(self._look()))
        self._shown = box("notes").props("role=status aria-live=polite")
        with box("form-row"):
            name = self._row.name if self._row else ""
            self._name = ui.input(label=w("groups.name"), value=name).props(
                "outlined dense maxlength=120"
            )
            parts.button(w("groups.save"), lambda: self._save(draft=False), icon="save")
            parts.plain_button(w("groups.save_draft"), lambda: self._save(draft=True))
            parts.plain_button(w("groups.exact"), lambda: self._look(exact=True), icon="calculate")
        if self._start:
            self._visit.later(self._look())

    def _conditions(self, traits: TraitList) -> None:
        """Two short forms that add a condition to the definition."""
        w = self._visit.w
        kinds = {one.name: one.kind for one in traits.traits}
        with box("form-row"):
            trait = ui.select(
                {one.name: one.called for one in traits.traits},
                label=w("groups.trait"),
                with_input=True,
            ).props("outlined dense options-dense")
            op = ui.select(list(_NUMBER_OPS), value=">=", label=w("groups.op")).props(
                "outlined dense"
            )
            value = ui.input(label=w("groups.value")).props("outlined dense")

            def fits() -> None:
                op.set_options(list(_OPS.get(kinds.get(trait.value, ""), _NUMBER_OPS)))
                if op.value not in op.options:
                    op.set_value(op.options[0])

            def add() -> None:
                kind = kinds.get(trait.value)
                if kind and str(value.value or "").strip():
                    self._add(f"{trait.value} {op.value} {_literal(str(value.value), kind)}")

            trait.on_value_change(fits)
            parts.plain_button(w("groups.add"), add, icon="add")
        with box("form-row"):
            event = ui.select(
                list(_EVENTS), value="purchase", label=w("groups.event"), with_input=True
            )
            event.props("outlined dense options-dense new-value-mode=add-unique")
            count = ui.select(
                {c: w(f"groups.{c.replace(' ', '_')}") for c in ("at least", "at most", "exactly")},
                value="at least",
                label=w("groups.count"),
            ).props("outlined dense")
            times = ui.number(label=w("groups.times"), value=1, min=0, precision=0).props(
                "outlined dense"
            )
            days = ui.number(label=w("groups.days"), value=30, min=1, precision=0).props(
                "outlined dense"
            )

            def did() -> None:
                within = f" within {int(days.value)} days" if days.value else ""
                self._add(f"did {event.value} {count.value} {int(times.value or 0)} times{within}")

            parts.plain_button(w("groups.add"), did, icon="add")

    def _add(self, condition: str) -> None:
        before = str(self._definition.value or "").strip()
        self._definition.set_value(f"{before} and {condition}" if before else condition)

    async def _propose(self) -> None:
        asked = str(self._request.value or "").strip()
        if not asked:
            return
        reply: Draft | None = await self._visit.attempt(
            self._visit.run("customers.draft_segment", request=asked)
        )
        if reply is None:
            return
        w = self._visit.w
        by = w("groups.by_rules") if reply.answered_by == "rules" else reply.answered_by
        key = "groups.proposed_left" if reply.left_over else "groups.proposed"
        self._told.set_text(w(key, by=by, left=reply.left_over))
        self._definition.set_value(reply.meaning.text)

    async def _look(self, *, exact: bool = False) -> None:
        """Say what the definition means and how many it selects, once the keys have come to rest."""
        self._turn += 1
        turn = self._turn
        await asyncio.sleep(0 if exact else _PAUSE_S)
        told = str(self._definition.value or "").strip()
        if turn != self._turn or self._shown.is_deleted:
            return
        if not told:
            self._shown.clear()
            return
        arguments: dict[str, Any] = {
            "definition": told,
            "segment": self._row.id if self._row else "",
        }
        try:
            meaning: Meaning = await self._visit.run("customers.explain_segment", **arguments)
            if turn == self._turn:
                self._say(meaning, None)
            size: Forecast = await self._visit.run(
                "customers.forecast_segment", exact=exact, **arguments
            )
        except ShopkeeperError as error:
            if turn == self._turn and not self._shown.is_deleted:
                self._shown.clear()
                with self._shown:
                    text(error.message, "wrong")
                    text(error.hint, "lead")
            return
        if turn == self._turn:
            self._say(meaning, size)

    def _say(self, meaning: Meaning, size: Forecast | None) -> None:
        if self._shown.is_deleted:
            return
        w, n = self._visit.w, self._visit.n
        self._shown.clear()
        with self._shown:
            text(meaning.zh if self._visit.lang == "zh" else meaning.en)
            for warning in meaning.warnings:
                text(warning, "lead")
            if size is None:
                text(w("groups.counting"), "lead")
            elif isinstance(size.size, CannotSay):
                text(figures.why_not(self._visit, size.size), "lead")
            else:
                told = {
                    "count": n.count(size.size.value),
                    "low": n.count(size.size.low),
                    "high": n.count(size.size.high),
                    "of": n.count(size.population),
                }
                text(w("groups.size_exact" if size.exact else "groups.size", **told), "fact-value")

    async def _save(self, *, draft: bool) -> None:
        w = self._visit.w
        if (
            not draft
            and not self._row
            and not await parts.confirmed(
                w, w("groups.save_ask"), detail=str(self._definition.value), act=w("groups.save")
            )
        ):
            return
        kept = await self._visit.attempt(
            self._visit.run(
                "customers.save_segment",
                name=str(self._name.value or ""),
                definition=str(self._definition.value or " "),
                segment=self._row.id if self._row else "",
                draft=draft,
            )
        )
        if kept is not None:
            self._visit.tell(w("groups.saved", name=kept.row.name))
            ui.navigate.to(f"/segments/{kept.row.id}")


def _literal(value: str, kind: str) -> str:
    """A value as the language writes it."""
    if kind in ("text", "date"):
        told = value.strip().replace("\\", "\\\\").replace('"', '\\"')
        return f'"{told}"'
    return value.strip()
