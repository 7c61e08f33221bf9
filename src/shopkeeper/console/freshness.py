"""As of when something is that was worked out for everybody, and whether an import has made it old."""

from __future__ import annotations

from nicegui.element import Element

from shopkeeper.console import figures, parts
from shopkeeper.console.parts import box, text
from shopkeeper.console.pulse import Beat
from shopkeeper.console.visit import Visit
from shopkeeper.customers.types import Freshness

_SECONDS = 10.0


async def line(visit: Visit, holder: Element, what: str) -> None:
    """A line that follows the state: ``what`` is segments, predictions or clusters."""
    w = visit.w

    def draw(reply: Freshness) -> None:
        one = next(kept for kept in reply.kept if kept.what == what)
        if one.as_of is None and not one.renewal:
            return
        with box("form-row").props("role=status"):
            if one.as_of is not None:
                text(w("freshness.as_of", time=figures.moment(visit, one.as_of)), "lead")
            if one.renewal:
                parts.badge(w(f"freshness.{one.renewal}"), "main")
            elif one.stale:
                when = figures.moment(visit, reply.imported_at)
                parts.badge(w("freshness.stale", time=when), "warn")

    async def look(*, quiet: bool = False) -> None:
        await visit.fill(holder, lambda: visit.run("customers.freshness"), draw, quiet=quiet)

    def changed(_beat: Beat) -> None:
        visit.later(look(quiet=True))

    visit.live(holder, changed, every=_SECONDS)
    await look()
