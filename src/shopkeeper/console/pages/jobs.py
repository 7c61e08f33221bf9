"""Long operations: how far they are, what came out, and stopping them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote

from nicegui import PageArguments, ui

from shopkeeper.console import figures, parts
from shopkeeper.console.guard import REPORTS
from shopkeeper.console.parts import Tone, box, text
from shopkeeper.console.pulse import Beat
from shopkeeper.console.visit import Visit
from shopkeeper.core.operation import READ
from shopkeeper.store.jobs import Job

_TONES: dict[str, Tone] = {
    "queued": "flat",
    "running": "main",
    "done": "good",
    "failed": "bad",
    "cancelled": "warn",
}
_OPEN = ("queued", "running")


async def page(visit: Visit, _args: PageArguments) -> None:
    """The newest jobs, kept up to date."""
    w = visit.w
    parts.title(w("menu.jobs"), w("jobs.lead"))
    holder = box("panel flush", "section")
    drawn = _Drawn()

    def draw(jobs: Sequence[Any]) -> None:
        drawn.note(jobs)
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
        if not drawn.moved_on(jobs):
            holder.clear()
            with holder:
                draw(jobs)

    visit.live(holder, changed)
    await visit.fill(holder, listed, draw)


async def one(visit: Visit, args: PageArguments) -> None:
    """One job, live until it has ended."""
    w = visit.w
    job_id = args.path_parameters["job_id"]
    parts.link(w("jobs.back"), "/jobs", "back")
    holder = box("stack")
    drawn = _Drawn()

    async def looked() -> Any:
        return await visit.run("jobs.show", job_id=job_id)

    def draw(job: Any) -> None:
        drawn.note([job])
        _whole(visit, job, drawn)

    def changed(beat: Beat) -> None:
        job = beat.of(job_id)
        if job is None or not _may_see(visit, job) or drawn.moved_on([job]):
            return
        holder.clear()
        with holder:
            draw(job)

    visit.live(holder, changed)
    await visit.fill(holder, looked, draw)


class _Drawn:
    """What stands on the page, so that progress moves in place: focus and pointer stay where they are."""

    def __init__(self) -> None:
        self._states: list[tuple[str, str, bool]] = []
        self._bars: dict[str, Callable[[Any], None]] = {}

    def note(self, jobs: Sequence[Any]) -> None:
        """These jobs are drawn now."""
        self._states = _states(jobs)
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

    def moved_on(self, jobs: Sequence[Any]) -> bool:
        """Move the bars, if nothing but progress has changed."""
        if _states(jobs) != self._states:
            return False
        for job in jobs:
            if job.job_id in self._bars:
                self._bars[job.job_id](job)
        return True


def _states(jobs: Sequence[Any]) -> list[tuple[str, str, bool]]:
    return [(job.job_id, str(job.status), job.cancel_requested) for job in jobs]


def _may_see(visit: Visit, job: Job) -> bool:
    return visit.actor.may(job.operation.partition(".")[0], READ)


def _line(visit: Visit, job: Any, drawn: _Drawn) -> None:
    with box("job", "li"):
        with box("job-head"):
            parts.badge(visit.w(f"job_status.{job.status}"), _TONES[str(job.status)])
            parts.link(name(visit, job), f"/jobs/{job.job_id}")
            text(visit.n.time(job.created_at), "lead")
            box("grow")
            _cancel(visit, job)
        if job.status == "running":
            drawn.bar(job)


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
            _cancel(visit, job)
        if job.status == "running":
            drawn.bar(job)
        with parts.facts():
            parts.fact(w("jobs.by"), job.actor)
            parts.fact(w("jobs.created"), n.time(job.created_at))
            parts.fact(w("jobs.started"), figures.moment(visit, job.started_at))
            parts.fact(w("jobs.finished"), figures.moment(visit, job.finished_at))
        if job.error:
            error = job.error.get("error", job.error)
            with box("failure"):
                text(w.get(f"error.{error.get('code')}", w("error.other")), "failure-head")
                text(str(error.get("message", "")))
                text(str(error.get("hint", "")), "lead")
        _result(visit, job)


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
    elif job.operation == "report.run":
        report = str(result.get("path", "")).replace("\\", "/").rpartition("/")[2]
        ui.link(w("jobs.to_report"), REPORTS + quote(report), new_tab=True).classes("link")
        with box("notes", "ul"):
            for line in result.get("changed", []):
                text(str(line.get("text", "")), tag="li")
