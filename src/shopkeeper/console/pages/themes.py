"""What customers write about: hot topics, themes with their course, and one theme in full."""

from __future__ import annotations

import asyncio

from nicegui import PageArguments, ui

from shopkeeper.console import charts, figures, parts
from shopkeeper.console.pages import said
from shopkeeper.console.parts import Column, Tone, badge, box, text
from shopkeeper.console.visit import Visit
from shopkeeper.core.types import Estimate, EstimateOrCannotSay
from shopkeeper.insight.types import (
    HotTopic,
    HotTopics,
    ThemeChange,
    ThemeDetail,
    ThemeLine,
    Themes,
)


async def page(visit: Visit, _args: PageArguments) -> None:
    """Hot topics, then all themes of the period."""
    with box("page-top"):
        parts.title(visit.w("menu.themes"), visit.w("themes.lead"))
        bar = box("period")
    hot, holder = box("stack"), box("stack")

    async def load() -> None:
        ask = {"since": visit.since, "k": 60, "lang": visit.lang, "quotes": False}
        await asyncio.gather(
            visit.fill(
                hot, lambda: visit.run("insight.hot", lang=visit.lang), lambda r: _hot(visit, r)
            ),
            visit.fill(
                holder, lambda: visit.run("insight.themes", **ask), lambda r: _themes(visit, r)
            ),
        )

    with bar:
        said.period(visit, load)
    await load()


def _hot(visit: Visit, reply: HotTopics) -> None:
    w, n = visit.w, visit.n
    if reply.cannot_say is not None or not reply.topics:
        return
    lead = w("themes.hot_lead", rate=n.decimal_or_count(reply.false_alarms_per_quarter))
    with parts.panel(w("themes.hot"), lead=lead):
        for topic in reply.topics:
            _topic(visit, topic)


def _topic(visit: Visit, topic: HotTopic) -> None:
    w, n = visit.w, visit.n
    with ui.expansion().classes("segment").props("dense-toggle") as opened:
        with opened.add_slot("header"), box("voice-head"):
            text(" · ".join((*topic.words, *topic.labels)), "segment-name")
            text(w("themes.people", people=n.count(topic.people)), "lead")
            if isinstance(topic.times, Estimate):
                badge(f"×{n.decimal(topic.times.value, 1)}", "bad")
            text(w("themes.since", day=n.date(topic.since)), "lead")
        with box("segment-body"):
            expected = n.decimal(topic.expected, 1)
            text(w("themes.expected", days=n.count(topic.days), expected=expected), "lead")
            said.quotes(visit, topic.quotes)
            if topic.theme_id:
                parts.link(topic.theme or topic.theme_id, f"/themes/{topic.theme_id}")


def _themes(visit: Visit, reply: Themes) -> None:
    w, n = visit.w, visit.n
    if reply.cannot_say is not None:
        said.nothing(visit, reply.cannot_say, "insight.update_themes")
        return
    columns = [
        Column("name", w("themes.theme"), opens=True),
        Column("share", w("themes.share"), number=True, heat=True),
        Column("change", w("themes.change"), number=True),
        Column("people", w("themes.writers"), number=True),
        Column("group", w("themes.group")),
        Column("words", w("themes.words"), wraps=True),
    ]
    most = max((_value(line.share) for line in reply.themes), default=0.0) or 1.0
    rows = [
        {
            "id": line.theme_id,
            "name": line.name,
            "share": n.share(_value(line.share)),
            "share-heat": round(_value(line.share) / most * 40),
            "change": _changed(visit, line),
            "people": n.count(line.authors),
            "group": line.group or "–",
            "words": " · ".join(line.words[:6]),
        }
        for line in reply.themes
    ]
    total = w("themes.counted", texts=n.count(reply.texts), without=n.count(reply.without_theme))
    with parts.panel(w("themes.all"), classes="", lead=total):
        parts.table(
            columns,
            rows,
            label=w("themes.all"),
            on_open=lambda one: ui.navigate.to(f"/themes/{one}"),
        )
        said.start(visit, "insight.update_themes")


def _changed(visit: Visit, line: ThemeLine) -> str:
    """The change against the period before; in brackets where it may be chance."""
    if not isinstance(line.change, Estimate):
        return "–"
    shown = visit.n.points(line.change.value)
    return shown if line.change.low > 0 or line.change.high < 0 else f"({shown})"


async def one(visit: Visit, args: PageArguments) -> None:
    """One theme: its course, its quotes, its history; and a name of one's own."""
    theme_id = args.path_parameters["theme_id"]
    parts.link(visit.w("themes.back"), "/themes", "back")
    with box("page-top"):
        head = box()
        bar = box("period")
    holder = box("stack")

    async def load() -> None:
        def draw(reply: ThemeDetail) -> None:
            head.clear()
            with head:
                parts.title(reply.name, " · ".join(reply.words[:10]))
            _one(visit, reply)

        ask = {"theme_id": theme_id, "since": visit.since, "lang": visit.lang}
        await visit.fill(holder, lambda: visit.run("insight.theme", **ask), draw)

    with bar:
        said.period(visit, load)
    await load()


def _one(visit: Visit, reply: ThemeDetail) -> None:
    w, n = visit.w, visit.n
    if reply.points:
        with parts.panel(w("themes.course"), lead=w("themes.course_lead")):
            charts.course(
                visit,
                [n.brief(p.start, "week") for p in reply.points],
                [_value(p.share) for p in reply.points],
                "share",
                w("themes.share"),
            )
    with parts.panel(w("themes.quotes")):
        if reply.quotes:
            said.quotes(visit, reply.quotes)
        elif reply.cannot_say is not None:
            text(figures.why_not(visit, reply.cannot_say), "lead")
    if visit.may("insight.rename_theme"):
        with parts.panel(w("themes.rename"), lead=w("themes.rename_lead")):
            _rename(visit, reply)
    with parts.panel(w("themes.history")):
        for change in reply.changes:
            _history(visit, change)


def _rename(visit: Visit, reply: ThemeDetail) -> None:
    async def rename() -> None:
        done = await visit.attempt(
            visit.run(
                "insight.rename_theme",
                theme_id=reply.theme_id,
                name=str(field.value or "").strip(),
                lang=visit.lang,
            )
        )
        if done is not None:
            visit.tell(visit.w("themes.named"))
            ui.navigate.to(f"/themes/{reply.theme_id}")

    with box("form-row"):
        field = ui.input(label=visit.w("themes.name"), value=reply.name)
        field.props("outlined dense maxlength=60").classes("wide-field")
        field.on("keydown.enter", rename)
        parts.plain_button(visit.w("themes.rename"), rename, icon="edit")


def _history(visit: Visit, change: ThemeChange) -> None:
    tones: dict[str, Tone] = {"new": "good", "retired": "bad", "split": "warn", "merged": "warn"}
    with box("voice-head"):
        badge(
            visit.w.get(f"themes.{change.change}", change.change), tones.get(change.change, "flat")
        )
        text(visit.n.time(change.time), "lead")
        said_of = [f"{name}: {_plain(value)}" for name, value in change.details.items()]
        text(" · ".join(said_of), "lead")


def _plain(value: str | tuple[str, ...] | float) -> str:
    if isinstance(value, tuple):
        return ", ".join(value)
    return value if isinstance(value, str) else f"{value:.2f}"


def _value(amount: EstimateOrCannotSay) -> float:
    return amount.value if isinstance(amount, Estimate) else 0.0
