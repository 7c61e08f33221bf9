"""The messages to one customer, each with the way to its decision record."""

from __future__ import annotations

from urllib.parse import quote

from nicegui import ui
from nicegui.element import Element

from shopkeeper.console import figures, parts
from shopkeeper.console.parts import Column, text
from shopkeeper.console.visit import Visit
from shopkeeper.contact.types import Messages


async def panel(visit: Visit, holder: Element, customer_id: str) -> None:
    """The panel of the customer's page."""
    await visit.fill(
        holder,
        lambda: visit.run("contact.outbox", customer_id=customer_id),
        lambda reply: _drawn(visit, reply),
    )


def _drawn(visit: Visit, reply: Messages) -> None:
    w = visit.w
    with parts.panel(w("record.messages")):
        if not reply.messages:
            text(w("record.no_messages"), "lead")
            return
        columns = [
            Column("step", w("record.campaign"), opens=True),
            Column("channel", w("column.channel")),
            Column("state", w("record.state")),
            Column("time", w("column.time")),
        ]
        rows = [
            {
                "id": one.message_id,
                "step": one.campaign_id or one.step,
                "channel": one.channel,
                "state": w.get(f"message.{one.state}", one.state),
                "time": figures.moment(visit, one.sent_at or one.changed_at),
            }
            for one in reply.messages
        ]
        parts.table(columns, rows, label=w("record.messages"), on_open=_opened)


def _opened(message_id: str) -> None:
    ui.navigate.to(f"/record?message={quote(message_id, safe='')}")
