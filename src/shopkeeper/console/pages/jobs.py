"""Long operations: how far they are, what came out, and stopping them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote

from nicegui import PageArguments, ui
from nicegui.element import Element

from shopkeeper.console import figures, parts
from shopkeeper.console.guard import REPORTS
from shopkeeper.console.pages import privacy
from shopkeeper.console.parts import Tone, box, text
from shopkeeper.console.pulse import Beat
from shopkeeper.console.visit import Visit
from shopkeeper.core.operation import READ
from shopkeeper.governance.types import Certificate
from shopkeeper.store.jobs import Job

_TONES: dict[str, Tone] = {
    "queued": "flat",
    "running": "main",
    "done": "good",
    "failed": "bad",
    "cancelled": "warn",
}
_OPEN = ("queued", "running")
_SLOW_S = 15.0  # a worker takes a job up within a second or two

State = tuple[str, str, bool, bool]

_CERTIFIED = ("governance.erase", "governance.anonymise")


async def page(visit: Visit, _args: PageArguments) -> None:
    """The newest jobs, kept up to date."""
    w = visit.w
    parts.title(w("menu.jobs"), w("jobs.lead"))
    holder = box("panel flush", "section")
    drawn = _Drawn()

    def draw(jobs: Sequence[Any]) -> None:
        drawn.note(jobs, _orphans(visit))
        if not jobs:
            parts.empty(w("jobs.empty"), w("jobs.empty_advice"), "schedule")
            return
        with box("jobs", "ul"):
            for job in jobs:
                _line(visit, job, drawn)

    async def listed() -> Sequence[Any]:
        return tuple((await visit.run("jobs.listing")).jobs)

    def changed(beat: Beat) -> None:
        jobs = [job for job in beat.jobs if _may_see(visit, job)]
        if not drawn.moved_on(jobs, beat.orphans):
            holder.clear()
            with holder:
                draw(jobs)

    visit.live(holder, changed)
    await visit.fill(holder, listed, draw)


async def one(visit: Visit, args: PageArguments) -> None:
    """One job, live until it has ended."""
    parts.link(visit.w("jobs.back"), "/jobs", "back")
    drawn = _Drawn()
    job_id = args.path_parameters["job_id"]
    await follow(visit, box("stack"), job_id, drawn, lambda job: _whole(visit, job, drawn))


async def follow(
    visit: Visit, holder: Element, job_id: str, drawn: _Drawn, shown: Callable[[Any], None]
) -> None:
    """Keep a job on the page, live: what ``shown`` draws, anew when its state changes."""

    def draw(job: Any) -> None:
        drawn.note([job], _orphans(visit))
        shown(job)

    def changed(beat: Beat) -> None:
        job = beat.of(job_id)
        if job is None or not _may_see(visit, job) or drawn.moved_on([job], beat.orphans):
            return
        holder.clear()
        with holder:
            draw(job)

    visit.live(holder, changed)
    await visit.fill(holder, lambda: visit.run("jobs.show", job_id=job_id), draw)


async def inline(visit: Visit, holder: Element, job_id: str, ended: Callable[[Any], None]) -> None:
    """A job's state and progress within another page, and what ``ended`` draws when it is done."""
    drawn = _Drawn()

    def shown(job: Any) -> None:
        _line(visit, job, drawn)
        _error(visit, job)
        if str(job.status) == "done":
            ended(job)

    await follow(visit, holder, job_id, drawn, shown)


def _orphans(visit: Visit) -> frozenset[str]:
    return visit.pulse.last.orphans if visit.pulse.last else frozenset()


class _Drawn:
    """What stands on the page, so that progress moves in place: focus and pointer stay where they are."""

    def __init__(self) -> None:
        self._states: list[State] = []
        self._bars: dict[str, Callable[[Any], None]] = {}

    def note(self, jobs: Sequence[Any], orphans: frozenset[str]) -> None:
        """These jobs are drawn now."""
        self._states = _states(jobs, orphans)
        self._bars.clear()

    def bar(self, job: Any) -> None:
        """How far a running job is, moved on later."""
        bar = ui.linear_progress(show_value=False, size="6px").classes("progress")
        message = text("", "lead small")

        def show(now: Any) -> None:
            message.set_text(now.message)
            if now.total:
                bar.props(remove="indeterminate")
                bar.value = min(1.0, now.done / now.total)
            else:
                bar.props("indeterminate")

        show(job)
        self._bars[job.job_id] = show

    def moved_on(self, jobs: Sequence[Any], orphans: frozenset[str]) -> bool:
        """Move the bars, if nothing but progress has changed."""
        if _states(jobs, orphans) != self._states:
            return False
        for job in jobs:
            if job.job_id in self._bars:
                self._bars[job.job_id](job)
        return True


def _states(jobs: Sequence[Any], orphans: frozenset[str]) -> list[State]:
    return [
        (job.job_id, str(job.status), job.cancel_requested, job.job_id in orphans) for job in jobs
    ]


def _may_see(visit: Visit, job: Job) -> bool:
    return visit.actor.may(job.operation.partition(".")[0], READ)


def _line(visit: Visit, job: Any, drawn: _Drawn) -> None:
    with box("job", "li"):
        with box("job-head"):
            parts.badge(visit.w(f"job_status.{job.status}"), _TONES[str(job.status)])
            parts.link(name(visit, job), f"/jobs/{job.job_id}")
            text(visit.n.time(job.created_at), "lead")
            box("grow")
            _again(visit, job)
            _cancel(visit, job)
        if job.status == "running":
            drawn.bar(job)
        _stuck(visit, job)


def name(visit: Visit, job: Any) -> str:
    """What the job does, in words, with what it is about."""
    about = job.arguments.get("path") or job.arguments.get("import_id") or ""
    words = visit.w.get(f"operation.{job.operation}", job.operation)
    return f"{words} · {about}" if about else words


def _cancel(visit: Visit, job: Any) -> None:
    capability = job.operation.partition(".")[0]
    if job.status not in _OPEN or not (visit.may("jobs.cancel") and visit.may_write(capability)):
        return
    w = visit.w

    async def cancel() -> None:
        if await parts.confirmed(
            w, w("jobs.cancel_ask"), detail=w("jobs.cancel_detail"), act=w("jobs.cancel")
        ):
            reply = await visit.attempt(visit.run("jobs.cancel", job_id=job.job_id))
            if reply is not None:
                visit.tell(w("jobs.cancelled"))

    if job.cancel_requested:
        text(w("jobs.stopping"), "lead")
    else:
        ui.button(w("jobs.cancel"), on_click=cancel).props("flat dense no-caps").classes("cancel")


def _whole(visit: Visit, job: Any, drawn: _Drawn) -> None:
    w, n = visit.w, visit.n
    parts.title(name(visit, job))
    with parts.panel(classes="job-whole"):
        with box("job-head"):
            parts.badge(w(f"job_status.{job.status}"), _TONES[str(job.status)])
            box("grow")
            _again(visit, job)
            _cancel(visit, job)
        if job.status == "running":
            drawn.bar(job)
        _stuck(visit, job)
        with parts.facts():
            parts.fact(w("jobs.by"), job.actor)
            parts.fact(w("jobs.created"), n.time(job.created_at))
            parts.fact(w("jobs.started"), figures.moment(visit, job.started_at))
            parts.fact(w("jobs.finished"), figures.moment(visit, job.finished_at))
        _error(visit, job)
        _result(visit, job)


def _error(visit: Visit, job: Any) -> None:
    if job.error:
        error = job.error.get("error", job.error)
        with box("failure"):
            text(visit.w.get(f"error.{error.get('code')}", visit.w("error.other")), "failure-head")
            text(str(error.get("message", "")))
            text(str(error.get("hint", "")), "lead")


def _stuck(visit: Visit, job: Any) -> None:
    """A word where a job does not move because nobody works at it."""
    if job.status == "running" and job.job_id in _orphans(visit):
        with box("stuck").props("role=status"):
            parts.badge(visit.w("jobs.worker_gone"), "bad")
            text(visit.w("jobs.worker_gone_lead"), "lead")
    elif job.status == "queued":
        waits = (visit.calls.shop.now() - job.created_at).total_seconds()
        with box("stuck").props("role=status") as word:
            text(visit.w("jobs.no_worker"), "lead")
        word.set_visibility(waits > _SLOW_S)
        if waits <= _SLOW_S:
            with word:
                ui.timer(_SLOW_S - max(0.0, waits), lambda: word.set_visibility(True), once=True)


def _again(visit: Visit, job: Any) -> None:
    """What failed, was stopped, or lost its worker, started once more as it was asked for."""
    capability = job.operation.partition(".")[0]
    lost = job.status == "running" and job.job_id in _orphans(visit)
    ended = job.status in ("failed", "cancelled")
    if not (lost or ended) or not visit.may_write(capability):
        return

    async def again() -> None:
        if lost and await visit.attempt(visit.run("jobs.cancel", job_id=job.job_id)) is None:
            return
        started = await visit.queue(job.operation, **job.arguments)
        if started is not None:
            with visit.client:
                ui.navigate.to(f"/jobs/{started.job_id}")

    ui.button(visit.w("jobs.again"), on_click=again).props("flat dense no-caps")


def _result(visit: Visit, job: Any) -> None:
    """What came out, with the way to where it is."""
    result = job.result
    if not isinstance(result, dict):
        return
    w, n = visit.w, visit.n
    if "import_id" in result and "rows_read" in result:
        with parts.facts():
            for key in ("rows_read", "new", "duplicate", "refused"):
                parts.fact(w(f"column.{key}"), n.count(result[key]))
        if result.get("dry_run"):
            text(w("jobs.rehearsal"), "lead")
        else:
            parts.link(w("jobs.to_receipt"), f"/data/imports/{quote(str(result['import_id']))}")
    elif job.operation in _CERTIFIED and result.get("certificate"):
        privacy.certificate(visit, Certificate.model_validate(result["certificate"]))
    elif "removed" in result:
        _removed(visit, result)
    elif job.operation == "report.run":
        report = str(result.get("path", "")).replace("\\", "/").rpartition("/")[2]
        ui.link(w("jobs.to_report"), REPORTS + quote(report), new_tab=True).classes("link")
        with box("notes", "ul"):
            for line in result.get("changed", []):
                text(str(line.get("text", "")), tag="li")


def _removed(visit: Visit, result: dict[str, Any]) -> None:
    """What an undo or a sweep took away, and what it could not."""
    w, n = visit.w, visit.n
    removed = result["removed"]
    if isinstance(removed, list):
        removed = {one["where"]: one["places"] for one in removed}
    with parts.facts():
        for where, count in removed.items():
            parts.fact(w.get(f"table.{where}", where), w("jobs.rows_removed", count=n.count(count)))
    if not removed:
        text(w("plan.nothing"), "lead")
    for stays in result.get("stays", []):
        text(w("jobs.stays", what=w.get(f"stays.{stays}", stays)), "lead")
