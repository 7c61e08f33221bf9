"""Reports that were made, and making another."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from nicegui import PageArguments, run, ui

from shopkeeper.console import parts
from shopkeeper.console.guard import REPORTS
from shopkeeper.console.parts import box, text
from shopkeeper.console.pulse import Beat
from shopkeeper.console.visit import Visit

_PERIODS = ("30d", "90d", "1y", "all")


async def page(visit: Visit, _args: PageArguments) -> None:
    """The page."""
    w = visit.w
    parts.title(w("menu.reports"), w("reports.lead"))
    if visit.may_write("report"):
        with parts.panel(w("reports.make")), box("form-row"):
            periods = {p: w(f"period.{p}") for p in _PERIODS}
            period = ui.select(periods, value="90d", label=w("period.label")).props(
                "outlined dense"
            )
            languages = {"zh": "中文", "en": "English"}
            lang = ui.select(languages, value=visit.lang, label=w("reports.language")).props(
                "outlined dense"
            )

            async def make() -> None:
                await visit.start("report.run", since=period.value, lang=lang.value)

            parts.button(w("reports.make_act"), make, icon="note_add")
    with parts.panel(w("reports.listed")):
        holder = box()

    async def listed() -> list[tuple[str, datetime, int]]:
        found = await run.io_bound(_files, visit.calls.shop.folder / "reports")
        return found or []

    def draw(found: list[tuple[str, datetime, int]]) -> None:
        if not found:
            parts.empty(w("reports.empty"), w("reports.empty_advice"), "description")
            return
        with box("files", "ul"):
            for name, made, size in found:
                with box("file", "li"):
                    ui.icon("description").props("aria-hidden=true")
                    ui.link(name, f"{REPORTS}{quote(name)}", new_tab=True).classes("link")
                    text(visit.n.time(made), "lead")
                    text(w("reports.size", size=visit.n.count(max(1, size // 1000))), "lead")

    def changed(_beat: Beat) -> None:
        visit.later(visit.fill(holder, listed, draw, quiet=True))

    visit.live(holder, changed, every=1.0)
    await visit.fill(holder, listed, draw)


def _files(folder: Path) -> list[tuple[str, datetime, int]]:
    """Name, time and size of each report, the newest first."""
    if not folder.is_dir():
        return []
    found = []
    for path in folder.glob("*.html"):
        if not path.name.startswith("."):
            status = path.stat()
            found.append(
                (path.name, datetime.fromtimestamp(status.st_mtime).astimezone(), status.st_size)
            )
    return sorted(found, key=lambda f: f[1], reverse=True)[:100]
