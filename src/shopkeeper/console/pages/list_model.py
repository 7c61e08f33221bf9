"""The model behind the lists: versions and how old they are, how lists were judged, what they earned."""

from __future__ import annotations

from typing import Final

from nicegui import PageArguments

from shopkeeper.console import charts, figures, parts
from shopkeeper.console.parts import Column, box, text
from shopkeeper.console.visit import Visit
from shopkeeper.core.types import CannotSay, Estimate, EstimateOrCannotSay
from shopkeeper.recommend.types import Evaluation, Protocol, ShownValue, Version, Versions

_EVALUATE: Final = "recommend.evaluate"


async def page(visit: Visit, _args: PageArguments) -> None:
    """The page."""
    w = visit.w
    parts.link(w("menu.recommend"), "/recommend", "back")
    parts.title(w("model.title"), w("model.lead"))
    versions, value, judged = box("stack"), box("stack"), box("stack")
    await visit.fill(
        versions, lambda: visit.run("recommend.versions"), lambda reply: _versions(visit, reply)
    )
    await visit.fill(
        value, lambda: visit.run("recommend.value"), lambda reply: _value(visit, reply)
    )
    await visit.fill(judged, lambda: _latest(visit), lambda found: _judged(visit, found))


def _versions(visit: Visit, reply: Versions) -> None:
    w, n = visit.w, visit.n
    with parts.panel(w("model.versions"), lead=w("model.versions_lead")):
        if not reply.versions:
            parts.empty(w("model.none"), w("model.none_advice"), "model_training")
        else:
            columns = [
                Column("version", w("model.version")),
                Column("status", w("model.status")),
                Column("fitted", w("model.fitted")),
                Column("ndcg", "NDCG@10", number=True),
                Column("heads", w("model.heads"), wraps=True),
                Column("why", w("model.gate"), wraps=True),
            ]
            rows = [
                {
                    "id": one.version,
                    "version": one.version,
                    "status": w.get(f"model.status_{one.status}", one.status),
                    "fitted": n.time(one.fitted_at),
                    "ndcg": n.decimal(one.ndcg10, 4) if one.ndcg10 is not None else "–",
                    "heads": ", ".join(one.heads),
                    "why": _verdict(visit, one),
                }
                for one in reply.versions
            ]
            parts.table(columns, rows, label=w("model.versions"))
        _tried(visit, reply)
        with box("form-row"):
            if visit.may("recommend.fit"):
                parts.button(
                    w("model.fit"), lambda: visit.start("recommend.fit"), icon="model_training"
                )
            if visit.may("recommend.roll_back") and len(reply.versions) > 1:
                staged = any(one.kind == "experiment" for one in reply.trials)
                act = "model.unstage" if staged else "model.roll_back"
                parts.plain_button(w(act), lambda: _back(visit, act), icon="undo")


def _verdict(visit: Visit, one: Version) -> str:
    """What the gate said, by ranking and by recorded lists."""
    w, n = visit.w, visit.n
    if one.passed is None:
        return "–"

    def span(told: Estimate) -> dict[str, str]:
        numbers = {"gain": told.value, "low": told.low, "high": told.high}
        return {name: n.decimal(number, 4) for name, number in numbers.items()}

    said = []
    if one.gain is None:
        said.append(w("model.gate_first"))
    else:
        said.append(
            w("model.gate_held" if one.gain.high < 0 else "model.gate_passed", **span(one.gain))
        )
        said.append(w("model.gate_paired" if one.paired else "model.gate_unpaired"))
    if one.replay is not None:
        told = one.replay.gain
        if isinstance(told, CannotSay):
            said.append(w("model.gate_replay_unsaid"))
        else:
            key = "model.gate_replay_held" if told.high < 0 else "model.gate_replay"
            said.append(w(key, effective=n.count(round(one.replay.effective)), **span(told)))
    return " ".join(said)


def _tried(visit: Visit, reply: Versions) -> None:
    """Versions on trial, and what those in the shadow did beside live requests."""
    w, n = visit.w, visit.n
    for one in reply.trials:
        told = w(
            f"model.trial_{one.kind}",
            version=one.version,
            share=n.share(one.share or 0.0),
            experiment=one.experiment_id or "",
            variant=one.variant_id or "",
        )
        text(told)
    live = {one.version: one.live for one in reply.versions if one.live is not None}
    if not live:
        return

    def number(value: float | None, digits: int) -> str:
        return "–" if value is None else n.decimal(value, digits)

    columns = [
        Column("version", w("model.version")),
        Column("requests", w("model.live_requests"), number=True),
        Column("errors", w("model.live_errors"), number=True),
        Column("dropped", w("model.live_dropped"), number=True),
        Column("overlap", w("model.live_overlap"), number=True),
        Column("tau", w("model.live_tau"), number=True),
        Column("ms", w("model.live_ms"), number=True),
    ]
    rows = [
        {
            "id": version,
            "version": version,
            "requests": n.count(one.requests),
            "errors": n.count(one.errors),
            "dropped": n.count(one.dropped),
            "overlap": "–" if one.overlap is None else n.share(one.overlap),
            "tau": number(one.tau, 2),
            "ms": f"{number(one.ms, 1)} / {number(one.serving_ms, 1)}",
        }
        for version, one in live.items()
    ]
    text(w("model.live"), tag="h3")
    text(w("model.live_lead"), "lead")
    parts.table(columns, rows, label=w("model.live"))


async def _back(visit: Visit, act: str) -> None:
    if await parts.confirmed(visit.w, visit.w(f"{act}_ask"), act=visit.w(act)):
        reply = await visit.attempt(visit.run("recommend.roll_back"))
        if reply is not None:
            visit.tell(visit.w("model.rolled_back", version=reply.serving or "–"))


def _value(visit: Visit, reply: ShownValue) -> None:
    w, n = visit.w, visit.n
    with parts.panel(w("model.value"), lead=w("model.value_lead", days=n.count(reply.days))):
        with parts.facts():
            parts.fact(w("model.places"), n.count(reply.places))
            parts.fact(w("model.explored"), n.share(reply.explored))
        if reply.policies:
            names = list(dict.fromkeys(name for one in reply.policies for name in one.estimates))
            columns = [
                Column("policy", w("model.policy")),
                Column("effective", w("model.effective"), number=True),
                *(Column(name, w(f"model.estimator_{name}"), number=True) for name in names),
            ]
            rows = [
                {
                    "id": one.policy,
                    "policy": w(f"model.policy_{one.policy}"),
                    "effective": n.count(one.effective),
                    **{name: _told(visit, one.estimates.get(name)) for name in names},
                }
                for one in reply.policies
            ]
            parts.table(columns, rows, label=w("model.value"))
        if reply.missing is not None:
            text(figures.why_not(visit, reply.missing), "lead")


async def _latest(visit: Visit) -> Evaluation | None:
    """The newest evaluation that has ended well; None: there is none."""
    if not visit.may("jobs.listing"):
        return None
    for job in (await visit.run("jobs.listing", status="done")).jobs:
        if job.operation == _EVALUATE:
            whole = await visit.run("jobs.show", job_id=job.job_id)
            return Evaluation.model_validate(whole.result)
    return None


def _judged(visit: Visit, found: Evaluation | None) -> None:
    w, n = visit.w, visit.n
    with parts.panel(w("model.evaluation"), lead=w("model.evaluation_lead")):
        if found is None:
            parts.empty(w("model.not_evaluated"), w("model.not_evaluated_advice"), "query_stats")
        else:
            with parts.facts():
                parts.fact(w("model.as_of"), n.date(found.as_of) if found.as_of else "–")
                parts.fact(w("model.customers"), n.count(found.customers))
                parts.fact(w("model.items"), n.count(found.items))
            for name, protocol in (
                ("by_week", found.by_week),
                ("leave_one_out", found.leave_one_out),
            ):
                text(w(f"model.{name}"), tag="h3")
                text(w(f"model.{name}_lead"), "lead")
                if isinstance(protocol, CannotSay):
                    text(figures.why_not(visit, protocol), "lead")
                else:
                    _protocol(visit, protocol, w(f"model.{name}"))
        if visit.may(_EVALUATE):
            with box("form-row"):
                parts.plain_button(
                    w("model.evaluate"), lambda: visit.start(_EVALUATE), icon="query_stats"
                )


def _protocol(visit: Visit, protocol: Protocol, label: str) -> None:
    w, n = visit.w, visit.n
    columns = [
        Column("model", w("model.model")),
        Column("hr", "HR@10", number=True),
        Column("ndcg", "NDCG@10", number=True),
        Column("loss", w("model.log_loss"), number=True),
        Column("coverage", w("model.coverage"), number=True),
        Column("gini", "Gini", number=True),
    ]
    rows = [
        {
            "id": one.model,
            "model": one.model,
            "hr": _told(visit, one.hr10),
            "ndcg": _told(visit, one.ndcg10),
            "loss": n.decimal(one.log_loss) if one.log_loss is not None else "–",
            "coverage": n.share(one.coverage),
            "gini": n.decimal(one.gini),
        }
        for one in protocol.scores
    ]
    parts.table(columns, rows, label=label)
    _plots(visit, protocol)


def _plots(visit: Visit, protocol: Protocol) -> None:
    """NDCG of each model with its interval, and claimed beside happened."""
    w = visit.w
    known: list[tuple[str, Estimate]] = [
        (one.model, one.ndcg10) for one in protocol.scores if isinstance(one.ndcg10, Estimate)
    ]
    if known:
        names = [name for name, _ in known]
        charts.spans(visit, names, [estimate for _, estimate in known], w("model.ndcg_plot"))
    if protocol.reliability:
        pairs = [(bin_.claimed, bin_.happened) for bin_ in protocol.reliability]
        charts.reliability(visit, pairs, w("model.reliability_plot"))


def _told(visit: Visit, amount: EstimateOrCannotSay | None) -> str:
    if not isinstance(amount, Estimate):
        return "–"
    low, high = visit.n.decimal(amount.low, 4), visit.n.decimal(amount.high, 4)
    return f"{visit.n.decimal(amount.value, 4)} ({low} – {high})"
