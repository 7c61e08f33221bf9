"""The editor of a template: both languages side by side, findings and letters as they are typed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from nicegui import ui
from nicegui.element import Element

from shopkeeper.console import parts
from shopkeeper.console.pages.template_findings import findings
from shopkeeper.console.pages.template_letters import letters
from shopkeeper.console.parts import box, text
from shopkeeper.console.visit import Visit
from shopkeeper.content.types import Body, Check, Checked, Previewed, Specs

LANGUAGES: Final = ("zh", "en")
_PROVIDER: Final = ("sms", "wechat")
_PAUSE: Final = "debounce=600"


class Editor:
    """The words before the person, and what is known of them."""

    def __init__(self, visit: Visit, channel: str, purpose: str) -> None:
        self.visit = visit
        self.channel = channel
        self.purpose = purpose
        self.parts: dict[str, dict[str, Any]] = {one: {} for one in LANGUAGES}
        self.items = ""
        self.evidence: list[dict[str, str]] = []
        self.written_by = "person"
        self.occasion: str | None = None
        self.customer = ""
        self.touched = False
        self._may = True
        self._items: ui.input | None = None
        self._fields: Element | None = None
        self._found: Element | None = None
        self._letters: Element | None = None
        self._variables: Element | None = None

    @property
    def item_ids(self) -> list[str]:
        """The items that the words are about."""
        told = self.items.replace("，", ",").split(",")
        return [one.strip() for one in told if one.strip()]

    def body(self) -> dict[str, Any]:
        """The words as operations take them; a language without words is left out."""
        kept = {lang: _without_nothing(part) for lang, part in self.parts.items()}
        return {
            "parts": {lang: part for lang, part in kept.items() if part},
            "item_ids": self.item_ids,
            "evidence": self.evidence,
            "written_by": self.written_by,
        }

    async def load(self, body: Body) -> None:
        """Show these words."""
        told = body.model_dump(mode="json")
        self.parts = {one: dict(told["parts"].get(one) or {}) for one in LANGUAGES}
        self.evidence = list(told["evidence"])
        self.written_by, self.occasion = body.written_by, body.occasion
        self.items = ", ".join(body.item_ids)
        if self._items is not None:
            self._items.value = self.items
        self.touched = False
        if self._fields is not None:
            self._redraw()
            await self.look()

    async def change(self, channel: str, purpose: str) -> None:
        """Write for another channel or purpose."""
        self.channel, self.purpose = channel, purpose
        self._redraw()
        await self.look()

    def items_field(self, item_ids: tuple[str, ...] = (), *, may: bool = True) -> None:
        """The field for the items, by id."""
        self._may = may
        self.items = ", ".join(item_ids)
        field = ui.input(label=self.visit.w("templates.items"), value=self.items)
        field.props(f"outlined dense {_PAUSE}").classes("wide-field typed")
        field.set_enabled(may)
        self._items = field

        async def changed() -> None:
            if str(field.value or "") != self.items:
                self.items, self.touched = str(field.value or ""), True
                await self.look()

        field.on_value_change(changed)

    async def draw(
        self, holder: Element, keep: Callable[[], Awaitable[None]] | None, label: str
    ) -> None:
        """The fields, the findings and the letters."""
        w = self.visit.w
        self._may = keep is not None
        with holder:
            with parts.panel(w("templates.words"), lead=w("templates.words_lead")):
                self._variables = box("names")
                self._fields = box("tongues")
                if keep is not None:
                    with box("form-row"):
                        parts.button(label, keep, icon="save")
                        text(w("templates.keys"), "lead")
                    self._fields.on("keydown.ctrl.s.prevent", keep)
                    self._fields.on("keydown.meta.s.prevent", keep)
            with parts.panel(w("templates.checks"), lead=w("templates.checks_lead")):
                self._found = box("stack").props("aria-live=polite")
            with parts.panel(w("templates.preview"), lead=w("templates.preview_lead")):
                self._customer_field()
                self._letters = box("stack")
        self._redraw()
        await self.look()

    def _customer_field(self) -> None:
        field = ui.input(label=self.visit.w("templates.customer"))
        field.props(f"outlined dense clearable {_PAUSE}").classes("wide-field")

        async def changed() -> None:
            self.customer = str(field.value or "").strip()
            await self.look()

        field.on_value_change(changed)

    def _redraw(self) -> None:
        if self._fields is None:
            return
        self._fields.clear()
        with self._fields:
            for lang in LANGUAGES:
                with box("tongue"):
                    text(self.visit.w(f"templates.in_{lang}"), tag="h3")
                    self._tongue(lang)

    def _tongue(self, lang: str) -> None:
        w = self.visit.w
        provider = self.channel in _PROVIDER
        if provider:
            self._line(lang, "template_id", w("templates.part_template_id"))
        else:
            self._line(lang, "subject", w("templates.part_subject"))
        wording = "wording" if provider else "text"
        self._area(lang, "text", w(f"templates.part_{wording}"))
        if provider:
            self._values(lang)
        else:
            with ui.expansion(w("templates.part_html"), icon="code").classes("as-text"):
                self._area(lang, "html", w("templates.part_html"))

    def _line(self, lang: str, name: str, label: str) -> None:
        field = ui.input(label=label, value=self.parts[lang].get(name, ""))
        field.props(f"outlined dense {_PAUSE}")
        self._bound(field, lang, name)

    def _area(self, lang: str, name: str, label: str) -> None:
        field = ui.textarea(label=label, value=self.parts[lang].get(name, ""))
        field.props(f"outlined autogrow {_PAUSE}")
        self._bound(field, lang, name)

    def _values(self, lang: str) -> None:
        """A provider's variables: one a line, name = words."""
        told = self.parts[lang].get("variables") or {}
        field = ui.textarea(
            label=self.visit.w("templates.part_variables"),
            value="\n".join(f"{name} = {value}" for name, value in told.items()),
        )
        field.props(f"outlined autogrow {_PAUSE}").classes("code-field")
        field.set_enabled(self._may)

        async def changed() -> None:
            lines = (one.partition("=") for one in str(field.value or "").splitlines())
            values = {name.strip(): value.strip() for name, _, value in lines if name.strip()}
            if values != (self.parts[lang].get("variables") or {}):
                self.parts[lang]["variables"], self.touched = values, True
                await self.look()

        field.on_value_change(changed)

    def _bound(self, field: Any, lang: str, name: str) -> None:
        field.set_enabled(self._may)

        async def changed() -> None:
            value = str(field.value or "")
            if value != self.parts[lang].get(name, ""):
                self.parts[lang][name], self.touched = value, True
                await self.look()

        field.on_value_change(changed)

    async def look(self) -> None:
        """Check the words and make the letters anew."""
        if self._found is None or self._letters is None or self._variables is None:
            return
        body, w = self.body(), self.visit.w
        await self._offer()
        if not body["parts"]:
            for holder in (self._found, self._letters):
                holder.clear()
                with holder:
                    text(w("templates.nothing_yet"), "lead")
            return
        told = {name: value for name, value in body.items() if name != "written_by"}
        ask = {"channel": self.channel, "purpose": self.purpose, **told}
        await self.visit.fill(
            self._found, lambda: self.visit.run("content.check", **ask), self._checked, quiet=True
        )
        told = {name: value for name, value in body.items() if name != "evidence"}
        seen = {"channel": self.channel, "customer_id": self.customer, **told}
        await self.visit.fill(
            self._letters,
            lambda: self.visit.run("content.preview", **seen),
            self._shown,
            quiet=True,
        )

    async def _offer(self) -> None:
        """The variables that the words may hold."""
        ids = self.item_ids
        reply: Specs | None = await self.visit.attempt(
            self.visit.run("content.specs", channel=self.channel, item_id=ids[0] if ids else "")
        )
        if reply is None or self._variables is None:
            return
        self._variables.clear()
        with self._variables:
            text(self.visit.w("templates.variables"), "lead")
            for name in reply.variables:
                default = ' | default: "…"' if name.startswith("customer.") else ""
                text(f"{{{{ {name}{default} }}}}", "code", "code")

    def _checked(self, reply: Checked) -> None:
        findings(self.visit, reply.checks, reply.facts, self._prove if self._may else None)

    def _shown(self, reply: Previewed) -> None:
        letters(self.visit, reply)

    async def _prove(self, check: Check, document: str) -> None:
        self.evidence = [*self.evidence, {"quote": check.quote, "document": document}]
        self.touched = True
        await self.look()


def _without_nothing(part: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in part.items() if value}


__all__ = ["LANGUAGES", "Editor"]
