"""What the checks found in words: the worst first, each with its place, why, and a field for its proof."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from nicegui import ui

from shopkeeper.console import parts
from shopkeeper.console.parts import Tone, badge, box, text
from shopkeeper.console.visit import Visit
from shopkeeper.content.types import Check, Fact

Prove = Callable[[Check, str], Awaitable[None]]
_TONES: Final[dict[str, Tone]] = {"block": "bad", "needs_evidence": "warn", "allowed": "good"}


def findings(
    visit: Visit, checks: Sequence[Check], facts: Sequence[Fact], prove: Prove | None = None
) -> None:
    """Draw them; with ``prove`` a proof can be given where one is needed."""
    w = visit.w
    if not any(one.stops for one in checks):
        with box("all-well good"):
            ui.icon("check_circle")
            text(w("templates.ready"))
    if checks:
        with box("findings"):
            for check in checks:
                _finding(visit, check, prove)
    if facts:
        text(w("templates.facts"), tag="h3")
        with parts.facts():
            for fact in facts:
                parts.fact(f"{fact.name} · {fact.item_id}", fact.value)


def _finding(visit: Visit, check: Check, prove: Prove | None) -> None:
    w = visit.w
    with box("finding"):
        badge(w(f"templates.verdict_{check.verdict}"), _TONES[check.verdict])
        with box():
            text(_headline(visit, check), "rule-name")
            why = w.get(f"templates.because_{check.because}", check.because)
            if why != _code(visit, check):
                text(why, "lead")
            if check.document:
                text(w("templates.document", document=check.document), "lead")
            elif check.stops and check.verdict == "needs_evidence" and prove is not None:
                _proof(visit, check, prove)


def _headline(visit: Visit, check: Check) -> str:
    said = f"“{check.quote}”" if check.quote else check.detail
    where = place(visit, check.where)
    detail = f" · {check.detail}" if check.quote and check.detail else ""
    return f"{where}: {_code(visit, check)} {said}{detail}".strip()


def _code(visit: Visit, check: Check) -> str:
    return visit.w.get(f"templates.code_{check.code}", check.code)


def place(visit: Visit, where: str) -> str:
    """A part of the words in the reader's own: 中文 · Text."""
    language, _, part = where.partition(".")
    kind, _, name = part.partition(".")
    told = visit.w.get(f"templates.part_{kind}", kind)
    return f"{visit.w(f'templates.in_{language}')} · {told}{f' {name}' if name else ''}"


def _proof(visit: Visit, check: Check, prove: Prove) -> None:
    w = visit.w

    async def given() -> None:
        if field.value and len(str(field.value).strip()) > 1:
            await prove(check, str(field.value).strip())

    with box("form-row"):
        field = ui.input(label=w("templates.proof")).props("outlined dense maxlength=300")
        field.classes("wide-field").on("keydown.enter", given)
        parts.plain_button(w("templates.prove"), given, icon="attach_file")
