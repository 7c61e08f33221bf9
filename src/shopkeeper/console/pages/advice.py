"""Suggestions as cards: whom, what, why now, what it may bring; one click makes a draft campaign."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import quote

from nicegui import PageArguments, ui

from shopkeeper.advice.types import Advice, Line, RowsBehind, Suggestion, Taken
from shopkeeper.advice.types import Test as HoldOut
from shopkeeper.console import figures, parts
from shopkeeper.console.parts import Column, badge, box, text
from shopkeeper.console.visit import Visit
from shopkeeper.core.types import CannotSay, Estimate, EstimateOrCannotSay

_STATES: Final = ("open", "taken", "dismissed")
_SHOWN: Final = 20
Again = Callable[[], Awaitable[None]]


async def page(visit: Visit, _args: PageArguments) -> None:
    """The open suggestions, or those that were decided."""
    w = visit.w
    with box("page-top"):
        parts.title(w("menu.advice"), w("suggest.lead"))
        if visit.may("advice.refresh"):
            parts.plain_button(
                w("suggest.refresh"), lambda: visit.start("advice.refresh"), icon="refresh"
            )
    choice = ui.toggle({one: w(f"suggest.{one}") for one in _STATES}, value=_STATES[0])
    choice.props("no-caps unelevated dense")
    holder = box("stack")

    async def load() -> None:
        await visit.fill(
            holder,
            lambda: visit.run("advice.list", state=str(choice.value), lang=visit.lang),
            lambda reply: _list(visit, load, str(choice.value), reply),
        )

    choice.on_value_change(load)
    await load()


def _list(visit: Visit, load: Again, state: str, reply: Advice) -> None:
    w = visit.w
    if reply.made_at is not None:
        text(w("suggest.as_of", when=visit.n.time(reply.made_at), day=str(reply.as_of)), "lead")
    if not reply.suggestions:
        unlooked = reply.made_at is None
        advice = w("suggest.unlooked" if unlooked else f"suggest.none_{state}")
        parts.empty(w("suggest.none"), advice, "lightbulb")
    for one in reply.suggestions:
        _card(visit, load, one)
    if state == "open" and reply.silent:
        with parts.panel(w("suggest.silent"), lead=w("suggest.silent_lead")), box("list", "ul"):
            for silent in reply.silent:
                with box("list-row", "li"):
                    text(silent.called, "list-name")
                    text(silent.text, "lead")


def _card(visit: Visit, load: Again, one: Suggestion) -> None:
    w, n = visit.w, visit.n
    with parts.panel(one.title, lead=one.ranked_by):
        with box("form-row"):
            badge(one.suggestion_id)
            if one.what.care:
                badge(w("suggest.care"), "warn")
            if one.channel:
                badge(w.get(f"channel.{one.channel}", one.channel), "main")
        text(one.what.text)
        if one.what.titles:
            text(" · ".join(one.what.titles), "lead")
        with parts.facts():
            parts.fact(w("suggest.whom"), n.count(one.whom.customers))
            if not one.what.care:
                _figures(visit, one)
        text(w("suggest.definition", sentence=one.whom.sentence), "lead")
        with box("reason"):
            text(w("suggest.why"), tag="h3")
            for number, line in enumerate(one.why, 1):
                _line(visit, one, number, line)
        if not one.what.care:
            with box("reason"):
                _gain(visit, one)
        with box("reason"):
            text(w("suggest.risks"), tag="h3")
            for risk in one.risks:
                text(risk)
            for overlap in one.overlaps:
                shared = n.count(overlap.customers)
                told = w("suggest.overlap", count=shared, share=n.share(overlap.share, 0))
                text(f"{told} {overlap.suggestion_id} {overlap.title}", "lead")
        _became(visit, one)
        _acts(visit, load, one)


def _figures(visit: Visit, one: Suggestion) -> None:
    w, n = visit.w, visit.n
    best = one.reach[0] if one.reach else None
    if best is not None:
        parts.fact(w("suggest.reachable"), n.count(best.reachable))
    parts.fact(w("suggest.expected"), _amount(visit, one.expected))
    parts.fact(w("suggest.at_stake"), _amount(visit, one.at_stake))
    parts.fact(w("suggest.cost"), _amount(visit, one.cost))


def _amount(visit: Visit, told: EstimateOrCannotSay) -> str:
    if isinstance(told, CannotSay):
        return visit.w("suggest.unknown")
    money = visit.n.short(told.value, "money")
    if told.low == told.high:
        return money
    return f"{money} {figures.interval(visit, told, 'money')}"


def _line(visit: Visit, one: Suggestion, number: int, line: Line) -> None:
    """A line of evidence; its rows are asked for when it is opened."""
    days = ""
    if line.first_day and line.last_day:
        days = visit.w("overview.span", start=line.first_day, end=line.last_day)
    if line.opens is None:
        text(f"{line.text} {days}".strip())
        return
    with ui.expansion(line.text, caption=days).props("dense").classes("evidence") as fold:
        holder = box("stack")
    asked = {"suggestion_id": one.suggestion_id, "line": number, "limit": _SHOWN}

    async def opened() -> None:
        if fold.value:
            await visit.fill(
                holder,
                lambda: visit.run("advice.rows", **asked, lang=visit.lang),
                lambda reply: _rows(visit, reply),
            )

    fold.on_value_change(opened)


def _rows(visit: Visit, reply: RowsBehind) -> None:
    w = visit.w
    if not reply.rows:
        text(w("rows.none"), "lead")
        return
    text(w("suggest.rows", shown=len(reply.rows), total=visit.n.count(reply.total)), "lead")
    columns = [
        Column(name, w.get(f"column.{name}", name.replace("_", " ")), wraps=name == "body")
        for name in reply.columns
    ]
    rows = [
        {"id": str(place)}
        | {
            name: figures.cell(visit, name, value)
            for name, value in zip(reply.columns, row, strict=True)
        }
        for place, row in enumerate(reply.rows)
    ]
    parts.table(columns, rows, label=reply.text)


def _gain(visit: Visit, one: Suggestion) -> None:
    """Why gain and cost are not known, where they are not; and the test that would settle it."""
    w, n, test = visit.w, visit.n, one.test
    for name in ("expected", "cost"):
        value = getattr(one, name)
        if isinstance(value, CannotSay):
            text(f"{w(f'suggest.{name}')}: {figures.why_not(visit, value)}", "lead")
    text(w("suggest.test"), tag="h3")
    if not isinstance(test, HoldOut):
        text(figures.why_not(visit, test))
        return
    least = n.points(test.detectable)
    if test.relative is not None:
        least = f"{least} ({n.relative(test.relative)})"
    text(
        w(
            "suggest.test_text",
            hold_out=n.share(test.hold_out, 0),
            held=n.count(test.held_out),
            customers=n.count(test.customers),
            days=test.days,
            base=n.share(test.base.value),
            least=least,
        )
    )


def _became(visit: Visit, one: Suggestion) -> None:
    w = visit.w
    if one.state == "dismissed":
        until = figures.moment(visit, one.quiet_until)
        text(w("suggest.dismissed_by", who=one.decided_by, until=until, reason=one.reason or "–"))
    for told in one.became:
        with box("form-row"):
            status = w(f"campaigns.{told.status}")
            parts.link(told.name, f"/campaigns/{quote(told.campaign_id, safe='')}")
            badge(status)
            if isinstance(told.lift, Estimate):
                low, high = visit.n.relative(told.lift.low), visit.n.relative(told.lift.high)
                value = visit.n.relative(told.lift.value)
                text(w("suggest.lift", value=value, low=low, high=high))
            else:
                text(w("suggest.no_result"), "lead")


def _acts(visit: Visit, load: Again, one: Suggestion) -> None:
    """What a person may do with it now."""
    w = visit.w
    if not visit.may("advice.dismiss"):
        return
    decide = _Decide(visit, load, one)
    makes = not one.what.care and visit.may("campaigns.draft")
    with box("form-row"):
        if makes and one.state == "open":
            parts.button(w("suggest.take"), decide.take, icon="campaign")
        if makes and one.state == "taken" and not one.became:
            parts.button(w("suggest.go_on"), decide.take, icon="campaign")
        if one.state == "open":
            parts.plain_button(w("suggest.dismiss"), decide.dismiss, icon="visibility_off")
        if one.state in {"taken", "dismissed"}:
            parts.plain_button(w("suggest.restore"), decide.restore, icon="undo")


class _Decide:
    """The decisions on one suggestion."""

    def __init__(self, visit: Visit, load: Again, one: Suggestion) -> None:
        self._visit, self._load, self._title = visit, load, one.title
        self._given = {"suggestion_id": one.suggestion_id, "lang": visit.lang}

    async def restore(self) -> None:
        visit = self._visit
        if await visit.attempt(visit.run("advice.restore", **self._given)) is not None:
            await self._load()

    async def dismiss(self) -> None:
        visit = self._visit
        reason = await _reason(visit)
        if reason is None:
            return
        done = await visit.attempt(visit.run("advice.dismiss", **self._given, reason=reason))
        if done is not None:
            visit.tell(visit.w("suggest.put_away", title=self._title), undo=self.restore)
            await self._load()

    async def take(self) -> None:
        visit = self._visit
        taken = await visit.attempt(visit.run("advice.take", **self._given))
        if taken is not None:
            await _taken(visit, self._load, taken)


async def _taken(visit: Visit, load: Again, taken: Taken) -> None:
    """To the draft; or first to the words, which another person has to approve."""
    w = visit.w
    if not taken.missing:
        made = await visit.attempt(visit.run("campaigns.draft", **taken.draft))
        if made is not None:
            ui.navigate.to(f"/campaigns/{quote(made.campaign_id, safe='')}")
        return
    link = f"/templates/{taken.template_id}" if taken.template_id else "/templates/new"
    visit.tell(w(f"suggest.missing_{taken.missing[0]}"), link=link)
    await load()


async def _reason(visit: Visit) -> str | None:
    """Why it is put away; None: it is not."""
    w = visit.w
    with ui.context.client, ui.dialog() as dialog, ui.card().classes("ask") as card:
        card.props("role=alertdialog")
        text(w("suggest.ask"), tag="h2")
        text(w("suggest.ask_lead"), "lead")
        field = ui.input(label=w("suggest.reason")).props("outlined dense autofocus maxlength=500")
        with box("ask-row"):
            parts.plain_button(w("page.cancel"), lambda: dialog.submit(None))
            parts.button(w("suggest.dismiss"), lambda: dialog.submit(str(field.value or "")))
    answer = await dialog
    dialog.delete()
    return None if answer is None else str(answer)
