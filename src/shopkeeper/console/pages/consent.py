"""What one customer allows, what they said about it, and recording what they say now."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from nicegui import ui
from nicegui.element import Element

from shopkeeper.console import parts
from shopkeeper.console.parts import Column, Tone, box, text
from shopkeeper.console.visit import Visit
from shopkeeper.store.consent.types import Consents, Standing, Statement

_SEP = "/"
_SAID = ("GRANT", "DENY", "REVOKED")


async def panel(visit: Visit, holder: Element, customer_id: str) -> None:
    """The panel of the customer's page."""

    async def again() -> None:
        await visit.fill(
            holder,
            lambda: visit.run("consent.history", customer_id=customer_id),
            lambda reply: _drawn(visit, reply, again),
        )

    await again()


def _drawn(visit: Visit, reply: Consents, again: Callable[[], Awaitable[None]]) -> None:
    w = visit.w
    with parts.panel(w("consent.title"), lead=w("consent.lead")):
        with box("list", "ul"):
            for one in reply.standing:
                if one.purpose != "marketing" or one.status is not None:
                    _standing(visit, one)
        if not any(one.purpose == "marketing" and one.status for one in reply.standing):
            text(w("consent.no_marketing"), "lead")
        if visit.may_write("consent"):
            _Form(visit, reply, again)
        if reply.statements:
            _history(visit, reply)


def _standing(visit: Visit, one: Standing) -> None:
    w = visit.w
    with box("list-row", "li"):
        text(_about(visit, one), "list-name")
        parts.badge(w("consent.yes" if one.allowed else "consent.no"), _tone(one.allowed))
        if one.status is None or one.since is None:
            text(w("consent.silent"), "lead")
        else:
            said = w(f"consent.{one.status}")
            text(w("consent.since", said=said, when=visit.n.time(one.since)), "lead")


def _tone(allowed: bool) -> Tone:
    return "good" if allowed else "warn"


def _about(visit: Visit, one: Standing | Statement) -> str:
    purpose = visit.w.get(f"consent.purpose_{one.purpose}", one.purpose)
    channel = visit.w.get(f"consent.channel_{one.channel}", one.channel)
    return f"{purpose} · {channel}"


def _history(visit: Visit, reply: Consents) -> None:
    w, n = visit.w, visit.n
    columns = [
        Column("time", w("column.time")),
        Column("about", w("consent.about")),
        Column("status", w("column.status")),
        Column("source", w("consent.source"), wraps=True),
        Column("text", w("consent.text"), wraps=True),
    ]

    def row(one: Statement) -> dict[str, str]:
        source = one.proof.get("source") or " · ".join(
            f"{k}: {v}" for k, v in one.proof.items() if k != "text"
        )
        return {
            "id": str(one.number),
            "time": n.time(one.time),
            "about": _about(visit, one),
            "status": w(f"consent.{one.status}"),
            "source": source,
            "text": one.proof.get("text", ""),
        }

    text(w("consent.history"), tag="h3")
    parts.table(columns, [row(one) for one in reply.statements], label=w("consent.history"))


class _Form:
    """What the customer says now, with where they said it."""

    def __init__(self, visit: Visit, reply: Consents, again: Callable[[], Awaitable[None]]) -> None:
        self._visit, self._customer, self._again = visit, reply.customer_id, again
        w = visit.w
        abouts = {f"{one.purpose}{_SEP}{one.channel}": _about(visit, one) for one in reply.standing}
        with box("form-row"):
            self._about = self._select(abouts, next(iter(abouts)), w("consent.about"))
            self._status = self._select(
                {said: w(f"consent.{said}") for said in _SAID}, "DENY", w("consent.said")
            )
            self._source = self._input(w("consent.source"))
            self._text = self._input(w("consent.text"))
            parts.plain_button(w("consent.record"), self._record, icon="how_to_reg")

    def _select(self, options: dict[str, str], value: str, label: str) -> ui.select:
        chosen = ui.select(options, value=value, label=label)
        return chosen.props("outlined dense options-dense").classes("wide-field")

    def _input(self, label: str) -> ui.input:
        return ui.input(label=label).props("outlined dense").classes("wide-field")

    async def _record(self) -> None:
        visit = self._visit
        purpose, _, channel = str(self._about.value).partition(_SEP)
        given: dict[str, Any] = {
            "customer_id": self._customer,
            "purpose": purpose,
            "channel": channel,
            "status": str(self._status.value),
            "source": str(self._source.value or ""),
            "text": str(self._text.value or ""),
        }
        done = await visit.attempt(visit.run("consent.record", **given))
        if done is not None:
            visit.tell(visit.w("consent.recorded" if done.new else "consent.known"))
            await self._again()
