"""Letters as readers would get them: words, and pages in a frame in which nothing runs or loads."""

from __future__ import annotations

from typing import Final

from nicegui import ui

from shopkeeper.console.parts import badge, box, text
from shopkeeper.console.visit import Visit
from shopkeeper.contact.dressing import UNSUBSCRIBE
from shopkeeper.content.types import Letter, Previewed

_POLICY: Final = (
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
    'style-src \'unsafe-inline\'"><meta charset="utf-8">'
    "<style>body{font:15px/1.6 system-ui,sans-serif;margin:14px;overflow-wrap:anywhere}</style>"
)
"""Nothing is fetched: whoever looks at a draft must not be counted as a reader."""


def letters(visit: Visit, reply: Previewed) -> None:
    """Draw them side by side."""
    with box("letters"):
        for one in reply.letters:
            _letter(visit, one)


def _letter(visit: Visit, one: Letter) -> None:
    w = visit.w
    with box("letter", "article"):
        with box("voice-head"):
            badge(w(f"templates.in_{one.language}"))
            text(w.get(f"templates.reader_{one.reader}", one.reader), "lead")
        if one.content is None:
            text(w(f"templates.problem_{one.problem}", detail=one.detail), "bad")
            return
        if one.content.get("subject"):
            text(str(one.content["subject"]), "rule-name")
        link = w("templates.own_link")
        words = one.wording or str(one.content.get("text", ""))
        text(words.replace(UNSUBSCRIBE, link), "letter-text")
        if one.content.get("html"):
            first = one.reader != "nameless"  # who approves sees a page in each language at once
            page(visit, str(one.content["html"]), opened=first)


def page(visit: Visit, html: str, *, opened: bool = False) -> None:
    """A letter's page as its reader sees it, in a frame of its own."""
    label = visit.w("templates.page")
    with ui.expansion(label, icon="web", value=opened).classes("as-text"):
        frame = ui.element("iframe").classes("letter-page")
        frame.props["sandbox"] = ""
        frame.props["title"] = label
        frame.props["srcdoc"] = _POLICY + html.replace(UNSUBSCRIBE, "#")
