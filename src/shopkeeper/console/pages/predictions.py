"""What is foretold of customers and how far to trust it: who may leave and who is worth most."""

from __future__ import annotations

import math
from urllib.parse import quote

from nicegui import PageArguments, ui
from nicegui.element import Element

from shopkeeper.console import charts, figures, freshness, parts, segmenting
from shopkeeper.console.parts import Column, box, text
from shopkeeper.console.visit import Visit
from shopkeeper.customers.types import ChurnHealth, PredictionRun, Scores

_SIZE = 25
_CHANCES = "churn_"
_MONEY = "value_"


async def page(visit: Visit, _args: PageArguments) -> None:
    """The newest run: its health by horizon, and the customers by each prediction."""
    w = visit.w
    with box("page-top"):
        parts.title(w("menu.predictions"), w("predictions.lead"))
        with box("period"):
            if visit.may("customers.predict"):
                parts.plain_button(
                    w("predictions.run"), lambda: visit.start("customers.predict"), icon="refresh"
                )
    with box("form-row"):
        parts.link(w("clusters.title"), "/clusters")
        parts.link(w("fairness.title"), "/fairness")
    await freshness.line(visit, box(), "predictions")
    holder = box("stack")
    await visit.fill(
        holder, lambda: visit.run("customers.prediction_health"), lambda r: _drawn(visit, r)
    )


def _drawn(visit: Visit, run: PredictionRun) -> None:
    w, n = visit.w, visit.n
    if run.missing is not None:
        parts.empty(w("predictions.empty"), figures.why_not(visit, run.missing), "trending_up")
        return
    text(
        w(
            "predictions.count" if run.refused else "predictions.count_all",
            customers=n.count(run.customers),
            day=n.date(run.as_of),
            refused=n.count(run.refused),
        ),
        "lead",
    )
    with box("panels"):
        for one in run.health:
            _health(visit, one)
    with parts.panel(w("predictions.who"), lead=w("predictions.who_lead")):
        choice = ui.toggle(
            {name: w(f"predictions.{name}") for name in run.predictions}, value=run.predictions[0]
        )
        choice.props("no-caps unelevated dense").classes("wrap-toggle")
        holder = box("stack")
        choice.on_value_change(lambda change: _scores(visit, holder, str(change.value), 1))
        visit.later(_scores(visit, holder, run.predictions[0], 1))


def _health(visit: Visit, one: ChurnHealth) -> None:
    w, n = visit.w, visit.n
    with parts.panel(w("predictions.within", days=one.horizon)):
        if one.missing is not None or one.auc is None or one.auc_rfm is None:
            parts.empty(
                w("predictions.unknown"), figures.why_not(visit, one.missing) if one.missing else ""
            )
            return
        with parts.facts():
            parts.fact(w("predictions.auc"), f"{one.auc:.3f}")
            parts.fact(w("predictions.auc_rfm"), f"{one.auc_rfm:.3f}")
            parts.fact(w("predictions.ece"), n.share(one.ece or 0.0))
            parts.fact(w("predictions.away"), n.share(one.stayed_away or 0.0))
        points = [(b.said, b.came, b.low, b.high) for b in one.bins]
        label = w("predictions.calibration", days=one.horizon)
        charts.calibration(visit, points, label)
        key = "better" if (one.gain_low or 0) > 0 else "alike"
        gain = {"low": f"{one.gain_low or 0:+.3f}", "high": f"{one.gain_high or 0:+.3f}"}
        text(w(f"predictions.{key}", customers=n.count(one.customers), **gain), "lead small")


async def _scores(visit: Visit, holder: Element, prediction: str, page: int) -> None:
    w = visit.w

    async def work() -> Scores:
        reply: Scores = await visit.run(
            "customers.scores",
            prediction=prediction,
            offset=(page - 1) * _SIZE,
            limit=_SIZE,
            lang=visit.lang,
        )
        return reply

    def draw(reply: Scores) -> None:
        if not reply.rows:
            parts.empty(w("predictions.nobody"), "", "group_off")
            return
        columns = [
            Column("customer_id", w("column.customer_id"), opens=True),
            Column("value", w(f"predictions.{prediction}"), number=True),
            Column("interval", w("predictions.interval"), number=True),
            Column("why", w("predictions.why"), wraps=True),
        ]
        rows = [
            {
                "id": one.customer_id,
                "customer_id": one.customer_id,
                "value": _said(visit, prediction, one.value),
                "interval": _interval(visit, prediction, one.low, one.high),
                "why": " ".join(reason.text for reason in one.reasons),
            }
            for one in reply.rows
        ]
        _band(visit, prediction, reply)
        parts.table(
            columns,
            rows,
            label=reply.name,
            on_open=lambda i: ui.navigate.to(f"/customer?id={quote(i, safe='')}"),
        )
        last = -(-reply.total // _SIZE)
        parts.pager(w, page, last, lambda to: _scores(visit, holder, prediction, to))

    await visit.fill(holder, work, draw)


def _band(visit: Visit, prediction: str, reply: Scores) -> None:
    """From which value on the customers become a segment; at first the least that is shown."""
    w = visit.w
    chance = prediction.startswith(_CHANCES)
    least = min(row.value for row in reply.rows)
    first = math.floor(least * 100) if chance else math.floor(least)
    with box("form-row"):
        label = w("predictions.from_share" if chance else "predictions.from")
        field = ui.number(label=label, value=first, min=0, max=100 if chance else None)
        field.props("outlined dense")
    holder = box()

    def drawn() -> None:
        holder.clear()
        if field.value is None:
            return
        edge = field.value / 100 if chance else field.value
        with holder:
            name = f"{w(f'predictions.{prediction}')} ≥ {field.value:g}{' %' if chance else ''}"
            segmenting.offer(visit, name, definition=f'score "{prediction}" >= {edge:g}')

    field.on_value_change(drawn)
    drawn()


def _said(visit: Visit, prediction: str, value: float) -> str:
    if prediction.startswith(_CHANCES):
        return visit.n.share(value)
    return visit.n.money(value) if prediction.startswith(_MONEY) else f"{value:,.1f}"


def _interval(visit: Visit, prediction: str, low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return "–"
    return f"{_said(visit, prediction, low)} – {_said(visit, prediction, high)}"
