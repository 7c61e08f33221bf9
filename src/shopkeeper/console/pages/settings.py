"""The shop's settings, who may sign in, and the keys of programs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from nicegui import PageArguments, ui

from shopkeeper.console import parts
from shopkeeper.console.parts import box, text
from shopkeeper.console.visit import Visit
from shopkeeper.store.keys.types import Key, KeyList, NewKey
from shopkeeper.store.people.types import Invitation, People, Person

Again = Callable[[], Awaitable[None]]
Draw = Callable[[Any, Again], None]

_ROLES: Final = ("viewer", "editor", "approver", "owner")


async def page(visit: Visit, _args: PageArguments) -> None:
    """The page; people and keys are for owners."""
    w, kept = visit.w, visit.settings
    parts.title(w("menu.settings"))
    with parts.panel(w("settings.shop"), lead=w("settings.shop_lead")), parts.facts():
        parts.fact(w("settings.name"), kept.name)
        parts.fact(w("settings.time_zone"), kept.time_zone)
        parts.fact(w("settings.currency"), kept.currency)
        parts.fact(
            w("settings.languages"),
            ", ".join({"zh": "中文", "en": "English"}[x] for x in kept.languages),
        )
        parts.fact(w("settings.database"), visit.calls.shop.database.dialect_name)
        parts.fact(
            w("settings.memory"), w("settings.megabytes", count=visit.n.count(kept.memory_mb))
        )
    if not visit.actor.holds("people:write"):
        text(w("settings.owners_only"), "lead")
        return
    with parts.panel(w("people.title"), lead=w("people.lead")):
        people = _Panel(visit, "people.show", lambda reply, again: _people(visit, reply, again))
    with parts.panel(w("apikeys.title"), lead=w("apikeys.lead")):
        keys = _Panel(visit, "keys.show", lambda reply, again: _keys(visit, reply, again))
    await asyncio.gather(people.load(), keys.load())


class _Panel:
    """A list that is loaded again after each change."""

    def __init__(self, visit: Visit, operation: str, draw: Draw) -> None:
        self._visit = visit
        self._operation = operation
        self._draw = draw
        self._holder = box()

    async def load(self) -> None:
        await self._visit.fill(
            self._holder,
            lambda: self._visit.run(self._operation),
            lambda reply: self._draw(reply, self.load),
        )


def _people(visit: Visit, reply: People, again: Again) -> None:
    w = visit.w
    with box("list", "ul"):
        for person in reply.people:
            _person(visit, person, again)
        for invited in reply.invited:
            with box("list-row", "li"):
                text(invited.name or w("people.first_owner"), "list-name")
                parts.badge(w(f"role.{invited.role}"))
                until = visit.n.time(invited.expires_at)
                text(w("people.invited_until", until=until), "lead")
    with box("form-row"):
        name = ui.input(label=w("people.name")).props("outlined dense").classes("wide-field")
        roles = {role: w(f"role.{role}") for role in _ROLES}
        role = ui.select(roles, value="viewer", label=w("people.role")).props("outlined dense")

        async def invite() -> None:
            made: Invitation | None = await visit.attempt(
                visit.run("people.invite", name=str(name.value or "").strip(), role=role.value)
            )
            if made is not None:
                address = f"{visit.origin}/set-up?code={made.code}"
                until = visit.n.time(made.expires_at)
                await _once(
                    visit,
                    w("people.invited", name=made.name),
                    address,
                    w("people.send", until=until),
                )
                await again()

        parts.button(w("people.invite"), invite, icon="person_add")
    text(w("people.roles"), "lead small")


def _person(visit: Visit, person: Person, again: Again) -> None:
    w = visit.w

    async def disable() -> None:
        if await visit.attempt(visit.run("people.disable", person=person.name)) is not None:
            visit.calls.sessions.close_all(person.name)
            visit.tell(w("people.disabled", name=person.name), undo=enable)
            await again()

    async def enable() -> None:
        if await visit.attempt(visit.run("people.enable", person=person.name)) is not None:
            visit.tell(w("people.enabled", name=person.name))
            await again()

    with box("list-row", "li"):
        text(person.name, "list-name")
        parts.badge(w(f"role.{person.role}"), "main")
        if person.disabled_at is not None:
            parts.badge(w("people.off"), "warn")
        box("grow")
        if person.name == visit.session.person:
            text(w("people.you"), "lead")
        elif person.disabled_at is None:
            ui.button(w("people.disable"), on_click=disable).props("flat dense no-caps")
        else:
            ui.button(w("people.enable"), on_click=enable).props("flat dense no-caps")


def _keys(visit: Visit, reply: KeyList, again: Again) -> None:
    w = visit.w
    if reply.keys:
        with box("list", "ul"):
            for key in reply.keys:
                _key(visit, key, again)
    else:
        parts.empty(w("apikeys.empty"), w("apikeys.empty_advice"), "key")
    with box("form-row"):
        name = ui.input(label=w("apikeys.name"), placeholder="web-shop").props("outlined dense")
        kinds = {kind: w(f"key_kind.{kind}") for kind in ("server", "browser")}
        kind = ui.select(kinds, value="server", label=w("apikeys.kind")).props("outlined dense")
        scopes = ui.input(label=w("apikeys.scopes"), placeholder="metrics:read, intake:write")
        scopes.props("outlined dense").classes("wide-field")

        async def create() -> None:
            wanted = tuple(s.strip() for s in str(scopes.value or "").split(",") if s.strip())
            made: NewKey | None = await visit.attempt(
                visit.run(
                    "keys.create",
                    name=str(name.value or "").strip(),
                    kind=kind.value,
                    scopes=wanted,
                )
            )
            if made is not None:
                await _once(
                    visit, w("apikeys.created", name=made.key.name), made.secret, w("apikeys.once")
                )
                await again()

        parts.button(w("apikeys.create"), create, icon="key")


def _key(visit: Visit, key: Key, again: Again) -> None:
    w = visit.w

    async def revoke() -> None:
        question = w("apikeys.revoke_ask", name=key.name)
        if await parts.confirmed(
            w, question, detail=w("apikeys.revoke_detail"), act=w("apikeys.revoke")
        ):
            if await visit.attempt(visit.run("keys.revoke", key=key.key_id)) is not None:
                visit.tell(w("apikeys.revoked", name=key.name))
            await again()

    with box("list-row", "li"):
        text(key.name, "list-name")
        parts.badge(w(f"key_kind.{key.kind}"))
        text(", ".join(key.scopes), "lead")
        box("grow")
        if key.revoked_at is None:
            ui.button(w("apikeys.revoke"), on_click=revoke).props("flat dense no-caps")
        else:
            parts.badge(w("apikeys.off"), "warn")


async def _once(visit: Visit, heading: str, secret: str, advice: str) -> None:
    """A secret that is shown now and never again."""
    w = visit.w
    with visit.client, ui.dialog().props("persistent") as dialog, ui.card().classes("ask"):
        text(heading, tag="h2")
        text(advice, "lead")
        text(secret, "secret", "code").props("tabindex=0")
        with box("ask-row"):
            parts.plain_button(
                w("page.copy"), lambda: ui.clipboard.write(secret), icon="content_copy"
            )
            parts.button(w("page.noted"), dialog.close)
    await dialog
    dialog.delete()
