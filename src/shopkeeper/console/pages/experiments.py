"""Experiments: all of them, one with its result, and the standing hold-out."""

from __future__ import annotations

from urllib.parse import quote

from nicegui import PageArguments, ui
from nicegui.element import Element

from shopkeeper.console import charts, figures, parts
from shopkeeper.console.parts import Column, Tone, badge, box, text
from shopkeeper.console.visit import Again, Visit
from shopkeeper.core.types import CannotSay, Estimate, EstimateOrCannotSay
from shopkeeper.experiments.types import (
    Comparison,
    Experiment,
    Experiments,
    Look,
    Metric,
    Result,
    Verdict,
)

_TONES: dict[str, Tone] = {
    "better": "good", "worse": "bad", "harm": "bad", "no_difference": "flat", "running": "main",
    "draft": "flat", "stopped": "flat",
}  # fmt: skip
_MOST_HELD = 50


async def page(visit: Visit, _args: PageArguments) -> None:
    """All experiments, the newest first."""
    with box("page-top"):
        parts.title(visit.w("menu.experiments"), visit.w("experiments.lead"))
        if visit.may("experiments.create"):
            parts.button(
                visit.w("experiments.new"), lambda: ui.navigate.to("/experiments/new"), icon="add"
            )
    holder = box("stack")
    await visit.fill(
        holder, lambda: visit.run("experiments.list"), lambda r: _list(visit, holder, r)
    )


def _list(visit: Visit, holder: Element, reply: Experiments) -> None:
    w, n = visit.w, visit.n
    if not reply.experiments:
        parts.empty(w("experiments.empty"), w("experiments.empty_advice"), "science")
    else:
        columns = [
            Column("name", w("experiments.name"), opens=True, wraps=True),
            Column("status", w("experiments.status")),
            Column("rule", w("experiments.rule"), wraps=True),
            Column("primary", w("experiments.primary")),
            Column("assigned", w("experiments.assigned"), number=True),
            Column("started", w("experiments.started")),
        ]
        rows = [
            {
                "id": one.experiment_id,
                "name": one.design.name,
                "status": w(f"experiments.{one.status}"),
                "rule": w(f"stopping.{one.design.rule}"),
                "primary": w.get(f"measure.{one.design.primary}", one.design.primary),
                "assigned": n.count(sum(one.assigned.values())),
                "started": figures.moment(visit, one.started_at),
            }
            for one in reply.experiments
        ]
        with parts.panel(w("experiments.all")):
            parts.table(columns, rows, label=w("experiments.all"), on_open=_open)
    with parts.panel(w("experiments.holdout"), lead=w("experiments.holdout_lead")):
        _holdout(visit, holder, reply)


def _open(experiment_id: str) -> None:
    ui.navigate.to(f"/experiments/{quote(experiment_id, safe='')}")


def _holdout(visit: Visit, holder: Element, reply: Experiments) -> None:
    w, n, held = visit.w, visit.n, reply.holdout
    with parts.facts():
        parts.fact(w("experiments.held"), n.share(held.share))
        parts.fact(w("experiments.since"), figures.moment(visit, held.since))
        parts.fact(w("experiments.why"), held.reason or "–")
    if not visit.may("experiments.hold_out"):
        return

    async def change() -> None:
        done = await visit.attempt(
            visit.run(
                "experiments.hold_out",
                share=float(share.value or 0) / 100,
                reason=str(reason.value or "").strip(),
            )
        )
        if done is not None:
            visit.tell(w("experiments.held_now", share=n.share(done.share)))
            await visit.fill(
                holder, lambda: visit.run("experiments.list"), lambda r: _list(visit, holder, r)
            )

    with box("form-row"):
        share = ui.number(
            label=w("experiments.percent"), value=held.share * 100, min=0, max=_MOST_HELD, step=0.5
        )
        share.props("outlined dense")
        reason = ui.input(label=w("experiments.why")).props("outlined dense maxlength=300")
        reason.classes("wide-field")
        parts.plain_button(w("experiments.change"), change, icon="shield")


async def one(visit: Visit, args: PageArguments) -> None:
    """One experiment: verdict, how sure, look by look, and every measure."""
    experiment_id = args.path_parameters["experiment_id"]
    parts.link(visit.w("experiments.back"), "/experiments", "back")
    head, holder = box("page-top"), box("stack")
    with head:
        parts.title(experiment_id)

    async def load() -> None:
        ask = {"experiment_id": experiment_id, "lang": visit.lang}
        await visit.fill(
            holder,
            lambda: visit.run("experiments.result", **ask),
            lambda r: _one(visit, head, load, r),
        )

    await load()


def _one(visit: Visit, head: Element, load: Again, reply: Result) -> None:
    w = visit.w
    head.clear()
    with head:
        parts.title(reply.experiment.design.name, reply.experiment.design.hypothesis)
        with box("period"):
            _acts(visit, load, reply.experiment)
    _verdict(visit, reply)
    with parts.panel(w("experiments.variants"), lead=_left_out(visit, reply)):
        _arms(visit, reply)
    for comparison in reply.comparisons:
        if comparison.role == "primary":
            _course(visit, comparison)
    if reply.comparisons:
        with parts.panel(w("experiments.measures"), lead=w("experiments.measures_lead")):
            _measures(visit, reply)
    _about(visit, reply.experiment)


def _acts(visit: Visit, load: Again, experiment: Experiment) -> None:
    w, given = visit.w, {"experiment_id": experiment.experiment_id}

    async def start() -> None:
        if await visit.attempt(visit.run("experiments.start", **given)) is not None:
            visit.tell(w("experiments.started_now"))
            await load()

    async def stop() -> None:
        ask = w("experiments.stop_ask")
        if not await parts.confirmed(
            w, ask, detail=w("experiments.stop_detail"), act=w("experiments.stop")
        ):
            return
        reason = w("experiments.stop_reason")
        if await visit.attempt(visit.run("experiments.stop", **given, reason=reason)) is not None:
            await load()

    badge(w(f"experiments.{experiment.status}"), _TONES[experiment.status])
    if visit.may("experiments.start") and experiment.status == "draft":
        parts.button(w("experiments.start"), start, icon="play_arrow")
    if visit.may("experiments.stop") and experiment.status == "running":
        parts.plain_button(w("experiments.stop"), stop, icon="stop")


def _verdict(visit: Visit, reply: Result) -> None:
    w, n = visit.w, visit.n
    with parts.panel(w("experiments.verdict"), classes="verdict"):
        if isinstance(reply.verdict, CannotSay):
            badge(w("experiments.cannot"), "warn")
            text(figures.why_not(visit, reply.verdict), "said-title")
            return
        verdict: Verdict = reply.verdict
        badge(w(f"experiments.{verdict.outcome}"), _TONES[verdict.outcome])
        text(verdict.headline, "said-title")
        if verdict.decided_on:
            text(w("experiments.decided", day=n.date(verdict.decided_on)), "lead")
        with box("reasons", "ul"):
            for reason in verdict.reasons:
                text(reason.text, tag="li")


def _left_out(visit: Visit, reply: Result) -> str:
    w, n = visit.w, visit.n
    said = []
    if reply.as_of:
        said.append(w("experiments.as_of", day=n.date(reply.as_of)))
    for key, count in (
        ("waiting", reply.waiting),
        ("mixed", reply.mixed),
        ("earlier", reply.earlier),
    ):
        if count:
            said.append(w(f"experiments.{key}", count=n.count(count)))
    if reply.sample_ratio is not None:
        key = "ratio_ok" if reply.sample_ratio.ok else "ratio_bad"
        said.append(w(f"experiments.{key}", p=f"{reply.sample_ratio.p_value:.2g}"))
    return " ".join(said)


def _arms(visit: Visit, reply: Result) -> None:
    w, n = visit.w, visit.n
    columns = [
        Column("variant", w("experiments.variant")),
        Column("what", w("experiments.what"), wraps=True),
        *(
            Column(name, w(f"experiments.{name}"), number=True)
            for name in ("share", "assigned", "exposed", "counted")
        ),
    ]
    rows = [
        {
            "id": arm.variant_id,
            "variant": arm.variant_id,
            "what": arm.what or "–",
            "share": n.share(arm.share),
            "assigned": n.count(arm.assigned),
            "exposed": n.count(arm.exposed),
            "counted": n.count(arm.counted),
        }
        for arm in reply.arms
    ]
    parts.table(columns, rows, label=w("experiments.variants"))


def _course(visit: Visit, one: Comparison) -> None:
    w, n = visit.w, visit.n
    if len(one.looks) < 2:
        return
    heading = w("experiments.over_time", variant=one.variant_id, metric=label(visit, one.metric))
    with parts.panel(heading, lead=w("experiments.over_time_lead")):
        shown: list[Look] = list(one.looks)
        charts.interval(
            visit,
            [n.brief(look.day, "day") for look in shown],
            [look.low for look in shown],
            [look.value for look in shown],
            [look.high for look in shown],
            (one.metric.unit, w("experiments.difference"), w("experiments.interval")),
        )


def _measures(visit: Visit, reply: Result) -> None:
    w, n = visit.w, visit.n
    columns = [
        Column("metric", w("experiments.metric"), wraps=True),
        Column("variant", w("experiments.variant")),
        Column("control", w("experiments.control"), number=True),
        Column("treatment", w("experiments.value"), number=True),
        Column("relative", w("experiments.change"), number=True),
        Column("range", w("experiments.interval"), number=True),
        Column("found", w("experiments.shown"), wraps=True),
    ]
    rows = [
        {
            "id": f"{one.metric.name}|{one.variant_id}",
            "metric": f"{label(visit, one.metric)} · {w(f'experiments.as_{one.role}')}",
            "variant": one.variant_id,
            "control": _amount(visit, one.control, one.metric),
            "treatment": _amount(visit, one.treatment, one.metric),
            "relative": n.relative(one.relative.value)
            if isinstance(one.relative, Estimate)
            else "–",
            "range": _range(visit, one.relative),
            "found": _found(visit, one),
        }
        for one in reply.comparisons
    ]
    parts.table(columns, rows, label=w("experiments.measures"))


def _amount(visit: Visit, value: float | None, metric: Metric) -> str:
    if value is None:
        return "–"
    if metric.unit == "share":
        return visit.n.share(value)
    return visit.n.money(value) if metric.unit == "money" else visit.n.decimal(value)


def _range(visit: Visit, found: EstimateOrCannotSay) -> str:
    if isinstance(found, CannotSay):
        return found.reason
    return f"{visit.n.relative(found.low)} … {visit.n.relative(found.high)}"


def _found(visit: Visit, one: Comparison) -> str:
    if not one.found:
        return visit.w("experiments.not_shown")
    day = visit.n.date(one.found_on) if one.found_on else ""
    return visit.w("experiments.shown_good" if one.good else "experiments.shown_bad", day=day)


def _about(visit: Visit, experiment: Experiment) -> None:
    w, n, design = visit.w, visit.n, experiment.design
    with parts.panel(w("experiments.design")), parts.facts():
        parts.fact("ID", experiment.experiment_id)
        parts.fact(w("experiments.rule"), w(f"stopping.{design.rule}"))
        parts.fact(w("experiments.planned"), n.count(design.units))
        parts.fact(w("experiments.error"), n.share(design.alpha))
        parts.fact(w("experiments.layer"), f"{design.layer} · {n.share(design.traffic, 0)}")
        parts.fact(w("experiments.started"), figures.moment(visit, experiment.started_at))
        parts.fact(w("experiments.stopped"), figures.moment(visit, experiment.stopped_at))
        parts.fact(w("experiments.by"), experiment.created_by)


def label(visit: Visit, metric: Metric) -> str:
    """The measure's name in the reader's words."""
    return (metric.label_zh if visit.lang == "zh" else metric.label_en) or metric.name
