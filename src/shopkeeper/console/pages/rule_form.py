"""The form for one rule: only the fields that its kind has."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import date, datetime, time
from typing import Any, Final
from zoneinfo import ZoneInfo

from nicegui import ui

from shopkeeper.console import parts
from shopkeeper.console.parts import box, text
from shopkeeper.console.visit import Visit

Add = Callable[[Mapping[str, Any]], Awaitable[bool]]

_WHERE: Final = ("brands", "categories", "items", "price_from", "price_to", "new_days")
_FIELDS: Final[dict[str, tuple[str, ...]]] = {
    "hide": _WHERE,
    "only": _WHERE,
    "promote": ("share", *_WHERE),
    "pin": ("item_id", "place"),
    "limit": ("by", "most"),
    "never_again": ("days",),
    "stock": ("least",),
    "diversify": ("strength",),
    "explore": ("share",),
}
_SCOPE: Final = ("pages", "segment", "valid_from", "valid_to")
_LISTS: Final = frozenset({"brands", "categories", "items", "pages"})
_NUMBERS: Final = frozenset({"price_from", "price_to", "least"})
_WHOLE: Final = frozenset({"new_days", "place", "most", "days"})
_SHARES: Final = frozenset({"share", "strength"})  # asked for in percent
_COMMA: Final = re.compile(r"[,，、;\n]+")


class Form:
    """A kind, its fields, where and when it holds, and a button."""

    def __init__(self, visit: Visit, add: Add) -> None:
        self._visit = visit
        self._add = add
        self._kind = "hide"
        self._fields: dict[str, Any] = {}

    def draw(self) -> None:
        w = self._visit.w
        kinds = {kind: w(f"rules.kind_{kind}") for kind in _FIELDS}
        with box("form-row"):
            select = ui.select(kinds, value=self._kind, label=w("rules.kind"))
            select.props("outlined dense options-dense")
            name = ui.input(label=w("rules.name")).props("outlined dense maxlength=80")
        meaning = text(w(f"rules.means_{self._kind}"), "lead")
        holder = box("form-grid")

        def fields() -> None:
            self._fields = {"name": name}
            holder.clear()
            with holder:
                for field in (*_FIELDS[self._kind], *_SCOPE):
                    self._field(field)

        def turned(event: Any) -> None:
            self._kind = str(event.value)
            meaning.set_text(w(f"rules.means_{self._kind}"))
            fields()

        select.on_value_change(turned)
        fields()
        with box("form-row"):
            parts.button(w("rules.add_act"), self._submit, icon="add")

    def _field(self, field: str) -> None:
        label = self._visit.w(f"rules.field_{field}")
        if field in _NUMBERS | _WHOLE | _SHARES:
            self._fields[field] = ui.number(label=label).props("outlined dense")
        elif field.startswith("valid_"):
            self._fields[field] = ui.input(label=label).props(
                "outlined dense type=date stack-label"
            )
        else:
            self._fields[field] = ui.input(label=label).props("outlined dense")

    async def _submit(self) -> None:
        told: dict[str, Any] = {"kind": self._kind}
        where: dict[str, Any] = {}
        scope: dict[str, Any] = {}
        for field, element in self._fields.items():
            value = self._value(field, element.value)
            if value in (None, "", []):
                continue
            target = where if field in _WHERE else scope if field in _SCOPE else told
            target[field] = value
        if not told.get("name"):
            told["name"] = self._visit.w(f"rules.kind_{self._kind}")
        if where:
            told["where"] = where
        if scope:
            told["scope"] = scope
        await self._add(told)

    def _value(self, field: str, value: Any) -> Any:
        if value is None or value == "":
            return None
        if field in _LISTS:
            return [part.strip() for part in _COMMA.split(str(value)) if part.strip()]
        if field in _WHOLE:
            return int(value)
        if field in _SHARES:
            return float(value) / 100
        if field.startswith("valid_"):
            zone = self._visit.settings.zone
            return _midnight(str(value), zone)
        return value if field in _NUMBERS else str(value).strip()


def _midnight(day: str, zone: ZoneInfo) -> str:
    """The first instant of a local day, as the operations read it."""
    return datetime.combine(date.fromisoformat(day), time.min, zone).isoformat()
