"""Bringing in a file, step by step: choose it, say what its columns are, look at the receipt, import."""

from __future__ import annotations

import asyncio
import tomllib
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from nicegui import PageArguments, events, ui
from nicegui.element import Element

from shopkeeper.collect.types import ColumnLine, Guessed, Inspected, Mappings, Receipt
from shopkeeper.console import inbox, mapping_text, parts
from shopkeeper.console.imported import said
from shopkeeper.console.pages import imports, jobs
from shopkeeper.console.parts import box, text
from shopkeeper.console.visit import Visit

_TABLE: Final = "table"  # the importer that needs a mapping
_OURS: Final = {
    "events": ("time", "user_id", "anonymous_id", "item_id", "order_id", "quantity", "price",
               "value", "cost", "name", "session_id", "channel", "query"),
    "items": ("item_id", "title", "description", "brand", "category", "price", "cost", "stock"),
    "customers": ("customer_id", "first_seen", "country", "language"),
    "texts": ("text_id", "time", "kind", "body", "title", "rating", "customer_id", "item_id"),
}  # fmt: skip
_EXTRA: Final = "+"


@dataclass
class _Choice:
    """What has been chosen so far; the later steps of it are drawn below the earlier ones."""

    file: str = ""
    importer: str = _TABLE
    mapping: str = ""  # the name of a shipped one; empty: the text
    text: str = ""
    columns: dict[str, str] = field(default_factory=dict)  # theirs to ours


async def page(visit: Visit, args: PageArguments) -> None:
    """The page; ``?file=…`` is chosen already."""
    w = visit.w
    parts.link(w("import.back"), "/data", "back")
    parts.title(w("bring.title"), w("data.bring_lead"))
    if not visit.may_write("collect"):
        text(w("error.NotAllowed"), "lead")
        return
    choice = _Choice(file=args.query_parameters.get("file", ""))
    with parts.panel(w("bring.step_file"), lead=w("bring.step_file_lead")):
        holder = box()
    columns, preview, done = box("stack"), box("stack"), box("stack")
    steps = _Steps(visit, choice, columns, preview, done)
    await visit.fill(holder, lambda: visit.run("collect.mappings"), steps.choose)


class _Steps:
    """The steps, each of which clears those after it."""

    def __init__(
        self, visit: Visit, choice: _Choice, columns: Element, preview: Element, done: Element
    ) -> None:
        self._visit, self._choice = visit, choice
        self._columns, self._preview, self._done = columns, preview, done

    def choose(self, known: Mappings) -> None:
        """The file and how it is read."""
        visit, w, choice = self._visit, self._visit.w, self._choice
        self._known = known
        files = inbox.names(visit)

        async def uploaded(event: events.UploadEventArguments) -> None:
            name = await visit.attempt(inbox.keep(visit, event))
            up.reset()
            if name is not None:
                select.set_options(inbox.names(visit), value=name)
                visit.tell(w("data.uploaded", name=name))

        up = ui.upload(
            label=w("data.drop"),
            auto_upload=True,
            max_file_size=visit.calls.options.upload_bytes,
            on_upload=uploaded,
            on_rejected=lambda: visit.tell(w("data.too_large")),
        )
        up.props("flat bordered").classes("upload").on("failed", self._lost)
        with box("form-row"):
            chosen = choice.file if choice.file in files else None
            select = ui.select(files, label=w("data.file"), value=chosen)
            select.props("outlined dense").classes("wide-field").bind_value_to(choice, "file")
            importers = {i: w.get(f"importer.{i}", i) for i in known.importers}
            how = ui.select(importers, value=_TABLE, label=w("data.importer"))
            how.props("outlined dense").classes("wide-field").bind_value_to(choice, "importer")
            parts.button(w("bring.look"), self.look, icon="visibility")

    def _lost(self) -> None:
        self._visit.tell(self._visit.w("bring.lost"))

    async def look(self) -> None:
        """The file's columns and the guessed mapping, where the importer needs one."""
        visit, choice = self._visit, self._choice
        for later in (self._columns, self._preview, self._done):
            later.clear()
        if not choice.file:
            visit.tell(visit.w("data.choose_file"))
            return
        choice.mapping = choice.text = ""
        if choice.importer != _TABLE:
            with self._columns:
                self._ready()
            return

        async def work() -> tuple[Inspected, Guessed]:
            seen, guessed = await asyncio.gather(
                visit.run("collect.inspect", path=choice.file),
                visit.run("collect.guess", path=choice.file),
            )
            return seen, guessed

        await visit.fill(self._columns, work, self._mapping)

    def _mapping(self, given: tuple[Inspected, Guessed]) -> None:
        seen, guessed = given
        visit, w, choice = self._visit, self._visit.w, self._choice
        choice.text = guessed.mapping or mapping_text.SKELETON[guessed.target]
        choice.columns = {c.theirs: c.ours for c in guessed.columns}
        choice.columns |= dict.fromkeys(_extra(choice.text), _EXTRA)
        target = w.get(f"table.{guessed.target}", guessed.target)
        lead = w("bring.step_columns_lead", rows=visit.n.count(seen.rows), target=target)
        with parts.panel(w("bring.step_columns"), lead=lead):
            for note in dict.fromkeys((*seen.notes, *guessed.notes)):
                text(said(visit.lang, note), "lead")
            if guessed.missing:
                missing = "、".join(_named(visit, name) for name in guessed.missing)
                text(w("bring.missing", columns=missing), "failure")
            mappings = {"": w("bring.own")} | {
                m.name: f"{m.name} · {m.about}" for m in self._known.mappings
            }
            shipped = ui.select(mappings, value="", label=w("data.mapping"))
            shipped.props("outlined dense").classes("wide-field").bind_value_to(choice, "mapping")
            with box("columns") as own:
                self._columns_of(seen, guessed)
            own.bind_visibility_from(shipped, "value", lambda name: not name)
            self._ready()

    def _columns_of(self, seen: Inspected, guessed: Guessed) -> None:
        w, choice = self._visit.w, self._choice
        sure = {c.theirs: c.confidence for c in guessed.columns}
        names = {"": w("bring.leave_out"), _EXTRA: w("bring.extra")}
        names |= {ours: _named(self._visit, ours) for ours in _OURS[guessed.target]}
        with box("column-list", "ul"):
            for column in seen.columns:
                self._column(column, names, sure.get(column.name))
        with ui.expansion(w("bring.as_text")).classes("as-text"):
            text(w("bring.as_text_lead"), "lead")
            self._text = ui.textarea(value=choice.text).props("outlined autogrow spellcheck=false")
            self._text.props(f'aria-label="{w("bring.as_text")}"').classes("code-field")
            self._text.bind_value_to(choice, "text")

    def _column(self, column: ColumnLine, names: dict[str, str], sure: float | None) -> None:
        visit, w, choice = self._visit, self._visit.w, self._choice

        def chosen(event: events.ValueChangeEventArguments[Any]) -> None:
            choice.columns[column.name] = str(event.value)
            ours = {
                ours: theirs for theirs, ours in choice.columns.items() if ours not in ("", _EXTRA)
            }
            extra = [theirs for theirs, ours in choice.columns.items() if ours == _EXTRA]
            self._text.set_value(mapping_text.with_columns(choice.text, ours, extra))

        with box("column-row", "li"):
            with box():
                text(column.name, "list-name")
                kind = w.get(f"kind.{column.kind}", column.kind)
                filled = w("bring.filled", share=visit.n.share(column.filled, 0))
                text(f"{kind} · {filled}", "lead small")
            text(" · ".join(column.samples[:3]), "lead samples")
            now = choice.columns.get(column.name, "")
            select = ui.select(names, value=now if now in names else "", on_change=chosen)
            select.props("outlined dense options-dense").classes("ours")
            select.props["aria-label"] = w("bring.is", column=column.name)
            if sure is not None:
                share = visit.n.share(sure, 0)
                parts.badge(w("bring.sure", share=share), "good" if sure >= 0.8 else "warn")

    def _ready(self) -> None:
        w = self._visit.w
        with box("form-row"):
            parts.button(w("bring.preview"), partial(self.run, dry_run=True), icon="visibility")

    async def run(self, *, dry_run: bool) -> None:
        """Start the rehearsal or the import, and show how it goes and what comes out."""
        visit, choice = self._visit, self._choice
        holder = self._preview if dry_run else self._done
        for later in (self._preview, self._done) if dry_run else (self._done,):
            later.clear()
        name = choice.mapping
        if choice.importer == _TABLE and not name:
            kept = await visit.attempt(inbox.keep_mapping(visit, choice.file, choice.text))
            if kept is None:
                return
            name = kept
        arguments = {"path": choice.file, "importer": choice.importer, "mapping": name}
        job = await visit.queue("collect.import_file", **arguments, dry_run=dry_run)
        if job is not None:
            with holder:
                heading = visit.w("bring.step_preview" if dry_run else "bring.step_import")
                with parts.panel(heading):
                    shown = box("stack")
            await jobs.inline(visit, shown, job.job_id, partial(self._ended, dry_run))

    def _ended(self, dry_run: bool, job: Any) -> None:
        visit, w = self._visit, self._visit.w
        receipt = Receipt.model_validate(job.result)
        imports.summary(visit, receipt)
        imports.reasons(visit, receipt)
        if dry_run:
            text(w("jobs.rehearsal"), "lead")
            with box("form-row"):
                parts.button(w("data.import"), partial(self.run, dry_run=False), icon="upload")
            return
        with box("form-row"):
            parts.link(w("jobs.to_receipt"), f"/data/imports/{receipt.import_id}")
            imports.undo_button(visit, receipt)


def _named(visit: Visit, ours: str) -> str:
    return visit.w.get(f"event_column.{ours}", visit.w.get(f"column.{ours}", ours))


def _extra(mapping: str) -> list[str]:
    kept = tomllib.loads(mapping).get("extra", [])
    return [str(name) for name in kept]
