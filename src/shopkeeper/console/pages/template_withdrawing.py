"""Taking an approval back: a reason, a confirmation, and what follows from it."""

from __future__ import annotations

from nicegui import ui

from shopkeeper.console import parts
from shopkeeper.console.parts import box, text
from shopkeeper.console.visit import Again, Visit
from shopkeeper.content.types import Shown


def withdrawing(visit: Visit, shown: Shown, load: Again) -> None:
    """The panel, where a version may be sent; whether this person may is the operation's to say."""
    w, version = visit.w, shown.approved_version
    if version is None or not visit.may("content.withdraw"):
        return

    async def withdraw() -> None:
        told = str(reason.value or "").strip()
        if not told:
            visit.tell(w("templates.withdraw_why"))
            reason.run_method("focus")
            return
        ask = w("templates.withdraw_ask", v=version)
        detail = w("templates.withdraw_detail")
        if not await parts.confirmed(w, ask, detail=detail, act=w("templates.withdraw")):
            return
        done = await visit.attempt(
            visit.run(
                "content.withdraw", template_id=shown.template_id, version=version, reason=told
            )
        )
        if done is not None:
            visit.tell(w("templates.withdrawn_now"))
            await load()

    with ui.expansion(w("templates.withdraw_head", v=version), icon="block").classes("as-text"):
        text(w("templates.withdraw_lead"), "lead")
        with box("form-row"):
            reason = ui.input(label=w("column.reason")).props("outlined dense maxlength=1000")
            reason.classes("wide-field")
            parts.plain_button(w("templates.withdraw"), withdraw, icon="block")
